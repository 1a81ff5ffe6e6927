package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/migrate"
	"github.com/batchctl/batchctl/internal/journal"
)

// migration is what the verbs below migrate share.
type migration struct {
	selectGlobs     []string
	percent         int
	dryRun, partial bool
	commitPer       string
	branch          string
	format          string
}

func (a *app) migrateCommand() *cobra.Command {
	m := &migration{}
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Change many jobs at once, where their values come from",
		Long: `Migrate finds where each selected job's value comes from and edits it there,
once, when all the jobs that inherit it are selected. Otherwise it puts the
smallest override that reaches just the selected ones: in the batch itself, or
under overrides in the file that the value comes from. It says which it chose,
and why. Comments, order, quotes and line ends of the files stay.

Before anything is written the tree is resolved again in memory: every selected
job must come out as intended, every other one as it was, and no new error may
come up. Else nothing is written. All files are written as one.

What only a person can decide is listed by job with the reason. Then the exit
code is 3 and nothing is written; with --partial the jobs without such a
question are changed, and the exit code is still 3.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	f.StringSliceVar(&m.selectGlobs, "select", nil, `only jobs whose path matches, such as "live-*/settlement/**"; "!GLOB" takes away`)
	f.IntVar(&m.percent, "percent", 100, "only this share of them, 1 to 100: always the same jobs, by a hash of their paths")
	f.BoolVar(&m.dryRun, "dry-run", false, "show what would change, and write nothing")
	f.BoolVar(&m.partial, "partial", false, "leave out jobs with something undecided, and change the others")
	f.StringVar(&m.commitPer, "commit-per", "", `"group": instead of the files, write one git branch with one commit per app group`)
	f.StringVar(&m.branch, "branch", "", "begins the branches' names (default: migrate/WHAT)")
	f.StringVarP(&m.format, "output", "o", "table", "table, json, yaml, markdown")
	cmd.AddCommand(a.migrateJVMCommand(m), a.migrateSetCommand(m), a.migrateUnsetCommand(m),
		a.migrateAddCommand(m), a.migrateRemoveCommand(m), a.migrateRenameCommand(m), a.migrateReplaceCommand(m), a.migrateApplyCommand(m))
	return cmd
}

func (m *migration) check() error {
	if err := checkGlobs("--select", m.selectGlobs); err != nil {
		return err
	}
	switch {
	case m.percent < 1 || m.percent > 100:
		return usagef("--percent %d: it goes from 1 to 100", m.percent)
	case m.commitPer != "" && m.commitPer != "group":
		return usagef("--commit-per %s: it takes group", m.commitPer)
	case !slices.Contains([]string{"table", "json", "yaml", "markdown"}, m.format):
		return usagef("-o %s: it takes table, json, yaml, markdown", m.format)
	}
	return nil
}

func checkGlobs(flag string, globs []string) error {
	for _, g := range globs {
		if !doublestar.ValidatePattern(strings.TrimPrefix(g, "!")) {
			return usagef("%s %s: is no name and no glob", flag, g)
		}
	}
	return nil
}

// selection is what the flags select.
func (m *migration) selection() migrate.Selection {
	return migrate.Selection{Select: m.selectGlobs, Percent: m.percent}
}

// migrate makes steps, shows what comes of them, and writes it.
func (a *app) migrate(ctx context.Context, m *migration, steps ...migrate.Step) error {
	if err := m.check(); err != nil {
		return err
	}
	keepsAll()
	dir, err := a.treeDir()
	if err != nil {
		return err
	}
	if m.commitPer != "" {
		return a.migrateGroups(ctx, dir, m, steps)
	}
	result, err := migrate.Run(batches.Dir(dir), steps)
	if err != nil {
		return err
	}
	if err := a.writeMigration(m, result); err != nil {
		return err
	}
	a.printUndecided(result)
	return a.finishMigration(dir, m, result)
}

// finishMigration writes the files, or says why it does not.
func (a *app) finishMigration(dir string, m *migration, r *migrate.Result) error {
	stopped := len(r.Undecided) > 0 && !m.partial
	switch {
	case stopped:
		fmt.Fprintf(a.stderr, "nothing written: %s to decide; --partial changes the other jobs, --select '!GLOB' leaves these out\n", plural(len(r.UndecidedJobs()), "job"))
	case m.dryRun:
		fmt.Fprintf(a.stderr, "nothing written (--dry-run): %s would change\n", plural(len(r.Files), "file"))
	case len(r.Files) == 0:
		fmt.Fprintln(a.stderr, "nothing to change")
	default:
		if err := writeTree(dir, r.Files, r.Read); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "%s written; git diff shows the text, git checkout takes it back\n", plural(len(r.Files), "file"))
	}
	if len(r.Undecided) > 0 {
		return &exitCode{code: exitUndecided}
	}
	return nil
}

// writeTree writes files of a tree, all or none; nil removes one. read is what
// they held when they were read: one that somebody has changed since is an error.
func writeTree(dir string, files, read map[string][]byte) error {
	var changes []journal.Change
	for _, name := range slices.Sorted(maps.Keys(files)) {
		changes = append(changes, journal.Change{Name: name, Old: read[name], New: files[name], Remove: files[name] == nil})
	}
	return journal.Write(filepath.Clean(dir), changes)
}

// writeMigration shows where edits are made, and what changes for the jobs.
func (a *app) writeMigration(m *migration, r *migrate.Result) error {
	switch m.format {
	case "json", "yaml":
		return a.writeData(m.format, migrationOf(r))
	case "markdown":
		return writeMarkdown(a.stdout, r.Comparison, "the tree before")
	}
	if len(r.Choices) > 0 {
		if err := writeChoices(a.stdout, r.Choices); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout)
	}
	return writeChanges(a.stdout, r.Comparison)
}

// writeChoices lists the edits with their reasons; the same edit in many files is
// one line.
func writeChoices(out io.Writer, choices []migrate.Choice) error {
	const few = 3
	same := map[string][]migrate.Choice{}
	for _, c := range choices {
		if c.InPlace {
			same[c.What] = append(same[c.What], c)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range choices {
		where, why := c.Place.File, c.Why
		if c.InPlace {
			where = fmt.Sprintf("%s:%d", c.Place.File, c.Place.Line)
		}
		if all := same[c.What]; c.InPlace && len(all) > few {
			if all[0].Place != c.Place {
				continue
			}
			n := 0
			for _, other := range all {
				n += other.Jobs
			}
			where += fmt.Sprintf(" and %d more", len(all)-1)
			why = fmt.Sprintf("all %d jobs that inherit them are selected", n)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", where, cut(oneLine(c.What), 110), oneLine(why))
	}
	return w.Flush()
}

// migrationData is a migration as JSON.
type migrationData struct {
	comparisonData
	Edits     []editData     `json:"edits"`
	Undecided []decisionData `json:"undecided"`
	Notes     []decisionData `json:"notes"`
}

type editData struct {
	Place batches.Place `json:"place"`
	What  string        `json:"what"`
	Why   string        `json:"why"`
	Jobs  int           `json:"jobs"`
}

type decisionData struct {
	Job   string        `json:"job"`
	Place batches.Place `json:"place"`
	What  string        `json:"what"`
	Why   string        `json:"why"`
}

func migrationOf(r *migrate.Result) migrationData {
	data := migrationData{comparisonData: dataOf(r.Comparison, "the tree before"), Edits: []editData{}}
	for _, c := range r.Choices {
		data.Edits = append(data.Edits, editData{c.Place, c.What, c.Why, c.Jobs})
	}
	decisions := func(list []migrate.Undecided) []decisionData {
		out := []decisionData{}
		for _, u := range list {
			out = append(out, decisionData(u))
		}
		return out
	}
	data.Undecided, data.Notes = decisions(r.Undecided), decisions(r.Notes)
	return data
}

// printUndecided lists what is left to a person, each question once with the
// jobs that have it.
func (a *app) printUndecided(r *migrate.Result) {
	for _, list := range []struct {
		of   []migrate.Undecided
		mark string
	}{{r.Notes, "note: "}, {r.Undecided, ""}} {
		var order []migrate.Undecided
		jobs := map[migrate.Undecided][]string{}
		for _, u := range list.of {
			key := u
			key.Job = ""
			if jobs[key] == nil {
				order = append(order, key)
			}
			jobs[key] = append(jobs[key], u.Job)
		}
		for _, u := range order {
			fmt.Fprintf(a.stderr, "%s: %s%s: %s\n    %s\n", a.paint("1", u.Place.String()), list.mark, oneLine(u.What), oneLine(u.Why), firstOf(jobs[u], 5))
		}
	}
}
