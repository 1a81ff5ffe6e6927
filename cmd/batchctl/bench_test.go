package main

import (
	"io"
	"testing"

	"github.com/batchctl/batchctl/internal/benchtree"
)

// benchmarkVerb runs one verb over a tree of n jobs, in this process.
func benchmarkVerb(b *testing.B, n int, verb ...string) {
	dir, out := b.TempDir(), b.TempDir()
	if err := benchtree.Write(dir, n); err != nil {
		b.Fatal(err)
	}
	args := append([]string{"-C", dir}, verb...)
	if verb[0] == "render" {
		args = append(args, "--out", out)
	}
	b.ReportAllocs()
	for b.Loop() {
		if code := run(args, io.Discard, io.Discard); code != 0 {
			b.Fatalf("%v ended with %d", args, code)
		}
	}
}

func BenchmarkValidate1000(b *testing.B) { benchmarkVerb(b, 1000, "validate") }
func BenchmarkRender1000(b *testing.B)   { benchmarkVerb(b, 1000, "render") }
func BenchmarkExplain1000(b *testing.B) {
	benchmarkVerb(b, 1000, "explain", "live-1/pay/aggregate-00010")
}
