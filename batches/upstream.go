package batches

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// links finds jobs by the names that after uses. It is made when all jobs are
// known.
type links struct {
	tree   *Tree
	byPath map[string]*leaf
	byApp  map[string][]*leaf // by cluster/name
}

// linkUpstreams finds the jobs that the batches run after, and reports names
// that are none and circles.
func (r *resolver) linkUpstreams(leaves []*leaf) {
	if !slices.ContainsFunc(leaves, func(l *leaf) bool { return l.after != nil }) {
		return
	}
	k := links{tree: r.tree, byPath: make(map[string]*leaf, len(leaves)), byApp: make(map[string][]*leaf, len(leaves))}
	for _, l := range leaves {
		k.byPath[l.names.path] = l
		key := l.names.cluster + "/" + l.names.app
		k.byApp[key] = append(k.byApp[key], l)
	}
	for _, l := range leaves {
		if job, ok := l.made.(*Job); ok && l.after != nil {
			job.Batch.Upstream = k.upstream(l)
		}
	}
	k.checkCircles(leaves)
}

// upstream finds the jobs that the entries of after name, on the same
// cluster: GROUP/NAME, or NAME alone for the job's own app group or, where
// that has none of the name, for the only one that has.
func (k *links) upstream(l *leaf) []string {
	var out []string
	for i, item := range l.after {
		if item.kind != stringKind || item.broken {
			continue
		}
		at := fmt.Sprintf("spec.after[%d]", i)
		path := k.find(l, item, at)
		if path == "" {
			continue
		}
		if slices.Contains(out, path) {
			l.ps.at(item, at, "duplicate-upstream", path+" is here twice", "delete one of the two")
			continue
		}
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

func (k *links) find(l *leaf, item *value, at string) string {
	cluster := l.names.cluster
	group, app, full := strings.Cut(item.text, "/")
	if !full {
		group, app = l.names.group, item.text
	}
	found := k.byPath[cluster+"/"+group+"/"+app]
	others := k.byApp[cluster+"/"+app]
	if found == nil && !full && len(others) == 1 {
		found = others[0]
	}
	switch {
	case found == nil:
		k.unknown(l, item, at, group, app, others)
		return ""
	case found.names.kind != l.names.kind:
		l.ps.at(item, at, "unknown-upstream", item.text+" is a "+found.names.kind+", not a "+l.names.kind, "")
		return ""
	}
	return found.names.path
}

func (k *links) unknown(l *leaf, item *value, at, group, app string, others []*leaf) {
	if checkUpstream(item.text) != nil {
		return // reported by the schema
	}
	prob := Problem{Place: item.place(), Path: at, Rule: "unknown-upstream", subject: item.text, variant: l.names.cluster}
	groups := []string{group}
	if !strings.Contains(item.text, "/") {
		groups = k.groupsOf(app)
	}
	switch {
	case len(others) > 1:
		var names []string
		for _, o := range others {
			names = append(names, o.names.group+"/"+o.names.app)
		}
		prob.variant = ""
		prob.Message = "there are several batches " + app + ": " + strings.Join(names, ", ")
		prob.Hint = "write which one, with its group"
	case len(others) == 1:
		prob.variant = ""
		prob.Message = "there is no batch " + item.text
		prob.Hint = "did you mean " + others[0].names.group + "/" + app + "?"
	case len(groups) > 0 && slices.Contains(k.tree.names[groups[0]], app):
		if k.nowhere(groups[0], app) {
			// It is on no cluster at all, for a fault of its own that has
			// been reported.
			return
		}
		prob.Message = groups[0] + "/" + app + " does not go to " + l.names.cluster
		prob.Hint = "add the cluster to its deploy, or take it out of after"
	default:
		prob.variant = ""
		prob.Message = "there is no batch " + item.text
		prob.Hint = didYouMean(item.text, k.tree.leafNames(strings.Contains(item.text, "/")))
	}
	l.ps.add(prob)
}

// groupsOf lists the app groups that have an app of that name, sorted.
func (k *links) groupsOf(app string) []string {
	var groups []string
	for group, apps := range k.tree.names {
		if slices.Contains(apps, app) {
			groups = append(groups, group)
		}
	}
	slices.Sort(groups)
	return groups
}

func (k *links) nowhere(group, app string) bool {
	for cluster := range k.tree.clusters {
		if l := k.byPath[cluster+"/"+group+"/"+app]; l != nil && l.made != nil {
			return false
		}
	}
	return true
}

// leafNames yields the names of all leaves, with their groups if full.
func (t *Tree) leafNames(full bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range t.leaves {
			name := f.Name
			if full {
				name = f.Group + "/" + f.Name
			}
			if !yield(name) {
				return
			}
		}
	}
}

// checkCircles reports jobs that wait for each other in a circle. Each circle
// is reported once, at the after of its first job by path.
func (k *links) checkCircles(leaves []*leaf) {
	const open, done = 1, 2
	state := make(map[string]int, len(leaves))
	var trail []string
	var visit func(path string)
	visit = func(path string) {
		l := k.byPath[path]
		job, ok := l.made.(*Job)
		if !ok || state[path] == done {
			return
		}
		if state[path] == open {
			circle := slices.Clone(trail[slices.Index(trail, path):])
			reportCircle(l, append(circle, path))
			return
		}
		state[path] = open
		trail = append(trail, path)
		for _, up := range job.Batch.Upstream {
			visit(up)
		}
		trail = trail[:len(trail)-1]
		state[path] = done
	}
	for _, l := range leaves {
		visit(l.names.path)
	}
}

func reportCircle(l *leaf, circle []string) {
	// Without the cluster, the circle reads the same on all clusters that
	// have it, and is one problem.
	for i, path := range circle {
		_, circle[i], _ = strings.Cut(path, "/")
	}
	l.ps.add(Problem{Place: l.after[0].place(), Path: "spec.after", Rule: "circle-of-after",
		Message: "these batches wait for each other in a circle: " + strings.Join(circle, " → "),
		Hint:    "take one of them out of the other's after"})
}
