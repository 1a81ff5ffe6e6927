package javastart

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// walker follows a script from its top to the start of java, and takes the
// rest for what is done after it.
type walker struct {
	text     string
	file     *syntax.File
	java     *syntax.CallExpr
	given    Given
	vars     map[string]*variable
	errexit  bool   // a command that fails ends the script
	pipefail bool   // a pipe fails with any of its commands
	survives bool   // the script goes on where java fails
	replaced bool   // java takes the place of the shell, so nothing comes after it
	hidden   bool   // what the statement with java ends with is not what java ends with
	kept     string // the variable that has what java ended with, by || RC=$?
	out      *Start

	pre     []*syntax.Stmt // the statements before java
	acts    bool           // one of them does more than set variables, the directory or the shell's options
	setting []*syntax.Stmt // those that set up what java, or what is done after it, may need
	lost    bool           // a statement before java may have changed the directory, nobody knows to which
	leaves  syntax.Node    // a statement before java that may end the script without a failure
	renames syntax.Node    // one that makes java another command
	splits  syntax.Node    // one that has words split otherwise
	post    []part         // what is done after java
}

// variable is what a script has made of a variable.
type variable struct {
	value    []piece
	exported bool
	computed bool // the value takes running something
	within   bool // it is set within something that is more than an assignment
}

func (w *walker) run() error {
	if err := w.sequence(w.file.Stmts); err != nil {
		return err
	}
	if w.leaves != nil {
		return w.notPlain(w.leaves, "it may end before java, without a failure (%s)", w.source(w.leaves))
	}
	if w.renames != nil {
		return w.notPlain(w.renames, "it makes java another command (%s)", w.source(w.renames))
	}
	return w.finish()
}

// sequence takes in a list of statements, one of which holds the start of
// java.
func (w *walker) sequence(list []*syntax.Stmt) error {
	for i, s := range list {
		if !contains(s, w.java) {
			w.statement(s)
			continue
		}
		w.survives, w.hidden = !w.errexit, false
		if err := w.start(s); err != nil {
			return err
		}
		w.rest(s, list[i+1:])
		return nil
	}
	return nil
}

func contains(s syntax.Node, wanted syntax.Node) bool {
	found := false
	syntax.Walk(s, func(n syntax.Node) bool {
		found = found || n == wanted
		return !found
	})
	return found
}

// statement takes in a statement before the start of java.
func (w *walker) statement(s *syntax.Stmt) {
	w.pre = append(w.pre, s)
	switch cmd := s.Cmd.(type) {
	case *syntax.CallExpr:
		if len(s.Redirs) == 0 && !s.Negated && !s.Background && w.known(cmd) {
			w.setting = append(w.setting, s)
			w.acts = w.acts || runsSomething(cmd)
			return
		}
		// A part after java needs these again: it is another process.
		if name := lit(cmd); name == "cd" || name == "." || name == "source" {
			w.setting = append(w.setting, s)
		}
	case *syntax.FuncDecl:
		w.setting = append(w.setting, s)
		w.touched(s)
		return
	case *syntax.BinaryCmd:
		// cd DIR || exit 1: a run in which DIR is not there fails either way.
		if call, ok := cmd.X.Cmd.(*syntax.CallExpr); ok && cmd.Op == syntax.OrStmt && fails(cmd.Y) && len(call.Args) > 0 && call.Args[0].Lit() == "cd" && w.known(call) {
			w.setting = append(w.setting, s)
			return
		}
	case *syntax.DeclClause:
		if cmd.Variant.Value == "export" && len(s.Redirs) == 0 {
			for _, a := range cmd.Args {
				if a.Name == nil || a.Array != nil {
					continue
				}
				if a.Value == nil {
					w.variable(a.Name.Value).exported = true
					continue
				}
				w.assign(a)
				w.vars[a.Name.Value].exported = true
			}
			w.setting = append(w.setting, s)
			return
		}
	}
	w.touched(s)
	w.acts = true
}

// variable returns what is known of a variable, making it one that the run
// has, where the script has not set it.
func (w *walker) variable(name string) *variable {
	if w.vars[name] == nil {
		w.vars[name] = &variable{value: []piece{{text: name, ref: true}}}
	}
	return w.vars[name]
}

// known takes in a simple command that only sets something up: an
// assignment, cd, set, or a no-op. It reports whether it was one.
func (w *walker) known(call *syntax.CallExpr) bool {
	if len(call.Args) == 0 {
		for _, a := range call.Assigns {
			if a.Name == nil || a.Array != nil || a.Index != nil {
				return false
			}
			w.assign(a)
		}
		return true
	}
	if len(call.Assigns) > 0 {
		return false
	}
	switch call.Args[0].Lit() {
	case "cd":
		return w.changeDir(call.Args[1:])
	case "set":
		return w.set(call.Args[1:])
	case ":", "true":
		return len(call.Args) == 1
	}
	return false
}

// changeDir follows a cd to a plain directory.
func (w *walker) changeDir(args []*syntax.Word) bool {
	if len(args) != 1 {
		return false
	}
	words, ok := w.expand(args[0])
	if !ok || len(words) != 1 || args[0].Lit() == "-" {
		return false
	}
	dir, plain := plainText(words[0].pieces)
	if !plain {
		// cd $WORKSPACE leads back to where a run begins.
		if len(words[0].pieces) == 1 && words[0].pieces[0].ref && words[0].pieces[0].text == "WORKSPACE" {
			w.out.Dir, w.lost = "", false
			return true
		}
		w.lost = true
		return false
	}
	w.lost = w.lost && !strings.HasPrefix(dir, "/")
	w.out.Dir = join(w.out.Dir, dir)
	return true
}

// fails reports a statement that ends the script with a failure.
func fails(s *syntax.Stmt) bool {
	call, ok := s.Cmd.(*syntax.CallExpr)
	code := ""
	if ok {
		code = lastLit(call)
	}
	return ok && len(call.Args) == 2 && call.Args[0].Lit() == "exit" && code != "0" && strings.Trim(code, "0123456789") == "" && code != ""
}

func (w *walker) set(args []*syntax.Word) bool {
	for _, a := range args {
		switch lit := a.Lit(); {
		case lit == "pipefail":
			w.pipefail = !strings.HasPrefix(args[0].Lit(), "+")
		case lit == "-o", lit == "+o", lit == "--":
		case strings.HasPrefix(lit, "-") && strings.Trim(lit[1:], "exuvo") == "":
			w.errexit = w.errexit || strings.Contains(lit, "e")
		case strings.HasPrefix(lit, "+") && strings.Trim(lit[1:], "exuvo") == "":
			w.errexit = w.errexit && !strings.Contains(lit, "e")
		case lit == "errexit":
			w.errexit = args[0].Lit() == "-o"
		default:
			return false
		}
	}
	return true
}

// assign sets a variable to a value of plain text and variables of the run,
// or notes that it would have to be worked out.
func (w *walker) assign(a *syntax.Assign) {
	name := a.Name.Value
	if name == "IFS" {
		w.splits = a
	}
	v := &variable{exported: w.vars[name] != nil && w.vars[name].exported}
	if a.Value != nil {
		word, ok := w.join(a.Value)
		v.value, v.computed = word, !ok
	}
	if a.Append {
		old := w.variable(name)
		v.computed = v.computed || old.computed
		v.value = slices.Concat(old.value, v.value)
	}
	if size(v.value) > MaxScript {
		v.computed = true
	}
	if v.computed {
		v.value = nil
	}
	w.vars[name] = v
}

func (w *walker) note(rule, text string) {
	n := Note{Rule: rule, Text: text}
	if !slices.Contains(w.out.Notes, n) {
		w.out.Notes = append(w.out.Notes, n)
	}
}

// source is the text of a node, as it stands in the script.
func (w *walker) source(n syntax.Node) string {
	return w.text[n.Pos().Offset():min(n.End().Offset(), uint(len(w.text)))]
}

func (w *walker) notPlain(n syntax.Node, format string, args ...any) error {
	return &NotPlainError{int(n.Pos().Line()), fmt.Sprintf(format, args...)}
}
