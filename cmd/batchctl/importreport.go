package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer"
)

// checkImportNames checks the names that the flags bring into the tree.
func checkImportNames(f *importFlags) error {
	if f.options.Timezone != "" {
		if err := batches.CheckValue(f.options.Timezone, "schedule", "timezone"); err != nil {
			return usagef("--timezone: %w", err)
		}
	}
	names := append(slices.Sorted(maps.Keys(f.options.Phases)), slices.Sorted(maps.Values(f.options.Phases))...)
	if f.options.Cluster != "" {
		names = append(names, f.options.Cluster)
	}
	for _, n := range names {
		// A pool has the same names as all other things in a tree.
		if err := batches.CheckValue(n, "node", "pool"); err != nil {
			return usagef("%w", err)
		}
	}
	if f.options.Repository != "" {
		if err := batches.CheckValue(f.options.Repository, "artifact", "url"); err != nil {
			return usagef("--repository: %w", err)
		}
	}
	return nil
}

// group is a line of the report: what several jobs have in common.
type group struct {
	what, first string
	order, jobs int
}

// importReport says what became of the jobs: for people once for all that
// have it in common, for machines job by job.
func (a *app) importReport(f *importFlags, r *importer.Result) error {
	if f.format != "table" {
		if err := a.writeData(f.format, r.Report); err != nil {
			return err
		}
	} else if err := a.importTable(r); err != nil {
		return err
	}
	left := 0
	for _, j := range r.Report {
		if j.Reason != "" {
			left++
		}
	}
	last := fmt.Sprintf("%s: %s of %s", f.out, counted(r.Batches, "batch", "batches"), plural(len(r.Report), "job"))
	if left > 0 {
		last += fmt.Sprintf("; no batch of %s: see %s/not-imported", plural(left, "job"), f.out)
	}
	fmt.Fprintf(a.stderr, "%s\nnext: batchctl -C %s validate; batchctl factor %s\n", last, f.out, f.out)
	return nil
}

func (a *app) importTable(r *importer.Result) error {
	groups := map[string]*group{}
	add := func(order int, what, job string) {
		g := groups[what]
		if g == nil {
			g = &group{what: what, first: job, order: order}
			groups[what] = g
		}
		g.jobs++
	}
	for _, j := range r.Report {
		if j.Reason != "" {
			add(0, "NO BATCH: "+general(j.Reason), j.Job)
		}
		seen := map[string]bool{}
		for _, f := range j.Findings {
			what := f.What
			if strings.HasPrefix(f.Rule, "jvm/") && f.Text != "" {
				what += "; " + f.Text
			}
			if !seen[what] {
				seen[what] = true
				add(order(f.Rule), what, j.Job)
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "JOBS\tFIRST\tWHAT")
	for _, g := range slices.SortedFunc(maps.Values(groups), func(a, b *group) int {
		return cmp.Or(a.order-b.order, b.jobs-a.jobs, strings.Compare(a.what, b.what))
	}) {
		fmt.Fprintf(w, "%d\t%s\t%s\n", g.jobs, oneLine(g.first), cut(oneLine(g.what), 160))
	}
	return w.Flush()
}

// particular is what a reason says of one job only, the line and the words that
// stand there, with what is said in its place.
var particular = []struct {
	is *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`^line \d+ of the (script|pipeline): `), ""},
	{regexp.MustCompile(`holds .*, which is worked out`), "holds a value that is worked out"},
	{regexp.MustCompile(`(no shell can read it).*`), "$1"},
	{regexp.MustCompile(`^\S+ (is made in the job's workspace)`), "its jar $1"},
	{regexp.MustCompile(` \(.*\)`), ""},
}

// general is a reason as many jobs have it; -o json has the words of each.
func general(reason string) string {
	reason = oneLine(reason)
	for _, p := range particular {
		reason = p.is.ReplaceAllString(reason, p.by)
	}
	return reason
}

// order puts what needs a person first.
func order(rule string) int {
	switch {
	case strings.HasPrefix(rule, "jvm/"), rule == "secret":
		return 1
	case strings.HasPrefix(rule, "jvm-warning/"):
		return 3
	case rule == "comment", rule == "no-timeout":
		return 4
	}
	return 2
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
