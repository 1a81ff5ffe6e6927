package journal

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets a test start this binary as a writer that is killed at its
// n-th step.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_DIR"); dir != "" {
		left, _ := strconv.Atoi(os.Getenv("JOURNAL_TEST_STEP"))
		step = func() {
			if left--; left < 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
		if err := Write(dir, changes()); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func changes() []Change {
	return []Change{
		{Name: "a.yaml", Old: []byte("old a"), New: []byte("new a")},
		{Name: "sub/b.yaml", Old: []byte("old b"), New: []byte("new b")},
		{Name: "new/c.yaml", New: []byte("new c")},
		{Name: "gone.yaml", Old: []byte("old gone"), Remove: true},
	}
}

const before = "a.yaml=old a gone.yaml=old gone other=x sub/b.yaml=old b"
const after = "a.yaml=new a new/c.yaml=new c other=x sub/b.yaml=new b"

func fresh(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": "old a", "sub/b.yaml": "old b", "gone.yaml": "old gone", "other": "x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// state lists the files of a directory with what they hold.
func state(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out = append(out, name+"="+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestWrite(t *testing.T) {
	dir := fresh(t)
	if err := Write(dir, changes()); err != nil {
		t.Fatal(err)
	}
	if got := state(t, dir); got != after {
		t.Errorf("got %s", got)
	}
	info, err := os.Stat(filepath.Join(dir, "a.yaml"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
}

// TestKilledAtEveryStep kills the writer at each of its steps: what is there
// after Recover is all of the old or all of the new, and never both.
func TestKilledAtEveryStep(t *testing.T) {
	old, new := 0, 0
	for n := 0; ; n++ {
		dir := fresh(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "JOURNAL_TEST_DIR="+dir, "JOURNAL_TEST_STEP="+strconv.Itoa(n))
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if len(out) > 0 {
			t.Fatalf("step %d: %s", n, out)
		}
		if err := Recover(dir); err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		switch got := state(t, dir); got {
		case before:
			old++
			if new > 0 {
				t.Errorf("step %d goes back to the old files", n)
			}
		case after:
			new++
		default:
			t.Errorf("killed at step %d: %s", n, got)
		}
	}
	if old < 5 || new < 5 {
		t.Errorf("%d kills left the old files and %d the new ones; there should be more of both", old, new)
	}
}

func TestSomebodyElseWasFaster(t *testing.T) {
	dir := fresh(t)
	if err := os.WriteFile(filepath.Join(dir, "sub/b.yaml"), []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Write(dir, changes())
	if err == nil || !strings.Contains(err.Error(), "sub/b.yaml has changed in the meantime") {
		t.Errorf("%v", err)
	}
	if got := state(t, dir); got != strings.Replace(before, "old b", "theirs", 1) {
		t.Errorf("got %s", got)
	}
}

func TestAJournalReachesNoFurther(t *testing.T) {
	dir := fresh(t)
	at := filepath.Join(dir, Dir)
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at, listName), []byte(`{"files":[{"name":"../x"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Recover(dir); err == nil || !strings.Contains(err.Error(), "no file of this directory") {
		t.Errorf("%v", err)
	}
}

func TestLinksStayLinks(t *testing.T) {
	dir := fresh(t)
	if err := os.Symlink("a.yaml", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, []Change{{Name: "link.yaml", Old: []byte("old a"), New: []byte("new")}}); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "link.yaml")); err != nil || target != "a.yaml" {
		t.Errorf("%s, %v", target, err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "a.yaml")); string(text) != "new" {
		t.Errorf("%s", text)
	}
}
