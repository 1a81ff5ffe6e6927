package batches_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/batchctl/batchctl/batches"
)

// TestSnapshot: what is edited later does not show, neither in a layer nor in a
// leaf, and what cannot be read is still a problem of the tree.
func TestSnapshot(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{"batchctl.yaml": "a", "global.yaml": "b", "clusters/c.yaml": "c", "apps/g/a.yaml": "d"}
	for name, text := range files {
		write(name, text)
	}
	if err := os.Symlink("gone.yaml", filepath.Join(dir, "apps/g/link.yaml")); err != nil {
		t.Fatal(err)
	}
	tree := batches.Snapshot(batches.Dir(dir))
	for name, text := range files {
		write(name, "other")
		if got, err := fs.ReadFile(tree, name); string(got) != text || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, problems := batches.Load(tree).Effective(); !slices.ContainsFunc(problems, func(p batches.Problem) bool { return p.Place.File == "apps/g/link.yaml" }) {
		t.Errorf("%v", problems)
	}
}
