package strictyaml

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"gopkg.in/yaml.v3"
)

// refuses says why a node cannot be of the shape, and the way out; both are
// empty where it can.
func (s *shape) refuses(n *yaml.Node) (message, hint string) {
	tag := n.ShortTag()
	ok := false
	switch {
	case n.Kind == yaml.SequenceNode:
		ok = s.form == listForm && tag == "!!seq"
	case n.Kind == yaml.MappingNode:
		ok = (s.form == mapForm || s.form == structForm) && tag == "!!map"
	case s.form >= listForm:
		ok = tag == "!!null" // an empty one
	case tag == "!!null":
		return "has no value, and must be " + s.form.String(), ""
	case s.form == textForm, s.form == durationForm, s.form == sizeForm:
		ok = tag == "!!str" || tag == "!!timestamp" // 2026-03-01 without quotes
	case s.form == floatForm:
		ok = tag == "!!float" || tag == "!!int"
	default:
		ok = tag == map[form]string{boolForm: "!!bool", intForm: "!!int"}[s.form]
	}
	if ok {
		return "", ""
	}
	return "this is " + describe(n) + ", and must be " + s.form.String(), s.rewrite(n, tag)
}

// describe names what a node is.
func describe(n *yaml.Node) string {
	switch tag := n.ShortTag(); {
	case strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!"):
		return "of the unknown type " + tag
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a map"
	default:
		name, ok := map[string]string{"!!str": "a string", "!!int": "an integer", "!!float": "a number", "!!bool": "true or false", "!!null": "empty", "!!timestamp": "a string"}[tag]
		if !ok {
			return "of the type " + tag
		}
		return name
	}
}

var plainNumber = regexp.MustCompile(`^-?[0-9]+$`)

// rewrite says how a value of the wrong type is to be written, or "".
func (s *shape) rewrite(n *yaml.Node, tag string) string {
	scalar := n.Kind == yaml.ScalarNode
	switch {
	case !scalar:
		return ""
	case s.form == textForm && tag != "!!binary" && strings.HasPrefix(tag, "!!"):
		return fmt.Sprintf("write %q", n.Value)
	case s.form == durationForm && tag == "!!int":
		return "write " + n.Value + "s for seconds"
	case s.form == sizeForm && tag == "!!int":
		return "write a unit behind it: " + n.Value + "Gi"
	case s.form == intForm && plainNumber.MatchString(n.Value):
		return "write " + n.Value + " without quotes"
	case s.form == boolForm:
		return "write true or false, without quotes"
	case s.form == listForm && s.item.form == textForm && n.Value != "" && !strings.ContainsAny(n.Value, " ,[]{}"):
		return "write [" + n.Value + "]"
	}
	return ""
}

// fieldIn returns the field of a name in a map that has the given values. Of
// several, which belong to different values of a sibling, it is the one that
// is known there, or else the first.
func (s *shape) fieldIn(name string, given map[string]*yaml.Node) *field {
	var first *field
	for i := range s.fields {
		f := &s.fields[i]
		if f.name != name {
			continue
		}
		if s.known(f, given) {
			return f
		}
		if first == nil {
			first = f
		}
	}
	return first
}

// known reports whether a field is a key of a map that has the given values.
func (s *shape) known(f *field, given map[string]*yaml.Node) bool {
	if f.when == nil {
		return true
	}
	n := given[f.when.key]
	if n == nil {
		if other := s.field(f.when.key); other != nil {
			n = other.def
		}
	}
	return n != nil && target(n).Value == f.when.value
}

// unknown reports a key that is none, or is none here.
func (d *decoder) unknown(s *shape, f *field, e entry, path string, given map[string]*yaml.Node) {
	if f != nil {
		d.problem(d.place(e.key), path, "unknown key", fmt.Sprintf("it belongs to %s: %s", f.when.key, f.when.value))
		return
	}
	var names []string
	for i := range s.fields {
		if s.known(&s.fields[i], given) {
			names = append(names, s.fields[i].name)
		}
	}
	hint := didYouMean(e.name(), names)
	if hint == "" {
		slices.Sort(names)
		hint = "known here: " + strings.Join(names, ", ")
	}
	d.problem(d.place(e.key), path, "unknown key", hint)
}

// didYouMean is the hint for a near name, or "".
func didYouMean(name string, names []string) string {
	if near := Nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// Nearest returns the name most like the one given, or "" where none is near
// enough to be what was meant: one change in the first four characters, one
// more in every further four.
func Nearest(name string, names []string) string {
	best, least := "", 2+(len(name)-1)/4
	for _, n := range slices.Sorted(slices.Values(names)) {
		if len(name) < 2 || len(name) > 100 {
			break
		}
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

func isNull(n *yaml.Node) bool {
	n = target(n)
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// bare is a whole regular expression as its tag has it.
func bare(r *regexp.Regexp) string {
	return strings.TrimSuffix(strings.TrimPrefix(r.String(), "^(?:"), ")$")
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Join adds a key to a path. A key that would be misread is quoted.
func Join(path, key string) string {
	if !plainKey.MatchString(key) {
		key = fmt.Sprintf("%q", key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
