package factor

import (
	"cmp"
	"slices"
	"strings"
)

// sameAtLeast is how many values two variables must have in common to be one:
// with fewer it may be chance.
const sameAtLeast = 3

// merge makes one variable of those that have the same value in every job: the
// region of an argument, of a property and of a host. The shortest name stays.
func (v *variables) merge() {
	var names []string
	for name := range v.owner {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	for i, name := range names {
		for _, kept := range names[:i] {
			if v.owner[kept] != nil && v.alike(kept, name) {
				v.rename(name, kept)
				break
			}
		}
	}
}

func (v *variables) column(name string) *column { return v.table.column([]string{"vars", name}, free) }

func (v *variables) alike(a, b string) bool {
	values := map[*val]bool{}
	other := v.column(b).cell
	for i, cell := range v.column(a).cell {
		if cell != other[i] {
			return false
		}
		if cell != free {
			values[cell] = true
		}
	}
	return len(values) >= sameAtLeast
}

// rename refers to another variable of the same values, and drops the first.
func (v *variables) rename(old, new string) {
	c := v.owner[old]
	done := map[*val]*val{nil: nil}
	for i, cell := range c.cell {
		if _, known := done[cell]; !known {
			node := clone(cell.node)
			changed := false
			for _, s := range texts(node) {
				text := strings.ReplaceAll(s.Value, "{{"+old+"}}", "{{"+new+"}}")
				changed = changed || text != s.Value
				s.Value = text
			}
			done[cell] = cell
			if changed {
				done[cell] = newVal(node)
			}
		}
		c.cell[i] = done[cell]
	}
	v.table.drop(v.column(old))
	delete(v.owner, old)
}
