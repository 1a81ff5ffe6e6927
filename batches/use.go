package batches

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// ruleUnreached is the rule of warnings that hold only when all documents
// could be read.
const ruleUnreached = "unreached"

// checkUse reports layers that reach no job: most often a name is misspelt,
// and the values are missing where they were meant to be.
func (t *Tree) checkUse(ps *problems) {
	t.checkRolloutJobs(ps)
	for _, d := range t.layerDocuments() {
		t.checkOverrides(d, ps)
		if d.root == nil {
			continue
		}
		f := d.file
		switch {
		case f.Layer == AppGroup && t.names[f.Name] == nil:
			unused(d, "unused", "there is no directory apps/"+f.Name, didYouMean(f.Name, maps.Keys(t.names)), ps)
		case f.Layer == Phase && !t.hasPhase(f.Name):
			unused(d, "unused", "no cluster is in phase "+f.Name, didYouMean(f.Name, t.phasesOfClusters()), ps)
		case f.Layer == AppType && !d.used.Load():
			unused(d, ruleUnreached, "nothing is of type "+f.Name, "", ps)
		}
	}
}

// checkRolloutJobs warns of jobs in the order of a rollout that the tree has not:
// misspelt, or gone since the start.
func (t *Tree) checkRolloutJobs(ps *problems) {
	for _, r := range t.rollouts {
		for i, ring := range r.doc.root.get("order").list() {
			for k, j := range ring.get("jobs").list() {
				cluster, leaf, _ := strings.Cut(j.text, "/")
				group, app, _ := strings.Cut(leaf, "/")
				if t.clusters[cluster] == nil || !slices.Contains(t.names[group], app) {
					ps.add(Problem{Place: j.place(), Path: fmt.Sprintf("order[%d].jobs[%d]", i, k), Rule: "unknown-job", Severity: Warning,
						Message: "there is no job " + j.text})
				}
			}
		}
	}
}

// checkOverrides reports overrides of a file that match no job, or cannot.
func (t *Tree) checkOverrides(d *document, ps *problems) {
	for _, o := range d.overrides {
		before := len(*ps)
		t.checkWhen(o.when, o.path+".when", ps)
		if len(*ps) == before && !o.used.Load() {
			ps.add(Problem{Place: o.when.place(), Path: o.path + ".when", Rule: ruleUnreached, Severity: Warning, Message: "no job matches this, so the override has no effect"})
		}
	}
}

// pools lists the pools that the tree knows, or nil where it does not say.
func (t *Tree) pools() []string {
	if t.settings == nil || t.settings.root == nil {
		return nil
	}
	return t.settings.root.get("pools").strings()
}

func (t *Tree) hasPhase(name string) bool {
	for p := range t.phasesOfClusters() {
		if p == name {
			return true
		}
	}
	return false
}

func unused(d *document, rule, why, hint string, ps *problems) {
	ps.add(Problem{Place: Place{d.file.Path, 1, 1}, Rule: rule, Severity: Warning, Message: "nothing inherits this layer: " + why, Hint: hint})
}

// phasesOfClusters yields the phases that clusters declare.
func (t *Tree) phasesOfClusters() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, c := range t.clusters {
			if !yield(c.root.get("phase").str()) {
				return
			}
		}
	}
}

// checkWhen reports plain names in a when that nothing has. A glob may match
// nothing: it may be there for what comes.
func (t *Tree) checkWhen(when *value, path string, ps *problems) {
	for key, v := range when.members() {
		known := t.coordinateNames(key)
		if known == nil {
			continue // reported by the schema
		}
		for _, item := range v.list() {
			name := strings.TrimPrefix(item.text, "!")
			if item.kind != stringKind || item.broken || isGlob(name) || slices.Contains(known, name) {
				continue
			}
			hint := didYouMean(name, slices.Values(known))
			if hint == "" {
				hint = "there are " + listed(known)
			}
			ps.at(item, path+"."+key, "unknown-"+key, "there is no "+strings.Replace(key, "app", "batch", 1)+" "+name, hint)
		}
	}
}

// coordinateNames lists what a coordinate can be in this tree, sorted.
func (t *Tree) coordinateNames(key string) []string {
	switch key {
	case "cluster":
		return slices.Sorted(maps.Keys(t.clusters))
	case "phase":
		return slices.Compact(slices.Sorted(t.phasesOfClusters()))
	case "group":
		return slices.Sorted(maps.Keys(t.names))
	case "kind":
		return t.kindNames()
	case "app":
		var names []string
		for _, apps := range t.names {
			names = append(names, apps...)
		}
		slices.Sort(names)
		return slices.Compact(names)
	case "type":
		var names []string
		for _, k := range t.kinds {
			names = append(names, k.defaultType())
		}
		return slices.Compact(slices.Sorted(slices.Values(append(names, slices.Collect(maps.Keys(t.types))...))))
	}
	return nil
}

// Clusters lists the clusters of the tree, sorted.
func (t *Tree) Clusters() []string { return t.coordinateNames("cluster") }

// Root returns the folder of Jenkins that the tree's own folders are made in,
// or "" for the top.
func (t *Tree) Root() string {
	if t.settings == nil || t.settings.root == nil {
		return ""
	}
	return t.settings.root.get("jenkins").get("root").str()
}
