package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
)

// A server that is gone gives errors that say so, and all works again when it
// is back, at the first call.
func TestServerGone(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	db := open(t, server.URL)
	ctx := t.Context()
	l, err := db.Add(ctx, nodes.Lease{ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	calls := func() map[string]error {
		// All connections are in use once, so that all are in the pool.
		var all sync.WaitGroup
		for range connections {
			all.Go(func() { _, _ = db.Leases(ctx) })
		}
		o := nodes.Order{ID: "o"}
		bad := l
		bad.Order, bad.Version = o.ID, -1
		_, read := db.Leases(ctx)
		_, add := db.Add(ctx, nodes.Lease{ID: "b"})
		_, update := db.Update(ctx, bad)
		_, _, place := db.Place(ctx, o, []nodes.Lease{bad}, nodes.Limits{})
		_, runs := db.Runs(ctx, nodes.RunsFilter{Job: "*"})
		all.Wait()
		return map[string]error{"Leases": read, "Add": add, "Update": update, "Place": place, "Runs": runs}
	}
	calls()
	for _, mode := range []string{"fast", "immediate"} {
		server.Stop(t, mode)
		for name, err := range calls() {
			if err == nil {
				t.Errorf("%s gives no error without a server", name)
				continue
			}
			wantText(t, err.Error(), "PostgreSQL database postgres at 127.0.0.1:", "start the server", "work goes on by itself")
		}
		server.Start(t)
		for name, err := range calls() {
			if err != nil && !errors.Is(err, nodes.ErrTaken) && !errors.Is(err, nodes.ErrConflict) {
				t.Errorf("%s after the server is back: %v", name, err)
			}
		}
		// Nobody has called meanwhile: the pool is full of dead connections.
		server.Stop(t, mode)
		server.Start(t)
		if l, err = db.Update(ctx, l); err != nil {
			t.Error(err)
		}
	}
}

// What the server rolled back for another's sake is done again; what it could
// not do is explained.
func TestServerRefuses(t *testing.T) {
	db := open(t, testenv.PostgreSQL(t))
	for _, c := range []struct {
		code, hint string // no hint: the transaction is repeated
	}{
		{code: "40001"},
		{code: "40P01"},
		{"53100", "make room on the server's disk; work goes on by itself then"},
		{"53300", "raise the server's max_connections"},
		{"25006", "name the primary"},
		{"42501", "look at user, password and database"},
		{"57P03", "the server is starting or stopping"},
	} {
		refuse := func(tx tx) error {
			_, err := tx.exec("DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '" + c.code + "'; END $$")
			return err
		}
		n := 0
		err := db.write(t.Context(), func(tx tx) error {
			if n++; n > 1 {
				return nil
			}
			return refuse(tx)
		})
		if c.hint == "" && (err != nil || n != 2) {
			t.Errorf("%s: %v after %d tries, want the second to do it", c.code, err, n)
		}
		if c.hint != "" {
			wantText(t, fmt.Sprint(err), db.String(), "refused", c.hint)
		}
		if err := db.write(t.Context(), refuse); err == nil {
			t.Errorf("%s: no error although the server always refuses", c.code)
		}
	}
}
