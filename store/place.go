package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/nodes"
)

// Place implements nodes.Store. One Place at a time counts and stores, over
// all programs that have the database open, so their limits hold together.
func (db *DB) Place(ctx context.Context, o nodes.Order, leases []nodes.Lease, lim nodes.Limits) (placed []nodes.Lease, over []nodes.Over, err error) {
	if err = nodes.CheckPlace(o, leases); err == nil {
		err = db.write(ctx, func(tx tx) (err error) {
			placed, over, err = tx.place(nodes.StoredOrder(o), leases, lim)
			return err
		})
	}
	if err != nil {
		return nil, nil, fmt.Errorf("place order %s: %w", o.ID, err)
	}
	return placed, over, nil
}

func (t tx) place(o nodes.Order, leases []nodes.Lease, lim nodes.Limits) (placed []nodes.Lease, over []nodes.Over, err error) {
	if err := t.lock("leases"); err != nil {
		return nil, nil, err
	}
	stored, err := t.stored(leases)
	if err != nil {
		return nil, nil, err
	}
	usage, err := t.usage()
	if err != nil {
		return nil, nil, err
	}
	for _, l := range leases {
		l = nodes.StoredLease(l)
		old, ok := stored[l.ID]
		if !ok || old.Version != l.Version {
			continue
		}
		l.State, l.Index = nodes.Launching, len(placed)
		usage.Add(&old, -1)
		if limit, full := usage.Over(&l, lim); limit != "" {
			usage.Add(&old, 1)
			over = append(over, nodes.Over{Lease: old, Full: full, Limit: limit})
			continue
		}
		usage.Add(&l, 1)
		l.Version++
		if err := t.put(&l, old.State, old.Reason); err != nil {
			return nil, nil, fmt.Errorf("lease %s: %w", l.ID, err)
		}
		stored[l.ID] = l
		placed = append(placed, l)
	}
	if len(placed) == 0 {
		return nil, over, nil
	}
	o.Count = len(placed)
	return placed, over, t.addOrder(&o)
}

// stored returns what is stored of the given leases, and keeps others from
// changing it.
func (t tx) stored(leases []nodes.Lease) (map[string]nodes.Lease, error) {
	stored := make(map[string]nodes.Lease, len(leases))
	for chunk := range slices.Chunk(leases, 500) {
		var ids []any
		for i := range chunk {
			ids = append(ids, nodes.StoredText(chunk[i].ID))
		}
		rows, err := t.query("SELECT doc FROM leases WHERE id IN (?"+strings.Repeat(", ?", len(ids)-1)+") ORDER BY id"+t.db.forUpdate, ids...)
		if err := eachDoc(rows, err, func(l nodes.Lease) { stored[l.ID] = l }); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// usage counts the machines that exist. The condition is State.Outside.
func (t tx) usage() (nodes.Usage, error) {
	usage := nodes.NewUsage()
	rows, err := t.query(`SELECT pool, cloud, team, count(*) FROM leases WHERE state NOT IN ('wanted', 'gone')
		GROUP BY pool, cloud, team`)
	l := nodes.Lease{State: nodes.Busy} // any state that counts
	var n int
	err = each(rows, err, func() error {
		if err := rows.Scan(&l.Pool, &l.Cloud, &l.Team, &n); err != nil {
			return err
		}
		usage.Add(&l, n)
		return nil
	})
	return usage, err
}

func (t tx) addOrder(o *nodes.Order) error {
	doc, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err = t.exec("INSERT INTO orders (id, stored, doc) VALUES (?, ?, ?)", o.ID, micros(o.Stored), string(doc))
	return err
}
