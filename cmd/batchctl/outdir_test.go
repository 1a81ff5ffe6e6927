package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func open(t *testing.T, path string) *outDir {
	t.Helper()
	d, err := openOutDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func render(t *testing.T, path string, files map[string]string) {
	t.Helper()
	d := open(t, path)
	defer d.close()
	for name, text := range files {
		if err := d.stage(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := d.commit(); err != nil {
		t.Fatal(err)
	}
}

// content reads a directory, the manifest left out.
func content(t *testing.T, path string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		if e.Name() == manifestName {
			continue
		}
		text, err := os.ReadFile(filepath.Join(path, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}

// What is staged and not committed leaves no trace: a render that fails in
// the middle changes nothing.
func TestStagedOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	render(t, dir, map[string]string{"a": "1", "b": "2"})
	d := open(t, dir)
	if err := d.stage("a", []byte("changed")); err != nil {
		t.Fatal(err)
	}
	if err := d.stage("c", []byte("new")); err != nil {
		t.Fatal(err)
	}
	d.close()
	if got := content(t, dir); len(got) != 2 || got["a"] != "1" || got["b"] != "2" {
		t.Errorf("after a run that did not commit: %v", got)
	}
}

// A run that dies at any step of commit leaves a directory that the next run
// takes and brings in order.
func TestDiesInCommit(t *testing.T) {
	old := map[string]string{"a": "1", "b": "2"}
	fresh := map[string]string{"a": "1", "c": "3", "d": "4"}
	for step := range 4 {
		dir := filepath.Join(t.TempDir(), "out")
		render(t, dir, old)
		d := open(t, dir)
		for name, text := range fresh {
			if err := d.stage(name, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		// The steps of commit, one by one, up to where the process dies.
		if step >= 1 {
			if err := d.writeManifest([]string{"a", "b", "c", "d"}); err != nil {
				t.Fatal(err)
			}
		}
		if step >= 2 {
			if err := os.Rename(d.staged["c"], filepath.Join(dir, "c")); err != nil {
				t.Fatal(err)
			}
		}
		if step >= 3 {
			if err := os.Remove(filepath.Join(dir, "b")); err != nil {
				t.Fatal(err)
			}
		}
		d.lock.Close() // as the system does for a dead process
		render(t, dir, fresh)
		if got := content(t, dir); len(got) != 3 || got["c"] != "3" || got["d"] != "4" {
			t.Errorf("dead at step %d, then a good run: %v", step, got)
		}
	}
}

// Two renders into one directory do not mix.
func TestLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	d := open(t, dir)
	_, err := openOutDir(dir)
	if err == nil || !strings.Contains(err.Error(), "another batchctl render is writing there") {
		t.Errorf("a second render: %v", err)
	}
	d.close()
	open(t, dir).close()
}

// A link in the place of a file is not followed: it could lead anywhere.
func TestLinkInPlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	render(t, dir, map[string]string{"a": "1"})
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := openOutDir(dir); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("a link in the place of a file: %v", err)
	}
	text, err := os.ReadFile(other)
	if err != nil || string(text) != "mine" {
		t.Errorf("the link's target is now %q, %v", text, err)
	}
}

// The manifest lists what is there, sorted.
func TestManifest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	render(t, dir, map[string]string{"b": "1", "a": "2"})
	d := open(t, dir)
	defer d.close()
	if !slices.Equal(d.old, []string{"a", "b"}) {
		t.Errorf("the manifest lists %v", d.old)
	}
}
