package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/migrate"
	"github.com/batchctl/batchctl/batches/yamledit"
)

func (a *app) rolloutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Give a change to a growing share of the jobs",
		Long: `A rollout is a file, rollouts/NAME.yaml: a change that is put over all layers, for
some of the jobs. Who comes when is written out in it, so nothing that happens to
the tree changes it; advance takes the next step. Each step is a change of the
tree like any other: commit it, and the seed job brings it to Jenkins.

status judges the builds since the change against those before it. advance goes
on only where they are good. undo takes the file away, and the tree has the bytes
that it had. finish folds the change into the tree itself.

docs/rollouts.md has the whole way, and the rule of the judgement.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.rolloutStartCommand(), a.rolloutStatusCommand(), a.rolloutAdvanceCommand(),
		a.rolloutPauseCommand(true), a.rolloutPauseCommand(false), a.rolloutUndoCommand(), a.rolloutFinishCommand())
	return cmd
}

// faultyRollout is the error of a rollout whose file has one.
type faultyRollout struct {
	file  string // in the tree
	fault batches.Problem
}

func (e *faultyRollout) Error() string {
	return fmt.Sprintf("%s (batchctl validate shows all errors; undo needs none mended)", e.fault)
}

// rolloutNamed finds a rollout of the tree.
func (a *app) rolloutNamed(name string) (string, *batches.RolloutInfo, error) {
	dir, err := a.treeDir()
	if err != nil {
		return "", nil, err
	}
	tree := batches.Load(batches.Dir(dir))
	var names []string
	for _, r := range tree.Rollouts() {
		if r.Name == name {
			return dir, r, nil
		}
		names = append(names, r.Name)
	}
	for _, p := range tree.Faults() {
		if file := p.Place.File; path.Dir(file) == batches.RolloutDir && strings.TrimSuffix(path.Base(file), path.Ext(file)) == name {
			return dir, nil, &faultyRollout{file, p}
		}
	}
	if len(names) == 0 {
		return "", nil, fmt.Errorf("there is no rollout %s, and no other one", name)
	}
	return "", nil, fmt.Errorf("there is no rollout %s; there are %s", name, strings.Join(names, ", "))
}

// editRollout changes a rollout's file, shows what that changes for the jobs,
// and writes it.
func (a *app) editRollout(dir string, info *batches.RolloutInfo, edit func(f *yamledit.File) error) error {
	text, err := os.ReadFile(filepath.Join(dir, info.File))
	if err != nil {
		return err
	}
	f, err := yamledit.Parse(text)
	if err == nil {
		err = edit(f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", info.File, err)
	}
	return a.writeRollout(dir, info.File, text, f.Bytes())
}

// pauseRollout writes whether a rollout is paused. Nothing changes for a job.
func (a *app) pauseRollout(name string, pause bool) error {
	dir, info, err := a.rolloutNamed(name)
	if err != nil {
		return err
	}
	word := "goes on"
	if pause {
		word = "is paused"
	}
	if info.Paused != pause {
		text, err := os.ReadFile(filepath.Join(dir, info.File))
		if err != nil {
			return err
		}
		f, err := yamledit.Parse(text)
		switch {
		case err != nil:
		case pause:
			err = f.Set(yamledit.Keys("paused"), true)
		default:
			err = f.Remove(yamledit.Keys("paused"))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", info.File, err)
		}
		if err := writeTree(dir, map[string][]byte{info.File: f.Bytes()}, map[string][]byte{info.File: text}); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.stderr, "%s %s at %s; commit it\n", name, word, stepText(info))
	return nil
}

// writeRollout shows what the new text of a rollout's file changes for the jobs,
// and writes it; nil removes the file.
func (a *app) writeRollout(dir, file string, read, text []byte) error {
	fsys, files := batches.Dir(dir), map[string][]byte{file: text}
	c := batches.Compare(batches.Load(fsys), batches.Load(batches.NewOverlay(fsys, files, nil)))
	if len(c.Faults) > 0 && text != nil { // what is taken back needs no sound tree
		return fmt.Errorf("%s; put that right first, since jobs may lack what the file says", c.Faults[0])
	}
	if err := writeChanges(a.stdout, c); err != nil {
		return err
	}
	return writeTree(dir, files, map[string][]byte{file: read})
}

func (a *app) rolloutAdvanceCommand() *cobra.Command {
	var builds buildSource
	var reason string
	cmd := &cobra.Command{
		Use:   "advance NAME",
		Short: "Take the next step",
		Long: `Advance takes the next step where the builds since the change are good (see
rollout status). Otherwise it refuses, also where there are not enough builds to
tell; --force with a reason takes the step nevertheless, and the reason is
written into the file.`,
		Args: needArgs(1, 1, "a NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.advance(cmd.Context(), args[0], &builds, reason)
		},
		ValidArgsFunction: a.completeRollout,
	}
	builds.flags(cmd)
	cmd.Flags().StringVar(&reason, "force", "", "take the step in spite of the judgement, for this reason")
	return cmd
}

func (a *app) advance(ctx context.Context, name string, builds *buildSource, reason string) error {
	dir, info, err := a.rolloutNamed(name)
	if err != nil {
		return err
	}
	switch {
	case info.Paused:
		return fmt.Errorf("%s is paused; batchctl rollout resume %s", name, name)
	case info.Step == len(info.Steps):
		return fmt.Errorf("%s has taken its last step; batchctl rollout finish %s", name, name)
	}
	if info.Step > 0 && strings.TrimSpace(reason) == "" {
		report, err := a.judge(ctx, info, builds)
		if err != nil {
			return fmt.Errorf("%w (or --force REASON)", err)
		}
		if report.Judgement != "good" {
			return fmt.Errorf("%s stays at %s: %s: %s\n    --force REASON takes the step nevertheless; batchctl rollout undo %s takes all of it back",
				name, stepText(info), report.Judgement, strings.Join(report.Why, "; "), name)
		}
	}
	next := info.Step + 1
	err = a.editRollout(dir, info, func(f *yamledit.File) error {
		if err := f.Set(yamledit.Keys("step"), next); err != nil {
			return err
		}
		event := migrate.Event(next, time.Now(), person(ctx, dir), reason)
		if _, list, n := f.Has(yamledit.Keys("history")); list {
			return f.Insert(yamledit.Keys("history"), n, event)
		}
		return f.Set(yamledit.Keys("history"), yamledit.List{event})
	})
	if err == nil {
		info.Step = next
		fmt.Fprintf(a.stderr, "%s is at %s; commit it\n", name, stepText(info))
	}
	return err
}

// stepText says how far a rollout has come.
func stepText(info *batches.RolloutInfo) string {
	if info.Step == 0 {
		return "step 0 of " + strconv.Itoa(len(info.Steps))
	}
	return fmt.Sprintf("step %d of %d, %s", info.Step, len(info.Steps), info.Steps[info.Step-1])
}

func (a *app) rolloutPauseCommand(pause bool) *cobra.Command {
	use, short := "resume NAME", "Let a paused rollout go on"
	if pause {
		use, short = "pause NAME", "Keep a rollout from going on; who is in stays in"
	}
	return &cobra.Command{
		Use: use, Short: short, Args: needArgs(1, 1, "a NAME"), ValidArgsFunction: a.completeRollout,
		RunE: func(_ *cobra.Command, args []string) error { return a.pauseRollout(args[0], pause) },
	}
}

func (a *app) rolloutUndoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "undo NAME", Short: "Take a rollout back from all jobs", Args: needArgs(1, 1, "a NAME"), ValidArgsFunction: a.completeRollout,
		Long: `Undo removes the rollout's file, and nothing else: start wrote nothing else, so the
tree has the bytes that it had. It works whatever errors the tree or the file has.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.rolloutUndo(args[0]) },
	}
}

func (a *app) rolloutUndo(name string) error {
	dir, info, err := a.rolloutNamed(name)
	var faulty *faultyRollout
	switch {
	case errors.As(err, &faulty):
		info = &batches.RolloutInfo{Name: name, File: faulty.file}
	case err != nil:
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, info.File))
	if err != nil {
		return err
	}
	if err := a.writeRollout(dir, info.File, text, nil); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(dir, batches.RolloutDir)) // if it is empty now
	fmt.Fprintf(a.stderr, "%s removed; commit it\n", info.File)
	return nil
}

func (a *app) rolloutFinishCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use: "finish NAME", Short: "Fold a rollout into the tree", Args: needArgs(1, 1, "a NAME"), ValidArgsFunction: a.completeRollout,
		Long: `Finish makes the rollout's change in the tree itself, as batchctl migrate does, and
removes the file. It needs the last step to have been taken. For the jobs of the
rollout nothing may change by it. Jobs that came into the tree after the start,
and that the rollout's globs select, get the change now; they are listed.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.rolloutFinish(args[0], dryRun) },
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show where the tree would be edited, and write nothing")
	return cmd
}

func (a *app) rolloutFinish(name string, dryRun bool) error {
	keepsAll()
	dir, info, err := a.rolloutNamed(name)
	if err != nil {
		return err
	}
	if info.Step < len(info.Steps) {
		return fmt.Errorf("%s is at %s; it can be finished when it has taken the last one", name, stepText(info))
	}
	result, late, err := migrate.Fold(batches.Dir(dir), info)
	if err != nil {
		return err
	}
	if err := writeChoices(a.stdout, result.Choices); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	if err := writeChanges(a.stdout, result.Comparison); err != nil {
		return err
	}
	if len(late) > 0 {
		fmt.Fprintf(a.stderr, "%s came after the start and get the change now: %s\n", plural(len(late), "job"), firstOf(late, 10))
	}
	if dryRun {
		fmt.Fprintf(a.stderr, "nothing written (--dry-run): %s would change\n", plural(len(result.Files), "file"))
		return nil
	}
	if err := writeTree(dir, result.Files, result.Read); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(dir, batches.RolloutDir)) // if it is empty now
	fmt.Fprintf(a.stderr, "%s written, %s removed; commit it\n", plural(len(result.Files)-1, "file"), info.File)
	return nil
}

// completeRollout completes the name of a rollout.
func (a *app) completeRollout(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	tree, err := a.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, r := range tree.Rollouts() {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}
