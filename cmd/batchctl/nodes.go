package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/console/api"
)

func (a *app) nodesCommand() *cobra.Command {
	var format string
	f := api.LeaseFilter{}
	cmd := &cobra.Command{
		Use:   "nodes [JOB-GLOB]",
		Short: "List the machines that are there, and those that are on their way",
		Long: `Nodes lists all leases that are not gone: a lease is one machine lent to one
attempt of one run, and its name is that of the node in Jenkins. What was made
ahead has no run on it yet, and a spare has no run at all.` + provisionerHelp,
		Example: `  batchctl nodes --pool standard --state wanted,launching`,
		Args:    needArgs(0, 1, "one job or glob at the most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.Job = args[0]
			}
			return a.nodes(cmd, f, format)
		},
	}
	outputFlag(cmd, &format, "table", "json", "yaml")
	cmd.Flags().StringSliceVar(&f.States, "state", nil, "only in these states: wanted, launching, booting, ready, busy, releasing")
	cmd.Flags().StringVar(&f.Pool, "pool", "", "only of this pool")
	cmd.Flags().StringVar(&f.Cloud, "cloud", "", "only in this cloud")
	cmd.Flags().StringVar(&f.Team, "team", "", "only of this team")
	return cmd
}

func (a *app) nodes(cmd *cobra.Command, f api.LeaseFilter, format string) error {
	c, err := a.provisioner()
	if err != nil {
		return err
	}
	leases, err := c.AllLeases(cmd.Context(), f)
	if err != nil {
		return err
	}
	switch {
	case format != "table":
		if leases == nil {
			leases = []api.Lease{}
		}
		return a.writeData(format, leases)
	case len(leases) == 0:
		fmt.Fprintln(a.stderr, "no such machine is there or on its way")
		return nil
	}
	var table rows
	table.add("NODE", "RUN", "STATE", "SINCE", "POOL/PLACE", "MACHINE", "REASON")
	for i := range leases {
		l := &leases[i]
		table.add(l.ID, runText(l), l.State, sinceText(l.Since), l.Pool+"/"+orDash(l.Place), orDash(l.Machine), inZone(l.Reason, time.Local))
	}
	return a.print(table)
}
