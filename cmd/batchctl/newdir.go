package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/batchctl/batchctl/internal/killpoint"
)

// treeFile is a file of a tree that is to be written.
type treeFile struct {
	Path string // slash-separated, below the tree
	Text []byte
}

// writeNewDir makes a directory of files, all of them or nothing: they are
// written beside it, and from one rename on they are there.
func writeNewDir(dir string, files []treeFile) error {
	if err := emptyDir(dir); err != nil {
		return err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	parent, staged := filepath.Dir(dir), "."+filepath.Base(dir)+temporary
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	if err := clearStaged(parent, staged); err != nil {
		return err
	}
	killpoint.Step()
	temp, err := os.MkdirTemp(parent, staged)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	// git must not take in what a run leaves that is killed.
	if err := os.WriteFile(filepath.Join(temp, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return err
	}
	tree := filepath.Join(temp, "tree")
	if err := writeFiles(tree, files); err != nil {
		return err
	}
	killpoint.Step()
	if err := os.Rename(tree, dir); err != nil {
		return err
	}
	killpoint.Step()
	return nil
}

// clearStaged removes what runs that were killed have left behind: what stands
// in a directory under names that begin so.
func clearStaged(dir, prefix string) error {
	old, err := filepath.Glob(filepath.Join(escapeGlob(dir), escapeGlob(prefix)+"*"))
	if err != nil {
		return err
	}
	for _, o := range old {
		if err := os.RemoveAll(o); err != nil {
			return err
		}
	}
	return nil
}

func escapeGlob(path string) string {
	var out []byte
	for i := range len(path) {
		if path[i] == '*' || path[i] == '?' || path[i] == '[' || path[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, path[i])
	}
	return string(out)
}

// emptyDir refuses a path at which something is already.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty (it holds %s); name a new directory", dir, entries[0].Name())
	}
	return nil
}

func writeFiles(dir string, files []treeFile) error {
	made := map[string]bool{}
	for _, f := range files {
		full := filepath.Join(dir, filepath.FromSlash(f.Path))
		if d := filepath.Dir(full); !made[d] {
			if err := os.MkdirAll(d, 0o755); err != nil {
				return err
			}
			made[d] = true
		}
		killpoint.Step()
		if err := os.WriteFile(full, f.Text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
