package gittree

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
)

// repository makes a repository with a tree in a directory of it.
func repository(t *testing.T) string {
	testenv.Git(t)
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "config", "user.name", "A")
	git(t, dir, "config", "user.email", "a@example")
	write(t, dir, "other.yaml", "no part of the tree")
	write(t, dir, "tree/a.yaml", "one\n")
	write(t, dir, "tree/sub/한글 b.yaml", "two\n")
	write(t, dir, "tree/c.txt", "not kept")
	if err := os.Symlink("../a.yaml", filepath.Join(dir, "tree/sub/link.yaml")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-qm", "first")
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := Run(context.Background(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	full := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOpenReadsTheRevisionAndLeavesTheWorkTree(t *testing.T) {
	dir := repository(t)
	write(t, dir, "tree/a.yaml", "changed\n")
	f, err := Open(context.Background(), filepath.Join(dir, "tree"), "HEAD", func(name string) bool { return strings.HasSuffix(name, ".yaml") })
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Text) != 2 || string(f.Text["a.yaml"]) != "one\n" || string(f.Text["sub/한글 b.yaml"]) != "two\n" {
		t.Errorf("texts: %q", f.Text)
	}
	if len(f.Links) != 1 || f.Links["sub/link.yaml"] != "../a.yaml" {
		t.Errorf("links: %q", f.Links)
	}
	if f.Commit != git(t, dir, "rev-parse", "HEAD") {
		t.Errorf("commit %s", f.Commit)
	}
	if got := git(t, dir, "status", "--porcelain"); got != " M tree/a.yaml" {
		t.Errorf("the work tree is %q", got)
	}
}

func TestWrongRevision(t *testing.T) {
	dir := repository(t)
	for _, rev := range []string{"nope", "--all", "HEAD~5"} {
		if _, err := Open(context.Background(), dir, rev, nil); err == nil || !strings.Contains(err.Error(), "git knows no revision "+rev) {
			t.Errorf("%s: %v", rev, err)
		}
	}
	if _, err := Open(context.Background(), t.TempDir(), "HEAD", nil); err == nil || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("without a repository: %v", err)
	}
}

func TestUpstream(t *testing.T) {
	dir := repository(t)
	if got := Upstream(context.Background(), dir); got != "HEAD" {
		t.Errorf("without an upstream: %s", got)
	}
	git(t, dir, "checkout", "-q", "-b", "work", "--track", "main")
	if got := Upstream(context.Background(), dir); got != "main" {
		t.Errorf("upstream: %s", got)
	}
}
