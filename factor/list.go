package factor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/internal/yamldoc"
)

// useVariables looks at lists that have the same items but for a piece, such
// as -Xss1m and -Xss2m, and at texts that differ in one piece, such as the
// version in a URL. Where one text with a variable costs less than the many
// texts, it puts the variable in.
func useVariables(p *placer) {
	v := variables{placer: p, owner: map[string]*column{}}
	for _, c := range slices.Clone(p.table.columns) {
		if c.path[0] != "spec" {
			continue
		}
		for _, s := range shapes(p.table, c) {
			v.try(c, s)
		}
	}
	v.merge()
}

// variables gives variables their names. Shapes of one column share them.
type variables struct {
	*placer
	owner map[string]*column // of the values that a variable is a piece of
}

// shape is a form that the values of several jobs have in common.
type shape struct {
	names []string                   // of the pieces, one for each that is not the same in all
	write func(values []string) *val // with what stands in the pieces' places
	jobs  []int
	piece map[int][]string // what the pieces are, by job
}

// try puts a shape's variables in, and takes them out again where that saves
// nothing.
func (v *variables) try(c *column, s *shape) {
	names, refs := make([]string, len(s.names)), make([]string, len(s.names))
	for i, n := range s.names {
		names[i] = n
		for k := 2; slices.Contains(names[:i], names[i]) || v.owner[names[i]] != nil && v.owner[names[i]] != c; k++ {
			names[i] = fmt.Sprintf("%s_%d", n, k)
		}
		refs[i] = "{{" + names[i] + "}}"
	}
	before, kept := v.place(c).cost, slices.Clone(c.cell)
	vars, old := make([]*column, len(names)), make([][]*val, len(names))
	after := 0
	for i, n := range names {
		vars[i] = v.table.column([]string{"vars", n}, free)
		old[i] = slices.Clone(vars[i].cell)
		before += v.place(vars[i]).cost
		for _, j := range s.jobs {
			vars[i].cell[j] = v.table.intern(yamldoc.Text(s.piece[j][i]))
		}
		after += v.place(vars[i]).cost
	}
	template := s.write(refs)
	for _, j := range s.jobs {
		c.cell[j] = template
	}
	// A reader has to look a variable up: it has to save a few lines.
	if after += v.place(c).cost; after+100 < before {
		for _, n := range names {
			v.owner[n] = c
		}
		return
	}
	c.cell = kept
	for i, n := range names {
		vars[i].cell = old[i]
		if v.owner[n] == nil {
			v.table.drop(vars[i])
		}
	}
}

// shapes finds the shapes of a column that more than two jobs have, the most
// common first.
func shapes(t *table, c *column) []*shape {
	groups := map[string][]int{}
	for i, v := range c.cell {
		if v == nil {
			continue
		}
		if key := shapeOf(v); key != "" {
			groups[key] = append(groups[key], i)
		}
	}
	var out []*shape
	for _, key := range slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(len(groups[b])-len(groups[a]), strings.Compare(a, b))
	}) {
		if jobs := groups[key]; len(jobs) > 2 {
			if s := newShape(c, jobs); s != nil {
				out = append(out, s)
			}
		}
	}
	if s := textShape(t, c); s != nil {
		out = append(out, s)
	}
	return out
}

// shapeOf is what lists must have in common to be one shape: the names of
// their items. It is "" for what is no list of strings.
func shapeOf(v *val) string {
	if len(v.items) == 0 {
		return ""
	}
	var b strings.Builder
	for _, kid := range v.node.Content {
		if kid.Tag != "!!str" {
			return ""
		}
		name, _ := cutItem(kid.Value)
		b.WriteString(name + "\x00")
	}
	return b.String()
}

// cutItem cuts an option or an argument into its name and its value:
// -XX:MaxMetaspaceSize= and 1g, -Xss and 1m. Of others the name is all.
func cutItem(item string) (name, value string) {
	if !strings.HasPrefix(item, "-") {
		return item, ""
	}
	if at := strings.IndexByte(item, '='); at > 0 {
		return item[:at+1], item[at+1:]
	}
	if strings.HasPrefix(item, "-X") && !strings.HasPrefix(item, "-XX") {
		if at := strings.IndexAny(item, "0123456789{"); at > 2 && !strings.Contains(item, ":") {
			return item[:at], item[at:]
		}
	}
	return item, ""
}

// newShape makes the shape of some lists, or nil if they are all the same.
func newShape(c *column, jobs []int) *shape {
	first := c.cell[jobs[0]].node
	s := &shape{jobs: jobs, piece: map[int][]string{}}
	var places []int
	for at := range first.Content {
		same := true
		for _, j := range jobs {
			same = same && c.cell[j].node.Content[at].Value == first.Content[at].Value
		}
		if !same {
			places = append(places, at)
			name, _ := cutItem(first.Content[at].Value)
			s.names = append(s.names, variableName(name))
		}
	}
	if len(places) == 0 || len(places) > 6 {
		return nil
	}
	for _, j := range jobs {
		for _, at := range places {
			_, value := cutItem(c.cell[j].node.Content[at].Value)
			s.piece[j] = append(s.piece[j], value)
		}
	}
	t := c.cell[jobs[0]]
	s.write = func(values []string) *val {
		node := clone(t.node)
		for i, at := range places {
			name, _ := cutItem(node.Content[at].Value)
			node.Content[at].Value = name + values[i]
		}
		return newVal(node)
	}
	return s
}

// variableName makes a name for a variable of an option's or a field's:
// MAX_METASPACE_SIZE of -XX:MaxMetaspaceSize=.
func variableName(of string) string {
	of = strings.TrimPrefix(strings.TrimPrefix(strings.TrimLeft(of, "-"), "XX:"), "D")
	var b strings.Builder
	for i := range len(of) {
		c := of[i]
		switch {
		case c >= 'A' && c <= 'Z':
			if i > 0 && of[i-1] >= 'a' && of[i-1] <= 'z' {
				b.WriteByte('_')
			}
			b.WriteByte(c)
		case c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
		case c >= '0' && c <= '9' && b.Len() > 0:
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return cmp.Or(strings.Trim(b.String(), "_"), "VALUE")
}
