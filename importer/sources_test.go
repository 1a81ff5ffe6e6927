package importer_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/batchctl/batchctl/importer"
)

// TestReadDir reads a JENKINS_HOME with all that stands in one, and with what
// should not: every job is there, and what was passed over is said.
func TestReadDir(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"config.xml", "users/x/config.xml", "nodes/n/config.xml", "jobs/.hidden/config.xml", "jobs/.git/HEAD", "jobs/empty/x", "jobs/pay/config.xml",
		"jobs/pay/jobs/a b/config.xml", "jobs/pay/jobs/a b/builds/1/build.xml", "jobs/pay/jobs/a b/nextBuildNumber", "jobs/pay/jobs/multi/config.xml",
		"jobs/pay/jobs/multi/branches/main/config.xml", "jobs/link/real.xml", "elsewhere/config.xml"} {
		full := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte("<x/>"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"jobs/loop": "..", "jobs/etc": "/etc", "jobs/moved": "../elsewhere", "jobs/link/config.xml": "real.xml", "jobs/pay/jobs/nowhere": "gone"} {
		if err := os.Symlink(to, filepath.Join(home, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(home, "jobs/pipe"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(home, "jobs/pipe/config.xml"), 0o644); err != nil {
		t.Fatal(err)
	}
	sources, err := importer.ReadDir(home)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sources {
		why, _, _ := strings.Cut(s.Skip, ",")
		got = append(got, strings.TrimSuffix(s.Name+": "+why, ": "))
	}
	slices.Sort(got)
	want := []string{".hidden", "link: its config.xml is no plain file", "loop: it is a symbolic link", "moved: it is a symbolic link", "pay/a b", "pay/multi", "pipe: its config.xml is no plain file"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestNoJobs: a directory that is none of those says what to name instead.
func TestNoJobs(t *testing.T) {
	dir := t.TempDir()
	if _, err := importer.ReadDir(dir); err == nil || !strings.Contains(err.Error(), "holds no config.xml of a job; name JENKINS_HOME") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.xml"), []byte("<project/>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := importer.ReadDir(dir); err == nil || !strings.HasSuffix(err.Error(), "is the directory of one job; name the one above it") {
		t.Error(err)
	}
}
