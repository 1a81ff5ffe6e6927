// Package groovy reads Pipeline scripts as far as they are plain: calls of
// steps with literal arguments and closures, and variables with literal
// values. That is how most Pipelines look that people keep in a Jenkins job,
// and all of Declarative but its script blocks.
//
// What it cannot read (conditions, loops, try, methods, expressions) is an
// error with its line, and never a guess.
//
// Read first Statement and Call, then Parse.
package groovy

import (
	"fmt"
	"strings"
)

// A Statement is a call of a step, or an assignment.
type Statement struct {
	Line int    // from 1
	Name string // the variable of an assignment; "" = a call
	Call Call
	Set  Value // of an assignment
}

// A Call is a step with its arguments: node('x') {…}.
type Call struct {
	Name  string // with dots: a.b
	Args  []Value
	Named []Named
	Body  []Statement
	Block bool   // it has a closure, perhaps an empty one
	Text  string // as it stands in the script, on one line, cut to 8 KiB
}

// Arg returns the named argument, or nil.
func (c *Call) Arg(name string) *Value {
	for i := range c.Named {
		if c.Named[i].Name == name {
			return &c.Named[i].Value
		}
	}
	return nil
}

// Named is a named argument.
type Named struct {
	Name  string
	Value Value
}

// Kind is the sort of a value.
type Kind int

// The kinds of values.
const (
	Text   Kind = iota // a string, in Parts
	Number             // in Word
	Name               // a name such as true, any or scm, in Word
	List               // in Items
	Nested             // a call, in Call
)

// A Value is a literal, a name, a list or a call.
type Value struct {
	Kind  Kind
	Parts []Part
	Word  string
	Items []Value
	Call  *Call
}

// Part is a piece of a string: text, or the expression that stands in ${…}.
type Part struct {
	Text string
	Ref  bool // Text is the expression
}

// Plain is the text of a string without references, or of a number or name.
func (v *Value) Plain() (string, bool) {
	switch {
	case v == nil:
		return "", false
	case v.Kind == Number || v.Kind == Name:
		return v.Word, true
	case v.Kind != Text:
		return "", false
	}
	var b strings.Builder
	for _, p := range v.Parts {
		if p.Ref {
			return "", false
		}
		b.WriteString(p.Text)
	}
	return b.String(), true
}

// Error says what could not be read, and where.
type Error struct {
	Line   int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d of the pipeline: %s", e.Line, e.Reason) }

// Limits of a script.
const (
	MaxScript = 256 << 10 // bytes
	maxDepth  = 50
	maxText   = 8 << 10 // of Call.Text
)

// Parse reads a script. The error is an *Error.
func Parse(script string) ([]Statement, error) {
	if len(script) > MaxScript {
		return nil, &Error{1, fmt.Sprintf("it has %d bytes; %d KiB is the most that is read", len(script), MaxScript>>10)}
	}
	tokens, err := scan(script)
	if err != nil {
		return nil, err
	}
	p := &parser{text: script, tokens: tokens}
	out, err := p.statements(false, 0)
	if err != nil {
		return nil, err
	}
	return out, nil
}
