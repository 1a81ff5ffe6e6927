package batches

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
)

// SettingsFile is the file that makes a directory a tree.
const SettingsFile = "batchctl.yaml"

// Tree is a tree with its layers loaded. Leaves are read when they are
// resolved, one by one, so that ten thousand of them are never in memory at
// once.
type Tree struct {
	fsys     fs.FS
	kinds    []*leafKind
	settings *document
	global   *document
	clusters map[string]*document
	phases   map[string]*document
	types    map[string]*document
	groups   map[string]*document

	rolloutDocs map[string]*document
	rollouts    []*rollout          // those without an error, by name
	leaves      []*File             // sorted by group and name
	names       map[string][]string // app group → names of its apps
	problems    problems
}

// document is the parsed content of one file; root is nil when it could not
// be parsed. The other fields are cut out of root when it has been checked.
type document struct {
	file      *File
	root      *value
	kind      *leafKind         // of a leaf
	part      *value            // metadata, vars and spec: what is merged
	kindParts map[string]*value // of a layer: the same by kind of leaf
	overrides []*override
	used      atomic.Bool // of a layer: some job inherits it
}

// override is a change for the jobs that match.
type override struct {
	path       string // overrides[N]
	when       *value
	conditions []condition // the same, for matching
	set        *value
	used       atomic.Bool // some job matches
}

// layerDirs are the directories of a tree, and what their files are.
var layerDirs = map[string]Layer{"clusters": Cluster, "phases": Phase, "app-types": AppType, "app-groups": AppGroup, RolloutDir: Rollout}

// Load finds the files of a tree and reads its layers. What is wrong with the
// tree is not an error but a problem, which Resolve reports.
func Load(fsys fs.FS) *Tree {
	w := &walker{fsys: fsys, names: map[string][]string{}}
	w.walk()
	slices.SortFunc(w.files, func(a, b *File) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Name, b.Name), strings.Compare(a.Path, b.Path))
	})
	t := &Tree{
		fsys: fsys, kinds: leafKinds,
		clusters: map[string]*document{}, phases: map[string]*document{},
		types: map[string]*document{}, groups: map[string]*document{}, rolloutDocs: map[string]*document{},
		names: w.names, problems: w.ps,
	}
	for _, f := range w.files {
		if f.Layer == App {
			t.leaves = append(t.leaves, f)
		} else {
			t.place(read(fsys, f, &t.problems))
		}
	}
	if t.settings == nil {
		t.problems.inFile(SettingsFile, "no-settings", "there is no "+SettingsFile+" here, so this is no tree", "batchctl init makes a new tree; -C DIR names another directory")
	}
	t.checkLayers()
	t.checkRollouts()
	t.checkTwins()
	return t
}

// Faults lists the errors of the tree itself, sorted by place: of its layers, its
// settings and its rollouts. What a faulty file says may be missing in every
// job, and no job tells.
func (t *Tree) Faults() []Problem {
	faults := slices.Clone(t.problems)
	faults = slices.DeleteFunc(faults, func(p Problem) bool { return p.Severity != Error })
	return mergeProblems(faults, nil)
}

// checkTwins reports leaves that would be one job: NAME.yaml and NAME.yml.
func (t *Tree) checkTwins() {
	for i := 1; i < len(t.leaves); i++ {
		if a, b := t.leaves[i-1], t.leaves[i]; a.Group == b.Group && a.Name == b.Name {
			t.problems.add(Problem{Place: Place{b.Path, 1, 1}, Rule: "duplicate-job", Others: []Place{{a.Path, 1, 1}},
				Message: "makes the same job as " + a.Path, Hint: "delete one of the two"})
		}
	}
}

// place puts a document where resolving looks for it.
func (t *Tree) place(d *document) {
	byName := map[Layer]map[string]*document{Cluster: t.clusters, Phase: t.phases, AppType: t.types, AppGroup: t.groups, Rollout: t.rolloutDocs}
	switch f := d.file; f.Layer {
	case Settings:
		t.settings = d
	case Global:
		t.global = d
	default:
		if twin := byName[f.Layer][f.Name]; twin != nil {
			t.twice(d, twin)
			return
		}
		byName[f.Layer][f.Name] = d
	}
}

func (t *Tree) twice(d, twin *document) {
	t.problems.add(Problem{Place: Place{d.file.Path, 1, 1}, Rule: "duplicate-file", Others: []Place{{twin.file.Path, 1, 1}},
		Message: "describes the same " + d.file.Layer.String() + " as " + twin.file.Path, Hint: "delete one of the two"})
}

// walker finds the files of a tree.
type walker struct {
	fsys  fs.FS
	files []*File
	names map[string][]string
	ps    problems
}

func (w *walker) walk() {
	for _, e := range w.list(".") {
		name := e.Name()
		stem, yaml := yamlName(name)
		layer, known := layerDirs[name]
		switch {
		case name == SettingsFile:
			w.add(e, name, &File{Path: name, Layer: Settings})
		case name == "global.yaml" || name == "global.yml":
			w.add(e, name, &File{Path: name, Layer: Global, Name: "global"})
		case known || name == "apps":
			before := len(w.ps)
			switch dir, ok := w.dir(e, name); {
			case ok && known:
				w.layer(dir, layer)
			case ok:
				w.apps(dir)
			case len(w.ps) == before:
				w.ps.inFile(name, "unreadable", "is no directory", "")
			}
		default:
			w.stranger(name, stem, yaml)
		}
	}
}

// stranger reports a name that looks like a misspelt part of a tree; any
// other file or directory is nobody's business.
func (w *walker) stranger(name, stem string, yaml bool) {
	var parts []string
	if yaml {
		parts, name = []string{"global", "batchctl"}, stem
	} else {
		parts = []string{"clusters", "phases", "app-types", "app-groups", "apps", RolloutDir}
	}
	near := nearest(name, slices.Values(parts))
	if near == "" || strings.HasPrefix(name, ".") {
		return
	}
	if yaml {
		name, near = name+".yaml", near+".yaml"
	}
	w.ps.inFile(name, "unknown-file", "is no part of a tree, and nothing reads it", "did you mean "+near+"?")
}

func (w *walker) layer(dir string, layer Layer) {
	for _, e := range w.list(dir) {
		full := path.Join(dir, e.Name())
		w.capitals(full)
		if stem, yaml := yamlName(e.Name()); yaml {
			w.add(e, full, &File{Path: full, Layer: layer, Name: stem})
		} else if e.IsDir() && !hidden(e.Name()) {
			w.ps.inFile(full, "unknown-file", "is a directory; nothing in it is read", "put its files into "+dir)
		}
	}
}

// capitals reports a file that would be read if its ending were in small
// letters.
func (w *walker) capitals(full string) {
	if end := path.Ext(full); end != strings.ToLower(end) && (strings.EqualFold(end, ".yaml") || strings.EqualFold(end, ".yml")) {
		w.ps.inFile(full, "unknown-file", "ends in "+end+", so it is not read", "rename it: "+strings.TrimSuffix(full, end)+strings.ToLower(end))
	}
}

func (w *walker) apps(apps string) {
	for _, g := range w.list(apps) {
		at := path.Join(apps, g.Name())
		dir, isDir := w.dir(g, at)
		if !isDir {
			if _, yaml := yamlName(g.Name()); yaml {
				w.ps.inFile(at, "unknown-file", "stands outside an app group", "move it to apps/GROUP/"+g.Name())
			}
			continue
		}
		if hidden(g.Name()) {
			continue
		}
		for _, e := range w.list(dir) {
			full := path.Join(dir, e.Name())
			w.capitals(full)
			stem, yaml := yamlName(e.Name())
			switch {
			case yaml:
				w.names[g.Name()] = append(w.names[g.Name()], stem)
				w.add(e, full, &File{Path: full, Layer: App, Name: stem, Group: g.Name()})
			case !hidden(e.Name()):
				if _, isDir := w.dir(e, full); isDir {
					w.ps.inFile(full, "unknown-file", "is a directory; nothing in it is read", "put its files into "+dir)
				}
			}
		}
	}
}

// list reads a directory in the order of names.
func (w *walker) list(dir string) []fs.DirEntry {
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		w.ps.inFile(dir, "unreadable", "cannot be listed: "+reason(err), "")
	}
	return entries
}

// dir reports whether an entry is a directory, also by a symbolic link, and
// where it is.
func (w *walker) dir(e fs.DirEntry, full string) (string, bool) {
	if e.Type()&fs.ModeSymlink == 0 {
		return full, e.IsDir()
	}
	info, err := fs.Stat(w.fsys, full)
	if err != nil || !info.IsDir() {
		return "", false
	}
	target, why := followLink(w.fsys, full)
	if why != "" {
		w.ps.inFile(full, "link-leaves-tree", why, "put a copy into the tree")
		return "", false
	}
	return target, true
}

// add takes a file to be read, unless it is not one that can be.
func (w *walker) add(e fs.DirEntry, full string, f *File) {
	if e.Type()&fs.ModeSymlink != 0 {
		target, why := followLink(w.fsys, full)
		if why != "" {
			w.ps.inFile(full, "link-leaves-tree", why, "put a copy into the tree")
			return
		}
		f.Path = target
		info, err := fs.Stat(w.fsys, full)
		if err != nil {
			w.ps.inFile(full, "unreadable", "cannot be read: "+reason(err), "")
			return
		}
		if info.Mode().IsRegular() {
			w.files = append(w.files, f)
			return
		}
	} else if e.Type().IsRegular() {
		w.files = append(w.files, f)
		return
	}
	w.ps.inFile(full, "not-a-file", "is not a regular file", "")
}

// yamlName returns a file's name without its ending, and whether that ending
// is YAML's.
func yamlName(name string) (string, bool) {
	if hidden(name) {
		return name, false
	}
	for _, end := range []string{".yaml", ".yml"} {
		if stem, ok := strings.CutSuffix(name, end); ok {
			return stem, true
		}
	}
	return name, false
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }
