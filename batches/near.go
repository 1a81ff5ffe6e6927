package batches

import (
	"iter"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest returns the name most like the one given, or "" where none is near
// enough to be what was meant: one change in the first four characters, one
// more in every further four. Two characters that changed places are one
// change.
func nearest(name string, names iter.Seq[string]) string {
	if len(name) < 2 {
		return ""
	}
	best, least := "", 2+(len(name)-1)/4
	lower := strings.ToLower(name)
	for n := range names {
		if n == name {
			continue
		}
		if diff := len(n) - len(name); diff >= least || -diff >= least {
			continue
		}
		if d := distance(lower, strings.ToLower(n)); d < least || d == least && best != "" && n < best {
			best, least = n, d
		}
	}
	return best
}

// distance counts the changes between two names.
func distance(a, b string) int {
	if len(a) == len(b) {
		i := 0
		for i < len(a) && a[i] == b[i] {
			i++
		}
		if i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
			return 1
		}
	}
	return levenshtein.ComputeDistance(a, b)
}

// didYouMean is the hint for a near name, or "".
func didYouMean(name string, names iter.Seq[string]) string {
	if n := nearest(name, names); n != "" {
		return "did you mean " + n + "?"
	}
	return ""
}
