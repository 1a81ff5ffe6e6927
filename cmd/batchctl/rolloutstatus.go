package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
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
                     before than chance allows: sign test, p < 0.05
  good               at the most ten points more fail than before: the upper end of
                     Wilson's interval, 95 %
  not enough builds  neither can be said yet

Builds that were aborted do not count, but for those that ran into their job's
timeout, which failed.`,
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
	Need        int          `json:"good_builds_missing,omitempty"`
	Next        string       `json:"next,omitempty"`
	NextJobs    int          `json:"next_jobs,omitempty"`
	Unknown     []string     `json:"not_in_jenkins,omitempty"`
}

// failingJob is a job with its builds since the change.
type failingJob struct {
	Job    string `json:"job"`
	Failed int    `json:"failed"`
	Builds int    `json:"builds"`
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
	since := info.Since()
	jobs, err := a.jobsOf(slices.Sorted(maps.Keys(since)))
	if err != nil {
		return nil, err
	}
	all, unknown, err := source.builds(ctx, jobs)
	if err != nil {
		return nil, err
	}
	j := judge.Judge(since, all)
	r.Judgement, r.Why, r.Need, r.Unknown = string(j.Verdict), j.Why, j.Need, unknown
	for _, f := range j.Failing {
		r.Failing = append(r.Failing, failingJob{f.Job, f.Failures, f.Builds})
	}
	return r, nil
}

// jobsOf finds the jobs of some paths in the tree; those that are gone are left
// out.
func (a *app) jobsOf(paths []string) ([]*batches.Job, error) {
	tree, err := a.load()
	if err != nil {
		return nil, err
	}
	var out []*batches.Job
	for _, j := range tree.Resolve().Jobs() {
		if _, in := slices.BinarySearch(paths, j.Path); in {
			out = append(out, j)
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
	if len(r.Unknown) > 0 {
		fmt.Fprintf(out, "  not in Jenkins: %s\n", firstOf(r.Unknown, 5))
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
