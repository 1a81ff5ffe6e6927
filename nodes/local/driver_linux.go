package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// Driver makes machines of processes: sh runs an order's user data in a
// session of its own, and everything that comes of it is the machine. The
// machine runs as long as any of its processes does, and when the last one
// has ended it is gone.
//
// Machines outlive the provisioner. All that is known of them is on disk and
// in /proc, so another Driver for the same directory and owner, later or at
// the same time, knows as much. Driver has no goroutines: the processes that
// it started are reaped when it is called next.
//
// A process that clears its environment, starts its own session and whose
// parent has ended cannot be told from a stranger, and is left alone, unless
// there is a cgroup.
type Driver struct {
	cfg    Config
	dir    string // as processes know it: absolute, without symbolic links
	sh     string
	boot   string // names this boot of the host
	cgroup cgroup

	mu       sync.Mutex
	children map[int]bool // started here and not reaped yet
	swept    time.Time    // when old files were removed last

	crash func(point string)    // for tests: called at each step of Launch
	spare func(id string) error // for tests: what to say instead of destroying
}

var _ nodes.Driver = (*Driver)(nil)

// New returns a driver for the machines of one owner in one directory, which
// it makes if need be.
func New(c Config) (*Driver, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	d := &Driver{cfg: c, children: map[int]bool{}, cgroup: cgroup(c.Cgroup), crash: func(string) {}}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of local machines: %w", err)
	}
	dir, err := filepath.Abs(c.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("find the directory of local machines: %w", err)
	}
	d.dir = dir
	for _, sub := range []string{d.path("orders"), d.path("over"), d.path("machines"), d.path("logs"), d.path("tmp"), filepath.Join(dir, ".locks")} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return nil, fmt.Errorf("make a directory of local machines: %w", err)
		}
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("read the boot of this host (is /proc mounted?): %w", err)
	}
	d.boot = string(boot)
	if d.sh, err = exec.LookPath("/bin/sh"); err != nil {
		return nil, fmt.Errorf("find the shell for local machines: %w", err)
	}
	if err := d.cgroup.check(); err != nil {
		return nil, err
	}
	return d, nil
}

// Limits says what keeps machines within the size that was asked for.
func (d *Driver) Limits() string {
	if d.cgroup == "" {
		return fmt.Sprintf("none: machines share the CPUs, memory and disk of this host (nice %d); set cgroup to a cgroup v2 of the provisioner's own", niceness)
	}
	return d.cgroup.limits()
}

// path is a path in the owner's directory. Owners have directories of their
// own, so that a file whose content is lost still has its owner.
func (d *Driver) path(elem ...string) string {
	return filepath.Join(append([]string{d.dir, d.cfg.Owner}, elem...)...)
}

// reap takes the exit codes of machines that were started here and have
// ended; else they would stay as zombies.
func (d *Driver) reap() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for pid := range d.children {
		got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		if got == pid || errors.Is(err, syscall.ECHILD) {
			delete(d.children, pid)
		}
	}
}

func (d *Driver) adopt(pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.children[pid] = true
}

// classify gives an error of the host the class that says what it means for
// an order of which nothing was made.
func classify(err error) error {
	class := nodes.Unsure
	is := func(list ...error) bool {
		return slices.ContainsFunc(list, func(e error) bool { return errors.Is(err, e) })
	}
	switch {
	case is(syscall.ENOSPC, syscall.EDQUOT, syscall.ENOMEM, syscall.EAGAIN, syscall.EMFILE, syscall.ENFILE):
		class = nodes.NoCapacity
	case is(syscall.EACCES, syscall.EPERM, syscall.EROFS, exec.ErrNotFound):
		class = nodes.Configuration
	}
	return &nodes.CloudError{Class: class, Err: err}
}
