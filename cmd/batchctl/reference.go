package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// referenceHead stands above the verbs in docs/batchctl-reference.md.
const referenceHead = "# Reference of batchctl\n\n" +
	"Made from the help texts of the program (`batchctl VERB --help`). Do not edit.\n\n" +
	"Verbs that need a tree take the one of `-C`, or the nearest directory above with a `batchctl.yaml`. Results go to stdout; errors, warnings and progress to stderr.\n\n" +
	"| exit code | meaning |\n| --- | --- |\n" +
	"| 0 | done |\n" +
	"| 1 | the tree has errors, or something could not be done |\n" +
	"| 2 | wrong use; for `diff` and `plan` with `--exit-code` and `render --check`: there are differences |\n" +
	"| 3 | `migrate`, `rollout start`: something is left to a person |\n\n" +
	"| environment | meaning |\n| --- | --- |\n" +
	"| `JENKINS_URL`, `JENKINS_USER`, `JENKINS_TOKEN` | the Jenkins of `plan`, `rollout status` and `rollout advance`, and a user with an API token; `import --from URL` takes the latter two |\n" +
	"| `BATCHCTL_PROVISIONER`, `BATCHCTL_TOKEN` or `BATCHCTL_TOKEN_FILE` | the provisioner of `status`, `runs`, `nodes`, `why` and `catalog`, and a token or its file |\n" +
	"| `NO_COLOR` | no colours |\n"

// referenceCommand prints the reference of all verbs, for the documentation.
func (a *app) referenceCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reference", Short: "Print the reference of all verbs in Markdown", Args: noArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := io.WriteString(a.stdout, referenceHead); err != nil {
				return err
			}
			return writeVerbs(a.stdout, cmd.Root())
		},
	}
}

// writeVerbs writes a verb, and those below it, in the order of their names.
func writeVerbs(w io.Writer, cmd *cobra.Command) error {
	if cmd.HasParent() {
		if err := writeVerb(w, cmd); err != nil {
			return err
		}
	}
	below := slices.Clone(cmd.Commands())
	slices.SortFunc(below, func(a, b *cobra.Command) int { return strings.Compare(a.Name(), b.Name()) })
	for _, c := range below {
		if c.IsAvailableCommand() && c.Name() != "help" && c.Name() != "completion" {
			if err := writeVerbs(w, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeVerb(w io.Writer, cmd *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n```\n%s\n```\n", cmd.CommandPath(), cmd.Short, cmd.UseLine())
	if cmd.Long != "" {
		fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.TrimSpace(cmd.Long))
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n\n```\n%s\n```\n", strings.ReplaceAll(strings.TrimSpace(cmd.Example), "\n  ", "\n"))
	}
	if flags := cmd.NonInheritedFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(&b, "\nFlags:\n\n```\n%s```\n", flags.FlagUsages())
	}
	if parent := cmd.Parent(); parent.HasParent() && parent.PersistentFlags().HasAvailableFlags() {
		fmt.Fprintf(&b, "\nand those of `%s`.\n", parent.CommandPath())
	}
	_, err := io.WriteString(w, b.String())
	return err
}
