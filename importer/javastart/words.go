package javastart

import (
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// piece is a part of a word: plain text, or a variable that the run has.
type piece struct {
	text   string
	ref    bool // text is the variable's name
	quoted bool // a shell does not split it
}

// word is one word of a command, after expansion.
type word struct {
	pieces []piece
	split  bool // a variable of the run stood in it without quotes
}

func size(pieces []piece) int {
	n := 0
	for _, p := range pieces {
		n += len(p.text)
	}
	return n
}

// plainText is the text of pieces that refer to nothing.
func plainText(pieces []piece) (string, bool) {
	var b strings.Builder
	for _, p := range pieces {
		if p.ref {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

// reference writes pieces as a batch has them: ${NAME} for a variable, $${
// for the two plain characters.
func reference(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.ref {
			b.WriteString("${" + p.text + "}")
			continue
		}
		text := p.text
		if strings.HasSuffix(b.String(), "$") && strings.HasPrefix(text, "{") {
			b.WriteString("$")
		}
		b.WriteString(strings.ReplaceAll(text, "${", "$${"))
	}
	return b.String()
}

// join expands a word that is not split: the value of an assignment.
func (w *walker) join(word *syntax.Word) ([]piece, bool) {
	var out []piece
	for i, p := range word.Parts {
		pieces, ok := w.part(p, true, begins(word, i))
		if !ok {
			return nil, false
		}
		out = append(out, pieces...)
	}
	return out, true
}

// expand expands a word of a command into the words that a shell makes of it.
func (w *walker) expand(in *syntax.Word) ([]word, bool) {
	if braces(in) || homes(in) {
		return nil, false
	}
	var all []piece
	for i, p := range in.Parts {
		pieces, ok := w.part(p, false, begins(in, i))
		if !ok {
			return nil, false
		}
		all = append(all, pieces...)
	}
	return fields(all), true
}

// begins reports the first part of a word. A ~ is no home directory where
// anything but a slash stands behind it.
func begins(word *syntax.Word, i int) bool {
	lit, ok := word.Parts[0].(*syntax.Lit)
	return i == 0 && !(ok && lit.Value == "~" && len(word.Parts) > 1)
}

// fields splits pieces at the blanks of those that are not quoted.
func fields(pieces []piece) []word {
	var out []word
	var open *word
	add := func(p piece) {
		if open == nil {
			out = append(out, word{})
			open = &out[len(out)-1]
		}
		open.split = open.split || p.ref && !p.quoted
		open.pieces = append(open.pieces, p)
	}
	for _, p := range pieces {
		if p.quoted || p.ref {
			add(p)
			continue
		}
		rest := p.text
		for rest != "" {
			blank := strings.IndexAny(rest, " \t\n")
			switch {
			case blank == 0:
				open = nil
				rest = rest[1:]
				continue
			case blank < 0:
				blank = len(rest)
			}
			add(piece{text: rest[:blank]})
			rest = rest[blank:]
		}
	}
	return out
}

// part expands one part of a word. ok is false for what takes running
// something: $(date), arithmetic, globs.
func (w *walker) part(p syntax.WordPart, quoted, first bool) (out []piece, ok bool) {
	switch p := p.(type) {
	case *syntax.Lit:
		text := unescape(p.Value)
		// A shell leaves a pattern that matches no file as it is, and no file
		// is called like an option.
		if !quoted && expands(p.Value) && !(first && strings.HasPrefix(p.Value, "-")) {
			return nil, false
		}
		switch {
		case !first || !strings.HasPrefix(p.Value, "~"):
		case p.Value == "~" || strings.HasPrefix(p.Value, "~/"):
			return []piece{{text: "HOME", ref: true, quoted: true}, {text: text[1:], quoted: true}}, true
		default:
			return nil, false // the home of somebody, if there is such a one
		}
		return []piece{{text: text, quoted: true}}, true
	case *syntax.SglQuoted:
		if p.Dollar {
			return nil, false
		}
		return []piece{{text: p.Value, quoted: true}}, true
	case *syntax.DblQuoted:
		if len(p.Parts) == 0 {
			return []piece{{quoted: true}}, true
		}
		for _, q := range p.Parts {
			var pieces []piece
			if lit, isLit := q.(*syntax.Lit); isLit {
				pieces, ok = []piece{{text: unescapeQuoted(lit.Value)}}, true
			} else {
				pieces, ok = w.part(q, true, false)
			}
			if !ok {
				return nil, false
			}
			for _, one := range pieces {
				one.quoted = true
				out = append(out, one)
			}
		}
		return out, true
	case *syntax.ParamExp:
		return w.parameter(p)
	}
	return nil, false
}

// parameter expands $NAME, ${NAME} and ${NAME:-plain text}.
func (w *walker) parameter(p *syntax.ParamExp) ([]piece, bool) {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 {
		return nil, false
	}
	name := p.Param.Value
	known := w.vars[name]
	if p.Exp != nil {
		if p.Exp.Op != syntax.DefaultUnsetOrNull && p.Exp.Op != syntax.DefaultUnset || p.Exp.Word == nil {
			return nil, false
		}
		switch {
		case known != nil && !known.computed && size(known.value) > 0 && !refers(known.value):
		case known == nil && !w.given(name):
			w.note("default", name+" is not set here, so it has its default ("+w.source(p)+"); the agents may have set it")
			return w.fallback(p.Exp.Word)
		default:
			return nil, false // depends on what the run has
		}
	}
	switch {
	case known != nil && known.computed:
		return nil, false
	case known != nil:
		out := make([]piece, len(known.value))
		for i, v := range known.value {
			out[i] = piece{text: v.text, ref: v.ref}
		}
		return out, true
	case !w.given(name):
		return nil, false
	}
	return []piece{{text: name, ref: true}}, true
}

// fallback is what stands behind :-. A shell splits it like a value, where it
// is not quoted.
func (w *walker) fallback(word *syntax.Word) ([]piece, bool) {
	var out []piece
	for _, p := range word.Parts {
		pieces, ok := w.part(p, true, false)
		if !ok {
			return nil, false
		}
		_, plain := p.(*syntax.Lit)
		for _, one := range pieces {
			one.quoted = one.quoted && !plain
			out = append(out, one)
		}
	}
	return out, true
}

func refers(pieces []piece) bool {
	_, plain := plainText(pieces)
	return !plain
}

// braces reports whether a shell would make several words of one: a{b,c}.
func braces(w *syntax.Word) bool {
	var b strings.Builder
	for _, p := range w.Parts {
		if lit, ok := p.(*syntax.Lit); ok {
			b.WriteString(lit.Value)
		}
	}
	_, inner, open := strings.Cut(b.String(), "{")
	return open && strings.Contains(inner, "}") && (strings.Contains(inner, ",") || strings.Contains(inner, ".."))
}

// homes reports a ~ in a word like a=~: bash takes it for a home directory,
// other shells do not.
func homes(w *syntax.Word) bool {
	first, ok := w.Parts[0].(*syntax.Lit)
	if !ok {
		return false
	}
	name, _, assigns := strings.Cut(first.Value, "=")
	if !assigns || !syntax.ValidName(name) {
		return false
	}
	for _, p := range w.Parts {
		if lit, ok := p.(*syntax.Lit); ok && strings.Contains(lit.Value, "~") {
			return true
		}
	}
	return false
}

// expands reports whether a shell would look for files.
func expands(text string) bool {
	for i := range len(text) {
		if strings.IndexByte("*?[", text[i]) >= 0 && (i == 0 || text[i-1] != '\\') {
			return true
		}
	}
	return false
}

// unescape takes the backslashes of a word without quotes away.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// unescapeQuoted takes away the backslashes that count within double quotes.
func unescapeQuoted(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && strings.IndexByte("$`\"\\\n", text[i+1]) >= 0 {
			i++
			if text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// join puts a path behind the directory that it is relative to.
func join(dir, name string) string {
	if path.IsAbs(name) || dir == "" {
		return path.Clean(name)
	}
	return path.Join(dir, name)
}
