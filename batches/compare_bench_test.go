package batches

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/batchctl/batchctl/internal/benchtree"
)

// BenchmarkCompare compares two trees of 10,000 jobs that differ in a layer, so
// that every job has to be resolved twice.
func BenchmarkCompare(b *testing.B) {
	dir := b.TempDir()
	if err := benchtree.Write(dir, 10_000); err != nil {
		b.Fatal(err)
	}
	layer := filepath.Join("app-types", "batch.yaml")
	text, err := os.ReadFile(filepath.Join(dir, layer))
	if err != nil {
		b.Fatal(err)
	}
	changed := append(text, "  timeout: 3h\n"...)
	for b.Loop() {
		c := Compare(Load(Dir(dir)), Load(NewOverlay(Dir(dir), map[string][]byte{"app-types/batch.yaml": changed}, nil)))
		if len(c.Jobs)+c.Unchanged != 10_000 {
			b.Fatalf("%d jobs changed", len(c.Jobs))
		}
	}
}
