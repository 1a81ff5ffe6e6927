package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// manifestName is the file in which an output directory lists what render
// wrote there, so that the next run removes that and nothing else.
const manifestName = ".batchctl-manifest.json"

// temporary begins the names of files that are being written.
const temporary = ".batchctl-tmp-"

// outDir is a directory of rendered files. New content is staged under
// temporary names and put in place by commit, so that a render that fails, or
// is killed before that, changes nothing.
type outDir struct {
	path   string
	old    []string // files that the last run wrote
	lock   *os.File
	mu     sync.Mutex
	fresh  []string          // files of this run
	staged map[string]string // those that changed, with their temporary names
}

// manifest is the content of the manifest file.
type manifest struct {
	Files []string `json:"files"` // sorted
}

// openOutDir takes a directory for render, making it if it is not there. It
// refuses one that holds anything that render did not write.
func openOutDir(path string) (*outDir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: another batchctl render is writing there; wait for it", path)
	}
	d := &outDir{path: path, lock: lock, staged: map[string]string{}}
	if err := d.readManifest(); err != nil {
		lock.Close()
		return nil, err
	}
	if err := d.refuseStrangers(); err != nil {
		lock.Close()
		return nil, err
	}
	return d, nil
}

// close gives the directory back. What has been staged and not committed is
// removed.
func (d *outDir) close() {
	for _, temp := range d.staged {
		os.Remove(temp)
	}
	d.lock.Close()
}

func (d *outDir) readManifest() error {
	name := filepath.Join(d.path, manifestName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%s: is not a manifest of batchctl render: %w; empty the directory, or render into another one", name, err)
	}
	for _, f := range m.Files {
		// The manifest says what may be removed, so it must not reach out
		// of the directory.
		if f != filepath.Base(f) || strings.HasPrefix(f, ".") {
			return fmt.Errorf("%s: lists %q, which render never writes; empty the directory, or render into another one", name, f)
		}
	}
	d.old = m.Files
	return nil
}

func (d *outDir) refuseStrangers() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, temporary) && e.Type().IsRegular():
			// A run that was killed left it behind.
			if err := os.Remove(filepath.Join(d.path, name)); err != nil {
				return err
			}
		case name == manifestName || slices.Contains(d.old, name):
			if !e.Type().IsRegular() {
				return fmt.Errorf("%s is not a regular file; render into another directory", filepath.Join(d.path, name))
			}
		default:
			return fmt.Errorf("%s holds %s, which batchctl render did not write; render into a directory of its own", d.path, name)
		}
	}
	return nil
}

// stage takes a file of this run. One that is there with that content already
// stays as it is: neither its bytes nor its times change. stage may be called
// from several goroutines.
func (d *outDir) stage(name string, text []byte) error {
	full := filepath.Join(d.path, name)
	temp := ""
	if !same(full, text) {
		var err error
		if temp, err = writeTemporary(full, text); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fresh = append(d.fresh, name)
	if temp != "" {
		d.staged[name] = temp
	}
	return nil
}

// commit puts the staged files in place and removes what earlier runs wrote
// and this one did not. The manifest lists both the old and the new files
// while that goes on, so that a run that is killed leaves nothing that the
// next one takes for a stranger's.
func (d *outDir) commit() (changed, removed int, err error) {
	all := slices.Concat(d.old, d.fresh)
	slices.Sort(all)
	if err := d.writeManifest(slices.Compact(all)); err != nil {
		return 0, 0, err
	}
	for _, name := range slices.Sorted(maps.Keys(d.staged)) {
		if err := os.Rename(d.staged[name], filepath.Join(d.path, name)); err != nil {
			return changed, 0, err
		}
		delete(d.staged, name)
		changed++
	}
	slices.Sort(d.fresh)
	for _, name := range d.old {
		if _, keep := slices.BinarySearch(d.fresh, name); keep {
			continue
		}
		if err := os.Remove(filepath.Join(d.path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return changed, removed, err
		}
		removed++
	}
	return changed, removed, d.writeManifest(d.fresh)
}

func (d *outDir) writeManifest(names []string) error {
	text, err := json.MarshalIndent(manifest{names}, "", "  ")
	if err != nil {
		return err
	}
	full := filepath.Join(d.path, manifestName)
	if text = append(text, '\n'); same(full, text) {
		return nil
	}
	return writeFile(full, text)
}

// same reports whether a file has that content.
func same(path string, text []byte) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(text)) {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, text)
}

// writeFile writes a file under a temporary name and renames it, so that
// nobody ever sees half of it.
func writeFile(path string, text []byte) error {
	temp, err := writeTemporary(path, text)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return err
	}
	return nil
}

// writeTemporary writes a file beside the path that it is for, and returns
// its name.
func writeTemporary(path string, text []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), temporary+"*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return f.Name(), nil
}
