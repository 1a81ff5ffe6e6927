package batches

import (
	"iter"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest returns the name most like the one given, or "" where none is near
// enough to be what was meant: about one change in three characters, and at
// least one character right.
func nearest(name string, names iter.Seq[string]) string {
	best, least := "", min(1+(len(name)+2)/3, len(name))
	lower := strings.ToLower(name)
	for n := range names {
		if n == name {
			continue
		}
		if diff := len(n) - len(name); diff >= least || -diff >= least {
			continue
		}
		if d := levenshtein.ComputeDistance(lower, strings.ToLower(n)); d < least || d == least && best != "" && n < best {
			best, least = n, d
		}
	}
	return best
}

// didYouMean is the hint for a near name, or "".
func didYouMean(name string, names iter.Seq[string]) string {
	if n := nearest(name, names); n != "" {
		return "did you mean " + n + "?"
	}
	return ""
}
