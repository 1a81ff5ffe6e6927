package testenv

import (
	"os"
	"path/filepath"
	"testing"
)

// witness is a test that notes how it ended.
type witness struct {
	testing.TB
	failed, skipped bool
}

func (w *witness) Helper()               {}
func (w *witness) Fatalf(string, ...any) { w.failed = true }
func (w *witness) Skipf(string, ...any)  { w.skipped = true }
func (w *witness) Fatal(args ...any)     { w.TB.Fatal(args...) }

// A program that is missing skips a test on somebody's machine and fails it
// in CI, and the report says both times that the check did not run.
func TestMissing(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report")
	t.Setenv("BATCHCTL_TEST_REPORT", report)
	t.Setenv("BATCHCTL_CACHE", t.TempDir())

	t.Setenv("CI", "")
	w := &witness{TB: t}
	if JVM(w, 21); w.failed || !w.skipped {
		t.Errorf("on a machine without the JVM: failed %v, skipped %v", w.failed, w.skipped)
	}
	t.Setenv("CI", "true")
	w = &witness{TB: t}
	if Groovy(w); !w.failed {
		t.Error("in CI a missing Groovy is no failure")
	}
	text, err := os.ReadFile(report)
	want := "not run\tJVM 21 (scripts/tools.sh installs it)\nnot run\tGroovy 2.4.21 (scripts/tools.sh installs it)\n"
	if err != nil || string(text) != want {
		t.Errorf("the report is %q, %v", text, err)
	}
}

// What is there is used, and the report says so.
func TestThere(t *testing.T) {
	report, cache := filepath.Join(t.TempDir(), "report"), t.TempDir()
	t.Setenv("BATCHCTL_TEST_REPORT", report)
	t.Setenv("BATCHCTL_CACHE", cache)
	java := filepath.Join(cache, "jdk", "17", "bin", "java")
	if err := os.MkdirAll(filepath.Dir(java), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(java, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &witness{TB: t}
	if got := JVM(w, 17); got != java || w.failed || w.skipped {
		t.Errorf("got %q, failed %v, skipped %v", got, w.failed, w.skipped)
	}
	if text, err := os.ReadFile(report); err != nil || string(text) != "ran\tJVM 17\n" {
		t.Errorf("the report is %q, %v", text, err)
	}
}
