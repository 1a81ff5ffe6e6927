// Package jobxml reads the config.xml of Jenkins' jobs.
//
// A document becomes a tree of elements (Parse), and that a Job (Read). What
// Read takes out of the tree it marks, and whatever is not marked in the end
// is in Job.Rest: there is no third place for a setting to go.
package jobxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a document. The largest job of a real Jenkins has some hundred
// kilobytes, nearly all of it script.
const (
	MaxSize     = 4 << 20 // bytes
	maxDepth    = 64
	maxElements = 100_000
)

// An Element is an element of a document. Comments and processing
// instructions are left out.
type Element struct {
	Name  string // with its prefix of a package: hudson.tasks.Shell
	Class string // of the class attribute
	Text  string // its text without white space around it, where it has no children
	Raw   string // its text as it stands, line ends as LF
	Kids  []*Element

	taken bool
}

// Parse reads a document. XML 1.1 is read as 1.0, as Jenkins writes the one
// header for all it has; a document type, an entity other than the five of
// XML, an encoding other than UTF-8 and anything beyond the limits is an
// error. No error repeats the document's text.
func Parse(text []byte) (*Element, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("has more than %d MiB; no job has that much", MaxSize>>20)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("is not UTF-8; save it as UTF-8")
	}
	body, err := withoutHeader(text)
	if err != nil {
		return nil, err
	}
	p := parser{decoder: xml.NewDecoder(bytes.NewReader(body)), lines: bytes.Count(text[:len(text)-len(body)], []byte("\n"))}
	return p.document()
}

// withoutHeader cuts the XML declaration off. encoding/xml refuses any
// version but 1.0 there, and what 1.1 has beyond it (control characters as
// references) no shell script has.
func withoutHeader(text []byte) ([]byte, error) {
	body := bytes.TrimPrefix(text, []byte("\ufeff"))
	if !bytes.HasPrefix(body, []byte("<?xml ")) {
		return body, nil
	}
	header, body, ok := bytes.Cut(body, []byte("?>"))
	if !ok || len(header) > 200 {
		return nil, errors.New("its XML declaration does not end; it should read <?xml version='1.1' encoding='UTF-8'?>")
	}
	_, encoding, found := strings.Cut(strings.ToLower(string(header)), "encoding=")
	if found && !strings.HasPrefix(strings.Trim(encoding, `'" `), "utf-8") {
		return nil, errors.New("says that it is in another encoding than UTF-8; save it as UTF-8")
	}
	return body, nil
}

type parser struct {
	decoder *xml.Decoder
	lines   int // of the declaration, which the decoder does not see
	count   int
	open    []*Element
	texts   [][]byte // of the open elements
	root    *Element
}

func (p *parser) document() (*Element, error) {
	for {
		token, err := p.decoder.Token()
		switch {
		case err == io.EOF && p.root != nil && len(p.open) == 0:
			return p.root, nil
		case err == io.EOF:
			return nil, errors.New("holds no element, or ends within one; it is no config.xml, or was cut off")
		case err != nil:
			return nil, p.fault(err)
		}
		if err := p.token(token); err != nil {
			line, _ := p.decoder.InputPos()
			return nil, fmt.Errorf("line %d: %w", line+p.lines, err)
		}
	}
}

// fault is a syntax error without the decoder's own prefix, and with the line
// of the whole document.
func (p *parser) fault(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		if strings.Contains(syntax.Msg, "entity") {
			return fmt.Errorf("line %d: holds an entity that XML does not define itself; such are not read", syntax.Line+p.lines)
		}
		return fmt.Errorf("line %d: is no XML: %s", syntax.Line+p.lines, printable(syntax.Msg))
	}
	return fmt.Errorf("is no XML: %s", printable(err.Error()))
}

// printable is the first part of a message, without what could colour a
// terminal.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if r := []rune(text); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return text
}

func (p *parser) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return errors.New("holds a document type (<!…>), which Jenkins never writes; remove it")
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		p.end()
	case xml.CharData:
		if len(p.open) == 0 {
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("has text outside of its element")
			}
			return nil
		}
		last := len(p.open) - 1
		p.texts[last] = append(p.texts[last], t...)
	}
	return nil
}

func (p *parser) start(t xml.StartElement) error {
	if p.count++; p.count > maxElements {
		return fmt.Errorf("has more than %d elements", maxElements)
	}
	if len(p.open) == maxDepth {
		return fmt.Errorf("has elements more than %d deep", maxDepth)
	}
	e := &Element{Name: t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Local == "class" {
			e.Class = a.Value
		}
	}
	switch {
	case len(p.open) > 0:
		parent := p.open[len(p.open)-1]
		parent.Kids = append(parent.Kids, e)
	case p.root != nil:
		return errors.New("has a second element beside its first")
	default:
		p.root = e
	}
	p.open = append(p.open, e)
	p.texts = append(p.texts, nil)
	return nil
}

func (p *parser) end() {
	last := len(p.open) - 1
	if e := p.open[last]; len(e.Kids) == 0 {
		e.Raw = strings.ReplaceAll(strings.ReplaceAll(string(p.texts[last]), "\r\n", "\n"), "\r", "\n")
		e.Text = strings.TrimSpace(e.Raw)
	}
	p.open, p.texts = p.open[:last], p.texts[:last]
}
