package factor

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
)

// table holds the jobs of a tree with all their values. Columns are paths;
// what a job has in a column is a *val, nil for nothing, or free where the
// job does not care.
type table struct {
	jobs    []*batches.Effective
	leaves  [][]int // jobs by leaf file, in the order of the files
	files   []string
	leafOf  []int // leaf by job
	columns []*column
	byPath  map[string]*column
	values  map[string]*val
}

// column is one path with what each job has there.
type column struct {
	path []string
	cell []*val // by job
}

// val is a value; equal ones are the same pointer.
type val struct {
	node  *yaml.Node
	key   string   // its text with tags: equal for equal values only
	items []string // of a list: the keys of the items
	size  int      // about how many bytes it takes in a file
}

// free stands in the cells of variables for jobs that do not use them.
var free = &val{}

func newTable(docs []batches.Effective) *table {
	t := &table{byPath: map[string]*column{}, values: map[string]*val{}}
	leaves := map[string][]int{}
	for i := range docs {
		t.jobs = append(t.jobs, &docs[i])
		leaves[docs[i].File] = append(leaves[docs[i].File], i)
	}
	for file := range leaves {
		t.files = append(t.files, file)
	}
	slices.Sort(t.files)
	t.leafOf = make([]int, len(docs))
	for i, file := range t.files {
		t.leaves = append(t.leaves, leaves[file])
		for _, j := range leaves[file] {
			t.leafOf[j] = i
		}
	}
	for i := range docs {
		for _, v := range docs[i].Values {
			if own := len(v.Path) == 2 && v.Path[0] == "metadata" && v.Path[1] != "owner"; own {
				continue // name, description, type and phases are the leaf's own
			}
			t.column(v.Path, nil).cell[i] = t.intern(v.Node)
		}
	}
	return t
}

// column returns the column of a path; a new one is filled with a value.
func (t *table) column(path []string, fill *val) *column {
	key := strings.Join(path, "\x00")
	if c := t.byPath[key]; c != nil {
		return c
	}
	c := &column{path: path, cell: make([]*val, len(t.jobs))}
	for i := range c.cell {
		c.cell[i] = fill
	}
	t.byPath[key] = c
	t.columns = append(t.columns, c)
	return c
}

// drop takes a column out again.
func (t *table) drop(c *column) {
	delete(t.byPath, strings.Join(c.path, "\x00"))
	t.columns = slices.DeleteFunc(t.columns, func(o *column) bool { return o == c })
}

// intern returns the one val of a value.
func (t *table) intern(n *yaml.Node) *val {
	key := encode(n)
	if v := t.values[key]; v != nil {
		return v
	}
	v := newVal(n)
	t.values[key] = v
	return v
}

// newVal makes a val that is not interned: one that no other cell has.
func newVal(n *yaml.Node) *val {
	v := &val{node: n, key: encode(n), size: len(n.Value) + 2}
	for _, kid := range n.Content {
		v.size += len(encode(kid))
		if n.Kind == yaml.SequenceNode {
			v.items = append(v.items, encode(kid))
		}
	}
	return v
}

// encode writes a value so that different ones are different texts.
func encode(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		if n.Tag == "!!str" {
			return n.Value
		}
		return "\x02" + n.Tag + n.Value
	}
	var b strings.Builder
	b.WriteString(n.Tag)
	for _, kid := range n.Content {
		b.WriteString("\x00" + encode(kid))
	}
	b.WriteString("\x01")
	return b.String()
}

// coordinates are the built-in names of a job, the longest text first where
// one may stand in another.
func coordinates(j *batches.Effective) [4][2]string {
	return [4][2]string{{"app", j.Name}, {"cluster", j.Cluster}, {"group", j.Group}, {"phase", j.Phase}}
}
