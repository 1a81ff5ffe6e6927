package yamledit

import (
	"fmt"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// node is a value with the bytes that it stands in.
type node struct {
	yaml   *yaml.Node
	start  int  // first byte, of its anchor or tag where it has one
	body   int  // first byte behind these
	end    int  // behind its last byte; comments and line end are not part of it
	flow   bool // stands in a collection in flow style, or is one
	indent int  // of a block collection: the column of its keys or dashes, from 0
	bare   bool // the one pair of [a: b], which has no braces
	kids   []kid
}

// kid is an entry of a map, or an item of a list, whose key is nil.
type kid struct {
	key   *node
	val   *node
	start int // first byte: of the key, of an item's dash, or of an item in flow style
	colon int // behind the colon, or the dash; the end of a key without a colon
}

func (k *kid) end() int { return max(k.val.end, k.colon) }

// block reports whether a node is a collection in block style.
func (n *node) block() bool { return !n.flow && n.yaml.Kind&(yaml.MappingNode|yaml.SequenceNode) != 0 }

func (n *node) child(s Step) *kid {
	switch {
	case s.Key == "" && n.yaml.Kind == yaml.SequenceNode:
		if s.Index >= 0 && s.Index < len(n.kids) {
			return &n.kids[s.Index]
		}
	case s.Key != "" && n.yaml.Kind == yaml.MappingNode:
		for i := range n.kids {
			if k := &n.kids[i]; k.key.yaml.Kind == yaml.ScalarNode && k.key.yaml.Value == s.Key {
				return k
			}
		}
	}
	return nil
}

func (n *node) has(key string) bool { return n.child(Step{Key: key}) != nil }

func (n *node) pathAt(line, column int, p Path) (Path, bool) {
	for i := range n.kids {
		k := &n.kids[i]
		step := Step{Index: i}
		if k.key != nil {
			step = Step{Key: k.key.yaml.Value}
		}
		if found, ok := k.val.pathAt(line, column, append(p[:len(p):len(p)], step)); ok {
			return found, true
		}
	}
	if n.yaml.Line == line && n.yaml.Column == column && n.yaml.Kind != yaml.AliasNode {
		return p, true
	}
	return nil, false
}

// spanner finds where nodes begin and end.
type spanner struct {
	text  []byte
	lines []int // where each line begins
}

func newSpanner(text []byte) *spanner {
	s := &spanner{text: text, lines: []int{0}}
	if len(text) >= 3 && string(text[:3]) == "\ufeff" {
		s.lines[0] = 3 // the parser does not count a byte order mark
	}
	for i, b := range text {
		if b == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// offset turns a node's position into a byte.
func (s *spanner) offset(n *yaml.Node) int {
	at := s.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(s.text[at:])
		at += size
	}
	return at
}

// place is where a node stands: inside flow style or not, the indentation of
// the block collection around it, and the byte behind its colon or dash.
type place struct {
	flow   bool
	indent int
	after  int
}

// document finds the spans of a whole document. A position that does not fit
// the text is an error here and never a wrong change later.
func (s *spanner) document(n *yaml.Node) (root *node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this YAML is written in a way that cannot be changed safely: %v", r)
		}
	}()
	return s.node(n, place{indent: -1})
}

func (s *spanner) node(n *yaml.Node, p place) (*node, error) {
	out := &node{yaml: n, flow: p.flow}
	if n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&^yaml.TaggedStyle == 0 && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 {
		out.start, out.body, out.end = p.after, p.after, p.after
		return out, nil
	}
	out.start = s.offset(n)
	if n.Kind == yaml.AliasNode {
		out.body, out.end = out.start, out.start+1+len(n.Value)
		return out, nil
	}
	out.body = out.start
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		last := s.properties(out.start)
		out.body = s.skip(last)
		if n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&^yaml.TaggedStyle == 0 {
			out.body, out.end = last, last
			return out, nil
		}
	}
	var err error
	switch {
	case n.Kind == yaml.ScalarNode:
		out.end, err = s.scalar(n, out.body, p)
	case n.Style&yaml.FlowStyle != 0:
		out.flow = true
		err = s.flowCollection(out)
	default:
		err = s.blockCollection(out)
	}
	if err == nil && out.end < out.body {
		err = fmt.Errorf("line %d: the end of this value cannot be found", n.Line)
	}
	return out, err
}

// properties returns the end of the anchor and tag at a byte.
func (s *spanner) properties(at int) int {
	end := at
	for at < len(s.text) && (s.text[at] == '&' || s.text[at] == '!') {
		for at < len(s.text) && !space(s.text[at]) && s.text[at] != ',' && s.text[at] != ']' && s.text[at] != '}' {
			at++
		}
		end = at
		at = s.skip(at)
	}
	return end
}

// skip passes over white space, line ends and comments.
func (s *spanner) skip(at int) int {
	for at < len(s.text) {
		switch b := s.text[at]; {
		case space(b):
			at++
		case b == '#' && (at == 0 || space(s.text[at-1])):
			for at < len(s.text) && s.text[at] != '\n' {
				at++
			}
		default:
			return at
		}
	}
	return at
}

func space(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func (s *spanner) column(at int) int {
	line := at
	for line > 0 && s.text[line-1] != '\n' {
		line--
	}
	return utf8.RuneCount(s.text[line:at])
}

func (s *spanner) blockCollection(out *node) error {
	n := out.yaml
	out.indent = s.column(out.body)
	inner := place{indent: out.indent}
	at := out.body
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(n.Content); i += step {
		k := kid{start: s.skip(at)}
		inner.after = k.start
		var err error
		if step == 2 {
			if s.text[k.start] == '?' && space(s.text[k.start+1]) {
				inner.after = k.start + 1
			}
			if k.key, err = s.node(n.Content[i], inner); err != nil {
				return err
			}
			k.colon = s.colon(k.key.end)
		} else if k.colon = k.start + 1; s.text[k.start] != '-' {
			return fmt.Errorf("line %d: an item's dash cannot be found", n.Content[i].Line)
		}
		inner.after = k.colon
		if k.val, err = s.node(n.Content[i+step-1], inner); err != nil {
			return err
		}
		at = k.end()
		out.kids = append(out.kids, k)
	}
	out.end = at
	return nil
}

// colon returns the byte behind the colon that follows a key, or the key's end
// where there is none.
func (s *spanner) colon(keyEnd int) int {
	if at := s.skip(keyEnd); at < len(s.text) && s.text[at] == ':' {
		return at + 1
	}
	return keyEnd
}

func (s *spanner) flowCollection(out *node) error {
	n := out.yaml
	open := s.text[out.body]
	out.bare = open != '{' && open != '['
	at := out.body + 1
	if out.bare {
		at = out.body
	}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(n.Content); i += step {
		if at = s.skip(at); s.text[at] == ',' {
			at = s.skip(at + 1)
		}
		k := kid{start: at, colon: at}
		var err error
		if step == 2 {
			if k.key, err = s.node(n.Content[i], place{flow: true, after: at}); err != nil {
				return err
			}
			k.colon = s.colon(k.key.end)
		}
		if k.val, err = s.node(n.Content[i+step-1], place{flow: true, after: k.colon}); err != nil {
			return err
		}
		at = k.end()
		out.kids = append(out.kids, k)
	}
	if out.end = at; out.bare {
		return nil
	}
	if at = s.skip(at); s.text[at] == ',' {
		at = s.skip(at + 1)
	}
	if s.text[at] != '}' && s.text[at] != ']' {
		return fmt.Errorf("line %d: the end of this value cannot be found", n.Line)
	}
	out.end = at + 1
	return nil
}
