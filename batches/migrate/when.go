package migrate

import (
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
func split(docs, all []*batches.Document) []part {
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
	wanted := map[string]bool{}
	for _, d := range docs {
		wanted[d.Path] = true
	}
	names := map[string][]string{}
	for _, key := range dimensions {
		names[key] = namesOf(docs, key)
	}
	exact := func(without string) bool {
		for _, d := range all {
			if !wanted[d.Path] && matches(d, names, without) {
				return false
			}
		}
		return true
	}
	if !exact("") {
		return nil, false
	}
	for _, key := range dimensions {
		if len(names) > 1 && exact(key) {
			delete(names, key)
		}
	}
	var w when
	for i := len(dimensions) - 1; i >= 0; i-- {
		if n := names[dimensions[i]]; n != nil {
			w = append(w, condition{dimensions[i], n})
		}
	}
	return w, true
}

func matches(d *batches.Document, names map[string][]string, without string) bool {
	for key, n := range names {
		if _, found := slices.BinarySearch(n, d.Coordinate(key)); key != without && !found {
			return false
		}
	}
	return true
}

func namesOf(docs []*batches.Document, key string) []string {
	var names []string
	for _, d := range docs {
		names = append(names, d.Coordinate(key))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
