package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/batchctl/batchctl/internal/killpoint"
)

// readList reads the list of a journal. Its names must not reach out of the
// directory.
func readList(at string) (*list, error) {
	text, err := os.ReadFile(filepath.Join(at, listName))
	if err != nil {
		return nil, err
	}
	l := &list{}
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("its list is none of batchctl's (%w); %s", err, wayOut(at))
	}
	for _, f := range l.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) || f.Staged != filepath.Base(f.Staged) && f.Staged != "" {
			return nil, fmt.Errorf("its list names %q, which is no file of this directory; %s", f.Name, wayOut(at))
		}
	}
	return l, nil
}

func wayOut(at string) string {
	return "bring the tree in order with git, then remove " + at
}

// check looks whether what was left by somebody else can be finished, before
// anything is touched: every file must be as it was or as it is to be, and what
// is to be put in its place must be whole.
func check(dir, at string, l *list) error {
	for _, f := range l.Files {
		is, err := hashOf(filepath.Join(dir, filepath.FromSlash(f.Name)))
		if err != nil {
			return err
		}
		if is == f.New {
			continue
		}
		if is != f.Old {
			return fmt.Errorf("%s has been changed since; %s", f.Name, wayOut(at))
		}
		if f.Staged == "" {
			continue
		}
		staged, err := hashOf(filepath.Join(at, f.Staged))
		if err != nil {
			return err
		}
		if staged != f.New {
			return fmt.Errorf("the new text of %s is gone; %s", f.Name, wayOut(at))
		}
	}
	return nil
}

// hashOf is the hash of what a file holds, "" where there is none.
func hashOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return hash(text), err
}

// finish does what the list says and is not done yet.
func finish(dir, at string, l *list) error {
	touched := map[string]bool{}
	for _, f := range l.Files {
		killpoint.Step()
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if f.Staged != "" {
			path = real(path)
		}
		if err := put(path, at, f); err != nil {
			return err
		}
		for d := filepath.Dir(path); !touched[d] && len(d) >= len(dir); d = filepath.Dir(d) {
			touched[d] = true
		}
	}
	// The list must not be gone from the disk before the files are there.
	for _, d := range slices.Sorted(maps.Keys(touched)) {
		if err := flushed(d); err != nil {
			return err
		}
	}
	killpoint.Step()
	// The list goes first: without it the rest is nothing that counts.
	if err := os.Remove(filepath.Join(at, listName)); err != nil {
		return err
	}
	killpoint.Step()
	return os.RemoveAll(at)
}

// put brings one file into its place; done already is fine.
func put(path, at string, f listed) error {
	if f.Staged == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	err := os.Rename(filepath.Join(at, f.Staged), path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
