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

// planMarks are the marks of what is to happen to a job.
var planMarks = map[string]string{"create": "+", "change": "~", "drift": "!", "remove": "-", "retired": "x", "unmanaged": "*", "not seen": "?"}

// writePlan writes a line for each job, one for each field where there are
// fields, and the counts.
func writePlan(w io.Writer, r *planReport) error {
	paths, names := 0, 0
	for _, j := range r.Jobs {
		paths = max(paths, utf8.RuneCountInString(j.Path))
		for _, f := range j.Fields {
			names = max(names, len(f.Field))
		}
	}
	var b strings.Builder
	line := func(mark, path, text string) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%s %-*s  %s", mark, paths, oneLine(path), text), " ") + "\n")
	}
	for _, j := range r.Jobs {
		for _, f := range j.Fields {
			line(planMarks[f.Action], j.Path, fmt.Sprintf("%-*s  %s", names, f.Field, fieldText(f)))
		}
		for _, action := range j.Actions {
			if len(j.Fields) == 0 || action == "not seen" {
				line(planMarks[action], j.Path, j.Note)
			}
		}
		if last := j.Actions[len(j.Actions)-1]; len(j.Fields) > 0 && last != "not seen" && j.Note != "" {
			line(planMarks[last], j.Path, j.Note)
		}
	}
	fmt.Fprintf(&b, "Plan: %d to create, %d to change, %d drifted, %d to remove, %d as declared", r.Create, r.Change, r.Drift, r.Remove, r.Declared)
	for _, more := range []struct {
		n    int
		what string
	}{{r.Retired, "retired"}, {r.Unmanaged, "unmanaged"}, {r.NotSeen, "not seen in full"}} {
		if more.n > 0 {
			fmt.Fprintf(&b, "; %d %s", more.n, more.what)
		}
	}
	b.WriteString(".\n")
	_, err := io.WriteString(w, b.String())
	return err
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
func (a *app) progressOn(w io.Writer) func(done, of int) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int, int) {}
	}
	return func(done, of int) {
		switch {
		case done == of:
			fmt.Fprint(w, "\r\x1b[K")
		case done%50 == 0:
			fmt.Fprintf(w, "\r\x1b[Kconfig.xml of %d of %d jobs read", done, of)
		}
	}
}
