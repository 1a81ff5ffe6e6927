package javastart

import (
	"fmt"
	"regexp"

	"mvdan.cc/sh/v3/syntax"
)

// javaText is the start of java in the text of another command's argument.
var javaText = regexp.MustCompile(`(^|[\s/;&|(])java\s+[-@]`)

// mentions are commands that only speak of java.
var mentions = map[string]bool{"echo": true, "printf": true, "which": true, "type": true, "command": true, "pkill": true, "pgrep": true,
	"kill": true, "killall": true, "ps": true, "grep": true, "egrep": true, "ls": true, "cat": true, "mail": true, "logger": true, "[": true, "test": true}

// hidden says why no start of java is found in a script, and which command
// starts one where it looks like that.
func hidden(file *syntax.File) error {
	known := constants(file)
	var found *NotPlainError
	syntax.Walk(file, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || found != nil || len(call.Args) == 0 {
			return found == nil
		}
		name := guess(call.Args[0], known)
		if javaText.MatchString(name) {
			found = &NotPlainError{int(call.Pos().Line()), "the command that starts java stands in a variable; write it out"}
			return false
		}
		for _, arg := range call.Args[1:] {
			if text := guess(arg, known); !mentions[name] && (isJava(text) || javaText.MatchString(text)) {
				found = &NotPlainError{int(call.Pos().Line()), fmt.Sprintf("java is started by %s, which import does not follow", name)}
				return false
			}
		}
		return true
	})
	if found != nil {
		return found
	}
	return &NotPlainError{Reason: "it starts no java"}
}
