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
	chosen      []*batches.Document // those that the step is for
	variables   bool                // a variable that a value consists of may be edited
	inPlace     bool                // values may be edited where they stand
	leaves      bool                // each batch is overridden in its own file, which nothing comes after
	pin         bool                // also where that reaches a few more, who are then pinned
	description string              // of overrides
	within      string              // an app group whose files alone may be edited, or ""

	tree    *batches.Tree
	refers  map[batches.Place]int            // how many documents refer to the variable there
	keep    map[batches.Place]bool           // variables that others need as they are
	users   map[string]map[batches.Place]int // by path: how many documents have a value from that place there
	files   map[string]*yamledit.File
	read    map[string][]byte // what these files held
	choices []Choice
}

// unit is one edit in place, and the jobs that want it.
type unit struct {
	place    batches.Place
	path     string // of the value in a document
	op       op
	old      batches.Value
	variable bool // it is a variable, edited for those who refer to it
	others   int  // jobs that it reaches too, and that are pinned
	wants    []*want
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
	p.users, p.keep = map[string]map[batches.Place]int{}, map[batches.Place]bool{}
	p.files, p.read = map[string]*yamledit.File{}, map[string][]byte{}
	units, rest := p.locate(wants)
	for p.keepVariables(units) {
		units, rest = p.locate(wants)
	}
	var edits []*unit
	var pinned pins
	for _, u := range units {
		if p.agreed(u) || p.except(u, &pinned) {
			edits = append(edits, u)
		} else {
			rest = append(rest, u.wants...)
		}
	}
	if err := p.edit(edits); err != nil {
		return nil, nil, err
	}
	if err := p.override(append(inOrder(wants, rest), pinned.wants...)); err != nil {
		return nil, nil, err
	}
	out := map[string][]byte{}
	for name, f := range p.files {
		out[name] = f.Bytes()
	}
	return out, p.choices, nil
}

// agreed reports whether all whom an edit reaches want it.
func (p *plan) agreed(u *unit) bool {
	if !p.may(u.place.File) {
		return false
	}
	if u.variable {
		return p.references()[u.place] == len(u.wants)
	}
	return p.count(u.path)[u.place] == len(u.wants)
}

// keepVariables finds the variables that cannot be edited, because somebody
// else refers to them. It reports whether there are any: their wants are then to
// be located again.
func (p *plan) keepVariables(units []*unit) bool {
	found := false
	for _, u := range units {
		if u.variable && !p.agreed(u) {
			p.keep[u.place], found = true, true
		}
	}
	return found
}

// references says how many documents refer to each variable.
func (p *plan) references() map[batches.Place]int {
	if p.refers == nil {
		p.refers = map[batches.Place]int{}
		for _, d := range p.docs {
			for place := range d.References() {
				p.refers[place]++
			}
		}
	}
	return p.refers
}

// may reports whether a file may be edited: of an app group its layer, what
// stands in its directory, and what only its own symbolic links lead to.
func (p *plan) may(file string) bool {
	if p.within == "" || file == p.groupFile() || strings.HasPrefix(file, "apps/"+p.within+"/") {
		return true
	}
	others := func(d *batches.Document) bool { return d.Leaf() == file && d.Group != p.within }
	return p.isLeaf(file) && !slices.ContainsFunc(p.docs, others)
}

func (p *plan) isLeaf(file string) bool {
	return slices.ContainsFunc(p.docs, func(d *batches.Document) bool { return d.Leaf() == file })
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
	add := func(w *want, u unit) {
		key := u.place.String() + " " + u.path + " " + u.op.String()
		known := at[key]
		if known == nil {
			known = &u
			at[key] = known
			units = append(units, known)
		}
		if !slices.Contains(known.wants[max(0, len(known.wants)-1):], w) {
			known.wants = append(known.wants, w)
		}
	}
	several := severalLists(wants)
	for i := range wants {
		w := &wants[i]
		switch {
		case !p.inPlace, several[batches.FlowList(w.appended)], w.items == nil && !w.old.Exists() && !w.near.Exists(), w.items != nil && !w.items[0].old.Exists():
			rest = append(rest, w)
		case w.items != nil:
			for _, it := range w.items {
				if !it.changed {
					continue
				}
				if name, val, ok := p.variable(it.old); ok && it.variable {
					add(w, unit{place: val.Place(), path: "vars." + name, old: val, variable: true, op: op{set: true, value: it.put[0]}})
					continue
				}
				add(w, unit{place: it.old.Place(), path: w.path(), old: it.old, op: op{put: it.put}})
			}
		case !w.old.Exists():
			beside := strings.Join(w.keys[:len(w.keys)-1], ".") + "." + lastKey(w.near, w)
			add(w, unit{place: w.near.Place(), path: beside, old: w.near, op: op{beside: w.keys[len(w.keys)-1], value: w.value}})
		case w.unset:
			add(w, unit{place: w.old.Place(), path: w.path(), old: w.old, op: op{remove: !w.old.Over(), set: w.old.Over()}})
		default:
			u := unit{place: w.old.Place(), path: w.path(), old: w.old, op: op{set: true, value: w.value}}
			if name, val, ok := p.variable(w.old); ok && !w.own {
				u.place, u.path, u.old, u.variable = val.Place(), "vars."+name, val, true
			}
			add(w, u)
		}
	}
	return units, rest
}

// severalLists finds the items that lists from several places are to get at
// their end: one override serves them all.
func severalLists(wants []want) map[string]bool {
	place := map[string]batches.Place{}
	several := map[string]bool{}
	for i := range wants {
		w := &wants[i]
		if !w.grows() {
			continue
		}
		key := batches.FlowList(w.appended)
		last := w.old.Place() // of an empty list
		if item := w.items[len(w.items)-1].old; item.Exists() {
			last = item.Place()
		}
		if first, known := place[key]; known && first != last {
			several[key] = true
		}
		place[key] = last
	}
	return several
}

// variable returns the variable that a value consists of, if it may be edited.
func (p *plan) variable(v batches.Value) (name string, val batches.Value, ok bool) {
	if !p.variables {
		return "", val, false
	}
	name, val, ok = v.Variable()
	return name, val, ok && !p.keep[val.Place()]
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
