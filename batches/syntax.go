package batches

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// syntaxProblem adds the parser's complaint. The parser names only a line,
// and often the one where the surrounding block began, so the place is looked
// for here.
func syntaxProblem(f *File, data []byte, message string, ps *problems) {
	message = strings.TrimPrefix(message, "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, text, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, message = n, text
		}
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	line = min(max(line, 1), len(lines))
	p := Problem{Rule: "yaml-syntax", Message: "this is not YAML: " + message}
	if n, col := tabIndent(lines, line); n > 0 {
		p.Place = Place{f.Path, n, col}
		p.Rule, p.Message, p.Hint = "tab-indentation", "a tab in the indentation; YAML takes spaces only", "indent with two spaces a level"
		ps.add(p)
		return
	}
	line = failingLine(lines, line, message)
	row := lines[line-1]
	p.Place = Place{f.Path, line, 1 + utf8.RuneCount(row) - utf8.RuneCount(bytes.TrimLeft(row, " "))}
	if strings.Contains(message, "did not find expected") || strings.Contains(message, "mapping values are not allowed") {
		p.Hint = "look at the indentation, and at a value with a colon or a quote in it: it wants quotes around it"
	}
	switch {
	case strings.Contains(message, "incompatible YAML document"):
		p.Message, p.Hint = "a %YAML line with another version than 1.1", "delete the line; what batchctl reads is the same in both"
	case strings.Contains(message, "alphabetic or numeric character"):
		p.Hint = "a value that begins with * or & needs quotes around it"
	case strings.Contains(message, "cannot start any token"):
		p.Hint = "a value that begins with @, % or a backquote needs quotes around it"
	case strings.Contains(message, "end of stream"):
		p.Hint = "a quote or a bracket that is opened here is not closed"
	}
	ps.add(p)
}

// tabIndent finds the first line from the given one on that is indented with
// a tab.
func tabIndent(lines [][]byte, from int) (line, col int) {
	for i := from - 1; i < len(lines); i++ {
		indent := lines[i][:len(lines[i])-len(bytes.TrimLeft(lines[i], " \t"))]
		if tab := bytes.IndexByte(indent, '\t'); tab >= 0 && len(bytes.TrimSpace(lines[i])) > 0 {
			return i + 1, tab + 1
		}
	}
	return 0, 0
}

// failingLine returns the first line from the given one on with which the
// file fails as it does: the text up to there, without what follows, has the
// same fault.
func failingLine(lines [][]byte, from int, message string) int {
	const most = 200 // lines tried; each try parses the file's beginning anew
	size := 0
	for _, l := range lines[:from-1] {
		size += len(l)
	}
	for n := from; n <= len(lines) && n < from+most; n++ {
		size += len(lines[n-1])
		if size > 64<<10 {
			break
		}
		if _, err := unmarshal(bytes.Join(lines[:n], nil)); err != nil && strings.HasSuffix(err.Error(), message) {
			return n
		}
	}
	return from
}
