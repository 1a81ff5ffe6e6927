package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
)

func (a *app) configCommand() *cobra.Command {
	var format, cluster string
	cmd := &cobra.Command{
		Use:   "config APP --cluster CLUSTER",
		Short: "Print the configuration of an API server",
		Long: `Config prints what a document of kind Config resolves to on one cluster: as env
(NAME=value, quoted for sh), Java properties, JSON or YAML. APP is its name,
or GROUP/NAME where two groups have one of that name.`,
		Example: `  batchctl config ledger-api --cluster live-1 -o properties`,
		Args:    needArgs(1, 1, "the name of one API server"),
		RunE: func(_ *cobra.Command, args []string) error {
			if cluster == "" {
				return usagef("config needs --cluster, the cluster that the server runs on")
			}
			return a.config(args[0], cluster, format)
		},
	}
	outputFlag(cmd, &format, batches.ConfigFormats()...)
	cmd.Flags().StringVar(&cluster, "cluster", "", "the cluster that it runs on")
	return cmd
}

func (a *app) config(app, cluster, format string) error {
	result, err := a.resolve()
	if err != nil {
		return err
	}
	var found []*batches.Config
	var names, clusters []string
	for _, c := range result.Configs() {
		if c.Name != app && c.Group+"/"+c.Name != app {
			names = append(names, c.Name)
			continue
		}
		clusters = append(clusters, c.Cluster)
		if c.Cluster == cluster {
			found = append(found, c)
		}
	}
	slices.Sort(names)
	isBatch := slices.ContainsFunc(result.Jobs(), func(j *batches.Job) bool { return j.Batch.Name == app || j.Group+"/"+j.Batch.Name == app })
	switch {
	case isBatch && len(clusters) == 0:
		return usagef("%s is a Batch; config is for documents of kind Config (see batchctl explain)", app)
	case len(found) == 1:
		out, err := found[0].Format(format)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(out)
		return err
	case len(found) > 1:
		return usagef("%s is in more than one app group; write %s/%s or %s/%s", app, found[0].Group, app, found[1].Group, app)
	case len(clusters) > 0:
		return usagef("%s does not go to %s; it goes to %s", app, cluster, strings.Join(clusters, ", "))
	}
	return usagef("there is no document of kind Config named %s; there are %s", app, strings.Join(slices.Compact(names), ", "))
}
