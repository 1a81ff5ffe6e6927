package dsl

import "strings"

// A table says how each character of a text is written in one context, such
// as inside a shell's double quotes inside a Pipeline literal inside a Job
// DSL literal. Contexts nest, so tables are composed: what one context makes
// of a character goes through the table of the next. That happens once, when
// the program starts; a text then goes through one table in one pass.
type table struct {
	ascii [128]string // what stands for the character; "" = it is refused
	plain [256]bool   // the character stands for itself
	unit  string      // what stands before uXXXX, for a UTF-16 unit of other characters
	next  string      // ends the literal at hand and begins the next; the text goes on
	line  string      // stands behind a line feed, so that each line has its own in the file
}

// The contexts that this package writes in.
var (
	// inGroovy: '…' in a Job DSL file.
	inGroovy = groovyLiteral()
	// inScript: the code of a Pipeline, in ['…', …].join('') with a line each.
	inScript = linewise(inGroovy, "',\n'")
	// inValue: '…' in the code of a Pipeline.
	inValue = scriptLiteral()
	// inShell: shell text, in ['…', …].join('') in the code of a Pipeline. The
	// file of Job DSL has a line for each, the Pipeline's list does not: it
	// may have 250 elements at most.
	inShell = shellText()
	// inQuotes: "…" in shell text.
	inQuotes = compose(shellEscapes, inShell)
	// inHere: a here-document of shell text that expands $NAME.
	inHere = compose(hereEscapes, inShell)
	// inHereQuotes: "…" in such a here-document, as the file that it becomes
	// (a java argument file, a curl configuration) has it.
	inHereQuotes = compose(fileEscapes, inHere)
)

// groovyEscapes are the characters that a '…' of Groovy holds escaped.
var groovyEscapes = map[byte]string{'\\': `\\`, '\'': `\'`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// shellEscapes are the characters with a meaning in "…" of a POSIX shell.
var shellEscapes = map[byte]string{'\\': `\\`, '"': `\"`, '$': `\$`, '`': "\\`"}

// hereEscapes are the characters with a meaning in a here-document.
var hereEscapes = map[byte]string{'\\': `\\`, '$': `\$`, '`': "\\`"}

// fileEscapes are the characters that "…" holds escaped in a java argument
// file and in a curl configuration; both know these.
var fileEscapes = map[byte]string{'\\': `\\`, '"': `\"`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// groovyLiteral returns the table of '…' in Groovy. Printable ASCII stands as
// it is, but for the backslash and the quote; anything else is written as
// \uXXXX, and control characters other than these are refused.
func groovyLiteral() *table {
	t := &table{unit: `\`, next: "', '"}
	for c := byte(0x20); c < 0x7f; c++ {
		t.ascii[c], t.plain[c] = string(rune(c)), true
	}
	for c, text := range groovyEscapes {
		t.ascii[c], t.plain[c] = text, false
	}
	return t
}

// scriptLiteral returns the table of '…' in the code of a Pipeline. Other
// characters than ASCII are written as \uXXXX in that code too, so that the
// code is ASCII and neither Jenkins' XML nor an editor can change it.
func scriptLiteral() *table {
	t := compose(groovyEscapes, inScript)
	t.unit = inScript.constant(`\`)
	t.line = ""
	return t
}

// shellText returns the table of shell text in the code of a Pipeline.
func shellText() *table {
	t := *inValue
	t.next, t.line = inScript.constant("',\n'"), inScript.next
	return &t
}

// linewise returns the table of the same context with a literal for each
// line; next says how one literal ends and the next begins.
func linewise(t *table, next string) *table {
	l := *t
	l.next, l.line = next, next
	return &l
}

// compose returns the table of a context inside another: each character is
// first written by inner, then what that gives by outer.
func compose(inner map[byte]string, outer *table) *table {
	t := *outer
	for c, text := range inner {
		t.ascii[c], t.plain[c] = outer.constant(text), false
		if c == '\n' {
			t.line = ""
		}
	}
	return &t
}

// constant writes a constant text of this package, which is printable ASCII
// and line feeds.
func (t *table) constant(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteString(t.ascii[text[i]])
		if text[i] == '\n' {
			b.WriteString(t.line)
		}
	}
	return b.String()
}
