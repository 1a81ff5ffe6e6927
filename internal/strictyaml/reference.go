package strictyaml

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Reference returns a table in Markdown of all keys that Decode takes for a
// struct of v's type. NAME stands for a key of a map, [] for an item of a
// list.
func Reference(v any) string {
	var b strings.Builder
	b.WriteString("| key | takes | default | meaning |\n| --- | --- | --- | --- |\n")
	shapeOf(reflect.TypeOf(v)).reference(&b, "")
	return b.String()
}

func (s *shape) reference(b *strings.Builder, prefix string) {
	for i := range s.fields {
		f := &s.fields[i]
		path := prefix + f.name
		meaning := f.doc
		if f.when != nil {
			meaning = fmt.Sprintf("With `%s: %s`. %s", f.when.key, f.when.value, meaning)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", path, cell(f.takes()), cell(f.standard()), cell(meaning))
		switch f.shape.form {
		case structForm:
			f.shape.reference(b, path+".")
		case listForm:
			f.shape.item.reference(b, path+"[].")
		case mapForm:
			f.shape.item.reference(b, path+".NAME.")
		}
	}
}

// takes says in a few words what a field holds.
func (f *field) takes() string {
	r := &f.rules
	var words string
	switch f.shape.form {
	case textForm:
		words = "string"
		if r.enum != nil {
			words = "`" + strings.Join(r.enum, "`, `") + "`"
		} else if r.pattern != nil {
			words = "string of the form `" + bare(r.pattern) + "`"
		}
	case boolForm:
		words = "`true`, `false`"
	case listForm:
		words = "list of " + f.shape.item.plural()
	case mapForm:
		words = "map of names to " + f.shape.item.plural()
	case structForm:
		words = "map"
	default:
		words = map[form]string{intForm: "integer", floatForm: "number", durationForm: "duration", sizeForm: "size"}[f.shape.form]
	}
	switch {
	case f.shape.form >= listForm:
	case r.min != nil && r.max != nil:
		words += ", " + f.shape.show(*r.min) + " to " + f.shape.show(*r.max)
	case r.min != nil:
		words += ", " + f.shape.show(*r.min) + " or more"
	case r.max != nil:
		words += ", " + f.shape.show(*r.max) + " at most"
	}
	if f.example != "" && r.enum == nil {
		words += ", such as `" + f.example + "`"
	}
	return words
}

func (s *shape) plural() string {
	return [...]string{"strings", "booleans", "integers", "numbers", "durations", "sizes", "lists", "maps", "maps"}[s.form]
}

// standard is what stands for a missing value.
func (f *field) standard() string {
	if f.required {
		return "**required**"
	}
	if f.def == nil {
		return ""
	}
	if f.def.Kind == yaml.ScalarNode {
		return "`" + f.def.Value + "`"
	}
	text, _ := yaml.Marshal(f.def)
	return "`" + strings.TrimSpace(string(text)) + "`"
}

func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ") }

// shortDuration writes 1h0m0s as 1h.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
