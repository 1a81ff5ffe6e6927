// Provisioner gives every run of a batch its own freshly made machine, and
// takes it away after: one run, one node, never used again.
//
// Config is what it is told, Load reads that. serve.go puts the parts
// together, check*.go tries them one by one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/batchctl/batchctl/internal/strictyaml"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], &streams{os.Stdin, os.Stdout, os.Stderr, os.Getenv})
	stop()
	os.Exit(code)
}

// streams is what a verb has of the outside.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// run is the whole program: it returns the exit code, and prints every error
// once.
func run(ctx context.Context, args []string, io *streams) int {
	root := rootCommand(io)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if problems, ok := errors.AsType[strictyaml.Problems](err); ok {
		fmt.Fprintln(io.err, problems)
		fmt.Fprintln(io.err, counted(len(problems), "problem"))
		return exitError
	}
	code := exitError
	if exit, ok := errors.AsType[*exitCode](err); ok {
		code = exit.code
		if exit.err == nil {
			return code
		}
	}
	fmt.Fprintln(io.err, "provisioner:", err)
	return code
}
