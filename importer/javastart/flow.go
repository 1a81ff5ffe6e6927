package javastart

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// rest takes in what a script does behind the statement with java. Whether it
// was done after java had failed is what the shell's options and the statement
// say; survives has it.
func (w *walker) rest(s *syntax.Stmt, list []*syntax.Stmt) {
	if s.Background {
		var waited bool
		if list, waited = withoutWait(list); waited {
			w.survives, w.hidden = !w.errexit, false
		}
	}
	if len(list) == 0 {
		if w.kept != "" {
			w.ignored("|| " + w.kept + "=$?")
		}
		return
	}
	guard := success
	if w.survives {
		guard = always
		if !s.Background && !w.looks(list) {
			w.ignored("more came behind it")
		}
	}
	w.behind(guard, list)
}

// ignored notes that java could fail, and the job did not. The first reason is
// enough.
func (w *walker) ignored(why string) {
	for _, n := range w.out.Notes {
		if n.Rule == "ignored" {
			return
		}
	}
	w.note("ignored", "that java failed did not count ("+why+"); now it fails the run")
}

// withoutWait takes away that a script waits for java in the background at
// once: wait, wait $!, or PID=$! and wait $PID. It reports whether what java
// ended with was what the waiting ended with.
func withoutWait(list []*syntax.Stmt) (rest []*syntax.Stmt, waited bool) {
	kept := "!"
	for i, s := range list {
		call, ok := s.Cmd.(*syntax.CallExpr)
		if !ok || len(s.Redirs) > 0 || s.Background || s.Negated {
			break
		}
		switch {
		case i == 0 && len(call.Args) == 0 && len(call.Assigns) == 1 && call.Assigns[0].Value != nil && variableOf(call.Assigns[0].Value) == "!":
			kept = call.Assigns[0].Name.Value
			continue
		case len(call.Args) == 0 || call.Args[0].Lit() != "wait":
		case len(call.Args) == 1:
			return list[i+1:], false // a bare wait ends well, whatever it waited for
		case len(call.Args) == 2 && variableOf(call.Args[1]) == kept:
			return list[i+1:], true
		}
		break
	}
	return list, false
}

// ends reports a statement that ends the script, or that fails where a failure
// does so.
func (w *walker) ends(s *syntax.Stmt) bool {
	switch cmd := s.Cmd.(type) {
	case *syntax.Block:
		return len(cmd.Stmts) > 0 && w.ends(cmd.Stmts[len(cmd.Stmts)-1])
	case *syntax.CallExpr:
		name := ""
		if len(cmd.Args) > 0 {
			name = cmd.Args[0].Lit()
		}
		return name == "exit" || name == "false" && w.errexit
	}
	return false
}

// looks reports whether statements ask what became of java, and may end the
// script for it. Where they may end it with exit 0 as well, a person has to
// look.
func (w *walker) looks(list []*syntax.Stmt) bool {
	asks, exits := false, false
	for _, s := range list {
		syntax.Walk(s, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.ParamExp:
				asks = asks || n.Param != nil && (n.Param.Value == "?" && !w.hidden || n.Param.Value == "PIPESTATUS" || w.kept != "" && n.Param.Value == w.kept)
			case *syntax.CallExpr:
				exits = exits || lit(n) == "exit"
				if n != s.Cmd && lit(n) == "exit" && lastLit(n) == "0" {
					w.note("forgiven", "after java it may end with exit 0 although java failed; now that java failed always fails the run")
				}
			}
			return true
		})
	}
	return asks && exits
}

// settled ends a script that comes before java with a success, where its last
// statement may end otherwise although the script went on: [ -f X ] && rm X.
func (w *walker) settled(text string, list []*syntax.Stmt) string {
	last := list[len(list)-1]
	if _, plain := last.Cmd.(*syntax.CallExpr); plain && w.errexit && !last.Negated {
		return text
	}
	return text + "true\n"
}

// blocks writes what is done after java where that depends on its result in
// more than one way.
func (w *walker) blocks(list []part) string {
	var b strings.Builder
	b.WriteString(printed(w.setting))
	for _, p := range list {
		text := printed(p.stmts)
		if sign := map[guard]string{success: "-eq", failure: "-ne"}[p.guard]; sign != "" {
			text = "if [ \"$BATCH_EXIT_CODE\" " + sign + " 0 ]; then\n" + text + "fi\n"
		}
		b.WriteString(text)
	}
	text := b.String()
	if file, err := parse(text); err == nil {
		text = printed(file.Stmts) // indented
	}
	return Script(w.text, "", text, w.errexit)
}

// lead takes in what stands before && java: one statement, or a list of such.
// A batch whose script before java fails does not start java either.
func (w *walker) lead(s *syntax.Stmt) error {
	if b, ok := s.Cmd.(*syntax.BinaryCmd); ok && b.Op == syntax.AndStmt && len(s.Redirs) == 0 {
		if err := w.lead(b.X); err != nil {
			return err
		}
		return w.lead(b.Y)
	}
	call, simple := s.Cmd.(*syntax.CallExpr)
	if !simple || s.Negated || conditions[lit(call)] {
		return w.notPlain(s, "java is started in a condition")
	}
	w.statement(s)
	last := len(w.pre) - 1
	w.pre[last] = required(w.pre[last])
	return nil
}

// conditions are commands that people ask something by.
var conditions = map[string]bool{"[": true, "test": true, "[[": true, "grep": true, "false": true, "pgrep": true}

// required is a statement whose failure ends the script.
func required(s *syntax.Stmt) *syntax.Stmt {
	exit, err := parse("exit 1")
	if err != nil {
		return s
	}
	return &syntax.Stmt{Position: s.Position, Cmd: &syntax.BinaryCmd{OpPos: s.End(), Op: syntax.OrStmt, X: s, Y: exit.Stmts[0]}}
}
