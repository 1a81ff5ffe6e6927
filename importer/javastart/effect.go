package javastart

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// touched marks the variables that a statement may set as unknown: read, for,
// if and functions set them in ways that only running tells.
func (w *walker) touched(s *syntax.Stmt) {
	mark := func(name string) {
		w.vars[name] = &variable{computed: true, within: true, exported: w.vars[name] != nil && w.vars[name].exported}
	}
	syntax.Walk(s, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DeclClause:
			for _, a := range n.Args {
				if n.Variant.Value == "export" && a.Name != nil {
					w.vars[a.Name.Value] = &variable{computed: true, exported: true}
				}
			}
		case *syntax.Assign:
			if n.Name != nil {
				mark(n.Name.Value)
			}
		case *syntax.WordIter:
			mark(n.Name.Value)
		case *syntax.CallExpr:
			if len(n.Args) == 0 {
				for _, a := range n.Assigns {
					if a.Name != nil && a.Name.Value == "IFS" {
						w.splits = a
					}
				}
				return true
			}
			w.effect(n)
			switch n.Args[0].Lit() {
			case "read", "unset", "getopts", "mapfile":
				for _, a := range n.Args[1:] {
					mark(a.Lit())
				}
			}
		}
		return true
	})
}

// effect notes what a command before java does to java itself, which a script
// of its own cannot.
func (w *walker) effect(n *syntax.CallExpr) {
	switch n.Args[0].Lit() {
	case "source", ".":
		w.note("sources", "it reads "+w.source(n)+", and what that sets is not known; put it under env")
	case "ulimit", "umask", "renice":
		w.note("limits", "it sets a limit for java ("+w.source(n)+"), which the machine has to have by itself now")
	case "alias":
		if strings.Contains(w.source(n), "java=") {
			w.renames = n
		}
	case "cd", "pushd", "popd":
		w.lost = true
	case "set":
		if len(n.Args) > 1 && strings.HasPrefix(n.Args[1].Lit(), "-") && strings.Contains(n.Args[1].Lit(), "a") {
			w.note("env", "it exports all variables that it sets (set -a); the program gets those only that it exports by name")
		}
	case "exit", "exec", "trap", "return":
		// exit 1 fails the run in a script of its own as well.
		if code := lastLit(n); n.Args[0].Lit() != "exit" || code == "" || code == "0" {
			w.leaves = n
		}
	}
}

// lit is the name of a command, where it is plain.
func lit(call *syntax.CallExpr) string {
	if len(call.Args) == 0 {
		return ""
	}
	return call.Args[0].Lit()
}

func lastLit(n *syntax.CallExpr) string {
	if len(n.Args) < 2 {
		return ""
	}
	return n.Args[1].Lit()
}

// runsSomething reports assignments whose values take running a command.
func runsSomething(call *syntax.CallExpr) bool {
	found := false
	syntax.Walk(call, func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			found = true
		}
		return !found
	})
	return found
}
