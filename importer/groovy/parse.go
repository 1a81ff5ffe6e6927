package groovy

import (
	"fmt"
	"strings"
)

type parser struct {
	text   string
	tokens []token
	at     int
}

func (p *parser) peek() *token { return &p.tokens[p.at] }

func (p *parser) is(text string) bool { t := p.peek(); return t.kind == sign && t.text == text }

// take passes over a sign, if it is the next.
func (p *parser) take(text string) bool {
	if p.is(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) newlines() {
	for p.peek().kind == newline {
		p.at++
	}
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{p.peek().line, fmt.Sprintf(format, args...)}
}

// control are the words that make a script more than a list of steps.
var control = map[string]string{"if": "a condition", "else": "a condition", "for": "a loop", "while": "a loop", "do": "a loop", "switch": "a condition",
	"try": "a try", "catch": "a try", "finally": "a try", "return": "a return", "throw": "a throw", "import": "an import", "class": "a class", "new": "an object", "assert": "an assert"}

// statements reads up to the end, or up to the brace that closes a block.
func (p *parser) statements(block bool, depth int) ([]Statement, error) {
	if depth > maxDepth {
		return nil, p.fail("blocks stand more than %d deep", maxDepth)
	}
	var out []Statement
	for {
		for p.peek().kind == newline || p.is(";") {
			p.at++
		}
		switch {
		case p.peek().kind == end && block:
			return nil, p.fail("a block does not end")
		case p.peek().kind == end:
			return out, nil
		case p.is("}") && block:
			p.at++
			return out, nil
		}
		s, err := p.statement(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
		if t := p.peek(); t.kind != newline && t.kind != end && !p.is(";") && !p.is("}") {
			return nil, p.fail("after %s stands %s, which is not read", s.what(), p.show())
		}
	}
}

func (s *Statement) what() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Call.Name
}

func (p *parser) show() string {
	t := p.peek()
	if t.kind == text {
		return "a string"
	}
	if t.kind == newline || t.kind == end {
		return "nothing more"
	}
	return t.text
}

func (p *parser) statement(depth int) (Statement, error) {
	t := *p.peek()
	s := Statement{Line: t.line}
	if t.kind != word {
		return s, p.fail("%s begins no step", p.show())
	}
	if what := control[t.text]; what != "" {
		return s, p.fail("it holds %s (%s); batchctl reads plain steps", what, t.text)
	}
	// def NAME = …, String NAME = …, NAME = …
	at := p.at
	if next := p.tokens[p.at+1]; next.kind == word && p.tokens[p.at+2].text == "=" && p.tokens[p.at+2].kind == sign {
		at++
	}
	if next := p.tokens[at+1]; next.kind == sign && next.text == "=" {
		s.Name = p.tokens[at].text
		p.at = at + 2
		var err error
		s.Set, err = p.value(depth + 1)
		return s, err
	}
	if t.text == "def" {
		return s, p.fail("it defines a method or a variable without a value")
	}
	var err error
	s.Call, err = p.call(depth)
	return s, err
}

// call reads a step: a name, arguments with or without parentheses, and a
// closure.
func (p *parser) call(depth int) (Call, error) {
	start := p.peek().start
	c := Call{Name: p.peek().text}
	p.at++
	for p.is(".") && p.tokens[p.at+1].kind == word {
		c.Name += "." + p.tokens[p.at+1].text
		p.at += 2
	}
	var err error
	switch {
	case p.take("("):
		p.newlines()
		err = p.arguments(&c, ")", depth)
	case p.is("{"), p.peek().kind == newline, p.peek().kind == end, p.is("}"), p.is(";"), p.is(","), p.is(")"), p.is("]"):
	default:
		err = p.arguments(&c, "", depth)
	}
	if err != nil {
		return c, err
	}
	if p.take("{") {
		c.Block = true
		if c.Body, err = p.statements(true, depth+1); err != nil {
			return c, err
		}
	}
	c.Text = strings.Join(strings.Fields(p.text[start:p.tokens[p.at-1].end]), " ")
	if len(c.Text) > maxText {
		c.Text = strings.ToValidUTF8(c.Text[:maxText], "") + "…"
	}
	return c, nil
}

// arguments reads arguments up to the closing sign, or, where that is "", up
// to the end of the line.
func (p *parser) arguments(c *Call, closing string, depth int) error {
	for {
		if closing != "" {
			p.newlines()
			if p.take(closing) {
				return nil
			}
		}
		name := ""
		if t := p.peek(); t.kind == word && p.tokens[p.at+1].kind == sign && p.tokens[p.at+1].text == ":" {
			name = t.text
			p.at += 2
			p.newlines()
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		if name != "" {
			c.Named = append(c.Named, Named{name, v})
		} else {
			c.Args = append(c.Args, v)
		}
		if closing != "" {
			p.newlines()
		}
		if p.take(",") {
			p.newlines()
			continue
		}
		if closing == "" {
			return nil
		}
		if !p.take(closing) {
			return p.fail("an argument of %s is more than a plain value: %s", c.Name, p.show())
		}
		return nil
	}
}

func (p *parser) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, p.fail("values stand more than %d deep", maxDepth)
	}
	t := *p.peek()
	switch {
	case t.kind == text:
		p.at++
		return Value{Kind: Text, Parts: t.parts}, nil
	case t.kind == number:
		p.at++
		return Value{Kind: Number, Word: t.text}, nil
	case t.kind == word && control[t.text] == "":
		next := p.tokens[p.at+1]
		if next.kind == sign && (next.text == "(" || next.text == ".") {
			c, err := p.call(depth + 1)
			return Value{Kind: Nested, Call: &c}, err
		}
		if next.kind == word || next.kind == text {
			c, err := p.call(depth + 1)
			return Value{Kind: Nested, Call: &c}, err
		}
		p.at++
		return Value{Kind: Name, Word: t.text}, nil
	case p.take("["):
		return p.list(depth)
	}
	if p.show() == "{" {
		return Value{}, p.fail("a block stands where a value would, as in parallel; batchctl reads plain steps")
	}
	return Value{}, p.fail("%s is no plain value", p.show())
}

// list reads a list. One with named entries is a call without a name:
// [$class: 'X', a: 1].
func (p *parser) list(depth int) (Value, error) {
	c := Call{Name: "list"}
	if err := p.arguments(&c, "]", depth+1); err != nil {
		return Value{}, err
	}
	if len(c.Named) > 0 {
		return Value{Kind: Nested, Call: &c}, nil
	}
	return Value{Kind: List, Items: c.Args}, nil
}
