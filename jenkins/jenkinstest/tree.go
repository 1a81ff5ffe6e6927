package jenkinstest

import "strings"

// A tree is what a request's tree= asks for: the names of fields, and what is
// asked for of each.
type tree map[string]tree

// has says whether a field is asked for.
func (t tree) has(name string) bool {
	if _, ok := t[name]; ok {
		return true
	}
	_, ok := t["*"]
	return ok
}

// parsedTree returns the tree of a text, and whether it is one. Each text is
// parsed once.
func (s *Server) parsedTree(text string) (tree, bool) {
	if t, ok := s.trees[text]; ok {
		return t, t != nil
	}
	t, rest := parseTree(text)
	if rest != "" {
		t = nil
	}
	s.trees[text] = t
	return t, t != nil
}

// parseTree reads fields up to the bracket that closes them. Ranges ({0,20})
// are read over.
func parseTree(text string) (tree, string) {
	t := tree{}
	for {
		end := strings.IndexAny(text, ",[]{")
		if end < 0 {
			end = len(text)
		}
		name := text[:end]
		t[name], text = nil, text[end:]
		if strings.HasPrefix(text, "[") {
			sub, rest := parseTree(text[1:])
			if !strings.HasPrefix(rest, "]") {
				return nil, "unclosed"
			}
			t[name], text = sub, rest[1:]
		}
		if strings.HasPrefix(text, "{") {
			_, rest, closed := strings.Cut(text, "}")
			if !closed {
				return nil, "unclosed"
			}
			text = rest
		}
		if !strings.HasPrefix(text, ",") {
			return t, text
		}
		text = text[1:]
	}
}
