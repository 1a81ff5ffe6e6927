package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/batchctl/batchctl/batches"
)

// writeComparison writes what changes for the jobs. base names the old tree.
func (a *app) writeComparison(c *batches.Comparison, format, base string) error {
	switch format {
	case "json", "yaml":
		return a.writeData(format, dataOf(c, base))
	case "markdown":
		return writeMarkdown(a.stdout, c, base)
	}
	return writeChanges(a.stdout, c)
}

// row is a line of the table of changes.
type row struct {
	count, field, change, where string
	items                       []string // of a list, where they are too long for one line
}

// wide is how much of a change stands on the line of its field.
const wide = 60

// writeChanges writes the table: what most jobs have first, then the jobs that
// came and went, then the counts.
func writeChanges(w io.Writer, c *batches.Comparison) error {
	var rows []row
	for _, g := range c.Grouped() {
		r := row{plural(len(g.Jobs), "job"), g.Path, changeText(g), whereText(g), nil}
		if items := itemTexts(g); len(items) > 0 && utf8.RuneCountInString(r.change) > wide {
			r.change, r.items = plural(len(items), "item"), items
		}
		rows = append(rows, r)
	}
	rows = append(rows, leafRows("+", "new", c.New)...)
	rows = append(rows, leafRows("−", "removed", c.Gone)...)
	for _, s := range c.Skipped {
		rows = append(rows, row{count: "?    ", field: s.Job + " cannot be compared: " + oneLine(s.Why)})
	}
	var b strings.Builder
	widths := [3]int{}
	for _, r := range rows {
		if r.change == "" {
			continue
		}
		for i, cell := range []string{r.count, r.field, r.change} {
			widths[i] = max(widths[i], min(utf8.RuneCountInString(cell), wide))
		}
	}
	for _, r := range rows {
		line := fmt.Sprintf("%*s  %-*s  %-*s  %s", max(widths[0], 5), padCount(r.count), widths[1], r.field, widths[2], r.change, r.where)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		for _, item := range r.items {
			fmt.Fprintf(&b, "%*s    %s\n", max(widths[0], 5), "", item)
		}
	}
	b.WriteString(totals(c) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// leafRows has a row for each batch that came or went, with its clusters.
func leafRows(mark, what string, jobs []string) []row {
	clusters := map[string][]string{}
	var leaves []string
	for _, job := range jobs {
		cluster, leaf, _ := strings.Cut(job, "/")
		if clusters[leaf] == nil {
			leaves = append(leaves, leaf)
		}
		clusters[leaf] = append(clusters[leaf], cluster)
	}
	slices.Sort(leaves)
	var rows []row
	for _, leaf := range leaves {
		text := mark + " " + clusters[leaf][0] + "/" + leaf + " (" + what + ")"
		if n := len(clusters[leaf]); n > 1 {
			text = fmt.Sprintf("%s %s (%s) on %s", mark, leaf, what, strings.Join(clusters[leaf], ", "))
		}
		rows = append(rows, row{count: plural(len(clusters[leaf]), "job"), field: text})
	}
	return rows
}

// padCount keeps "1 job" in line with "12 jobs".
func padCount(count string) string {
	if count == "1 job" {
		return "1 job "
	}
	return count
}

// totals is the last line.
func totals(c *batches.Comparison) string {
	words := []string{plural(len(c.Jobs), "job") + " changed"}
	words = append(words, fmt.Sprintf("%d new, %d removed, %d unchanged", len(c.New), len(c.Gone), c.Unchanged))
	if n := len(c.Skipped); n > 0 {
		words = append(words, plural(n, "document")+" not compared")
	}
	return strings.Join(words, "; ")
}

// changeText is a change on one line: old → new, or the items of a list that
// went and came.
func changeText(g batches.ChangeGroup) string {
	words := itemTexts(g)
	switch {
	case len(words) > 0:
	case g.Added:
		words = []string{"(not set) → " + oneLine(g.New)}
	case g.Removed:
		words = []string{oneLine(g.Old) + " → (not set)"}
	case g.Old == g.New:
		words = []string{oneLine(g.New)}
	default:
		words = []string{oneLine(g.Old) + " → " + oneLine(g.New)}
	}
	text := strings.Join(words, "  ")
	for _, u := range g.Uses {
		text += fmt.Sprintf("  (%s %s → %s)", u.Name, oneLine(u.Old), oneLine(u.New))
	}
	return text
}

// itemTexts are the items of a list that went and came.
func itemTexts(g batches.ChangeGroup) []string {
	var out []string
	for _, item := range g.Gone {
		out = append(out, "−"+oneLine(item))
	}
	for _, item := range g.Came {
		out = append(out, "+"+oneLine(item))
	}
	return out
}

// whereText says where a change was made, and for which job where it is one.
func whereText(g batches.ChangeGroup) string {
	var words []string
	if len(g.Places) > 0 {
		words = append(words, fmt.Sprintf("%s:%d", g.Places[0].File, g.Places[0].Line))
	}
	if n := len(g.Places) - 1; n > 0 {
		words = append(words, "and "+plural(n, "more place"))
	}
	if len(g.Jobs) == 1 {
		words = append(words, g.Jobs[0])
	}
	return strings.Join(words, "  ")
}

// writeMarkdown writes the same for a pull request's comment.
func writeMarkdown(w io.Writer, c *batches.Comparison, base string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**What changes for the jobs** (against `%s`): %s\n", base, totals(c))
	if groups := c.Grouped(); len(groups) > 0 {
		b.WriteString("\n| jobs | field | change | from |\n| ---: | --- | --- | --- |\n")
		for _, g := range groups {
			fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", len(g.Jobs), g.Path, code(changeText(g)), code(whereText(g)))
		}
		b.WriteString("\n<details><summary>Jobs of each change</summary>\n\n")
		for _, g := range groups {
			fmt.Fprintf(&b, "- `%s` %s: %s\n", g.Path, code(changeText(g)), code(firstOf(g.Jobs, 30)))
		}
		b.WriteString("\n</details>\n")
	}
	for _, part := range []struct {
		what string
		jobs []string
	}{{"New", c.New}, {"Removed", c.Gone}} {
		if len(part.jobs) > 0 {
			fmt.Fprintf(&b, "\n%s: %s\n", part.what, code(firstOf(part.jobs, 30)))
		}
	}
	for _, s := range c.Skipped {
		fmt.Fprintf(&b, "\nNot compared: %s: %s\n", code(s.Job), code(s.Why))
	}
	for _, p := range c.Faults {
		fmt.Fprintf(&b, "\nError, so what this file says may be missing above: %s\n", code(p.String()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// firstOf lists so many, and says how many more there are.
func firstOf(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

// code is text from a tree inside a Markdown table: nothing in it is Markdown.
func code(s string) string {
	s = oneLine(s)
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	s = strings.ReplaceAll(s, "|", `\|`)
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + s + fence
}

// comparisonData is a comparison as JSON.
type comparisonData struct {
	Base      string        `json:"base"`
	Changes   []changeData  `json:"changes"`
	New       []string      `json:"new"`
	Removed   []string      `json:"removed"`
	Unchanged int           `json:"unchanged"`
	Skipped   []skippedData `json:"not_compared"`
	Errors    []string      `json:"errors"` // in the layers; what these files say may be missing
}

type changeData struct {
	Path    string          `json:"path"`
	Old     *string         `json:"old"` // null: not set
	New     *string         `json:"new"`
	Gone    []string        `json:"removed_items,omitempty"`
	Came    []string        `json:"added_items,omitempty"`
	Uses    []useData       `json:"variables,omitempty"`
	Places  []batches.Place `json:"places"`
	Jobs    []string        `json:"jobs"`
	Summary string          `json:"summary"`
}

type useData struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

type skippedData struct {
	Job string `json:"job"`
	Why string `json:"why"`
}

func dataOf(c *batches.Comparison, base string) comparisonData {
	out := comparisonData{Base: base, Changes: []changeData{}, New: some(c.New), Removed: some(c.Gone), Unchanged: c.Unchanged, Skipped: []skippedData{}, Errors: []string{}}
	for _, g := range c.Grouped() {
		d := changeData{Path: g.Path, Gone: g.Gone, Came: g.Came, Places: some(g.Places), Jobs: g.Jobs, Summary: changeText(g)}
		if !g.Added {
			d.Old = &g.Old
		}
		if !g.Removed {
			d.New = &g.New
		}
		for _, u := range g.Uses {
			d.Uses = append(d.Uses, useData{u.Name, u.Old, u.New})
		}
		out.Changes = append(out.Changes, d)
	}
	for _, s := range c.Skipped {
		out.Skipped = append(out.Skipped, skippedData{s.Job, s.Why})
	}
	for _, p := range c.Faults {
		out.Errors = append(out.Errors, p.String())
	}
	return out
}

// some is a list that JSON shows as [] where it is empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
