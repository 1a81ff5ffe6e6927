package batches

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// RolloutDir is the directory of a tree that holds its rollouts.
const RolloutDir = "rollouts"

// rolloutSchema is the schema of rollouts/NAME.yaml. The order is written out,
// so that nothing that happens to the tree changes who comes next.
var rolloutSchema = object("A rollout: a change that a growing share of the jobs gets, on top of all layers and overrides.",
	is("apiVersion", enum("Version of the format.", APIVersion)).must(),
	is("kind", enum("The kind of document.", "Rollout")).must(),
	is("metadata", object("What it is about.",
		is("name", name("Its name, which is also the name of its file.", "jvm-21")).must(),
		is("description", text("What it changes, for people.", "Java 21 instead of 11")),
	)).must(),
	is("select", list("The jobs that the change is for: globs of paths; one behind ! takes away.", oneLine("A glob.", `"live-*/**"`))),
	is("change", likeDoc("The change as a step of batchctl migrate apply, which finish folds into the tree.", stepSchema())),
	is("steps", list("In each step a ring has so many percent of its jobs, rounded up. A ring has what its last step so far says.", object("A step.",
		is("ring", name("The ring.", "live")).must(),
		is("percent", integer("How many of its jobs.", 1, 100, "10")).must(),
	))).must(),
	is("step", &schema{kinds: kinds(intKind), doc: "The steps that have been taken; 0 is none.", example: "1"}).must(),
	is("paused", boolean("No step is taken until it is resumed.")).orElse("false"),
	is("changes", list("What the jobs get; a later one wins.", object("A change.",
		is("jobs", list("Only these jobs; without it, all of the rollout.", oneLine("A job's path.", "live-1/settlement/daily-settlement"))),
		is("set", partSchema("What changes.", ownerSchema)).must(),
	))).must(),
	is("order", list("Who comes when: the rings, and in each its jobs, the first ones first.", object("A ring.",
		is("ring", name("Its name.", "live")).must(),
		is("jobs", list("Paths of its jobs.", oneLine("A job's path.", "live-1/settlement/daily-settlement"))).must(),
	))).must(),
	is("history", list("When each step was taken, and why in spite of a judgement.", object("A step that was taken.",
		is("step", &schema{kinds: kinds(intKind), doc: "The step.", example: "1"}).must(),
		is("at", oneLine("When, by RFC 3339.", `"2026-11-26T01:00:00Z"`)).must(),
		is("by", oneLine("Who.", "Ada")),
		is("forced", text("Why, although the builds said otherwise.", "the failures are the network's")),
	))),
)

// rollout is a rollout of the tree, ready to be merged.
type rollout struct {
	doc     *document
	info    *RolloutInfo
	in      map[string]int // by path of a job: the step that it came in with; only those that are in
	changes []rolloutChange
}

type rolloutChange struct {
	jobs map[string]bool // nil: all
	set  *value
}

// checkRollouts checks the files of rollouts, and makes of each what merging
// needs.
func (t *Tree) checkRollouts() {
	for _, name := range slices.Sorted(maps.Keys(t.rolloutDocs)) {
		d := t.rolloutDocs[name]
		if d.root == nil {
			continue
		}
		c := checker{root: withSpecs(rolloutSchema, batchKind), ps: &t.problems}
		c.value(rolloutSchema, d.root, newPath())
		// The schema passes over what parsing has reported.
		faulty := func(p Problem) bool { return p.Severity == Error && p.Place.File == d.file.Path }
		if d.root.kind != mapKind || slices.ContainsFunc(t.problems, faulty) {
			continue
		}
		if r := t.newRollout(d); r != nil {
			t.rollouts = append(t.rollouts, r)
		}
	}
	t.checkConflicts()
}

func (t *Tree) newRollout(d *document) *rollout {
	root := d.root
	if n := root.get("metadata").get("name"); n.str() != d.file.Name {
		t.problems.at(n, "metadata.name", "name-differs", "the name is "+n.str()+", but the file is "+d.file.Name+".yaml", "give both the same name")
		return nil
	}
	info := newRolloutInfo(d)
	if info.Step < 0 || info.Step > len(info.Steps) {
		t.problems.at(root.get("step"), "step", "out-of-range", fmt.Sprintf("%d is out of range; there are %d steps", info.Step, len(info.Steps)), "")
		return nil
	}
	if !t.checkOrder(info, root.get("order")) {
		return nil
	}
	r := &rollout{doc: d, info: info, in: info.In(info.Step)}
	for i, c := range root.get("changes").list() {
		change := rolloutChange{set: pick(c.get("set"))}
		if only := c.get("jobs"); only != nil {
			change.jobs = map[string]bool{}
			for _, j := range only.list() {
				change.jobs[j.str()] = true
			}
		}
		if len(change.set.kids) == 0 {
			t.problems.at(c, fmt.Sprintf("changes[%d].set", i), "missing-key", "changes nothing", "")
		}
		r.changes = append(r.changes, change)
	}
	if n := info.Step; n > 0 {
		d.file.Note = fmt.Sprintf("step %d of %d: %s", n, len(info.Steps), info.Steps[n-1])
	}
	return r
}

// RolloutShare is how many of n jobs a percentage is, rounded up: a share of
// anything is at least one.
func RolloutShare(n, percent int) int { return (n*percent + 99) / 100 }

// checkOrder reports a job that stands in the order twice, and a ring that no
// step names.
func (t *Tree) checkOrder(info *RolloutInfo, order *value) bool {
	before := len(t.problems)
	seen := map[string]*value{}
	for i, ring := range order.list() {
		for k, j := range ring.get("jobs").list() {
			if twin := seen[j.str()]; twin != nil {
				t.problems.add(Problem{Place: j.place(), Path: fmt.Sprintf("order[%d].jobs[%d]", i, k), Rule: "duplicate-job", Others: []Place{twin.place()},
					Message: j.str() + " is here twice; the first is in " + twin.place().String(), Hint: "delete one of the two"})
			}
			seen[j.str()] = j
		}
		name := ring.get("ring")
		if !slices.ContainsFunc(info.Steps, func(s RolloutStep) bool { return s.Ring == name.str() }) {
			t.problems.at(name, fmt.Sprintf("order[%d].ring", i), "unknown-ring", "no step is for the ring "+name.str(), "")
		}
	}
	return len(t.problems) == before
}

// checkConflicts reports two rollouts that set the same field of one job, taken
// or still to be taken: which of them won would be an accident.
func (t *Tree) checkConflicts() {
	jobs := make([][]string, len(t.rollouts))
	for i, r := range t.rollouts {
		jobs[i] = r.info.Jobs()
		for k, other := range t.rollouts[:i] {
			found := map[*value]*Problem{}
			var order []*value
			for _, job := range jobs[i] {
				if _, both := slices.BinarySearch(jobs[k], job); !both {
					continue
				}
				r.conflict(other, job, func(v *value, field string, with *value) {
					if found[v] == nil {
						found[v] = &Problem{Place: v.place(), Path: field, Rule: "conflicting-rollouts", Others: []Place{with.place()},
							Message: fmt.Sprintf("the rollouts %s (%s) and %s both set %s", other.info.Name, with.place(), r.info.Name, field),
							Hint:    "finish or undo one of them, or take the jobs out of one"}
						order = append(order, v)
					}
					found[v].touch(job)
				})
			}
			for _, v := range order {
				t.problems.add(*found[v])
			}
		}
	}
}

// conflict calls report for each value that two rollouts both set for a job.
func (r *rollout) conflict(other *rollout, job string, report func(v *value, field string, with *value)) {
	r.sets(job, func(field string, v *value) {
		other.sets(job, func(theirs string, with *value) {
			if overlaps(field, theirs) {
				report(v, field, with)
			}
		})
	})
}

// sets visits the values that a rollout sets for one of its jobs.
func (r *rollout) sets(job string, visit func(field string, v *value)) {
	for _, c := range r.changes {
		if c.jobs == nil || c.jobs[job] {
			walkSet(c.set, "", visit)
		}
	}
}

// rollouts puts the rollouts that a job is in over everything else.
func (l *leaf) rollouts(all []*rollout, p *fieldPath) {
	for _, r := range all {
		if _, in := r.in[l.names.path]; !in {
			continue
		}
		for _, c := range r.changes {
			if c.jobs == nil || c.jobs[l.names.path] {
				l.merged = merge(l.merged, c.set, p, &l.ps)
			}
		}
	}
}

// walkSet visits the values that a change sets, with their paths.
func walkSet(v *value, prefix string, visit func(field string, v *value)) {
	for i := range v.kids {
		e := &v.kids[i]
		at := strings.TrimPrefix(prefix+"."+e.key, ".")
		if e.val.kind == mapKind && len(e.val.kids) > 0 {
			walkSet(e.val, at, visit)
			continue
		}
		visit(at, e.val)
	}
}

// overlaps reports whether one field is the other, or stands in it.
func overlaps(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}
