package journal

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/batchctl/batchctl/internal/killpoint/killtest"
)

// TestMain lets a test start this binary as a writer, which may be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_DIR"); dir != "" {
		killtest.Arm()
		if err := Write(dir, changes()); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func writer(dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JOURNAL_TEST_DIR="+dir)
	return cmd
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
		putFile(t, filepath.Join(dir, name), text)
	}
	return dir
}

func putFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

// state lists the files of a directory with what they hold.
func state(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
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
// after Recover is all of the old or all of the new, and never both. git sees
// nothing of the journal.
func TestKilledAtEveryStep(t *testing.T) {
	old, new := 0, 0
	for n := 1; ; n++ {
		dir := fresh(t)
		killed, out := killtest.Run(t, n, writer(dir))
		if !killed {
			break
		}
		if len(out) > 0 {
			t.Fatalf("step %d: %s", n, out)
		}
		if ignore, err := os.ReadFile(filepath.Join(dir, Dir, ".gitignore")); n > 1 && err == nil && string(ignore) != "*\n" {
			t.Errorf("step %d: git would take in the journal: %q", n, ignore)
		}
		files, err := Recover(dir)
		if err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		switch got := state(t, dir); {
		case got == before && files == 0:
			old++
			if new > 0 {
				t.Errorf("step %d goes back to the old files", n)
			}
		case got == after && (files == 4 || files == 0):
			new++
		default:
			t.Errorf("killed at step %d, then %d files: %s", n, files, got)
		}
	}
	if old < 5 || new < 5 {
		t.Errorf("%d kills left the old files and %d the new ones; there should be more of both", old, new)
	}
}

// half leaves a directory in which a change counts, and of which one file is in
// place.
func half(t *testing.T) (dir, at string) {
	t.Helper()
	for n := 1; ; n++ {
		dir = fresh(t)
		if killed, _ := killtest.Run(t, n, writer(dir)); !killed {
			t.Fatal("there is no half-way")
		}
		if strings.HasPrefix(strings.ReplaceAll(state(t, dir), Dir, ""), "/") && strings.Contains(state(t, dir), " a.yaml=new a ") {
			return dir, filepath.Join(dir, Dir)
		}
	}
}

// TestNotToBeFinished: a change that is not all there, or that would undo what
// a person has done since, is left as it is, and said.
func TestNotToBeFinished(t *testing.T) {
	for _, tt := range []struct {
		what, want string
		spoil      func(t *testing.T, dir, at string)
	}{
		{"no list of ours", "its list is none of batchctl's", func(t *testing.T, _, at string) { putFile(t, filepath.Join(at, listName), "{\"files\": [") }},
		{"a list that reaches out", `names "../x", which is no file of this directory`, func(t *testing.T, _, at string) {
			putFile(t, filepath.Join(at, listName), `{"files":[{"name":"../x"}]}`)
		}},
		{"a staged file is gone", "the new text of sub/b.yaml is gone", func(t *testing.T, _, at string) {
			if err := os.Remove(filepath.Join(at, "1")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a staged file is cut", "the new text of sub/b.yaml is gone", func(t *testing.T, _, at string) { putFile(t, filepath.Join(at, "1"), "ne") }},
		{"git took a file back", "the new text of a.yaml is gone", func(t *testing.T, dir, _ string) { putFile(t, filepath.Join(dir, "a.yaml"), "old a") }},
		{"a person has edited", "sub/b.yaml has been changed since", func(t *testing.T, dir, _ string) { putFile(t, filepath.Join(dir, "sub/b.yaml"), "theirs") }},
		{"a person has edited what is to go", "gone.yaml has been changed since", func(t *testing.T, dir, _ string) { putFile(t, filepath.Join(dir, "gone.yaml"), "theirs") }},
	} {
		dir, at := half(t)
		tt.spoil(t, dir, at)
		was := state(t, dir)
		for _, try := range []func() error{func() error { _, err := Recover(dir); return err }, func() error { return Write(dir, changes()) }} {
			err := try()
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "then remove "+at) {
				t.Errorf("%s: %v", tt.what, err)
			}
		}
		if got := state(t, dir); got != was {
			t.Errorf("%s: was %s\nis %s", tt.what, was, got)
		}
	}
}

// TestRefused: what would keep a file from its place is found before anything
// counts.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		what, want string
		spoil      func(t *testing.T, dir string)
	}{
		{"somebody else was faster", "sub/b.yaml has changed in the meantime", func(t *testing.T, dir string) { putFile(t, filepath.Join(dir, "sub/b.yaml"), "theirs") }},
		{"somebody else removed it", "a.yaml has changed in the meantime", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a file stands where a directory must", "not a directory", func(t *testing.T, dir string) { putFile(t, filepath.Join(dir, "new"), "x") }},
		{"another file system", "is on another file system", func(t *testing.T, dir string) {
			other, err := os.MkdirTemp("/dev/shm", "journal-test-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(other) })
			if err := os.Symlink(other, filepath.Join(dir, "new")); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		dir := fresh(t)
		tt.spoil(t, dir)
		was := state(t, dir)
		if err := Write(dir, changes()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.what, err)
		}
		if got := state(t, dir); got != was {
			t.Errorf("%s: was %s\nis %s", tt.what, was, got)
		}
	}
}

// TestFullDisk: a writer that can write no more leaves all as it was.
func TestFullDisk(t *testing.T) {
	dir := fresh(t)
	cmd := exec.Command("/bin/sh", "-c", `ulimit -f 0; trap "" XFSZ; exec "$0"`, os.Args[0])
	cmd.Env = writer(dir).Env
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "file too large") {
		t.Fatalf("%v %s", err, out)
	}
	if got := state(t, dir); got != before {
		t.Errorf("%s", got)
	}
}

// TestReadOnly: where one of the directories cannot be written nothing is; and
// a journal that counts for nothing keeps nobody from reading.
func TestReadOnly(t *testing.T) {
	dir := fresh(t)
	locked := filepath.Join(dir, "sub")
	asNobody(t, dir, func() {
		if err := os.Chmod(locked, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, changes()); err == nil || !strings.Contains(err.Error(), "sub: permission denied") {
			t.Errorf("%v", err)
		}
		if got := state(t, dir); got != before {
			t.Errorf("%s", got)
		}
		putFile(t, filepath.Join(dir, Dir, "0"), "x")
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		if n, err := Recover(dir); n != 0 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	})
}

// asNobody gives a directory to a user who is not root, and does something as
// that user.
func asNobody(t *testing.T, dir string, do func()) {
	t.Helper()
	if os.Getuid() != 0 {
		do()
		return
	}
	const nobody = 65534
	for at := dir; at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error { return os.Lchown(path, nobody, nobody) }); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // the user is one of the thread; it ends with the test
	if err := unix.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	do()
	if err := syscall.Setfsuid(0); err != nil {
		t.Fatal(err)
	}
	runtime.UnlockOSThread()
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
	if err := Write(dir, []Change{{Name: "link.yaml", Old: []byte("new"), Remove: true}}); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "a.yaml")); string(text) != "new" {
		t.Errorf("what a link named is gone with it: %q", text)
	}
}
