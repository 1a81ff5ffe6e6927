package local

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// tidy removes what is left of a machine that has ended by itself. It is
// tried again with each List, so what stands in its way now is no error; a
// Destroy would tell.
func (d *Driver) tidy(id string) {
	order, _, _ := splitID(id)
	// Who holds the lock will see to it, or the next List.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	unlock, err := d.lock(ctx, order)
	if err != nil {
		return
	}
	defer unlock()
	t, err := d.scan()
	if err != nil || d.alive(t, id) {
		return
	}
	// A directory that was seen without a record may have got one by now.
	if ran, err := d.started(id); err != nil || !ran && d.pending(id) {
		return
	}
	_ = d.end(order, []string{id})
}

// pending reports whether a machine is still to be started.
func (d *Driver) pending(id string) bool {
	order, index, _ := splitID(id)
	r, err := d.load(order)
	return err != nil || r != nil && !r.over && index < r.Count && !slices.Contains(r.Ended, index)
}

// remove removes what is left of a dead machine, but for its output.
func (d *Driver) remove(id string) error {
	d.cgroup.remove(d.cfg.Owner, id)
	for _, name := range []string{"log", "log.1"} {
		// A machine without output has no such file; the rest is removed below.
		_ = os.Rename(d.path("machines", id, name), d.path("logs", id+"."+name))
	}
	d.sweepLogs()
	return removeTree(d.path("machines", id))
}

// removeTree removes a directory also where a machine has taken away its own
// right to write there.
func removeTree(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if e != nil && e.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}

// sweep removes, once in a while, the memory of orders that were over long
// ago and what crashed writers have left.
func (d *Driver) sweep() {
	d.mu.Lock()
	due := time.Since(d.swept) > sweepEvery
	if due {
		d.swept = time.Now()
	}
	d.mu.Unlock()
	if !due {
		return
	}
	d.sweepDir("over", time.Now().Add(-d.cfg.Remember))
	d.sweepDir("tmp", time.Now().Add(-time.Hour))
	d.sweepLogs()
}

func (d *Driver) sweepDir(dir string, before time.Time) {
	for _, f := range d.files(dir) {
		if f.ModTime().Before(before) {
			os.Remove(d.path(dir, f.Name()))
		}
	}
}

// sweepLogs keeps the newest logs.
func (d *Driver) sweepLogs() {
	logs := d.files("logs")
	slices.SortFunc(logs, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	before := time.Now().Add(-d.cfg.KeepLogs)
	for i, f := range logs {
		if i >= maxLogs || f.ModTime().Before(before) {
			os.Remove(d.path("logs", f.Name()))
		}
	}
}

func (d *Driver) files(dir string) []fs.FileInfo {
	entries, err := os.ReadDir(d.path(dir))
	if err != nil {
		return nil
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if f, err := e.Info(); err == nil || !errors.Is(err, fs.ErrNotExist) {
			files = append(files, f)
		}
	}
	return files
}
