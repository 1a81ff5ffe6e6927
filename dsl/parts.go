package dsl

import (
	"slices"
	"strings"
)

// A Part is a piece of a declared field under its name in YAML, such as
// java.heap, with its value in two declarations.
type Part struct {
	Name string
	A, B string
	List bool // the values have an entry a line
}

// Differing returns the parts of a field that differ between its text in a
// and in b, in the order of b.
func Differing(field int, a, b string) []Part {
	if a == b {
		return nil
	}
	var parts []Part
	at := map[string]int{}
	add := func(text string, value func(*Part) *string) {
		for line := range strings.SplitSeq(text, "\n") {
			if line == "" {
				continue
			}
			name, v, list := partOf(field, line)
			i, known := at[name]
			if !known {
				i = len(parts)
				at[name] = i
				parts = append(parts, Part{Name: name, List: list})
			}
			if p := value(&parts[i]); *p == "" {
				*p = v
			} else {
				*p += "\n" + v
			}
		}
	}
	switch field {
	case Parameters, Retry, Java, Args, Artifact, Env, Secrets, Scripts, Files:
		add(b, func(p *Part) *string { return &p.B })
		add(a, func(p *Part) *string { return &p.A })
		parts = slices.DeleteFunc(parts, func(p Part) bool { return p.A == p.B })
	}
	if len(parts) == 0 { // it has none, or only their order differs
		parts = []Part{{Name: DeclaredNames[field], A: a, B: b}}
	}
	return parts
}

// partOf splits a line of a field into the name of its part and the value.
func partOf(field int, line string) (name, value string, list bool) {
	name = DeclaredNames[field]
	switch field {
	case Args, Files:
		return name, line, true
	case Env:
		key, value, _ := strings.Cut(line, "=")
		return name + "." + key, value, false
	case Scripts:
		when, rest, _ := strings.Cut(line, " ")
		title, body, _ := strings.Cut(rest, ": ")
		return name + "." + when + " " + title, body, false
	case Parameters:
		typ, rest, _ := strings.Cut(line, " ")
		key, value, _ := strings.Cut(rest, " ")
		return name + "." + key, typ + " " + value, false
	}
	key, value, _ := strings.Cut(line, " ")
	if field == Java && key == "properties" {
		property, v, _ := strings.Cut(value, "=")
		return name + "." + key + "." + property, v, false
	}
	return name + "." + key, value, field == Java && (key == "options" || key == "agents")
}
