package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// fault is what an error of a database means.
type fault struct {
	taken string // what another lease or order has that the change wanted
	again bool   // the transaction was rolled back and may be repeated at once
	lost  bool   // the connection is not there any more
	hint  string // the way out, for people
}

// rules says what the unique indexes guard.
var rules = map[string]string{
	"leases_run_held": "its run",
	"leases_attempt":  "its attempt of the run",
	"leases_machine":  "its machine",
}

// tries is how often a transaction is tried. A restart of the server leaves
// that many dead connections in the pool at most.
const tries = connections + 2

// tx is a transaction that writes.
type tx struct {
	*sql.Tx
	db  *DB
	ctx context.Context
}

// write runs f in a transaction, and again from the start where that cannot
// have had an effect: f sets its results anew each time.
func (db *DB) write(ctx context.Context, f func(tx tx) error) error {
	for try := 1; ; try++ {
		committing, err := db.attempt(ctx, f)
		if err == nil {
			return nil
		}
		fault := db.classify(err)
		if fault.taken != "" {
			return fmt.Errorf("%s: %w", fault.taken, nodes.ErrTaken)
		}
		if try == tries || ctx.Err() != nil || !fault.again && (!fault.lost || committing) || isAnswer(err) {
			return db.explain(ctx, err)
		}
	}
}

// attempt runs f in a transaction once. If committing is true an error leaves
// open whether the transaction has happened.
func (db *DB) attempt(ctx context.Context, f func(tx tx) error) (committing bool, err error) {
	t, err := db.writer.BeginTx(ctx, &sql.TxOptions{Isolation: db.isolation})
	if err != nil {
		return false, err
	}
	if err := f(tx{t, db, ctx}); err != nil {
		_ = t.Rollback() // what f says matters; a connection that cannot roll back is dropped
		return false, err
	}
	return true, t.Commit()
}

// read runs f, and again where the connection was lost: reading twice is no
// harm. f sets its results anew each time.
func (db *DB) read(ctx context.Context, f func() error) error {
	for try := 1; ; try++ {
		err := f()
		if err == nil {
			return nil
		}
		if try == tries || ctx.Err() != nil || !db.classify(err).lost || isAnswer(err) {
			return db.explain(ctx, err)
		}
	}
}

// isAnswer reports whether an error says how things stand, and not that the
// database is broken.
func isAnswer(err error) bool {
	return errors.Is(err, nodes.ErrConflict) || errors.Is(err, nodes.ErrTaken) || errors.Is(err, nodes.ErrNotFound)
}

// explain adds the database's name and the way out to an error that is about
// the database.
func (db *DB) explain(ctx context.Context, err error) error {
	if isAnswer(err) {
		return err
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%s: %w", db.name, cause)
	}
	if hint := db.classify(err).hint; hint != "" {
		return fmt.Errorf("%s: %w (%s)", db.name, err, hint)
	}
	return fmt.Errorf("%s: %w", db.name, err)
}

func (t tx) exec(query string, args ...any) (rows int64, err error) {
	result, err := t.ExecContext(t.ctx, t.db.bind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t tx) query(query string, args ...any) (*sql.Rows, error) {
	return t.QueryContext(t.ctx, t.db.bind(query), args...)
}

func (t tx) queryRow(query string, args ...any) *sql.Row {
	return t.QueryRowContext(t.ctx, t.db.bind(query), args...)
}

// lock lets one transaction at a time go on that names the table. In SQLite
// there is only one that writes.
func (t tx) lock(table string) error {
	if t.db.dialect.lock == "" {
		return nil
	}
	_, err := t.exec(t.db.dialect.lock, table)
	return err
}

func (db *DB) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return db.reader.QueryContext(ctx, db.bind(query), args...)
}

func (db *DB) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return db.reader.QueryRowContext(ctx, db.bind(query), args...)
}

// each calls scan for every row.
func each(rows *sql.Rows, err error, scan func() error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// micros is how a time is kept in a column.
func micros(t time.Time) int64 { return t.UnixMicro() }

// timeOf is the opposite of micros.
func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
