package migrate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/treetest"
	"github.com/batchctl/batchctl/batches/yamledit"
)

func overlayOf(tree treetest.Tree) *batches.Overlay {
	files := map[string][]byte{}
	for name, text := range tree.Files {
		files[name] = []byte(text)
	}
	return batches.NewOverlay(nil, files, tree.Links)
}

// someChange draws a change that suits any of the trees.
func someChange(t *rapid.T) Change {
	field := func(keys ...string) []string { return append([]string{"spec"}, keys...) }
	property := func(name string) []string { return field("java", "properties", name) }
	return rapid.SampledFrom([]Change{
		Set{field("timeout"), "9h"}, Set{field("timeout"), "{{TIME}}"}, Set{field("timeout"), "{{NONE:-9h}}"}, Set{field("timeout"), "2h"},
		Set{field("java", "heap"), "9g"}, Set{field("node", "cpu"), yamledit.Number("9")}, Set{field("node", "cpu"), "{{CPU}}"}, Set{field("node", "pool"), "{{group}}"},
		Set{field("disabled"), true}, Set{field("disabled"), false}, Set{field("env", "T"), "a: #b"}, Set{field("env", "HEAP"), "1"}, Set{field("args"), yamledit.List{"--b, c", "{{app}}"}},
		Set{field("java", "options"), yamledit.List{"-Xint"}}, Set{field("java", "options"), yamledit.List{}}, Set{field("java", "agents", "pinpoint", "config"), "/etc/q"},
		Set{property("a.b"), yamledit.Number("7")}, Set{property("a"), true}, Set{property("new.one"), "{{java.version}}"}, Set{[]string{"metadata", "owner"}, "them"},
		Set{[]string{"vars", "TIME"}, "8h"}, Set{[]string{"vars", "OPT"}, "8h"}, Set{[]string{"vars", "CPU"}, yamledit.Number("8")}, Set{[]string{"vars", "NEW"}, "{{app}}"},
		Unset{field("timeout")}, Unset{field("retry")}, Unset{field("retry", "attempts")}, Unset{field("node")}, Unset{field("node", "cpu")}, Unset{field("env", "T")},
		Unset{property("a.b")}, Unset{property("a")}, Unset{field("java", "agents", "pinpoint", "config")}, Unset{field("java", "options")}, Unset{field("args")}, Unset{[]string{"metadata", "owner"}}, Unset{[]string{"vars", "OPT"}},
		RenameOption{"-Xss1m", "-Xss2m"}, RenameOption{"-Dapp", "-Dname"}, AddOption{"-Xbatch"}, AddOption{"-Dat={{cluster}}"}, AddOption{"-Xint"}, RemoveOption{"-Xss1m"}, RemoveOption{"-Xloggc"}, RemoveOption{"-XX:+PrintGCDetails"},
		ReplaceValue{field("timeout"), "2h", "3h"}, ReplaceValue{field("timeout"), "{{TIME}}", "6h"}, ReplaceValue{field("node", "cpu"), "2", "3"}, ReplaceValue{field("java", "options"), "-Xss1m", "-Xss4m"},
		ReplaceValue{field("java", "options"), "{{GC}}", "{{DEEP}}"}, ReplaceValue{field("args"), "--b, c", "--d"}, ReplaceValue{property("a"), "true", "false"},
		JVM{From: 11, To: 21}, JVM{From: 11, To: 17},
	}).Draw(t, "change")
}

// someJobs draws a selection as people make it, or of any jobs.
func someJobs(t *rapid.T, docs []*batches.Document) Selection {
	sel := Selection{Select: rapid.SampledFrom([][]string{nil, {"live-*/**"}, {"*/pay/*"}, {"!live-1/pay/settle"}, {"live-1/**", "!*/report/*"}, {"*/*/nightly"}, {"x"}}).Draw(t, "select")}
	sel.Percent = rapid.SampledFrom([]int{0, 0, 10, 50, 90}).Draw(t, "percent")
	if len(sel.Select) > 0 && sel.Select[0] == "x" {
		sel = Selection{Jobs: []string{}}
		for _, d := range docs {
			if rapid.Bool().Draw(t, "selected") {
				sel.Jobs = append(sel.Jobs, d.Path)
			}
		}
	}
	if _, err := sel.choose(docs); err != nil {
		sel.Select = nil // there is no such job
	}
	return sel
}

// paths lists what a selection chooses.
func paths(t *rapid.T, sel Selection, docs []*batches.Document) []string {
	chosen, err := sel.choose(docs)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range chosen {
		out = append(out, d.Path)
	}
	return out
}

// TestOnlyTheSelectionChanges: whatever the tree and the selection, every
// selected job comes out as wanted, nothing else of it changes but what refers
// to that, and no other document changes at all.
func TestOnlyTheSelectionChanges(t *testing.T) {
	treetest.Check(t, 35, func(t *rapid.T) {
		tree := treetest.Draw(t)
		base := overlayOf(tree)
		docs, _ := batches.Load(base).Documents()
		sel, change := someJobs(t, docs), someChange(t)
		chosen := paths(t, sel, docs)
		r, err := Run(base, []Step{{Selection: sel, Change: change}})
		if err != nil {
			t.Fatalf("%s of %v: %v\n%s", change, chosen, err, tree)
		}
		after := batches.Load(r.overlay(base))
		onlyThese(t, batches.Load(base), after, chosen, fieldsOf(change), func() string { return fmt.Sprintf("%s of %v\n%s\n%s", change, chosen, tree, filesOf(r.Files)) })
		now, _ := after.Documents()
		for _, d := range now {
			if w, undecided, _ := change.wants(d); slices.Contains(chosen, d.Path) && len(w) > 0 && len(undecided) == 0 {
				t.Fatalf("%s: %s is still wanted\n%s", d.Path, change, tree)
			}
			if set, ok := change.(Set); ok && slices.Contains(chosen, d.Path) && d.Value(set.Keys...).Raw() != textOf(set.Value) && d.Value(set.Keys...).Text() != textOf(set.Value) {
				t.Fatalf("%s: %s, and it is %s\n%s", d.Path, change, d.Value(set.Keys...).Raw(), tree)
			}
		}
	})
}

func changeText(c Change) string { return string(yamledit.Text(changeMap(c))) }

func filesOf(files map[string][]byte) string {
	out := treetest.Tree{Files: map[string]string{}}
	for name, text := range files {
		out.Files[name] = string(text)
	}
	return "came:\n" + out.String()
}

// fieldsOf lists the fields that a change is about.
func fieldsOf(c Change) []string {
	switch c := c.(type) {
	case Set:
		return []string{strings.Join(c.Keys, "\x00")}
	case Unset:
		return []string{strings.Join(c.Keys, "\x00")}
	case ReplaceValue:
		return []string{strings.Join(c.Keys, "\x00")}
	case JVM:
		return []string{"spec\x00java\x00version", "spec\x00java\x00options", "spec\x00java\x00properties\x00file.encoding", "spec\x00java\x00properties\x00stdout.encoding", "spec\x00java\x00properties\x00stderr.encoding"}
	}
	return []string{"spec\x00java\x00options"}
}

// onlyThese compares two trees value by value, without Compare.
func onlyThese(t *rapid.T, old, fresh *batches.Tree, chosen, fields []string, about func() string) {
	before, _ := old.Effective()
	now, _ := fresh.Effective()
	if len(before) != len(now) {
		t.Fatalf("%d jobs, and before %d: %s", len(now), len(before), about())
	}
	docs, _ := old.Documents()
	for i, was := range before {
		is := now[i]
		if was.Path != is.Path || was.Kind != is.Kind || was.Type != is.Type || was.Phase != is.Phase {
			t.Fatalf("%v became %v: %s", was, is, about())
		}
		a, b := valuesOf(was), valuesOf(is)
		for _, path := range union(a, b) {
			if a[path] == b[path] {
				continue
			}
			inField := slices.ContainsFunc(fields, func(f string) bool { return path == f || strings.HasPrefix(path, f+"\x00") })
			refers := strings.Contains(docs[i].Value(strings.Split(path, "\x00")...).Raw(), "{{") && slices.ContainsFunc(fields, refersTo(docs[i].Value(strings.Split(path, "\x00")...).Raw()))
			if !slices.Contains(chosen, was.Path) || !inField && !refers {
				t.Fatalf("%s: %q became %q at %q: %s", was.Path, a[path], b[path], path, about())
			}
		}
	}
}

// refersTo reports whether a text may follow a field: it names it, or a variable.
func refersTo(raw string) func(field string) bool {
	return func(field string) bool {
		if strings.HasPrefix(field, "vars\x00") {
			return true
		}
		return strings.Contains(raw, "{{"+strings.ReplaceAll(strings.TrimPrefix(field, "spec\x00"), "\x00", "."))
	}
}

func valuesOf(e batches.Effective) map[string]string {
	out := map[string]string{}
	for _, v := range e.Values {
		out[strings.Join(v.Path, "\x00")] = nodeText(v.Node)
	}
	return out
}

func nodeText(n *yaml.Node) string {
	text := fmt.Sprintf("%s %q", n.Tag, n.Value)
	for _, c := range n.Content {
		text += "\n" + nodeText(c)
	}
	return text
}

func union(a, b map[string]string) []string {
	all := slices.Concat(sortedNames(a), sortedNames(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// TestFoldIsTheRollout: for random trees and changes, the tree that a finished
// rollout leaves gives each of its jobs what the rollout gave it, and the rollout
// changes no other.
func TestFoldIsTheRollout(t *testing.T) {
	treetest.Check(t, 20, func(t *rapid.T) {
		tree := treetest.Draw(t)
		base := overlayOf(tree)
		docs, _ := batches.Load(base).Documents()
		change := someChange(t)
		p := somePlan(change)
		p.Rings = []string{"dev", "live"}
		p.Steps = append([]batches.RolloutStep{{Ring: "dev", Percent: 100}}, p.Steps...)
		p.Step.Selection = someJobs(t, docs)
		p.Step.Selection.Percent = 0
		if p.Step.Selection.Jobs != nil {
			p.Step.Selection = Selection{}
		}
		chosen := paths(t, p.Step.Selection, docs)
		name, text, _, err := NewRollout(base, p)
		if err != nil {
			t.Fatalf("%s of %v: %v\n%s", change, chosen, err, tree)
		}
		if text == nil {
			return
		}
		steps := strings.Count(string(text), "percent:")
		full := strings.Replace(string(text), "\nstep: 1\n", fmt.Sprintf("\nstep: %d\n", steps), 1)
		rolled := batches.NewOverlay(base, map[string][]byte{name: []byte(full)}, nil)
		about := func() string { return fmt.Sprintf("%s of %v\n%s\n%s", change, chosen, tree, full) }
		onlyThese(t, batches.Load(base), batches.Load(rolled), chosen, fieldsOf(change), about)
		r, late, err := Fold(rolled, batches.Load(rolled).Rollouts()[0])
		if err != nil || len(late) > 0 {
			t.Fatalf("%v, late %v: %s", err, late, about())
		}
		folded := batches.Load(batches.NewOverlay(rolled, r.Files, nil))
		onlyThese(t, batches.Load(rolled), folded, nil, nil, about)
		if len(folded.Rollouts()) > 0 {
			t.Fatalf("the rollout is still there: %s", about())
		}
	})
}

// TestStepsOfGroups: with several steps, what the groups get by themselves and
// together is what all get in one run; each edits its own files.
func TestStepsOfGroups(t *testing.T) {
	treetest.Check(t, 10, func(t *rapid.T) {
		tree := treetest.Draw(t)
		base := overlayOf(tree)
		docs, _ := batches.Load(base).Documents()
		var steps []Step
		for range rapid.IntRange(1, 3).Draw(t, "steps") {
			steps = append(steps, Step{Selection: someJobs(t, docs), Change: someChange(t)})
		}
		about := func() string { return fmt.Sprintf("%v\n%s", steps, tree) }
		whole, err := Run(base, steps)
		if err != nil {
			t.Fatalf("%v: %s", err, about())
		}
		groups, err := RunGroups(base, steps)
		if err != nil {
			t.Fatalf("%v: %s", err, about())
		}
		all := map[string][]byte{}
		for _, g := range groups {
			for name, text := range g.Result.Files {
				if name != "app-groups/"+g.Name+".yaml" && !strings.HasPrefix(name, "apps/"+g.Name+"/") && !strings.HasPrefix(name, "shared/") {
					t.Fatalf("%s edits %s: %s", g.Name, name, about())
				}
				all[name] = text
			}
		}
		merged := batches.Load(batches.NewOverlay(base, all, nil))
		// A whole run may edit a variable, which a later step may name.
		if !slices.ContainsFunc(steps, func(s Step) bool {
			return strings.Contains(changeText(s.Change), "{{") || strings.HasPrefix(fieldsOf(s.Change)[0], "vars")
		}) {
			onlyThese(t, batches.Load(whole.overlay(base)), merged, nil, nil, about)
		}
	})
}
