package main

import (
	"cmp"

	"github.com/spf13/cobra"
)

// Where the configuration is looked for.
const (
	configEnv  = "PROVISIONER_CONFIG"
	configFile = "/etc/provisioner/provisioner.yaml"
)

// configFlag adds --config to a verb, and returns where its value will be.
func configFlag(cmd *cobra.Command, io *streams) *string {
	path := cmp.Or(io.getenv(configEnv), configFile)
	cmd.Flags().StringVarP(&path, "config", "c", path, "file with the configuration; "+configEnv+" names another default")
	return &path
}
