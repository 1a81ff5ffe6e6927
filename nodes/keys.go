package nodes

import (
	"cmp"
	"maps"
	"slices"
)

// sortedKeys returns the keys of m in order, so that what is done for each is
// done in the same order each time.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
