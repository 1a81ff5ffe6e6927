package batches_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/treetest"
)

// TestCompareIsComplete: for any two trees, what Compare lists for a job is all
// that differs in its effective values, and nothing else.
func TestCompareIsComplete(t *testing.T) {
	treetest.Check(t, 30, func(t *rapid.T) {
		old, fresh := relatedTrees(t)
		c := batches.Compare(loadFiles(old.Files), loadFiles(fresh.Files))
		if len(c.Skipped)+len(c.Faults) > 0 {
			t.Fatalf("%v %v", c.Skipped, c.Faults)
		}
		before, now := valuesByJob(loadFiles(old.Files)), valuesByJob(loadFiles(fresh.Files))
		changes := map[string][]batches.FieldChange{}
		for _, j := range c.Jobs {
			changes[j.Job] = j.Fields
		}
		unchanged, came, gone := 0, []string{}, []string{}
		for _, job := range keysOf(before, now) {
			switch {
			case before[job] == nil:
				came = append(came, job)
			case now[job] == nil:
				gone = append(gone, job)
			default:
				if err := complete(before[job], now[job], changes[job]); err != nil {
					t.Fatalf("%s: %v\n%+v\nold\n%s\nnew\n%s", job, err, changes[job], old, fresh)
				}
				if len(changes[job]) == 0 {
					unchanged++
				}
			}
		}
		if unchanged != c.Unchanged || !slices.Equal(came, c.New) && len(came)+len(c.New) > 0 || !slices.Equal(gone, c.Gone) && len(gone)+len(c.Gone) > 0 {
			t.Fatalf("%d unchanged, new %v, gone %v; listed %d, %v, %v", unchanged, came, gone, c.Unchanged, c.New, c.Gone)
		}
	})
}

// relatedTrees draws two trees that have most of their files in common.
func relatedTrees(t *rapid.T) (old, fresh treetest.Tree) {
	old, fresh = treetest.Draw(t), treetest.Draw(t)
	for _, tree := range []treetest.Tree{old, fresh} {
		if text, ok := tree.Files["shared/close.yaml"]; ok {
			tree.Files["apps/report/close.yaml"] = text
		}
	}
	for _, name := range keysOf(old.Files, fresh.Files) {
		if rapid.IntRange(0, 3).Draw(t, "same") == 3 {
			continue
		}
		if text, ok := old.Files[name]; ok {
			fresh.Files[name] = text
		} else {
			delete(fresh.Files, name)
		}
	}
	return old, fresh
}

func loadFiles(files map[string]string) *batches.Tree {
	all := map[string][]byte{}
	for name, text := range files {
		all[name] = []byte(text)
	}
	return batches.Load(batches.NewOverlay(nil, all, nil))
}

func keysOf[V any](a, b map[string]V) []string {
	all := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(all)
	return slices.Compact(all)
}

// valuesByJob lists what each job says in the end, single values and lists by
// their paths, and maps that are there and hold nothing. What a list says with
// its references is in its HeadComment.
func valuesByJob(tree *batches.Tree) map[string]map[string]*yaml.Node {
	all := map[string]map[string]*yaml.Node{}
	effective, _ := tree.Effective()
	for _, e := range effective {
		values := map[string]*yaml.Node{"kind": {Value: e.Kind}, "type": {Value: e.Type}, "phase": {Value: e.Phase}}
		for _, v := range e.Values {
			values[strings.Join(v.Path, ".")] = v.Node
		}
		all[e.Path] = values
	}
	docs, _ := tree.Documents()
	for _, d := range docs {
		for path, n := range all[d.Path] {
			if n.Kind == yaml.SequenceNode {
				n.HeadComment = d.Value(strings.Split(path, ".")...).Raw()
			}
		}
		section := []string{"spec"} // where an empty map says something
		if d.Kind == "Batch" {
			section = []string{"spec", "java", "agents"}
		}
		for _, key := range d.Value(section...).Keys() {
			emptyMaps(d.Value(section...).Member(key), strings.Join(append(section, key), "."), all[d.Path])
		}
	}
	return all
}

func emptyMaps(v batches.Value, path string, into map[string]*yaml.Node) {
	if v.Map() && len(v.Keys()) == 0 {
		into[path] = &yaml.Node{Kind: yaml.MappingNode}
	}
	for _, key := range v.Keys() {
		emptyMaps(v.Member(key), path+"."+key, into)
	}
}

// complete compares what is listed for a job with what differs.
func complete(old, fresh map[string]*yaml.Node, listed []batches.FieldChange) error {
	fields := map[string][]batches.FieldChange{}
	for _, f := range listed {
		fields[f.Path] = append(fields[f.Path], f)
	}
	for _, path := range keysOf(old, fresh) {
		a, b := old[path], fresh[path]
		differs := show(a) != show(b) && !becomesMap(a, b, path, old, fresh)
		switch {
		case differs != (len(fields[path]) > 0):
			return fmt.Errorf("%s: %s, and then %s: listed %d times", path, show(a), show(b), len(fields[path]))
		case differs && a != nil && b != nil && a.Kind == yaml.SequenceNode && b.Kind == yaml.SequenceNode:
			if err := completeList(a, b, fields[path]); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		case differs && len(fields[path]) > 1:
			return fmt.Errorf("%s is listed twice", path)
		case differs && (a == nil) != (fields[path][0].Old == nil), differs && (b == nil) != (fields[path][0].New == nil):
			return fmt.Errorf("%s: %s, and then %s", path, show(a), show(b))
		}
		delete(fields, path)
	}
	for path := range fields {
		return fmt.Errorf("%s is listed, and is in neither", path)
	}
	return nil
}

// becomesMap reports whether an empty map got its first members, or lost its
// last ones: they are listed.
func becomesMap(a, b *yaml.Node, path string, old, fresh map[string]*yaml.Node) bool {
	below := func(values map[string]*yaml.Node) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(values)), func(p string) bool { return strings.HasPrefix(p, path+".") })
	}
	return b == nil && a.Kind == yaml.MappingNode && below(fresh) || a == nil && b.Kind == yaml.MappingNode && below(old)
}

// completeList makes the listed changes of a list: the new one must come out. Its
// order counts where no item came or went.
func completeList(a, b *yaml.Node, listed []batches.FieldChange) error {
	items, want := texts(a), texts(b)
	edited, ordered := false, false
	for _, f := range listed {
		if f.Old == nil || f.New == nil {
			return fmt.Errorf("a list that is in both is listed as %+v", f)
		}
		gone, came := f.Gone, f.Came
		if len(f.Uses) > 0 {
			gone, came = []batches.Side{*f.Old}, []batches.Side{*f.New}
		} else if len(gone)+len(came) == 0 {
			ordered = true
		} else {
			edited = true
		}
		for _, g := range gone {
			at := slices.Index(items, g.Text)
			if at < 0 {
				return fmt.Errorf("%s went, and was not there", g.Text)
			}
			items = slices.Delete(items, at, at+1)
		}
		for _, c := range came {
			items = append(items, c.Text)
		}
	}
	slices.Sort(items)
	slices.Sort(want)
	if !slices.Equal(items, want) || a.HeadComment != b.HeadComment && !edited && !ordered {
		return fmt.Errorf("%q by what is listed, and it is %q", items, want)
	}
	return nil
}

// texts are the items as Compare shows them.
func texts(list *yaml.Node) []string {
	var out []string
	for _, n := range list.Content {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(batches.FlowList([]string{n.Value}), "["), "]"))
	}
	return out
}

func show(n *yaml.Node) string {
	if n == nil {
		return "nothing"
	}
	text := fmt.Sprintf("%d %s %q", n.Kind, n.Tag, n.Value)
	for _, c := range n.Content {
		text += " " + show(c)
	}
	return text
}
