package factor

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

// lineWidth is how long a line with a map or a list on it may be.
const lineWidth = 96

// writer makes the files of the new tree.
type writer struct {
	fsys   fs.FS
	table  *table
	frames []frame
	placer *placer

	layers map[bucket]*yaml.Node
	leaves []*yaml.Node            // what each leaf sets
	sets   []map[string]*yaml.Node // what it sets for one cluster, by cluster
	result *Result
}

func (w *writer) write() (*Result, error) {
	w.result = &Result{}
	w.layers, w.leaves = map[bucket]*yaml.Node{}, make([]*yaml.Node, len(w.frames))
	w.sets = make([]map[string]*yaml.Node, len(w.frames))
	for i := range w.leaves {
		w.leaves[i], w.sets[i] = yamldoc.Map(), map[string]*yaml.Node{}
	}
	index := map[string]int{}
	for i, f := range w.table.files {
		index[f] = i
	}
	for _, c := range w.inOrder() {
		for _, s := range w.placer.place(c).settings {
			w.put(c, s, index)
		}
	}
	w.deploy()
	if err := w.layerFiles(); err != nil {
		return nil, err
	}
	if err := w.leafFiles(); err != nil {
		return nil, err
	}
	slices.SortFunc(w.result.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortStableFunc(w.result.Lifted, func(a, b Lifted) int { return strings.Compare(a.File, b.File) })
	return w.result, w.count()
}

// keyOrder is the order of the fields in the reference.
var keyOrder = []string{"owner", "schedule", "cron", "timezone", "disabled", "java", "version", "home", "heap", "options", "properties", "agents", "main", "jar", "classpath",
	"artifact", "url", "sha256", "unpack", "credentials", "args", "scripts", "before", "after", "parameters", "env", "secrets", "timeout", "concurrency", "retry", "after",
	"node", "pool", "cpu", "memory", "disk", "arch", "keep", "builds", "days", "files"}

// inOrder puts variables in front, by name, and the rest in the order of the
// reference.
func (w *writer) inOrder() []*column {
	rank := func(c *column) []int {
		if c.path[0] == "vars" {
			return nil
		}
		out := []int{strings.Index("metadata spec", c.path[0]) + 1}
		for _, key := range c.path[1:min(3, len(c.path))] {
			at := slices.Index(keyOrder, key)
			if at < 0 {
				at = len(keyOrder)
			}
			out = append(out, at)
		}
		return out
	}
	out := slices.Clone(w.table.columns)
	slices.SortStableFunc(out, func(a, b *column) int {
		if c := slices.Compare(rank(a), rank(b)); c != 0 || a.path[0] != "vars" {
			return c
		}
		return strings.Compare(a.path[1], b.path[1])
	})
	return out
}

// put puts a setting into its file.
func (w *writer) put(c *column, s setting, index map[string]int) {
	value, keys := yamldoc.Null(), slices.Clone(c.path)
	if s.val != nil {
		value = fresh(s.val.node)
		if s.level >= leafLevel && appends(s.val, s.under) {
			keys[len(keys)-1] += "+"
			value.Content = value.Content[len(s.under.items):]
		}
	}
	switch s.level {
	case leafLevel:
		yamldoc.Set(w.leaves[index[s.name]], value, keys...)
	case overrideLevel:
		file, cluster, _ := strings.Cut(s.name, "\x00")
		sets := w.sets[index[file]]
		if sets[cluster] == nil {
			sets[cluster] = yamldoc.Map()
		}
		yamldoc.Set(sets[cluster], value, keys...)
	default:
		if w.layers[s.bucket] == nil {
			w.layers[s.bucket] = yamldoc.Map()
		}
		yamldoc.Set(w.layers[s.bucket], value, keys...)
		w.result.Lifted = append(w.result.Lifted, Lifted{File: layerFile(s.bucket), Path: strings.Join(c.path, "."), Jobs: s.jobs})
	}
}

func (w *writer) leafFiles() error {
	for i, f := range w.frames {
		doc := yamldoc.Map()
		yamldoc.Set(doc, yamldoc.Text(batches.APIVersion), "apiVersion")
		yamldoc.Set(doc, yamldoc.Text("Batch"), "kind")
		yamldoc.Set(doc, f.metadata, "metadata")
		if f.deploy != nil {
			yamldoc.Set(doc, fresh(f.deploy), "deploy")
		}
		own := w.leaves[i]
		w.collapse(own, nil, w.table.leaves[i])
		for _, key := range []string{"metadata", "vars", "spec"} {
			part := yamldoc.Get(own, key)
			if key == "metadata" && part != nil {
				yamldoc.Set(doc, yamldoc.Get(part, "owner"), "metadata", "owner")
			} else {
				yamldoc.Set(doc, part, key)
			}
		}
		if o := w.overrides(i); len(o.Content) > 0 {
			yamldoc.Set(doc, o, "overrides")
		}
		yamldoc.Compact(doc, lineWidth, "spec", "vars")
		text, err := yamldoc.Encode(doc, f.comments...)
		if err != nil {
			return fmt.Errorf("%s: %w", w.table.files[i], err)
		}
		w.result.Files = append(w.result.Files, File{w.table.files[i], text})
	}
	return nil
}

// overrides writes what differs between the clusters of a leaf, once for
// clusters that have the same.
func (w *writer) overrides(leaf int) *yaml.Node {
	out := yamldoc.List()
	byText := map[string]*yaml.Node{}
	for _, j := range w.table.leaves[leaf] {
		name := w.table.jobs[j].Cluster
		set := w.sets[leaf][name]
		if set == nil {
			continue
		}
		w.collapse(set, nil, []int{j})
		key := encode(set)
		if have := byText[key]; have != nil {
			list := yamldoc.Get(have, "when", "cluster")
			list.Content = append(list.Content, yamldoc.Text(name))
			continue
		}
		o := yamldoc.Map()
		yamldoc.Set(o, yamldoc.Texts([]string{name}), "when", "cluster")
		yamldoc.Set(o, set, "set")
		byText[key] = o
		out.Content = append(out.Content, o)
	}
	return out
}

// collapse writes null for a map of which everything is taken away and
// nothing is there: schedule: null, in the place of its members.
func (w *writer) collapse(m *yaml.Node, at []string, jobs []int) {
	for i := 1; i < len(m.Content); i += 2 {
		kid, here := m.Content[i], append(at[:len(at):len(at)], m.Content[i-1].Value)
		if kid.Kind != yaml.MappingNode {
			continue
		}
		w.collapse(kid, here, jobs)
		gone := len(here) > 1
		for k := 1; k < len(kid.Content); k += 2 {
			gone = gone && kid.Content[k].Tag == "!!null"
		}
		if gone && !w.has(here, jobs) {
			m.Content[i] = yamldoc.Null()
		}
	}
}

// has reports whether any of some jobs has a value at or below a path.
func (w *writer) has(at []string, jobs []int) bool {
	for _, c := range w.table.columns {
		if len(c.path) < len(at) || !slices.Equal(c.path[:len(at)], at) {
			continue
		}
		for _, j := range jobs {
			if c.cell[j] != nil {
				return true
			}
		}
	}
	return false
}

// count adds up the text of the tree before and after.
func (w *writer) count() error {
	changed := map[string]int{}
	for _, f := range w.result.Files {
		changed[f.Path] = len(f.Text)
		w.result.After += len(f.Text)
	}
	return fs.WalkDir(w.fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(name, "/")
		if e.IsDir() {
			if strings.HasPrefix(e.Name(), ".") && name != "." {
				return fs.SkipDir
			}
			return nil
		}
		part := slices.Contains([]string{"apps", "app-groups", "app-types", "clusters", "phases"}, top) || top == name
		if end := path.Ext(name); !part || end != ".yaml" && end != ".yml" {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		w.result.Before += int(info.Size())
		if _, ok := changed[name]; !ok {
			w.result.After += int(info.Size())
		}
		return nil
	})
}

// order is for lists of what was found, the most common first.
func order(a, b int, x, y string) int { return cmp.Or(b-a, strings.Compare(x, y)) }
