package yamledit

import "strings"

// flowText writes a value on one line.
func flowText(v Value) string {
	switch v := v.(type) {
	case Flow:
		return flowText(v.Value)
	case List:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = flowText(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case Map:
		members := make([]string, len(v))
		for i, p := range v {
			members[i] = scalar(p.Key, true, plainStyle) + ": " + flowText(p.Value)
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	return scalar(v, true, plainStyle)
}

// nested reports whether a value is written in lines of its own.
func nested(v Value) bool {
	switch v := v.(type) {
	case List:
		return len(v) > 0
	case Map:
		return len(v) > 0
	}
	return false
}

// inline writes a value that takes one line.
func inline(v Value) string {
	if _, _, ok := scalarText(v); ok {
		return scalar(v, false, plainStyle)
	}
	return flowText(v)
}

// block writes the lines of a collection; the first begins at the column
// where it stands, the others are indented to it.
func (f *File) block(v Value, indent int) string {
	var lines []string
	switch v := v.(type) {
	case Map:
		for _, p := range v {
			lines = append(lines, f.member(p.Key, p.Value, indent))
		}
	case List:
		for _, item := range v {
			lines = append(lines, f.item(item, indent))
		}
	}
	return strings.Join(lines, f.eol+strings.Repeat(" ", indent))
}

// member writes key: value.
func (f *File) member(key string, v Value, indent int) string {
	return scalar(key, false, plainStyle) + ":" + f.behindColon(v, indent)
}

// behindColon writes what stands behind the colon of a key at that column.
func (f *File) behindColon(v Value, indent int) string {
	if !nested(v) {
		return " " + inline(v)
	}
	inner := indent + f.step
	if _, ok := v.(List); ok {
		inner = indent + f.dash
	}
	return f.eol + strings.Repeat(" ", inner) + f.block(v, inner)
}

// item writes - value, with a dash at that column.
func (f *File) item(v Value, indent int) string {
	if !nested(v) {
		return "- " + inline(v)
	}
	return "- " + f.block(v, indent+2)
}

// Text writes a whole document, in block style.
func Text(m Map) []byte {
	f := &File{eol: "\n", step: 2, dash: 2}
	return []byte(f.block(m, 0) + "\n")
}
