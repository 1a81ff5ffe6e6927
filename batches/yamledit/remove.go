package yamledit

import (
	"bytes"
	"errors"
	"strings"

	"gopkg.in/yaml.v3"
)

func (f *File) planRemove(p Path) ([]splice, error) {
	nodes, err := f.find(p)
	if err != nil {
		return nil, err
	}
	if len(nodes) != len(p)+1 {
		return nil, ErrNotFound
	}
	if len(p) == 0 {
		return nil, errors.New("the whole document cannot be removed")
	}
	owner := nodes[len(p)-1]
	i := 0
	for &owner.kids[i] != owner.child(p[len(p)-1]) {
		i++
	}
	switch {
	case owner.bare, !owner.flow && i > 0 && !f.alone(&owner.kids[i]): // its line begins with another entry
		return nil, errors.New("is written in a way that cannot be changed safely")
	case owner.flow:
		return f.removeFlow(owner, i), nil
	case len(owner.kids) == 1:
		return f.removeOnly(nodes, p, owner), nil
	}
	return f.removeLines(owner, i), nil
}

// removeLines takes an entry of a block collection out, with its lines.
func (f *File) removeLines(owner *node, i int) []splice {
	k := &owner.kids[i]
	if f.alone(k) {
		gone := f.lines(k, owner)
		if i > 0 && f.keeps(owner.kids[i-1].val) {
			// Empty lines below would become part of the text above.
			for gone.to < len(f.text) && lineEnd(f.text, gone.to) == trimLeft(f.text, gone.to) {
				gone.to = lineAfter(f.text, gone.to)
			}
		}
		return []splice{gone}
	}
	// It stands behind a dash, and what comes next moves up to it.
	next := &owner.kids[i+1]
	to := f.head(next, owner.indent, k.end())
	for f.text[to] == ' ' {
		to++
	}
	return []splice{{k.start, to, ""}}
}

// keeps reports whether a node ends with a text behind |+ or >+, which takes
// the empty lines below it.
func (f *File) keeps(n *node) bool {
	for len(n.kids) > 0 {
		n = n.kids[len(n.kids)-1].val
	}
	header := f.text[n.body:min(n.end, n.body+3)]
	return n.yaml.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 && bytes.IndexByte(header, '+') > 0
}

// trimLeft returns the first byte from at on that is no blank.
func trimLeft(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
		at++
	}
	return at
}

// lines is the removal of an entry that has its lines for itself.
func (f *File) lines(k *kid, owner *node) splice {
	return splice{f.head(k, owner.indent, f.floor(owner)), lineAfter(f.text, k.end()), ""}
}

// removeOnly takes the only entry of a block collection out: what stays is {}
// or [].
func (f *File) removeOnly(nodes []*node, p Path, owner *node) []splice {
	k := &owner.kids[0]
	empty := "{}"
	if owner.yaml.Kind == yaml.SequenceNode {
		empty = "[]"
	}
	if !f.alone(k) || len(p) == 1 {
		return []splice{{owner.body, owner.end, empty}}
	}
	up := nodes[len(p)-2].child(p[len(p)-2])
	at := up.colon
	if owner.body != owner.start {
		at = trimRight(f.text, f.props(owner))
	}
	return []splice{{at, at, " " + empty}, f.lines(k, owner)}
}

// props returns the end of a node's anchor and tag.
func (f *File) props(n *node) int { return (&spanner{text: f.text}).properties(n.start) }

// alone reports whether only white space stands before an entry on its line.
func (f *File) alone(k *kid) bool {
	return len(bytes.Trim(f.text[lineStart(f.text, k.start):k.start], " ")) == 0
}

// floor is the first byte that comments above an entry may stand at: those at
// the top of the file are about the file.
func (f *File) floor(owner *node) int {
	if owner == f.root {
		return lineStart(f.text, owner.body)
	}
	return 0
}

// head returns where the lines of an entry begin, with the comment lines right
// above it that are indented as it is.
func (f *File) head(k *kid, indent, floor int) int {
	at := lineStart(f.text, k.start)
	for at > floor {
		above := lineStart(f.text, at-1)
		if above < floor || !strings.HasPrefix(string(f.text[above:at]), strings.Repeat(" ", indent)+"#") {
			break
		}
		at = above
	}
	return at
}

// removeFlow takes an entry of a collection in flow style out, with one comma.
func (f *File) removeFlow(owner *node, i int) []splice {
	k := &owner.kids[i]
	if len(owner.kids) == 1 {
		return []splice{{owner.body + 1, owner.end - 1, ""}}
	}
	comma := skip(f.text, k.end())
	if s, ok := f.flowLine(owner, k, comma); ok {
		return s
	}
	if i+1 < len(owner.kids) {
		next := owner.kids[i+1].start
		if bytes.IndexByte(f.text[comma:next], '\n') >= 0 {
			// What stands before the next one, on lines of its own, is the next one's.
			return []splice{{trimRight(f.text, k.start), comma + 1, ""}}
		}
		return []splice{{k.start, next, ""}}
	}
	return []splice{{owner.kids[i-1].end(), k.end(), ""}}
}

// flowLine removes the lines of an entry that has them for itself; the comma
// of the one before it may then stand before the closing bracket.
func (f *File) flowLine(owner *node, k *kid, comma int) ([]splice, bool) {
	begin, end := lineStart(f.text, k.start), lineAfter(f.text, k.end())
	if begin <= owner.body || end >= owner.end || len(bytes.Trim(f.text[begin:k.start], " \t")) > 0 {
		return nil, false
	}
	behind := k.end()
	if f.text[comma] == ',' {
		if comma >= end {
			return nil, false
		}
		behind = comma + 1
	}
	if rest := bytes.TrimSpace(f.text[behind:end]); len(rest) > 0 && rest[0] != '#' {
		return nil, false
	}
	return []splice{{begin, end, ""}}, true
}
