package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/migrate"
	"github.com/batchctl/batchctl/internal/gittree"
	"github.com/batchctl/batchctl/internal/killpoint"
)

// migrateGroups makes one branch with one commit per app group, each from HEAD
// and by itself: the edits stay in the group's own files, so that the branches
// can be merged in any order. The work tree is not touched.
func (a *app) migrateGroups(ctx context.Context, dir string, m *migration, steps []migrate.Step) error {
	if said, err := gittree.Run(ctx, dir, "status", "--porcelain", "--", "."); err != nil {
		return err
	} else if said != "" {
		return fmt.Errorf("the work tree differs from HEAD, and a commit would not hold what is in it; commit or stash it first")
	}
	groups, err := migrate.RunGroups(batches.Dir(dir), steps)
	if err != nil {
		return err
	}
	undecided := false
	for _, g := range groups {
		a.printUndecided(g.Result)
		undecided = undecided || len(g.Result.Undecided) > 0
	}
	if undecided && !m.partial {
		fmt.Fprintln(a.stderr, "nothing written: the jobs above are to be decided; --partial changes the others")
		return &exitCode{code: exitUndecided}
	}
	if err := a.commitGroups(ctx, dir, m, groups, migrateTitle(steps)); err != nil {
		return err
	}
	if undecided {
		return &exitCode{code: exitUndecided}
	}
	return nil
}

// commitGroups writes the commits, and then all branches in one transaction.
func (a *app) commitGroups(ctx context.Context, dir string, m *migration, groups []migrate.Group, title string) error {
	prefix := m.branch
	if prefix == "" {
		prefix = "migrate/" + slug(title)
	}
	groups = slices.DeleteFunc(groups, func(g migrate.Group) bool { return len(g.Result.Files) == 0 })
	for _, g := range groups {
		branch := prefix + "/" + g.Name
		if _, err := gittree.Run(ctx, dir, "rev-parse", "--verify", "--quiet", "refs/heads/"+branch); err == nil {
			return fmt.Errorf("there is a branch %s already; delete it, or name others with --branch", branch)
		}
	}
	refs := "start\n"
	for _, g := range groups {
		branch := prefix + "/" + g.Name
		message := &bytes.Buffer{}
		fmt.Fprintf(message, "%s in %s: %s\n\n", title, g.Name, plural(len(g.Result.Comparison.Jobs), "job"))
		if err := writeChanges(message, g.Result.Comparison); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s\n%s\n", branch, message)
		if m.dryRun {
			continue
		}
		commit, err := commitFiles(ctx, dir, g.Result.Files, message.String())
		if err != nil {
			return err
		}
		refs += fmt.Sprintf("create refs/heads/%s %s\n", branch, commit)
	}
	switch n := len(groups); {
	case n == 0:
		fmt.Fprintln(a.stderr, "nothing to change")
	case m.dryRun:
		fmt.Fprintf(a.stderr, "nothing written (--dry-run): %s would be made\n", branches(n))
	default:
		killpoint.Step()
		if _, err := gittree.RunInput(ctx, dir, strings.NewReader(refs+"prepare\ncommit\n"), "update-ref", "--stdin"); err != nil {
			return err
		}
		killpoint.Step()
		fmt.Fprintf(a.stderr, "%s made, each from HEAD; the work tree is as it was\n", branches(n))
	}
	return nil
}

func branches(n int) string {
	if n == 1 {
		return "1 branch"
	}
	return fmt.Sprintf("%d branches", n)
}

// commitFiles makes a commit on top of HEAD that has these files changed, with
// an index of its own, and returns its hash. No branch has it yet.
func commitFiles(ctx context.Context, dir string, files map[string][]byte, message string) (string, error) {
	killpoint.Step()
	temp, err := os.MkdirTemp("", "batchctl-index-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	index := filepath.Join(temp, "index")
	prefix, err := gittree.Run(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return "", err
	}
	var info strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		killpoint.Step()
		hash, err := gittree.RunInput(ctx, dir, bytes.NewReader(files[name]), "hash-object", "-w", "--stdin", "--path", name)
		if err != nil {
			return "", err
		}
		mode, err := gittree.Run(ctx, dir, "ls-tree", "HEAD", "--", name)
		if err != nil {
			return "", err
		}
		mode, _, _ = strings.Cut(mode, " ")
		if mode == "" {
			mode = "100644"
		}
		fmt.Fprintf(&info, "%s %s\t%s\n", mode, strings.TrimSpace(string(hash)), prefix+name)
	}
	git := gittree.Index(index)
	if _, err := git.Run(ctx, dir, nil, "read-tree", "HEAD"); err != nil {
		return "", err
	}
	if _, err := git.Run(ctx, dir, strings.NewReader(info.String()), "update-index", "--add", "--index-info"); err != nil {
		return "", err
	}
	tree, err := git.Run(ctx, dir, nil, "write-tree")
	if err != nil {
		return "", err
	}
	killpoint.Step()
	commit, err := gittree.RunInput(ctx, dir, strings.NewReader(message), "commit-tree", "-p", "HEAD", strings.TrimSpace(string(tree)))
	return strings.TrimSpace(string(commit)), err
}

// migrateTitle says what steps do, for branches and messages.
func migrateTitle(steps []migrate.Step) string {
	if steps[0].Reason != "" {
		return steps[0].Reason
	}
	return steps[0].Change.String()
}

// slug is a text as a part of a branch's name.
func slug(text string) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return ' '
	}, strings.ToLower(text))
	return cut(strings.Join(strings.Fields(text), "-"), 60)
}
