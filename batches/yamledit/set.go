package yamledit

import (
	"errors"
	"strings"

	"gopkg.in/yaml.v3"
)

func (f *File) planSet(p Path, v Value) ([]splice, error) {
	if err := check(v); err != nil {
		return nil, err
	}
	if len(p) == 0 {
		return nil, errors.New("the whole document cannot be replaced")
	}
	nodes, err := f.find(p)
	if err != nil {
		return nil, err
	}
	if len(nodes) == len(p)+1 {
		parent := nodes[len(p)-1]
		return f.replace(parent, parent.child(p[len(p)-1]), v)
	}
	at := len(nodes) - 1 // the last node that is there
	rest := p[at:]
	for i := len(rest) - 1; i > 0; i-- {
		if rest[i].Key == "" {
			return nil, ErrNotFound
		}
		v = Map{{rest[i].Key, v}}
	}
	if rest[0].Key == "" {
		return nil, ErrNotFound
	}
	owner := nodes[at]
	if owner.yaml.Kind == yaml.ScalarNode && owner.yaml.ShortTag() == "!!null" && at > 0 {
		parent := nodes[at-1]
		return f.replace(parent, parent.child(p[at-1]), Map{{rest[0].Key, v}})
	}
	if owner.yaml.Kind != yaml.MappingNode || owner.bare {
		return nil, errors.New("stands below a value that is no map")
	}
	return f.add(owner, rest[0].Key, v)
}

// replace writes another value in the place of one.
func (f *File) replace(parent *node, k *kid, v Value) ([]splice, error) {
	old := k.val
	if parent.bare || old.yaml.Style&yaml.TaggedStyle != 0 {
		return nil, errors.New("is written in a way that cannot be changed safely")
	}
	empty := old.end == old.body && !old.block()
	switch {
	case parent.flow:
		return []splice{{old.body, old.end, spaced(f.text, old.body, f.like(old, v, true))}}, nil
	case nested(v) && old.block():
		if _, ok := v.(Map); ok && k.key != nil && old.indent == parent.indent {
			// A list may stand right below its key, a map must stand further in.
			indent := old.indent + f.step
			return []splice{{old.body, old.end, strings.Repeat(" ", f.step) + f.block(v, indent)}}, nil
		}
		return []splice{{old.body, old.end, f.block(v, old.indent)}}, nil
	case nested(v) && k.key == nil && old.body != old.start:
		// Behind the anchor on its line, it would be the first key's.
		indent := parent.indent + 2
		return []splice{{trimRight(f.text, old.body), old.end, f.eol + strings.Repeat(" ", indent) + f.block(v, indent)}}, nil
	case nested(v) && k.key == nil:
		return []splice{{old.body, old.end, spaced(f.text, old.body, f.block(v, parent.indent+2))}}, nil
	case nested(v) && empty:
		end := lineEnd(f.text, old.end) // behind a comment
		return []splice{{end, end, f.behindColon(v, parent.indent)}}, nil
	case nested(v):
		from := k.colon
		if old.body != old.start {
			from = trimRight(f.text, old.body) // behind the anchor
		}
		return []splice{{from, old.end, f.behindColon(v, parent.indent)}}, nil
	case old.block() && lineStart(f.text, old.body) > k.colon:
		from := k.colon
		if old.body != old.start {
			from = trimRight(f.text, lineEnd(f.text, old.start))
		}
		return []splice{{from, old.end, " " + inline(v)}}, nil
	}
	return []splice{{old.body, old.end, spaced(f.text, old.body, f.like(old, v, false))}}, nil
}

// spaced puts a space before a text that would otherwise touch what it stands
// behind: an empty value begins right at its colon.
func spaced(text []byte, at int, s string) string {
	if at > 0 && !space(text[at-1]) && text[at-1] != '[' && text[at-1] != '{' {
		return " " + s
	}
	return s
}

// trimRight returns where the text before a byte ends, without white space.
func trimRight(text []byte, at int) int {
	for at > 0 && space(text[at-1]) {
		at--
	}
	return at
}

// like writes a value on one line, a string in the quotes of the old one.
func (f *File) like(old *node, v Value, flow bool) string {
	if _, ok := v.(string); !ok {
		if flow {
			return flowText(v)
		}
		return inline(v)
	}
	style := plainStyle
	switch n := old.yaml; {
	case n.Kind != yaml.ScalarNode:
	case n.Style&yaml.DoubleQuotedStyle != 0:
		style = doubleStyle
	case n.Style&yaml.SingleQuotedStyle != 0:
		style = singleStyle
	}
	return scalar(v, flow, style)
}

// add writes a new member at the end of a map.
func (f *File) add(owner *node, key string, v Value) ([]splice, error) {
	if owner.flow {
		return f.addFlow(owner, scalar(key, true, plainStyle)+": "+flowText(v)), nil
	}
	return f.addLine(owner, f.member(key, v, owner.indent)), nil
}

// addLine puts an entry below the last one of a block collection.
func (f *File) addLine(owner *node, entry string) []splice {
	at := lineEnd(f.text, owner.kids[len(owner.kids)-1].end())
	line := splice{at, at, f.eol + strings.Repeat(" ", owner.indent) + entry}
	if at == len(f.text) {
		return append(f.strip(owner), line)
	}
	return []splice{line}
}

// strip keeps a text behind | or > that ends the file without a line break from
// getting one, when a line is put below it.
func (f *File) strip(n *node) []splice {
	for len(n.kids) > 0 {
		n = n.kids[len(n.kids)-1].val
	}
	if n.yaml.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return nil
	}
	at := n.body + 1
	for ; at < n.end && !space(f.text[at]); at++ {
		switch f.text[at] {
		case '-':
			return nil
		case '+':
			return []splice{{at, at + 1, "-"}}
		}
	}
	return []splice{{at, at, "-"}}
}

// addFlow puts an entry behind the last one of a collection in flow style: on
// the same line, or on one of its own where the last one has that.
func (f *File) addFlow(owner *node, entry string) []splice {
	if len(owner.kids) == 0 {
		return []splice{{owner.body + 1, owner.body + 1, entry}}
	}
	last := &owner.kids[len(owner.kids)-1]
	end := last.end()
	begin := lineStart(f.text, last.start)
	indent := string(f.text[begin:last.start])
	if strings.Trim(indent, " \t") != "" || begin <= owner.body || lineEnd(f.text, end) >= owner.end {
		return []splice{{end, end, ", " + entry}}
	}
	line := f.eol + indent + entry
	at := lineEnd(f.text, end)
	if next := skip(f.text, end); f.text[next] == ',' {
		return []splice{{at, at, line + ","}}
	}
	return []splice{{end, end, ","}, {at, at, line}}
}

func skip(text []byte, at int) int { return (&spanner{text: text}).skip(at) }

func (f *File) planInsert(list Path, index int, v Value) ([]splice, error) {
	if err := check(v); err != nil {
		return nil, err
	}
	nodes, err := f.find(list)
	if err != nil {
		return nil, err
	}
	if len(nodes) != len(list)+1 {
		return nil, ErrNotFound
	}
	owner := nodes[len(list)]
	switch {
	case owner.yaml.Kind == yaml.AliasNode:
		return nil, ErrShared
	case owner.yaml.Kind != yaml.SequenceNode:
		return nil, errors.New("stands in a value that is no list")
	case index < 0 || index > len(owner.kids):
		return nil, ErrNotFound
	case owner.flow && index == len(owner.kids):
		return f.addFlow(owner, flowText(v)), nil
	case owner.flow:
		at := owner.kids[index].start
		return []splice{{at, at, flowText(v) + ", "}}, nil
	case index == len(owner.kids):
		return f.addLine(owner, f.item(v, owner.indent)), nil
	}
	indent := strings.Repeat(" ", owner.indent)
	k := &owner.kids[index]
	if !f.alone(k) {
		return []splice{{k.start, k.start, f.item(v, owner.indent) + f.eol + indent}}, nil
	}
	at := f.head(k, owner.indent, f.floor(owner))
	return []splice{{at, at, indent + f.item(v, owner.indent) + f.eol}}, nil
}
