package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// Leases implements nodes.Store. It is asked several times a second, and most
// leases are as they were: what was decoded of a version is kept until the
// next call, which is most of the work.
func (db *DB) Leases(ctx context.Context) ([]nodes.Lease, error) {
	db.mu.Lock()
	known := db.decoded
	db.mu.Unlock()
	var leases []nodes.Lease
	err := db.read(ctx, func() error {
		leases = make([]nodes.Lease, 0, len(known))
		rows, err := db.query(ctx, "SELECT id, version, doc FROM leases WHERE state <> 'gone' ORDER BY created, id")
		var id string
		var version int64
		var doc sql.RawBytes
		return each(rows, err, func() error {
			if err := rows.Scan(&id, &version, &doc); err != nil {
				return err
			}
			l, ok := known[id]
			if !ok || l.Version != version {
				var err error
				if l, err = decode(doc); err != nil {
					return err
				}
			}
			leases = append(leases, l)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	decoded := make(map[string]nodes.Lease, len(leases))
	for _, l := range leases {
		decoded[l.ID] = l
	}
	db.mu.Lock()
	db.decoded = decoded
	db.mu.Unlock()
	return leases, nil
}

// History implements nodes.Store.
func (db *DB) History(ctx context.Context, k nodes.RunKey) ([]nodes.Lease, error) {
	leases, err := db.leases(ctx, `SELECT doc FROM leases WHERE job = ? AND job <> '' AND number = ? AND controller = ?
		ORDER BY created, id`, nodes.StoredText(k.Job), k.Number, nodes.StoredText(k.Controller))
	if err != nil {
		return nil, fmt.Errorf("read history of run %s#%d: %w", k.Job, k.Number, err)
	}
	return leases, nil
}

// leases returns the leases that a query gives the documents of.
func (db *DB) leases(ctx context.Context, query string, args ...any) (leases []nodes.Lease, err error) {
	err = db.read(ctx, func() error {
		leases = nil
		rows, err := db.query(ctx, query, args...)
		return eachDoc(rows, err, func(l nodes.Lease) { leases = append(leases, l) })
	})
	return leases, err
}

// eachDoc decodes the lease of every row.
func eachDoc(rows *sql.Rows, err error, f func(nodes.Lease)) error {
	var doc sql.RawBytes
	return each(rows, err, func() error {
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		l, err := decode(doc)
		if err == nil {
			f(l)
		}
		return err
	})
}

func decode(doc []byte) (l nodes.Lease, err error) {
	if err := json.Unmarshal(doc, &l); err != nil {
		return l, fmt.Errorf("decode a lease: %w", err)
	}
	return l, nil
}

// Boots implements nodes.Store.
func (db *DB) Boots(ctx context.Context, pool string, n int) (took []time.Duration, err error) {
	err = db.read(ctx, func() error {
		took = nil
		rows, err := db.query(ctx, `SELECT doc FROM leases WHERE pool = ? AND online IS NOT NULL
			ORDER BY online DESC, id DESC LIMIT ?`, nodes.StoredText(pool), max(n, 0))
		return eachDoc(rows, err, func(l nodes.Lease) { took = append(took, l.Boot()) })
	})
	if err != nil {
		return nil, fmt.Errorf("read boots of pool %s: %w", pool, err)
	}
	return took, nil
}

// Order implements nodes.Store.
func (db *DB) Order(ctx context.Context, id string) (o nodes.Order, err error) {
	err = db.read(ctx, func() error {
		var doc []byte
		if err := db.queryRow(ctx, "SELECT doc FROM orders WHERE id = ?", nodes.StoredText(id)).Scan(&doc); err != nil {
			return notFound(err)
		}
		o = nodes.Order{}
		return json.Unmarshal(doc, &o)
	})
	if err != nil {
		return nodes.Order{}, fmt.Errorf("read order %s: %w", id, err)
	}
	return o, nil
}

// notFound turns the lack of a row into nodes.ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nodes.ErrNotFound
	}
	return err
}

// Add implements nodes.Store.
func (db *DB) Add(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	l = nodes.StoredLease(l)
	l.State, l.Version = nodes.Wanted, 1
	err := errors.New("it has no ID")
	if l.ID != "" {
		err = db.write(ctx, func(tx tx) error { return tx.add(&l) })
	}
	if err != nil {
		return nodes.Lease{}, fmt.Errorf("add lease %s: %w", l.ID, err)
	}
	return l, nil
}

func (t tx) add(l *nodes.Lease) error {
	values, err := columns(l)
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO leases (version, state, controller, job, number, started, attempt, pool, team,
		cloud, vm, order_id, created, since, online, doc, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(values, l.ID)...); err != nil {
		return err
	}
	return t.note(l)
}

// Update implements nodes.Store.
func (db *DB) Update(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	l = nodes.StoredLease(l)
	next := l
	next.Version++
	err := db.write(ctx, func(tx tx) error {
		var state nodes.State
		var reason string
		err := tx.queryRow("SELECT state, doc ->> 'reason' FROM leases WHERE id = ? AND version = ?"+db.forUpdate, l.ID, l.Version).
			Scan(&state, &reason)
		if errors.Is(err, sql.ErrNoRows) {
			return nodes.ErrConflict
		}
		if err != nil {
			return err
		}
		return tx.put(&next, state, reason)
	})
	if err != nil {
		return nodes.Lease{}, fmt.Errorf("update lease %s: %w", l.ID, err)
	}
	return next, nil
}

// put replaces a row that is there, and that no other transaction can change.
// State and reason are what the row says now.
func (t tx) put(l *nodes.Lease, state nodes.State, reason string) error {
	values, err := columns(l)
	if err != nil {
		return err
	}
	// The version is checked once more: what cannot happen shall not be stored.
	n, err := t.exec(`UPDATE leases SET version = ?, state = ?, controller = ?, job = ?, number = ?, started = ?, attempt = ?,
		pool = ?, team = ?, cloud = ?, vm = ?, order_id = ?, created = ?, since = ?, online = ?, doc = ?
		WHERE id = ? AND version = ?`, append(values, l.ID, l.Version-1)...)
	if err != nil {
		return err
	}
	if n != 1 {
		return nodes.ErrConflict
	}
	if l.State == state && l.Reason == reason {
		return nil
	}
	return t.note(l)
}

// columns returns the values of a row but the ID.
func columns(l *nodes.Lease) ([]any, error) {
	doc, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	var online any
	if !l.Online.IsZero() {
		online = micros(l.Online)
	}
	return []any{l.Version, string(l.State), l.Controller, l.Job, l.Number, l.Started, l.Attempt,
		l.Pool, l.Team, l.Cloud, l.VM, l.Order, micros(l.Created), micros(l.Since), online, string(doc)}, nil
}

// note stores an entry of a lease's timeline.
func (t tx) note(l *nodes.Lease) error {
	_, err := t.exec("INSERT INTO events (lease, version, at, state, reason, place) VALUES (?, ?, ?, ?, ?, ?)",
		l.ID, l.Version, micros(l.Changed), string(l.State), l.Reason, l.Place)
	return err
}
