package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// override makes what cannot be edited in place: a value of a leaf's own, or an
// entry of overrides in the file that the value comes from.
func (p *plan) override(wants []*want) error {
	entries := entries{at: map[string]*entry{}, append: p.inPlace}
	groups := groupWants(wants, p.leaves || p.within != "" && p.groupFile() == "")
	for _, g := range p.together(groups, &entries) {
		if err := p.group(g, &entries); err != nil {
			return err
		}
	}
	for _, e := range entries.all {
		f, err := p.open(e.file)
		if err != nil {
			return err
		}
		description := p.description
		if e.pin {
			description = "left out of: " + description
		}
		m := yamledit.Map{{Key: "description", Value: description}, {Key: "when", Value: yamledit.Flow{Value: e.when.yaml()}}, {Key: "set", Value: e.set}}
		path := yamledit.Keys("overrides")
		if _, list, n := f.Has(path); list {
			err = f.Insert(path, n, m)
		} else {
			err = f.Set(path, yamledit.List{m})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.file, err)
		}
	}
	return nil
}

func jobs(n int) string {
	if n == 1 {
		return "1 job"
	}
	return fmt.Sprintf("%d jobs", n)
}

// becomes says what a value becomes.
func (w *want) becomes() string {
	text := shown(w.written())
	switch {
	case w.pin:
		return w.stays()
	case len(w.appended) > 0:
		return w.path() + ": +" + strings.Join(w.appended, "  +")
	case w.unset:
		return w.path() + " removed"
	case !w.old.Exists():
		return fmt.Sprintf("%s: %s", w.path(), text)
	}
	return fmt.Sprintf("%s: %s → %s", w.path(), shown(w.old.Raw()), text)
}

// final is the whole new value.
func (w *want) final() yamledit.Value {
	switch {
	case w.unset:
		return nil
	case w.items == nil:
		return w.value
	}
	list := yamledit.List{}
	for _, it := range w.items {
		for _, put := range it.put {
			if it.old.Exists() && put == it.old.Raw() {
				list = append(list, likeOld(it.old, put))
				continue
			}
			list = append(list, put)
		}
	}
	return list
}

// reach lists the documents that inherit a file.
func (p *plan) reach(file string) []*batches.Document {
	var out []*batches.Document
	for _, d := range p.docs {
		if slices.Contains(p.layersOf(d), file) {
			out = append(out, d)
		}
	}
	return out
}

// layersOf lists the files that a document inherits, the narrowest first.
func (p *plan) layersOf(d *batches.Document) []string {
	t := p.tree
	return []string{d.Leaf(), t.LayerFile(batches.AppGroup, d.Group), t.LayerFile(batches.AppType, d.Type),
		t.LayerFile(batches.Phase, d.Phase), t.LayerFile(batches.Cluster, d.Cluster), t.LayerFile(batches.Global, "")}
}

// narrowest is the layer that reaches all of some documents and the fewest
// others, or "".
func (p *plan) narrowest(docs []*batches.Document) string {
	best, fewest := "", 0
	for i, file := range p.layersOf(docs[0]) {
		if file == "" || slices.ContainsFunc(docs, func(d *batches.Document) bool { return p.layersOf(d)[i] != file }) {
			continue
		}
		if n := len(p.reach(file)); best == "" || n < fewest {
			best, fewest = file, n
		}
	}
	return best
}

// entries are the overrides to be written. Values for the same jobs in the same
// file come into one entry.
type entries struct {
	all    []*entry
	at     map[string]*entry
	append bool // where a list only grows, an entry adds to it and does not replace it
}

type entry struct {
	file string
	pin  bool
	when when
	set  yamledit.Map
}

func (s *entries) add(file string, w when, want *want) {
	key := fmt.Sprintf("%s\x00%t\x00%s", file, want.pin, yamlText(w))
	e := s.at[key]
	if e == nil {
		e = &entry{file: file, pin: want.pin, when: w}
		s.at[key] = e
		s.all = append(s.all, e)
	}
	keys, value := want.keys, want.final()
	if s.append && want.grows() {
		keys, value = want.growth()
	}
	e.set = merged(e.set, keys, value)
}

// grows reports whether a list only gets something at its end.
func (w *want) grows() bool { return len(w.appended) > 0 && w.old.Exists() }

// growth is what a map says to add that.
func (w *want) growth() (keys []string, value yamledit.Value) {
	keys = slices.Clone(w.keys)
	keys[len(keys)-1] += "+"
	return keys, list(w.appended)
}

// merged puts a value into a nested map.
func merged(m yamledit.Map, keys []string, v yamledit.Value) yamledit.Map {
	i := slices.IndexFunc(m, func(p yamledit.Pair) bool { return p.Key == keys[0] })
	if i < 0 {
		i = len(m)
		m = append(m, yamledit.Pair{Key: keys[0]})
	}
	if len(keys) == 1 {
		m[i].Value = v
		return m
	}
	inner, _ := m[i].Value.(yamledit.Map)
	m[i].Value = merged(inner, keys[1:], v)
	return m
}

func yamlText(w when) string {
	var parts []string
	for _, c := range w {
		if len(c.names) == 1 {
			parts = append(parts, c.key+": "+c.names[0])
			continue
		}
		parts = append(parts, c.key+": ["+strings.Join(c.names, ", ")+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
