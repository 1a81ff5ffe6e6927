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

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/batchctl/batchctl/internal/killpoint"
)

// stage puts all new texts into the journal, and then the list, which makes
// them count. What would keep a file from its place later is an error here.
func stage(dir, at string, changes []Change) (*list, error) {
	if err := os.Mkdir(at, 0o700); err != nil {
		return nil, err
	}
	// git must not take in what a writer leaves that is killed.
	if err := write(filepath.Join(at, ".gitignore"), []byte("*\n"), 0o600); err != nil {
		return nil, err
	}
	l := &list{}
	for i, c := range changes {
		killpoint.Step()
		entry, err := stageFile(dir, at, strconv.Itoa(i), c)
		if err != nil {
			return nil, err
		}
		l.Files = append(l.Files, entry)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	killpoint.Step()
	fresh := filepath.Join(at, "list")
	if err := write(fresh, text, 0o600); err != nil {
		return nil, err
	}
	if err := flush(at, l); err != nil {
		return nil, err
	}
	killpoint.Step()
	if err := os.Rename(fresh, filepath.Join(at, listName)); err != nil {
		return nil, err
	}
	return l, errors.Join(flushed(at), flushed(dir))
}

func stageFile(dir, at, staged string, c Change) (listed, error) {
	path := filepath.Join(dir, filepath.FromSlash(c.Name))
	entry := listed{Name: c.Name}
	mode, err := unchanged(path, c)
	if err == nil {
		err = placeable(path, at)
	}
	if err != nil {
		return entry, err
	}
	if c.Old != nil {
		entry.Old = hash(c.Old)
	}
	if !c.Remove {
		entry.Staged, entry.New = staged, hash(c.New)
		err = write(filepath.Join(at, staged), c.New, mode)
	}
	return entry, err
}

// unchanged checks what a file holds, and returns its mode.
func unchanged(path string, c Change) (fs.FileMode, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Old == nil:
		return 0o644, nil
	case errors.Is(err, fs.ErrNotExist), err == nil && (c.Old == nil || !bytes.Equal(text, c.Old)):
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

// placeable checks that a file can be renamed from the journal to its place:
// once the change counts it is too late to find that out.
func placeable(path, at string) error {
	parent := filepath.Dir(real(path))
	info, err := os.Stat(parent)
	for errors.Is(err, fs.ErrNotExist) {
		parent = filepath.Dir(parent)
		info, err = os.Stat(parent)
	}
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		err = unix.Faccessat(unix.AT_FDCWD, parent, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %s: %w", path, parent, err)
	}
	journal, err := os.Stat(at)
	if err != nil {
		return err
	}
	if journal.Sys().(*syscall.Stat_t).Dev != info.Sys().(*syscall.Stat_t).Dev {
		return fmt.Errorf("%s is on another file system than %s; a change of both cannot be made as one", path, filepath.Dir(at))
	}
	return nil
}

// real follows symbolic links: one stays a link, and the file that it names is
// written.
func real(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	return path
}

func write(path string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Chmod(mode), f.Close())
}

// flush waits until what is staged is on the disk, for many files at a time:
// one after the other a disk takes milliseconds for each.
func flush(at string, l *list) error {
	var g errgroup.Group
	g.SetLimit(32)
	for _, name := range []string{".", "list"} {
		g.Go(func() error { return flushed(filepath.Join(at, name)) })
	}
	for _, f := range l.Files {
		if f.Staged != "" {
			g.Go(func() error { return flushed(filepath.Join(at, f.Staged)) })
		}
	}
	return g.Wait()
}

// flushed waits until a file or a directory is on the disk.
func flushed(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
