package javastart

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// javaLine reads the words behind java as its launcher does.
func (w *walker) javaLine(call *syntax.CallExpr, words []word) error {
	for i := 0; i < len(words); i++ {
		text, plain := plainText(words[i].pieces)
		if !plain {
			text = reference(words[i].pieces)
		}
		value := func() (string, error) {
			if i++; i >= len(words) {
				return "", w.notPlain(call, "nothing stands behind %s", text)
			}
			return w.path(call, words[i])
		}
		var err error
		switch {
		case text == "-jar":
			if w.out.Jar, err = value(); err != nil {
				return err
			}
			return w.programArgs(call, words[i+1:])
		case text == "-cp", text == "-classpath", text == "--class-path":
			if w.out.Jar, err = value(); err != nil {
				return err
			}
		case text == "-m", text == "-p", text == "--module", text == "--module-path", strings.HasPrefix(text, "--module"):
			return w.notPlain(call, "it starts a module (%s); batches start a jar or a class", text)
		case strings.HasPrefix(text, "@"):
			return w.notPlain(call, "options stand in a file (%s); write them out", text)
		case twoWords[text]:
			if i++; i >= len(words) {
				return w.notPlain(call, "nothing stands behind %s", text)
			}
			w.out.Options = append(w.out.Options, text+"="+reference(words[i].pieces))
		case strings.HasPrefix(text, "-"):
			w.out.Options = append(w.out.Options, option(words[i].pieces))
		default:
			w.out.Main = text
			if w.out.Jar == "" {
				return w.notPlain(call, "it starts class %s from a class path that the script does not name", text)
			}
			return w.programArgs(call, words[i+1:])
		}
	}
	return w.notPlain(call, "java is started with options only, and no jar and no class")
}

// twoWords are the options whose value may be the next word.
var twoWords = map[string]bool{"--add-opens": true, "--add-exports": true, "--add-modules": true, "--add-reads": true, "--patch-module": true, "--limit-modules": true, "--upgrade-module-path": true}

// option writes an option. A path in the workspace is relative: the
// workspace is where a run is.
func option(pieces []piece) string {
	if !strings.HasPrefix(reference(pieces), "-D") {
		for i := range pieces[:len(pieces)-1] {
			if pieces[i].ref && pieces[i].text == "WORKSPACE" && strings.HasPrefix(pieces[i+1].text, "/") && !pieces[i+1].ref {
				pieces = slices.Clone(pieces)
				pieces[i+1].text = strings.TrimLeft(pieces[i+1].text, "/")
				pieces = slices.Delete(pieces, i, i+1)
				break
			}
		}
	}
	return reference(pieces)
}

// path is the place of a jar on the agent.
func (w *walker) path(call *syntax.CallExpr, arg word) (string, error) {
	text, plain := plainText(arg.pieces)
	switch {
	case !plain:
		return "", w.notPlain(call, "the jar is another one in each run (%s)", reference(arg.pieces))
	case strings.ContainsAny(text, ":*"):
		return "", w.notPlain(call, "the class path has several entries (%s); a batch has one artifact: pack them into one file", text)
	}
	if w.lost && !strings.HasPrefix(text, "/") {
		return "", w.notPlain(call, "the script changes to a directory that it works out, and %s is there", text)
	}
	full := join(w.out.Dir, text)
	if !strings.HasPrefix(full, "/") {
		return "", w.notPlain(call, "%s is made in the job's workspace, or fetched into it; put it where batches can fetch it from", text)
	}
	return full, nil
}

func (w *walker) programArgs(call *syntax.CallExpr, words []word) error {
	for _, a := range words {
		text := reference(a.pieces)
		if a.split && len(a.pieces) == 1 {
			w.note("split", "a shell made as many arguments of "+text+" as it has words; now it is one")
		}
		w.out.Args = append(w.out.Args, text)
	}
	switch {
	case w.lost:
		w.note("directory", "java ran in a directory that the script works out; now it runs in a directory of its own")
	case w.out.Dir != "":
		w.note("directory", "java ran in "+w.out.Dir+"; now it runs in a directory of its own")
	}
	for _, o := range w.out.Options {
		if strings.Contains(o, "${") && !strings.HasPrefix(o, "-D") {
			return w.notPlain(call, "the option %s is another one in each run", o)
		}
	}
	return nil
}
