package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// pendingDir is where a change of a whole tree lies, ready, until all of it
// is in place. Whoever finds it finishes the change: every step of that may
// be done twice.
const pendingDir = ".batchctl-pending"

// pendingList is the file in it that lists the change.
const pendingList = "change.json"

// pendingChange lists the files of a change, slash-separated, below the tree.
type pendingChange struct {
	Files []string `json:"files"`
}

// changeTree puts files into a tree, all of them or none: they are written
// beside it, and from one rename on the change is made. check may refuse them
// before that.
func changeTree(dir string, files []treeFile, check func() error) error {
	if err := clearStaged(dir, temporary); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(dir, temporary)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := writeFiles(filepath.Join(temp, "files"), files); err != nil {
		return err
	}
	var list pendingChange
	for _, f := range files {
		list.Files = append(list.Files, f.Path)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temp, pendingList), text, 0o644); err != nil {
		return err
	}
	if err := check(); err != nil {
		return err
	}
	before("decide")
	if err := os.Rename(temp, filepath.Join(dir, pendingDir)); err != nil {
		return err
	}
	_, err = applyPending(dir)
	return err
}

// applyPending puts a change in place, if there is one. It returns how many
// files it has.
func applyPending(dir string) (int, error) {
	pending := filepath.Join(dir, pendingDir)
	text, err := os.ReadFile(filepath.Join(pending, pendingList))
	if errors.Is(err, fs.ErrNotExist) {
		// Nothing is pending; or all was in place, and only the rest of the
		// directory was to be removed.
		return 0, os.RemoveAll(pending)
	}
	if err != nil {
		return 0, err
	}
	var list pendingChange
	if err := json.Unmarshal(text, &list); err != nil {
		return 0, fmt.Errorf("%s: is no change of batchctl's: %w; remove %s, and look at what git says of the tree", filepath.Join(pending, pendingList), err, pending)
	}
	for _, name := range list.Files {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return 0, fmt.Errorf("%s: names %q, which is not in the tree; remove %s", filepath.Join(pending, pendingList), name, pending)
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return 0, err
		}
		before("place")
		// One that is not there any more is in place already.
		if err := os.Rename(filepath.Join(pending, "files", filepath.FromSlash(name)), to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	// The list goes first: without it the rest means nothing.
	if err := os.Remove(filepath.Join(pending, pendingList)); err != nil {
		return 0, err
	}
	before("clear")
	return len(list.Files), os.RemoveAll(pending)
}

// finishPending finishes a change that was killed half-way.
func (a *app) finishPending(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, pendingDir)); err != nil {
		return nil
	}
	n, err := applyPending(dir)
	if n > 0 && err == nil {
		fmt.Fprintf(a.stderr, "%s: a change of %s had been killed half-way; it is in place now\n", dir, plural(n, "file"))
	}
	return err
}
