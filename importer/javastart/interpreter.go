package javastart

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// shells are the programs that a script may name for itself to be followed here.
var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "ash": true, "ksh": true, "zsh": true}

// interpreter is what the first line of a script names for it: the command,
// and the name of the program without its directory; "" where it names nothing.
func interpreter(script string) (command, program string) {
	first, _, _ := strings.Cut(script, "\n")
	line, named := strings.CutPrefix(first, "#!")
	words := strings.Fields(line)
	if !named || len(words) == 0 {
		return "", ""
	}
	program = path.Base(words[0])
	if program == "env" && len(words) > 1 {
		program = path.Base(words[len(words)-1])
		for _, w := range words[1:] {
			if !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") {
				program = path.Base(w)
				break
			}
		}
	}
	return strings.Join(words, " "), program
}

// Script writes a script, or the body of it that is left, so that batchctl's
// sh -eu does what Jenkins did. Head comes first. A script that names another
// program than sh, or that not every sh can read, is handed to that program,
// or to bash, which sh was on the agents where it ran.
func Script(script, head, body string, errexit bool) string {
	command, program := interpreter(script)
	if strings.HasPrefix(body, "#!") {
		_, body, _ = strings.Cut(body, "\n")
	}
	if command == "" || program == "sh" {
		if posix(body) {
			options := "set +u\n"
			if !errexit {
				options = "set +eu\n"
			}
			return options + head + body
		}
		if command = "bash"; errexit {
			command = "bash -e"
		}
	} else if errexit && shells[program] && !Errexit(script) {
		command += " -e" // the script has said so before this part of it
	}
	end := "END"
	for strings.Contains("\n"+body, "\n"+end+"\n") {
		end += "_"
	}
	// Not on its standard input, of which a command in it could read.
	return head + command + " /dev/fd/3 3<<'" + end + "'\n" + strings.TrimRight(body, "\n") + "\n" + end + "\n"
}

// posix reports whether every sh can read a script.
func posix(script string) (ok bool) {
	// See parse: the library must not end an import.
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "")
	if err != nil {
		return false
	}
	ok = true
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, isCall := n.(*syntax.CallExpr); isCall && bashOnly(call) {
			ok = false
		}
		return ok
	})
	return ok
}

// bashOnly reports commands that other shells lack, or understand otherwise.
func bashOnly(call *syntax.CallExpr) bool {
	has := func(text string) bool {
		return slices.ContainsFunc(call.Args, func(w *syntax.Word) bool { return w.Lit() == text })
	}
	if len(call.Args) == 0 {
		return false
	}
	switch call.Args[0].Lit() {
	case "[[", "source", "shopt", "declare", "typeset", "let", "pushd", "popd", "mapfile", "readarray":
		return true
	case "[", "test":
		return has("==")
	case "set":
		return has("pipefail")
	case "echo":
		return has("-e")
	}
	return false
}
