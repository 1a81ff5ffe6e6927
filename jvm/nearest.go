package jvm

import (
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
)

// didYouMean is the hint for a suggestion.
func didYouMean(suggestion string) string {
	if suggestion == "" {
		return ""
	}
	return "did you mean " + suggestion + "?"
}

// nearKey is a question to nearestFlag. One misspelt option in a shared file
// comes up in thousands of jobs, and looking for near names is what is slow.
type nearKey struct {
	name   string
	column int
}

var nearFlags sync.Map // nearKey → *entry, which is nil where no name is near

// nearestFlag returns the flag that this release takes whose name is most like
// name, or nil. The JVM's own hint leaves out locked flags and many near ones.
func (l *linter) nearestFlag(name string) *entry {
	key := nearKey{name, l.column}
	if found, ok := nearFlags.Load(key); ok {
		return found.(*entry)
	}
	found := nearest(name, l.column, l.table.flags)
	nearFlags.Store(key, found)
	return found
}

// nearest returns the entry whose name differs least from name, if the two are
// like each other at all. Capitals do not count; of two as near, the unlocked
// one wins, then the first in the alphabet.
func nearest(name string, column int, known map[string]*entry) *entry {
	if len(name) < 2 || len(name) > 100 {
		return nil
	}
	lower := strings.ToLower(name)
	var best *entry
	bestDistance := max(1, min(len(name)/4, 4)) + 1
	for candidate, e := range known {
		cell := e.state[column]
		if !taken(cell) || strings.HasPrefix(cell, "obsolete") || abs(len(candidate)-len(name)) > bestDistance {
			continue
		}
		distance := levenshtein.ComputeDistance(lower, strings.ToLower(candidate))
		if distance < bestDistance || distance == bestDistance && best != nil && better(e, best, column) {
			best, bestDistance = e, distance
		}
	}
	return best
}

func better(e, than *entry, column int) bool {
	if free, thanFree := strings.HasPrefix(e.state[column], "ok"), strings.HasPrefix(than.state[column], "ok"); free != thanFree {
		return free
	}
	return e.name < than.name
}

func abs(n int) int { return max(n, -n) }

// nearestOption returns the launcher option or flag that o was meant to be,
// or "".
func (l *linter) nearestOption(o string) string {
	if joined := strings.Replace(o, " ", "=", 1); joined != o {
		if e := l.prefixOf(joined); e != nil && strings.HasPrefix(e.name, "--") {
			return joined // --add-opens java.base/java.lang=ALL-UNNAMED as one entry
		}
	}
	if flag := l.asFlag(strings.TrimLeft(o, "-:X")); flag != "" {
		return flag
	}
	whole, begin := map[string]*entry{}, map[string]*entry{}
	for name, e := range l.table.options {
		if e.form != formExits {
			whole[name] = e
		}
	}
	if near := nearest(o, l.column, whole); near != nil {
		return near.name
	}
	for _, e := range l.table.prefixes {
		if strings.HasSuffix(e.name, "=") || strings.HasSuffix(e.name, ":") {
			begin[e.name] = e
		}
	}
	end := strings.IndexAny(o, "=:") + 1
	if near := nearest(o[:end], l.column, begin); near != nil {
		return near.name + o[end:]
	}
	return ""
}

func (l *linter) prefixOf(o string) *entry {
	for _, e := range l.table.prefixes {
		if strings.HasPrefix(o, e.name) {
			return e
		}
	}
	return nil
}

// asFlag returns the -XX option that text is with its -XX: left out, or "".
func (l *linter) asFlag(text string) string {
	f := splitFlag(text)
	e := l.table.flags[f.name]
	if e == nil || !taken(e.state[l.column]) {
		return ""
	}
	return l.rewritten(f, e)
}

// asOption returns the option that text is with its dash left out, or "".
func (l *linter) asOption(text string) string {
	if l.table.options["-"+text] != nil {
		return "-" + text
	}
	if strings.HasPrefix(text, "D") && strings.Contains(text, "=") || strings.HasPrefix(text, "Xm") || strings.HasPrefix(text, "Xss") || strings.HasPrefix(text, "Xlog:") {
		return "-" + text
	}
	return l.asFlag(strings.TrimPrefix(strings.TrimPrefix(text, "XX"), ":"))
}
