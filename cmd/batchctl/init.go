package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
)

// newTree is the tree that init writes.
//
//go:embed all:newtree
var newTree embed.FS

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Make a small tree, with comments, to begin with",
		Args:  needArgs(1, 1, "the directory to make"),
		RunE:  func(_ *cobra.Command, args []string) error { return a.init(args[0]) },
	}
}

func (a *app) init(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".git") {
			return fmt.Errorf("%s is not empty (it holds %s); init makes a tree in a new directory", dir, e.Name())
		}
	}
	tree, err := fs.Sub(newTree, "newtree")
	if err != nil {
		return err
	}
	err = fs.WalkDir(tree, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		full := filepath.Join(dir, filepath.FromSlash(path))
		if e.IsDir() {
			return os.MkdirAll(full, 0o755)
		}
		// The settings come last: they make the directory a tree.
		if path == batches.SettingsFile {
			return nil
		}
		return copyNew(tree, path, full)
	})
	if err != nil {
		return err
	}
	if err := writeSchemas(filepath.Join(dir, ".batchctl")); err != nil {
		return err
	}
	if err := copyNew(tree, batches.SettingsFile, filepath.Join(dir, batches.SettingsFile)); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s is a tree with one batch. Next:\n  cd %s\n  batchctl validate\n  batchctl explain dev-1/shop/daily-report\n  batchctl render --out ../out\n", dir, dir)
	return nil
}

func copyNew(from fs.FS, path, to string) error {
	text, err := fs.ReadFile(from, path)
	if err != nil {
		return err
	}
	return writeFile(to, text)
}
