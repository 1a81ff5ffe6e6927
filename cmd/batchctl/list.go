package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (a *app) listCommand() *cobra.Command {
	var format string
	var sel selection
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the jobs of the tree",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.list(format, &sel) },
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	a.selectionFlags(cmd, &sel)
	return cmd
}

// listed is a job as list shows it.
type listed struct {
	Job      string   `json:"job"`
	Schedule []string `json:"schedule,omitempty"`
	Timezone string   `json:"timezone,omitempty"`
	After    []string `json:"after,omitempty"`
	Java     int      `json:"java"`
	Pool     string   `json:"pool"`
	Owner    string   `json:"owner,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
}

func (a *app) list(format string, sel *selection) error {
	result, err := a.resolve()
	if err != nil {
		return err
	}
	jobs, err := sel.jobs(result.Jobs())
	if err != nil {
		return err
	}
	rows := make([]listed, 0, len(jobs))
	for _, j := range jobs {
		row := listed{Job: j.Path, After: j.Batch.Upstream, Java: j.Batch.Java.Version, Pool: j.Batch.Node.Pool, Owner: j.Batch.Owner, Disabled: j.Batch.Disabled}
		if s := j.Batch.Schedule; s != nil {
			row.Schedule, row.Timezone = s.Cron, s.Timezone
		}
		rows = append(rows, row)
	}
	if format != "table" {
		return a.writeData(format, rows)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "JOB\tSTARTS\tJAVA\tPOOL\tOWNER")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", r.Job, starts(r), r.Java, r.Pool, oneLine(r.Owner))
	}
	return w.Flush()
}

// starts says what starts a job.
func starts(r listed) string {
	var words []string
	if len(r.Schedule) > 0 {
		words = append(words, strings.Join(r.Schedule, "; ")+" "+r.Timezone)
	}
	if len(r.After) > 0 {
		words = append(words, "after "+strings.Join(r.After, ", "))
	}
	if words == nil {
		words = []string{"by hand"}
	}
	if r.Disabled {
		words = append(words, "disabled")
	}
	return strings.Join(words, "; ")
}

// completeJob completes the path of a job.
func (a *app) completeJob(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	tree, err := a.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var paths []string
	for _, j := range tree.Resolve().Jobs() {
		paths = append(paths, j.Path)
	}
	return paths, cobra.ShellCompDirectiveNoFileComp
}
