package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/jvm"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "development"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and the JVMs that the checks know",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			revision := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = " (" + s.Value + ")"
					}
				}
			}
			fmt.Fprintf(a.stdout, "batchctl %s%s, %s %s/%s\nJVM options are checked as these JVMs take them:", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			for _, r := range jvm.Releases() {
				fmt.Fprintf(a.stdout, " %s", r.Update)
			}
			fmt.Fprintln(a.stdout)
			return nil
		},
	}
}
