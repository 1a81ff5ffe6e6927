//go:build linux

package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
)

// A machine has its own home and directory, and nothing of the provisioner's
// environment; when it has ended it is gone, but for its log.
func TestMachine(t *testing.T) {
	t.Setenv("SECRET", "of the provisioner")
	d := newLab(t)
	d.cfg.Env = map[string]string{"JAVA_HOME_21": "/opt/jdk/21"}
	vms := launch(t, d, newOrder(1, `env -u PWD -u OLDPWD -u SHLVL -u _ >../seen; pwd >>../seen; umask >/dev/null; ls -l /proc/self/fd | wc -l >&2
ps -o sid= -p $$ >../sid 2>/dev/null; until [ -e ../stop ]; do sleep 0.01; done; echo the end`))
	id := vms[0].ID
	dir := d.path("machines", id)
	until(t, "it runs", func() bool { _, err := os.Stat(dir + "/sid"); return err == nil })
	seen, err := os.ReadFile(dir + "/seen")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, line := range append(d.environ(id), dir+"/work", "") {
		want[line] = true
	}
	got := map[string]bool{}
	for line := range strings.SplitSeq(string(seen), "\n") {
		got[line] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the machine's environment (-want +got):\n%s", diff)
	}
	if sid, _, err := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0); err == 0 && readProcess(d.leader(id).PID).session == int(sid) {
		t.Error("the machine is in the provisioner's session")
	}
	if err := os.WriteFile(dir+"/stop", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "it is gone", func() bool { return len(list(t, d)) == 0 })
	until(t, "its directory is gone", func() bool { list(t, d); _, err := os.Stat(dir); return errors.Is(err, os.ErrNotExist) })
	if log, err := os.ReadFile(d.path("logs", id+".log")); err != nil || !strings.HasSuffix(string(log), "the end\n") {
		t.Errorf("the log is %q, %v", log, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.children) != 0 {
		t.Errorf("not reaped: %v", d.children)
	}
}

// However much a machine says, its log stays small, and has what came last.
func TestLogBounded(t *testing.T) {
	d := newLab(t)
	vms := launch(t, d, newOrder(1, `i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "line $i: this is said over and over, and at great length"; done; `+forever))
	until(t, "the last line is in the log", func() bool {
		log, _ := os.ReadFile(d.path("machines", vms[0].ID, "log"))
		return strings.Contains(string(log), "line 20000:")
	})
	for _, name := range []string{"log", "log.1"} {
		f, err := os.Stat(d.path("machines", vms[0].ID, name))
		if err != nil || f.Size() > logReads*1024 {
			t.Errorf("the bound of %s does not hold: %v, %v", name, f, err)
		}
	}
}

// A directory that cannot be written to gives no machines, and says whose
// fault that is.
func TestClasses(t *testing.T) {
	for err, want := range map[error]nodes.Class{
		syscall.ENOSPC: nodes.NoCapacity, syscall.EDQUOT: nodes.NoCapacity, syscall.EAGAIN: nodes.NoCapacity,
		syscall.EACCES: nodes.Configuration, syscall.EROFS: nodes.Configuration,
		syscall.EIO: nodes.Unsure, syscall.ENOENT: nodes.Unsure,
	} {
		if got := nodes.ClassOf(fmt.Errorf("launch: %w", classify(fmt.Errorf("write: %w", err)))); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}

// A full disk: the order makes nothing and leaves nothing, where it was full
// from the start, and what was made before stays.
func TestShrink(t *testing.T) {
	d := newLab(t)
	o := newOrder(3, forever)
	starts := 0
	d.crash = func(at string) {
		if at == "laid out" {
			if starts++; starts == 2 {
				d.sh = "/no/such/shell"
			}
		}
	}
	vms := launch(t, d, o)
	if len(vms) != 1 || vms[0].State != nodes.VMRunning {
		t.Fatalf("got %v, want the one machine that could be made", vms)
	}
	d.sh = "/bin/sh"
	if again := launch(t, d, o); len(again) != 1 {
		t.Errorf("the repetition gave %v", again)
	}
	if left, _ := d.names("machines", ""); len(left) != 1 {
		t.Errorf("there are directories of %v", left)
	}
}

// Old memory is swept, young memory is not.
func TestSweep(t *testing.T) {
	d := newLab(t)
	var made []string
	for i := range 2 {
		vms := launch(t, d, newOrder(1, "echo hello; "+forever))
		destroy(t, d, vms[0].ID)
		made = append(made, vms[0].Order)
		if i == 0 {
			old := time.Now().Add(-8 * 24 * time.Hour)
			for _, f := range []string{d.path("over", made[0]+".json"), d.path("logs", vms[0].ID+".log")} {
				if err := os.Chtimes(f, old, old); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	d.swept = time.Time{}
	list(t, d)
	over, _ := d.names("over", ".json")
	logs, _ := d.names("logs", ".log")
	if diff := cmp.Diff([]string{made[1]}, over); diff != "" {
		t.Errorf("orders that are remembered (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{made[1] + "-0"}, logs); diff != "" {
		t.Errorf("logs that are kept (-want +got):\n%s", diff)
	}
}

// A machine may take away its own rights and be removed nevertheless.
func TestRemoveTree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	if err := os.MkdirAll(dir+"/a/b", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir+"/a", 0); err != nil {
		t.Fatal(err)
	}
	if err := removeTree(dir); err != nil {
		t.Error(err)
	}
}

// What cannot work is refused when the driver is made.
func TestNewRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"no directory":       {Owner: "a"},
		"no owner":           {Dir: t.TempDir()},
		"a path as owner":    {Dir: t.TempDir(), Owner: "../a"},
		"a hidden owner":     {Dir: t.TempDir(), Owner: ".locks"},
		"a file":             {Dir: file, Owner: "a"},
		"our own variable":   {Dir: t.TempDir(), Owner: "a", Env: map[string]string{"PROVISIONER_OWNER": "b"}},
		"no variable's name": {Dir: t.TempDir(), Owner: "a", Env: map[string]string{"A=B": ""}},
		"no cgroup":          {Dir: t.TempDir(), Owner: "a", Cgroup: t.TempDir()},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: New says nothing", name)
		}
	}
}

// What a cgroup is told, and what is said of it.
func TestCgroup(t *testing.T) {
	c := cgroup(t.TempDir())
	m := c.of("a", "o-0")
	if err := os.Mkdir(string(m), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		"cgroup.procs": "", "cgroup.controllers": "cpuset cpu io memory pids\n", "cgroup.subtree_control": "cpu memory",
		"a.o-0/cpu.max": "", "a.o-0/memory.max": "", "a.o-0/cgroup.procs": "12\n34\n", "a.o-0/cgroup.kill": "",
	} {
		if err := os.WriteFile(filepath.Join(string(c), path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	if err := c.write("cgroup.subtree_control", "cpu memory"); err != nil {
		t.Fatal(err)
	}
	f, err := c.make("a", "o-0", nodes.Need{CPU: 4, Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	c.kill("a", "o-0")
	for file, want := range map[string]string{"cpu.max": "400000 100000", "memory.max": "1073741824", "cgroup.kill": "1"} {
		if got, err := os.ReadFile(filepath.Join(string(m), file)); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v; want %q", file, got, err, want)
		}
	}
	if diff := cmp.Diff([]int{12, 34}, c.processes("a", "o-0")); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	if got := c.limits(); !strings.Contains(got, "cpu, memory") {
		t.Errorf("the limits are said to be %q", got)
	}
}
