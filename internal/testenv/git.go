package testenv

import (
	"os/exec"
	"testing"
)

// Git asks for the git program, which batchctl reads revisions with.
func Git(t testing.TB) {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		Missing(t, "git")
	}
	need(t, "git", path)
}
