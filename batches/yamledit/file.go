package yamledit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// File is the text of a YAML file that is being changed. A method that
// returns an error has changed nothing.
type File struct {
	text []byte
	root *node
	eol  string // "\n" or "\r\n", what most of the file uses
	step int    // columns that a block map is indented by
	dash int    // columns that a list's dashes are indented by
}

// Step is one step of a path: the key of a map, or with an empty Key the index
// of a list's item.
type Step struct {
	Key   string
	Index int
}

// Path leads from the top of a file to a value.
type Path []Step

// Keys is the path through these keys.
func Keys(keys ...string) Path {
	p := make(Path, len(keys))
	for i, k := range keys {
		p[i].Key = k
	}
	return p
}

// Item is the path of the i-th item of the list at p.
func (p Path) Item(i int) Path { return append(slices.Clip(p), Step{Index: i}) }

// Key is the path of a member of the map at p.
func (p Path) Key(key string) Path { return append(slices.Clip(p), Step{Key: key}) }

// String writes a path as messages show it: spec.java.options[2].
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.Key == "":
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case i == 0:
			b.WriteString(s.Key)
		default:
			b.WriteString("." + s.Key)
		}
	}
	return b.String()
}

// Errors that a caller may want to tell apart, with errors.Is.
var (
	// ErrNotFound: there is no value at the path.
	ErrNotFound = errors.New("is not there")
	// ErrShared: the value stands in an anchor, an alias or a merge key, so
	// that a change would reach other places, or cannot be made.
	ErrShared = errors.New("is shared by an anchor")
)

// Parse reads a file. It refuses what it could not change safely: text that is
// not UTF-8, several documents, and line breaks that programs disagree on.
func Parse(text []byte) (*File, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the text is not UTF-8")
	}
	rest := bytes.ReplaceAll(text, []byte("\r\n"), nil)
	if bytes.ContainsAny(rest, "\r\u0085\u2028\u2029") {
		return nil, errors.New("the text holds a line break that is neither LF nor CRLF")
	}
	f := &File{text: text}
	f.eol = "\n"
	if crlf := bytes.Count(text, []byte("\r\n")); 2*crlf > bytes.Count(text, []byte("\n")) {
		f.eol = "\r\n"
	}
	doc, err := decode(text)
	if err != nil {
		return nil, err
	}
	if doc != nil {
		s := newSpanner(text)
		if f.root, err = s.document(doc); err != nil {
			return nil, err
		}
	}
	f.habits()
	return f, nil
}

// decode parses the one document of a text; nil where there is none.
func decode(text []byte) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this text stops the YAML parser: %v", r)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	switch err := d.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := d.Decode(&second); err == nil {
		return nil, fmt.Errorf("line %d: a second document begins here; a file holds one", second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return first.Content[0], nil
}

// Bytes returns the text as it stands now.
func (f *File) Bytes() []byte { return f.text }

// Set gives the value at a path another value, or adds it where it is not
// there, with the maps above it. A scalar keeps the quotes of the one it
// replaces, where they suit it. It cannot add an item to a list; see Insert.
func (f *File) Set(p Path, v Value) error {
	return f.change(p, func() ([]splice, error) { return f.planSet(p, v) },
		func(m model) (model, error) { return m.set(p, v) })
}

// Remove takes the value at a path away: a map's member with its key, a list's
// item. The comment lines right above it, which are about it, go with it.
func (f *File) Remove(p Path) error {
	return f.change(p, func() ([]splice, error) { return f.planRemove(p) },
		func(m model) (model, error) { return m.remove(p) })
}

// Insert puts items into the list at a path, before the item of that index;
// the list's length means at its end.
func (f *File) Insert(list Path, index int, items ...Value) error {
	for i, v := range items {
		at := index + i
		err := f.change(list.Item(at), func() ([]splice, error) { return f.planInsert(list, at, v) },
			func(m model) (model, error) { return m.insert(list, at, v) })
		if err != nil {
			return err
		}
	}
	return nil
}

// change makes one change, and lets it stand only if the text then says what
// it should.
func (f *File) change(p Path, plan func() ([]splice, error), want func(model) (model, error)) error {
	if f.root == nil {
		return fmt.Errorf("%s: the file is empty", p)
	}
	splices, err := plan()
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	text, err := apply(f.text, splices)
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	before, err := modelOf(f.root.yaml)
	if err != nil {
		return err
	}
	wanted, err := want(before)
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	changed, err := Parse(text)
	if err == nil && changed.root == nil {
		err = errors.New("nothing would be left of it")
	}
	if err != nil {
		return fmt.Errorf("%s: the change would break the file: %w", p, err)
	}
	after, err := modelOf(changed.root.yaml)
	if err != nil {
		return err
	}
	if !after.equal(wanted) {
		return fmt.Errorf("%s: %w: the change would reach more than this value", p, ErrShared)
	}
	*f = *changed
	return nil
}

// find walks down a path, as far as it goes. It returns the nodes passed,
// the top first; the path is there when there is one node more than steps.
func (f *File) find(p Path) ([]*node, error) {
	nodes := []*node{f.root}
	at := f.root
	for i, s := range p {
		if at.yaml.Kind == yaml.AliasNode {
			return nil, fmt.Errorf("%s %w", p[:i], ErrShared)
		}
		k := at.child(s)
		if k == nil {
			if s.Key != "" && at.has("<<") {
				return nil, fmt.Errorf("%s takes keys from elsewhere and %w", p[:i], ErrShared)
			}
			break
		}
		at = k.val
		nodes = append(nodes, at)
	}
	return nodes, nil
}

// Has reports whether there is a value at a path, and whether it is a list, and
// how many items it then has.
func (f *File) Has(p Path) (ok, list bool, items int) {
	if f.root == nil {
		return false, false, 0
	}
	nodes, err := f.find(p)
	if err != nil || len(nodes) <= len(p) {
		return false, false, 0
	}
	last := nodes[len(p)]
	return true, last.yaml.Kind == yaml.SequenceNode, len(last.kids)
}

// PathAt returns the path of the value that begins at a line and column, both
// from 1, the column in characters; where several begin there, the innermost.
func (f *File) PathAt(line, column int) (Path, bool) {
	if f.root == nil {
		return nil, false
	}
	return f.root.pathAt(line, column, nil)
}

// habits looks at how the file is indented.
func (f *File) habits() {
	f.step, f.dash = 0, -1
	if f.root != nil {
		f.root.habits(f)
	}
	if f.step == 0 {
		f.step = 2
	}
	if f.dash < 0 {
		f.dash = f.step
	}
}

func (n *node) habits(f *File) {
	for _, k := range n.kids {
		if k.key != nil && !n.flow && !k.val.flow && k.val.block() {
			switch diff := k.val.indent - n.indent; {
			case k.val.yaml.Kind == yaml.MappingNode && f.step == 0 && diff > 0:
				f.step = diff
			case k.val.yaml.Kind == yaml.SequenceNode && f.dash < 0:
				f.dash = diff
			}
		}
		k.val.habits(f)
	}
}
