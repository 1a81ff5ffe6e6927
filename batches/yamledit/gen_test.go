package yamledit

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// writer writes random YAML in the many ways that people do.
type writer struct {
	t   *rapid.T
	eol string
	b   strings.Builder
	n   int // keys so far, so that no two are equal
}

var scalars = []string{
	"plain", "21", "1.5", "true", "null", "~", "two words", "-XX:+UseG1GC", "a:b", "http://x/y?z=1", `"{{HEAP}}"`, `"a \"quoted\" # one"`,
	"'it''s'", "'# no comment'", `"line\nbreak"`, "2024-01-01", "0.10", "'yes'", `""`, "''", "한글", `"tab\there"`, "a,b",
}

var flowScalars = []string{"plain", "21", "true", "null", `"a, b"`, "'[x]'", "two words", `"}"`, "-Xmx4g", "한글", `""`}

func document(t *rapid.T) string {
	w := &writer{t: t, eol: rapid.SampledFrom([]string{"\n", "\n", "\r\n"}).Draw(t, "eol")}
	if w.chance(3) {
		w.b.WriteString("# top of the file" + w.eol)
	}
	if w.chance(6) {
		w.b.WriteString("---" + w.eol)
	}
	w.mapping(0, 0)
	text := w.b.String()
	if w.chance(4) {
		text += "# the end" + w.eol
	}
	if w.chance(4) {
		text = strings.TrimSuffix(text, w.eol)
	}
	return text
}

func (w *writer) chance(n int) bool { return rapid.IntRange(1, n).Draw(w.t, "chance") == 1 }

func (w *writer) pick(from []string) string { return rapid.SampledFrom(from).Draw(w.t, "text") }

func (w *writer) pad(indent int) { w.b.WriteString(strings.Repeat(" ", indent)) }

// between writes what may stand between two entries.
func (w *writer) between(indent int) {
	if w.chance(5) {
		w.b.WriteString(w.eol)
	}
	if w.chance(4) {
		w.pad(indent)
		w.b.WriteString("# a comment\twith a tab: {x}" + w.eol)
	}
}

func (w *writer) lineEnd() {
	if w.chance(4) {
		w.b.WriteString("  # aside")
	}
	w.b.WriteString(w.eol)
}

func (w *writer) key() string {
	w.n++
	return fmt.Sprintf(rapid.SampledFrom([]string{"k%d", "k%d", "\"q %d\"", "'k%d'", "k%d+", "키%d"}).Draw(w.t, "key"), w.n)
}

func (w *writer) mapping(indent, depth int) {
	for i := range rapid.IntRange(1, 4).Draw(w.t, "members") {
		if i > 0 || depth > 0 {
			w.between(indent)
		}
		w.pad(indent)
		w.b.WriteString(w.key() + ":")
		w.value(indent, depth, true)
	}
}

func (w *writer) sequence(indent, depth int) {
	for range rapid.IntRange(1, 4).Draw(w.t, "items") {
		w.between(indent)
		w.pad(indent)
		w.b.WriteString("-")
		if depth < 3 && w.chance(4) { // a map behind the dash
			w.b.WriteString(" " + w.key() + ":")
			w.value(indent+2, depth+1, true)
			if w.chance(2) {
				w.mapping(indent+2, depth+1)
			}
			continue
		}
		w.value(indent, depth, false)
	}
}

// value writes what stands behind a colon or a dash, with its line end.
func (w *writer) value(indent, depth int, key bool) {
	step := rapid.SampledFrom([]int{2, 2, 4}).Draw(w.t, "step")
	switch k := rapid.IntRange(0, 11).Draw(w.t, "kind"); {
	case k <= 1 && depth < 3 && key:
		w.lineEnd()
		w.mapping(indent+step, depth+1)
	case k <= 3 && depth < 3 && key:
		w.lineEnd()
		w.sequence(indent+rapid.SampledFrom([]int{0, 2}).Draw(w.t, "dash"), depth+1)
	case k == 4:
		w.b.WriteString(" |" + rapid.SampledFrom([]string{"", "-", "+"}).Draw(w.t, "chomp") + w.eol)
		for i := range rapid.IntRange(1, 3).Draw(w.t, "lines") {
			w.pad(indent + step)
			w.b.WriteString(fmt.Sprintf("text %d # of the text%s", i, w.eol))
		}
	case k == 5:
		w.b.WriteString(" folded over" + w.eol)
		w.pad(indent + step)
		w.b.WriteString("two lines")
		w.lineEnd()
	case k == 6 && key:
		w.lineEnd() // an empty value
	case k <= 8:
		w.b.WriteString(" ")
		w.flow(indent, depth)
		w.lineEnd()
	case k == 9:
		w.n++
		w.b.WriteString(fmt.Sprintf(" &a%d %s", w.n, w.pick(scalars[:3])))
		w.lineEnd()
	default:
		w.b.WriteString(" " + w.pick(scalars))
		w.lineEnd()
	}
}

// flow writes a value in flow style; its lines, where it has several, are
// indented.
func (w *writer) flow(indent, depth int) {
	kind := rapid.IntRange(0, 3).Draw(w.t, "flow")
	if depth > 3 || kind == 0 {
		w.b.WriteString(w.pick(flowScalars))
		return
	}
	n := rapid.IntRange(0, 3).Draw(w.t, "n")
	open, end := "[", "]"
	if kind == 1 {
		open, end = "{", "}"
	}
	w.b.WriteString(open)
	lines := w.chance(4)
	for i := range n {
		if lines {
			w.lineEnd()
			w.between(indent + 4)
			w.pad(indent + 4)
		}
		if kind == 1 {
			w.b.WriteString(w.key() + ": ")
		}
		w.flow(indent+4, depth+1)
		if i < n-1 || w.chance(5) {
			w.b.WriteString(",")
			if !lines {
				w.b.WriteString(rapid.SampledFrom([]string{" ", "", "  "}).Draw(w.t, "gap"))
			}
		}
	}
	if lines && n > 0 {
		w.lineEnd()
		w.pad(indent + 4)
	}
	w.b.WriteString(end)
}

// places lists the paths of all values of a document.
func places(n *yaml.Node, p Path) []Path {
	var out []Path
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			out = append(append(out, p.Item(i)), places(c, p.Item(i))...)
		case i%2 == 1:
			q := p.Key(n.Content[i-1].Value)
			out = append(append(out, q), places(c, q)...)
		}
	}
	return out
}

// someValue is a value to write.
func someValue(t *rapid.T, depth int) Value {
	switch k := rapid.IntRange(0, 9).Draw(t, "value"); {
	case k == 0:
		return rapid.Int().Draw(t, "int")
	case k == 1:
		return rapid.Bool().Draw(t, "bool")
	case k == 2:
		return nil
	case k == 3:
		return Number("0.50")
	case k == 4 && depth < 2:
		return Flow{someCollection(t, depth)}
	case k <= 6 && depth < 2:
		return someCollection(t, depth)
	case k == 7:
		return rapid.SampledFrom([]string{"yes", "012", "1e3", "0x1f", "1:30", "~", "a: b", "# x", "- x", "{{X}}", "*a", "&a", "=", "<<", "No", "2001-01-01", "a\nb", "'", `"`, `\`, "\u0085", "\ufeff", "!x", "|", "x ", " x", "a #b"}).Draw(t, "hard")
	}
	return rapid.String().Draw(t, "string")
}

func someCollection(t *rapid.T, depth int) Value {
	n := rapid.IntRange(0, 3).Draw(t, "size")
	if rapid.Bool().Draw(t, "map") {
		m := Map{}
		for i := range n {
			m = append(m, Pair{fmt.Sprintf("new%d", i), someValue(t, depth+1)})
		}
		return m
	}
	l := List{}
	for range n {
		l = append(l, someValue(t, depth+1))
	}
	return l
}
