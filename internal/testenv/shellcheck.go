package testenv

import (
	"path/filepath"
	"testing"
)

// Shellcheck returns the program that scripts/shellcheck.sh installs.
func Shellcheck(t testing.TB) string {
	t.Helper()
	path := filepath.Join(Cache(), "shellcheck", "shellcheck")
	return need(t, "ShellCheck", path)
}
