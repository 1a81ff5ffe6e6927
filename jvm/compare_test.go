package jvm

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/jvm/internal/realjvm"
)

// The tests here start real JVMs, two at a time, and hold Lint to what they
// do: an Error where the JVM does not start and nowhere else, and a word of
// "ignored" or "deprecated" where the JVM says so and nowhere else.

// compared has one command line a line, as options reads it.
//
//go:embed testdata/command-lines.txt
var compared string

var slots = make(chan struct{}, 2)

// eachJVM runs a parallel subtest for every release.
func eachJVM(t *testing.T, test func(t *testing.T, version int, java string)) {
	for _, version := range testenv.JVMs {
		t.Run(fmt.Sprint("JVM ", version), func(t *testing.T) {
			java := testenv.JVM(t, version)
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			test(t, version, java)
		})
	}
}

// start runs java as a job's command line would be run, but for the version
// instead of a job.
func start(t *testing.T, java string, c Command) realjvm.Answer {
	t.Helper()
	var args []string
	if c.Heap > 0 {
		args = append(args, fmt.Sprint("-Xmx", c.Heap))
	}
	args = append(append(args, c.Options...), "-version")
	answer, err := realjvm.Start(context.Background(), java, t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// options splits a line of a test at its blanks; an option with a blank in it
// stands between two quotation marks.
func options(line string) []string {
	var list []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}

func TestRealJVMsAgree(t *testing.T) {
	eachJVM(t, func(t *testing.T, version int, java string) {
		for line := range strings.Lines(compared) {
			c := Command{Version: version, Options: options(line)}
			compare(t, c, start(t, java, c))
		}
	})
}

// TestRealHeaps is TestRealJVMsAgree for jobs that state their heap.
func TestRealHeaps(t *testing.T) {
	eachJVM(t, func(t *testing.T, version int, java string) {
		for _, line := range []string{"", "-Xms64m", "-Xms65m", "-Xmx32m -Xms48m", "-Xmx128m -Xms96m", "-XX:InitialHeapSize=65m", "-XX:MaxRAMPercentage=75"} {
			c := Command{Version: version, Heap: 64 << 20, Options: options(line)}
			compare(t, c, start(t, java, c))
		}
		c := Command{Version: version, Heap: 1 << 20}
		compare(t, c, start(t, java, c))
	})
}

// TestRealJVMsNeverRun runs a program that every JVM has, and that prints its
// help, behind each option of which Lint says that the JVM runs nothing.
func TestRealJVMsNeverRun(t *testing.T) {
	eachJVM(t, func(t *testing.T, version int, java string) {
		runs := func(option string) bool {
			answer, err := realjvm.Start(t.Context(), java, t.TempDir(), option, "-m", "java.base/sun.security.tools.keytool.Main")
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(answer.Output, "-genkeypair")
		}
		if !runs("-Xint") {
			t.Fatal("the program does not run at all")
		}
		for name, e := range loadTable().options {
			if e.form == formExits && runs(name) {
				t.Errorf("the program runs behind %s", name)
			}
		}
		for _, option := range []string{"-XX:+PrintFlagsInitial", "--describe-module=java.base"} {
			if runs(option) {
				t.Errorf("the program runs behind %s", option)
			}
		}
	})
}

// compare reports every difference between Lint and a JVM.
func compare(t *testing.T, c Command, answer realjvm.Answer) {
	t.Helper()
	findings := Lint(c)
	wrong := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%q: %s\nLint: %+v\nJVM %d, exit code %d:\n%.600s", c.Options, fmt.Sprintf(format, args...), findings, c.Version, answer.ExitCode, answer.Output)
	}
	if refused := hasError(findings); refused != (answer.ExitCode != 0) {
		wrong("Lint says refused: %v", refused)
	}
	if answer.ExitCode != 0 {
		return // it stopped at the first bad option and said no more
	}
	said := warnings(answer.Output)
	for _, f := range findings {
		if f.Rule != ruleObsolete && f.Rule != ruleDeprecated && f.Rule != ruleCommentedOut {
			continue
		}
		at := slices.IndexFunc(said, func(line string) bool { return strings.Contains(line, stem(c.Options[f.Option])) })
		if at < 0 {
			wrong("the JVM does not warn of %s", c.Options[f.Option])
			continue
		}
		said = slices.Delete(said, at, at+1)
	}
	if len(said) > 0 {
		wrong("the JVM warns: %q", said)
	}
}

func hasError(findings []Finding) bool {
	for _, f := range findings {
		if f.Severity == Error {
			return true
		}
	}
	return false
}

// stem is what a JVM's warning calls an option.
func stem(option string) string {
	switch {
	case strings.HasPrefix(option, "-XX:#"):
		return option[len("-XX:"):]
	case strings.HasPrefix(option, "-XX:"):
		return splitFlag(option[len("-XX:"):]).name
	case strings.HasPrefix(option, "-Djava.security.manager"):
		return "Security Manager"
	case strings.HasSuffix(option, "concgc"):
		return "UseConcMarkSweepGC"
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(option, "-D"), "=")
	name, _, _ = strings.Cut(name, ":")
	return strings.TrimRight(name, "0123456789kmg")
}

var warning = regexp.MustCompile(`(?i)Ignoring (obsolete )?option|was deprecated in|were deprecated in|(option| -\S+|^-\S+) is deprecated[ .]|obsolete and no longer supported|Unrecognized VM option '#|^WARNING: A command line option has enabled|option is no longer supported`)

// warnings returns the lines of output that speak of an option which is
// ignored or deprecated.
func warnings(output string) []string {
	var lines []string
	for line := range strings.Lines(output) {
		if warning.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}
