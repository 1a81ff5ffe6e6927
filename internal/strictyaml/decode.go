package strictyaml

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder reads one document.
type decoder struct {
	doc      *Document
	problems Problems
	values   int // visited so far; anchors can make many of few
}

func (d *decoder) place(n *yaml.Node) Place { return Place{d.doc.file, n.Line, n.Column} }

func (d *decoder) problem(at Place, path, message, hint string) {
	d.problems = append(d.problems, Problem{at, path, message, hint})
}

// value reads n into v, which has the shape.
func (d *decoder) value(s *shape, n *yaml.Node, path string, v reflect.Value) {
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.problem(d.place(n), path, fmt.Sprintf("with its anchors the document has more than %d values", maxValues), "write fewer aliases")
		}
		return
	}
	n = target(n)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(s.typ))
		}
		v = v.Elem()
	}
	if why, hint := s.refuses(n); why != "" {
		d.problem(d.place(n), path, why, hint)
		return
	}
	before := len(d.problems)
	switch s.form {
	case listForm:
		d.list(s, n, path, v)
	case mapForm:
		d.mapping(s, n, path, v)
	case structForm:
		d.record(s, n, path, v)
	default:
		if err := setScalar(s.form, n.Value, v); err != nil {
			d.problem(d.place(n), path, err.Error(), "")
		}
	}
	if len(d.problems) > before {
		return
	}
	if c, ok := v.Addr().Interface().(Checker); ok {
		if err := c.Check(); err != nil {
			d.problem(d.doc.At(path), path, err.Error(), "")
		}
	}
}

// target returns what an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (d *decoder) list(s *shape, n *yaml.Node, path string, v reflect.Value) {
	list := reflect.MakeSlice(s.typ, len(n.Content), len(n.Content))
	for i, item := range n.Content {
		at := path + "[" + strconv.Itoa(i) + "]"
		d.doc.places[at] = d.place(item)
		d.value(s.item, item, at, list.Index(i))
	}
	v.Set(list)
}

// entry is one key of a map, and its value.
type entry struct{ key, value *yaml.Node }

// entries returns a map's entries, each key once, and reports the keys that
// stand there twice or cannot be keys.
func (d *decoder) entries(n *yaml.Node, path string) []entry {
	var out []entry
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := target(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			d.problem(d.place(n.Content[i]), path, "a key must be a single word, and this is "+describe(key), "")
		case key.ShortTag() == "!!merge":
			d.problem(d.place(n.Content[i]), path, "keys are not merged here with <<", "write them out, or give an alias for a whole value")
		case first[key.Value] != nil:
			d.problem(d.place(n.Content[i]), Join(path, key.Value), "the key stands in line "+strconv.Itoa(first[key.Value].Line)+" already", "keep one of the two")
		default:
			first[key.Value] = n.Content[i]
			out = append(out, entry{n.Content[i], n.Content[i+1]})
		}
	}
	return out
}

func (e entry) name() string { return target(e.key).Value }

// note keeps where an entry stands: a single value where it is, a map or a
// list where its key is.
func (d *decoder) note(e entry, path string) {
	at := e.key
	if target(e.value).Kind == yaml.ScalarNode && !isNull(e.value) {
		at = e.value
	}
	d.doc.places[path] = d.place(at)
}

func (d *decoder) mapping(s *shape, n *yaml.Node, path string, v reflect.Value) {
	out := reflect.MakeMap(s.typ)
	for _, e := range d.entries(n, path) {
		at := Join(path, e.name())
		d.note(e, at)
		item := reflect.New(s.typ.Elem()).Elem()
		if isNull(e.value) && s.item.form < listForm {
			d.empty(e, at)
			continue
		}
		d.value(s.item, e.value, at, item)
		out.SetMapIndex(reflect.ValueOf(e.name()).Convert(s.typ.Key()), item)
	}
	v.Set(out)
}

func (d *decoder) empty(e entry, path string) {
	d.problem(d.place(e.key), path, "has no value", "write one behind the colon, or take the key out")
}

func (d *decoder) record(s *shape, n *yaml.Node, path string, v reflect.Value) {
	entries := d.entries(n, path)
	given := map[string]*yaml.Node{}
	for _, e := range entries {
		given[e.name()] = e.value
	}
	for _, e := range entries {
		at := Join(path, e.name())
		f := s.fieldIn(e.name(), given)
		if f == nil || !s.known(f, given) {
			d.unknown(s, f, e, at, given)
			continue
		}
		d.note(e, at)
		if isNull(e.value) && f.shape.form < listForm {
			d.empty(e, at)
			continue
		}
		d.member(f, e.value, at, fieldOf(v, f.index))
	}
	for i := range s.fields {
		if f := &s.fields[i]; given[f.name] == nil && s.known(f, given) {
			d.missing(f, n, Join(path, f.name), fieldOf(v, f.index))
		}
	}
}

// missing stands in for a key that is not there.
func (d *decoder) missing(f *field, parent *yaml.Node, path string, v reflect.Value) {
	switch {
	case f.required:
		hint := ""
		if f.example != "" {
			hint = "such as " + f.name + ": " + f.example
		}
		at := d.doc.At(path)
		if path == f.name {
			at = d.place(parent)
		}
		d.problem(at, path, "is missing", hint)
	case f.def != nil:
		// Its nodes have no place in the file, and it is known to be right.
		sub := &decoder{doc: &Document{places: map[string]Place{}}}
		sub.value(f.shape, f.def, path, v)
	case f.shape.form == structForm && v.Kind() != reflect.Pointer:
		d.value(f.shape, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: parent.Line, Column: parent.Column}, path, v)
	}
}

// member reads a field's value and checks it against the field's rules.
func (d *decoder) member(f *field, n *yaml.Node, path string, v reflect.Value) {
	before := len(d.problems)
	d.value(f.shape, n, path, v)
	if len(d.problems) > before {
		return
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if message, hint := f.breaks(v); message != "" {
		d.problem(d.doc.At(path), path, message, hint)
	}
	if f.rules.keys != nil {
		for _, key := range v.MapKeys() {
			if at := Join(path, key.String()); !f.rules.keys.MatchString(key.String()) {
				d.problem(d.doc.At(at), at, fmt.Sprintf("the name %q is not of the form %s", key.String(), bare(f.rules.keys)), "")
			}
		}
	}
}

// breaks says which rule of the field a value breaks, and the way out.
func (f *field) breaks(v reflect.Value) (message, hint string) {
	r := &f.rules
	if f.shape.form == textForm {
		text := v.String()
		switch {
		case f.required && text == "":
			return "is empty, and must have a value", ""
		case r.enum != nil && !slices.Contains(r.enum, text):
			return fmt.Sprintf("%q is not one of %s", text, strings.Join(r.enum, ", ")), didYouMean(text, r.enum)
		case r.pattern != nil && !r.pattern.MatchString(text):
			return fmt.Sprintf("%q is not of the form %s", text, bare(r.pattern)), ""
		}
		return "", ""
	}
	if r.min == nil && r.max == nil {
		return "", ""
	}
	n := number(v)
	low, high := r.min != nil && n < *r.min, r.max != nil && n > *r.max
	switch {
	case !low && !high:
		return "", ""
	case f.shape.form >= listForm && low:
		return fmt.Sprintf("has %.0f entries, and needs %.0f at least", n, *r.min), ""
	case f.shape.form >= listForm:
		return fmt.Sprintf("has %.0f entries, and may have %.0f at most", n, *r.max), ""
	case low:
		return f.shape.show(n) + " is out of range; the least is " + f.shape.show(*r.min), ""
	}
	return f.shape.show(n) + " is out of range; the most is " + f.shape.show(*r.max), ""
}

// fieldOf returns a field of v, and makes the inlined structs on the way to it.
func fieldOf(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}
