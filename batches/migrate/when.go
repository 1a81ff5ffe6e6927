package migrate

import (
	"maps"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// when says which jobs an override is for: those that match all conditions.
type when []condition

type condition struct {
	key   string
	names []string // sorted
}

func (w when) yaml() yamledit.Map {
	var m yamledit.Map
	for _, c := range w {
		if len(c.names) == 1 {
			m = append(m, yamledit.Pair{Key: c.key, Value: c.names[0]})
			continue
		}
		var list yamledit.List
		for _, n := range c.names {
			list = append(list, n)
		}
		m = append(m, yamledit.Pair{Key: c.key, Value: list})
	}
	return m
}

// part is some jobs and the condition that they alone match.
type part struct {
	docs []*batches.Document
	when when
}

// dimensions are the coordinates in the order in which a condition may do
// without them. Names of batches go first: without them a condition stays right
// for batches to come. The cluster stays longest, so that what was selected by
// it does not reach another cluster one day.
var dimensions = []string{"app", "phase", "type", "group", "cluster", "kind"}

// split finds conditions that some documents match and no other one of all. One
// is enough if they are a block: all batches of some groups on some clusters.
// Otherwise there is one for the batches of a group that have the same clusters.
// Documents that are not among all are left out.
func split(docs, all []*batches.Document) []part {
	reach := setOf(all)
	docs = slices.DeleteFunc(slices.Clone(docs), func(d *batches.Document) bool { return !reach[d] })
	if w, ok := condense(docs, all); ok {
		return []part{{docs, w}}
	}
	clusters := map[string][]string{} // of each leaf
	for _, d := range docs {
		clusters[d.Leaf()] = append(clusters[d.Leaf()], d.Cluster)
	}
	at := map[string]int{}
	var parts []part
	for _, d := range docs {
		key := d.Group + "\x00" + strings.Join(clusters[d.Leaf()], "\x00")
		i, ok := at[key]
		if !ok {
			i = len(parts)
			at[key] = i
			parts = append(parts, part{})
		}
		parts[i].docs = append(parts[i].docs, d)
	}
	for i := range parts {
		parts[i].when, _ = condense(parts[i].docs, all)
	}
	return parts
}

// condense finds the shortest condition that is exact; ok is false where none
// is.
func condense(docs, all []*batches.Document) (when, bool) {
	names := make([]map[string]bool, len(dimensions))
	for k, key := range dimensions {
		names[k] = map[string]bool{}
		for _, d := range docs {
			names[k][d.Coordinate(key)] = true
		}
	}
	// Of each other document, the conditions that it fits, as bits: it is kept
	// out as long as one that it does not fit stays.
	others := fits(docs, all, names)
	exact := func(kept uint) bool {
		return !slices.ContainsFunc(others, func(fit uint) bool { return fit&kept == kept })
	}
	kept := uint(1)<<len(dimensions) - 1
	if !exact(kept) {
		return nil, false
	}
	for k := range dimensions {
		if without := kept &^ (1 << k); without != 0 && exact(without) {
			kept = without
		}
	}
	var w when
	for k := len(dimensions) - 1; k >= 0; k-- {
		if kept&(1<<k) != 0 {
			w = append(w, condition{dimensions[k], slices.Sorted(maps.Keys(names[k]))})
		}
	}
	return w, true
}

// fits says which conditions the documents fit that are not among docs: each
// combination once.
func fits(docs, all []*batches.Document, names []map[string]bool) []uint {
	wanted := setOf(docs)
	seen := map[uint]bool{}
	for _, d := range all {
		if wanted[d] {
			continue
		}
		fit := uint(0)
		for k, key := range dimensions {
			if names[k][d.Coordinate(key)] {
				fit |= 1 << k
			}
		}
		seen[fit] = true
	}
	return slices.Collect(maps.Keys(seen))
}

func setOf(docs []*batches.Document) map[*batches.Document]bool {
	out := make(map[*batches.Document]bool, len(docs))
	for _, d := range docs {
		out[d] = true
	}
	return out
}
