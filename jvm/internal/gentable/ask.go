package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/batchctl/batchctl/jvm/internal/realjvm"
)

// A JVM names only the first bad option of its command line. But it reads a
// file of flags (-XX:Flags=FILE) to the end, with the same function, and
// reports every bad line. So one start answers for all names. TestRandomFlags
// in package jvm checks that the command line answers the same.

var (
	debugOnly  = regexp.MustCompile(`VM option '(\w+)' is (?:develop|notproduct) and is available only in debug version`)
	lockedFlag = regexp.MustCompile(`VM option '(\w+)' is (diagnostic|experimental) and must be enabled`)
	// A refused name is on the command line one of these.
	refused   = regexp.MustCompile(`(?:Unrecognized VM option|Unexpected \+/- setting in VM option|Improperly specified VM option|Missing \+/- setting for VM option) '(\w+)'`)
	unknown   = regexp.MustCompile(`Unrecognized VM option '(\w+)'`)
	obsolete  = regexp.MustCompile(`Ignoring (?:obsolete )?option (\w+); (?:support was removed in (\d+))?`)
	deprecate = regexp.MustCompile(`Option (\w+) was deprecated in version (\d+)\.\d+ and will likely be removed in a future release\.(?: Use option (\w+) instead)?`)
	logAlias  = regexp.MustCompile(`-XX:\+(\w+) is deprecated\. Will use (-Xlog:\S+) instead`)
	temporary = regexp.MustCompile(`Temporarily processing option (\w+); support is scheduled for removal in (\d+)`)
)

// ask finds the state of every name.
func (j *jvm) ask(ctx context.Context, names []string) error {
	answer, err := j.askAll(ctx, names)
	if err != nil {
		return err
	}
	j.states = map[string]string{}
	for name, f := range j.flags {
		j.states[name] = lockOf(f.kind)
		if meddlers.MatchString(name) {
			j.states[name] = "ok" // listed as locked, but a lock cannot lock its key
		}
	}
	for _, m := range lockedFlag.FindAllStringSubmatch(answer, -1) {
		j.states[m[1]] = m[2]
	}
	for _, m := range debugOnly.FindAllStringSubmatch(answer, -1) {
		j.states[m[1]] = "debug"
	}
	for _, m := range obsolete.FindAllStringSubmatch(answer, -1) {
		j.states[m[1]] = with("obsolete", "=", m[2])
	}
	j.addDeprecated(answer)
	if err := j.addLogAliases(ctx, answer); err != nil {
		return err
	}
	return j.allAnswered(names, answer)
}

// askAll starts the JVM with all names in a file of flags. It must refuse to
// start, since most of the names are no flags at all.
func (j *jvm) askAll(ctx context.Context, names []string) (string, error) {
	dir, err := os.MkdirTemp("", "gentable")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "flags")
	if err := os.WriteFile(file, []byte("+"+strings.Join(names, "\n+")+"\n"), 0o644); err != nil {
		return "", err
	}
	answer, err := realjvm.Start(ctx, j.java(), dir, "-Xmx64m", "-XX:+UseSerialGC", "-XX:Flags="+file, "-version")
	if err != nil {
		return "", err
	}
	if answer.ExitCode != 1 {
		return "", fmt.Errorf("a file of %d unknown flags: exit code %d: %.2000s", len(names), answer.ExitCode, answer.Output)
	}
	return answer.Output, nil
}

func (j *jvm) addDeprecated(answer string) {
	for _, m := range deprecate.FindAllStringSubmatch(answer, -1) {
		name, since, use := m[1], m[2], m[3]
		if use != "" { // a second name of a flag that is listed under its first
			j.flags[name] = j.flags[use]
			j.states[name] = lockOf(j.flags[use].kind)
		}
		j.states[name] += with(";deprecated=", "", since) + with(";use=", "", use)
	}
	for _, m := range temporary.FindAllStringSubmatch(answer, -1) {
		j.states[m[1]] += with(";deprecated=", "", m[2])
	}
}

// legacyLogging is taken as a flag like any other, and warned of only once the
// JVM runs, and only with a plus.
var legacyLogging = []string{"PrintGC", "PrintGCDetails"}

func (j *jvm) addLogAliases(ctx context.Context, answer string) error {
	for _, m := range logAlias.FindAllStringSubmatch(answer, -1) {
		j.flags[m[1]] = flagOf{typ: "bool", kind: "product"}
		j.states[m[1]] = "ok;deprecated;use=" + m[2]
	}
	for _, name := range legacyLogging {
		started, err := j.start(ctx, "-Xmx64m", "-XX:+"+name, "-version")
		if err != nil {
			return err
		}
		if m := logAlias.FindStringSubmatch(started.Output); m != nil && m[1] == name {
			j.states[name] += ";deprecated=on;use=" + m[2]
		}
	}
	return nil
}

// allAnswered makes sure that silence was read rightly: a name of which the
// JVM says nothing was taken, so it must be one of the listed flags.
func (j *jvm) allAnswered(names []string, answer string) error {
	said := map[string]bool{}
	for _, m := range refused.FindAllStringSubmatch(answer, -1) {
		said[m[1]] = true
	}
	for _, m := range unknown.FindAllStringSubmatch(answer, -1) {
		// With a plus, the second name of a number is unknown after its warning.
		if state := j.states[m[1]]; state != "" && !strings.Contains(state, ";use=") {
			return fmt.Errorf("flag %s is %s, and yet it is unknown in a file of flags", m[1], state)
		}
	}
	for _, name := range names {
		if !said[name] && j.states[name] == "" {
			return fmt.Errorf("flag %s was taken, and no list has it", name)
		}
	}
	return nil
}

// lockOf reads the kind that PrintFlagsFinal shows, such as "C2 pd diagnostic".
func lockOf(kind string) string {
	for _, lock := range []string{"diagnostic", "experimental"} {
		if strings.HasSuffix(kind, lock) {
			return lock
		}
	}
	return "ok"
}

// with joins a, glue and b, or returns what there is without a value b.
func with(a, glue, b string) string {
	if b != "" {
		return a + glue + b
	}
	if glue == "" {
		return ""
	}
	return a
}
