package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/migrate"
	"github.com/batchctl/batchctl/internal/gittree"
	"github.com/batchctl/batchctl/jvm"
)

// start is what rollout start is asked for.
type start struct {
	migration
	from, to    int
	set         []string
	file        string // a file with one step
	rings       []string
	steps       []int
	first, last []string
	evidence    string
	description string
}

func (a *app) rolloutStartCommand() *cobra.Command {
	s := &start{}
	cmd := &cobra.Command{
		Use:   "start NAME (--from 11 --to 21 | --set PATH=VALUE | --migration FILE)",
		Short: "Start a rollout at its first step",
		Long: `Start writes rollouts/NAME.yaml with the change, the order of the jobs, and the
first step taken. The jobs stand in rings, by their phases; --rings names them in
their order. In each ring they stand in the order of a hash of their paths, after
those of --first and before those of --last. --steps are the percentages of the
last ring; each ring before it is one step.

Jobs with something undecided (see batchctl migrate) are listed with the reason:
the exit code is then 3, and nothing is written without --partial, which leaves
them out.

What a rollout changes is a Java release (--from, --to), one value (--set), or any
other change of batchctl migrate: the one step of a file (--migration), whose
select and reason hold where --select and --description are not given.`,
		Example: `  batchctl rollout start jvm-21 --from 11 --to 21 --rings dev,staging,live --steps 1,10,100
  batchctl rollout start big-pool --set spec.node.pool=large --select "live-*/**" --rings live
  batchctl rollout start exit-on-oom --migration exit-on-oom.yaml`,
		Args: needArgs(1, 1, "a NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.rolloutStart(cmd.Context(), args[0], s) },
	}
	f := cmd.Flags()
	f.IntVar(&s.from, "from", 0, "for a Java rollout: the release of the jobs to be moved")
	f.IntVar(&s.to, "to", 0, "and the release they move to")
	f.StringSliceVar(&s.set, "set", nil, "PATH=VALUE, as for migrate set")
	f.StringVar(&s.file, "migration", "", "a file of batchctl migrate apply, with one step: any other change")
	f.StringSliceVar(&s.selectGlobs, "select", nil, `only jobs whose path matches; "!GLOB" takes away`)
	f.StringSliceVar(&s.rings, "rings", []string{"dev", "staging", "live"}, "phases in the order of the rings")
	f.IntSliceVar(&s.steps, "steps", []int{1, 10, 50, 100}, "percentages of the last ring")
	f.StringSliceVar(&s.first, "first", nil, "globs of jobs that come first in their ring")
	f.StringSliceVar(&s.last, "last", nil, "globs of jobs that come last in it")
	f.StringVar(&s.evidence, "evidence", "", "directory with a log per job, as for migrate jvm")
	f.StringVar(&s.description, "description", "", "what the rollout is for (default: what it changes)")
	f.BoolVar(&s.partial, "partial", false, "leave out jobs with something undecided")
	f.BoolVar(&s.dryRun, "dry-run", false, "show what the first step changes, and write nothing")
	return cmd
}

// rolloutStep is the change that the flags ask for, and of which jobs.
func (a *app) rolloutStep(s *start) (migrate.Step, error) {
	step := migrate.Step{Selection: migrate.Selection{Select: s.selectGlobs}, Reason: s.description}
	if s.file == "" || len(s.set) > 0 || s.from != 0 || s.to != 0 {
		var err error
		step.Change, err = s.change()
		return step, err
	}
	steps, err := a.readSteps(s.file, step.Selection)
	if err != nil {
		return step, err
	}
	if len(steps) != 1 || steps[0].Selection.Percent != 0 {
		return step, usagef("%s: a rollout has one change, and its percentages by --steps; this file has %s", s.file, plural(len(steps), "change"))
	}
	step.Change, step.Reason = steps[0].Change, cmp.Or(s.description, steps[0].Reason)
	if len(s.selectGlobs) == 0 {
		step.Selection = steps[0].Selection
	}
	return step, nil
}

// change is the change of the flags that name one themselves.
func (s *start) change() (migrate.Change, error) {
	switch {
	case s.file != "":
	case len(s.set) == 1 && s.from == 0 && s.to == 0:
		name, text, _ := strings.Cut(s.set[0], "=")
		keys, err := migrate.Keys(name)
		if err != nil {
			return nil, usagef("%w", err)
		}
		value, err := migrate.ParseValue(text)
		if err != nil {
			return nil, usagef("%w", err)
		}
		return migrate.Set{Keys: keys, Value: value}, nil
	case len(s.set) == 0 && jvm.Supported(s.from) && jvm.Supported(s.to) && s.from < s.to:
		change := migrate.JVM{From: s.from, To: s.to}
		if s.evidence == "" {
			return change, nil
		}
		var err error
		change.Opens, err = readEvidence(s.evidence)
		return change, err
	}
	return nil, usagef("a rollout has one change: --from and --to with two of 11, 17, 21, 25, or one --set PATH=VALUE, or --migration FILE")
}

// rolloutPlan is the rollout that the flags ask for.
func (a *app) rolloutPlan(name string, s *start) (migrate.Plan, error) {
	step, err := a.rolloutStep(s)
	if err != nil {
		return migrate.Plan{}, err
	}
	p := migrate.Plan{Name: name, Rings: s.rings, First: s.first, Last: s.last, At: time.Now(), Step: step}
	last := 0
	for i, ring := range s.rings {
		if i < len(s.rings)-1 {
			p.Steps = append(p.Steps, batches.RolloutStep{Ring: ring, Percent: 100})
		}
	}
	for _, percent := range s.steps {
		if percent <= last || percent > 100 {
			return p, usagef("--steps %v: they grow, from 1 to 100", s.steps)
		}
		last = percent
		p.Steps = append(p.Steps, batches.RolloutStep{Ring: s.rings[len(s.rings)-1], Percent: percent})
	}
	if last != 100 {
		return p, usagef("--steps %v: the last one is 100", s.steps)
	}
	return p, nil
}

func (a *app) rolloutStart(ctx context.Context, name string, s *start) error {
	if s.percent, s.format = 100, "table"; len(s.rings) == 0 {
		return usagef("--rings names no ring")
	}
	for _, err := range []error{s.check(), checkGlobs("--first", s.first), checkGlobs("--last", s.last)} {
		if err != nil {
			return err
		}
	}
	keepsAll()
	plan, err := a.rolloutPlan(name, s)
	if err != nil {
		return err
	}
	dir, err := a.treeDir()
	if err != nil {
		return err
	}
	plan.By = person(ctx, dir)
	file, _, result, err := migrate.NewRollout(batches.Dir(dir), plan)
	if err != nil {
		return err
	}
	a.printUndecided(result)
	if result.Comparison == nil {
		fmt.Fprintln(a.stderr, "nothing to change, so there is no rollout")
		return nil
	}
	if err := writeChanges(a.stdout, result.Comparison); err != nil {
		return err
	}
	return a.writeNewRollout(dir, file, s, result)
}

// writeNewRollout writes the file, or says why it does not.
func (a *app) writeNewRollout(dir, file string, s *start, result *migrate.Result) error {
	stopped := len(result.Undecided) > 0 && !s.partial
	switch {
	case stopped:
		fmt.Fprintf(a.stderr, "nothing written: %s to decide; --partial leaves them out\n", plural(len(result.UndecidedJobs()), "job"))
	case s.dryRun:
		fmt.Fprintf(a.stderr, "nothing written (--dry-run): %s would be\n", file)
	default:
		if err := writeTree(dir, result.Files, nil); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "%s written, with its first step taken; commit it, and look at batchctl rollout status\n", file)
	}
	if len(result.Undecided) > 0 {
		return &exitCode{code: exitUndecided}
	}
	return nil
}

// person is who does it, by git's configuration or the system's user.
func person(ctx context.Context, dir string) string {
	if name, err := gittree.Run(ctx, dir, "config", "user.name"); err == nil && name != "" {
		return name
	}
	return os.Getenv("USER")
}
