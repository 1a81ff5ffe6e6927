package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// treeFile is a file of a tree that is to be written.
type treeFile struct {
	Path string // slash-separated, below the tree
	Text []byte
}

// before is called before each step of writing a tree; tests stop the process
// there.
var before = func(step string) {}

// writeNewDir makes a directory of files, all of them or nothing: they are
// written into a directory beside it, which then gets its name. check, if
// there is one, may still refuse what is there by then.
func writeNewDir(dir string, files []treeFile, check func(dir string) error) error {
	if err := emptyDir(dir); err != nil {
		return err
	}
	dir = filepath.Clean(dir)
	parent, name := filepath.Dir(dir), filepath.Base(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	if err := clearStaged(parent, stagedName(name)); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, stagedName(name))
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	if err := writeFiles(temp, files); err != nil {
		return err
	}
	if check != nil {
		if err := check(temp); err != nil {
			return err
		}
	}
	before("rename")
	return os.Rename(temp, dir)
}

// stagedName begins the name of a directory that is being written for another
// one.
func stagedName(name string) string { return "." + name + temporary }

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
		before("write")
		if err := os.WriteFile(full, f.Text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
