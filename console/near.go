package console

import (
	"iter"
	"strings"

	"github.com/agnivade/levenshtein"
)

// longest is up to what length a name is compared with others: the time for
// it grows with the square.
const longest = 200

// nearest returns the name most like the one given, or "" where none is near
// enough to be what was meant: one change in the first four characters, one
// more in every further four. A name that ends with what was given behind a
// slash is near too: people leave the cluster out.
func nearest(name string, names iter.Seq[string]) string {
	if len(name) > longest {
		return ""
	}
	best, least := "", 2+max(0, len(name)-1)/4
	lower := strings.ToLower(name)
	for n := range names {
		if len(n) > longest || n == name {
			continue
		}
		distance := levenshtein.ComputeDistance(lower, strings.ToLower(n))
		if strings.HasSuffix(n, "/"+name) {
			distance = 1
		}
		if distance < least || distance == least && best != "" && n < best {
			best, least = n, distance
		}
	}
	return best
}

// orNearest is the end of a message about a name that is not known.
func orNearest(near string) string {
	if near == "" {
		return ""
	}
	return "; nearest: " + near
}
