package yamledit

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"
)

// scalar returns the end of the scalar whose text begins at a byte.
func (s *spanner) scalar(n *yaml.Node, at int, p place) (int, error) {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return s.quoted(at, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return s.quoted(at, '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s.blockScalar(at, p.indent), nil
	}
	return s.plain(n, at)
}

func (s *spanner) quoted(at int, quote byte) (int, error) {
	if s.text[at] != quote {
		return 0, fmt.Errorf("a quote is missing at byte %d", at)
	}
	for at++; at < len(s.text); at++ {
		switch {
		case s.text[at] == '\\' && quote == '"':
			at++
		case s.text[at] == quote && quote == '\'' && at+1 < len(s.text) && s.text[at+1] == quote:
			at++
		case s.text[at] == quote:
			return at + 1, nil
		}
	}
	return 0, fmt.Errorf("a quote is not closed")
}

// plain follows the value along the text; they differ only where a line was
// folded into a space, or empty lines into line breaks.
func (s *spanner) plain(n *yaml.Node, at int) (int, error) {
	value := n.Value
	for j := 0; j < len(value); {
		if at >= len(s.text) {
			return 0, fmt.Errorf("line %d: the end of this text cannot be found", n.Line)
		}
		if value[j] == ' ' || value[j] == '\n' {
			breaks, next := s.fold(at)
			if breaks > 0 {
				want := " "
				if breaks > 1 {
					want = string(bytes.Repeat([]byte("\n"), breaks-1))
				}
				if len(value) < j+len(want) || value[j:j+len(want)] != want {
					return 0, fmt.Errorf("line %d: the end of this text cannot be found", n.Line)
				}
				at, j = next, j+len(want)
				continue
			}
		}
		if s.text[at] != value[j] {
			return 0, fmt.Errorf("line %d: the end of this text cannot be found", n.Line)
		}
		at++
		j++
	}
	return at, nil
}

// fold counts the line breaks in the white space at a byte.
func (s *spanner) fold(at int) (breaks, next int) {
	for at < len(s.text) && space(s.text[at]) {
		if s.text[at] == '\n' {
			breaks++
		}
		at++
	}
	return breaks, at
}

// blockScalar returns the end of the last line of a text behind | or >. With
// the sign + the empty lines after it are part of it.
func (s *spanner) blockScalar(at, parent int) int {
	header := at + 1
	keep, indent := false, 0
	for ; header < len(s.text) && !space(s.text[header]); header++ {
		switch b := s.text[header]; {
		case b == '+':
			keep = true
		case b >= '1' && b <= '9':
			indent = max(parent, 0) + int(b-'0')
		}
	}
	end := header
	for line := lineAfter(s.text, header); line < len(s.text); line = lineAfter(s.text, line) {
		stop := lineEnd(s.text, line)
		text := bytes.TrimLeft(s.text[line:stop], " ")
		blanks := stop - line - len(text)
		switch {
		case len(text) == 0 && (indent == 0 || blanks <= indent):
			if keep {
				end = stop
			}
			continue
		case indent == 0:
			if indent = blanks; blanks <= parent {
				return end
			}
		case blanks < indent:
			return end
		}
		end = stop
	}
	return end
}

// lineStart returns where the line of a byte begins.
func lineStart(text []byte, at int) int { return bytes.LastIndexByte(text[:at], '\n') + 1 }

// lineEnd returns where the line of a byte ends, before its line break.
func lineEnd(text []byte, at int) int {
	i := bytes.IndexByte(text[at:], '\n')
	if i < 0 {
		return len(text)
	}
	if i > 0 && text[at+i-1] == '\r' {
		i--
	}
	return at + i
}

// lineAfter returns where the next line begins.
func lineAfter(text []byte, at int) int {
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(text)
}
