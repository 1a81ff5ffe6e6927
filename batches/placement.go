package batches

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// placement finds the clusters that a leaf goes to. Only layers that do not
// depend on the cluster have a say in it.
func (r *resolver) placement(d *document, ps *problems) []coordinates {
	t := r.tree
	meta := d.part.get("metadata")
	typ := meta.get("type")
	if typ == nil {
		typ = r.lowFrame(d.file.Group, "").get("metadata").get("type")
	}
	typeName := cmp.Or(typ.str(), d.kind.defaultType())
	if typ != nil && t.types[typeName] == nil && typ.kind == stringKind {
		ps.at(typ, "metadata.type", "unknown-type", "there is no app-types/"+typeName+".yaml", didYouMean(typeName, maps.Keys(t.types)))
		return nil // without its layer nothing of it would be right
	}
	low := r.lowFrame(d.file.Group, typeName)
	deploy := layered(low, d.root, "deploy")
	phases := layered(low.get("metadata"), meta, "phases")
	if deploy == nil {
		ps.at(d.root, "deploy", "missing-key", "is missing", "name the clusters: deploy: ["+cmp.Or(first(r.clusterNames), "live-1")+"]")
		return nil
	}
	if deploy.kind == listKind && len(deploy.kids) == 0 {
		ps.at(deploy, "deploy", "no-cluster", "names no cluster, so there would be no job", "to keep a job from running, write spec.disabled: true")
		return nil
	}
	if !r.knownPhases(phases, ps) {
		phases = nil
	}
	var out []coordinates
	for _, name := range r.clusters(deploy, phases, ps) {
		out = append(out, coordinates{app: d.file.Name, group: d.file.Group, typ: typeName, kind: d.kind.name,
			phase: t.clusters[name].root.get("phase").str(), cluster: name, path: name + "/" + d.file.Group + "/" + d.file.Name})
	}
	return out
}

// lowFrame merges what the layers below the leaf say of its placement.
func (r *resolver) lowFrame(group, typ string) *value {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := [2]string{group, typ}
	low, ok := r.low[key]
	if !ok {
		var dropped problems
		for _, d := range []*document{r.tree.global, r.tree.types[typ], r.tree.groups[group]} {
			low = frame(low, d, &dropped)
		}
		r.low[key] = low
	}
	return low
}

// frame puts the part of a layer that decides where leaves go over a lower
// one.
func frame(low *value, d *document, ps *problems) *value {
	if d == nil || d.root == nil || d.root.kind != mapKind {
		return low
	}
	part := *d.root
	part.kids = nil
	for _, e := range d.root.kids {
		if e.key == "deploy" || e.key == "metadata" {
			part.kids = append(part.kids, e)
		}
	}
	return merge(low, &part, newPath(), ps)
}

// layered returns a leaf's own value of a key, put over the one below it. It
// is what merge does, for one key. Faults come up when the leaf is merged.
func layered(low, high *value, key string) *value {
	var e *entry
	if high != nil {
		e = find(high.kids, key)
	}
	switch {
	case e == nil:
		return low.get(key)
	case e.plus && e.val.kind == listKind:
		var dropped problems
		return appendList(low.get(key), e.val, newPath(key), &dropped)
	case e.val.kind == nullKind:
		return nil
	}
	return e.val
}

// clusters resolves a deploy to names of clusters, sorted.
func (r *resolver) clusters(deploy, phases *value, ps *problems) []string {
	type cluster struct {
		name string
		item *value
	}
	var found []cluster
	for i, item := range deploy.list() {
		if item.kind != stringKind {
			continue // reported by the schema
		}
		matched := false
		for _, name := range r.clusterNames {
			if !matchGlob(item.text, name) || r.tree.clusters[name].part == nil {
				matched = matched || matchGlob(item.text, name)
				continue
			}
			matched = true
			if at := slices.IndexFunc(found, func(c cluster) bool { return c.name == name }); at >= 0 {
				if before := found[at].item; !isGlob(item.text) && before.text == item.text {
					ps.add(Problem{Place: item.place(), Path: deployPath(deploy, i), Rule: "duplicate-job", Others: []Place{before.place()},
						Message: name + " is here twice; the first is " + before.place().String(), Hint: "delete one of the two"})
				}
				continue
			}
			if r.phaseFits(name, item, deployPath(deploy, i), phases, ps) {
				found = append(found, cluster{name, item})
			}
		}
		if !matched {
			r.unknownCluster(item, deployPath(deploy, i), ps)
		}
	}
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = c.name
	}
	slices.Sort(names)
	return names
}

func deployPath(deploy *value, i int) string {
	if deploy.kind != listKind {
		return "deploy"
	}
	return "deploy[" + strconv.Itoa(i) + "]"
}

// knownPhases checks that the phases that a leaf is for exist.
func (r *resolver) knownPhases(phases *value, ps *problems) bool {
	good := true
	for _, v := range phases.list() {
		if v.kind != stringKind || r.tree.hasPhase(v.text) || r.tree.phases[v.text] != nil {
			continue
		}
		good = false
		ps.at(v, "metadata.phases", "unknown-phase", "there is no phase "+v.text, cmp.Or(didYouMean(v.text, r.tree.phasesOfClusters()), "the phases are "+listed(r.tree.coordinateNames("phase"))))
	}
	return good
}

// phaseFits checks that a leaf is for the cluster's phase.
func (r *resolver) phaseFits(cluster string, item *value, at string, phases *value, ps *problems) bool {
	if phases == nil {
		return true
	}
	phase := r.tree.clusters[cluster].root.get("phase").str()
	if slices.Contains(phases.strings(), phase) {
		return true
	}
	if phases.file.Layer == App && item.file.Layer != App {
		ps.add(Problem{Place: phases.place(), Path: "metadata.phases", Rule: "wrong-phase", Others: []Place{item.place()},
			Message: fmt.Sprintf("this batch is for %s, but by %s it goes to %s, which is in phase %s", strings.Join(phases.strings(), ", "), item.place(), cluster, phase),
			Hint:    "give the batch a deploy of its own, or add " + phase + " here"})
		return false
	}
	where := phases.place().String()
	if phases.file == item.file {
		where = fmt.Sprintf("line %d", phases.line)
	}
	ps.add(Problem{Place: item.place(), Path: at, Rule: "wrong-phase", Others: []Place{phases.place()},
		Message: fmt.Sprintf("%s is in phase %s, but this batch is for %s (metadata.phases, %s)", cluster, phase, strings.Join(phases.strings(), ", "), where),
		Hint:    "take the cluster out of deploy, or add " + phase + " to metadata.phases"})
	return false
}

func (r *resolver) unknownCluster(item *value, at string, ps *problems) {
	message := "there is no cluster " + item.text
	if isGlob(item.text) {
		message = "no cluster matches " + item.text
	}
	hint := didYouMean(item.text, maps.Keys(r.tree.clusters))
	ps.at(item, at, "unknown-cluster", message, cmp.Or(hint, "the clusters are "+listed(r.clusterNames)))
}
