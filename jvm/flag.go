package jvm

import (
	"fmt"
	"strings"
)

// flagText is what follows -XX: in an option, taken apart as HotSpot does it.
type flagText struct {
	sign     string // "+", "-" or ""
	name     string
	value    string // after the equals sign
	hasValue bool
	rest     string // what follows the name where that is no value, such as " " or ":=x"
}

func splitFlag(text string) flagText {
	var f flagText
	if text != "" && (text[0] == '+' || text[0] == '-') {
		f.sign, text = text[:1], text[1:]
	}
	end := 0
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	f.name, f.rest = text[:end], text[end:]
	if f.value, f.hasValue = strings.CutPrefix(f.rest, "="); f.hasValue {
		f.rest = ""
	}
	return f
}

// OptionName returns what two options have in common that say something of the
// same thing: -XX:G1HeapRegionSize of -XX:G1HeapRegionSize=8m, -XX:UseG1GC of
// -XX:+UseG1GC, -Xss of -Xss1m. Others, which may be there several times, are
// what they are.
func OptionName(option string) string {
	if text, ok := strings.CutPrefix(option, "-XX:"); ok {
		return "-XX:" + splitFlag(text).name
	}
	for _, size := range []string{"-Xms", "-Xmx", "-Xmn", "-Xss"} {
		if strings.HasPrefix(option, size) {
			return size
		}
	}
	return option
}

func isNameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
}

// flag judges -XX:text.
func (l *linter) flag(i int, text string) {
	f := splitFlag(text)
	switch {
	case strings.HasPrefix(text, "#"):
		l.warn(i, ruleCommentedOut, "the JVM ignores it with a message").Hint = deleteIt
		return
	case f.hasValue && (f.name == "Flags" || f.name == "VMOptionsFile"):
		l.warn(i, ruleUnseen, "the options in this file are not checked")
		return
	case f.sign == "" && strings.HasPrefix(f.name, "StartFlightRecording"), strings.HasPrefix(text, "FlightRecorderOptions:"):
		return // read by the flight recorder, which starts with many forms
	}
	e := l.table.flags[f.name]
	if e == nil && aarch64Flags[f.name] {
		l.warn(i, ruleProcessor, "only a JVM on AArch64 takes it, and one on x86-64 does not start with it")
		return
	}
	if e == nil || f.rest != "" && !(f.sign == "" && strings.HasPrefix(f.rest, ":=") && strings.HasPrefix(at(e.form, l.Version), "ccstr")) {
		l.unknownFlag(i, f)
		return
	}
	l.knownFlag(i, f, e)
}

func (l *linter) knownFlag(i int, f flagText, e *entry) {
	if f.name == "PrintFlagsInitial" && f.sign == "+" && !f.hasValue {
		l.neverRuns(i)
		return
	}
	cell := e.state[l.column]
	if cell == "ok" { // nearly all that people write
		l.flagValue(i, f, e)
		return
	}
	v := parseVerdict(cell)
	switch v.state {
	case "-":
		l.goneFlag(i, f, e)
		return
	case "debug":
		l.refuse(i, ruleDebugOnly, "only a debug build of the JVM takes it").Hint = deleteIt
		return
	case "obsolete":
		l.obsolete(i, v, adviceFor(f, v))
		return
	case "diagnostic", "experimental":
		if l.locked(i, v.state) {
			return
		}
	}
	if v.deprecated && (!v.onlyPlus || f.sign == "+") {
		l.deprecated(i, v, adviceFor(f, v))
	}
	// JVM 11 also reads the aliases of -Xlog as -XX:Name=1; that is left alone.
	if !strings.HasPrefix(v.use, "-Xlog") || v.onlyPlus || f.sign != "" || !f.hasValue {
		l.flagValue(i, f, e)
	}
}

// locked reports a flag whose unlock option does not stand before it.
func (l *linter) locked(i int, lock string) bool {
	open, unlock := l.diagnostic, "-XX:+UnlockDiagnosticVMOptions"
	if lock == "experimental" {
		open, unlock = l.experimental, "-XX:+UnlockExperimentalVMOptions"
	}
	if open {
		return false
	}
	f := l.report(i, Error, ruleLocked, fmt.Sprintf("it is %s and needs %s before it", lock, unlock))
	f.Hint = "put " + unlock + " before it"
	for j := i + 1; j < len(l.Options); j++ {
		if l.Options[j] == unlock {
			f.Other, f.Hint = j, "put it after "+unlock
		}
	}
	return true
}

func (l *linter) obsolete(i int, v verdict, a advice) {
	why := "obsolete option"
	if v.since != "" {
		why += ", its support was removed in " + v.since
	}
	f := l.report(i, Warning, ruleObsolete, why)
	f.Message = fmt.Sprintf("JVM %d ignores %s: %s (seen with %s)", l.Version, l.name(i), why, l.update())
	f.Suggestion, f.Hint = a.option, a.hint
}

func (l *linter) deprecated(i int, v verdict, a advice) {
	why := "deprecated option"
	if v.since != "" {
		why += ", since " + v.since
	}
	f := l.report(i, Warning, ruleDeprecated, why)
	f.Message = fmt.Sprintf("JVM %d warns of %s: %s (seen with %s)", l.Version, l.name(i), why, l.update())
	f.Suggestion, f.Hint = a.option, a.hint
}

// goneFlag reports a flag that this release does not know and another does.
func (l *linter) goneFlag(i int, f flagText, e *entry) {
	before, after := l.table.otherTakers(e, l.column)
	switch {
	case before != 0:
		a := adviceFor(f, verdict{})
		found := l.refuse(i, ruleRemoved, fmt.Sprintf("removed, JVM %d was the last to take it", before))
		found.Suggestion, found.Hint = a.option, a.hint
	case after != 0:
		l.refuse(i, ruleNewer, fmt.Sprintf("JVM %d is the first to take it", after)).Hint = moveOn
	default:
		l.unknownFlag(i, f)
	}
}

// unknownFlag reports a flag that no release knows, or a known one with
// something behind its name that makes the JVM look for another.
func (l *linter) unknownFlag(i int, f flagText) {
	found := l.refuse(i, ruleUnknown, "unknown option")
	if near := l.nearestFlag(f.name); near != nil {
		found.Suggestion = l.rewritten(f, near)
		found.Hint = didYouMean(found.Suggestion)
	}
	if strings.Contains(f.rest+f.value, " -") {
		found.Suggestion, found.Hint = "", "write each option as an entry of its own"
	}
}

// rewritten puts the name of a known flag, and the form that it wants, in the
// place of what was written.
func (l *linter) rewritten(f flagText, e *entry) string {
	value := strings.TrimSpace(f.value)
	if !f.hasValue {
		value = strings.TrimSpace(strings.Trim(f.rest, ":= "))
	}
	if at(e.form, l.Version) != "bool" {
		if value == "" {
			return "-XX:" + e.name + "=…"
		}
		return "-XX:" + e.name + "=" + value
	}
	sign := f.sign
	switch {
	case sign != "":
	case value == "false", value == "0":
		sign = "-"
	default:
		sign = "+"
	}
	return "-XX:" + sign + e.name
}
