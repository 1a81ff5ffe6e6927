package batches

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// baseTree is what the trees of the tests share, so that a test shows only
// what it is about. A file of the same name replaces one of these.
const baseTree = `
-- batchctl.yaml --
apiVersion: batchctl/v1
-- clusters/live-1.yaml --
phase: live
-- clusters/staging-1.yaml --
phase: staging
-- app-types/batch.yaml --
spec:
  java: {version: 21}
  schedule: {timezone: Asia/Seoul}
  artifact:
    url: https://repo.example/{{app}}.jar
    sha256: "0000000000000000000000000000000000000000000000000000000000000001"
`

// treeFS makes a tree of the base and the files of a txtar archive.
func treeFS(archives ...*txtar.Archive) fstest.MapFS {
	m := fstest.MapFS{}
	for _, a := range archives {
		for _, f := range a.Files {
			m[f.Name] = &fstest.MapFile{Data: unescape(f.Data)}
		}
	}
	return m
}

// unescape lets a text archive hold what text cannot: <TAB> and <FF>.
func unescape(data []byte) []byte {
	return []byte(strings.NewReplacer("<TAB>", "\t", "<FF>", "\xff").Replace(string(data)))
}

func testTree(text string) fs.FS {
	return treeFS(txtar.Parse([]byte(baseTree)), txtar.Parse([]byte(text)))
}

// golden compares text with the section "want" of a txtar file, or writes it
// there with -update.
func golden(t *testing.T, file string, a *txtar.Archive, got string) {
	t.Helper()
	for i := range a.Files {
		f := &a.Files[i]
		if f.Name != "want" {
			continue
		}
		if *update {
			f.Data = []byte(got)
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if diff := cmp.Diff(string(f.Data), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		return
	}
	t.Fatalf("%s has no section want", file)
}

// eachArchive runs f for every txtar file of a directory under testdata.
func eachArchive(t *testing.T, dir string, f func(t *testing.T, file string, a *txtar.Archive, tree fs.FS)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives in testdata/%s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input := &txtar.Archive{}
			for _, f := range a.Files {
				if f.Name != "want" {
					input.Files = append(input.Files, f)
				}
			}
			f(t, file, a, treeFS(txtar.Parse([]byte(baseTree)), input))
		})
	}
}

// TestProblems holds every problem that a tree can have, as it is reported.
// Each archive in testdata/problems is one tree with what is wrong with it.
func TestProblems(t *testing.T) {
	eachArchive(t, "problems", func(t *testing.T, file string, a *txtar.Archive, tree fs.FS) {
		got := describe(Load(tree).Resolve().Problems)
		if got == "" {
			t.Error("no problem was found")
		}
		golden(t, file, a, got)
	})
}

// describe writes problems with all that they say.
func describe(ps []Problem) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%s: ", p.Place)
		if p.Severity == Warning {
			b.WriteString("warning: ")
		}
		if p.Path != "" {
			fmt.Fprintf(&b, "%s: ", p.Path)
		}
		fmt.Fprintf(&b, "%s [%s]\n", p.Message, p.Rule)
		if p.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", p.Hint)
		}
		if len(p.Jobs) > 0 {
			fmt.Fprintf(&b, "    touches %d, %s first\n", len(p.Jobs), p.Jobs[0])
		}
	}
	return b.String()
}
