package importer

import (
	"path"
	"slices"
	"strings"
)

// link finds the jobs that start others, both those that a job names as its
// upstreams and those that name it as what they start.
func (m *maker) link() {
	for _, j := range m.jobs {
		if j.job == nil {
			continue
		}
		for _, name := range j.job.Upstream {
			j.upstream = append(j.upstream, upstream{m.find(j.source.Name, name), name})
		}
		for _, name := range j.job.Downstream {
			if next := m.find(j.source.Name, name); next != nil {
				next.upstream = append(next.upstream, upstream{j, j.source.Name})
			} else if j.report.Reason == "" {
				j.keep("upstream", "a job that starts it, or that it starts, is no batch of the same cluster", "kept: starts "+name)
			}
		}
	}
}

// find resolves the name of a job as Jenkins does: from the folder of the job
// that names it, then from the top.
func (m *maker) find(from, name string) *imported {
	if absolute, ok := strings.CutPrefix(name, "/"); ok {
		return m.byName[absolute]
	}
	if j := m.byName[path.Join(path.Dir(from), name)]; j != nil {
		return j
	}
	return m.byName[path.Clean(name)]
}

// after names the upstream batches, which stand on the same cluster.
func (b *builder) after() {
	var names []string
	for _, u := range b.upstream {
		found := false
		if u.job != nil && u.job != b.imported {
			for i := range u.job.variants {
				if v := &u.job.variants[i]; v.cluster == b.variant.cluster {
					found = true
					name := v.app
					if v.group != b.variant.group {
						name = v.group + "/" + v.app
					}
					names = append(names, name)
				}
			}
		}
		if !found {
			b.keep("upstream", "a job that starts it, or that it starts, is no batch of the same cluster", "kept: started by "+u.name)
		}
	}
	if names = distinct(names); len(names) > 0 {
		slices.Sort(names)
		b.set(b.texts(names), "after")
	}
}
