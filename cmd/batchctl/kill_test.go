package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/internal/journal"
	"github.com/batchctl/batchctl/internal/killpoint/killtest"
	"github.com/batchctl/batchctl/internal/legacy"
	"github.com/batchctl/batchctl/internal/testenv"
)

// killCase is a verb that writes a tree. It runs in a git repository, where
// TREE stands for the tree and HOME for an old Jenkins.
type killCase struct {
	name  string
	setup [][]string // verbs that run before; what they leave is committed
	args  []string
}

// killCases has every verb that writes a tree.
func killCases() []killCase {
	verb := func(words ...string) []string { return append([]string{"-C", "TREE"}, words...) }
	start := verb("rollout", "start", "r", "--set", "spec.node.pool=large", "--rings", "dev,live", "--steps", "50,100")
	advance := verb("rollout", "advance", "r", "--force", "no builds")
	pause := verb("rollout", "pause", "r")
	flat := []string{"import", "--from", "HOME", "--out", "TREE"}
	return []killCase{
		{"migrate set", nil, verb("migrate", "set", "spec.timeout=90m")},
		{"migrate unset", nil, verb("migrate", "unset", "spec.retry")},
		{"migrate rename-option", nil, verb("migrate", "rename-option", "--", "-Dold", "-Dnew")},
		{"migrate replace-value", nil, verb("migrate", "replace-value", "spec.timeout", "1h", "2h")},
		{"migrate jvm", nil, verb("migrate", "jvm", "--from", "11", "--to", "21")},
		{"migrate apply", nil, verb("migrate", "apply", "TREE/steps.yml.txt")},
		{"migrate per group", nil, verb("migrate", "set", "spec.timeout=90m", "--commit-per", "group", "--branch", "b")},
		{"rollout start", nil, start},
		{"rollout advance", [][]string{start}, advance},
		{"rollout pause", [][]string{start}, pause},
		{"rollout resume", [][]string{start, pause}, verb("rollout", "resume", "r")},
		{"rollout undo", [][]string{start}, verb("rollout", "undo", "r")},
		{"rollout finish", [][]string{start, advance, advance}, verb("rollout", "finish", "r")},
		{"import", [][]string{{"remove"}}, flat},
		{"factor", [][]string{{"remove"}, flat}, []string{"factor", "TREE"}},
		{"factor --out", [][]string{{"remove"}, flat}, []string{"factor", "TREE", "--out", "TREE/../new"}},
	}
}

// readers are the verbs that read a tree.
var readers = [][]string{{"list"}, {"explain", "JOB"}, {"validate"}, {"render", "--out", "OUT"}, {"diff"}, {"diff", "TREE", "-C", "EXAMPLE"}, {"plan"}, {"seed", "--run-as", "ada"},
	{"rollout", "status"}, {"migrate", "set", "spec.timeout=3h", "--dry-run"}, {"factor", "TREE", "--dry-run"}, {"config", "app", "--cluster", "live-1"}}

// killBase is the tree of most cases.
var killBase = map[string]string{
	"batchctl.yaml":         "apiVersion: batchctl/v1\n",
	"clusters/dev-1.yaml":   "apiVersion: batchctl/v1\nphase: dev\n",
	"clusters/live-1.yaml":  "apiVersion: batchctl/v1\nphase: live\n",
	"global.yaml":           "apiVersion: batchctl/v1\ndeploy: [dev-1, live-1]\nspec:\n  java: {version: 11, heap: 1g, options: [-Dold=1]}\n  artifact: {url: \"https://repo.example/a.jar\", sha256: 123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0}\n",
	"app-groups/fees.yaml":  "apiVersion: batchctl/v1\nspec:\n  timeout: 1h\n  retry: {attempts: 2}\n  java: {version: 11, options+: [-Dold=2]}\n",
	"apps/fees/load.yaml":   "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: load}\n",
	"apps/fees/report.yaml": "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: report} # kept\nspec:\n  timeout: 1h\n",
	"apps/pay/daily.yaml":   "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: daily}\nspec:\n  timeout: 1h\n  retry: {attempts: 3}\n",
	"steps.yml.txt":         "apiVersion: batchctl/v1\nkind: Migration\ndescription: Two steps\nsteps:\n  - set: {spec.node.pool: patched}\n  - rename-option: {from: -Dold, to: -Dnew}\n",
}

// killRepo is a repository with the tree that a case begins with.
type killRepo struct{ dir, home, bin string }

func (r killRepo) words(args []string) []string {
	out := slices.Clone(args)
	for i := range out {
		out[i] = strings.NewReplacer("TREE", filepath.Join(r.dir, "tree"), "EXAMPLE", filepath.Join(testenv.Root(), "examples", "payments"), "HOME", r.home, "OUT", filepath.Join(r.dir, "..", "out")).Replace(out[i])
	}
	return out
}

func (r killRepo) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.dir}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v %s", args, err, out)
	}
	return string(out)
}

// run runs a verb in this process; its end must be good.
func (r killRepo) run(t *testing.T, args []string) {
	t.Helper()
	if code, _, stderr := call(r.words(args)...); code != 0 {
		t.Fatalf("%v: %d %s", args, code, stderr)
	}
}

// newKillRepo makes the repository of a case.
func newKillRepo(t *testing.T, c killCase) killRepo {
	t.Helper()
	r := killRepo{dir: filepath.Join(t.TempDir(), "repo"), home: t.TempDir()}
	if _, err := legacy.Write(r.home, 3); err != nil {
		t.Fatal(err)
	}
	var files []treeFile
	for name, text := range killBase {
		files = append(files, treeFile{"tree/" + name, []byte(text)})
	}
	if err := writeFiles(r.dir, files); err != nil {
		t.Fatal(err)
	}
	r.git(t, "init", "-q", "-b", "main")
	for _, args := range c.setup {
		if args[0] == "remove" {
			if err := os.RemoveAll(filepath.Join(r.dir, "tree")); err != nil {
				t.Fatal(err)
			}
			continue
		}
		r.run(t, args)
	}
	r.git(t, "add", "-A")
	r.git(t, "commit", "-q", "--allow-empty", "-m", "first")
	return r
}

// copyTo is the repository once more.
func (r killRepo) copyTo(t *testing.T, dir string) killRepo {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	r.dir = dir
	return r
}

var timeOfDay = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// state is all that a person has of a repository: the files with their modes,
// and what is in its branches. Times that a rollout writes count as the same.
func (r killRepo) state(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(r.dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == filepath.Join(r.dir, ".git"), strings.Contains(e.Name(), temporary):
			return fs.SkipDir // the latter is no part of a tree yet, and goes with the next run
		case e.IsDir():
			return nil
		}
		text, err := os.ReadFile(path)
		info, _ := e.Info()
		name, _ := filepath.Rel(r.dir, path)
		out[name] = info.Mode().String() + "\n" + string(timeOfDay.ReplaceAll(text, []byte("NOW")))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(r.git(t, "for-each-ref", "--format=%(refname) %(tree)")) {
		out[line] = "branch"
	}
	return out
}

// TestKilled kills every verb that writes a tree before each of its steps. What
// the next verb sees is the tree as before, or as after; git takes in nothing
// that was on its way; and the same verb once more does all of its work.
func TestKilled(t *testing.T) {
	testenv.Git(t)
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("JENKINS_URL", "http://127.0.0.1:1")
	t.Setenv("TMPDIR", t.TempDir()) // what a killed process leaves there goes with the test
	for _, name := range []string{"GIT_AUTHOR", "GIT_COMMITTER"} {
		t.Setenv(name+"_NAME", "Ada")
		t.Setenv(name+"_EMAIL", "ada@example")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript.Main runs the program instead of the tests when the test
	// binary has its name.
	bin := filepath.Join(t.TempDir(), "batchctl")
	if err := os.Symlink(self, bin); err != nil {
		t.Fatal(err)
	}
	for _, c := range killCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newKillRepo(t, c)
			r.bin = bin
			r.killAll(t, c)
		})
	}
}

func (r killRepo) killAll(t *testing.T, c killCase) {
	work := t.TempDir()
	whole := r.copyTo(t, filepath.Join(work, "whole"))
	whole.run(t, c.args)
	before, after := r.state(t), whole.state(t)
	if cmp.Equal(before, after) {
		t.Fatal("it changes nothing")
	}
	asBefore, asAfter := 0, 0
	for n := 1; ; n++ {
		now := r.copyTo(t, filepath.Join(work, fmt.Sprintf("at-%d", n)))
		killed, _ := killtest.Run(t, n, exec.Command(r.bin, now.words(c.args)...))
		if out := now.git(t, "add", "-A", "--dry-run"); strings.Contains(out, ".batchctl-") {
			t.Errorf("killed at %d: git would take in %s", n, out)
		}
		if _, err := os.Stat(filepath.Join(now.dir, "tree")); err == nil {
			// Whether it likes the tree is another matter.
			call(now.words(append([]string{"-C", "TREE"}, readers[n%len(readers)]...))...)
		}
		switch state := now.state(t); {
		case !killed:
			if diff := cmp.Diff(after, state); diff != "" {
				t.Errorf("not killed: %s", diff)
			}
			if asBefore == 0 || asAfter == 0 {
				t.Errorf("%d kills left it as before, %d as after; there should be both", asBefore, asAfter)
			}
			return
		case cmp.Equal(state, after):
			asAfter++
		default:
			asBefore++
			if diff := cmp.Diff(before, state); diff != "" {
				t.Errorf("killed at %d it is neither as before nor as after: %s", n, diff)
			}
			now.run(t, c.args)
			if diff := cmp.Diff(after, now.state(t)); diff != "" {
				t.Errorf("killed at %d, and run again: %s", n, diff)
			}
			if left, _ := filepath.Glob(filepath.Join(now.dir, ".*"+temporary+"*")); len(left) > 0 {
				t.Errorf("killed at %d, and run again: %v is left", n, left)
			}
		}
	}
}

// TestReadersFinish: whatever verb comes next, it finishes a change that was
// killed when it counted already, and says so. A list that is none stops it.
func TestReadersFinish(t *testing.T) {
	testenv.Git(t)
	t.Setenv("JENKINS_URL", "http://127.0.0.1:1")
	for _, args := range readers {
		r := killRepo{dir: t.TempDir()}
		tree := filepath.Join(r.dir, "tree")
		files := []treeFile{{journal.Dir + "/0", []byte("new\n")},
			{journal.Dir + "/files.json", []byte(`{"files":[{"name":"sub/new.txt","staged":"0","new":"7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c"}]}`)}}
		for name, text := range killBase {
			files = append(files, treeFile{name, []byte(text)})
		}
		if err := writeFiles(tree, files); err != nil {
			t.Fatal(err)
		}
		args = r.words(append([]string{"-C", "TREE"}, args...))
		_, _, stderr := call(args...)
		if text, _ := os.ReadFile(filepath.Join(tree, "sub", "new.txt")); string(text) != "new\n" || strings.Count(stderr, tree+": a change of 1 file had been killed half-way; it is in place now\n") != 1 {
			t.Errorf("%v: %q; %s", args, text, stderr)
		}
		if err := writeFiles(tree, []treeFile{{journal.Dir + "/files.json", []byte("x")}}); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := call(args...)
		if code != 1 || stdout != "" || !strings.Contains(stderr, "git, then remove "+filepath.Join(tree, journal.Dir)) {
			t.Errorf("%v: %d %s %s", args, code, stdout, stderr)
		}
	}
}
