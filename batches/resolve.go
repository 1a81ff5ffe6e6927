package batches

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Result is a resolved tree.
type Result struct {
	Folders  []Folder       // of the jobs, parents first
	Problems []Problem      // sorted by place
	Leaves   int            // leaf files
	Placed   map[string]int // leaves on clusters by kind, also those with errors
	made     []any          // what the kinds made of them, by path; only those without an error
}

// madeOf returns what one kind made of its documents.
func madeOf[T any](r *Result) []T {
	var out []T
	for _, m := range r.made {
		if t, ok := m.(T); ok {
			out = append(out, t)
		}
	}
	return out
}

// Resolve reads, merges, expands and checks every leaf of a tree, on all
// cores. The result depends on the tree's files alone. It is to be called once
// for a Tree.
func (t *Tree) Resolve() *Result {
	r := newResolver(t)
	sources := make([]*source, len(t.leaves))
	inParallel(len(t.leaves), func(i int) { sources[i] = r.source(t.leaves[i]) })

	var leaves []*leaf
	ps := t.problems
	for _, s := range sources {
		ps = append(ps, s.ps...)
		leaves = append(leaves, s.leaves...)
	}
	slices.SortFunc(leaves, func(a, b *leaf) int { return strings.Compare(a.names.path, b.names.path) })
	r.linkUpstreams(leaves)
	used := usedVariables(leaves)
	for _, d := range t.layerDocuments() {
		checkVariables(d, used, &ps)
	}
	t.checkUse(&ps)
	if faulty(ps, leaves) {
		// A document that could not be read or placed is missing from the
		// account of what is used.
		ps = slices.DeleteFunc(ps, func(p Problem) bool { return p.Rule == ruleUnreached })
	}

	out := &Result{Leaves: len(t.leaves), Placed: map[string]int{}, Folders: r.folders(leaves)}
	found := make([]jobProblems, len(leaves))
	for i, l := range leaves {
		found[i] = jobProblems{l.names.path, l.ps}
		out.Placed[l.names.kind]++
		if Errors(l.ps) == 0 {
			out.made = append(out.made, l.made)
		}
	}
	out.Problems = mergeProblems(ps, found)
	return out
}

// faulty reports whether there is any error.
func faulty(ps problems, leaves []*leaf) bool {
	return Errors(ps) > 0 || slices.ContainsFunc(leaves, func(l *leaf) bool { return Errors(l.ps) > 0 })
}

// resolver holds what all jobs of a tree share.
type resolver struct {
	tree  *Tree
	mu    sync.Mutex
	bases map[coordinates]*base
	low   map[[2]string]*value // what decides a placement, by app group and app type

	clusterNames []string // sorted
}

// base is everything below the app layer, merged, for one cluster, app group,
// app type and kind.
type base struct {
	doc       *value
	overrides []*override
	sound     map[*value]bool // parts of the spec that need no further check
	ps        problems
}

func newResolver(t *Tree) *resolver {
	return &resolver{tree: t, bases: map[coordinates]*base{}, low: map[[2]string]*value{},
		clusterNames: slices.Sorted(maps.Keys(t.clusters))}
}

// source is a leaf file with the jobs that it makes.
type source struct {
	ps     problems // of the file itself
	leaves []*leaf
}

// source reads a leaf and resolves it for each of its clusters.
func (r *resolver) source(f *File) *source {
	s := &source{}
	d := read(r.tree.fsys, f, &s.ps)
	r.tree.checkLeaf(d, &s.ps)
	if d.kind == nil || d.part == nil {
		return s
	}
	for _, names := range r.placement(d, &s.ps) {
		l := r.leaf(d, names)
		l.merged, l.doc = nil, nil // only Explain looks at them again
		s.leaves = append(s.leaves, l)
	}
	r.tree.checkOverrides(d, &s.ps)
	if len(s.leaves) > 0 {
		used := map[string]bool{}
		for _, l := range s.leaves {
			for _, name := range l.used {
				used[name] = true
			}
		}
		checkVariables(d, used, &s.ps)
	}
	return s
}

// base merges the layers below the app layer; leaves of one place share it.
func (r *resolver) base(names coordinates) *base {
	names.app, names.path = "", ""
	r.mu.Lock()
	defer r.mu.Unlock()
	if b := r.bases[names]; b != nil {
		return b
	}
	t, b := r.tree, &base{}
	for _, d := range []*document{t.global, t.clusters[names.cluster], t.phases[names.phase], t.types[names.typ], t.groups[names.group]} {
		if d == nil || d.part == nil {
			continue
		}
		b.doc = merge(b.doc, d.part, newPath(), &b.ps)
		if part := d.kindParts[names.kind]; part != nil {
			b.doc = merge(b.doc, part, newPath(), &b.ps)
		}
		b.overrides = append(b.overrides, d.overrides...)
		d.used.Store(true)
	}
	if spec := b.doc.get("spec"); spec != nil {
		kind := t.kindNamed(names.kind)
		b.sound = findSound(kind.withSpec(), kind.spec, spec)
	}
	r.bases[names] = b
	return b
}

// leaf is one job: a document resolved for one cluster, with what its kind
// made of it.
type leaf struct {
	names  coordinates
	merged *value // before references are replaced
	doc    *value // final: metadata, vars and spec
	ps     problems
	made   any      // what its kind made of it; nil if that cannot be
	after  []*value // the batches that it runs after, until they are linked
	used   []string // names of the variables that it uses
	idle   []idleProblem
}

// leaf resolves one job: merge, expand, check, and what its kind adds.
func (r *resolver) leaf(d *document, names coordinates) *leaf {
	l := &leaf{names: names}
	b := r.base(names)
	p := newPath()
	l.merge(b, d, r.tree.rollouts, p)
	s := scope{names: names, doc: l.merged, ps: &l.ps}
	l.doc = s.document(l.merged, p)
	if vars := l.merged.get("vars"); vars != nil {
		conflicts(vars, p.member("vars"), &l.ps)
	}
	l.idle = s.idle(p)
	l.used = s.used
	c := checker{root: d.kind.withSpec(), ps: &l.ps, sound: b.sound}
	if spec := l.doc.get("spec"); spec != nil {
		c.value(d.kind.spec, spec, p.member("spec"))
	} else {
		l.ps.at(d.root, "spec", "missing-key", "is missing", "")
	}
	d.kind.finish(r, l)
	return l
}

// merge puts a leaf over its base, the overrides over both, and the rollouts
// over all.
func (l *leaf) merge(b *base, d *document, rollouts []*rollout, p *fieldPath) {
	l.ps = append(l.ps, b.ps...)
	l.merged = merge(b.doc, d.part, p, &l.ps)
	for _, overrides := range [][]*override{b.overrides, d.overrides} {
		for _, o := range overrides {
			if l.names.match(o.conditions) {
				o.used.Store(true)
				l.merged = merge(l.merged, o.set, p, &l.ps)
			}
		}
	}
	if len(rollouts) > 0 {
		l.rollouts(rollouts, p)
	}
}

// folders lists the folders that the jobs stand in.
func (r *resolver) folders(leaves []*leaf) []Folder {
	var out []Folder
	seen := map[string]bool{}
	add := func(path, cluster string, d *document) {
		if seen[path] {
			return
		}
		seen[path] = true
		f := Folder{Path: path, Jenkins: r.jenkins(cluster)}
		if d != nil && d.root != nil {
			f.Description = d.root.get("description").str()
			f.Permissions = folderPermissions(d.root.get("permissions"))
		}
		out = append(out, f)
	}
	for _, l := range leaves {
		if _, ok := l.made.(*Job); ok {
			add(l.names.cluster, l.names.cluster, r.tree.clusters[l.names.cluster])
			add(l.names.cluster+"/"+l.names.group, l.names.cluster, r.tree.groups[l.names.group])
		}
	}
	slices.SortFunc(out, func(a, b Folder) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func folderPermissions(v *value) []Permission {
	var out []Permission
	for _, item := range v.list() {
		p := Permission{Name: item.get("user").str(), Allow: slices.Sorted(slices.Values(item.get("allow").strings()))}
		if group := item.get("group"); group != nil {
			p.Name, p.Group = group.str(), true
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Permission) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// jenkins says where a cluster's jobs live: its own word, or the tree's.
func (r *resolver) jenkins(cluster string) Jenkins {
	j := Jenkins{Controller: "main"}
	for _, d := range []*document{r.tree.settings, r.tree.clusters[cluster]} {
		if d == nil || d.root == nil {
			continue
		}
		own := d.root.get("jenkins")
		j.Controller = cmp.Or(own.get("controller").str(), j.Controller)
		if root := own.get("root"); root != nil {
			j.Root = root.str()
		}
	}
	return j
}
