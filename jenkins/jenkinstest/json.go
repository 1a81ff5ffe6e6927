package jenkinstest

import (
	"encoding/json"
	"strconv"
)

// An encoder writes JSON by hand: a simulation asks for the queue a hundred
// thousand times.
type encoder struct {
	b []byte
}

// open begins an object of a class.
func (e *encoder) open(class string) {
	e.b = append(append(append(e.b, `{"_class":"`...), class...), '"')
}

func (e *encoder) close() { e.b = append(e.b, '}') }

// key begins a field.
func (e *encoder) key(name string) {
	e.b = append(append(append(e.b, `,"`...), name...), `":`...)
}

func (e *encoder) text(name, value string) {
	e.key(name)
	e.quote(value)
}

// textOrNull writes null for "".
func (e *encoder) textOrNull(name, value string) {
	e.key(name)
	if value == "" {
		e.b = append(e.b, "null"...)
		return
	}
	e.quote(value)
}

func (e *encoder) bool(name string, value bool) {
	e.key(name)
	e.b = strconv.AppendBool(e.b, value)
}

func (e *encoder) int(name string, value int64) {
	e.key(name)
	e.b = strconv.AppendInt(e.b, value, 10)
}

// begin begins a list, next an element of it, end ends it.
func (e *encoder) begin(name string) {
	e.key(name)
	e.b = append(e.b, '[')
}

func (e *encoder) next() {
	if e.b[len(e.b)-1] != '[' {
		e.b = append(e.b, ',')
	}
}

func (e *encoder) end() { e.b = append(e.b, ']') }

func (e *encoder) quote(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always can be
			e.b = append(e.b, quoted...)
			return
		}
	}
	e.b = append(append(append(e.b, '"'), s...), '"')
}
