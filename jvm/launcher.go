package jvm

import (
	"strconv"
	"strings"
)

// Forms of launcher options in the table.
const (
	formValue  = "value"  // the next entry is its value
	formPrefix = "prefix" // goes on after its spelling
	formSize   = "size"   // goes on with a size
	formFile   = "file"   // goes on with a file or library that only the node has
	formExits  = "exits"  // prints something and ends
)

// launcherOption judges an option that is no -XX flag, and returns how many
// entries it takes up.
func (l *linter) launcherOption(i int, o string) int {
	if e := l.table.options[o]; e != nil {
		return l.wholeOption(i, o, e)
	}
	switch {
	case o == "-jar", o == "-m", o == "--module", strings.HasPrefix(o, "--module="), o == "--source", strings.HasPrefix(o, "--source="):
		l.report(i, Error, ruleEndsOptions, "it says what to run instead of the job's own program, and ends the options").Hint = deleteIt
		return 0
	case o == "-Xshare:dump", o == "-d", o == "--describe-module", strings.HasPrefix(o, "--describe-module="):
		l.neverRuns(i)
		return 1
	}
	for _, e := range l.table.prefixes {
		if rest, ok := strings.CutPrefix(o, e.name); ok {
			l.prefixedOption(i, rest, e)
			l.lineBreak(i)
			return 1
		}
	}
	l.unknownOption(i, o)
	return 1
}

// wholeOption judges an option that is spelt as a whole in the table.
func (l *linter) wholeOption(i int, o string, e *entry) int {
	if !l.knownOption(i, e) {
		return 1
	}
	switch e.form {
	case formExits:
		l.neverRuns(i)
	case formValue:
		if i+1 == len(l.Options) || strings.HasPrefix(l.Options[i+1], "-") || l.Options[i+1] == "" {
			l.badValue(i, "the next entry must be its value", "")
			return 1
		}
		l.optionValue(i, o, l.Options[i+1])
		return 2
	case formPrefix, formSize, formFile: // stands among the prefixes
	default:
		l.note(o, setting{index: i})
		if o == "-Xconcgc" || o == "-Xnoconcgc" {
			l.set["UseConcMarkSweepGC"] = setting{index: i, minus: o == "-Xnoconcgc"}
		}
	}
	return 1
}

func (l *linter) neverRuns(i int) {
	f := l.report(i, Error, ruleNeverRuns, "the JVM prints something and ends")
	f.Message = "JVM " + strconv.Itoa(l.Version) + " never runs the job with " + l.name(i) + ": it prints something and ends"
	f.Hint = deleteIt
}

// knownOption judges an option by its line in the table, and reports whether
// this release takes it.
func (l *linter) knownOption(i int, e *entry) bool {
	cell := e.state[l.column]
	if cell == "ok" {
		return true
	}
	v := parseVerdict(cell)
	a := adviceForOption(e.name, l.Options[i])
	switch v.state {
	case "-", "refused":
		before, after := l.table.otherTakers(e, l.column)
		rule, why := ruleRemoved, "removed option"
		if before == 0 && after != 0 {
			rule, why = ruleNewer, "JVM "+strconv.Itoa(after)+" is the first to take it"
			a.hint = moveOn
		} else if before != 0 {
			why = "removed, JVM " + strconv.Itoa(before) + " was the last to take it"
		}
		f := &Finding{}
		if v.state == "-" {
			f = l.refuse(i, rule, why)
		} else {
			f = l.report(i, Error, rule, why)
		}
		f.Suggestion, f.Hint = a.option, a.hint
		return false
	case "obsolete":
		l.obsolete(i, v, a)
		return false
	}
	if v.deprecated {
		l.deprecated(i, v, a)
	}
	return true
}

// prefixedOption judges an option that goes on after its spelling in the table.
func (l *linter) prefixedOption(i int, rest string, e *entry) {
	if !l.knownOption(i, e) {
		return
	}
	switch {
	case e.form == formSize:
		l.sizeOption(i, rest, e.name)
	case e.name == "-D":
		key, _, _ := strings.Cut(rest, "=")
		l.note("-D"+key, setting{index: i})
	case e.name == "-Xlog:":
		l.logOption(i, rest)
	case strings.HasPrefix(e.name, "--") && strings.HasSuffix(e.name, "="):
		l.optionValue(i, strings.TrimSuffix(e.name, "="), rest)
	}
}

// sizeOptions are the flags that the short options of sizes set, and the least
// that they may be.
var sizeOptions = map[string]struct {
	flag  string
	least uint64
}{
	"-Xmx": {maxHeap, 1}, "-mx": {maxHeap, 1}, "-Xms": {initialHeap, 0}, "-ms": {initialHeap, 0},
	"-Xss": {stack, 0}, "-ss": {stack, 0}, "-Xmn": {"NewSize", 1}, "-Xmaxjitcodesize": {codeCache, 1},
}

func (l *linter) sizeOption(i int, text, spelling string) {
	option := sizeOptions[spelling]
	size, ok := parseSize(text)
	if !ok || size < option.least {
		suggestion := ""
		if fixed := repairNumber(text); fixed != "" && fixed != text {
			suggestion = spelling + fixed
		}
		l.badValue(i, "a size must follow at once: digits, then k, m, g or t", suggestion)
		return
	}
	switch option.flag {
	case codeCache:
		l.codeCacheSize(i, size)
	case stack:
		l.stackSize(i, size)
		if size == 0 && l.Version == 11 { // its launcher takes 0 at its word, later ones for the default
			l.report(i, Error, ruleRange, "its first thread gets too small a stack")
		}
	}
	l.note(option.flag, setting{index: i, number: size})
}

// unknownOption reports an option that no release knows.
func (l *linter) unknownOption(i int, o string) {
	f := l.refuse(i, ruleUnknown, "unknown option")
	if strings.Contains(o, " -") {
		f.Hint = "write each option as an entry of its own"
		return
	}
	f.Suggestion = l.nearestOption(o)
	f.Hint = didYouMean(f.Suggestion)
}

func (l *linter) lineBreak(i int) {
	if strings.ContainsAny(l.Options[i], "\r\n") {
		l.warn(i, ruleLineBreak, "there is a line break in it")
	}
}
