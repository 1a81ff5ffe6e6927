// Package strictyaml reads YAML into Go structs and lets nothing pass that
// the structs do not say: no unknown key, no wrong type, no key twice, no
// value out of range. It reports every problem, with its place and, where it
// can, the way out. From the same structs it makes a JSON Schema for editors
// and a reference for people.
//
// Decode lists the types and the tags that fields may have. Read it first,
// then shape, which is what it makes of them.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Bounds of a document. A configuration is far below them; a file that is
// not, or one whose anchors multiply, is refused before it costs anything.
const (
	maxBytes  = 1 << 20
	maxValues = 100_000
)

// Checker is implemented by types with rules that no tag expresses. Check is
// called on a value that has no other problem; its error is what is wrong and
// the way out, without the path. Inlined structs are not values, and not
// asked.
type Checker interface{ Check() error }

// Document knows where the values of a document stand.
type Document struct {
	file   string
	places map[string]Place
}

// At returns the place of the value with the given path, or of the nearest
// one around it that is there. The place of a map or list is that of its key.
func (d *Document) At(path string) Place {
	for {
		if p, ok := d.places[path]; ok {
			return p
		}
		if path == "" {
			return Place{d.file, 1, 1}
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// Has reports whether the document itself has a value at the path, so that a
// default can be told from what was written.
func (d *Document) Has(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Problem returns a problem of the value with the given path.
func (d *Document) Problem(path, message, hint string) Problem {
	return Problem{Place: d.At(path), Path: path, Message: message, Hint: hint}
}

// Decode reads one YAML document into the struct that into points to. It
// returns all problems, sorted, and into is of use only where there are none.
//
// Fields are string, bool, int, int64, float64, time.Duration, Size, structs,
// slices and maps with string keys of these, and pointers to them for what
// may be left out; types must not be recursive. A field has the tags
//
//	yaml      its key; ",inline" for a pointer to a struct with a when tag
//	doc       one sentence for people
//	required  "true": must be there
//	default   in YAML, what stands for a missing value
//	enum      comma-separated, all that a string may be
//	min, max  of a number, duration or size; of the length of a list or map
//	pattern   a regular expression for all of a string
//	keys      the same for the keys of a map
//	example   a value, for people
//	when      "key=value": the keys of the inlined struct are known, and the
//	          pointer is set, only where the sibling key has that value
//
// A type may be a Checker besides. Decode panics where the struct itself is
// wrong, as with a default that is not of its field's type.
func Decode(file string, text []byte, into any) (*Document, Problems) {
	d := &decoder{doc: &Document{file: file, places: map[string]Place{}}}
	target := reflect.ValueOf(into).Elem()
	root := d.parse(text)
	if len(d.problems) == 0 {
		if root == nil {
			root = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1, Column: 1}
		}
		d.doc.places[""] = d.place(root)
		d.value(shapeOf(target.Type()), root, "", target)
	}
	return d.doc, d.problems.Sort()
}

// parse returns the root of the only document, nil for an empty one.
func (d *decoder) parse(text []byte) *yaml.Node {
	if len(text) > maxBytes {
		d.problem(Place{d.doc.file, 1, 1}, "", fmt.Sprintf("the file has %d bytes, and at most %d are read", len(text), maxBytes), "")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	if err := dec.Decode(&first); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		d.syntax(err)
		return nil
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		d.problem(d.place(&second), "", "a second document begins here", "keep one document in the file")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	if len(first.Content) != 1 {
		return nil
	}
	// A file of comments only is a document with a null.
	if root := first.Content[0]; root.Kind != yaml.ScalarNode || root.ShortTag() != "!!null" {
		return root
	}
	return nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\n\s*)?(?:line (\d+): )?`)

// syntax reports what the YAML parser cannot read; it knows the line only.
func (d *decoder) syntax(err error) {
	found := yamlLine.FindStringSubmatch(err.Error())
	line, message := 1, err.Error()
	if found != nil {
		message = message[len(found[0]):]
		if n, err := strconv.Atoi(found[1]); err == nil {
			line = n
		}
	}
	d.problem(Place{d.doc.file, line, 1}, "", "this is no YAML: "+message, "look at the lines just above, too: quotes, brackets and indentation")
}
