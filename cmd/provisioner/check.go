package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/internal/strictyaml"
	"github.com/batchctl/batchctl/store"
)

func checkCommand(io *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Try everything that serve needs, and say what is missing",
		Long: `Check reads the configuration and tries everything that is named in it: the
store, each Jenkins with the permissions of its user, each cloud, and whether
the pools fit the catalog. It says what is missing, and how to grant it.

It changes as little as can be. It opens the store as serve does, which makes
its tables or brings them up to date. In each Jenkins it makes one node that
no run can use, and deletes it again. It ends with 1 if something FAILs.`,
		Args: noArgs,
	}
	config := configFlag(cmd, io)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c := &checker{out: io.out}
		c.all(cmd.Context(), *config)
		if c.failed > 0 {
			return &exitCode{code: exitError}
		}
		return nil
	}
	return cmd
}

// callTime bounds each call to something outside.
const callTime = 10 * time.Second

// checker tries things and tells what came of it.
type checker struct {
	out                    io.Writer
	passed, warned, failed int

	cfg  Config
	db   *store.DB        // nil: it could not be opened
	jobs *catalog.Catalog // nil: there is none
	java int              // the least release of Java that the controllers' agents run with
}

// ok, note, warn and fail write a line about a thing; hints are the way out.
func (c *checker) ok(thing, message string)   { c.passed++; c.line("ok", thing, message) }
func (c *checker) note(thing, message string) { c.line("note", thing, message) }
func (c *checker) warn(thing, message string, hints ...string) {
	c.warned++
	c.line("warn", thing, message, hints...)
}
func (c *checker) fail(thing, message string, hints ...string) {
	c.failed++
	c.line("FAIL", thing, message, hints...)
}
func (c *checker) line(mark, thing, message string, hints ...string) {
	fmt.Fprintf(c.out, "%-4s  %s: %s\n", mark, thing, strings.Join(strings.Fields(message), " "))
	for _, h := range hints {
		fmt.Fprintf(c.out, "      %s\n", h)
	}
}

// all makes all checks, in the order in which one depends on the other.
func (c *checker) all(ctx context.Context, path string) {
	if c.configuration(path) {
		c.key()
		c.store(ctx)
		c.catalog(ctx)
		for _, name := range slices.Sorted(maps.Keys(c.cfg.Controllers)) {
			c.controller(ctx, name, c.cfg.Controllers[name])
		}
		for _, name := range slices.Sorted(maps.Keys(c.cfg.Clouds)) {
			c.cloud(ctx, name, c.cfg.Clouds[name])
		}
		c.pools()
		c.machinesURL(ctx)
		if c.db != nil {
			_ = c.db.Close() // what was written has been read back
		}
	}
	fmt.Fprintf(c.out, "%d ok, %s, %d failed\n", c.passed, counted(c.warned, "warning"), c.failed)
}

func (c *checker) configuration(path string) bool {
	var err error
	if c.cfg, err = Load(path); err == nil {
		c.ok("configuration", path)
		return true
	}
	problems, _ := errors.AsType[strictyaml.Problems](err)
	c.fail("configuration", counted(len(problems), "problem"), strings.Split(err.Error(), "\n")...)
	return false
}

// key says where the key is. Load has read it already; where it is not there
// yet only its directory can be tried.
func (c *checker) key() {
	if _, err := os.Lstat(c.cfg.KeyFile); err == nil {
		c.ok("key file", c.cfg.KeyFile)
	} else if err := tryDirectory(filepath.Dir(c.cfg.KeyFile)); err != nil {
		c.fail("key file", fmt.Sprintf("%s is not there yet, and the first start cannot make it: %v", c.cfg.KeyFile, err),
			"make its directory, and let the provisioner's user write there")
	} else {
		c.ok("key file", c.cfg.KeyFile+" is not there yet; the first start makes it")
	}
}

// within runs f with a time limit, also where f does not heed its context.
func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("no answer within %s: %w", callTime, ctx.Err())
	}
}
