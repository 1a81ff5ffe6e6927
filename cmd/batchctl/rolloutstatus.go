package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/judge"
)

func (a *app) rolloutStatusCommand() *cobra.Command {
	var builds buildSource
	var format string
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Say how far a rollout is, and how its builds do",
		Long: `Status judges the builds of the jobs that are in since the change against their
builds before it. The builds come from the Jenkins that JENKINS_URL, JENKINS_USER
and JENKINS_TOKEN name, or from a file (--builds).

  bad                more builds fail than before: Fisher's exact test, one-sided,
                     p < 0.05; or more take over 1.25 times their job's median
                     before than chance allows: sign test, p < 0.05; or one job
                     that never failed before fails more often than would happen
                     to any of them by accident: binomial, p < 0.05
  good               at the most ten points more fail than before: the upper end of
                     Wilson's interval, 95 %
  not enough builds  neither can be said yet

Builds that were aborted do not count, but for those that ran into their job's
timeout, which failed. Nor do those since that ran without the change, as the seed
job had not brought it yet; the user needs Run/Replay for that to be seen.`,
		Args: needArgs(0, 1, "a NAME at the most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rolloutStatus(cmd.Context(), args, &builds, format)
		},
		ValidArgsFunction: a.completeRollout,
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	builds.flags(cmd)
	return cmd
}

// rolloutReport is what status says of a rollout.
type rolloutReport struct {
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Step        int          `json:"step"`
	Steps       []string     `json:"steps"`
	Since       *time.Time   `json:"since,omitempty"` // of the step
	Paused      bool         `json:"paused,omitempty"`
	Rings       []ringReport `json:"rings"`
	Judgement   string       `json:"judgement"`
	Why         []string     `json:"why"`
	Failing     []failingJob `json:"failing_since,omitempty"` // jobs that never failed before
	Slow        []slowJob    `json:"slower_since,omitempty"`  // jobs of which all builds are
	Need        int          `json:"good_builds_missing,omitempty"`
	Next        string       `json:"next,omitempty"`
	NextJobs    int          `json:"next_jobs,omitempty"`
	Unknown     []string     `json:"not_in_jenkins,omitempty"`
	Old         int          `json:"builds_without_it,omitempty"` // since the step, but with the settings before; they do not count
	Hidden      int          `json:"jobs_not_seen,omitempty"`     // of whose builds that cannot be said
}

// failingJob is a job with its builds since the change.
type failingJob struct {
	Job    string `json:"job"`
	Failed int    `json:"failed"`
	Builds int    `json:"builds"`
}

// slowJob is a job that takes so many times the time that it took before.
type slowJob struct {
	Job   string  `json:"job"`
	Times float64 `json:"times"`
}

type ringReport struct {
	Ring string `json:"ring"`
	In   int    `json:"in"`
	Of   int    `json:"of"`
}

func (a *app) rolloutStatus(ctx context.Context, args []string, builds *buildSource, format string) error {
	tree, err := a.load()
	if err != nil {
		return err
	}
	infos := tree.Rollouts()
	if len(args) == 1 {
		_, info, err := a.rolloutNamed(args[0])
		if err != nil {
			return err
		}
		infos = []*batches.RolloutInfo{info}
	}
	reports := []*rolloutReport{}
	for _, info := range infos {
		report, err := a.judge(ctx, info, builds)
		if errors.Is(err, errNoSource) {
			report, err = reportOf(info), nil
			report.Judgement, report.Why = "not looked at", []string{errNoSource.Error()}
		}
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	if err := a.writeReports(reports, format); err != nil {
		return err
	}
	return a.reportFaults(tree.Faults())
}

func (a *app) writeReports(reports []*rolloutReport, format string) error {
	if format != "table" {
		return a.writeData(format, reports)
	}
	if len(reports) == 0 {
		fmt.Fprintln(a.stdout, "there is no rollout")
	}
	for i, r := range reports {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if err := writeReport(a.stdout, r); err != nil {
			return err
		}
	}
	return nil
}

// judge asks for the builds and judges them.
func (a *app) judge(ctx context.Context, info *batches.RolloutInfo, source *buildSource) (*rolloutReport, error) {
	r := reportOf(info)
	jobs, err := a.jobsOf(info)
	if err != nil {
		return nil, err
	}
	seen, err := source.builds(ctx, jobs, a.progressOn(a.stderr, "jobs asked for their builds"))
	if err != nil {
		return nil, err
	}
	j := judge.Judge(info.Since(), seen.ended)
	r.Judgement, r.Why, r.Need = string(j.Verdict), j.Why, j.Need
	r.Unknown, r.Old, r.Hidden = seen.unknown, seen.old, seen.hidden
	if r.Old > 0 {
		r.Why = append(r.Why, fmt.Sprintf("%s since the step ran without the change and count for nothing: the seed job had not brought it", plural(r.Old, "build")))
	}
	for _, f := range j.Failing {
		r.Failing = append(r.Failing, failingJob{f.Job, f.Failures, f.Builds})
	}
	for _, s := range j.Slow {
		r.Slow = append(r.Slow, slowJob{s.Job, math.Round(100*s.Times) / 100})
	}
	return r, nil
}

// jobsOf finds the jobs in the tree that a rollout has reached, with and
// without it; those that are gone are left out.
func (a *app) jobsOf(info *batches.RolloutInfo) ([]changed, error) {
	dir, err := a.treeDir()
	if err != nil {
		return nil, err
	}
	since := info.Since()
	without := map[string]*batches.Job{}
	for _, j := range batches.Load(batches.NewOverlay(batches.Dir(dir), map[string][]byte{info.File: nil}, nil)).Resolve().Jobs() {
		if _, in := since[j.Path]; in {
			without[j.Path] = j
		}
	}
	tree, err := a.load()
	if err != nil {
		return nil, err
	}
	var out []changed
	for _, j := range tree.Resolve().Jobs() {
		if at, in := since[j.Path]; in {
			out = append(out, changed{j, at, without[j.Path]})
		}
	}
	return out, nil
}

func reportOf(info *batches.RolloutInfo) *rolloutReport {
	r := &rolloutReport{Name: info.Name, Description: info.Description, Step: info.Step, Paused: info.Paused}
	in := info.In(info.Step)
	for _, ring := range info.Order {
		n := 0
		for _, j := range ring.Jobs {
			if _, ok := in[j]; ok {
				n++
			}
		}
		r.Rings = append(r.Rings, ringReport{ring.Name, n, len(ring.Jobs)})
	}
	for i, s := range info.Steps {
		r.Steps = append(r.Steps, s.String())
		if i == info.Step {
			r.Next, r.NextJobs = s.String(), len(info.In(i+1))-len(in)
		}
	}
	for _, h := range info.History {
		if h.Step == info.Step && !h.At.IsZero() {
			r.Since = &h.At
		}
	}
	return r
}

func writeReport(out io.Writer, r *rolloutReport) error {
	fmt.Fprintf(out, "%s: %s\n", r.Name, oneLine(r.Description))
	where := fmt.Sprintf("step %d of %d", r.Step, len(r.Steps))
	if r.Step > 0 {
		where += ", " + r.Steps[r.Step-1]
	}
	if r.Since != nil {
		where += ", since " + r.Since.Format("2006-01-02 15:04 MST")
	}
	if r.Paused {
		where += "; paused"
	}
	fmt.Fprintln(out, where)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, ring := range r.Rings {
		fmt.Fprintf(w, "  %s\t%d of %s\n", ring.Ring, ring.In, plural(ring.Of, "job"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "builds: %s\n", r.Judgement)
	for _, why := range r.Why {
		fmt.Fprintf(out, "  %s\n", why)
	}
	if r.Need > 0 {
		fmt.Fprintf(out, "  %s without a failure would be enough\n", plural(r.Need, "more build"))
	}
	if len(r.Failing) > 0 {
		var names []string
		for _, f := range r.Failing {
			names = append(names, fmt.Sprintf("%s (%d of %d)", f.Job, f.Failed, f.Builds))
		}
		fmt.Fprintf(out, "  failed since and never before: %s\n", firstOf(names, 5))
	}
	if len(r.Slow) > 0 {
		var names []string
		for _, s := range r.Slow {
			names = append(names, fmt.Sprintf("%s (%.3g times)", s.Job, s.Times))
		}
		fmt.Fprintf(out, "  slower since, in all of their builds: %s\n", firstOf(names, 5))
	}
	if len(r.Unknown) > 0 {
		fmt.Fprintf(out, "  not in Jenkins: %s\n", firstOf(r.Unknown, 5))
	}
	if r.Hidden > 0 {
		fmt.Fprintf(out, "  of %s Jenkins does not show with what settings the builds ran: this user needs Run/Replay, and a job must not be disabled\n", plural(r.Hidden, "job"))
	}
	switch {
	case r.Judgement == string(judge.Bad):
		fmt.Fprintf(out, "next: batchctl rollout undo %s\n", r.Name)
	case r.Next != "":
		fmt.Fprintf(out, "next: %s, %s\n", r.Next, plural(r.NextJobs, "more job"))
	default:
		fmt.Fprintf(out, "next: batchctl rollout finish %s\n", r.Name)
	}
	return nil
}
