package batches

import (
	"cmp"
	"slices"
	"strings"
)

// ChangeGroup is one change that several jobs have in common.
type ChangeGroup struct {
	Path       string
	Old, New   string   // "" with Added or Removed
	Added      bool     // nothing set the value before
	Removed    bool     // nothing sets it now
	Gone, Came []string // of a list: its items
	Uses       []UseChange
	Places     []Place  // where the change was made, the one of most jobs first
	Jobs       []string // paths, sorted
}

// Grouped puts the changes of all jobs together, each said once, those of most
// jobs first. A text that differs from job to job only by what its references
// stand for counts as one, and is shown with its references.
func (c *Comparison) Grouped() []ChangeGroup {
	g := grouper{at: map[string]int{}}
	for _, j := range c.Jobs {
		for i := range j.Fields {
			g.add(j.Job, &j.Fields[i])
		}
	}
	out := make([]ChangeGroup, len(g.groups))
	for i, group := range g.groups {
		out[i] = group.sum()
	}
	slices.SortStableFunc(out, func(a, b ChangeGroup) int {
		return cmp.Or(len(b.Jobs)-len(a.Jobs), strings.Compare(a.Path, b.Path), strings.Compare(a.New, b.New))
	})
	return out
}

type grouper struct {
	at     map[string]int
	groups []*gathered
}

// gathered is a group while it is put together.
type gathered struct {
	first  *FieldChange
	raw    bool // the texts differ from job to job
	places map[Place]int
	jobs   []string
}

func (g *grouper) add(job string, f *FieldChange) {
	key := f.key()
	i, ok := g.at[key]
	if !ok {
		i = len(g.groups)
		g.at[key] = i
		g.groups = append(g.groups, &gathered{first: f, places: map[Place]int{}})
	}
	in := g.groups[i]
	in.jobs = append(in.jobs, job)
	in.places[f.At]++
	in.raw = in.raw || f.texts(false) != in.first.texts(false)
}

// key tells changes apart, by their texts before references are replaced.
func (f *FieldChange) key() string {
	key := f.Path + "\x00" + f.texts(true)
	for _, u := range f.Uses {
		key += "\x00" + u.Name + "\x00" + u.Old + "\x00" + u.New
	}
	return key
}

// texts puts all texts of a change into one, with their references or without.
func (f *FieldChange) texts(raw bool) string {
	var b strings.Builder
	write := func(mark string, s *Side) {
		b.WriteString(mark)
		if s != nil {
			b.WriteString(s.shown(raw))
		}
	}
	if len(f.Gone)+len(f.Came) == 0 {
		write("\x01", f.Old)
		write("\x02", f.New)
	}
	for i := range f.Gone {
		write("\x03", &f.Gone[i])
	}
	for i := range f.Came {
		write("\x04", &f.Came[i])
	}
	return b.String()
}

func (s *Side) shown(raw bool) string {
	if raw {
		return s.Raw
	}
	return s.Text
}

func (in *gathered) sum() ChangeGroup {
	f := in.first
	out := ChangeGroup{Path: f.Path, Added: f.Old == nil, Removed: f.New == nil, Jobs: in.jobs, Uses: f.Uses}
	if !in.raw {
		out.Uses = nil
	}
	whole := in.raw || len(f.Gone)+len(f.Came) > 0 // of a list its items count
	if f.Old != nil {
		out.Old = f.Old.shown(whole)
	}
	if f.New != nil {
		out.New = f.New.shown(whole)
	}
	for i := range f.Gone {
		out.Gone = append(out.Gone, f.Gone[i].shown(in.raw))
	}
	for i := range f.Came {
		out.Came = append(out.Came, f.Came[i].shown(in.raw))
	}
	for p := range in.places {
		if p.File != "" {
			out.Places = append(out.Places, p)
		}
	}
	slices.SortFunc(out.Places, func(a, b Place) int { return cmp.Or(in.places[b]-in.places[a], a.compare(b)) })
	return out
}
