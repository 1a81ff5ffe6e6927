package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/internal/journal"
)

// app is what the verbs share: where they write, and the global flags.
type app struct {
	stdout, stderr io.Writer
	dir            string
	color          string
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "batchctl",
		Short: "Batches in YAML, through layers, to Jenkins jobs",
		Long: `Batchctl resolves a tree of YAML through its layers, checks every batch,
says where each value comes from, and renders the Job DSL that a Jenkins
seed job applies.`,
		SuggestionsMinimumDistance: 2,
		Version:                    version,
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       noArgs,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"auto", "always", "never"}, a.color) {
				return usagef("--color %s: it takes auto, always or never", a.color)
			}
			return nil
		},
	}
	root.PersistentFlags().StringVarP(&a.dir, "dir", "C", "", "directory of the tree (default: the nearest parent with "+batches.SettingsFile+")")
	root.PersistentFlags().StringVar(&a.color, "color", "auto", "auto, always or never; NO_COLOR means never")
	root.SetVersionTemplate("batchctl {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if strings.HasPrefix(err.Error(), "unknown shorthand flag") && (strings.HasSuffix(cmd.Use, "OLD NEW") || strings.Contains(cmd.Use, "-- ")) {
			return usagef("%w: put -- before values that begin with a - (see %s --help)", err, cmd.CommandPath())
		}
		return usagef("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(a.initCommand(), a.validateCommand(), a.renderCommand(), a.explainCommand(), a.listCommand(),
		a.configCommand(), a.importCommand(), a.factorCommand(), a.schemaCommand(), a.seedCommand(), a.versionCommand(), a.diffCommand(), a.planCommand(), a.migrateCommand(), a.rolloutCommand(),
		a.statusCommand(), a.runsCommand(), a.nodesCommand(), a.whyCommand(), a.catalogCommand(), a.referenceCommand())
	return root
}

// noArgs refuses arguments, with the nearest verb for a misspelt one.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		message := fmt.Sprintf("there is no verb %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return usagef("%s; did you mean %s?", message, near[0])
		}
		return usagef("%s (see batchctl --help)", message)
	}
	return usagef("%s takes no arguments, and got %q", cmd.Name(), args[0])
}

// needArgs asks for certain arguments, named in the message.
func needArgs(least, most int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usagef("%s takes %s (see %s --help)", cmd.Name(), names, cmd.CommandPath())
		}
		return nil
	}
}

// treeDir returns the directory of the tree: the one of -C, or the nearest
// parent that has the settings file.
//
// Every verb that reads a tree comes by here, so that none sees half of a change.
func (a *app) treeDir() (string, error) {
	dir, err := a.findTree()
	if err != nil {
		return "", err
	}
	return dir, a.recover(dir)
}

// recover finishes what a verb that was killed has left in a tree, and says so.
func (a *app) recover(dir string) error {
	n, err := journal.Recover(dir)
	if n > 0 {
		fmt.Fprintf(a.stderr, "%s: a change of %s had been killed half-way; it is in place now\n", dir, plural(n, "file"))
	}
	return err
}

func (a *app) findTree() (string, error) {
	if a.dir != "" {
		info, err := os.Stat(a.dir)
		if err != nil {
			return "", err
		}
		if !info.IsDir() {
			return "", fmt.Errorf("%s is not a directory", a.dir)
		}
		return a.dir, nil
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, batches.SettingsFile)); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("neither %s nor a directory above it has a %s; batchctl init DIR makes a tree, -C DIR names one", here, batches.SettingsFile)
		}
	}
}

// load reads the tree's layers.
func (a *app) load() (*batches.Tree, error) {
	dir, err := a.treeDir()
	if err != nil {
		return nil, err
	}
	return batches.Load(batches.Dir(dir)), nil
}

// resolve loads and resolves the tree, and prints its errors; with one it
// returns an exit code. Warnings are only counted: an imported tree has hundreds.
func (a *app) resolve() (*batches.Result, error) {
	tree, err := a.load()
	if err != nil {
		return nil, err
	}
	result := tree.Resolve()
	var errs []batches.Problem
	for _, p := range result.Problems {
		if p.Severity == batches.Error {
			errs = append(errs, p)
		}
	}
	a.printProblems(errs)
	if len(errs) > 0 {
		fmt.Fprintln(a.stderr, a.summary(result))
		return nil, &exitCode{code: exitError}
	}
	if n := len(result.Problems); n > 0 {
		fmt.Fprintf(a.stderr, "%s; see batchctl validate\n", plural(n, "warning"))
	}
	return result, nil
}

// reportFaults prints the errors of a tree's layers behind an answer that may
// lack what these files say; with one it returns an exit code.
func (a *app) reportFaults(faults []batches.Problem) error {
	if len(faults) == 0 {
		return nil
	}
	a.printProblems(faults)
	fmt.Fprintf(a.stderr, "%s in the layers; what is shown may lack what these files say\n", plural(len(faults), "error"))
	return &exitCode{code: exitError}
}

// paint colours a text, where colours are wanted.
func (a *app) paint(code, text string) string {
	on := a.color == "always"
	if f, ok := a.stderr.(*os.File); ok && a.color == "auto" {
		on = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
	}
	if !on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// outputFlag adds -o with its formats, the first of which is the default.
func outputFlag(cmd *cobra.Command, format *string, formats ...string) {
	cmd.Flags().StringVarP(format, "output", "o", formats[0], strings.Join(formats, ", "))
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)))
	check := func(*cobra.Command, []string) error {
		if !slices.Contains(formats, *format) {
			return usagef("-o %s: it takes %s", *format, strings.Join(formats, ", "))
		}
		return nil
	}
	cmd.PreRunE = check
}

// must is for what only a mistake in this program can break.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
