package jvm

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Command is the part of a java command line that Lint judges. A job's JVM is
// started as: java [-Xmx for Heap] Options… -jar ARTIFACT.
type Command struct {
	Version int      // feature release: 11, 17, 21 or 25
	Options []string // one entry of the command line each, in order
	Heap    int64    // bytes of the job's heap, which becomes -Xmx in front of Options; 0 = not set
	Memory  int64    // bytes of memory of the job's node; 0 = not known
}

// Values of Finding.Option and Finding.Other that are no index.
const (
	HeapField = -1 // the job's heap, that is Command.Heap
	NoOption  = -2 // no second option is involved
)

// Severity says how bad a Finding is.
type Severity int

// The severities.
const (
	Warning Severity = iota // the JVM starts, but it ignores the option, warns of it, or reads it otherwise than people do
	Error                   // the JVM does not start, or the job's program is never run
)

// String returns "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Finding is one thing that is wrong with a Command.
type Finding struct {
	Option     int      // index into Options, or HeapField
	Other      int      // index of the second option involved, HeapField or NoOption
	Severity   Severity // Error or Warning
	Rule       string   // stable name of the kind of finding; see rules.go
	Message    string   // what the JVM does and why, without a full stop
	Hint       string   // the way out in words, such as "did you mean -XX:+UseG1GC?"; "" where there is none
	Suggestion string   // the option to write instead; "" where no single option can replace it
}

// Supported reports whether Lint knows the feature release.
func Supported(version int) bool {
	_, ok := loadTable().columns[version]
	return ok
}

// Releases lists the feature releases that Lint knows, with the exact update
// of the JVM that was asked.
func Releases() []Release { return slices.Clone(loadTable().releases) }

// Release is one JVM that the table was made from.
type Release struct {
	Version int    // 21
	Update  string // "21.0.8"
}

// Lint says what the JVM of c.Version does with c. The findings come in the
// order of the options, those about the heap field first, and of one option the
// errors before the warnings; no two of them have the same option and rule. For
// a version that is not Supported there are none.
func Lint(c Command) []Finding {
	t := loadTable()
	column, ok := t.columns[c.Version]
	if !ok {
		return nil
	}
	l := linter{Command: c, table: t, column: column, hider: NoOption, set: make(map[string]setting, len(c.Options)+1)}
	l.findHider()
	if c.Heap > 0 {
		l.set[maxHeap] = setting{index: HeapField, number: uint64(c.Heap)}
	}
	for i := 0; i < len(c.Options); {
		read := l.option(i)
		if read == 0 {
			break // the JVM reads no further
		}
		i += read
	}
	l.checkHeap()
	l.checkCollectors()
	slices.SortFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(a.Option-b.Option, int(b.Severity-a.Severity), strings.Compare(a.Rule, b.Rule))
	})
	return l.findings
}

// linter is one run of Lint.
type linter struct {
	Command
	table        *table
	column       int                // of Version in the table
	hider        int                // index of the -XX:+IgnoreUnrecognizedVMOptions in force, or NoOption
	diagnostic   bool               // the lock of diagnostic flags is open at this point of the line
	experimental bool               // the same for experimental flags
	set          map[string]setting // what stands, by flag or option; a later one replaces an earlier one
	findings     []Finding
}

// setting is the last good use of a flag or option.
type setting struct {
	index  int
	number uint64 // the value of a size or a number
	minus  bool   // -XX:-Flag
	flag   bool   // a -XX flag
}

// option judges the entry at i and returns how many entries it takes up, 0
// where the JVM's options end with it.
func (l *linter) option(i int) int {
	o := l.Options[i]
	if j := strings.IndexByte(o, 0); j >= 0 {
		l.report(i, Error, ruleBadValue, "no program can be given a NUL character").Hint = "delete the NUL character"
		return 1
	}
	switch {
	case strings.HasPrefix(o, "-XX:"):
		l.flag(i, o[len("-XX:"):])
	case strings.HasPrefix(o, "-"):
		return l.launcherOption(i, o)
	case len(o) > 1 && o[0] == '@' && o[1] != '@':
		l.warn(i, ruleUnseen, "the options in this file are not checked")
	default:
		f := l.report(i, Error, ruleNotAnOption, "it does not begin with -, so it is taken for the main class and ends the options")
		f.Suggestion = l.asOption(o)
		f.Hint = didYouMean(f.Suggestion)
		return 0
	}
	return 1
}

// findHider finds -XX:+IgnoreUnrecognizedVMOptions. A JVM looks for it in the
// whole line before it reads anything else.
func (l *linter) findHider() {
	for i, o := range l.Options {
		switch o {
		case "-XX:+IgnoreUnrecognizedVMOptions":
			l.hider = i
		case "-XX:-IgnoreUnrecognizedVMOptions":
			l.hider = NoOption
		}
	}
	if l.hider != NoOption {
		l.warn(l.hider, ruleHidesTypos, "every misspelt option is ignored without a word").Hint = "delete it, and correct what then does not start"
	}
}

// refuse reports an option that this JVM does not know, which
// IgnoreUnrecognizedVMOptions hides.
func (l *linter) refuse(i int, rule, why string) *Finding {
	if l.hider == NoOption {
		return l.report(i, Error, rule, why)
	}
	f := l.report(i, Warning, rule, why)
	f.Message = fmt.Sprintf("JVM %d ignores %s without a word: %s (hidden by -XX:+IgnoreUnrecognizedVMOptions)", l.Version, quoted(l.Options[i]), why)
	f.Other = l.hider
	return f
}

// warn reports what the JVM takes, for a reason why people should not want it.
func (l *linter) warn(i int, rule, why string) *Finding {
	f := l.report(i, Warning, rule, why)
	f.Message = l.name(i) + ": " + why
	return f
}

// report adds a finding. The caller may change its Message, Hint and
// Suggestion until the next call.
func (l *linter) report(i int, severity Severity, rule, why string) *Finding {
	for k := range l.findings {
		if l.findings[k].Option == i && l.findings[k].Rule == rule {
			return &Finding{} // said already
		}
	}
	l.findings = append(l.findings, Finding{
		Option: i, Other: NoOption, Severity: severity, Rule: rule,
		Message: fmt.Sprintf("JVM %d does not start with %s: %s (refused by %s)", l.Version, l.name(i), why, l.update()),
	})
	return &l.findings[len(l.findings)-1]
}

// name returns what the finding about i is about.
func (l *linter) name(i int) string {
	if i == HeapField {
		return "heap: " + sizeText(uint64(l.Heap))
	}
	return quoted(l.Options[i])
}

func (l *linter) update() string { return l.table.releases[l.column].Update }

// note remembers what stands, and reports what it replaces.
func (l *linter) note(key string, s setting) {
	if earlier, ok := l.set[key]; ok {
		l.repeated(key, earlier, s)
	}
	l.set[key] = s
}

func (l *linter) repeated(key string, earlier, s setting) {
	var f *Finding
	switch {
	case key == maxHeap:
		f = l.warn(s.index, ruleHeapTwice, "it replaces "+l.name(earlier.index))
		f.Hint = "say the heap's size once"
	case l.Options[earlier.index] == l.Options[s.index]:
		f = l.warn(s.index, ruleRepeated, "it stands here twice")
		f.Hint = "delete one"
	default:
		f = l.warn(s.index, ruleRepeated, "it replaces "+l.name(earlier.index)+", the last one wins")
		f.Hint = "delete one"
	}
	f.Other = earlier.index
}

// quoted returns an option as a message shows it.
func quoted(o string) string {
	if o == "" || strings.ContainsFunc(o, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return strconv.Quote(o)
	}
	return o
}
