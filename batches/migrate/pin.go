package migrate

import (
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// pins keeps the values of jobs that an edit in place reaches and that are not
// to change: where at the most one in five is to stay, it may take fewer words
// to pin these than to override for all others.
type pins struct {
	wants []*want
	known map[string]bool // job and path
}

// except reports whether an edit that reaches a few more than those who want it
// is the shorter way, and if so pins the others.
func (p *plan) except(u *unit, into *pins) bool {
	if !p.pin || u.variable || u.old.Map() || !p.may(u.place.File) {
		return false
	}
	var docs, others []*batches.Document
	wanted := map[*batches.Document]bool{}
	for _, w := range u.wants {
		docs = append(docs, w.doc)
		wanted[w.doc] = true
	}
	leaves := map[string]bool{}
	for _, d := range p.inheritors(u.path, u.place) {
		if !wanted[d] && !u.has(d) {
			others = append(others, d)
			leaves[d.Leaf()] = true
		}
	}
	if len(others)*4 > len(docs) {
		return false
	}
	each := len(u.wants[0].items) // a list stands in each override as a whole
	over := split(docs, p.reach(u.place.File))
	if words(over)+each*len(over) <= (3+each)*len(leaves) {
		return false
	}
	for _, d := range others {
		into.add(u.pinOf(d))
	}
	u.others = len(others)
	return true
}

// has reports whether a job has what an edit puts beside a value, and so needs no
// pin.
func (u *unit) has(d *batches.Document) bool {
	return u.op.beside != "" && d.Value(u.besideKeys()...).Exists()
}

// besideKeys is the path of what is put beside a value.
func (u *unit) besideKeys() []string {
	keys := splitKnown(u.path)
	keys[len(keys)-1] = u.op.beside
	return keys
}

// inheritors lists the documents that have a value from a place at a path.
func (p *plan) inheritors(path string, place batches.Place) []*batches.Document {
	keys := splitKnown(path)
	var out []*batches.Document
	for _, d := range p.docs {
		v := d.Value(keys...)
		if v.Exists() && (!v.List() && v.Place() == place || slices.ContainsFunc(v.Items(), func(i batches.Value) bool { return i.Place() == place })) {
			out = append(out, d)
		}
	}
	return out
}

func (s *pins) add(w want) {
	key := w.doc.Path + "\x00" + w.path()
	if s.known == nil {
		s.known = map[string]bool{}
	}
	if !s.known[key] {
		s.known[key] = true
		s.wants = append(s.wants, &w)
	}
}

// pinOf is the wish that a job's value stays what it is.
func (u *unit) pinOf(d *batches.Document) want {
	if u.op.beside != "" {
		return want{doc: d, keys: u.besideKeys(), near: u.old, unset: true, pin: true}
	}
	keys := splitKnown(u.path)
	old := d.Value(keys...)
	w := want{doc: d, keys: keys, old: old, pin: true, text: old.Text(), value: likeOld(old, old.Raw())}
	for _, v := range old.Items() {
		w.items = append(w.items, item{old: v, put: []string{v.Raw()}, texts: []string{v.Text()}})
	}
	return w
}

// stays describes a pin.
func (w *want) stays() string {
	if w.unset {
		return strings.Join(w.keys, ".") + ": stays without"
	}
	return w.path() + ": stays " + shown(w.old.Raw())
}
