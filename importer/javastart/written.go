package javastart

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

// Needed returns the first word of a later script that names a file that java's
// output went into, "" for none: that file is not there any more.
func (s *Start) Needed(script string) string {
	words := strings.FieldsFunc(script, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("`;|&()<>", r) })
	if i := slices.IndexFunc(words, s.names); i >= 0 {
		return words[i]
	}
	return ""
}

// names reports whether a word of a script names one of the files that java's
// output went into, by whatever path, or by a pattern. A lone * is most often
// the last case of several, and no file.
func (s *Start) names(word string) bool {
	name := fileName(word)
	return name != "*" && slices.ContainsFunc(s.Written, func(file string) bool {
		match, err := path.Match(name, file)
		return name == file || err == nil && match
	})
}

// fileName is the name of a file without its directory, however a script
// quotes it.
func fileName(word string) string {
	return path.Base(strings.NewReplacer(`"`, "", "'", "", "${", "$", "}", "").Replace(word))
}
