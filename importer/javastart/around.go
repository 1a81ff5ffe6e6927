package javastart

import (
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// guard says after which result of java something is done.
type guard int

const (
	always guard = iota
	success
	failure
)

// part is a piece of script that is done after java.
type part struct {
	guard  guard
	stmts  []*syntax.Stmt
	hidden bool // $? in it is not what java ended with
}

func (w *walker) behind(g guard, stmts []*syntax.Stmt) {
	if w.replaced {
		w.note("dead", "what comes after exec java never ran, and is left out")
		return
	}
	if n := len(w.post); n > 0 && w.post[n-1].guard == g {
		w.post[n-1].stmts = slices.Concat(w.post[n-1].stmts, stmts)
		return
	}
	w.post = append(w.post, part{g, stmts, w.hidden})
}

// finish makes the scripts around java, once it has been found.
func (w *walker) finish() error {
	if w.acts {
		w.out.Before = Script(w.text, "", w.settled(printed(w.pre), w.pre), w.errexit)
	} else {
		for _, s := range w.pre {
			w.comments(s.Comments)
		}
	}
	w.exports()
	for _, s := range w.file.Stmts {
		if contains(s, w.java) {
			w.comments(s.Comments)
		}
	}
	w.comments(w.file.Last)
	return w.after()
}

// exports makes env of the variables that java gets from the script.
func (w *walker) exports() {
	of := slices.Clone(w.out.Env) // those of the command itself are the stronger
	for _, name := range slices.Sorted(maps.Keys(w.vars)) {
		v := w.vars[name]
		switch {
		case name == "JAVA_HOME":
			w.out.Home, _ = plainText(v.value)
		case name == "PATH" && (v.computed || len(v.value) != 1 || !v.value[0].ref):
			// The run has it in its environment, so it need not be exported.
			w.searched(v)
		case !v.exported:
		case v.computed:
			w.note("env", "it exports "+name+", whose value it works out by running something; the program does not get it")
		case len(v.value) == 1 && v.value[0].ref && v.value[0].text == name:
			// Exporting what the run has changes nothing.
		case name == "CLASSPATH":
			w.note("env", "it exports "+name+"="+reference(v.value)+"; the program does not get it")
		default:
			w.setEnv(name, reference(v.value))
		}
	}
	for _, e := range of {
		w.setEnv(e.Name, e.Value)
	}
}

// searched takes in what the script sets PATH to: where java is found. That the
// directory of JAVA_HOME is in it says nothing new.
func (w *walker) searched(v *variable) {
	w.out.Path = reference(v.value)
	switch {
	case v.computed:
		w.note("env", "it sets PATH to what it works out by running something; the program does not get it")
	case w.out.Home == "" || w.out.Path != w.out.Home+"/bin:${PATH}":
		w.note("env", "it sets PATH="+w.out.Path+"; the program does not get it")
	}
}

func (w *walker) comments(list []syntax.Comment) {
	for _, c := range list {
		text := strings.TrimSpace(c.Text)
		if text != "" && !strings.HasPrefix(text, "!") {
			w.out.Comments = append(w.out.Comments, text)
		}
	}
}

// after writes what is done after java, leaving out what only ends the script
// with the exit code of java.
func (w *walker) after() error {
	var needed []part
	for i, p := range w.post {
		// RC=$? says nothing by itself, but to what comes after it.
		forMore := len(p.stmts) == 1 && keeps(p.stmts[0]) != "" && i+1 < len(w.post)
		if forMore || !w.idle(p) {
			needed = append(needed, p)
		}
	}
	w.post = needed
	for _, p := range w.post {
		if err := w.reads(p.stmts); err != nil {
			return err
		}
		if !p.hidden {
			exitCode(p.stmts[0])
		}
		if err := w.anew(p.stmts); err != nil {
			return err
		}
	}
	switch len(w.post) {
	case 0:
	case 1:
		p, head := w.post[0], ""
		switch p.guard {
		case success:
			head = "[ \"$BATCH_EXIT_CODE\" -eq 0 ] || exit 0\n"
		case failure:
			head = "[ \"$BATCH_EXIT_CODE\" -ne 0 ] || exit 0\n"
		}
		w.out.After = Script(w.text, head, printed(slices.Concat(w.setting, p.stmts)), w.errexit)
	default:
		w.out.After = w.blocks(w.post)
	}
	return nil
}

// reads refuses what looks into a file that java's output went into: now that
// is in the run's log, and what is sought would never be found.
func (w *walker) reads(stmts []*syntax.Stmt) (err error) {
	for _, s := range stmts {
		syntax.Walk(s, func(n syntax.Node) bool {
			if word, ok := n.(*syntax.Word); ok && err == nil && w.out.names(w.source(word)) {
				err = w.notPlain(word, "what comes after java needs the file that java's output went into (%s); let the program write it", w.source(word))
			}
			return err == nil
		})
	}
	return err
}

// idle reports a part that does no more than end the script.
func (w *walker) idle(p part) bool {
	if onlyEnds(p.stmts) {
		return true
	}
	call, ok := p.stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(p.stmts) != 1 || len(call.Args) != 2 || call.Args[0].Lit() != "exit" {
		return false
	}
	switch code := call.Args[1].Lit(); {
	case code == "0":
		if p.guard != success {
			w.ignored("exit 0")
		}
		return true
	case p.guard == failure && strings.Trim(code, "0123456789") == "" && code != "":
		return true // the run fails anyway
	}
	return false
}

// anew looks at the variables that what is done after java takes from before
// it. Another process has to work them out again; where that would mean to do
// more than that again, or to leave them empty, the script is none that can be
// followed.
func (w *walker) anew(stmts []*syntax.Stmt) error {
	own := map[string]bool{}
	var used []*syntax.ParamExp
	for _, s := range stmts {
		syntax.Walk(s, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Assign:
				if n.Name != nil {
					own[n.Name.Value] = true
				}
			case *syntax.WordIter:
				own[n.Name.Value] = true
			case *syntax.CallExpr:
				for _, arg := range n.Args {
					own[arg.Lit()] = own[arg.Lit()] || lit(n) == "read"
				}
			case *syntax.ParamExp:
				used = append(used, n)
			}
			return true
		})
	}
	for _, p := range used {
		if p.Param == nil || own[p.Param.Value] {
			continue
		}
		switch v := w.vars[p.Param.Value]; {
		case v == nil || !v.computed:
		case v.within:
			return w.notPlain(p, "what is done after java needs %s, which is set before it within something else", p.Param.Value)
		default:
			w.note("anew", "what is done after java takes "+p.Param.Value+" from before it; now that is worked out again")
		}
	}
	return nil
}

// printed writes statements as text.
func printed(stmts []*syntax.Stmt) string {
	var b strings.Builder
	printer := syntax.NewPrinter(syntax.Indent(2))
	for _, s := range stmts {
		s.Comments = slices.DeleteFunc(s.Comments, func(c syntax.Comment) bool { return strings.HasPrefix(c.Text, "!") })
		// Writing to a builder does not fail.
		_ = printer.Print(&b, s)
		b.WriteByte('\n')
	}
	return b.String()
}

// onlyEnds reports statements that do no more than end the script with the
// exit code of java: exit $?; or RC=$? and exit $RC.
func onlyEnds(stmts []*syntax.Stmt) bool {
	kept := ""
	for _, s := range stmts {
		call, ok := s.Cmd.(*syntax.CallExpr)
		if !ok || len(s.Redirs) > 0 {
			return false
		}
		switch {
		case keeps(s) != "":
			kept = keeps(s)
		case len(call.Args) == 1 && call.Args[0].Lit() == "exit" && len(stmts) == 1:
		case len(call.Args) == 2 && call.Args[0].Lit() == "exit" && (kept == "" && variableOf(call.Args[1]) == "?" || kept != "" && variableOf(call.Args[1]) == kept):
		default:
			return false
		}
	}
	return true
}

// variableOf is the name of the one variable that a word is, or "".
func variableOf(w *syntax.Word) string {
	if len(w.Parts) != 1 {
		return ""
	}
	part := w.Parts[0]
	if q, ok := part.(*syntax.DblQuoted); ok && len(q.Parts) == 1 {
		part = q.Parts[0]
	}
	if p, ok := part.(*syntax.ParamExp); ok && p.Param != nil && p.Exp == nil {
		return p.Param.Value
	}
	return ""
}

// exitCode puts the exit code of java in the place of $?, in the statement
// that follows it.
func exitCode(s *syntax.Stmt) {
	first := s
	for {
		b, ok := first.Cmd.(*syntax.BinaryCmd)
		if !ok {
			break
		}
		first = b.X
	}
	var node syntax.Node = first
	if c, ok := first.Cmd.(*syntax.IfClause); ok && len(c.Cond) > 0 {
		node = c.Cond[0]
	}
	syntax.Walk(node, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil && p.Param.Value == "?" {
			p.Param.Value = "BATCH_EXIT_CODE"
		}
		return true
	})
}
