package jobxml

import (
	"encoding/xml"
	"strings"
)

// WriteTo writes an element as XML, indented, with Hidden in the place of
// secrets. Of attributes only the class is left.
func (e *Element) WriteTo(b *strings.Builder) { e.write(b, "", false) }

func (e *Element) write(b *strings.Builder, indent string, hidden bool) {
	b.WriteString(indent + "<" + e.Name)
	if e.Class != "" {
		b.WriteString(` class="`)
		escape(b, e.Class)
		b.WriteString(`"`)
	}
	switch {
	case len(e.Kids) > 0:
		b.WriteString(">\n")
		for _, kid := range e.Kids {
			kid.write(b, indent+"  ", e.hides(kid))
		}
		b.WriteString(indent)
	case e.Raw == "":
		b.WriteString("/>\n")
		return
	default:
		b.WriteString(">")
		if hidden || Redact(e.Name, e.Text) == Hidden {
			b.WriteString(Hidden)
		} else {
			escape(b, withoutPasswords(e.Raw))
		}
	}
	b.WriteString("</" + e.Name + ">\n")
}

func escape(b *strings.Builder, text string) {
	// A builder takes everything.
	_ = xml.EscapeText(b, []byte(text))
}
