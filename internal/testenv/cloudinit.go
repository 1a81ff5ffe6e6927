package testenv

import (
	"path/filepath"
	"testing"
)

// CloudInit returns the path of Debian's cloud-init, of which only commands
// that change nothing may be used.
func CloudInit(t testing.TB) string {
	t.Helper()
	return need(t, "cloud-init", filepath.Join(Cache(), "cloud-init", "cloud-init"))
}
