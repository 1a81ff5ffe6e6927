package migrate

import (
	"fmt"
	"slices"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

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
	w, docs := g.wants[0], g.docs()
	from := w.source()
	if from.Exists() && from.Layer() == batches.Rollout {
		return fromRollout(from.Place())
	}
	of := p.ofInheritors(g)
	// What an override sets only another one can change; and what a layer adds
	// to a list is lost where a higher one replaces it.
	overridden := from.Exists() && from.Override()
	own := !overridden && !g.grows && !p.leaves
	leaf := docs[0].Leaf()
	inLeaf := p.may(leaf) && !slices.ContainsFunc(docs, func(d *batches.Document) bool { return d.Leaf() != leaf })
	if inLeaf && len(p.reach(leaf)) == len(docs) && (own || g.grows && !overridden && from.Place().File != leaf) {
		return p.own(leaf, w, "in the batch itself: "+of, len(docs))
	}
	file, where := g.file, "in the layer that reaches just these: "
	switch {
	case inLeaf:
		file = leaf
	case p.within != "":
		if file, where = p.groupFile(), "in the app group: "; file == "" {
			return fmt.Errorf("the file of %s belongs to another app group too, and %s has no app-groups/%s.yaml; write one first", docs[0].Path, p.within, p.within)
		}
	case file == "":
		if file = p.narrowest(docs); file == "" {
			return fmt.Errorf("no layer reaches all %d jobs that need %s; write a global.yaml first", len(docs), w.path())
		}
	}
	if file != g.file && own && p.inPlace && len(p.reach(file)) == len(docs) {
		return p.own(file, w, where+of, len(docs))
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

// setOwn sets a value, or adds to a list where it only grows. What the file
// appended to the inherited one is part of the new one.
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
