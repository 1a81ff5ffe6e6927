// Package killtest runs a test binary as another program that kills itself at
// its n-th killpoint.
package killtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/batchctl/batchctl/internal/killpoint"
)

// variable says at which killpoint a process is to kill itself.
const variable = "BATCHCTL_TEST_KILL_AT"

// Arm makes this process kill itself where Run says. Test binaries call it
// before anything else.
func Arm() {
	n := int64(0)
	if _, err := fmt.Sscan(os.Getenv(variable), &n); err != nil {
		return
	}
	var steps atomic.Int64
	killpoint.Step = func() {
		if steps.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal may take a moment to come
		}
	}
}

// Run runs a command that kills itself at its nth killpoint. It reports whether
// that came, and what was printed. Any other end but a good one is fatal.
func Run(t testing.TB, n int, cmd *exec.Cmd) (killed bool, out string) {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", variable, n))
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return true, string(text)
	}
	if err != nil {
		t.Fatalf("killpoint %d: %v: %s", n, err, text)
	}
	return false, string(text)
}
