package migrate

import (
	"testing"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/benchtree"
)

// BenchmarkJVM moves all jobs of a tree of 2,000.
func BenchmarkJVM(b *testing.B) {
	dir := b.TempDir()
	if err := benchtree.Write(dir, 2_000); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := Run(batches.Dir(dir), []Step{{Change: JVM{From: 21, To: 25}}})
		if err != nil || len(r.Comparison.Jobs) != 2_000 {
			b.Fatalf("%v, %v", r, err)
		}
	}
}
