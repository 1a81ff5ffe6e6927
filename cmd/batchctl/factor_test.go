package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/factor"
	"github.com/batchctl/batchctl/internal/legacy"
)

// TestFactorKilled: a factor that is killed at any step leaves the tree as it
// was, or as it is to be once the next batchctl has run; and that is so in
// every value.
func TestFactorKilled(t *testing.T) {
	work := t.TempDir()
	home, flat, whole := filepath.Join(work, "home"), filepath.Join(work, "flat"), filepath.Join(work, "whole")
	if _, err := legacy.Write(home, 6); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call("import", "--from", home, "--out", flat); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := call("factor", flat, "--out", whole); code != 0 {
		t.Fatal(stderr)
	}
	values, _ := batches.Load(batches.Dir(flat)).Effective()
	same := func(a, b string) bool { return exec.Command("diff", "-r", a, b).Run() == nil }
	asBefore, asAfter := 0, 0
	for n := 1; ; n++ {
		tree := filepath.Join(work, "tree")
		if err := os.RemoveAll(tree); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-r", flat, tree).CombinedOutput(); err != nil {
			t.Fatal(string(out))
		}
		stopped, text := killed(t, n, "factor", tree)
		// Any verb finishes what was begun.
		if code, _, stderr := call("-C", tree, "explain", legacy.MisspeltJob); code != 0 {
			t.Fatalf("killed before step %d: %s", n, stderr)
		}
		if err := clearStaged(tree, temporary); err != nil {
			t.Fatal(err)
		}
		switch {
		case same(tree, flat):
			asBefore++
		case same(tree, whole):
			asAfter++
		default:
			t.Fatalf("killed before step %d: the tree is neither the old one nor the new one", n)
		}
		now, _ := batches.Load(batches.Dir(tree)).Effective()
		if err := factor.Same(values, now); err != nil {
			t.Fatalf("killed before step %d: %v", n, err)
		}
		if !stopped {
			if !same(tree, whole) {
				t.Fatal(text)
			}
			break
		}
	}
	if asBefore < 5 || asAfter < 5 {
		t.Errorf("%d times as before, %d times as after", asBefore, asAfter)
	}
}

// TestSameValues: the check before anything is written sees what differs, also
// where the values are the same and only their place makes them wrong.
func TestSameValues(t *testing.T) {
	const leaf = `apiVersion: batchctl/v1
kind: Batch
metadata: {name: a}
deploy: [c]
spec:
  java: {version: 11, heap: 1g}
  artifact: {url: "https://repo.example/a.jar", sha256: "0000000000000000000000000000000000000000000000000000000000000001"}
`
	newTree := func(files map[string]string) string {
		dir := t.TempDir()
		files["batchctl.yaml"], files["clusters/c.yaml"] = "apiVersion: batchctl/v1\n", "phase: live\n"
		var list []treeFile
		for name, text := range files {
			list = append(list, treeFile{name, []byte(text)})
		}
		if err := writeFiles(dir, list); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	check := sameValues(newTree(map[string]string{"apps/g/a.yaml": leaf}))
	if err := check(newTree(map[string]string{"apps/g/a.yaml": leaf + "# more\n"})); err != nil {
		t.Error(err)
	}
	for what, files := range map[string]map[string]string{
		"another value":        {"apps/g/a.yaml": strings.Replace(leaf, "1g", "2g", 1)},
		"a leaf that is gone":  {},
		"a leaf with a fault":  {"apps/g/a.yaml": leaf + "deploy: [c]\n"},
		"an override too many": {"apps/g/a.yaml": leaf, "global.yaml": "overrides:\n  - when: {cluster: nowhere}\n    set: {spec: {java: {heap: 2g}}}\n", "apps/h/b.yaml": "x"},
	} {
		if err := check(newTree(files)); err == nil || !strings.Contains(err.Error(), "nothing was written") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
