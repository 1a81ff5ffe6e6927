package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// override makes what cannot be edited in place: a value of a leaf's own, or an
// entry of overrides in the file that the value comes from.
func (p *plan) override(wants []*want) error {
	entries := entries{at: map[string]*entry{}, append: p.inPlace}
	groups := groupWants(wants, p.leaves || p.within != "" && p.groupFile() == "")
	for _, g := range p.together(groups, &entries) {
		if err := p.group(g, &entries); err != nil {
			return err
		}
	}
	for _, e := range entries.all {
		f, err := p.open(e.file)
		if err != nil {
			return err
		}
		description := p.description
		if e.pin {
			description = "left out of: " + description
		}
		m := yamledit.Map{{Key: "description", Value: description}, {Key: "when", Value: yamledit.Flow{Value: e.when.yaml()}}, {Key: "set", Value: e.set}}
		path := yamledit.Keys("overrides")
		if _, list, n := f.Has(path); list {
			err = f.Insert(path, n, m)
		} else {
			err = f.Set(path, yamledit.List{m})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.file, err)
		}
	}
	return nil
}

// group is wants of one value that has one origin and becomes the same.
type group struct {
	wants []*want
	file  string // of the origin; "" where there is none
	grows bool   // lists from anywhere, which get something at their end
}

// groupWants puts together what one edit can bring about; byLeaf keeps the
// leaves apart.
func groupWants(wants []*want, byLeaf bool) []*group {
	at := map[string]*group{}
	var out []*group
	for _, w := range wants {
		file := ""
		if from := w.source(); from.Exists() {
			file = from.Place().File
		}
		key := fmt.Sprintf("%q %q %#v %t", w.keys, file, w.final(), w.pin)
		if byLeaf {
			key += "\x00" + w.doc.Leaf()
		}
		g := at[key]
		if g == nil {
			g = &group{file: file}
			at[key] = g
			out = append(out, g)
		}
		g.wants = append(g.wants, w)
	}
	return out
}

// source is the old value, or the one beside the new one, or the null that keeps
// it away; the zero Value where there is none of these.
func (w *want) source() batches.Value {
	switch {
	case w.old.Exists():
		return w.old
	case w.near.Exists():
		return w.near
	}
	return w.doc.Removed(w.keys...)
}

func (g *group) docs() []*batches.Document {
	out := make([]*batches.Document, len(g.wants))
	for i, w := range g.wants {
		out[i] = w.doc
	}
	return out
}

// group decides where one value of some jobs is overridden.
func (p *plan) group(g *group, into *entries) error {
	w := g.wants[0]
	if w.old.Exists() && w.old.Layer() == batches.Rollout {
		return fromRollout(w.old.Place())
	}
	docs := g.docs()
	leaf := docs[0].Leaf()
	oneLeaf := p.may(leaf) && !slices.ContainsFunc(docs, func(d *batches.Document) bool { return d.Leaf() != leaf })
	of := p.ofInheritors(g)
	// What an override sets only another one can change; and what a layer adds
	// to a list is lost where a higher one replaces it.
	from := w.source()
	plain := !(from.Exists() && from.Override()) && !g.grows && !p.leaves
	if g.grows && !p.leaves && oneLeaf && len(p.reach(leaf)) == len(docs) && w.old.Place().File != leaf && !w.old.Override() {
		return p.own(leaf, w, "in the batch itself: "+of, len(docs))
	}
	if oneLeaf && len(p.reach(leaf)) == len(docs) && plain {
		return p.own(leaf, w, "in the batch itself: "+of, len(docs))
	}
	file := g.file
	if p.within != "" {
		if file = p.groupFile(); len(p.reach(file)) == len(docs) && plain && p.inPlace {
			return p.own(file, w, "in the app group: "+of, len(docs))
		}
	}
	if oneLeaf {
		file = leaf
	}
	if file == "" && p.within != "" {
		return fmt.Errorf("the file of %s belongs to another app group too, and %s has no app-groups/%s.yaml; write one first", docs[0].Path, p.within, p.within)
	}
	if file == "" {
		if file = p.narrowest(docs); file != "" && len(p.reach(file)) == len(docs) && plain && p.inPlace {
			return p.own(file, w, "in the layer that reaches just these: "+of, len(docs))
		}
	}
	if file == "" {
		return fmt.Errorf("no layer reaches all %d jobs that need %s; write a global.yaml first", len(docs), w.path())
	}
	if g.grows {
		docs = p.withOverridden(w, docs)
	}
	for _, part := range split(docs, p.reach(file)) {
		into.add(file, part.when, w)
		p.choices = append(p.choices, Choice{batches.Place{File: file, Line: 1, Col: 1}, w.becomes(),
			fmt.Sprintf("override when %s: %s", yamlText(part.when), of), len(part.docs), false})
	}
	return nil
}

// own gives a leaf or an app group a value of its own.
func (p *plan) own(file string, w *want, why string, n int) error {
	f, err := p.open(file)
	if err != nil {
		return err
	}
	if err := setOwn(f, w, p.inPlace); err != nil {
		return fmt.Errorf("%s: %w; change it by hand", file, err)
	}
	p.choices = append(p.choices, Choice{batches.Place{File: file, Line: 1, Col: 1}, w.becomes(), why, n, false})
	return nil
}

// ofInheritors says why an edit in place was not possible.
func (p *plan) ofInheritors(g *group) string {
	w := g.wants[0]
	switch {
	case g.grows:
		return "it adds to the lists of " + jobs(len(g.wants))
	case w.pin:
		return "left out, and nearly all others change"
	}
	if !w.old.Exists() {
		return "nothing sets it for " + jobs(len(g.wants))
	}
	all := 0
	for _, d := range p.docs {
		if v := d.Value(w.keys...); v.Exists() && v.Place() == w.old.Place() {
			all++
		}
	}
	if all == len(g.wants) {
		return fmt.Sprintf("what %s holds reaches other values or jobs", w.old.Place())
	}
	return fmt.Sprintf("%d of the %d jobs that inherit %s are to change", len(g.wants), all, w.old.Place())
}

func jobs(n int) string {
	if n == 1 {
		return "1 job"
	}
	return fmt.Sprintf("%d jobs", n)
}

// becomes says what a value becomes.
func (w *want) becomes() string {
	text := shown(w.written())
	switch {
	case w.pin:
		return w.stays()
	case len(w.appended) > 0:
		return w.path() + ": +" + strings.Join(w.appended, "  +")
	case w.unset:
		return w.path() + " removed"
	case !w.old.Exists():
		return fmt.Sprintf("%s: %s", w.path(), text)
	}
	return fmt.Sprintf("%s: %s → %s", w.path(), shown(w.old.Raw()), text)
}

// final is the whole new value.
func (w *want) final() yamledit.Value {
	switch {
	case w.unset:
		return nil
	case w.items == nil:
		return w.value
	}
	list := yamledit.List{}
	for _, it := range w.items {
		for _, put := range it.put {
			if it.old.Exists() && put == it.old.Raw() {
				list = append(list, likeOld(it.old, put))
				continue
			}
			list = append(list, put)
		}
	}
	return list
}

// setOwn sets a value, or adds to a list where it only grows. What the file appended to the inherited one is part of
// the new one.
func setOwn(f *yamledit.File, w *want, grows bool) error {
	path := yamledit.Keys(w.keys...)
	plus := yamledit.Keys(w.keys...)
	plus[len(plus)-1].Key += "+"
	if grows && w.grows() {
		return f.Set(plus, list(w.appended))
	}
	if ok, _, _ := f.Has(plus); ok {
		if err := f.Remove(plus); err != nil {
			return err
		}
	}
	return f.Set(path, w.final())
}

// reach lists the documents that inherit a file.
func (p *plan) reach(file string) []*batches.Document {
	var out []*batches.Document
	for _, d := range p.docs {
		if slices.Contains(p.layersOf(d), file) {
			out = append(out, d)
		}
	}
	return out
}

// layersOf lists the files that a document inherits, the narrowest first.
func (p *plan) layersOf(d *batches.Document) []string {
	t := p.tree
	return []string{d.Leaf(), t.LayerFile(batches.AppGroup, d.Group), t.LayerFile(batches.AppType, d.Type),
		t.LayerFile(batches.Phase, d.Phase), t.LayerFile(batches.Cluster, d.Cluster), t.LayerFile(batches.Global, "")}
}

// narrowest is the layer that reaches all of some documents and the fewest
// others, or "".
func (p *plan) narrowest(docs []*batches.Document) string {
	best, fewest := "", 0
	for i, file := range p.layersOf(docs[0]) {
		if file == "" || slices.ContainsFunc(docs, func(d *batches.Document) bool { return p.layersOf(d)[i] != file }) {
			continue
		}
		if n := len(p.reach(file)); best == "" || n < fewest {
			best, fewest = file, n
		}
	}
	return best
}

// entries are the overrides to be written. Values for the same jobs in the same
// file come into one entry.
type entries struct {
	all    []*entry
	at     map[string]*entry
	append bool // where a list only grows, an entry adds to it and does not replace it
}

type entry struct {
	file string
	pin  bool
	when when
	set  yamledit.Map
}

func (s *entries) add(file string, w when, want *want) {
	key := fmt.Sprintf("%s\x00%t\x00%s", file, want.pin, yamlText(w))
	e := s.at[key]
	if e == nil {
		e = &entry{file: file, pin: want.pin, when: w}
		s.at[key] = e
		s.all = append(s.all, e)
	}
	keys, value := want.keys, want.final()
	if s.append && want.grows() {
		keys, value = want.growth()
	}
	e.set = merged(e.set, keys, value)
}

// grows reports whether a list only gets something at its end.
func (w *want) grows() bool { return len(w.appended) > 0 && w.old.Exists() }

// growth is what a map says to add that.
func (w *want) growth() (keys []string, value yamledit.Value) {
	keys = slices.Clone(w.keys)
	keys[len(keys)-1] += "+"
	return keys, list(w.appended)
}

// merged puts a value into a nested map.
func merged(m yamledit.Map, keys []string, v yamledit.Value) yamledit.Map {
	i := slices.IndexFunc(m, func(p yamledit.Pair) bool { return p.Key == keys[0] })
	if i < 0 {
		i = len(m)
		m = append(m, yamledit.Pair{Key: keys[0]})
	}
	if len(keys) == 1 {
		m[i].Value = v
		return m
	}
	inner, _ := m[i].Value.(yamledit.Map)
	m[i].Value = merged(inner, keys[1:], v)
	return m
}

func yamlText(w when) string {
	var parts []string
	for _, c := range w {
		if len(c.names) == 1 {
			parts = append(parts, c.key+": "+c.names[0])
			continue
		}
		parts = append(parts, c.key+": ["+strings.Join(c.names, ", ")+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
