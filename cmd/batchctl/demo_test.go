package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
)

// TestDemoMigrate runs the script of make demo-migrate to its end, with
// programs without the race detector, which would make minutes of it.
func TestDemoMigrate(t *testing.T) {
	testenv.Git(t)
	bin, temp := t.TempDir(), t.TempDir()
	build := exec.Command("go", "build", "-o", bin+"/", "./cmd/batchctl", "./internal/legacy/write")
	build.Dir, build.Env = testenv.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo := exec.Command("sh", filepath.Join(testenv.Root(), "scripts", "demo-migrate.sh"))
	demo.Env = append(os.Environ(), "BATCHCTL="+filepath.Join(bin, "batchctl"), "LEGACY="+filepath.Join(bin, "write"), "TMPDIR="+temp)
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	before, now := "", "none"
	for _, line := range lines {
		if tree, ok := strings.CutPrefix(line, "before  "); ok {
			before = tree
		} else if tree, ok := strings.CutPrefix(line, "now     "); ok {
			now = tree
		}
	}
	if before != now {
		t.Errorf("the tree is another one after undo:\n%s", out)
	}
	if want := "2037 jobs run on Java 21, one on 11; undo gave back every byte on the way."; lines[len(lines)-1] != want {
		t.Errorf("the last line is %q, not %q", lines[len(lines)-1], want)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it has left %v (%v)", left, err)
	}
}

// TestDemoMigrateShell holds the script to what every sh takes.
func TestDemoMigrateShell(t *testing.T) {
	out, err := exec.Command(testenv.Shellcheck(t), "--shell=sh", "--severity=style", filepath.Join(testenv.Root(), "scripts", "demo-migrate.sh")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
