package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
)

// TestDev runs dev to its end, stops another one in the middle as Ctrl-C
// does, and kills a third: each time nothing is left, in the last case when
// dev is started again.
func TestDev(t *testing.T) {
	d := newDevTest(t)
	if out, err := d.command().CombinedOutput(); err != nil || !strings.Contains(string(out), "3 runs, 3 machines, each used once, 0 left.") {
		t.Fatalf("%v\n%s", err, out)
	}
	d.nothingLeft()

	err := d.signal(syscall.SIGINT)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitError {
		t.Errorf("after SIGINT dev ended with %v", err)
	}
	d.nothingLeft()

	_ = d.signal(syscall.SIGKILL)
	if len(d.processes()) == 0 {
		t.Error("a dev that is killed leaves nothing, so this test shows nothing")
	}
	out, err := d.command().CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "An earlier dev was killed and left ") {
		t.Errorf("%v\n%s", err, out)
	}
	d.nothingLeft()
}

// devTest is a temporary directory of dev's own.
type devTest struct {
	t    *testing.T
	dir  string
	args []string // more than the catalog
}

func newDevTest(t *testing.T) *devTest {
	t.Helper()
	d := &devTest{t: t, dir: t.TempDir()}
	var c catalog.Catalog
	for _, path := range []string{"live-1/pay/daily-settlement", "live-1/fees/invoices", "live-2/fees/invoices"} {
		j := catalog.Job{Path: path, Cluster: path[:6], Controller: "main", Folder: filepath.Dir(path), Token: catalog.Token(path), Timeout: 600,
			Retry: catalog.Retry{Attempts: 1}, Node: catalog.Node{Pool: "standard", CPU: 1, Memory: 1 << 30, Disk: 1 << 30, Arch: "amd64"}}
		if strings.Contains(path, "daily") {
			j.Schedule = &catalog.Schedule{Cron: []string{"15 2 * * *"}, Timezone: "Asia/Seoul"}
		}
		c.Jobs = append(c.Jobs, j)
	}
	var b bytes.Buffer
	if err := catalog.Write(&b, c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "catalog.json"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *devTest) command() *exec.Cmd {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"dev", "--catalog", filepath.Join(d.dir, "catalog.json")}, d.args...)...)
	cmd.Env = append(os.Environ(), asProvisioner+"=1", "TMPDIR="+d.dir)
	return cmd
}

// signal starts dev, and sends it a signal when a run is on its machine.
func (d *devTest) signal(s syscall.Signal) error {
	d.t.Helper()
	cmd := d.command()
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), " busy ") {
			_ = cmd.Process.Signal(s)
		}
	}
	return cmd.Wait()
}

// processes returns the command lines of the machines that live in the
// directory.
func (d *devTest) processes() []string {
	d.t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		d.t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err == nil && bytes.Contains(env, []byte("PROVISIONER_MACHINE=")) && bytes.Contains(env, []byte(d.dir)) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func (d *devTest) nothingLeft() {
	d.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for len(d.processes()) > 0 && time.Now().Before(deadline) {
		continue // a killed process may take a moment to leave /proc
	}
	if left := d.processes(); len(left) > 0 {
		d.t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
	}
	if dirs, _ := filepath.Glob(filepath.Join(d.dir, "provisioner-dev-*[0-9]")); len(dirs) > 0 {
		d.t.Errorf("%v is left", dirs)
	}
}
