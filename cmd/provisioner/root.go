package main

import (
	"github.com/spf13/cobra"
)

func rootCommand(io *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "provisioner",
		Short: "A machine of its own for every run of a batch",
		Long: `Provisioner gives every run of a Jenkins job its own freshly made machine, and
takes it away after. It looks at the clouds, at Jenkins and at its store, and
makes them agree; "provisioner check" tells what is missing for that.`,
		SuggestionsMinimumDistance: 2,
		Version:                    version,
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       noArgs,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetVersionTemplate("provisioner {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(serveCommand(io), checkCommand(io), devCommand(io), devAgentCommand(), schemaCommand(io), versionCommand(io))
	return root
}
