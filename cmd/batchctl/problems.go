package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// printProblems writes problems to stderr, in the form that editors and CI
// read: file:line:col: path: message, with the way out on a line below.
func (a *app) printProblems(ps []batches.Problem) {
	w := bufio.NewWriter(a.stderr)
	defer w.Flush()
	for _, p := range ps {
		fmt.Fprintf(w, "%s: ", a.paint("1", p.Place.String()))
		if p.Severity == batches.Warning {
			fmt.Fprintf(w, "%s: ", a.paint("33", "warning"))
		}
		fmt.Fprintln(w, cut(oneLine(p.Text()), 1000))
		var notes []string
		if p.Hint != "" {
			notes = append(notes, a.paint("32", cut(oneLine(p.Hint), 1000)))
		}
		if t := touches(p); t != "" {
			notes = append(notes, t)
		}
		if len(notes) > 0 {
			fmt.Fprintf(w, "    %s\n", strings.Join(notes, "    "))
		}
	}
}

// touches says how many jobs inherit a problem, unless it is plain from the
// place that it is about one alone.
func touches(p batches.Problem) string {
	switch n := len(p.Jobs); n {
	case 0:
		return ""
	case 1:
		return "touches " + p.Jobs[0]
	default:
		return fmt.Sprintf("touches %d jobs, %s first", n, p.Jobs[0])
	}
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// oneLine keeps text from a tree from breaking, or colouring, the report.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return '?'
		}
		return r
	}, s)
}

// summary is the last line of a report.
func (a *app) summary(r *batches.Result) string {
	errors := batches.Errors(r.Problems)
	warnings := len(r.Problems) - errors
	files := map[string]bool{}
	for _, p := range r.Problems {
		files[p.Place.File] = true
	}
	size := plural(r.Leaves, "document") + ", " + plural(r.Placed["Batch"], "job")
	if n := r.Placed["Config"]; n > 0 {
		size += ", " + plural(n, "configuration")
	}
	switch {
	case errors > 0 && warnings > 0:
		return fmt.Sprintf("%s and %s in %s; %s", plural(errors, "error"), plural(warnings, "warning"), plural(len(files), "file"), size)
	case errors > 0:
		return fmt.Sprintf("%s in %s; %s", plural(errors, "error"), plural(len(files), "file"), size)
	case warnings > 0:
		return fmt.Sprintf("valid, with %s in %s; %s", plural(warnings, "warning"), plural(len(files), "file"), size)
	}
	return "valid: " + size
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
