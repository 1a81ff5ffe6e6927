package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/console/api"
)

func (a *app) runsCommand() *cobra.Command {
	var format string
	f := api.RunFilter{}
	cmd := &cobra.Command{
		Use:   "runs [JOB-GLOB]",
		Short: "List the newest runs, and what became of their machines",
		Long: `Runs lists the newest runs of all jobs, or of those whose path matches, with one
line for each machine that a run had. WAITED is how long the run waited for it.
batchctl why RUN says more of one run.` + provisionerHelp,
		Example: `  batchctl runs 'live-*/settlement/**' --limit 50`,
		Args:    needArgs(0, 1, "one job or glob at the most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.Job = args[0]
			}
			if f.Limit < 1 || f.Limit > 1000 {
				return usagef("--limit %d: it takes 1 to 1000", f.Limit)
			}
			return a.runs(cmd, f, format)
		},
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	cmd.Flags().IntVar(&f.Limit, "limit", 20, "how many")
	return cmd
}

func (a *app) runs(cmd *cobra.Command, f api.RunFilter, format string) error {
	c, err := a.provisioner()
	if err != nil {
		return err
	}
	page, err := c.Runs(cmd.Context(), f)
	if err != nil {
		return err
	}
	switch {
	case format != "table":
		return a.writeData(format, page.Runs)
	case len(page.Runs) == 0 && f.Job != "":
		fmt.Fprintf(a.stderr, "no run of a job %s is known\n", oneLine(f.Job))
		return nil
	case len(page.Runs) == 0:
		fmt.Fprintln(a.stderr, "no run is known yet")
		return nil
	}
	var table rows
	table.add("RUN", "STATE", "SINCE", "MACHINE", "WAITED", "REASON")
	for i := range page.Runs {
		l := &page.Runs[i]
		table.add(runText(l), l.State, sinceText(l.Since), orDash(l.Machine), waitedText(l), inZone(l.Reason, time.Local))
	}
	return a.print(table)
}

// sinceText is a time as tables have it.
func sinceText(t time.Time) string { return t.Local().Format("01-02 15:04:05") }
