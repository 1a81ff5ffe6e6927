//go:build linux

package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
)

// crashEnv makes the test binary a provisioner that launches one order and
// dies of SIGKILL at a point of it: "<point> <nth time> <dir> <order>".
const crashEnv = "LOCAL_TEST_CRASH"

func TestMain(m *testing.M) {
	if what := os.Getenv(crashEnv); what != "" {
		launchAndDie(what)
	}
	os.Exit(m.Run())
}

// crashScript tells in the file named once that it runs.
const crashScript = `echo ran >>"$HOME/../../../../ran-$PROVISIONER_MACHINE"; ` + forever

func launchAndDie(what string) {
	var point, dir, order string
	var nth int
	if _, err := fmt.Sscanf(what, "%s %d %s %s", &point, &nth, &dir, &order); err != nil {
		panic(err)
	}
	d, err := New(Config{Dir: dir, Owner: "lab"})
	if err != nil {
		panic(err)
	}
	d.crash = func(at string) {
		if at != strings.ReplaceAll(point, "-", " ") {
			return
		}
		if nth--; nth == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	vms, err := d.Launch(context.Background(), nodes.Order{ID: order, Count: 2, UserData: crashScript})
	panic(fmt.Sprintf("still alive after %v, %v", vms, err))
}

// However a provisioner dies in Launch, the next one makes the same machines
// of the order, each of which runs exactly once, or destroys what is there.
func TestCrashInLaunch(t *testing.T) {
	for _, point := range []string{"locked", "recorded", "laid-out", "started", "word-due", "word-given", "done"} {
		for _, nth := range []int{1, 2} {
			if nth == 2 && (point == "locked" || point == "recorded" || point == "done") {
				continue
			}
			for _, then := range []string{"repeat", "destroy", "list"} {
				t.Run(fmt.Sprintf("%s/%d/%s", point, nth, then), func(t *testing.T) { crashAndThen(t, point, nth, then) })
			}
		}
	}
}

func crashAndThen(t *testing.T, point string, nth int, then string) {
	d := newLab(t)
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s o", crashEnv, point, nth, d.dir))
	out, err := cmd.CombinedOutput()
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("the provisioner ended with %v:\n%s", err, out)
	}
	o := nodes.Order{ID: "o", Count: 2, UserData: crashScript}
	both := []string{"o-0", "o-1"}
	ran := func(id string) string {
		data, _ := os.ReadFile(filepath.Join(d.dir, "ran-"+id))
		return string(data)
	}
	switch then {
	case "list":
		if point == "started" || point == "word-due" {
			id := machineID("o", nth-1)
			until(t, "the gate has ended", func() bool {
				procs, err := d.scan()
				return err == nil && !d.alive(procs, id)
			})
			if ran(id) != "" {
				t.Errorf("%s has run without the word", id)
			}
		}
		// What is seen of the order is no more than it stands for, and stays.
		for range 3 {
			for _, vm := range list(t, d) {
				if vm.Order != "o" || vm.State == nodes.VMEnding {
					t.Errorf("List has %+v", vm)
				}
			}
		}
	case "destroy":
		seen := ids(list(t, d))
		destroy(t, d, both...)
		if left := list(t, d); len(left) != 0 {
			t.Errorf("List has %v after Destroy", left)
		}
		for i, vm := range launch(t, d, o) {
			wasMade := len(seen) > i
			if wasMade && vm.State != nodes.VMEnding {
				t.Errorf("%s was listed and destroyed, and is %s when its order is repeated", vm.ID, vm.State)
			}
		}
		return
	}
	vms := launch(t, d, o)
	if diff := cmp.Diff(both, ids(vms)); diff != "" {
		t.Errorf("the repetition gave (-want +got):\n%s", diff)
	}
	for _, id := range both {
		until(t, id+" has run", func() bool { return ran(id) != "" })
	}
	until(t, "both run", func() bool {
		vms := list(t, d)
		return len(vms) == 2 && vms[0].State == nodes.VMRunning && vms[1].State == nodes.VMRunning
	})
	launch(t, newDriver(t, d.cfg), o)
	for _, id := range both {
		if got := ran(id); got != "ran\n" {
			t.Errorf("%s ran so: %q, want once", id, got)
		}
	}
}
