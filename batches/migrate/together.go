package migrate

import (
	"fmt"

	"github.com/batchctl/batchctl/batches"
)

// together overrides in one place what comes from several layers and becomes
// the same, where that takes fewer words than an override in each of them. It
// returns the groups that are left.
func (p *plan) together(groups []*group, into *entries) []*group {
	groups = p.growing(groups)
	if p.within != "" || p.leaves {
		return groups
	}
	var left []*group
	same := map[string][]*group{}
	var order []string
	for _, g := range groups {
		w := g.wants[0]
		if w.pin || !w.old.Exists() || g.file == w.doc.Leaf() || w.items != nil || w.old.Layer() == batches.Rollout || w.old.Override() {
			left = append(left, g)
			continue
		}
		key := fmt.Sprintf("%q %#v", w.keys, w.final())
		if same[key] == nil {
			order = append(order, key)
		}
		same[key] = append(same[key], g)
	}
	for _, key := range order {
		if !p.one(same[key], into) {
			left = append(left, same[key]...)
		}
	}
	return left
}

// growing puts those groups together whose lists get the same items at their
// end: it does not matter then what else is in the lists, and where they come
// from.
func (p *plan) growing(groups []*group) []*group {
	if !p.inPlace || p.within != "" && p.groupFile() == "" {
		return groups
	}
	var out []*group
	at := map[string]*group{}
	for _, g := range groups {
		w := g.wants[0]
		if w.pin || !w.grows() || w.old.Override() {
			out = append(out, g)
			continue
		}
		key := fmt.Sprintf("%q %q", w.keys, w.appended)
		if at[key] == nil {
			at[key] = &group{grows: true}
			out = append(out, at[key])
		}
		at[key].wants = append(at[key].wants, g.wants...)
	}
	return out
}

// withOverridden adds to some documents those of the chosen ones whose list an
// override sets: what is added below that does not reach them.
func (p *plan) withOverridden(w *want, docs []*batches.Document) []*batches.Document {
	for _, d := range p.chosen {
		if old := d.Value(w.keys...); old.Exists() && old.Override() {
			docs = append(docs, d)
		}
	}
	return docs
}

// one overrides all that some groups want by one entry, if that is shorter.
func (p *plan) one(groups []*group, into *entries) bool {
	if len(groups) == 1 {
		return false
	}
	var docs []*batches.Document
	cost := 0
	for _, g := range groups {
		docs = append(docs, g.docs()...)
		cost += words(split(g.docs(), p.reach(g.file)))
	}
	w := groups[0].wants[0]
	file := p.narrowest(docs)
	if file == "" {
		return false
	}
	// Whoever is chosen and has the value already may be reached as well.
	reach := p.reach(file)
	parts := split(p.withSame(w, docs), reach)
	if len(parts) > 1 || words(parts) >= cost {
		return false
	}
	into.add(file, parts[0].when, w)
	what := w.path() + " removed"
	if !w.unset {
		what = w.path() + ": " + shown(w.written())
	}
	p.choices = append(p.choices, Choice{batches.Place{File: file, Line: 1, Col: 1}, what,
		fmt.Sprintf("override when %s: the values of %s come from %d layers", yamlText(parts[0].when), jobs(len(docs)), len(groups)), len(docs), false})
	return true
}

// withSame adds to some documents those of the chosen ones whose value is the
// same already.
func (p *plan) withSame(w *want, docs []*batches.Document) []*batches.Document {
	in := map[string]bool{}
	for _, d := range docs {
		in[d.Path] = true
	}
	for _, d := range p.chosen {
		old := d.Value(w.keys...)
		if !in[d.Path] && (w.unset && !old.Exists() || !w.unset && old.Exists() && old.Text() == w.text) {
			docs = append(docs, d)
		}
	}
	return docs
}

// words is how much a reader has to take in of some overrides.
func words(parts []part) int {
	n := 0
	for _, p := range parts {
		n += 2
		for _, c := range p.when {
			n += len(c.names)
		}
	}
	return n
}
