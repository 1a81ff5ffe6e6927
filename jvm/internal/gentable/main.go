// Gentable writes jvm/table.tsv: what each of the four real JVMs answers to
// every -XX flag, launcher option and -Xlog tag that is known to any of them.
//
// It takes nothing from documentation. The names come from the JVMs
// themselves (see names.go), and the verdict on each name is the JVM's own.
// docs/jvm-table.md explains the states. Two runs write the same bytes.
//
// Usage: gentable [-o table.tsv] [-jdks DIRECTORY]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/batchctl/batchctl/internal/testenv"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	flags := flag.NewFlagSet("gentable", flag.ContinueOnError)
	out := flags.String("o", "table.tsv", "file to write")
	jdks := flags.String("jdks", filepath.Join(testenv.Cache(), "jdk"), "directory that has one JVM per release, as scripts/tools.sh installs them")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := generate(context.Background(), *jdks, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gentable:", err)
		return 1
	}
	return 0
}

// generate asks the JVMs, two at a time, and writes the table.
func generate(ctx context.Context, jdks, out string) error {
	jvms := make([]*jvm, len(testenv.JVMs))
	for i, feature := range testenv.JVMs {
		jvms[i] = &jvm{home: filepath.Join(jdks, strconv.Itoa(feature))}
	}
	if err := each(ctx, jvms, (*jvm).list); err != nil {
		return err
	}
	names := candidates(jvms)
	err := each(ctx, jvms, func(j *jvm, ctx context.Context) error { return j.ask(ctx, names) })
	if err != nil {
		return err
	}
	text, err := table(jvms)
	if err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644)
}

// each runs do for all JVMs, at most two at once, which is what a small CI
// machine has cores for.
func each(ctx context.Context, jvms []*jvm, do func(*jvm, context.Context) error) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	errs := make([]error, len(jvms))
	for i, j := range jvms {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := do(j, ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", j.home, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
