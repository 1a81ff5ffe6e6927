package dsl

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// A literal of Groovy holds at most 65,535 UTF-16 units and 65,535 bytes of
// modified UTF-8, a list in a Pipeline at most 250 elements, a method of the
// JVM 64 kB of code, and a job's XML, on Java 24 and later, 100,000 characters
// that are written as &quot; and the like. All are kept by far.
const (
	maxPiece   = 16 << 10 // written bytes after which a literal is ended
	maxPieces  = 64       // literals of that size in one list: 1 MB
	maxRun     = 2 << 10  // bytes of a text that are written without a look at maxPiece
	maxLines   = 400      // lines of people's texts in one job with a line of the file each
	maxElement = 5000     // lines of the file in one job
	maxInValue = 4 << 10  // bytes of a value that cannot be cut, such as a credential's id
)

// writer appends the text of one job. The first error stays, and what is
// written behind it does not matter.
type writer struct {
	dst   []byte
	piece int    // where in dst the literal at hand began
	ended int    // literals that were ended for their size
	lines int    // lines of people's texts that have a line of the file
	what  string // the field that is written, for an error
	index int    // the entry of that field; -1 = none
	err   error
}

// raw appends text of this package, which is quoted already.
func (w *writer) raw(text string) { w.dst = append(w.dst, text...) }

// begin notes that a literal, or a list of literals, begins here.
func (w *writer) begin() { w.piece, w.ended = len(w.dst), 0 }

// end checks the size of a list of literals in a Pipeline.
func (w *writer) end() {
	if w.ended > maxPieces {
		w.field("spec", -1)
		w.fail("its scripts and arguments are larger than %d MB; put large scripts into the artifact", maxPieces*maxPiece>>20)
	}
}

// literal appends s as an expression of Groovy in a Job DSL file: '…', or
// ['…', '…'].join(”) where it is too long for one literal. The plus sign
// would not do: the compiler's stack overflows on a long sum.
func (w *writer) literal(s string) {
	w.begin()
	if len(s) <= maxRun {
		w.raw("'")
		w.run(inGroovy, s)
		w.raw("'")
		return
	}
	w.raw("['")
	w.text(inGroovy, s)
	w.raw("'].join('')")
}

// field says which field of the batch is written from here.
func (w *writer) field(what string, index int) { w.what, w.index = what, index }

// fail notes an error about the field at hand.
func (w *writer) fail(format string, args ...any) {
	if w.err != nil {
		return
	}
	what := w.what
	if w.index >= 0 {
		what = fmt.Sprintf("%s[%d]", what, w.index)
	}
	w.err = fmt.Errorf("%s: %s", what, fmt.Sprintf(format, args...))
}

// text appends a text that a person wrote, in the context that t describes.
// CRLF becomes LF.
func (w *writer) text(t *table, s string) {
	for len(s) > maxRun {
		cut := maxRun
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		if cut > 0 && s[cut-1] == '\r' { // leave it to its line feed
			cut--
		}
		if cut == 0 {
			cut = 1 // not UTF-8; run refuses it
		}
		w.run(t, s[:cut])
		s = s[cut:]
	}
	w.run(t, s)
}

// run appends a short text.
func (w *writer) run(t *table, s string) {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if t.plain[c] {
			i++
			continue
		}
		w.dst = append(w.dst, s[start:i]...)
		switch {
		case c >= utf8.RuneSelf:
			i += w.rune(t, s[i:])
		case c == '\r' && i+1 < len(s) && s[i+1] == '\n':
			i++
		case c == '\n' && t.line != "" && w.lines < maxLines:
			w.dst = append(append(w.dst, t.ascii[c]...), t.line...)
			w.lines++
			i++
		case t.ascii[c] == "":
			w.refuse(rune(c))
			return
		default:
			w.dst = append(w.dst, t.ascii[c]...)
			i++
		}
		start = i
	}
	w.dst = append(w.dst, s[start:]...)
	if len(w.dst)-w.piece > maxPiece {
		w.dst = append(w.dst, t.next...)
		w.piece = len(w.dst)
		w.ended++
	}
}

// rune appends the first character of s, which is none of ASCII, and returns
// its size in bytes.
func (w *writer) rune(t *table, s string) int {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError && size <= 1:
		w.fail("the byte 0x%02X is not UTF-8; save the file as UTF-8", s[0])
	case r < 0xa0 || r == 0xfffe || r == 0xffff:
		w.refuse(r)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		w.unit(t, high)
		w.unit(t, low)
	default:
		w.unit(t, r)
	}
	return size
}

// unit appends one UTF-16 unit as \uXXXX.
func (w *writer) unit(t *table, u rune) {
	const hex = "0123456789abcdef"
	w.dst = append(append(w.dst, t.unit...), 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}

// refuse notes that a character cannot be written.
func (w *writer) refuse(r rune) {
	w.fail("the character U+%04X cannot be stored by Jenkins; leave it out", r)
}
