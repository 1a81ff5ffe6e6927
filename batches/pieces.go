package batches

import (
	"fmt"
	"strings"
)

// Piece is a part of a text that a run completes: either plain text or the
// name of an environment variable whose value stands in its place.
type Piece struct {
	Text string
	Ref  bool // Text is a variable's name
}

// Pieces splits a text at its references ${NAME}. Two dollar signs before a
// brace, $${, stand for a plain ${; a dollar sign before anything else is
// plain too. It returns an error for a reference without a closing brace or
// with something else than a name in it.
func Pieces(text string) ([]Piece, error) {
	var pieces []Piece
	var plain strings.Builder
	for text != "" {
		i := strings.Index(text, "${")
		if i < 0 {
			break
		}
		if i > 0 && text[i-1] == '$' {
			plain.WriteString(text[:i-1] + "${")
			text = text[i+2:]
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			return nil, fmt.Errorf("${ without a closing brace; write $${ for a plain ${")
		}
		name := text[i+2 : i+end]
		if !isEnvName(name) {
			return nil, fmt.Errorf("${%s} is not a reference to a variable; write $${%s} for plain text", name, name)
		}
		plain.WriteString(text[:i])
		if plain.Len() > 0 {
			pieces = append(pieces, Piece{Text: plain.String()})
			plain.Reset()
		}
		pieces = append(pieces, Piece{Text: name, Ref: true})
		text = text[i+end+1:]
	}
	plain.WriteString(text)
	if plain.Len() > 0 {
		pieces = append(pieces, Piece{Text: plain.String()})
	}
	return pieces, nil
}

// isEnvName reports whether s can name an environment variable in every shell.
func isEnvName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
