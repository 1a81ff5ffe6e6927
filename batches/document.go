package batches

import (
	"slices"
	"strings"
)

// Document is one job as its layers make it: what a bulk change looks at. It is
// merged and expanded, not checked.
type Document struct {
	Path                                   string // of the job: cluster/group/app
	Cluster, Phase, Type, Group, App, Kind string
	leaf                                   *leaf
	file                                   *File
}

// Value is a value of a document with its origin; the zero Value is one that
// is not there.
type Value struct{ v *value }

// Documents resolves all jobs of a tree, sorted by path, those that can be
// resolved; the others are in skipped.
func (t *Tree) Documents() (docs []*Document, skipped []Skipped) {
	r := newResolver(t)
	parts := make([][]*Document, len(t.leaves))
	missed := make([][]Skipped, len(t.leaves))
	inParallel(len(t.leaves), func(i int) {
		f := t.leaves[i]
		leaves, why := r.documents(f)
		if why != "" {
			missed[i] = []Skipped{{f.Path, why}}
			return
		}
		for _, l := range leaves {
			if why := brokenBy(l); why != "" {
				missed[i] = append(missed[i], Skipped{l.names.path, why})
				continue
			}
			n := &l.names
			parts[i] = append(parts[i], &Document{n.path, n.cluster, n.phase, n.typ, n.group, n.app, n.kind, l, f})
		}
	})
	docs, skipped = slices.Concat(parts...), slices.Concat(missed...)
	slices.SortFunc(docs, func(a, b *Document) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(skipped, func(a, b Skipped) int { return strings.Compare(a.Job, b.Job) })
	return docs, skipped
}

// Leaf is the path of the document's own file.
func (d *Document) Leaf() string { return d.file.Path }

// Value returns the value below these keys, or the zero Value where nothing
// sets it, or null.
func (d *Document) Value(keys ...string) Value {
	v := d.leaf.doc
	for _, k := range keys {
		v = v.get(k)
	}
	if v != nil && v.kind == nullKind {
		v = nil
	}
	return Value{v}
}

// Removed returns the null that removes the value below these keys, or a map that
// it would stand in; the zero Value where there is none.
func (d *Document) Removed(keys ...string) Value {
	v := d.leaf.doc
	for _, k := range keys {
		e := find(v.entries(), k)
		if e == nil {
			break
		}
		if v = e.val; v.kind == nullKind {
			return Value{v}
		}
	}
	return Value{}
}

// Coordinate returns one of cluster, phase, type, group, app and kind.
func (d *Document) Coordinate(key string) string {
	name, _ := d.leaf.names.builtin(key)
	return name
}

// References lists the places of the variables and fields that the job's values
// are made of, also those that a variable refers to.
func (d *Document) References() map[Place]bool {
	out := map[Place]bool{}
	d.leaf.doc.references(out)
	return out
}

func (v *value) references(out map[Place]bool) {
	if v.from != nil {
		for _, u := range v.from.uses {
			if u.val != nil {
				out[u.val.place()] = true
				u.val.references(out)
			}
		}
	}
	for i := range v.kids {
		v.kids[i].val.references(out)
	}
}

// Refers lists the paths of the variables and fields that a value is made of,
// also of those that a variable refers to: vars.SIZE, spec.java.version.
func (n Value) Refers() []string {
	var out []string
	if n.v != nil && n.v.from != nil {
		for _, u := range n.v.from.uses {
			out = append(append(out, ReferencePath(u.name)), Value{u.val}.Refers()...)
		}
	}
	return out
}

// ReferencePath is the path of what a name in a reference stands for: SIZE is
// vars.SIZE, java.version is spec.java.version.
func ReferencePath(name string) string { return strings.Join(fieldSteps(name), ".") }

// Exists reports whether there is a value.
func (n Value) Exists() bool { return n.v != nil }

// Place is where it was set.
func (n Value) Place() Place { return n.v.place() }

// Layer is the layer of its file.
func (n Value) Layer() Layer { return n.v.file.Layer }

// Override reports whether an entry of overrides set it.
func (n Value) Override() bool { return n.v.override }

// Over reports whether it took the place of a value of a lower layer.
func (n Value) Over() bool { return n.v.over != nil }

// Text is the value as it is for the job; a list or a map on one line.
func (n Value) Text() string {
	if n.v.scalar() {
		return n.v.text
	}
	if n.v == nil {
		return ""
	}
	return n.v.display()
}

// Raw is the same as it was written, with its references.
func (n Value) Raw() string {
	if n.v.scalar() && n.v.from == nil {
		return n.v.text
	}
	if n.v == nil {
		return ""
	}
	return n.v.raw()
}

// List reports whether it is a list; Map, whether it is a map.
func (n Value) List() bool { return n.v != nil && n.v.kind == listKind }

// Map reports whether it is a map.
func (n Value) Map() bool { return n.v != nil && n.v.kind == mapKind }

// Number reports whether it was written as a number or a boolean, without
// quotes.
func (n Value) Number() bool {
	return n.Numeric() && n.v.from == nil
}

// Numeric reports whether it is a number or a boolean for the job, also one that
// comes from a variable.
func (n Value) Numeric() bool {
	return n.v != nil && (n.v.kind == intKind || n.v.kind == floatKind || n.v.kind == boolKind)
}

// Items returns the items of a list.
func (n Value) Items() []Value {
	if !n.List() {
		return nil
	}
	out := make([]Value, len(n.v.kids))
	for i := range n.v.kids {
		out[i] = Value{n.v.kids[i].val}
	}
	return out
}

// Member returns the member of a map.
func (n Value) Member(key string) Value { return Value{n.v.get(key)} }

// Keys lists the members of a map in the order of the text.
func (n Value) Keys() []string {
	var out []string
	for k := range n.v.members() {
		out = append(out, k)
	}
	return out
}

// Variable returns the variable that a text is made of, and nothing else:
// "{{NAME}}". It returns the node of the variable's own value.
func (n Value) Variable() (name string, val Value, ok bool) {
	if n.v == nil || n.v.from == nil || len(n.v.from.template.parts) != 1 || len(n.v.from.uses) != 1 {
		return "", Value{}, false
	}
	u := n.v.from.uses[0]
	if u.val == nil || strings.Contains(u.name, ".") {
		return "", Value{}, false
	}
	return u.name, Value{u.val}, true
}

// FlowList writes texts as a list on one line, the way Value.Raw does, for people.
func FlowList(items []string) string {
	v := value{kind: listKind}
	for _, item := range items {
		v.kids = append(v.kids, entry{val: &value{kind: stringKind, text: item}})
	}
	return v.display()
}

// LayerFile returns the path of a layer's file, or "".
func (t *Tree) LayerFile(layer Layer, name string) string {
	byName := map[Layer]map[string]*document{Cluster: t.clusters, Phase: t.phases, AppType: t.types, AppGroup: t.groups}
	switch {
	case layer == Global && t.global != nil:
		return t.global.file.Path
	case byName[layer][name] != nil:
		return byName[layer][name].file.Path
	}
	return ""
}
