package batches

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// checkLayers checks the files of all layers by themselves. A file with a
// fault in its frame still takes part, as far as it can be understood, so that
// all faults of a tree come to light at once.
func (t *Tree) checkLayers() {
	if t.settings != nil {
		t.checkRoot(t.settings, settingsSchema)
	}
	for _, d := range t.layerDocuments() {
		t.checkRoot(d, layerSchemas[d.file.Layer])
		t.checkLayerName(d)
		if d.root != nil {
			checkPermissions(d.root.get("permissions"), &t.problems)
			t.checkPhase(d)
		}
	}
}

// layerDocuments lists all layers in a fixed order.
func (t *Tree) layerDocuments() []*document {
	var docs []*document
	if t.global != nil {
		docs = append(docs, t.global)
	}
	for _, m := range []map[string]*document{t.clusters, t.phases, t.types, t.groups} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			docs = append(docs, m[name])
		}
	}
	return docs
}

func (t *Tree) checkRoot(d *document, s *schema) {
	if d.root == nil {
		return
	}
	c := checker{root: withSpecs(s, t.kinds[0]), ps: &t.problems}
	c.value(s, d.root, newPath())
	d.cut(&t.problems)
}

// checkPermissions checks what the schema cannot say of an entry: that it
// names one user or one group.
func checkPermissions(v *value, ps *problems) {
	for i, item := range v.list() {
		path := fmt.Sprintf("permissions[%d]", i)
		user, group, allow := item.get("user"), item.get("group"), item.get("allow")
		if (user == nil) == (group == nil) {
			ps.at(item, path, "conflict", "an entry is for one user or for one group", "write either user or group")
		}
		if allow != nil && allow.kind == listKind && len(allow.kids) == 0 {
			ps.at(allow, path+".allow", "missing-key", "allows nothing", "name permissions such as Job/Read, or delete the entry")
		}
	}
}

// checkPhase warns of a cluster whose phase has no layer, but nearly the name
// of one: all that the phase sets would be missing without a word.
func (t *Tree) checkPhase(d *document) {
	phase := d.root.get("phase")
	if d.file.Layer != Cluster || phase.str() == "" || t.phases[phase.text] != nil {
		return
	}
	if hint := didYouMean(phase.text, maps.Keys(t.phases)); hint != "" {
		t.problems.add(Problem{Place: phase.place(), Path: "phase", Rule: "unknown-phase", Severity: Warning,
			Message: "there is no phases/" + phase.text + ".yaml, so the cluster inherits nothing from its phase", Hint: hint})
	}
}

// checkLayerName checks the name that a layer has by its file.
func (t *Tree) checkLayerName(d *document) {
	if err := CheckName(d.file.Name); err != nil && d.file.Layer != Global {
		t.problems.inFile(d.file.Path, "bad-name", "the file's name: "+err.Error(), "")
	}
}

// checkLeaf checks the file of a leaf by itself.
func (t *Tree) checkLeaf(d *document, ps *problems) {
	if d.root == nil {
		return
	}
	if d.root.kind != mapKind {
		ps.at(d.root, "", "wrong-type", "this is "+d.root.kind.String()+"; a file holds a map, with apiVersion, kind, metadata and spec", "")
		return
	}
	d.kind = t.kindNamed(d.root.get("kind").str())
	if d.kind == nil {
		t.unknownKind(d, ps)
		return
	}
	c := checker{root: d.kind.withSpec(), ps: ps}
	c.value(d.kind.frame(), d.root, newPath())
	name := d.root.get("metadata").get("name")
	if name != nil && name.kind == stringKind && name.text != d.file.Name {
		ps.at(name, "metadata.name", "name-differs", "the name is "+name.text+", but the file is "+d.file.Name+".yaml", "give both the same name")
	}
	d.cut(ps)
}

func (t *Tree) unknownKind(d *document, ps *problems) {
	v := d.root.get("kind")
	if v == nil {
		ps.at(d.root, "kind", "missing-key", "is missing", "the kinds are "+listed(t.kindNames()))
		return
	}
	ps.at(v, "kind", "unknown-value", "there is no kind "+v.str(), cmp.Or(didYouMean(v.str(), slices.Values(t.kindNames())), "the kinds are "+listed(t.kindNames())))
}

// cut takes the parts of a document that are merged, and its overrides.
func (d *document) cut(ps *problems) {
	if d.root.kind != mapKind {
		return
	}
	d.part = pick(d.root)
	if ks := d.root.get("kinds"); ks != nil && ks.kind == mapKind {
		d.kindParts = map[string]*value{}
		for _, e := range ks.kids {
			d.kindParts[e.key] = pick(e.val)
		}
	}
	overrides := d.root.get("overrides")
	if overrides == nil || overrides.kind != listKind {
		return
	}
	for i, o := range overrides.list() {
		path := fmt.Sprintf("overrides[%d]", i)
		when, set := o.get("when"), o.get("set")
		if when == nil || set == nil || when.kind != mapKind || set.kind != mapKind {
			continue
		}
		if len(when.kids) == 0 {
			ps.at(when, path+".when", "empty-when", "matches every job", "name what it is for, or write the values straight into the layer")
		}
		mark(set)
		d.overrides = append(d.overrides, &override{path: path, when: when, conditions: conditionsOf(when), set: pick(set)})
	}
}

// mark notes that values come from an override. The document was just made
// and is not shared yet.
func mark(v *value) {
	v.override = true
	for i := range v.kids {
		mark(v.kids[i].val)
	}
}

// pick returns a map with those members of v that are merged.
func pick(v *value) *value {
	if v.kind != mapKind {
		return nil
	}
	out := *v
	out.kids = nil
	out.expands = false
	for _, e := range v.kids {
		if (e.key == "metadata" || e.key == "vars" || e.key == "spec") && (e.val.kind == mapKind || e.val.kind == nullKind) {
			out.kids = append(out.kids, e)
			out.expands = out.expands || e.val.expands
		}
	}
	return &out
}
