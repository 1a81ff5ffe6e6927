package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/factor"
	"github.com/batchctl/batchctl/internal/journal"
)

// factorFlags are the flags of factor.
type factorFlags struct {
	out, format string
	dryRun      bool
}

func (a *app) factorCommand() *cobra.Command {
	var f factorFlags
	cmd := &cobra.Command{
		Use:   "factor [DIR]",
		Short: "Lift what batches have in common into layers and variables",
		Long: `Factor takes a flat tree, as import writes it, and lifts what its batches have
in common into the layers: global, clusters, phases, app types and app groups.
Names of the batch in its own values become {{app}}, {{group}} and the like;
lists that differ in a piece get a variable.

Every effective value of every job stays what it is. Factor resolves the new
tree and compares it with the old one, value by value; if anything differs it
writes nothing. Comments stay with their batch.

It also prints the odd ones out: what hardly any job says where nearly all say
another thing, the likely misspellings first.

Without --out the tree itself is changed. A factor that is killed leaves the
tree as it was, or the next batchctl finishes what it had begun.`,
		Example: `  batchctl factor payments --dry-run
  batchctl factor payments --out payments-factored`,
		Args: needArgs(0, 1, "one directory at the most"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				a.dir = args[0]
			}
			return a.factor(&f)
		},
	}
	outputFlag(cmd, &f.format, "table", "json", "yaml")
	cmd.Flags().StringVar(&f.out, "out", "", "write the new tree to this directory, which must be new, and leave the old one alone")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be done")
	must(cmd.MarkFlagDirname("out"))
	return cmd
}

func (a *app) factor(f *factorFlags) error {
	dir, err := a.treeDir()
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := emptyDir(f.out); err != nil {
			return err
		}
	}
	keepsAll()
	tree := batches.Snapshot(batches.Dir(dir))
	result, err := factor.Factor(tree)
	if err != nil {
		return err
	}
	switch {
	case f.dryRun:
	case f.out != "":
		err = writeBeside(dir, f.out, result)
	default:
		err = writeInPlace(dir, tree, result)
	}
	if err != nil {
		return err
	}
	return a.factorReport(f, dir, result)
}

// writeInPlace changes a tree, where its files are what has been read.
func writeInPlace(dir string, read fs.FS, r *factor.Result) error {
	old, files := map[string][]byte{}, map[string][]byte{}
	for _, f := range r.Files {
		files[f.Path] = f.Text
		text, err := fs.ReadFile(read, f.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil {
			old[f.Path] = text
		}
	}
	return writeTree(dir, files, old)
}

// writeBeside writes the new tree to another directory, with all else that the
// old one holds.
func writeBeside(dir, out string, r *factor.Result) error {
	files := make([]treeFile, len(r.Files))
	for i, f := range r.Files {
		files[i] = treeFile(f)
	}
	others, err := otherFiles(dir, files)
	if err != nil {
		return err
	}
	return writeNewDir(out, append(others, files...))
}

// otherFiles reads the files of a tree that stay as they are.
func otherFiles(dir string, changed []treeFile) ([]treeFile, error) {
	known := map[string]bool{}
	for _, f := range changed {
		known[f.Path] = true
	}
	var out []treeFile
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case e.IsDir() && (e.Name() == ".git" || name == journal.Dir || strings.Contains(e.Name(), temporary)):
			return filepath.SkipDir
		case known[name] || e.IsDir():
			return nil
		case !e.Type().IsRegular():
			// A link to a file is read as that file.
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
				return nil
			}
		}
		text, err := os.ReadFile(path)
		out = append(out, treeFile{name, text})
		return err
	})
	return out, err
}

// maxLines bounds what a table shows of one thing; -o json has all.
const maxLines = 20

// factorOutput is what -o json prints.
type factorOutput struct {
	Jobs   int             `json:"jobs"`
	Leaves int             `json:"leaves"`
	Before int             `json:"bytes_before"`
	After  int             `json:"bytes_after"`
	Lifted []factor.Lifted `json:"lifted"`
	Odd    []factor.Odd    `json:"odd"`
}

func (a *app) factorReport(f *factorFlags, dir string, r *factor.Result) error {
	if f.format != "table" {
		if err := a.writeData(f.format, factorOutput{r.Jobs, r.Leaves, r.Before, r.After, r.Lifted, r.Odd}); err != nil {
			return err
		}
	} else if err := a.factorTable(r); err != nil {
		return err
	}
	where, done := dir, "is factored"
	switch {
	case f.dryRun:
		done = "would be factored"
	case f.out != "":
		where = f.out
	}
	fmt.Fprintf(a.stderr, "%s %s: %s of YAML become %s (%.1f %%); all values of %s are as they were\n",
		where, done, size(r.Before), size(r.After), 100*float64(r.After)/float64(max(r.Before, 1)), plural(r.Jobs, "job"))
	return nil
}

func (a *app) factorTable(r *factor.Result) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	count := map[string]int{}
	var files []string
	for _, l := range r.Lifted {
		if count[l.File] == 0 {
			files = append(files, l.File)
		}
		count[l.File]++
	}
	fmt.Fprintln(w, "LAYER\tVALUES\tJOBS")
	for _, file := range files {
		jobs := 0
		for _, l := range r.Lifted {
			if l.File == file {
				jobs = l.Jobs
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%d\n", file, count[file], jobs)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Odd) > 0 {
		fmt.Fprintln(a.stdout, "\nThe odd ones out:")
	}
	for _, o := range r.Odd[:min(maxLines, len(r.Odd))] {
		fmt.Fprintf(a.stdout, "%s: %s %s; %s %s: %s\n", o.Path, says(o.Others), quote(o.Common), says(o.Count), quote(o.Value), strings.Join(o.Jobs, ", "))
	}
	if more := len(r.Odd) - maxLines; more > 0 {
		fmt.Fprintf(a.stdout, "and %d more (-o json has all)\n", more)
	}
	return nil
}

// says counts jobs that say something.
func says(n int) string {
	if n == 1 {
		return "1 job says"
	}
	return fmt.Sprintf("%d jobs say", n)
}

// quote is a value as a report shows it.
func quote(s string) string {
	if s == "" {
		return `""`
	}
	return cut(oneLine(s), 80)
}

func size(n int) string {
	if n < 10_000 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d kB", n/1000)
}
