// Package javastart finds the start of a JVM in a shell script of a Jenkins
// job.
//
// The script is read by a shell's own grammar (mvdan.cc/sh), never by
// patterns. Read follows the script from its top as a shell would, as far as
// nothing has to be run for it: it knows the variables that the script sets
// to plain values, and what cd, export and set do. Where the start of java
// depends on anything else the answer is a *NotPlainError, and the caller
// keeps the job as it is.
//
// Read first Start, then Read, then (*walker).statement.
package javastart

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A Start is the one plain start of java in a script.
type Start struct {
	Java     string   // the command: java, or a path that ends in /java
	Home     string   // value of JAVA_HOME, where the script sets it; "" = it does not
	Path     string   // value of PATH, likewise
	Options  []string // of the JVM, up to what it starts
	Main     string   // main class; "" = Jar
	Jar      string   // path behind -jar, or of the class path's one entry
	Args     []string // of the program; ${NAME} stands for a variable of the run, $${ for a plain ${
	Env      []Env    // variables that the script exports or sets for java alone, in order
	Dir      string   // directory that the script has changed to; "" = the workspace
	Before   string   // what the script does before, as shell text; "" = nothing
	After    string   // what it does after, likewise; the exit code of java is in BATCH_EXIT_CODE
	Written  []string // the names of the files that java's output went into, without directories
	Comments []string // of statements that are in neither, without the #
	Notes    []Note   // what the batch does otherwise than the script
}

// Env is a variable and its value, with ${NAME} as in Args.
type Env struct{ Name, Value string }

// A Note is something about a script that a person should know.
type Note struct {
	Rule string // stable name: background, output, …
	Text string
}

// NotPlainError says why no batch can be made of a script.
type NotPlainError struct {
	Line   int // from 1; 0 = the script as a whole
	Reason string
}

func (e *NotPlainError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d of the script: %s", e.Line, e.Reason)
}

// MaxScript is the longest script that is read, in bytes.
const MaxScript = 256 << 10

// Given are the variables that a run has before the script begins: its
// parameters, secrets and what Jenkins sets.
type Given func(name string) bool

// HasJava reports whether a script that cannot be wholly understood starts a
// JVM anywhere. A text that no shell can read has none.
func HasJava(script string) bool {
	file, err := parse(script)
	if err != nil {
		return false
	}
	return len(starts(file)) > 0
}

// Read finds the start of java in the text of a shell step. The error is a
// *NotPlainError: there is none, there are several, or it is no plain one.
func Read(script string, given Given) (*Start, error) {
	if command, program := interpreter(script); command != "" && !shells[program] {
		return nil, &NotPlainError{Line: 1, Reason: "it is written for " + program + ", and no shell script"}
	}
	file, err := parse(script)
	if err != nil {
		return nil, err
	}
	all := starts(file)
	switch len(all) {
	case 0:
		return nil, hidden(file)
	case 1:
	default:
		return nil, &NotPlainError{int(all[1].Pos().Line()), fmt.Sprintf("it starts %d JVMs; make a batch of each, the later ones after the first", len(all))}
	}
	w := &walker{text: script, file: file, java: all[0], given: given, vars: map[string]*variable{}, out: &Start{}}
	w.errexit = Errexit(script)
	if err := w.run(); err != nil {
		return nil, err
	}
	return w.out, nil
}

// Errexit reports whether a command that fails ends a script from its first
// line on. Jenkins starts sh -xe by itself; a script that names its own shell
// gets no -e from Jenkins.
func Errexit(script string) bool {
	if !strings.HasPrefix(script, "#!") {
		return true
	}
	first, _, _ := strings.Cut(script, "\n")
	for _, word := range strings.Fields(first)[1:] {
		if strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") && strings.Contains(word, "e") {
			return true
		}
	}
	return false
}

func parse(script string) (file *syntax.File, err error) {
	if len(script) > MaxScript {
		return nil, &NotPlainError{Reason: fmt.Sprintf("it has %d bytes; %d KiB is the most that is read", len(script), MaxScript>>10)}
	}
	// The library is used on whatever people typed: a fault of its own must
	// not end an import of thousands of jobs.
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, &NotPlainError{Reason: fmt.Sprintf("it stops the shell parser: %v", r)}
		}
	}()
	file, fault := syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).Parse(strings.NewReader(script), "")
	if fault != nil {
		return nil, &NotPlainError{Reason: "no shell can read it: " + strings.TrimPrefix(fault.Error(), ":")}
	}
	return file, continued(script, file)
}

// continued refuses a comment that ends with a backslash. The parser (3.14.1)
// takes the next line for a part of it, which no shell does: a command would
// be lost.
func continued(script string, file *syntax.File) (err error) {
	syntax.Walk(file, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.Comment); ok && err == nil {
			line, _, more := strings.Cut(script[c.Hash.Offset():], "\n")
			if more && strings.HasSuffix(strings.TrimSuffix(line, "\r"), "\\") {
				err = &NotPlainError{int(c.Hash.Line()), "a comment ends with a backslash; take it away"}
			}
		}
		return true
	})
	return err
}

// starts lists all commands in a script that are java, also those in
// functions, loops and conditions.
func starts(file *syntax.File) []*syntax.CallExpr {
	names := constants(file)
	var out []*syntax.CallExpr
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && startsJava(call, names) {
			out = append(out, call)
		}
		return true
	})
	return out
}

func startsJava(call *syntax.CallExpr, names map[string]string) bool {
	sudo := false
	for i, arg := range call.Args {
		text := guess(arg, names)
		sudo = sudo || text == "sudo"
		switch {
		case isJava(text):
			return !versionOnly(call.Args[i+1:])
		case sudo, prefixes[text], strings.HasPrefix(text, "-"), strings.Contains(text, "="), isNumber(text):
		default:
			return false
		}
	}
	return false
}

// versionOnly reports a call that only prints something about the JVM.
func versionOnly(args []*syntax.Word) bool {
	return len(args) > 0 && (args[0].Lit() == "-version" || args[0].Lit() == "--version")
}

// constants are the first values that variables get anywhere in a script, for
// finding calls such as $JAVA. What the value is where it counts, the walker
// works out.
func constants(file *syntax.File) map[string]string {
	out := map[string]string{}
	syntax.Walk(file, func(n syntax.Node) bool {
		if a, ok := n.(*syntax.Assign); ok && a.Name != nil && a.Value != nil && out[a.Name.Value] == "" {
			out[a.Name.Value] = guess(a.Value, out)
		}
		return true
	})
	return out
}

// guess is the text of a word, as far as it is plain or made of constants.
func guess(w *syntax.Word, known map[string]string) string {
	var b strings.Builder
	for _, p := range w.Parts {
		guessPart(p, known, &b)
	}
	if b.Len() > 4096 {
		return ""
	}
	return b.String()
}

func guessPart(p syntax.WordPart, known map[string]string, b *strings.Builder) {
	switch p := p.(type) {
	case *syntax.Lit:
		b.WriteString(p.Value)
	case *syntax.SglQuoted:
		b.WriteString(p.Value)
	case *syntax.DblQuoted:
		for _, q := range p.Parts {
			guessPart(q, known, b)
		}
	case *syntax.ParamExp:
		if p.Param != nil {
			b.WriteString(known[p.Param.Value])
		}
	}
}

// isJava reports whether a command is the launcher of a JVM.
func isJava(command string) bool { return command == "java" || strings.HasSuffix(command, "/java") }

// prefixes are commands that start the command behind them.
var prefixes = map[string]bool{"exec": true, "nohup": true, "nice": true, "time": true, "env": true, "ionice": true, "setsid": true, "sudo": true, "timeout": true, "command": true}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789smhd") == "" }
