package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/batchctl/batchctl/jvm/internal/realjvm"
)

// jvm is one real JVM and everything it answered.
type jvm struct {
	home     string
	release  string            // exact update, such as 21.0.8
	flags    map[string]flagOf // what PrintFlagsFinal lists, with both unlock options given
	states   map[string]string // state of every name that is more than refused; see docs/jvm-table.md
	options  map[string]string // the same for launcher options, by the spelling in options.tsv
	tags     map[string]bool   // what may stand in -Xlog:
	decorate map[string]bool   // the decorators of -Xlog
}

// flagOf is a flag as the JVM lists it.
type flagOf struct {
	typ  string // bool, intx, size_t, double, ccstr, …
	kind string // product, diagnostic, "C2 pd product", …
	span string // "0..100", or "" where only the type limits it
}

func (j *jvm) java() string { return filepath.Join(j.home, "bin", "java") }

// unlocked is in front of every list, so that locked flags are in it too. The
// collector and the heap are stated to keep the start cheap; neither changes
// which flags are listed.
var unlocked = []string{"-XX:+UnlockDiagnosticVMOptions", "-XX:+UnlockExperimentalVMOptions", "-XX:+UseSerialGC", "-Xmx64m"}

var (
	flagLine  = regexp.MustCompile(`(?m)^ *(\w+) (\w+) +:?= .*\{([^{}]+)\} \{[^{}]+\}$`)
	rangeLine = regexp.MustCompile(`(?m)^ *(\w+) (\w+) +\[ (\S+) +\.\.\. +(\S+) \]`)
	logList   = regexp.MustCompile(`(?m)^Available log (tags|decorators): *\n(.*)$`)
)

// list asks for everything that a JVM lists by itself.
func (j *jvm) list(ctx context.Context) error {
	var err error
	if j.release, err = realjvm.Release(ctx, j.java()); err != nil {
		return err
	}
	if err := j.listFlags(ctx); err != nil {
		return err
	}
	if err := j.listLog(ctx); err != nil {
		return err
	}
	return j.probeOptions(ctx)
}

func (j *jvm) listFlags(ctx context.Context) error {
	flags, err := j.print(ctx, append(unlocked, "-XX:+PrintFlagsFinal", "-version")...)
	if err != nil {
		return err
	}
	ranges, err := j.print(ctx, append(unlocked, "-XX:+PrintFlagsRanges", "-version")...)
	if err != nil {
		return err
	}
	j.flags = map[string]flagOf{}
	for _, m := range flagLine.FindAllStringSubmatch(flags, -1) {
		j.flags[m[2]] = flagOf{typ: m[1], kind: m[3]}
	}
	for _, m := range rangeLine.FindAllStringSubmatch(ranges, -1) {
		f, listed := j.flags[m[2]]
		if !listed {
			return fmt.Errorf("PrintFlagsRanges lists %s, PrintFlagsFinal does not", m[2])
		}
		f.span = m[3] + ".." + m[4]
		if f.span == spanOfType[f.typ] {
			f.span = ""
		}
		j.flags[m[2]] = f
	}
	if len(j.flags) < 800 {
		return fmt.Errorf("PrintFlagsFinal lists %d flags, and a JVM has over 800: has its form changed?", len(j.flags))
	}
	return nil
}

// spanOfType is what a type holds by itself; a range equal to it says nothing.
var spanOfType = map[string]string{
	"int":      "-2147483648..2147483647",
	"uint":     "0..4294967295",
	"intx":     "-9223372036854775808..9223372036854775807",
	"uintx":    "0..18446744073709551615",
	"size_t":   "0..18446744073709551615",
	"uint64_t": "0..18446744073709551615",
}

func (j *jvm) listLog(ctx context.Context) error {
	help, err := j.print(ctx, "-Xlog:help")
	if err != nil {
		return err
	}
	j.tags, j.decorate = map[string]bool{"all": true}, map[string]bool{"none": true}
	for _, m := range logList.FindAllStringSubmatch(help, -1) {
		for _, word := range strings.Split(m[2], ",") {
			long, short, _ := strings.Cut(strings.TrimSpace(word), " (")
			if m[1] == "tags" {
				j.tags[long] = true
				continue
			}
			j.decorate[long] = true
			j.decorate[strings.TrimSuffix(short, ")")] = true
		}
	}
	if len(j.tags) < 50 || len(j.decorate) < 10 {
		return errors.New("-Xlog:help lists too few tags or decorators: has its form changed?")
	}
	return nil
}

// print returns the output of a start that must succeed.
func (j *jvm) print(ctx context.Context, args ...string) (string, error) {
	answer, err := j.start(ctx, args...)
	if err != nil {
		return "", err
	}
	if answer.ExitCode != 0 {
		return "", fmt.Errorf("java %s: exit code %d: %s", strings.Join(args, " "), answer.ExitCode, answer.Output)
	}
	return answer.Output, nil
}

// start runs this JVM in a directory of its own, because some options leave
// files there.
func (j *jvm) start(ctx context.Context, args ...string) (realjvm.Answer, error) {
	dir, err := os.MkdirTemp("", "gentable")
	if err != nil {
		return realjvm.Answer{}, err
	}
	defer os.RemoveAll(dir)
	return realjvm.Start(ctx, j.java(), dir, args...)
}
