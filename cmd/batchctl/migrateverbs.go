package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches/migrate"
	"github.com/batchctl/batchctl/jvm"
)

func (a *app) migrateJVMCommand(m *migration) *cobra.Command {
	var from, to int
	var evidence string
	cmd := &cobra.Command{
		Use:   "jvm --from 11 --to 21",
		Short: "Move jobs to another Java release, with their options",
		Long: `Jvm changes spec.java.version and rewrites the options that the new JVM no longer
takes: collectors that are gone, the flags of the old GC log (one -Xlog), traces,
removed and renamed flags. Files are read in the charset they were read in, and
System.out keeps its own. Jobs of other releases are left alone.
docs/migrate-jvm.md has the whole way.

--evidence names a directory of logs of runs on the old JVM, one file per job:
DIR/CLUSTER/GROUP/NAME.log. What they say a job reflects on is opened to it
(--add-opens), and nothing else is.`,
		Example: `  batchctl migrate jvm --from 11 --to 21 --dry-run
  batchctl migrate jvm --from 11 --to 21 --select "staging-*/**"
  batchctl migrate jvm --from 11 --to 21 --commit-per group`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !jvm.Supported(from) || !jvm.Supported(to) || from >= to {
				return usagef("--from %d --to %d: they take two of 11, 17, 21, 25, the older one first", from, to)
			}
			change := migrate.JVM{From: from, To: to}
			if evidence != "" {
				var err error
				if change.Opens, err = readEvidence(evidence); err != nil {
					return err
				}
			}
			return a.migrate(cmd.Context(), m, migrate.Step{Selection: m.selection(), Change: change})
		},
	}
	cmd.Flags().IntVar(&from, "from", 11, "the release of the jobs to be moved")
	cmd.Flags().IntVar(&to, "to", 21, "the release they move to")
	cmd.Flags().StringVar(&evidence, "evidence", "", "directory with a log per job")
	must(cmd.MarkFlagDirname("evidence"))
	return cmd
}

// readEvidence reads the logs of jobs.
func readEvidence(dir string) (map[string][]string, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("--evidence %w", err)
	}
	opens := map[string][]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path.Ext(name) != ".log" {
			return err
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		opens[strings.TrimSuffix(name, ".log")] = jvm.Opens(text)
		return nil
	})
	if err == nil && len(opens) == 0 {
		err = fmt.Errorf("%s holds no .log file; a job's log is DIR/CLUSTER/GROUP/NAME.log", dir)
	}
	return opens, err
}

func (a *app) migrateSetCommand(m *migration) *cobra.Command {
	return &cobra.Command{
		Use:     "set PATH=VALUE",
		Short:   "Give a value to jobs",
		Long:    "Set gives all selected jobs a value. VALUE is written as in YAML: large, 21, [a, b].",
		Example: `  batchctl migrate set spec.node.pool=large --select "*/settlement/**"`,
		Args:    needArgs(1, 1, "PATH=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, text, ok := strings.Cut(args[0], "=")
			if !ok {
				return usagef("set takes PATH=VALUE, and got %q", args[0])
			}
			keys, err := migrate.Keys(name)
			if err != nil {
				return usagef("%w", err)
			}
			value, err := migrate.ParseValue(text)
			if err != nil {
				return usagef("%w", err)
			}
			return a.migrate(cmd.Context(), m, migrate.Step{Selection: m.selection(), Change: migrate.Set{Keys: keys, Value: value}})
		},
	}
}

func (a *app) migrateUnsetCommand(m *migration) *cobra.Command {
	return &cobra.Command{
		Use:     "unset PATH",
		Short:   "Take a value away from jobs",
		Long:    "Unset takes a value away: where nothing stands below it by deleting it, and otherwise with null.",
		Example: `  batchctl migrate unset spec.retry --select "dev-*/**"`,
		Args:    needArgs(1, 1, "a PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := migrate.Keys(args[0])
			if err != nil {
				return usagef("%w", err)
			}
			return a.migrate(cmd.Context(), m, migrate.Step{Selection: m.selection(), Change: migrate.Unset{Keys: keys}})
		},
	}
}

func (a *app) migrateAddCommand(m *migration) *cobra.Command {
	return &cobra.Command{
		Use:   "add-option -- OPTION",
		Short: "Add an option of the JVM to jobs that lack it",
		Long: `Add-option adds an option of the JVM at the end of the options of each selected
job that lacks it. A job that has the option with another value is left to a person.`,
		Example: `  batchctl migrate add-option -- -XX:+ExitOnOutOfMemoryError`,
		Args:    needArgs(1, 1, "an option, behind --"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.migrate(cmd.Context(), m, migrate.Step{Selection: m.selection(), Change: migrate.AddOption{Option: args[0]}})
		},
	}
}

func (a *app) migrateRemoveCommand(m *migration) *cobra.Command {
	return &cobra.Command{
		Use:     "remove-option -- NAME",
		Short:   "Take an option of the JVM away from jobs",
		Long:    "Remove-option takes an option of the JVM away, whatever stands behind an = or a : in it.",
		Example: `  batchctl migrate remove-option -- -XX:MaxPermSize`,
		Args:    needArgs(1, 1, "the name of an option, behind --"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.migrate(cmd.Context(), m, migrate.Step{Selection: m.selection(), Change: migrate.RemoveOption{Name: args[0]}})
		},
	}
}

func (a *app) migrateRenameCommand(m *migration) *cobra.Command {
	return &cobra.Command{
		Use:     "rename-option -- OLD NEW",
		Short:   "Give an option of the JVM another name",
		Long:    "Rename-option renames an option of the JVM; what stands behind an = or a : in it stays.",
		Example: `  batchctl migrate rename-option -- -Dold.name -Dnew.name`,
		Args:    needArgs(2, 2, "the old and the new name, behind --"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.migrate(cmd.Context(), m, migrate.Step{Selection: m.selection(), Change: migrate.RenameOption{From: args[0], To: args[1]}})
		},
	}
}

func (a *app) migrateReplaceCommand(m *migration) *cobra.Command {
	return &cobra.Command{
		Use:   "replace-value PATH OLD NEW",
		Short: "Change a value where it is a certain one",
		Long:  "Replace-value changes a value, or an item of a list, in jobs where it is OLD, as written or as resolved.",
		Example: `  batchctl migrate replace-value spec.artifact.credentials repo-reader repo-reader-2026
  batchctl migrate replace-value spec.java.options -- -Xss1m -Xss2m`,
		Args: needArgs(3, 3, "a path, the old and the new value"),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := migrate.Keys(args[0])
			if err != nil {
				return usagef("%w", err)
			}
			return a.migrate(cmd.Context(), m, migrate.Step{Selection: m.selection(), Change: migrate.ReplaceValue{Keys: keys, From: args[1], To: args[2]}})
		},
	}
}

func (a *app) migrateApplyCommand(m *migration) *cobra.Command {
	return &cobra.Command{
		Use:   "apply FILE",
		Short: "Make the changes of a file, one after the other",
		Long: `Apply makes the steps of a file, so that a change of many jobs is one file that
can be reviewed. Each step has one change, and a select and a percent of its own;
--select and --percent are for steps that have none.

  apiVersion: batchctl/v1
  kind: Migration
  description: Close CVE-2026-0001
  steps:
    - set: {spec.node.pool: patched}
      select: ["live-*/**"]
      percent: 10
    - unset: spec.java.home
    - add-option: -XX:+ExitOnOutOfMemoryError
    - remove-option: -XX:MaxPermSize
    - rename-option: {from: -Dold, to: -Dnew}
    - replace-value: {path: spec.timeout, from: 1h, to: 90m}
    - jvm: {from: 11, to: 21}`,
		Args: needArgs(1, 1, "a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			steps, err := a.readSteps(args[0], m.selection())
			if err != nil {
				return err
			}
			return a.migrate(cmd.Context(), m, steps...)
		},
	}
}

// readSteps reads a file of steps, and prints what is wrong with it.
func (a *app) readSteps(name string, other migrate.Selection) ([]migrate.Step, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	steps, problems := migrate.ParseSteps(filepath.ToSlash(name), text, other)
	if len(problems) > 0 {
		a.printProblems(problems)
		return nil, &exitCode{code: exitError}
	}
	return steps, nil
}
