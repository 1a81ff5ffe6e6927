package yamledit

import (
	"cmp"
	"fmt"
	"slices"
)

// splice puts text in the place of the bytes from..to of the old text.
type splice struct {
	from, to int
	text     string
}

// apply makes splices, which must not overlap. Of two at one place the one
// that comes first stays first.
func apply(text []byte, splices []splice) ([]byte, error) {
	sorted := slices.Clone(splices)
	slices.SortStableFunc(sorted, func(a, b splice) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	out := make([]byte, 0, len(text)+64)
	at := 0
	for _, s := range sorted {
		if s.from < at || s.to < s.from || s.to > len(text) {
			return nil, fmt.Errorf("two changes overlap at byte %d", s.from)
		}
		out = append(out, text[at:s.from]...)
		out = append(out, s.text...)
		at = s.to
	}
	return append(out, text[at:]...), nil
}
