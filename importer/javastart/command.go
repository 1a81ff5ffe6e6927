package javastart

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// start takes in the statement that holds the start of java.
func (w *walker) start(s *syntax.Stmt) error {
	if s.Negated {
		return w.notPlain(s, "it turns the exit code of java round (!)")
	}
	switch cmd := s.Cmd.(type) {
	case *syntax.CallExpr:
		if err := w.redirects(s.Redirs); err != nil {
			return err
		}
		w.background(s)
		return w.command(cmd)
	case *syntax.BinaryCmd:
		w.background(s)
		if len(s.Redirs) > 0 {
			return w.notPlain(s, "what java writes is led somewhere together with other commands")
		}
		return w.binary(cmd)
	case *syntax.TimeClause:
		return w.start(cmd.Stmt)
	case *syntax.Block:
		return w.group(s, cmd.Stmts)
	case *syntax.Subshell:
		err := w.group(s, cmd.Stmts)
		w.replaced = false
		return err
	case *syntax.IfClause, *syntax.CaseClause:
		return w.notPlain(s, "java is started in a condition")
	case *syntax.WhileClause, *syntax.ForClause:
		return w.notPlain(s, "java is started in a loop")
	case *syntax.FuncDecl:
		return w.notPlain(s, "java is started in a function")
	}
	return w.notPlain(s, "java is started within another command")
}

func (w *walker) background(s *syntax.Stmt) {
	if s.Background {
		w.survives, w.hidden, w.replaced = true, true, false
		w.note("background", "java ran in the background (&); now the run lasts as long as it does")
	}
}

func (w *walker) group(s *syntax.Stmt, list []*syntax.Stmt) error {
	if err := w.redirects(s.Redirs); err != nil {
		return err
	}
	return w.sequence(list)
}

// binary takes in a list with && or ||, and a pipe into tee.
func (w *walker) binary(b *syntax.BinaryCmd) error {
	first := contains(b.X, w.java)
	switch {
	case b.Op == syntax.AndStmt && first:
		if err := w.start(b.X); err != nil {
			return err
		}
		w.survives = true // set -e looks at the end of a list only
		guard := success
		if w.hidden {
			guard = always
		}
		w.behind(guard, []*syntax.Stmt{b.Y})
		return nil
	case b.Op == syntax.AndStmt:
		if err := w.lead(b.X); err != nil {
			return err
		}
		return w.start(b.Y)
	case b.Op == syntax.OrStmt && first:
		if err := w.start(b.X); err != nil {
			return err
		}
		w.otherwise(b.Y)
		return nil
	case b.Op == syntax.Pipe && first:
		if call, ok := b.Y.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 && call.Args[0].Lit() == "tee" {
			w.note("output", "what java wrote went into a file too ("+w.source(b.Y)+"); now it is in the run's log")
			for _, file := range call.Args[1:] {
				if !strings.HasPrefix(file.Lit(), "-") {
					w.wrote(file)
				}
			}
			if err := w.start(b.X); err != nil {
				return err
			}
			w.replaced = false // that is a shell of its own
			if !w.pipefail {
				w.survives, w.hidden = true, true
				if !w.looks(w.file.Stmts) {
					w.ignored("| tee")
				}
			}
			return nil
		}
		return w.notPlain(b, "java writes into a pipe (| %s)", w.source(b.Y))
	}
	return w.notPlain(b, "whether java is started depends on another command")
}

// otherwise takes in what stands behind java ||.
func (w *walker) otherwise(s *syntax.Stmt) {
	if w.hidden {
		w.note("dead", "what is done if java fails ("+w.source(s)+") was never done, and is left out")
		return
	}
	if w.survives = !w.ends(s); w.survives {
		if w.kept = keeps(s); w.kept == "" {
			w.ignored("|| " + w.source(s))
		}
		defer func() { w.hidden = true }()
	}
	if call, ok := s.Cmd.(*syntax.CallExpr); ok && len(call.Args) == 1 && (call.Args[0].Lit() == "true" || call.Args[0].Lit() == ":") {
		return
	}
	w.behind(failure, []*syntax.Stmt{s})
}

// keeps is the variable that a statement keeps what java ended with in: RC=$?.
func keeps(s *syntax.Stmt) string {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if ok && len(call.Args) == 0 && len(call.Assigns) == 1 && call.Assigns[0].Value != nil && variableOf(call.Assigns[0].Value) == "?" {
		return call.Assigns[0].Name.Value
	}
	return ""
}

// redirects takes in where the output of java goes. Input cannot be kept.
func (w *walker) redirects(list []*syntax.Redirect) error {
	var out []string
	for _, r := range list {
		switch r.Op {
		case syntax.RdrIn, syntax.RdrInOut, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc, syntax.DplIn:
			if r.Op == syntax.RdrIn && r.Word != nil && r.Word.Lit() == "/dev/null" {
				continue
			}
			return w.notPlain(r, "java reads its input from somewhere (%s)", w.source(r))
		}
		if r.Word != nil {
			out = append(out, w.source(r))
			if r.Op != syntax.DplOut { // 2>&1
				w.wrote(r.Word)
			}
		}
	}
	if len(out) > 0 {
		w.note("output", "what java wrote went elsewhere ("+strings.Join(out, " ")+"); now it is in the run's log")
	}
	return nil
}

// wrote notes a file that java's output went into.
func (w *walker) wrote(file *syntax.Word) {
	if name := fileName(w.source(file)); name != "null" {
		w.out.Written = append(w.out.Written, name)
	}
}

// command takes in the command itself: what stands before java, the options,
// what is started, and the arguments.
func (w *walker) command(call *syntax.CallExpr) error {
	for _, a := range call.Assigns {
		if a.Name == nil || a.Value == nil || a.Append || a.Array != nil {
			return w.notPlain(call, "sets %s for java in a way that is not plain", w.source(a))
		}
		value, ok := w.join(a.Value)
		if !ok {
			return w.notPlain(a, "sets %s for java to what it works out by running something", a.Name.Value)
		}
		w.setEnv(a.Name.Value, reference(value))
	}
	rest, err := w.prefix(call)
	if err != nil {
		return err
	}
	if w.splits != nil {
		return w.notPlain(w.splits, "it sets IFS, by which a shell makes words of variables; write the words out")
	}
	var words []word
	for _, arg := range rest[1:] {
		got, ok := w.expand(arg)
		if !ok {
			return w.notPlain(arg, "the start of java holds %s, which is worked out when it runs, or which nothing sets", w.source(arg))
		}
		words = append(words, got...)
	}
	if len(words) > 10_000 {
		return w.notPlain(call, "the start of java has more than 10,000 words")
	}
	w.out.Java = guess(rest[0], w.values())
	return w.javaLine(call, words)
}

// values are the plain values of the script's variables where it has come to.
func (w *walker) values() map[string]string {
	out := map[string]string{}
	for name, v := range w.vars {
		if text, plain := plainText(v.value); plain {
			out[name] = text
		}
	}
	return out
}

// prefix passes over the commands that start java, and returns the words from
// java on.
func (w *walker) prefix(call *syntax.CallExpr) ([]*syntax.Word, error) {
	names := w.values()
	for i, arg := range call.Args {
		text := guess(arg, names)
		switch {
		case isJava(text) || isJava(guess(arg, constants(w.file))):
			return call.Args[i:], nil
		case text == "exec":
			w.replaced = true
		case text == "sudo":
			return nil, w.notPlain(call, "java is started as another user (sudo)")
		case text == "nice", text == "ionice":
			w.note("priority", "java ran with another priority ("+text+"); now it has its machine to itself")
		case text == "timeout":
			w.note("timeout", "the script limited the time of java ("+w.source(call.Args[i])+" "+w.source(call.Args[min(i+1, len(call.Args)-1)])+"); set it as spec.timeout")
		case strings.Contains(text, "=") && !strings.HasPrefix(text, "-"):
			words, ok := w.expand(arg)
			if !ok || len(words) != 1 {
				return nil, w.notPlain(arg, "sets a variable for java to what it works out by running something")
			}
			name, value, _ := strings.Cut(reference(words[0].pieces), "=")
			w.setEnv(name, value)
		}
	}
	return nil, w.notPlain(call, "the command is no plain java")
}

func (w *walker) setEnv(name, value string) {
	if name == "BUILD_ID" || name == "JENKINS_NODE_COOKIE" {
		return // people set it to keep Jenkins from ending what is in the background
	}
	if i := slices.IndexFunc(w.out.Env, func(e Env) bool { return e.Name == name }); i >= 0 {
		w.out.Env[i].Value = value
		return
	}
	w.out.Env = append(w.out.Env, Env{name, value})
}
