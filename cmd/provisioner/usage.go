package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Exit codes, the same for all verbs.
const (
	exitError = 1 // something is wrong with the configuration, or could not be done
	exitUsage = 2 // wrong use
)

// counted writes a number of things: 1 problem, 2 problems. Where an s does
// not do it the plural is given.
func counted(n int, thing string, plural ...string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case len(plural) > 0:
		return fmt.Sprintf("%d %s", n, plural[0])
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// exitCode is an error with an exit code of its own; err may be nil when all
// has been said.
type exitCode struct {
	code int
	err  error
}

func (e *exitCode) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitCode) Unwrap() error { return e.err }

// usagef is an error of the caller's.
func usagef(format string, args ...any) error {
	return &exitCode{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// noArgs refuses arguments, with the nearest verb for a misspelt one.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		message := fmt.Sprintf("there is no verb %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return usagef("%s; did you mean %s?", message, near[0])
		}
		return usagef("%s (see provisioner --help)", message)
	}
	return usagef("%s takes no arguments, and got %q", cmd.Name(), args[0])
}
