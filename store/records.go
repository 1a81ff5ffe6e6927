package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/batchctl/batchctl/nodes"
)

// Timeline returns the entries of a lease's timeline, oldest first. A lease
// that is not there has none.
func (db *DB) Timeline(ctx context.Context, lease string) (events []nodes.Event, err error) {
	err = db.read(ctx, func() error {
		events = nil
		rows, err := db.query(ctx, "SELECT lease, at, state, reason, place FROM events WHERE lease = ? ORDER BY version", nodes.StoredText(lease))
		return each(rows, err, func() error {
			var e nodes.Event
			var at int64
			if err := rows.Scan(&e.Lease, &at, &e.State, &e.Reason, &e.Place); err != nil {
				return err
			}
			e.At = timeOf(at)
			events = append(events, e)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read timeline of lease %s: %w", lease, err)
	}
	return events, nil
}

// Lease returns a lease, also one that is gone, or nodes.ErrNotFound.
func (db *DB) Lease(ctx context.Context, id string) (nodes.Lease, error) {
	leases, err := db.leases(ctx, "SELECT doc FROM leases WHERE id = ?", nodes.StoredText(id))
	if err == nil && len(leases) == 0 {
		err = nodes.ErrNotFound
	}
	if err != nil {
		return nodes.Lease{}, fmt.Errorf("read lease %s: %w", id, err)
	}
	return leases[0], nil
}

// Runs returns the leases of runs, gone ones too, newest first by Created,
// then ID. Spares have no run and are left out.
func (db *DB) Runs(ctx context.Context, f nodes.RunsFilter) (leases []nodes.Lease, err error) {
	if !doublestar.ValidatePattern(f.Job) {
		return nil, fmt.Errorf("read runs: job %q is not a glob", f.Job)
	}
	before, limit := int64(math.MaxInt64), math.MaxInt32
	if !f.Before.IsZero() {
		before = micros(nodes.StoredTime(f.Before))
	}
	if f.Limit > 0 {
		limit = f.Limit
	}
	id := nodes.StoredText(f.BeforeID)
	const newest = " AND job <> '' AND (created, id) < (?, ?) ORDER BY created DESC, id DESC LIMIT ?"
	switch {
	case f.Job == "":
		leases, err = db.leases(ctx, "SELECT doc FROM leases WHERE true"+newest, before, id, limit)
	case !strings.ContainsAny(f.Job, `*?[{\`):
		leases, err = db.leases(ctx, "SELECT doc FROM leases WHERE job = ?"+newest, nodes.StoredText(f.Job), before, id, limit)
	default:
		var ids []string
		if ids, err = db.matching(ctx, f.Job, limit, "SELECT id, job FROM leases WHERE true"+newest, before, id, math.MaxInt32); err == nil {
			leases, err = db.byID(ctx, ids)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return leases, nil
}

// matching returns the IDs of the first leases whose job matches a glob. It
// reads an index and no documents, since it may have to look through all.
func (db *DB) matching(ctx context.Context, glob string, limit int, query string, args ...any) (ids []string, err error) {
	err = db.read(ctx, func() error {
		ids = nil
		rows, err := db.query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var id string
		var job sql.RawBytes
		for len(ids) < limit && rows.Next() {
			if err := rows.Scan(&id, &job); err != nil {
				return err
			}
			if path := string(job); path == glob || doublestar.MatchUnvalidated(glob, path) {
				ids = append(ids, id)
			}
		}
		return rows.Err()
	})
	return ids, err
}

// byID returns leases by their IDs, newest first, but those that were
// forgotten meanwhile.
func (db *DB) byID(ctx context.Context, ids []string) (leases []nodes.Lease, err error) {
	for chunk := range slices.Chunk(ids, 500) {
		var args []any
		for _, id := range chunk {
			args = append(args, id)
		}
		some, err := db.leases(ctx, "SELECT doc FROM leases WHERE id IN (?"+strings.Repeat(", ?", len(args)-1)+") ORDER BY created DESC, id DESC", args...)
		if err != nil {
			return nil, err
		}
		leases = append(leases, some...)
	}
	return leases, nil
}

// Prune forgets leases that are gone and ended before the given time, with
// their timelines, and the orders from before that time that no lease is of
// any more. It returns the number of leases.
//
// With a lease the attempt is forgotten that it stood for. So the time has to
// be longer ago than any run that Jenkins may still be at: days, not hours.
// Leases of a run that has another lease not gone are kept in any case.
//
// It works in small transactions, so that others need not wait; after an
// error a part may be done, and the next call does the rest.
func (db *DB) Prune(ctx context.Context, before time.Time) (n int, err error) {
	at := micros(nodes.StoredTime(before))
	for {
		var some int64
		err := db.write(ctx, func(tx tx) (err error) {
			some, err = tx.exec(`DELETE FROM leases WHERE id IN (
				SELECT old.id FROM leases old WHERE old.state = 'gone' AND old.since < ? AND NOT EXISTS (
					SELECT 1 FROM leases live WHERE live.state <> 'gone' AND live.job <> ''
					AND live.job = old.job AND live.number = old.number AND live.controller = old.controller)
				LIMIT 500)`, at)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("forget old leases: %w", err)
		}
		if some == 0 {
			break
		}
		n += int(some)
	}
	err = db.write(ctx, func(tx tx) error {
		_, err := tx.exec("DELETE FROM orders WHERE stored < ? AND NOT EXISTS (SELECT 1 FROM leases WHERE order_id <> '' AND order_id = orders.id)", at)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("forget old orders: %w", err)
	}
	return n, nil
}
