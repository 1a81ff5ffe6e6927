package batches

import (
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// shellFaults remembers what is wrong with a script: hundreds of jobs inherit
// the same one.
var shellFaults sync.Map // string → [2]string

// readShell parses a script. fault is why no shell can read it, posix why a
// plain POSIX shell cannot; both are empty for a good one.
func readShell(text string) (fault, posix string) {
	if known, ok := shellFaults.Load(text); ok {
		f := known.([2]string)
		return f[0], f[1]
	}
	parse := func(lang syntax.LangVariant) string {
		_, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), "line ")
		if err == nil {
			return ""
		}
		return strings.Replace(err.Error(), "line :", "line ", 1)
	}
	fault = parse(syntax.LangBash)
	if fault == "" {
		posix = parse(syntax.LangPOSIX)
	}
	shellFaults.Store(text, [2]string{fault, posix})
	return fault, posix
}
