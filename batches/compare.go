package batches

import (
	"cmp"
	"slices"
	"strings"
)

// Comparison is the effective difference between two trees: what changes for
// the jobs, whatever was edited to bring it about.
type Comparison struct {
	Jobs      []JobChange // that are in both trees and differ, sorted by path
	New       []string    // paths of jobs that only the new tree has, sorted
	Gone      []string    // those that only the old one has
	Unchanged int         // jobs that are in both and do not differ
	Skipped   []Skipped   // what could not be compared, sorted by path
	Faults    []Problem   // errors of the new tree's layers; what these files say may be missing
	OldFaults []Problem   // the same of the old tree
}

// Differs reports whether anything changes for any job.
func (c *Comparison) Differs() bool { return len(c.Jobs)+len(c.New)+len(c.Gone) > 0 }

// JobChange is what changes for one job.
type JobChange struct {
	Job    string // its path
	Fields []FieldChange
}

// Skipped is a job that could not be compared.
type Skipped struct {
	Job string // its path, or that of its file where it has none
	Why string
}

// FieldChange is one value of a job that changes. Lists change as a whole: Gone
// and Came are their items.
type FieldChange struct {
	Path       string
	At         Place // where the change was made, as far as one place can be named
	Old, New   *Side // nil: not set
	Gone, Came []Side
	Uses       []UseChange // variables that changed, where the text that uses them did not
}

// Side is a value on one side of a change.
type Side struct {
	Place
	Text string // the value on one line
	Raw  string // the same before its references were replaced
}

// UseChange is a variable or a field that a text refers to, and that changed.
type UseChange struct {
	Name     string
	Old, New string
	Place    Place // where the new value is set
}

// Compare resolves both trees and compares them job by job, keeping only what
// differs. It checks nothing that merging does not need: a value that Validate
// would refuse is compared like any other. The trees can be resolved after.
func Compare(old, new *Tree) *Comparison {
	c := comparer{old: newResolver(old), new: newResolver(new)}
	pairs := c.pairs()
	parts := make([]Comparison, len(pairs))
	inParallel(len(pairs), func(i int) { c.leaf(pairs[i], &parts[i]) })
	out := Comparison{Faults: new.Faults(), OldFaults: old.Faults()}
	for _, p := range parts {
		out.Jobs = append(out.Jobs, p.Jobs...)
		out.New = append(out.New, p.New...)
		out.Gone = append(out.Gone, p.Gone...)
		out.Skipped = append(out.Skipped, p.Skipped...)
		out.Unchanged += p.Unchanged
	}
	slices.SortFunc(out.Jobs, func(a, b JobChange) int { return strings.Compare(a.Job, b.Job) })
	slices.SortFunc(out.Skipped, func(a, b Skipped) int { return strings.Compare(a.Job, b.Job) })
	slices.Sort(out.New)
	slices.Sort(out.Gone)
	return &out
}

type comparer struct{ old, new *resolver }

// pair is a leaf's file in the two trees; one may be nil.
type pair struct{ old, new *File }

func (c *comparer) pairs() []pair {
	at := map[string]int{}
	var out []pair
	add := func(f *File, set func(*pair)) {
		key := f.Group + "/" + f.Name
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, pair{})
		}
		set(&out[i])
	}
	for _, f := range c.old.tree.leaves {
		add(f, func(p *pair) { p.old = f })
	}
	for _, f := range c.new.tree.leaves {
		add(f, func(p *pair) { p.new = f })
	}
	return out
}

// leaf compares the jobs of one leaf.
func (c *comparer) leaf(p pair, out *Comparison) {
	old, whyOld := c.old.documents(p.old)
	fresh, whyNew := c.new.documents(p.new)
	if whyOld != "" || whyNew != "" {
		f := cmp.Or(p.new, p.old)
		why := whyNew
		if why == "" {
			why = "in the old tree: " + whyOld
		}
		out.Skipped = append(out.Skipped, Skipped{f.Path, why})
		return
	}
	for _, l := range fresh {
		i := slices.IndexFunc(old, func(o *leaf) bool { return o.names.path == l.names.path })
		if i < 0 {
			out.New = append(out.New, l.names.path)
			continue
		}
		c.job(old[i], l, out)
		old = slices.Delete(old, i, i+1)
	}
	for _, l := range old {
		out.Gone = append(out.Gone, l.names.path)
	}
}

// job compares one job.
func (c *comparer) job(old, fresh *leaf, out *Comparison) {
	if why := brokenBy(fresh); why != "" {
		out.Skipped = append(out.Skipped, Skipped{fresh.names.path, why})
		return
	}
	if why := brokenBy(old); why != "" {
		out.Skipped = append(out.Skipped, Skipped{fresh.names.path, "in the old tree: " + why})
		return
	}
	d := differ{kind: c.new.tree.kindNamed(fresh.names.kind)}
	for _, key := range []string{"metadata", "spec"} {
		d.value(old.doc.get(key), fresh.doc.get(key), newPath(key))
	}
	d.frame("kind", old.names.kind, fresh.names.kind)
	d.frame("type", old.names.typ, fresh.names.typ)
	d.frame("phase", old.names.phase, fresh.names.phase)
	before, now := c.old.jenkins(old.names.cluster), c.new.jenkins(fresh.names.cluster)
	d.frame("jenkins.controller", before.Controller, now.Controller)
	d.frame("jenkins.root", before.Root, now.Root)
	if len(d.fields) == 0 {
		out.Unchanged++
		return
	}
	out.Jobs = append(out.Jobs, JobChange{fresh.names.path, d.fields})
}

// brokenBy returns the first error of merging and expanding a job, or "".
func brokenBy(l *leaf) string {
	for _, p := range l.ps {
		if p.Severity == Error {
			return p.String()
		}
	}
	return ""
}

// documents merges and expands the jobs of a leaf, and goes no further. With a
// file that cannot be read it says why.
func (r *resolver) documents(f *File) (leaves []*leaf, why string) {
	if f == nil {
		return nil, ""
	}
	var ps problems
	d := read(r.tree.fsys, f, &ps)
	if d.root == nil {
		return nil, ps[0].String()
	}
	r.tree.checkLeaf(d, &ps)
	if d.kind == nil || d.part == nil {
		return nil, ps[0].String()
	}
	var placing problems
	for _, names := range r.placement(d, &placing) {
		leaves = append(leaves, r.document(d, names))
	}
	if len(leaves) == 0 && len(placing) > 0 {
		return nil, placing[0].String()
	}
	return leaves, ""
}

// document merges and expands one job, without the checks of its kind.
func (r *resolver) document(d *document, names coordinates) *leaf {
	l := &leaf{names: names}
	p := newPath()
	l.merge(r.base(names), d, r.tree.rollouts, p)
	s := scope{names: names, doc: l.merged, ps: &l.ps}
	l.doc = s.document(l.merged, p)
	return l
}
