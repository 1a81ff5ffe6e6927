package treetest_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/treetest"
)

// TestTreesAreSound: a property that holds for trees with errors alone would
// hold for none that anybody has.
func TestTreesAreSound(t *testing.T) {
	treetest.Check(t, 40, func(t *rapid.T) {
		tree := treetest.Draw(t)
		files := map[string][]byte{}
		for name, text := range tree.Files {
			files[name] = []byte(text)
		}
		fsys := batches.NewOverlay(nil, files, tree.Links)
		for _, p := range batches.Load(fsys).Resolve().Problems {
			if p.Severity == batches.Error {
				t.Fatalf("%s (%s)\n%s", p, p.Hint, tree)
			}
		}
		if docs, _ := batches.Load(fsys).Documents(); len(docs) < 6 {
			t.Fatalf("%d jobs\n%s", len(docs), tree)
		}
	})
}
