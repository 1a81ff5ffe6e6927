package strictyaml

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// form is the kind of value that a type takes.
type form int

const (
	textForm form = iota
	boolForm
	intForm
	floatForm
	durationForm
	sizeForm
	listForm
	mapForm
	structForm
)

// String says what a form is, with its article.
func (f form) String() string {
	return [...]string{"a string", "true or false", "an integer", "a number", "a duration such as 30s, 10m or 2h",
		"a size such as 512Mi or 16Gi", "a list", "a map", "a map"}[f]
}

// shape is what a Go type takes of YAML.
type shape struct {
	form   form
	typ    reflect.Type // without pointers
	fields []field      // of a struct
	item   *shape       // of a list or map
}

// field is a known key of a struct.
type field struct {
	name     string
	index    []int // from the struct, through an inlined one
	shape    *shape
	doc      string
	example  string
	required bool
	def      *yaml.Node // nil: none
	rules    rules
	when     *condition
}

// rules are what a value must keep besides its type.
type rules struct {
	enum          []string
	min, max      *float64
	pattern, keys *regexp.Regexp
}

// condition says when a key is known: where a sibling has a value.
type condition struct{ key, value string }

func (s *shape) field(name string) *field {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	return nil
}

// shapeOf returns the shape of a type. What it cannot take is a mistake in
// this program, which the first test that decodes finds.
func shapeOf(t reflect.Type) *shape {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &shape{typ: t}
	switch t {
	case reflect.TypeFor[time.Duration]():
		s.form = durationForm
		return s
	case reflect.TypeFor[Size]():
		s.form = sizeForm
		return s
	}
	switch t.Kind() {
	case reflect.String:
		s.form = textForm
	case reflect.Bool:
		s.form = boolForm
	case reflect.Int, reflect.Int64:
		s.form = intForm
	case reflect.Float64:
		s.form = floatForm
	case reflect.Slice:
		s.form, s.item = listForm, shapeOf(t.Elem())
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			panic(fmt.Sprintf("strictyaml: %v: the keys of a map must be strings", t))
		}
		s.form, s.item = mapForm, shapeOf(t.Elem())
	case reflect.Struct:
		s.form = structForm
		s.addFields(t, nil, nil)
	default:
		panic(fmt.Sprintf("strictyaml: %v cannot be read from YAML", t))
	}
	return s
}

// addFields adds the fields of t, which is found at index.
func (s *shape) addFields(t reflect.Type, index []int, when *condition) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		here := append(index[:len(index):len(index)], i)
		if option == "inline" {
			key, value, _ := strings.Cut(f.Tag.Get("when"), "=")
			s.addFields(f.Type.Elem(), here, &condition{key, value})
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		s.fields = append(s.fields, makeField(f, name, here, when))
	}
}

func makeField(f reflect.StructField, name string, index []int, when *condition) field {
	out := field{
		name: name, index: index, shape: shapeOf(f.Type), when: when,
		doc: f.Tag.Get("doc"), example: f.Tag.Get("example"), required: f.Tag.Get("required") == "true",
	}
	r := &out.rules
	if enum := f.Tag.Get("enum"); enum != "" {
		r.enum = strings.Split(enum, ",")
	}
	r.min, r.max = bound(out.shape, f.Tag.Get("min")), bound(out.shape, f.Tag.Get("max"))
	r.pattern, r.keys = whole(f.Tag.Get("pattern")), whole(f.Tag.Get("keys"))
	if def := f.Tag.Get("default"); def != "" {
		out.def = parseDefault(&out, def)
	}
	return out
}

// whole compiles a regular expression for all of a string.
func whole(text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	return regexp.MustCompile(`^(?:` + text + `)$`)
}

// parseDefault reads a default and makes sure that its field takes it.
func parseDefault(f *field, text string) *yaml.Node {
	d := &decoder{doc: &Document{file: "default of " + f.name, places: map[string]Place{}}}
	node := d.parse([]byte(text))
	if node != nil {
		d.member(f, node, f.name, reflect.New(f.shape.typ).Elem())
	}
	if node == nil || len(d.problems) > 0 {
		panic(fmt.Sprintf("strictyaml: default %q of %s: %v", text, f.name, d.problems))
	}
	return node
}

// bound reads a bound as the number that number makes of a value.
func bound(s *shape, text string) *float64 {
	if text == "" {
		return nil
	}
	counted := s.form
	if counted >= listForm {
		counted = intForm
	}
	v := reflect.New(scalarType(s, counted)).Elem()
	if err := setScalar(counted, text, v); err != nil {
		panic(fmt.Sprintf("strictyaml: bound %q: %v", text, err))
	}
	n := number(v)
	return &n
}

func scalarType(s *shape, f form) reflect.Type {
	if f == s.form {
		return s.typ
	}
	return reflect.TypeFor[int]()
}
