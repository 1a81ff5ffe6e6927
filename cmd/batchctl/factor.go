package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/factor"
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
	outputFlag(cmd, &f.format, "table", "json")
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
	if err := a.finishPending(dir); err != nil {
		return err
	}
	if f.out != "" {
		if err := emptyDir(f.out); err != nil {
			return err
		}
	}
	keepsAll()
	result, err := factor.Factor(batches.Dir(dir))
	if err != nil {
		return err
	}
	files := make([]treeFile, len(result.Files))
	for i, file := range result.Files {
		files[i] = treeFile(file)
	}
	switch check := sameValues(dir); {
	case f.dryRun:
		err = tryFactored(dir, files, check)
	case f.out != "":
		var others []treeFile
		if others, err = otherFiles(dir, files); err == nil {
			err = writeNewDir(f.out, append(others, files...), check)
		}
	default:
		err = changeTree(dir, files, func() error { return tryFactored(dir, files, check) })
	}
	if err != nil {
		return err
	}
	return a.factorReport(f, dir, result)
}

// sameValues returns a check that a directory holds a tree with the same
// effective values as another one.
func sameValues(dir string) func(string) error {
	return func(fresh string) error {
		old, _ := batches.Load(batches.Dir(dir)).Effective()
		// What is made of the values must be the same as well, as far as it
		// can be made: a value that is right in itself may be wrong where it
		// stands now.
		was, is := batches.Load(batches.Dir(dir)).Resolve().Jobs(), batches.Load(batches.Dir(fresh)).Resolve().Jobs()
		now, faults := batches.Load(batches.Dir(fresh)).Effective()
		if len(faults) > 0 {
			return fmt.Errorf("the factored tree would not be one: %s: %s; nothing was written: this is a fault of batchctl", faults[0].Place, faults[0].Message)
		}
		if err := factor.Same(old, now); err != nil {
			return fmt.Errorf("the factored tree would say something else: %w; nothing was written: this is a fault of batchctl", err)
		}
		if !reflect.DeepEqual(was, is) {
			return fmt.Errorf("the factored tree would have %d sound jobs that are not the %d of now; nothing was written: this is a fault of batchctl", len(is), len(was))
		}
		return nil
	}
}

// tryFactored checks the new tree in a temporary directory.
func tryFactored(dir string, files []treeFile, check func(string) error) error {
	temp, err := os.MkdirTemp("", "batchctl-factor-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	others, err := otherFiles(dir, files)
	if err != nil {
		return err
	}
	if err := writeFiles(temp, append(others, files...)); err != nil {
		return err
	}
	return check(temp)
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
		case e.IsDir() && (e.Name() == ".git" || name == pendingDir || strings.HasPrefix(e.Name(), temporary)):
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
	if f.format == "json" {
		if err := a.writeData("json", factorOutput{r.Jobs, r.Leaves, r.Before, r.After, r.Lifted, r.Odd}); err != nil {
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
