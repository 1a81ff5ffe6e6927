// Batchctl turns a tree of YAML into Jenkins jobs: it resolves each batch
// through its layers, checks it, says where every value comes from, and
// renders the Job DSL that a seed job applies.
//
// One file holds one verb; main.go and root.go hold what all of them share.
package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
)

func main() {
	// A run is short and drops most of what it makes: it collects garbage
	// only when that has grown to a bound.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(140 << 20)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// keepsAll is for verbs that hold a whole tree in memory, and not one leaf
// after the other: under that bound they would collect garbage all the time.
func keepsAll() {
	debug.SetMemoryLimit(math.MaxInt64)
	debug.SetGCPercent(100)
}

// Exit codes, the same for all verbs.
const (
	exitError = 1 // the tree has errors, or something could not be done
	exitUsage = 2 // wrong use; for render --check also: the directory differs

	exitDiffers = 2 // for diff --exit-code: there are differences

	exitUndecided = 3 // for migrate: something is left to a person
)

// run is the whole program: it returns the exit code, and prints every error
// once.
func run(args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return 0
	}
	var exit *exitCode
	if errors.As(err, &exit) {
		if exit.err != nil {
			fmt.Fprintln(stderr, "batchctl:", exit.err)
		}
		return exit.code
	}
	fmt.Fprintln(stderr, "batchctl:", err)
	return exitError
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
