package ec2test

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// element is a piece of XML of any kind.
type element struct {
	XMLName  xml.Name
	Text     string     `xml:",chardata"`
	Children []*element `xml:",any"`
}

// parse reads an answer of moto's. Namespaces are left out, but for the
// outermost.
func parse(text []byte) (*element, error) {
	var e element
	if err := xml.Unmarshal(text, &e); err != nil {
		return nil, err
	}
	for _, c := range e.Children {
		c.bare()
	}
	e.Text = ""
	return &e, nil
}

func (e *element) bare() {
	e.XMLName.Space = ""
	if e.Text = strings.TrimSpace(e.Text); len(e.Children) > 0 {
		e.Text = ""
	}
	for _, c := range e.Children {
		c.bare()
	}
}

func (e *element) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(e); err != nil {
		panic("ec2test: what was XML is none any more: " + err.Error())
	}
	return b.Bytes()
}

// at returns the first element on a way of names; nil: there is none.
func (e *element) at(way ...string) *element {
	for _, name := range way {
		var next *element
		if e != nil {
			for _, c := range e.Children {
				if c.XMLName.Local == name {
					next = c
					break
				}
			}
		}
		e = next
	}
	return e
}

// text returns the text at the end of a way, "" where there is none.
func (e *element) text(way ...string) string {
	if found := e.at(way...); found != nil {
		return found.Text
	}
	return ""
}

// items returns the items of the set at the end of a way.
func (e *element) items(way ...string) []*element {
	if set := e.at(way...); set != nil {
		return set.Children
	}
	return nil
}

// set gives the element at the end of a way a text, and makes the way.
func (e *element) set(text string, way ...string) {
	for _, name := range way {
		next := e.at(name)
		if next == nil {
			next = node(name)
			e.Children = append(e.Children, next)
		}
		e = next
	}
	e.Text = text
}

func node(name string, children ...*element) *element {
	return &element{XMLName: xml.Name{Local: name}, Children: children}
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes all
	return b.String()
}
