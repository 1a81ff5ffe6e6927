package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/batchctl/batchctl/internal/strictyaml"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/store"
)

// leastFree is the free disk space below which a warning is due: leases are
// small, but a full disk stops everything.
const leastFree = 1 << 30

func (c *checker) store(ctx context.Context) {
	url, err := c.cfg.StoreURL()
	if err != nil {
		c.fail("store", err.Error())
		return
	}
	var db *store.DB
	err = within(ctx, func(ctx context.Context) (err error) {
		db, err = store.Open(ctx, url.Reveal())
		return err
	})
	if err != nil {
		c.fail("store", err.Error())
		return
	}
	if err := within(ctx, func(ctx context.Context) error { return writeAndRead(ctx, db) }); err != nil {
		c.fail("store", err.Error())
		return
	}
	c.db = db
	c.ok("store", db.String()+": its tables are up to date; written and read back")
	if path, ok := strings.CutPrefix(c.cfg.Store, "sqlite:"); ok {
		c.disk("store", filepath.Dir(path))
	}
}

// writeAndRead drains a pool that cannot be, as no configuration may name it
// so, and takes that back.
func writeAndRead(ctx context.Context, db *store.DB) (err error) {
	pool := "(provisioner check " + rand.Text() + ")"
	if err := db.Drain(ctx, pool, "provisioner check", "to see that the store takes it", time.Now()); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, db.Resume(context.WithoutCancel(ctx), pool))
	}()
	drained, err := db.Drained(ctx)
	if _, has := drained[pool]; err == nil && !has {
		err = errors.New("what was written is not there when it is read; see whether the URL names a replica")
	}
	return err
}

// disk warns where a directory's file system is nearly full.
func (c *checker) disk(thing, dir string) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		c.warn(thing, fmt.Sprintf("the free space of %s is not known: %v", dir, err))
		return
	}
	if free := uint64(fs.Bavail) * uint64(fs.Bsize); free < leastFree {
		c.warn(thing, fmt.Sprintf("only %d MiB are free in %s", free>>20, dir), "make room: with a full disk no run gets a machine")
	}
}

// tryDirectory writes a file into a directory and takes it away again.
func tryDirectory(dir string) error {
	f, err := os.CreateTemp(dir, ".provisioner-check-*")
	if err != nil {
		return plain(err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString("to see whether this user may write here\n")
	return errors.Join(err, f.Close())
}

// catalog reads the catalog from where serve will have it.
func (c *checker) catalog(ctx context.Context) {
	if c.cfg.Catalog != "" {
		read, err := readCatalog(c.cfg.Catalog)
		if err != nil {
			c.fail("catalog", err.Error(), "render it again: batchctl render writes it")
			return
		}
		c.jobs = &read
		c.ok("catalog", fmt.Sprintf("%s: %s", c.cfg.Catalog, counted(len(read.Jobs), "job")))
		return
	}
	if c.db == nil {
		return // said already
	}
	err := within(ctx, func(ctx context.Context) error {
		stored, version, _, _, err := c.db.Catalog(ctx)
		if err == nil {
			c.jobs = &stored
			c.ok("catalog", fmt.Sprintf("version %d in the store: %s", version, counted(len(stored.Jobs), "job")))
		}
		return err
	})
	switch {
	case errors.Is(err, nodes.ErrNotFound):
		c.warn("catalog", "none has been pushed yet, and without one no run gets a machine", "let the seed job push it, or name its file with catalog")
	case err != nil:
		c.fail("catalog", err.Error())
	}
}

// near is a hint with the nearest name, or with all names.
func near(name string, names []string) string {
	if n := strictyaml.Nearest(name, names); n != "" {
		return "did you mean " + n + "?"
	}
	return "there are: " + strings.Join(names, ", ")
}
