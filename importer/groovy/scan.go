package groovy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is the sort of a token.
type tokenKind int

const (
	word tokenKind = iota
	number
	text
	sign
	newline
	end
)

// token is a word, a number, a string, a sign, or the end of a line.
type token struct {
	kind       tokenKind
	text       string
	parts      []Part // of a string
	line       int
	start, end int // offsets in the script
}

type scanner struct {
	in   string
	at   int
	line int
	out  []token
}

func scan(in string) ([]token, error) {
	s := &scanner{in: in, line: 1}
	if strings.HasPrefix(in, "#!") {
		s.at = len(in) - len(strings.TrimLeftFunc(in, func(r rune) bool { return r != '\n' }))
	}
	for s.at < len(in) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	return append(s.out, token{kind: end, line: s.line, start: len(in), end: len(in)}), nil
}

func (s *scanner) fail(reason string) error { return &Error{s.line, reason} }

func (s *scanner) add(k tokenKind, start int) {
	s.out = append(s.out, token{kind: k, text: s.in[start:s.at], line: s.line, start: start, end: s.at})
}

func (s *scanner) next() error {
	start, rest := s.at, s.in[s.at:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r == '\n':
		s.at++
		s.add(newline, start)
		s.line++
	case unicode.IsSpace(r):
		s.at += size
	case r == '\\' && strings.HasPrefix(strings.TrimLeft(rest[1:], "\r"), "\n"):
		s.at += strings.IndexByte(rest, '\n') + 1
		s.line++
	case strings.HasPrefix(rest, "//"):
		s.at += len(rest) - len(strings.TrimLeftFunc(rest, func(r rune) bool { return r != '\n' }))
	case strings.HasPrefix(rest, "/*"):
		length := strings.Index(rest, "*/")
		if length < 0 {
			return s.fail("a comment does not end")
		}
		s.line += strings.Count(rest[:length], "\n")
		s.at += length + 2
	case r == '\'' || r == '"':
		return s.quoted()
	case r >= '0' && r <= '9':
		s.at += len(rest) - len(strings.TrimLeft(rest, "0123456789._"))
		s.add(number, start)
	case r == '_' || unicode.IsLetter(r):
		s.at += len(rest) - len(strings.TrimLeftFunc(rest, func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }))
		s.add(word, start)
	case strings.IndexByte("(){}[],:;.=@", byte(r)) >= 0 && r < utf8.RuneSelf:
		s.at++
		s.add(sign, start)
	default:
		return s.fail("it holds " + string(r) + ", which only an expression has; batchctl reads plain steps")
	}
	return nil
}

// quoted reads a string in any of its four quotes.
func (s *scanner) quoted() error {
	start, startLine := s.at, s.line
	quote := s.in[s.at : s.at+1]
	if strings.HasPrefix(s.in[s.at:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	s.at += len(quote)
	var parts []Part
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			parts = append(parts, Part{Text: plain.String()})
			plain.Reset()
		}
	}
	for {
		rest := s.in[s.at:]
		switch {
		case rest == "" || rest[0] == '\n' && len(quote) == 1:
			return &Error{startLine, "a string does not end"}
		case strings.HasPrefix(rest, quote):
			s.at += len(quote)
			flush()
			s.out = append(s.out, token{kind: text, parts: parts, line: startLine, start: start, end: s.at})
			return nil
		case rest[0] == '\\':
			piece, n, ok := escape(rest)
			if !ok {
				return s.fail("a string holds an escape that is not read: " + rest[:min(2, len(rest))])
			}
			s.line += strings.Count(rest[:n], "\n")
			plain.WriteString(piece)
			s.at += n
		case rest[0] == '$' && quote[0] == '"':
			ref, n := interpolation(rest)
			if n == 0 {
				return s.fail("a string holds a $ that begins no plain reference")
			}
			flush()
			parts = append(parts, Part{Text: ref, Ref: true})
			s.at += n
		default:
			if rest[0] == '\n' {
				s.line++
			}
			plain.WriteByte(rest[0])
			s.at++
		}
	}
}

// escape reads a backslash and what it stands before. n is how many bytes
// that takes.
func escape(rest string) (out string, n int, ok bool) {
	if len(rest) < 2 {
		return "", 0, false
	}
	switch c := rest[1]; c {
	case 'n':
		return "\n", 2, true
	case 't':
		return "\t", 2, true
	case 'r':
		return "\r", 2, true
	case '\\', '\'', '"', '$':
		return string(c), 2, true
	case '\n':
		return "", 2, true
	}
	return "", 0, false
}

// interpolation reads ${name.name} or $name.name. n is 0 for anything else.
func interpolation(rest string) (ref string, n int) {
	if strings.HasPrefix(rest, "${") {
		stop := strings.IndexByte(rest, '}')
		if stop < 0 {
			return "", 0
		}
		ref = strings.TrimSpace(rest[2:stop])
		if !dotted(ref) {
			return "", 0
		}
		return ref, stop + 1
	}
	end := 1
	for end < len(rest) && (rest[end] == '_' || rest[end] == '.' || alphanumeric(rest[end])) {
		end++
	}
	ref = strings.TrimRight(rest[1:end], ".")
	if !dotted(ref) {
		return "", 0
	}
	return ref, 1 + len(ref)
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// dotted reports names joined by dots.
func dotted(ref string) bool {
	for name := range strings.SplitSeq(ref, ".") {
		if name == "" || name[0] >= '0' && name[0] <= '9' {
			return false
		}
		for i := range len(name) {
			if name[i] != '_' && !alphanumeric(name[i]) {
				return false
			}
		}
	}
	return true
}
