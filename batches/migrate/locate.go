package migrate

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// plan is one way to make a step.
type plan struct {
	fsys        fs.FS
	docs        []*batches.Document // all of the tree
	variables   bool                // a variable that a value consists of may be edited
	inPlace     bool                // values may be edited where they stand
	description string              // of overrides
	within      string              // an app group whose files alone may be edited, or ""

	tree    *batches.Tree
	users   map[string]map[batches.Place]int // by path: how many documents have a value from that place there
	files   map[string]*yamledit.File
	read    map[string][]byte // what these files held
	choices []Choice
}

// unit is one edit in place, and the jobs that want it.
type unit struct {
	place batches.Place
	path  string // of the value in a document
	op    op
	old   batches.Value
	wants []*want
}

// op is what is done to a value in place.
type op struct {
	set    bool // it becomes value
	remove bool
	value  yamledit.Value
	put    []string // what stands in the place of a list's item, if neither
	beside string   // a new key beside it, with value
}

func (o op) String() string {
	return fmt.Sprintf("%t %t %q %q %v", o.set, o.remove, o.put, o.beside, o.value)
}

// run plans a step's wants, and returns the files that change.
func (p *plan) run(wants []want) (map[string][]byte, []Choice, error) {
	p.tree = batches.Load(p.fsys)
	p.users = map[string]map[batches.Place]int{}
	p.files, p.read = map[string]*yamledit.File{}, map[string][]byte{}
	units, rest := p.locate(wants)
	var edits []*unit
	for _, u := range units {
		if n := p.count(u.path)[u.place]; n == len(u.wants) && p.may(u.place.File) {
			edits = append(edits, u)
			continue
		}
		rest = append(rest, u.wants...)
	}
	if err := p.edit(edits); err != nil {
		return nil, nil, err
	}
	if err := p.override(inOrder(wants, rest)); err != nil {
		return nil, nil, err
	}
	out := map[string][]byte{}
	for name, f := range p.files {
		out[name] = f.Bytes()
	}
	return out, p.choices, nil
}

// may reports whether a file may be edited.
func (p *plan) may(file string) bool {
	return p.within == "" || file == p.groupFile() || strings.HasPrefix(file, "apps/"+p.within+"/")
}

func (p *plan) groupFile() string { return p.tree.LayerFile(batches.AppGroup, p.within) }

// inOrder lists wants once each, in the order of all of them.
func inOrder(all []want, some []*want) []*want {
	in := map[*want]bool{}
	for _, w := range some {
		in[w] = true
	}
	var out []*want
	for i := range all {
		if in[&all[i]] {
			out = append(out, &all[i])
		}
	}
	return out
}

// locate finds where each want could be edited in place; rest are those that
// could not.
func (p *plan) locate(wants []want) (units []*unit, rest []*want) {
	at := map[string]*unit{}
	add := func(w *want, place batches.Place, path string, old batches.Value, o op) {
		key := place.String() + " " + path + " " + o.String()
		u := at[key]
		if u == nil {
			u = &unit{place: place, path: path, op: o, old: old}
			at[key] = u
			units = append(units, u)
		}
		if !slices.Contains(u.wants[max(0, len(u.wants)-1):], w) {
			u.wants = append(u.wants, w)
		}
	}
	for i := range wants {
		w := &wants[i]
		switch {
		case !p.inPlace, w.items == nil && !w.old.Exists() && !w.near.Exists(), w.items != nil && !w.old.Exists():
			rest = append(rest, w)
		case w.items != nil:
			for _, it := range w.items {
				if it.changed {
					add(w, it.old.Place(), w.path(), it.old, op{put: it.put})
				}
			}
		case !w.old.Exists():
			add(w, w.near.Place(), strings.Join(w.keys[:len(w.keys)-1], ".")+"."+lastKey(w.near, w), w.near, op{beside: w.keys[len(w.keys)-1], value: w.value})
		case w.unset:
			add(w, w.old.Place(), w.path(), w.old, op{remove: !w.old.Over(), set: w.old.Over()})
		default:
			place, path, old := w.old.Place(), w.path(), w.old
			if name, val, ok := w.old.Variable(); ok && p.variables {
				place, path, old = val.Place(), "vars."+name, val
			}
			add(w, place, path, old, op{set: true, value: w.value})
		}
	}
	return units, rest
}

// lastKey is the key of the value beside which a new one belongs.
func lastKey(near batches.Value, w *want) string {
	siblings := w.doc.Value(w.keys[:len(w.keys)-1]...)
	for _, k := range siblings.Keys() {
		if siblings.Member(k) == near {
			return k
		}
	}
	return ""
}

// count says how many documents have a value from a place at a path.
func (p *plan) count(path string) map[batches.Place]int {
	if n := p.users[path]; n != nil {
		return n
	}
	n := map[batches.Place]int{}
	keys := splitKnown(path)
	for _, d := range p.docs {
		v := d.Value(keys...)
		if !v.Exists() {
			continue
		}
		seen := map[batches.Place]bool{}
		if !v.List() {
			seen[v.Place()] = true
		}
		for _, item := range v.Items() {
			seen[item.Place()] = true
		}
		for place := range seen {
			n[place]++
		}
	}
	p.users[path] = n
	return n
}

// splitKnown splits a path into keys. A key may hold dots, as the names of
// properties do.
func splitKnown(path string) []string {
	const properties = "spec.java.properties."
	if name, ok := strings.CutPrefix(path, properties); ok {
		return append(strings.Split(strings.TrimSuffix(properties, "."), "."), name)
	}
	return strings.Split(path, ".")
}

// open reads a file to be changed.
func (p *plan) open(name string) (*yamledit.File, error) {
	if f := p.files[name]; f != nil {
		return f, nil
	}
	text, err := fs.ReadFile(p.fsys, name)
	if err != nil {
		return nil, err
	}
	f, err := yamledit.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s:1:1: %w; change this file by hand", name, err)
	}
	p.files[name], p.read[name] = f, text
	return f, nil
}
