package batches

import (
	"slices"
	"strconv"
	"strings"
)

// Origin tells where one value of a job comes from.
type Origin struct {
	Path     string    `json:"path"`
	Value    any       `json:"value"`              // as data: a string, a number, a list, …
	Text     string    `json:"-"`                  // the value on one line
	Removed  bool      `json:"removed,omitempty"`  // a layer took the inherited value away
	Default  bool      `json:"default,omitempty"`  // no layer sets it; this is what it is then
	Set      *Setting  `json:"set,omitempty"`      // what set it; nil for a default
	Template string    `json:"template,omitempty"` // the string as written, where it holds references
	Uses     []Use     `json:"uses,omitempty"`     // what went into Template
	Over     []Setting `json:"over,omitempty"`     // what it took the place of, the nearest first
}

// Setting is a value as one layer sets it.
type Setting struct {
	Place
	Layer    string `json:"layer"`
	Override bool   `json:"override,omitempty"` // by an entry of that layer's overrides
	Appended bool   `json:"appended,omitempty"` // added to a list by key+
	Step     string `json:"step,omitempty"`     // of a rollout: how far it has come
	Value    any    `json:"value"`              // as written, as data
	Text     string `json:"-"`                  // the same on one line
}

// Use is a reference that went into a string.
type Use struct {
	Name     string   `json:"name"`
	Value    string   `json:"value"`
	Source   string   `json:"source"`             // variable, field, built-in, port or default
	Set      *Setting `json:"set,omitempty"`      // for a variable or a field
	Template string   `json:"template,omitempty"` // where it holds references itself
	Uses     []Use    `json:"uses,omitempty"`
}

// UnknownError says that a tree has no job, or a job no field, of a name.
type UnknownError struct{ message string }

func (e *UnknownError) Error() string { return e.message }

// Explain tells where the values of a job come from: all of them, or those at
// and below a field such as spec.java or spec.java.options[2]. It reads the
// layers and the one leaf, and answers for jobs with errors too, since that is
// when one asks.
func (t *Tree) Explain(job, field string) ([]Origin, error) {
	r := newResolver(t)
	l, kind := r.one(job)
	if l == nil {
		return nil, t.unknownJob(job)
	}
	l.doc = l.withVariables()
	e := explainer{}
	root := object("", is("metadata", object("")), is("spec", kind.spec), is("vars", anyMap("")))
	for _, section := range []string{"metadata", "spec", "vars"} {
		if v := l.doc.get(section); v != nil {
			e.walk(v, root.field(section).schema, newPath(section))
		}
	}
	if field == "" {
		return e.origins, nil
	}
	return e.below(field)
}

// withVariables is the job's document with its variables expanded as well.
func (l *leaf) withVariables() *value {
	var dropped problems // they have been reported, or do not count
	s := scope{names: l.names, doc: l.merged, ps: &dropped}
	out := *l.doc
	out.kids = slices.Clone(l.doc.kids)
	for i := range out.kids {
		if e := &out.kids[i]; e.key == "vars" {
			e.val = s.expand(e.val, newPath("vars"))
		}
	}
	return &out
}

// one resolves the job of that path, or returns nil.
func (r *resolver) one(job string) (*leaf, *leafKind) {
	var ps problems
	for _, f := range r.tree.leaves {
		if !strings.HasSuffix(job, "/"+f.Group+"/"+f.Name) {
			continue
		}
		d := read(r.tree.fsys, f, &ps)
		r.tree.checkLeaf(d, &ps)
		if d.kind == nil || d.part == nil {
			return nil, nil
		}
		for _, names := range r.placement(d, &ps) {
			if names.path == job {
				return r.leaf(d, names), d.kind
			}
		}
	}
	return nil, nil
}

// unknownJob says that there is no such job, and what was probably meant: a
// batch of that name, the clusters that it does go to, or a near path.
func (t *Tree) unknownJob(job string) error {
	r := newResolver(t)
	message := "there is no job " + job
	app := job[strings.LastIndexByte(job, '/')+1:]
	group := strings.TrimSuffix(strings.TrimSuffix(job, app), "/")
	group = group[strings.LastIndexByte(group, '/')+1:]
	var paths []string
	for _, f := range t.leaves {
		if f.Name == app && (group == "" || f.Group == group) {
			paths = append(paths, r.placesOf(f)...)
		}
	}
	near := ""
	if len(paths) == 0 {
		near = nearest(job, func(yield func(string) bool) {
			for cluster := range t.clusters {
				for name := range t.leafNames(true) {
					if !yield(cluster + "/" + name) {
						return
					}
				}
			}
		})
	}
	switch {
	case len(paths) > 0:
		message += "; there are " + listed(paths)
	case near != "":
		message += "; did you mean " + near + "?"
	}
	return &UnknownError{message: message + " (batchctl list shows all)"}
}

// placesOf lists the paths of the jobs that a leaf makes.
func (r *resolver) placesOf(f *File) []string {
	var ps problems
	d := read(r.tree.fsys, f, &ps)
	r.tree.checkLeaf(d, &ps)
	if d.kind == nil || d.part == nil {
		return nil
	}
	var paths []string
	for _, names := range r.placement(d, &ps) {
		paths = append(paths, names.path)
	}
	return paths
}

// explainer collects origins in the order of the document.
type explainer struct{ origins []Origin }

func (e *explainer) walk(v *value, s *schema, p *fieldPath) {
	switch v.kind {
	case mapKind:
		e.members(v, s, p)
	case listKind:
		if v.over != nil || len(v.kids) == 0 {
			e.add(v, p)
		}
		var items *schema
		if s != nil {
			items = s.items
		}
		for i := range v.kids {
			e.walk(v.kids[i].val, items, p.item(i))
		}
	default:
		e.add(v, p)
	}
}

// members walks a map: the known fields in the order of the schema, with the
// defaults of those that nothing sets, and then all others.
func (e *explainer) members(v *value, s *schema, p *fieldPath) {
	if s != nil {
		for i := range s.fields {
			f := &s.fields[i]
			at := p.member(f.name)
			kid := find(v.kids, f.name)
			if kid != nil {
				e.walk(kid.val, f.schema, at)
			}
			if kid == nil || kid.val.kind == nullKind {
				e.defaults(f, at)
			}
		}
	}
	for i := range v.kids {
		if kid := &v.kids[i]; s == nil || s.field(kid.key) == nil {
			e.walk(kid.val, s.member(kid.key), p.member(kid.key))
		}
	}
}

// defaults adds what holds for a field that nothing sets.
func (e *explainer) defaults(f *field, p *fieldPath) {
	switch {
	case f.def != "":
		e.origins = append(e.origins, Origin{Path: p.String(), Value: f.def, Text: f.def, Default: true})
	case f.schema.kinds == kinds(mapKind) && f.schema.fields != nil:
		for i := range f.schema.fields {
			inner := &f.schema.fields[i]
			e.defaults(inner, p.member(inner.name))
		}
	}
}

// member returns the schema of a map's member, as far as one is known.
func (s *schema) member(key string) *schema {
	if s == nil {
		return nil
	}
	if f := s.field(key); f != nil {
		return f.schema
	}
	return s.values
}

func (e *explainer) add(v *value, p *fieldPath) {
	o := Origin{Path: p.String(), Value: v.plain(), Text: v.display(), Removed: v.kind == nullKind, Set: v.setting()}
	if v.from != nil {
		o.Template, o.Uses = v.from.template.text, uses(v.from)
	}
	for low := v.over; low != nil; low = low.over {
		o.Over = append(o.Over, *low.setting())
	}
	e.origins = append(e.origins, o)
}

// below keeps the origins at and below a field. The field may leave out spec.
func (e *explainer) below(field string) ([]Origin, error) {
	for _, prefix := range []string{field, "spec." + field} {
		var out []Origin
		for _, o := range e.origins {
			rest, ok := strings.CutPrefix(o.Path, prefix)
			if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				out = append(out, o)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	message := "nothing sets " + field
	near := nearest(field, func(yield func(string) bool) {
		for _, o := range e.origins {
			field, _, _ := strings.Cut(o.Path, "[")
			if !yield(field) {
				return
			}
		}
	})
	if near != "" {
		message += "; did you mean " + near + "?"
	}
	return nil, &UnknownError{message: message}
}

func uses(from *expanded) []Use {
	var out []Use
	for _, u := range from.uses {
		use := Use{Name: u.name, Value: u.text, Source: u.how}
		if u.val != nil {
			use.Source = "variable"
			if strings.Contains(u.name, ".") {
				use.Source = "field"
			}
			use.Set = u.val.setting()
			if u.val.from != nil {
				use.Template, use.Uses = u.val.from.template.text, uses(u.val.from)
			}
		}
		out = append(out, use)
	}
	return out
}

// setting describes who set a value.
func (v *value) setting() *Setting {
	s := &Setting{Place: v.place(), Layer: v.file.Layer.String(), Override: v.override, Appended: v.appended, Step: v.file.Note, Value: v.plain(), Text: v.display()}
	if v.from != nil {
		s.Value, s.Text = v.from.template.text, v.from.template.text
	}
	return s
}

// display writes a value on one line: single values as they are, others in
// the flow style of YAML.
func (v *value) display() string {
	switch v.kind {
	case nullKind:
		return "null"
	case listKind:
		items := make([]string, len(v.kids))
		for i := range v.kids {
			items[i] = v.kids[i].val.display()
		}
		return "[" + strings.Join(items, ", ") + "]"
	case mapKind:
		members := make([]string, len(v.kids))
		for i, e := range v.kids {
			members[i] = e.key + ": " + e.val.display()
		}
		return "{" + strings.Join(members, ", ") + "}"
	case stringKind:
		if v.text == "" || v.text[0] == '"' || strings.ContainsFunc(v.text, func(r rune) bool { return r < ' ' }) {
			return strconv.Quote(v.text)
		}
	}
	return v.text
}
