package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// Exit codes of a run whose program was not started. They tell the Pipeline
// that the program had no part in it; docs/node-image.md lists them for
// people. A program's own exit code is kept as it is, so it should not use
// these.
const (
	ExitNotFetched   = 241 // the artifact could not be fetched
	ExitChecksum     = 242 // the artifact is not the declared one
	ExitNoJava       = 243 // the node has no JDK of that version
	ExitBeforeScript = 244 // a before-script ended with an exit code of its own
	ExitNotUnpacked  = 245 // the artifact could not be unpacked
	ExitNotSet       = 246 // a ${NAME} is used, and the run has no such variable
)

// The shell text runs under any POSIX shell. Its own functions and variables
// begin with batch_ or are unset before the program starts; nothing secret
// stands in an argument of a process, and nothing is expanded that a person
// or a parameter gave.
var (
	shellBegin = inShell.constant(`#!/bin/sh
set -eu
say() { printf "batch: %s\n" "$*"; }
stop() { batch_code=$1; shift; say "$*" >&2; exit "$batch_code"; }
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS
`)
	shellLocale = inShell.constant(`case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in *[Uu][Tt][Ff]*8) ;; *) export LC_ALL=C.UTF-8 ;; esac
`)
	shellOwnLang  = inShell.constant("unset LC_ALL LC_CTYPE\n")
	shellOwnCtype = inShell.constant("unset LC_ALL\n")
	shellNeed     = inShell.constant(fmt.Sprintf(`need() { [ -n "$2" ] || stop %d "$1 is not set for this run, but the batch uses \${$1}"; }
`, ExitNotSet))
	shellHome    = inShell.constant("\"\nexport JAVA_HOME PATH=\"$JAVA_HOME/bin:$PATH\"\n")
	shellQuote   = inShell.constant("\"\n")
	shellLine    = inShell.constant("\n")
	shellWorkDir = inShell.constant(`rm -rf .batch
mkdir -m 700 .batch
`)
	// batch_quote writes a value as "…" of a java argument file or of a curl
	// configuration has it.
	shellEscape = inShell.constant(`batch_cr=$(printf "\r")
batch_quote() { printf "%s\n" "$1" | LC_ALL=C sed -e :a -e "\$!{" -e N -e ba -e "}" -e 's/[\\"]/\\&/g' -e "s/$batch_cr/\\\\r/g" -e 's/\n/\\n/g'; }
`)
	shellBefore = inShell.constant(".sh <<\"")
	shellScript = inShell.constant("\"\n")

	shellBeforeRun = inShell.constant(fmt.Sprintf(".sh || stop %d \"before-script ", ExitBeforeScript))
	shellBeforeEnd = inShell.constant(" ended with exit code $?\"\n")

	shellAfterBegin = inShell.constant("batch_bad=0\nmkdir -p .batch\n")
	shellAfterRun   = inShell.constant(".sh || { say \"after-script ")
	shellAfterEnd   = inShell.constant(" ended with exit code $?\" >&2; batch_bad=1; }\n")
	shellAfterExit  = inShell.constant("exit $batch_bad\n")
)

// shell writes the shell text that runs the program.
func (w *writer) shell(j *batches.Job) {
	b := j.Batch
	refs := w.references(b)
	w.prelude(b, refs.outer)
	w.javaCheck(&b.Java)
	w.raw(shellWorkDir)
	if len(refs.inArgs) > 0 || b.Artifact.Credentials != "" {
		w.raw(shellEscape)
	}
	w.artifact(&b.Artifact)
	for i := range b.Before {
		s := &b.Before[i]
		w.field("spec.scripts.before", i)
		w.script("before", i, len(b.Before), s)
		w.raw("sh -eu .batch/before-")
		w.int(int64(i + 1))
		w.raw(shellBeforeRun)
		w.text(inQuotes, s.Name)
		w.raw(shellBeforeEnd)
	}
	w.java(j, refs.inArgs)
}

// afterShell writes the shell text that runs the after-scripts: all of them,
// whatever the others do.
func (w *writer) afterShell(b *batches.Batch) {
	w.prelude(b, w.references(b).outer)
	w.raw(shellAfterBegin)
	for i := range b.After {
		s := &b.After[i]
		w.field("spec.scripts.after", i)
		w.script("after", i, len(b.After), s)
		w.raw("sh -eu .batch/after-")
		w.int(int64(i + 1))
		w.raw(shellAfterRun)
		w.text(inQuotes, s.Name)
		w.raw(shellAfterEnd)
	}
	w.raw(shellAfterExit)
}

// prelude writes what all shell texts of a job begin with: the environment.
func (w *writer) prelude(b *batches.Batch, refs []string) {
	w.raw(shellBegin)
	w.raw(shellLocaleOf(b.Env))
	for i := range b.Parameters {
		w.raw("export ")
		w.raw(b.Parameters[i].Name)
		w.raw(`="${`)
		w.raw(b.Parameters[i].Name)
		w.raw("-}")
		w.raw(shellQuote)
	}
	if len(refs) > 0 {
		w.raw(shellNeed)
	}
	for _, name := range refs {
		w.raw("need ")
		w.raw(name)
		w.raw(` "${`)
		w.raw(name)
		w.raw("+x}")
		w.raw(shellQuote)
	}
	w.raw(`JAVA_HOME="`)
	if b.Java.Home != "" {
		w.field("spec.java.home", -1)
		w.text(inQuotes, b.Java.Home)
	} else {
		w.raw("${JAVA_HOME_")
		w.int(int64(b.Java.Version))
		w.raw(":-/opt/jdk/")
		w.int(int64(b.Java.Version))
		w.raw("}")
	}
	w.raw(shellHome)
	w.exports(b)
}

// shellLocaleOf returns what makes the locale that the batch chooses hold: the
// stronger variables of the node (POSIX, 8.2), as an agent has LC_ALL, would hide
// it. Where it chooses none, and on a node that has none of UTF-8, the JVM would
// read its arguments as ASCII, and Korean text as question marks.
func shellLocaleOf(env []batches.Variable) string {
	sets := func(name string) bool {
		return slices.ContainsFunc(env, func(v batches.Variable) bool { return v.Name == name })
	}
	switch {
	case sets("LC_ALL"):
		return ""
	case sets("LC_CTYPE"):
		return shellOwnCtype
	case sets("LANG"):
		return shellOwnLang
	}
	return shellLocale
}

// script writes a script of the batch into a file of the node: so there is no
// limit on its length, its errors name a file and a line, and nothing in it
// has to be quoted.
func (w *writer) script(when string, i, n int, s *batches.Script) {
	w.raw(`say "`)
	w.raw(when)
	w.raw(" ")
	w.int(int64(i + 1))
	w.raw(" of ")
	w.int(int64(n))
	w.raw(": ")
	w.text(inQuotes, s.Name)
	w.raw(shellQuote)
	end := "END"
	for hasLine(s.Run, end) {
		end += "_"
	}
	w.raw("cat >.batch/")
	w.raw(when)
	w.raw("-")
	w.int(int64(i + 1))
	w.raw(shellBefore)
	w.raw(end)
	w.raw(shellScript)
	w.text(inShell, s.Run)
	if !strings.HasSuffix(s.Run, "\n") {
		w.raw(shellLine)
	}
	w.raw(end)
	w.raw(shellLine)
}

// hasLine reports whether one line of text is exactly line.
func hasLine(text, line string) bool {
	for l := range strings.Lines(text) {
		if strings.TrimRight(l, "\r\n") == line {
			return true
		}
	}
	return false
}
