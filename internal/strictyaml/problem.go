package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is a position in a file; lines and columns count from 1.
type Place struct {
	File      string
	Line, Col int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Problem is something wrong with a document.
type Problem struct {
	Place   Place
	Path    string // of the value, such as pools.standard.places[0].cloud; empty: the document as a whole
	Message string
	Hint    string // the way out; may be empty
}

// String is the problem as people and editors read it; a hint stands on a
// line of its own.
func (p Problem) String() string {
	text := p.Place.String() + ": "
	if p.Path != "" {
		text += p.Path + ": "
	}
	text += p.Message
	if p.Hint != "" {
		text += "\n    " + p.Hint
	}
	return text
}

// Problems is all that is wrong with a document, as one error.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Sort sorts problems by place and drops those that say the same.
func (ps Problems) Sort() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line),
			cmp.Compare(a.Place.Col, b.Place.Col), strings.Compare(a.Path, b.Path), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(ps)
}
