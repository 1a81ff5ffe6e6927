package batches

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// expanded tells how the text of a string came about.
type expanded struct {
	template *value // the string as written
	uses     []use
}

// use is one reference that went into a string.
type use struct {
	name string // as written: XMX, java.version, port 10000 20000
	text string // what stood in its place
	val  *value // the variable or field; nil for a built-in, a port or a default
	how  string // for those: built-in, port or default
}

// scope expands the references of one job's document.
type scope struct {
	names coordinates
	doc   *value // merged, with vars, metadata and spec
	ps    *problems
	done  map[*value]*value
	used  []string // names of the variables that references named
	open  []opened // being expanded, outermost first, to see a circle
}

// opened is a string that is being expanded.
type opened struct {
	val  *value
	path *fieldPath
}

// expand replaces all references in a value. Values without references are
// shared, not copied.
func (s *scope) expand(v *value, p *fieldPath) *value {
	if !v.expands {
		return v
	}
	if v.kind == stringKind {
		return s.text(v, p)
	}
	out := *v
	out.kids = slices.Clone(v.kids)
	for i := range out.kids {
		e := &out.kids[i]
		if e.val.expands {
			e.val = s.expand(e.val, p.entry(e, i))
		}
	}
	return &out
}

// text replaces the references of one string. A string that is one reference
// and nothing else takes the type of what it refers to, so that a number may
// come from a variable.
func (s *scope) text(v *value, p *fieldPath) *value {
	if out, ok := s.done[v]; ok {
		return out
	}
	if i := slices.IndexFunc(s.open, func(o opened) bool { return o.val == v }); i >= 0 {
		s.circle(i)
		return s.broken(v)
	}
	s.open = append(s.open, opened{v, p})
	defer func() { s.open = s.open[:len(s.open)-1] }()

	out := &value{kind: stringKind, override: v.override, appended: v.appended,
		line: v.line, col: v.col, file: v.file, over: v.over, from: &expanded{template: v}}
	var text strings.Builder
	for i := range v.parts {
		u, kind, ok := s.resolve(&v.parts[i], v, p)
		if !ok {
			return s.keep(v, s.broken(v))
		}
		text.WriteString(u.text)
		if text.Len() > maxText {
			// Variables that each hold the next one twice would fill the memory.
			s.ps.at(v, p.String(), "too-long", "this grows to more than 64 KiB when its references are replaced", "")
			return s.keep(v, s.broken(v))
		}
		if u.name != "" {
			out.from.uses = append(out.from.uses, u)
		}
		if len(v.parts) == 1 {
			out.kind = kind
		}
	}
	out.text = text.String()
	return s.keep(v, out)
}

func (s *scope) keep(v, out *value) *value {
	if s.done == nil {
		s.done = map[*value]*value{}
	}
	s.done[v] = out
	return out
}

// broken stands for a string whose references cannot be replaced. The problem
// has been reported; later steps pass over the value.
func (s *scope) broken(v *value) *value {
	out := *v
	out.broken, out.expands, out.parts = true, false, nil
	return &out
}

// resolve finds what one part of the string v stands for.
func (s *scope) resolve(r *part, v *value, p *fieldPath) (u use, k kind, ok bool) {
	if r.port != nil {
		port := strconv.Itoa(r.port.pick(s.names.path))
		return use{name: strings.Trim(r.text, "{}"), text: port, how: "port"}, intKind, true
	}
	if r.name == "" {
		return use{text: r.text}, stringKind, true
	}
	if text, ok := s.names.builtin(r.name); ok {
		return use{name: r.name, text: text, how: "built-in"}, stringKind, true
	}
	target := s.lookup(r.name)
	if !slices.Contains(s.used, r.name) {
		s.used = append(s.used, r.name)
	}
	switch {
	case target == nil && r.hasDefault:
		return use{name: r.name, text: r.fallback, how: "default"}, plainKind(r.fallback), true
	case target == nil:
		s.undefined(r, v, p)
		return use{}, 0, false
	case !target.scalar():
		s.ps.at(v, p.String(), "bad-reference", r.name+" is "+target.kind.String()+" ("+target.place().String()+"); only a single value fits into a string", "")
		return use{}, 0, false
	}
	got := target
	if target.expands {
		got = s.expand(target, newPath(fieldSteps(r.name)...))
	}
	if got.broken {
		return use{}, 0, false
	}
	if got.text == "" && r.hasDefault {
		return use{name: r.name, text: r.fallback, how: "default"}, plainKind(r.fallback), true
	}
	return use{name: r.name, text: got.text, val: got}, got.kind, true
}

// plainKind is the kind that YAML gives a plain text.
func plainKind(text string) kind {
	switch {
	case text == "true" || text == "false":
		return boolKind
	case jsonNumber(text) && strings.ContainsAny(text, ".eE"):
		return floatKind
	case jsonNumber(text):
		return intKind
	}
	return stringKind
}

// lookup finds a variable by its name, or a field by its path: metadata.owner,
// spec.java.version, or java.version for short.
func (s *scope) lookup(name string) *value {
	if !strings.Contains(name, ".") {
		return s.doc.get("vars").get(name)
	}
	v := s.doc
	for _, step := range fieldSteps(name) {
		v = v.get(step)
	}
	return v
}

// fieldSteps is where in a document a reference's name points.
func fieldSteps(name string) []string {
	steps := strings.Split(name, ".")
	switch {
	case len(steps) == 1:
		return []string{"vars", name}
	case steps[0] != "metadata" && steps[0] != "spec" && steps[0] != "vars":
		return append([]string{"spec"}, steps...)
	}
	return steps
}

func (s *scope) undefined(r *part, v *value, p *fieldPath) {
	// The job is not part of the message: a thousand jobs that inherit the
	// string are one problem, and the first of them is named with their number.
	prob := Problem{Place: v.place(), Path: p.String(), Rule: "undefined-variable", Message: r.text + " is not defined"}
	if near := s.meant(r.name, v); near != "" {
		prob.Hint = "did you mean " + near + "?"
		if target := s.lookup(near); target != nil {
			prob.Hint = "did you mean " + near + ", set in " + target.place().String() + "?"
			prob.Others = []Place{target.place()}
		}
	} else {
		prob.Hint = "set it under vars in any layer, or give it a default: {{" + r.name + ":-…}}"
	}
	s.ps.add(prob)
}

// meant returns the name that was probably meant by one that is undefined.
func (s *scope) meant(name string, v *value) string {
	if name == "name" {
		return "app"
	}
	for _, section := range []string{"metadata", "spec"} {
		if s.doc.get(section).get(name).scalar() {
			return section + "." + name
		}
	}
	return nearest(name, func(yield func(string) bool) {
		for n := range s.known() {
			// The string that holds the reference is not what it refers to.
			if strings.Contains(n, ".") && s.lookup(n) == v {
				continue
			}
			if !yield(n) {
				return
			}
		}
	})
}

// known lists the names that a reference may use.
func (s *scope) known() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range builtins {
			if !yield(name) {
				return
			}
		}
		if vars := s.doc.get("vars"); vars != nil {
			for _, e := range vars.kids {
				if e.val.kind != nullKind && !yield(e.key) {
					return
				}
			}
		}
		walkFields(s.doc.get("spec"), "", yield)
	}
}

// walkFields yields the paths of all single values below a map.
func walkFields(v *value, prefix string, yield func(string) bool) bool {
	if v == nil || v.kind != mapKind {
		return true
	}
	for _, e := range v.kids {
		switch {
		case e.val.kind == mapKind:
			if !walkFields(e.val, prefix+e.key+".", yield) {
				return false
			}
		case prefix != "" && e.val.scalar():
			if !yield(prefix + e.key) {
				return false
			}
		}
	}
	return true
}

// circle reports the strings from the i-th that is open on, which refer to
// each other. It always begins with the one that stands first, so that it is
// one problem wherever it is met.
func (s *scope) circle(i int) {
	ring := slices.Clone(s.open[i:])
	first := 0
	for i := range ring {
		if ring[i].val.place().compare(ring[first].val.place()) < 0 {
			first = i
		}
	}
	ring = append(ring[first:], ring[:first]...)
	var steps []string
	var others []Place
	for _, r := range ring {
		steps = append(steps, fmt.Sprintf("%s (%s)", r.path, r.val.place()))
		others = append(others, r.val.place())
	}
	steps = append(steps, ring[0].path.String())
	s.ps.add(Problem{Place: ring[0].val.place(), Path: ring[0].path.String(), Rule: "circular-reference", Others: others[1:],
		Message: "these refer to each other in a circle: " + strings.Join(steps, " → "), Hint: "set one of them to a plain value"})
}
