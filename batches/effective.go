package batches

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Effective is a leaf on one cluster with all that it says in the end: layers
// merged, overrides made, references replaced. Unlike a Job it is there for
// documents with errors too.
type Effective struct {
	Path, Cluster, Phase, Type, Group, Name, Kind string
	File                                          string // the leaf's, below the tree
	Values                                        []EffectiveValue
}

// EffectiveValue is a single value or a list. The members of maps are values
// of their own; empty maps and what null has removed are left out.
type EffectiveValue struct {
	Path []string   // keys from the top: spec, java, heap
	Node *yaml.Node // without comments and style
}

// Effective returns all leaves on all their clusters, sorted by path. The
// problems are those that keep leaves from being in the list, or make it
// doubtful what they say.
func (t *Tree) Effective() ([]Effective, []Problem) {
	r := newResolver(t)
	found := make([][]Effective, len(t.leaves))
	faults := make([]problems, len(t.leaves))
	inParallel(len(t.leaves), func(i int) {
		ps := &faults[i]
		d := read(t.fsys, t.leaves[i], ps)
		t.checkLeaf(d, ps)
		if d.kind == nil || d.part == nil {
			return
		}
		for _, names := range r.placement(d, ps) {
			l := r.leaf(d, names)
			e := Effective{Path: names.path, Cluster: names.cluster, Phase: names.phase, Type: names.typ,
				Group: names.group, Name: names.app, Kind: names.kind, File: d.file.Path}
			for _, key := range []string{"metadata", "spec"} {
				if !flatten(l.doc.get(key), []string{key}, &e.Values) && Errors(*ps) == 0 {
					// The file itself is sound, so it is what it refers to.
					for _, p := range l.ps {
						if p.Rule == "undefined-variable" || p.Rule == "bad-reference" || p.Rule == "circular-reference" || p.Rule == "too-long" {
							ps.add(p)
						}
					}
				}
			}
			found[i] = append(found[i], e)
		}
	})
	var out []Effective
	ps := slices.Clone(t.problems)
	for i := range found {
		out = append(out, found[i]...)
		ps = append(ps, faults[i]...)
	}
	slices.SortFunc(out, func(a, b Effective) int { return strings.Compare(a.Path, b.Path) })
	ps = slices.DeleteFunc(ps, func(p Problem) bool { return p.Severity != Error })
	return out, mergeProblems(ps, nil)
}

// flatten lists the values below v. It reports false if one of them is
// broken.
func flatten(v *value, path []string, out *[]EffectiveValue) bool {
	if v == nil {
		return true
	}
	if v.kind != mapKind {
		n, whole := v.effective()
		*out = append(*out, EffectiveValue{slices.Clone(path), n})
		return whole
	}
	good := true
	for name, kid := range v.members() {
		good = flatten(kid, append(path, name), out) && good
	}
	return good
}

var nodeTags = [...]string{nullKind: "!!null", boolKind: "!!bool", intKind: "!!int", floatKind: "!!float", stringKind: "!!str"}

// effective is a value as YAML has it; false for a broken one.
func (v *value) effective() (*yaml.Node, bool) {
	whole := !v.broken
	switch v.kind {
	case listKind:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.kids {
			kid, good := v.kids[i].val.effective()
			n.Content = append(n.Content, kid)
			whole = whole && good
		}
		return n, whole
	case mapKind:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for name, kid := range v.members() {
			node, good := kid.effective()
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, node)
			whole = whole && good
		}
		return n, whole
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: nodeTags[v.kind], Value: v.text}, whole
}

// NotFlat returns the place of the first thing in a tree that a flat tree, as
// import writes it, does not have, with a sentence; "" for a flat one. In a
// flat tree layers set no values, and leaves hold no references.
func (t *Tree) NotFlat() string {
	for _, d := range t.layerDocuments() {
		for _, key := range []string{"vars", "spec", "kinds", "overrides", "metadata", "deploy"} {
			if v := d.root.get(key); v != nil {
				return fmt.Sprintf("%s: %s: the layer sets values already", v.place(), key)
			}
		}
	}
	why := make([]string, len(t.leaves))
	inParallel(len(t.leaves), func(i int) {
		var ps problems
		d := read(t.fsys, t.leaves[i], &ps)
		if v := d.root.get("vars"); v != nil {
			why[i] = fmt.Sprintf("%s: vars: the leaf has variables already", v.place())
		} else if v := referring(d.root); v != nil {
			why[i] = fmt.Sprintf("%s: the leaf refers to something by {{…}} already", v.place())
		} else if kind := d.root.get("kind").str(); kind != batchKind.name && kind != "" {
			why[i] = fmt.Sprintf("%s: it is of kind %s, and factor is for batches", d.root.get("kind").place(), kind)
		}
	})
	for _, w := range why {
		if w != "" {
			return w
		}
	}
	return ""
}

// referring returns the first string at or below v that holds a reference. An
// escaped pair of braces is none.
func referring(v *value) *value {
	if v == nil || !v.expands && v.kind < listKind {
		return nil
	}
	for _, p := range v.parts {
		if p.name != "" || p.port != nil {
			return v
		}
	}
	for i := range v.kids {
		if found := referring(v.kids[i].val); found != nil {
			return found
		}
	}
	return nil
}
