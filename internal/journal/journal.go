// Package journal writes several files of a directory as one: whoever is killed
// while it writes leaves them all as they were, or all as they were to be once
// the next call of Recover has finished the work.
//
// New texts are first put into .batchctl-journal, on the disk for good
// (stage.go). One rename of its list makes them count; after that each file is
// put in its place by a rename, and any process can do what is left
// (finish.go). A lock keeps a second writer, and Recover, from touching what a
// living one still works on.
package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Dir is the directory of the journal, inside the one that is written.
const Dir = ".batchctl-journal"

// listName is the list in it. A journal without one counts for nothing.
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
	Old    string `json:"old,omitempty"`    // hash of what it held; "" = it was not there
	New    string `json:"new,omitempty"`    // hash of what it is to hold
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

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
	if _, err := leftover(dir, at); err != nil {
		return err
	}
	l, err := stage(dir, at, changes)
	if err != nil {
		return errors.Join(err, os.RemoveAll(at))
	}
	if err := finish(dir, at, l); err != nil {
		return fmt.Errorf("%w; the change counts already, and the next batchctl here does the rest of it", err)
	}
	return nil
}

// Recover finishes what a writer left that was killed, and returns how many
// files that has. It waits for a living one. Without a journal it does nothing.
func Recover(dir string) (int, error) {
	at := filepath.Join(dir, Dir)
	if _, err := os.Lstat(at); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	lock, err := acquire(dir)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	return leftover(dir, at)
}

// leftover does what is left of a change that counts.
func leftover(dir, at string) (int, error) {
	l, err := readList(at)
	if errors.Is(err, fs.ErrNotExist) {
		// Nothing counted yet, and nothing reads it. Where it cannot be
		// removed, as on a disk that is read only now, it does no harm.
		_ = os.RemoveAll(at)
		return 0, nil
	}
	if err == nil {
		err = check(dir, at, l)
	}
	if err == nil {
		err = finish(dir, at, l)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: a change was killed half-way, and cannot be finished: %w", at, err)
	}
	return len(l.Files), nil
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
