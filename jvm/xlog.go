package jvm

import (
	"slices"
	"strings"
)

// logOption judges -Xlog:what:output:decorators:options as far as every
// release reads it alike: the tags and levels of what, and the decorators. An
// output is left alone, since it is a file on the node.
func (l *linter) logOption(i int, text string) {
	if text == "disable" || text == "async" || strings.HasPrefix(text, "async:") || strings.Contains(text, `"`) {
		return
	}
	part := strings.Split(text, ":")
	if part[0] != "" {
		for selection := range strings.SplitSeq(part[0], ",") {
			if !l.logSelection(i, selection) {
				return
			}
		}
	}
	if len(part) > 2 && part[2] != "" {
		for decorator := range strings.SplitSeq(part[2], ",") {
			if e := l.table.decorators[decorator]; e == nil || e.state[l.column] == "-" {
				l.badWord(i, len("-Xlog:")+len(part[0])+len(part[1])+2, "decorator", decorator, l.table.decorators)
				return
			}
		}
	}
}

var logLevels = []string{"off", "trace", "debug", "info", "warning", "error"}

// logSelection judges one gc+heap*=debug.
func (l *linter) logSelection(i int, selection string) bool {
	tags, level, levelled := strings.Cut(selection, "=")
	if levelled && !slices.ContainsFunc(logLevels, func(known string) bool { return strings.EqualFold(known, level) }) {
		l.badValue(i, "there is no level "+quoted(level)+", only "+strings.Join(logLevels, ", "), "")
		return false
	}
	for tag := range strings.SplitSeq(strings.TrimSuffix(tags, "*"), "+") {
		if e := l.table.tags[tag]; e == nil || e.state[l.column] == "-" {
			return l.badWord(i, len("-Xlog:"), "tag", tag, l.table.tags)
		}
	}
	return true
}

// badWord reports a word of -Xlog that stands at from or behind it.
func (l *linter) badWord(i, from int, kind, word string, known map[string]*entry) bool {
	suggestion := ""
	if near := nearest(word, l.column, known); near != nil {
		_, name, _ := strings.Cut(near.name, ":")
		suggestion = l.Options[i][:from] + replaceWord(l.Options[i][from:], word, name)
	}
	l.badValue(i, "there is no "+kind+" "+quoted(word), suggestion)
	return false
}

// replaceWord replaces the first use of word in s that is no part of another.
func replaceWord(s, word, by string) string {
	for start := 0; ; {
		j := strings.Index(s[start:], word)
		if j < 0 {
			return s
		}
		begin, end := start+j, start+j+len(word)
		if (begin == 0 || strings.IndexByte(":,+", s[begin-1]) >= 0) && (end == len(s) || strings.IndexByte(":,+*=", s[end]) >= 0) {
			return s[:begin] + by + s[end:]
		}
		start = end
	}
}
