package nodetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

var errNoID = errors.New("it has no ID")

// Place implements nodes.Store.
func (m *MemStore) Place(ctx context.Context, o nodes.Order, leases []nodes.Lease, lim nodes.Limits) ([]nodes.Lease, []nodes.Over, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.history(leases)
	placed, over, err := m.place(ctx, o, leases, lim)
	if err != nil {
		m.restore(before)
		return nil, nil, fmt.Errorf("place order %s: %w", o.ID, err)
	}
	return placed, over, nil
}

func (m *MemStore) place(ctx context.Context, o nodes.Order, leases []nodes.Lease, lim nodes.Limits) (placed []nodes.Lease, over []nodes.Over, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if err := nodes.CheckPlace(o, leases); err != nil {
		return nil, nil, err
	}
	o = nodes.StoredOrder(o)
	for _, l := range leases {
		l = nodes.StoredLease(l)
		old, ok := m.leases[l.ID]
		if !ok || old.Version != l.Version {
			continue
		}
		l.State, l.Index = nodes.Launching, len(placed)
		m.usage.Add(&old, -1)
		limit, full := m.usage.Over(&l, lim)
		m.usage.Add(&old, 1)
		if limit != "" {
			over = append(over, nodes.Over{Lease: old, Full: full, Limit: limit})
			continue
		}
		l.Version++
		if err := m.change(&l); err != nil {
			return nil, nil, fmt.Errorf("lease %s: %w", l.ID, err)
		}
		placed = append(placed, l)
	}
	if len(placed) == 0 {
		return nil, over, nil
	}
	if _, ok := m.orders[o.ID]; ok {
		return nil, nil, fmt.Errorf("its ID: %w", nodes.ErrTaken)
	}
	o.Count = len(placed)
	m.orders[o.ID] = o
	return placed, over, nil
}

// life is a lease and its timeline.
type life struct {
	lease  nodes.Lease
	events []nodes.Event
}

// history returns what is stored of the given leases.
func (m *MemStore) history(leases []nodes.Lease) []life {
	var lives []life
	for i := range leases {
		if l, ok := m.leases[nodes.StoredText(leases[i].ID)]; ok {
			lives = append(lives, life{l, m.events[l.ID]})
		}
	}
	return lives
}

// restore undoes the changes since history. All leases go before any comes
// back, so that none meets the new keys of another.
func (m *MemStore) restore(lives []life) {
	for i := range lives {
		m.remove(lives[i].lease.ID)
	}
	for i := range lives {
		m.put(&lives[i].lease)
		m.events[lives[i].lease.ID] = lives[i].events
	}
}

// Order implements nodes.Store.
func (m *MemStore) Order(ctx context.Context, id string) (nodes.Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nodes.Order{}, fmt.Errorf("read order %s: %w", id, err)
	}
	o, ok := m.orders[nodes.StoredText(id)]
	if !ok {
		return nodes.Order{}, fmt.Errorf("read order %s: %w", id, nodes.ErrNotFound)
	}
	return o, nil
}

// History implements nodes.Store.
func (m *MemStore) History(ctx context.Context, k nodes.RunKey) ([]nodes.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read history of %s#%d: %w", k.Job, k.Number, err)
	}
	k.Controller, k.Job = nodes.StoredText(k.Controller), nodes.StoredText(k.Job)
	return m.get(m.runs[k]), nil
}

// Boots implements nodes.Store.
func (m *MemStore) Boots(ctx context.Context, pool string, n int) ([]time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read boots of pool %s: %w", pool, err)
	}
	booted := m.booted[nodes.StoredText(pool)]
	var took []time.Duration
	for i := len(booted) - 1; i >= 0 && len(took) < n; i-- {
		l := m.leases[booted[i].id]
		took = append(took, l.Boot())
	}
	return took, nil
}
