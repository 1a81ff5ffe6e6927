package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// devAgentCommand takes the place of java on the machines of dev: the same
// bootstrap script starts it with the same arguments, and it connects to the
// simulated Jenkins as an agent.
func devAgentCommand() *cobra.Command {
	return &cobra.Command{
		Use: "dev-agent", Hidden: true, DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			given := map[string]string{}
			for i := 0; i+1 < len(args); i++ {
				if name, ok := strings.CutPrefix(args[i], "-"); ok && !strings.HasPrefix(args[i+1], "-") {
					given[name] = args[i+1]
				}
			}
			path, ok := strings.CutPrefix(given["secret"], "@")
			if !ok {
				return errors.New("no -secret @FILE")
			}
			secret, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			err = jenkinstest.RunAgent(cmd.Context(), given["url"], given["name"], strings.TrimSpace(string(secret)), given["workDir"])
			if errors.Is(err, jenkinstest.ErrNodeGone) {
				fmt.Fprintln(os.Stderr, "the node is gone")
				return nil
			}
			return err
		},
	}
}
