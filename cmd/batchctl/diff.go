package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/gittree"
)

func (a *app) diffCommand() *cobra.Command {
	var format string
	var exitWith, mergeBase bool
	cmd := &cobra.Command{
		Use:   "diff [REV|DIR]",
		Short: "Show what changes for the jobs",
		Long: `Diff resolves every job in two trees and shows what differs, each change once
for all the jobs that have it: not which lines were edited, but what comes of it.

It compares this tree with another directory, or with itself in a git revision,
which is read from the repository; the work tree is not touched. Without an
argument it is the branch that the current one follows, or else HEAD.

The checks are validate's: diff compares what it can resolve, and lists what it
could not, which is an error. With --exit-code it exits with 2 where anything differs.`,
		Example: `  batchctl diff origin/main
  batchctl diff v1.4
  batchctl diff --merge-base origin/main -o markdown`,
		Args: needArgs(0, 1, "a revision or a directory at the most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			arg := ""
			if len(args) > 0 {
				arg = args[0]
			}
			if mergeBase && arg == "" {
				return usagef("--merge-base takes a revision: batchctl diff --merge-base origin/main")
			}
			return a.diff(cmd.Context(), arg, format, mergeBase, exitWith)
		},
	}
	outputFlag(cmd, &format, "table", "json", "yaml", "markdown")
	cmd.Flags().BoolVar(&mergeBase, "merge-base", false, "compare with the commit at which the revision and HEAD parted, as a pull request does")
	cmd.Flags().BoolVar(&exitWith, "exit-code", false, "exit with 2 where there are differences")
	return cmd
}

func (a *app) diff(ctx context.Context, arg, format string, mergeBase, exitWith bool) error {
	dir, err := a.treeDir()
	if err != nil {
		return err
	}
	if mergeBase {
		if arg, err = gittree.MergeBase(ctx, dir, arg); err != nil {
			return err
		}
	}
	old, name, err := a.otherTree(ctx, dir, arg)
	if err != nil {
		return err
	}
	c := batches.Compare(old, batches.Load(batches.Dir(dir)))
	for _, p := range c.OldFaults {
		p.Place.File = name + ":" + p.Place.File // as git names a file of a revision
		c.Faults = append(c.Faults, p)
	}
	if err := a.writeComparison(c, format, name); err != nil {
		return err
	}
	switch err := a.reportFaults(c.Faults); {
	case err != nil:
		return err
	case len(c.Skipped) > 0:
		return &exitCode{code: exitError}
	case exitWith && c.Differs():
		return &exitCode{code: exitDiffers}
	}
	return nil
}

// otherTree opens what to compare with: a directory that is a tree, or a
// revision.
func (a *app) otherTree(ctx context.Context, dir, arg string) (*batches.Tree, string, error) {
	if arg != "" {
		switch _, err := os.Stat(filepath.Join(arg, batches.SettingsFile)); {
		case err == nil:
			if err := a.recover(arg); err != nil {
				return nil, "", err
			}
			return batches.Load(batches.Dir(arg)), arg, nil
		case !errors.Is(err, os.ErrNotExist) && !strings.Contains(err.Error(), "not a directory"):
			return nil, "", err
		}
	}
	rev := arg
	if rev == "" {
		rev = gittree.Upstream(ctx, dir)
	}
	tree, err := revision(ctx, dir, rev)
	if err != nil && arg == "" {
		err = fmt.Errorf("%w; diff DIR compares with another directory", err)
	}
	if err != nil && arg != "" {
		err = fmt.Errorf("%w, and %s is no directory with a %s", err, arg, batches.SettingsFile)
	}
	return tree, rev, err
}

// revision loads the tree as it is in a revision.
func revision(ctx context.Context, dir, rev string) (*batches.Tree, error) {
	files, err := gittree.Open(ctx, dir, rev, func(name string) bool {
		return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
	})
	if err != nil {
		return nil, err
	}
	if files.Text[batches.SettingsFile] == nil {
		return nil, fmt.Errorf("in %s there is no %s in this directory, so it was no tree then", rev, batches.SettingsFile)
	}
	return batches.Load(batches.NewOverlay(nil, files.Text, files.Links)), nil
}
