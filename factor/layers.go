package factor

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

func layerFile(b bucket) string {
	dirs := map[level]string{cluster: "clusters", phase: "phases", appType: "app-types", appGroup: "app-groups"}
	return path.Join(dirs[b.level], b.name+".yaml")
}

// deploy lifts the clusters of leaves: to the app group those that most of
// its leaves are on, and to global those that most groups would have.
func (w *writer) deploy() {
	all, groups := map[string]int{}, map[string]map[string]int{}
	nodes := map[string]*yaml.Node{}
	for i, f := range w.frames {
		if f.deploy == nil {
			continue
		}
		key, group := encode(fresh(f.deploy)), path.Dir(w.table.files[i])
		nodes[key] = f.deploy
		all[key]++
		if groups[group] == nil {
			groups[group] = map[string]int{}
		}
		groups[group][key]++
	}
	common := most(all)
	w.layer(bucket{global, "global"}, nodes[common], "deploy")
	for group, keys := range groups {
		if own := most(keys); own != "" && keys[own] > keys[common]+1 {
			w.layer(bucket{appGroup, path.Base(group)}, nodes[own], "deploy")
			groups[group] = map[string]int{own: 1}
		} else {
			groups[group] = map[string]int{common: 1}
		}
	}
	for i := range w.frames {
		f := &w.frames[i]
		if f.deploy != nil && groups[path.Dir(w.table.files[i])][encode(fresh(f.deploy))] > 0 {
			f.deploy = nil
		}
	}
}

// most is the most common of some keys, if two have it at least.
func most(counts map[string]int) string {
	best := ""
	for key, n := range counts {
		if n > counts[best] || n == counts[best] && key < best {
			best = key
		}
	}
	if counts[best] < 2 {
		return ""
	}
	return best
}

func (w *writer) layer(b bucket, value *yaml.Node, key string) {
	if value == nil {
		return
	}
	m := yamldoc.Map()
	if w.layers[b] != nil {
		m = w.layers[b]
	}
	// It stands in front of variables and spec.
	m.Content = append([]*yaml.Node{yamldoc.Text(key), fresh(value)}, m.Content...)
	w.layers[b] = m
}

// layerFiles writes the layers. A layer that is there keeps its text, and
// gets what is new behind it.
func (w *writer) layerFiles() error {
	for b, m := range w.layers {
		yamldoc.Compact(m, lineWidth, "spec", "vars")
		text, err := yamldoc.Encode(m)
		if err != nil {
			return err
		}
		file := layerFile(b)
		old, err := fs.ReadFile(w.fsys, file)
		if err != nil {
			if other, otherErr := fs.ReadFile(w.fsys, strings.TrimSuffix(file, ".yaml")+".yml"); otherErr == nil {
				file, old = strings.TrimSuffix(file, ".yaml")+".yml", other
			} else {
				old = []byte("apiVersion: " + batches.APIVersion + "\n")
			}
		}
		if len(old) > 0 && old[len(old)-1] != '\n' {
			old = append(old, '\n')
		}
		w.result.Files = append(w.result.Files, File{file, append(slices.Clone(old), text...)})
	}
	return nil
}
