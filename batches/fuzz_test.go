package batches

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// FuzzTree gives the loader arbitrary text as a leaf, a layer and a cluster.
// No input may panic, every problem must have a place in the tree and a
// message, and the same input must give the same problems.
func FuzzTree(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range a.Files {
			f.Add(unescape(part.Data))
		}
	}
	base := txtar.Parse([]byte(baseTree))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"apps/g/a.yaml", "global.yaml", "clusters/live-1.yaml", "batchctl.yaml"} {
			tree := treeFS(base)
			tree["apps/g/b.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: b}\ndeploy: [live-1]\nspec: {timeout: 1h}\n")}
			tree[name] = &fstest.MapFile{Data: data}
			first := describe(resolveChecked(t, tree))
			if again := describe(resolveChecked(t, tree)); first != again {
				t.Fatalf("%s: first\n%s\nthen\n%s", name, first, again)
			}
			if _, err := Load(tree).Explain("live-1/g/b", ""); err == nil {
				continue
			}
		}
	})
}

func resolveChecked(t *testing.T, tree fs.FS) []Problem {
	ps := Load(tree).Resolve().Problems
	for _, p := range ps {
		if p.Message == "" || p.Rule == "" || p.Place.File == "" {
			t.Fatalf("a problem says too little: %+v", p)
		}
		if _, err := fs.Stat(tree, p.Place.File); err != nil && p.Rule != "no-settings" {
			t.Fatalf("a problem is in %s: %v", p.Place.File, err)
		}
	}
	return ps
}

// What the file system does wrong is reported as what the text does wrong.
func TestFileSystem(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		full := filepath.Join(dir, "tree", name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, "tree", name)); err != nil {
			t.Fatal(err)
		}
	}
	leaf := func(name string) string {
		return "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: " + name + "}\ndeploy: [live-1]\nspec: {}\n"
	}
	for _, f := range txtar.Parse([]byte(baseTree)).Files {
		write(f.Name, string(f.Data))
	}
	write("apps/g/a.yaml", leaf("a"))
	write("shared/b.yaml", leaf("b"))
	if err := os.WriteFile(filepath.Join(dir, "outside.yaml"), []byte(leaf("c")), 0o644); err != nil {
		t.Fatal(err)
	}
	link("../../shared/b.yaml", "apps/g/b.yaml") // in the tree: fine
	link("../../../outside.yaml", "apps/g/c.yaml")
	link(filepath.Join(dir, "outside.yaml"), "apps/g/d.yaml")
	link("nowhere.yaml", "apps/g/e.yaml")
	link("f.yaml", "apps/g/f.yaml")
	link("../shared/../../tree", "apps/h")
	write("apps/g/big.yaml", "# "+strings.Repeat("x", maxFileSize))
	if err := os.Mkdir(filepath.Join(dir, "tree/apps/g/dir.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}

	for _, fsys := range []fs.FS{os.DirFS(filepath.Join(dir, "tree")), Dir(filepath.Join(dir, "tree"))} {
		got := describe(Load(fsys).Resolve().Problems)
		want := `apps/g/big.yaml:1:1: the file is larger than 1 MiB [too-large]
    split it
apps/g/c.yaml:1:1: is a symbolic link that leaves the tree [link-leaves-tree]
    put a copy into the tree
apps/g/d.yaml:1:1: is a symbolic link that leaves the tree (to DIR/outside.yaml) [link-leaves-tree]
    put a copy into the tree
apps/g/dir.yaml:1:1: is not a regular file [not-a-file]
apps/g/e.yaml:1:1: is a symbolic link to nothing: no such file or directory [link-leaves-tree]
    put a copy into the tree
apps/g/f.yaml:1:1: is a symbolic link that leads in a circle [link-leaves-tree]
    put a copy into the tree
apps/h:1:1: is a symbolic link that leaves the tree [link-leaves-tree]
    put a copy into the tree
`
		if got = strings.ReplaceAll(got, dir, "DIR"); got != want {
			t.Errorf("%T: got\n%s\nwant\n%s", fsys, got, want)
		}
	}
}

// unreadableFS fails to read one file.
type unreadableFS struct {
	fs.FS
	name string
}

func (u unreadableFS) Open(name string) (fs.File, error) {
	if name == u.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.FS.Open(name)
}

func TestUnreadable(t *testing.T) {
	leaf := "-- apps/g/a.yaml --\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: [live-1]\nspec: {}\n"
	for name, want := range map[string]string{
		"apps/g/a.yaml":        "apps/g/a.yaml:1:1: cannot be read: permission denied [unreadable]\n",
		"clusters/live-1.yaml": "clusters/live-1.yaml:1:1: cannot be read: permission denied [unreadable]\n",
		"apps":                 "apps:1:1: cannot be listed: permission denied [unreadable]\n",
	} {
		got := describe(Load(unreadableFS{testTree(leaf), name}).Resolve().Problems)
		if got != want {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

// An empty directory is no tree, and says so once.
func TestNoTree(t *testing.T) {
	got := describe(Load(fstest.MapFS{}).Resolve().Problems)
	want := "batchctl.yaml:1:1: there is no batchctl.yaml here, so this is no tree [no-settings]\n    batchctl init makes a new tree; -C DIR names another directory\n"
	if got != want {
		t.Errorf("got %s", got)
	}
}
