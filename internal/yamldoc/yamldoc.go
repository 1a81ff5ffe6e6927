// Package yamldoc builds YAML documents that a person wants to keep: fixed
// order, block style, short lists and maps on one line where that is asked
// for, and comments in front.
package yamldoc

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Map returns an empty map.
func Map() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

// List returns a list of the items.
func List(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

// Text returns a string; it is quoted where YAML would read it as something
// else.
func Text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.Contains(s, "\n") && !block(s) || otherwise(s) || strings.HasPrefix(s, "{") && !strings.ContainsAny(s, "\"\\") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// otherwise reports texts that readers of YAML 1.1 take for something else:
// yes, on, 16:30.
func otherwise(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off":
		return true
	}
	return strings.Contains(s, ":") && strings.Trim(s, "0123456789:._+-") == ""
}

// block reports whether a text of several lines can stand as it is, behind
// a |. Where it begins with white space or ends with empty lines the encoder
// writes an indentation that it does not read back as the same text.
func block(s string) bool {
	return strings.TrimLeft(s, " \t\n") == s && !strings.HasSuffix(s, "\n\n") && !strings.Contains(s, " \n") && !strings.ContainsAny(s, "\t\r")
}

// Texts returns a list of strings.
func Texts(list []string) *yaml.Node {
	out := List()
	for _, s := range list {
		out.Content = append(out.Content, Text(s))
	}
	return out
}

// Int returns a number.
func Int(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

// Bool returns a boolean.
func Bool(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

// Null returns a null, which removes what a lower layer has set.
func Null() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"} }

// Set puts a value at a path of keys, making the maps on the way; a value
// that is there is replaced. A nil value sets nothing.
func Set(m *yaml.Node, value *yaml.Node, path ...string) {
	if value == nil {
		return
	}
	for i, key := range path {
		at := index(m, key)
		if at < 0 {
			next := value
			if i < len(path)-1 {
				next = Map()
			}
			m.Content = append(m.Content, Text(key), next)
			at = len(m.Content) - 1
		} else if i == len(path)-1 {
			m.Content[at] = value
		}
		m = m.Content[at]
	}
}

// Get returns the value at a path of keys, or nil.
func Get(m *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if m == nil || m.Kind != yaml.MappingNode {
			return nil
		}
		at := index(m, key)
		if at < 0 {
			return nil
		}
		m = m.Content[at]
	}
	return m
}

// Delete removes a key from a map.
func Delete(m *yaml.Node, key string) {
	if at := index(m, key); at >= 0 {
		m.Content = append(m.Content[:at-1:at-1], m.Content[at+1:]...)
	}
}

// index is where the value of a key stands in the content of a map, or -1.
func index(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

// maxNested is how deep maps and lists may stand in one that is on one line.
const maxNested = 2

// Compact writes the maps and lists below a node on one line each, where that
// line stays within width and does not nest too deep. The node itself and the
// keys in open stay in block style.
func Compact(n *yaml.Node, width int, open ...string) {
	for i, kid := range n.Content {
		if kid.Kind != yaml.MappingNode && kid.Kind != yaml.SequenceNode {
			continue
		}
		room, mayFlow := width, true
		if n.Kind == yaml.MappingNode {
			key := n.Content[i-1].Value
			room -= len(key) + 2
			mayFlow = !slices.Contains(open, key)
		}
		if length, depth := flat(kid); mayFlow && depth > 0 && depth <= maxNested && length <= room {
			flow(kid)
			continue
		}
		Compact(kid, width-2)
	}
}

// flow puts a node on one line. What has to be quoted there gets the quotes
// that people write around references.
func flow(n *yaml.Node) {
	n.Style |= yaml.FlowStyle
	for _, kid := range n.Content {
		if len(kid.Content) > 0 {
			flow(kid)
		} else if strings.ContainsAny(kid.Value, "{}[],:") && !strings.ContainsAny(kid.Value, "\"\\") {
			kid.Style = yaml.DoubleQuotedStyle
		}
	}
}

// flat is about how long a node is on one line, and how deep it nests; depth
// is 0 for what cannot be put on one.
func flat(n *yaml.Node) (length, depth int) {
	if n.HeadComment != "" || n.LineComment != "" || n.FootComment != "" || strings.Contains(n.Value, "\n") {
		return 0, 0
	}
	length, depth = len(n.Value)+2, 1
	for _, kid := range n.Content {
		l, d := flat(kid)
		if d == 0 {
			return 0, 0
		}
		if kid.Kind != yaml.ScalarNode {
			d++
		}
		length, depth = length+l, max(depth, d)
	}
	return length, depth
}

// Encode writes a document, with comments in front: one line each, without
// the #.
func Encode(n *yaml.Node, comments ...string) ([]byte, error) {
	var b bytes.Buffer
	for _, c := range comments {
		b.WriteString(strings.TrimRight("# "+Line(c), " ") + "\n")
	}
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Line makes a text fit for a comment: one line, of what YAML may hold.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0xd800 && r < 0xe000 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			return '?'
		}
		return r
	}, s)
}
