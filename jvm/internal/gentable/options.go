package main

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

// options.tsv lists the launcher options to ask about; no JVM lists its own.
//
//go:embed options.tsv
var optionList string

// option is one line of options.tsv.
type option struct {
	spelling string   // "-Xmx", "--add-opens=": where the option begins with it, or is it
	form     string   // exact, prefix, size, …; see the head of options.tsv
	probe    []string // a good use of it, to start a JVM with
}

func options() []option {
	var list []option
	for line := range strings.Lines(optionList) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		list = append(list, option{field[0], field[1], strings.Fields(field[2])})
	}
	return list
}

var (
	optionRemoved    = regexp.MustCompile(`(?i)ignoring option \S+; support was removed in (\d+)|is obsolete and no longer supported|no longer supported\.|COMPAT locale provider has been removed`)
	optionDeprecated = regexp.MustCompile(`(?i)deprecated in (?:JDK |version )?(\d+)|option is deprecated|is deprecated\. Will use|WARNING: A command line option has enabled|JRE will be removed|COMPAT locale provider will be removed`)
)

// probeOptions starts the JVM once for each launcher option.
func (j *jvm) probeOptions(ctx context.Context) error {
	j.options = map[string]string{}
	for _, o := range options() {
		answer, err := j.start(ctx, append(append([]string{"-Xmx64m"}, o.probe...), "-version")...)
		if err != nil {
			return fmt.Errorf("%s: %w", o.spelling, err)
		}
		switch {
		case o.form == "exits" && answer.ExitCode == 0:
			j.options[o.spelling] = "ok" // its output is a help text, which speaks of other options
		case o.form == "file" && !strings.Contains(answer.Output, "Unrecognized"):
			j.options[o.spelling] = "ok"
		case answer.ExitCode != 0 && strings.Contains(answer.Output, "Unrecognized"):
			j.options[o.spelling] = "-"
		case answer.ExitCode != 0: // known, and refused with a message of its own
			j.options[o.spelling] = "refused"
		case optionRemoved.MatchString(answer.Output):
			j.options[o.spelling] = with("obsolete", "=", optionRemoved.FindStringSubmatch(answer.Output)[1])
		case optionDeprecated.MatchString(answer.Output):
			j.options[o.spelling] = "ok;deprecated" + with("=", "", optionDeprecated.FindStringSubmatch(answer.Output)[1])
		default:
			j.options[o.spelling] = "ok"
		}
	}
	return nil
}
