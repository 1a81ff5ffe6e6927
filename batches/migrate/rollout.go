package migrate

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// Plan is a rollout that is to be started.
type Plan struct {
	Name  string
	Step  Step // the change, and the globs of its jobs
	Rings []string
	Steps []batches.RolloutStep
	First []string // globs of jobs that come first in their ring
	Last  []string // and last
	By    string
	At    time.Time
}

// NewRollout writes the file of a rollout at its first step. Jobs with
// something undecided are left out. It has been checked that each job of it,
// once it is in, comes out as intended.
func NewRollout(fsys fs.FS, p Plan) (name string, text []byte, r *Result, err error) {
	if err := batches.CheckName(p.Name); err != nil {
		return "", nil, nil, err
	}
	docs, err := resolved(fsys)
	if err != nil {
		return "", nil, nil, err
	}
	name = path.Join(batches.RolloutDir, p.Name+".yaml")
	if _, err := fs.Stat(fsys, name); err == nil {
		return "", nil, nil, fmt.Errorf("%s: there is a rollout of this name; finish it, undo it, or choose another name", name)
	}
	chosen, err := p.Step.Selection.choose(docs)
	if err != nil {
		return "", nil, nil, err
	}
	r = &Result{Selected: len(chosen)}
	var wants []want
	for _, d := range chosen {
		w, undecided, notes := p.Step.Change.wants(d)
		r.Notes, r.Undecided = append(r.Notes, notes...), append(r.Undecided, undecided...)
		if len(undecided) == 0 {
			wants = append(wants, w...)
		}
	}
	if len(wants) == 0 {
		return name, nil, r, nil
	}
	order, err := p.order(wants)
	if err != nil {
		return "", nil, nil, err
	}
	text = p.file(wants, order, 1)
	if _, err := verify(fsys, map[string][]byte{name: p.file(wants, order, len(p.Steps))}, wants); err != nil {
		return "", nil, nil, err
	}
	r.Files = map[string][]byte{name: text}
	r.Comparison = batches.Compare(batches.Load(fsys), batches.Load(batches.NewOverlay(fsys, r.Files, nil)))
	return name, text, r, nil
}

// order puts the jobs into their rings, by their phases.
func (p *Plan) order(wants []want) (map[string][]string, error) {
	rings := map[string][]string{}
	seen := map[string]bool{}
	for _, w := range wants {
		if seen[w.doc.Path] {
			continue
		}
		seen[w.doc.Path] = true
		if !slices.Contains(p.Rings, w.doc.Phase) {
			return nil, fmt.Errorf("%s is in phase %s, and the rings are %s; add it to --rings, or take its jobs out with --select '!GLOB'", w.doc.Path, w.doc.Phase, strings.Join(p.Rings, ", "))
		}
		rings[w.doc.Phase] = append(rings[w.doc.Phase], w.doc.Path)
	}
	for _, glob := range slices.Concat(p.First, p.Last) {
		if !slices.ContainsFunc(wants, func(w want) bool { return doublestar.MatchUnvalidated(glob, w.doc.Path) }) {
			return nil, fmt.Errorf("%s: no job of the rollout matches this, so none would come first or last by it", glob)
		}
	}
	for _, jobs := range rings {
		slices.SortFunc(jobs, func(a, b string) int {
			if ra, rb := p.rank(a), p.rank(b); ra != rb {
				return ra - rb
			}
			return strings.Compare(Rank(a), Rank(b))
		})
	}
	return rings, nil
}

// rank puts the explicit first jobs first and the explicit last ones last.
func (p *Plan) rank(job string) int {
	is := func(globs []string) bool {
		return slices.ContainsFunc(globs, func(g string) bool { return doublestar.MatchUnvalidated(g, job) })
	}
	switch {
	case is(p.First):
		return 0
	case is(p.Last):
		return 2
	}
	return 1
}

// file writes the rollout.
func (p *Plan) file(wants []want, order map[string][]string, step int) []byte {
	flow := func(m yamledit.Map) yamledit.Flow { return yamledit.Flow{Value: m} }
	meta := yamledit.Map{{Key: "name", Value: p.Name}, {Key: "description", Value: p.Step.description()}}
	m := yamledit.Map{{Key: "apiVersion", Value: batches.APIVersion}, {Key: "kind", Value: "Rollout"}, {Key: "metadata", Value: meta}}
	if s := p.Step.Selection.Select; len(s) > 0 {
		m = append(m, yamledit.Pair{Key: "select", Value: list(s)})
	}
	m = append(m, yamledit.Pair{Key: "change", Value: changeMap(p.Step.Change)})
	var steps, rings, history yamledit.List
	for _, s := range p.Steps {
		if len(order[s.Ring]) > 0 {
			steps = append(steps, flow(yamledit.Map{{Key: "ring", Value: s.Ring}, {Key: "percent", Value: s.Percent}}))
		}
	}
	for _, ring := range p.Rings {
		if len(order[ring]) > 0 {
			rings = append(rings, yamledit.Map{{Key: "ring", Value: ring}, {Key: "jobs", Value: list(order[ring])}})
		}
	}
	history = append(history, Event(1, p.At, p.By, ""))
	return yamledit.Text(append(m, yamledit.Map{
		{Key: "steps", Value: steps}, {Key: "step", Value: min(step, len(steps))}, {Key: "changes", Value: changesOf(wants)},
		{Key: "order", Value: rings}, {Key: "history", Value: history},
	}...))
}

// Event is an entry of a rollout's history.
func Event(step int, at time.Time, by, forced string) yamledit.Value {
	m := yamledit.Map{{Key: "step", Value: step}, {Key: "at", Value: at.UTC().Format(time.RFC3339)}}
	if by != "" {
		m = append(m, yamledit.Pair{Key: "by", Value: by})
	}
	if forced != "" {
		m = append(m, yamledit.Pair{Key: "forced", Value: forced})
	}
	return yamledit.Flow{Value: m}
}

func list(texts []string) yamledit.List {
	out := make(yamledit.List, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}

// changesOf writes what the jobs get: what all have in common first, without
// their names.
func changesOf(wants []want) yamledit.List {
	type change struct {
		want *want
		jobs []string
	}
	all := map[string]bool{}
	at := map[string]*change{}
	var order []*change
	for i := range wants {
		w := &wants[i]
		all[w.doc.Path] = true
		key := fmt.Sprintf("%q %#v", w.keys, w.final())
		if w.grows() {
			key = fmt.Sprintf("%q+ %q", w.keys, w.appended)
		}
		if at[key] == nil {
			at[key] = &change{want: w}
			order = append(order, at[key])
		}
		at[key].jobs = append(at[key].jobs, w.doc.Path)
	}
	sets := map[string]yamledit.Map{}
	var keys []string
	for _, c := range order {
		key := strings.Join(c.jobs, "\n")
		if len(c.jobs) == len(all) {
			key = ""
		}
		if sets[key] == nil {
			keys = append(keys, key)
		}
		path, value := c.want.keys, c.want.final()
		if c.want.grows() {
			path, value = c.want.growth()
		}
		sets[key] = merged(sets[key], path, value)
	}
	if i := slices.Index(keys, ""); i > 0 {
		keys = slices.Insert(slices.Delete(keys, i, i+1), 0, "") // what all have in common
	}
	var out yamledit.List
	for _, key := range keys {
		m := yamledit.Map{}
		if key != "" {
			m = append(m, yamledit.Pair{Key: "jobs", Value: list(strings.Split(key, "\n"))})
		}
		out = append(out, append(m, yamledit.Pair{Key: "set", Value: sets[key]}))
	}
	return out
}

// changeMap writes a change as a step of a file.
func changeMap(c Change) yamledit.Map {
	one := func(key string, v yamledit.Value) yamledit.Map { return yamledit.Map{{Key: key, Value: v}} }
	fromTo := func(from, to any) yamledit.Map {
		return yamledit.Map{{Key: "from", Value: from}, {Key: "to", Value: to}}
	}
	switch c := c.(type) {
	case Set:
		return one("set", one(strings.Join(c.Keys, "."), c.Value))
	case Unset:
		return one("unset", strings.Join(c.Keys, "."))
	case AddOption:
		return one("add-option", c.Option)
	case RemoveOption:
		return one("remove-option", c.Name)
	case RenameOption:
		return one("rename-option", fromTo(c.From, c.To))
	case ReplaceValue:
		return one("replace-value", append(one("path", strings.Join(c.Keys, ".")), fromTo(c.From, c.To)...))
	case JVM:
		m := fromTo(c.From, c.To)
		opens := yamledit.Map{}
		for _, job := range slices.Sorted(maps.Keys(c.Opens)) {
			opens = append(opens, yamledit.Pair{Key: job, Value: list(c.Opens[job])})
		}
		if len(opens) > 0 {
			m = append(m, yamledit.Pair{Key: "opens", Value: opens})
		}
		return one("jvm", m)
	}
	panic(fmt.Sprintf("a change of type %T cannot be written", c))
}

// Fold puts a rollout's change into the tree itself and takes the rollout away.
// Jobs that came into the tree after its start, and that its globs select, get
// the change too; late lists them. For all others nothing may change.
func Fold(fsys fs.FS, info *batches.RolloutInfo) (r *Result, late []string, err error) {
	text, err := fs.ReadFile(fsys, info.File)
	if err != nil {
		return nil, nil, err
	}
	change, err := changeOf(info)
	if err != nil {
		return nil, nil, err
	}
	without := batches.NewOverlay(fsys, map[string][]byte{info.File: nil}, nil)
	docs, err := resolved(without)
	if err != nil {
		return nil, nil, err
	}
	pinned := info.Jobs()
	sel := Selection{Select: info.Select, Jobs: []string{}}
	matched := make([]bool, len(info.Select))
	for _, d := range docs {
		_, in := slices.BinarySearch(pinned, d.Path)
		wanted := d.Kind == "Batch" && (&Selection{Select: info.Select}).matches(d.Path, matched)
		if wanted && !in {
			// Whoever the change would not touch is not late.
			w, undecided, _ := change.wants(d)
			if len(w) == 0 || len(undecided) > 0 {
				continue
			}
			late = append(late, d.Path)
		}
		if in || wanted {
			sel.Jobs = append(sel.Jobs, d.Path)
		}
	}
	if r, err = Run(without, []Step{{Selection: sel, Change: change, Reason: info.Description}}); err != nil {
		return nil, nil, err
	}
	r.Files[info.File], r.Read[info.File] = nil, text
	folded := batches.Load(batches.NewOverlay(fsys, r.Files, nil))
	r.Comparison = batches.Compare(batches.Load(fsys), folded)
	for _, j := range r.Comparison.Jobs {
		if _, isLate := slices.BinarySearch(late, j.Job); !isLate {
			return nil, nil, fmt.Errorf("%s would differ in %s from what the rollout makes it; change %s by hand, or undo and start again", j.Job, j.Fields[0].Path, info.File)
		}
	}
	return r, late, nil
}

// changeOf reads the change of a rollout's file.
func changeOf(info *batches.RolloutInfo) (Change, error) {
	if !info.Change.Exists() {
		return nil, fmt.Errorf("%s: there is no change in it that could be folded into the tree; write one, as in a file of batchctl migrate apply", info.File)
	}
	changes, err := changesIn(info.Change)
	if err == nil && len(changes) != 1 {
		err = fmt.Errorf("it sets %d values, and a rollout has one change", len(changes))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: change: %w", info.Change.Place(), err)
	}
	return changes[0], nil
}
