package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// planMarks are the marks of what is to happen to a job or folder.
var planMarks = map[string]string{"create": "+", "change": "~", "drift": "!", "remove": "-", "blocked": "#", "retired": "x", "unmanaged": "*", "not seen": "?"}

// planLine is a line of the table.
type planLine struct{ mark, path, field, text string }

// folded is how many jobs have the same line before it is written but once.
const folded = 10

// writePlan writes a line for each job and folder, one for each field where
// there are fields, and the counts.
func writePlan(w io.Writer, r *planReport) error {
	var lines []planLine
	items := slices.Concat(r.Folders, r.Jobs)
	for i := range r.Folders {
		items[i].Path += "/"
	}
	slices.SortStableFunc(items, func(a, b planItem) int { return strings.Compare(a.Jenkins, b.Jenkins) })
	for _, i := range items {
		lines = append(lines, i.lines()...)
	}
	lines = fold(lines)
	paths, fields := 0, 0
	for _, l := range lines {
		paths, fields = max(paths, utf8.RuneCountInString(l.path)), max(fields, utf8.RuneCountInString(l.field))
	}
	var b strings.Builder
	for _, l := range lines {
		text := l.text
		if l.field != "" {
			text = fmt.Sprintf("%-*s  %s", fields, l.field, text)
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%s %-*s  %s", l.mark, paths, l.path, text), " ") + "\n")
	}
	fmt.Fprintf(&b, "Plan: %d to create, %d to change, %d drifted, %d to remove, %d as declared", r.Create, r.Change, r.Drift, r.Remove, r.Declared)
	c := r.FolderCounts
	for _, more := range []struct {
		n    int
		what string
	}{{r.Blocked, "%d blocked"}, {r.Retired, "%d retired"}, {r.Unmanaged, "%d unmanaged"}, {r.NotSeen, "%d not seen in full"},
		{c.Create, "folders: %d to create"}, {c.Change, "folders: %d to change"}, {c.Blocked, "folders: %d blocked"}, {c.NotSeen, "folders: %d not seen in full"}} {
		if more.n > 0 {
			fmt.Fprintf(&b, "; "+more.what, more.n)
		}
	}
	b.WriteString(".\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// lines are the lines of a job or folder.
func (i *planItem) lines() []planLine {
	var out []planLine
	path := oneLine(i.Path)
	for _, f := range i.Fields {
		out = append(out, planLine{planMarks[f.Action], path, f.Field, fieldText(f)})
	}
	for n, action := range i.Actions {
		last := n == len(i.Actions)-1 && i.Note != ""
		if len(i.Fields) == 0 || action == "not seen" || last {
			out = append(out, planLine{planMarks[action], path, "", i.Note})
		}
	}
	return out
}

// fold writes what many jobs have alike once, before the others: a change of
// a layer, and what a user may not see. What was done by hand, and what comes
// and goes, has a line each.
func fold(lines []planLine) []planLine {
	alike := map[planLine][]string{}
	key := func(l planLine) (planLine, bool) {
		if strings.HasSuffix(l.path, "/") {
			l.path = "folder"
		} else {
			l.path = "job"
		}
		return l, l.mark == planMarks["change"] || l.mark == planMarks["not seen"]
	}
	for _, l := range lines {
		if k, can := key(l); can {
			alike[k] = append(alike[k], l.path)
		}
	}
	var first, out []planLine
	for _, l := range lines {
		k, can := key(l)
		paths := alike[k]
		switch {
		case !can || len(paths) < folded:
			out = append(out, l)
		case paths[0] == l.path:
			l.text += fmt.Sprintf(" (%s and %d more)", l.path, len(paths)-1)
			l.path = plural(len(paths), k.path)
			first = append(first, l)
		}
	}
	return append(first, out...)
}

// fieldText says what differs. What the tree changes reads from Jenkins to the
// tree, and drift the other way round: as it came about.
func fieldText(f planField) string {
	was, is := f.Jenkins, f.Tree
	if f.Action == "drift" {
		was, is = is, was
	}
	text := ""
	switch {
	case f.list:
		text = itemsText(was, is)
	case f.Action == "drift" && f.Note == treeToo:
		// What it was before is not known: the digest has no values.
		is, _, line := differing(is, was)
		return "drift: changed by hand in Jenkins, " + line + "to " + fieldValue(is) + "; " + treeToo + ": " + fieldValue(was)
	default:
		a, b, line := differing(was, is)
		text = line + fieldValue(a) + " → " + fieldValue(b)
	}
	if f.Action == "drift" {
		text = "drift: changed by hand in Jenkins, " + text + "; will be put back"
	}
	if f.Note != "" {
		text += " (" + f.Note + ")"
	}
	return text
}

// itemsText says what a list has lost and gained.
func itemsText(was, is string) string {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	var out []string
	for _, item := range a {
		if item != "" && !slices.Contains(b, item) {
			out = append(out, "−"+fieldValue(item))
		}
	}
	for _, item := range b {
		if item != "" && !slices.Contains(a, item) {
			out = append(out, "+"+fieldValue(item))
		}
	}
	if len(out) == 0 {
		return "another order"
	}
	return strings.Join(out, " ")
}

// fieldValue is a value on one line.
func fieldValue(s string) string {
	if s == "" {
		return "(none)"
	}
	return oneLine(shorten(s))
}

// shorten cuts a long value; where values differ only behind that, JSON has
// all of them.
func shorten(s string) string {
	if r := []rune(s); len(r) > wide {
		return string(r[:wide-1]) + "…"
	}
	return s
}

// differing narrows two long texts down to the first line that differs, and
// says which that is.
func differing(a, b string) (string, string, string) {
	if len(a) <= wide && len(b) <= wide {
		return a, b, ""
	}
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	n := 0
	for n < len(as) && n < len(bs) && as[n] == bs[n] {
		n++
	}
	x, y := strings.Join(as[min(n, len(as)):min(n+1, len(as))], ""), strings.Join(bs[min(n, len(bs)):min(n+1, len(bs))], "")
	x, y = aroundChange(x, y)
	if len(as) == 1 && len(bs) == 1 {
		return x, y, ""
	}
	return x, y, fmt.Sprintf("line %d: ", n+1)
}

// aroundChange leaves out what two long lines begin with alike, but for the
// last words of it.
func aroundChange(a, b string) (string, string) {
	if len(a) <= wide && len(b) <= wide {
		return a, b
	}
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	at := same - wide/3
	for at > 0 && !utf8.RuneStart(a[at]) {
		at--
	}
	if at <= 0 {
		return a, b
	}
	return "…" + a[at:], "…" + b[at:]
}

// progressOn returns what shows how far the reading is: on a terminal a line
// that is written over, elsewhere nothing.
func (a *app) progressOn(w io.Writer, what string) func(done, of int) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int, int) {}
	}
	return func(done, of int) {
		switch {
		case done == of:
			fmt.Fprint(w, "\r\x1b[K")
		case done%50 == 0:
			fmt.Fprintf(w, "\r\x1b[K%d of %d %s", done, of, what)
		}
	}
}
