package nodetest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/nodes"
)

var _ Records = (*MemStore)(nil)

// Timeline implements Records.
func (m *MemStore) Timeline(ctx context.Context, id string) ([]nodes.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read timeline of lease %s: %w", id, err)
	}
	return slices.Clone(m.events[nodes.StoredText(id)]), nil
}

// Lease implements Records.
func (m *MemStore) Lease(ctx context.Context, id string) (nodes.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nodes.Lease{}, fmt.Errorf("read lease %s: %w", id, err)
	}
	l, ok := m.leases[nodes.StoredText(id)]
	if !ok {
		return nodes.Lease{}, fmt.Errorf("read lease %s: %w", id, nodes.ErrNotFound)
	}
	return l, nil
}

// Runs implements Records.
func (m *MemStore) Runs(ctx context.Context, f nodes.RunsFilter) ([]nodes.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	if f.Job == "" {
		f.Job = "**"
	}
	if !doublestar.ValidatePattern(f.Job) {
		return nil, fmt.Errorf("read runs: job %q is not a glob", f.Job)
	}
	end := len(m.all)
	if !f.Before.IsZero() {
		end, _ = m.all.find(nodes.StoredTime(f.Before), f.BeforeID)
	}
	var runs []nodes.Lease
	for i := end - 1; i >= 0 && (f.Limit == 0 || len(runs) < f.Limit); i-- {
		if l := m.leases[m.all[i].id]; !l.Spare() && (l.Job == f.Job || doublestar.MatchUnvalidated(f.Job, l.Job)) {
			runs = append(runs, l)
		}
	}
	return runs, nil
}

// Prune implements Records.
func (m *MemStore) Prune(ctx context.Context, before time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("prune: %w", err)
	}
	alive := make(map[nodes.RunKey]bool)
	for _, e := range m.live {
		l := m.leases[e.id]
		alive[l.Key()] = !l.Spare()
	}
	n := 0
	used := make(map[string]bool)
	for _, e := range slices.Clone(m.all) {
		l := m.leases[e.id]
		if l.State == nodes.Gone && l.Since.Before(before) && !alive[l.Key()] {
			m.remove(l.ID)
			delete(m.events, l.ID)
			n++
		} else {
			used[l.Order] = true
		}
	}
	maps.DeleteFunc(m.orders, func(id string, o nodes.Order) bool { return !used[id] && o.Stored.Before(before) })
	return n, nil
}

// Drain implements Records.
func (m *MemStore) Drain(ctx context.Context, pool, by, reason string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("drain pool %s: %w", pool, err)
	}
	d := nodes.Drain{Pool: nodes.StoredText(pool), By: nodes.StoredText(by), Reason: nodes.StoredText(reason), At: nodes.StoredTime(at)}
	m.drains[d.Pool] = d
	return nil
}

// Resume implements Records.
func (m *MemStore) Resume(ctx context.Context, pool string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("resume pool %s: %w", pool, err)
	}
	delete(m.drains, nodes.StoredText(pool))
	return nil
}

// Drained implements Records.
func (m *MemStore) Drained(ctx context.Context) (map[string]nodes.Drain, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read drained pools: %w", err)
	}
	return maps.Clone(m.drains), nil
}

// PutCatalog implements Records.
func (m *MemStore) PutCatalog(ctx context.Context, c catalog.Catalog, by string, at time.Time) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("put catalog: %w", err)
	}
	var old, text bytes.Buffer
	if err := catalog.Write(&old, m.catalog); err != nil {
		return 0, fmt.Errorf("put catalog: %w", err)
	}
	if err := catalog.Write(&text, c); err != nil {
		return 0, fmt.Errorf("put catalog: %w", err)
	}
	if m.catalogVersion > 0 && bytes.Equal(old.Bytes(), text.Bytes()) {
		return m.catalogVersion, nil
	}
	read, err := catalog.Read(&text)
	if err != nil {
		return 0, fmt.Errorf("put catalog: %w", err)
	}
	m.catalogVersion++
	m.catalog, m.catalogBy, m.catalogAt = read, nodes.StoredText(by), nodes.StoredTime(at)
	return m.catalogVersion, nil
}

// Catalog implements Records.
func (m *MemStore) Catalog(ctx context.Context) (c catalog.Catalog, version int64, at time.Time, by string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err = ctx.Err(); err == nil && m.catalogVersion == 0 {
		err = nodes.ErrNotFound
	}
	if err != nil {
		return c, 0, at, "", fmt.Errorf("read catalog: %w", err)
	}
	return m.catalog, m.catalogVersion, m.catalogAt, m.catalogBy, nil
}

// CatalogVersion implements Records.
func (m *MemStore) CatalogVersion(ctx context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("read catalog version: %w", err)
	}
	return m.catalogVersion, nil
}
