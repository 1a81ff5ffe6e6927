// Package journal writes several files of a directory as one: whoever is killed
// while it writes leaves them all as they were, or all as they were to be once
// the next call of Recover has finished the work.
//
// New texts are first put into .batchctl-journal, on the disk for good. One
// rename of its list makes them count; after that each file is put in its place
// by a rename, and any process can do what is left. A lock keeps a second
// writer, and Recover, from touching what a living one still works on.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Dir is the directory of the journal, inside the one that is written.
const Dir = ".batchctl-journal"

const listName = "files.json"

// Change is one file that is written, or removed.
type Change struct {
	Name   string // slash-separated, below the directory
	Old    []byte // what it must hold now; nil: it must not be there
	New    []byte
	Remove bool
}

// list is the content of the journal's list: what is still to be done.
type list struct {
	Files []listed `json:"files"`
}

type listed struct {
	Name   string `json:"name"`
	Staged string `json:"staged,omitempty"` // name in the journal; "" = remove the file
}

// step is called before each step that a process may be killed at. Tests
// replace it.
var step = func() {}

// Write makes the changes, all or none. A file that does not hold what it must
// is an error: somebody else has changed it since it was read.
func Write(dir string, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	lock, err := acquire(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	at := filepath.Join(dir, Dir)
	if err := stage(dir, at, changes); err != nil {
		return errors.Join(err, os.RemoveAll(at))
	}
	return finish(dir, at)
}

// Recover finishes what a writer left that was killed. It waits for a living
// one. Without a journal it does nothing.
func Recover(dir string) error {
	at := filepath.Join(dir, Dir)
	if _, err := os.Lstat(at); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := acquire(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	return leftover(dir, at)
}

func leftover(dir, at string) error {
	if _, err := os.Lstat(filepath.Join(at, listName)); errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(at) // nothing counted yet
	}
	return finish(dir, at)
}

// acquire takes the lock, which is on the directory itself: it needs no file
// that could be left behind.
func acquire(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
	}
}

// stage puts all new texts into the journal, and then the list, which makes
// them count.
func stage(dir, at string, changes []Change) error {
	if err := leftover(dir, at); err != nil {
		return err
	}
	if err := os.Mkdir(at, 0o700); err != nil {
		return err
	}
	var l list
	for i, c := range changes {
		step()
		mode, err := unchanged(filepath.Join(dir, filepath.FromSlash(c.Name)), c)
		if err != nil {
			return err
		}
		entry := listed{Name: c.Name}
		if !c.Remove {
			entry.Staged = strconv.Itoa(i)
			if err := durable(filepath.Join(at, entry.Staged), c.New, mode); err != nil {
				return err
			}
		}
		l.Files = append(l.Files, entry)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	step()
	if err := durable(filepath.Join(at, "list"), text, 0o600); err != nil {
		return err
	}
	step()
	return os.Rename(filepath.Join(at, "list"), filepath.Join(at, listName))
}

// unchanged checks what a file holds, and returns its mode.
func unchanged(path string, c Change) (fs.FileMode, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Old == nil:
		return 0o644, nil
	case err == nil && (c.Old == nil || !bytes.Equal(text, c.Old)):
		return 0, fmt.Errorf("%s has changed in the meantime; start again", c.Name)
	case err != nil:
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

// durable writes a file that is on the disk when it returns.
func durable(path string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}

// finish does what the list says and is not done yet.
func finish(dir, at string) error {
	text, err := os.ReadFile(filepath.Join(at, listName))
	if err != nil {
		return err
	}
	var l list
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("%s: %w; it was not written by batchctl", filepath.Join(at, listName), err)
	}
	for _, f := range l.Files {
		step()
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) || f.Staged != filepath.Base(f.Staged) && f.Staged != "" {
			return fmt.Errorf("%s: %q is no file of this directory", filepath.Join(at, listName), f.Name)
		}
		if err := put(filepath.Join(dir, filepath.FromSlash(f.Name)), at, f); err != nil {
			return err
		}
	}
	step()
	// The list goes first: without it the rest is nothing that counts.
	if err := os.Remove(filepath.Join(at, listName)); err != nil {
		return err
	}
	step()
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
	// A symbolic link stays one: the file that it names is written.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	err := os.Rename(filepath.Join(at, f.Staged), path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
