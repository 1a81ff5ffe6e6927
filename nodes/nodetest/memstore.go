package nodetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/nodes"
)

// MemStore is a nodes.Store in memory, for simulations. It keeps the whole
// contract, as TestStore says; it forgets everything with its process. It has
// no clock and no chance in it, so equal calls give equal results.
type MemStore struct {
	mu     sync.Mutex
	leases map[string]nodes.Lease
	events map[string][]nodes.Event // by lease
	orders map[string]nodes.Order
	drains map[string]nodes.Drain

	catalog        catalog.Catalog
	catalogVersion int64
	catalogAt      time.Time
	catalogBy      string

	// What follows is found from leases, and kept so that nothing has to look
	// through all of them.
	all      byTime                  // by Created
	live     byTime                  // not gone, by Created
	runs     map[nodes.RunKey]byTime // by Created
	booted   map[string]byTime       // by pool, then Online
	holding  map[nodes.RunKey]string
	attempts map[attempt]string
	machines map[vmKey]string // of leases not gone
	usage    nodes.Usage
}

var _ nodes.Store = (*MemStore)(nil)

// attempt names an attempt of a run for ever.
type attempt struct {
	run     nodes.RunKey
	started int64
	number  int
}

// vmKey names a machine among those of all clouds.
type vmKey struct{ cloud, vm string }

func attemptOf(l *nodes.Lease) attempt { return attempt{l.Key(), l.Started, l.Attempt} }
func machineOf(l *nodes.Lease) vmKey   { return vmKey{l.Cloud, l.VM} }

// NewMemStore returns an empty store.
func NewMemStore() *MemStore {
	return &MemStore{
		leases:   make(map[string]nodes.Lease),
		events:   make(map[string][]nodes.Event),
		orders:   make(map[string]nodes.Order),
		drains:   make(map[string]nodes.Drain),
		runs:     make(map[nodes.RunKey]byTime),
		booted:   make(map[string]byTime),
		holding:  make(map[nodes.RunKey]string),
		attempts: make(map[attempt]string),
		machines: make(map[vmKey]string),
		usage:    nodes.NewUsage(),
	}
}

// Clone returns a store with the same content that shares nothing with m.
func (m *MemStore) Clone() *MemStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMemStore()
	for _, e := range m.all {
		l := m.leases[e.id]
		c.put(&l)
		c.events[e.id] = slices.Clone(m.events[e.id])
	}
	c.orders, c.drains = maps.Clone(m.orders), maps.Clone(m.drains)
	c.catalog, c.catalogVersion, c.catalogAt, c.catalogBy = m.catalog, m.catalogVersion, m.catalogAt, m.catalogBy
	return c
}

// Leases implements nodes.Store.
func (m *MemStore) Leases(ctx context.Context) ([]nodes.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	return m.get(m.live), nil
}

// Add implements nodes.Store.
func (m *MemStore) Add(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l = nodes.StoredLease(l)
	l.State, l.Version = nodes.Wanted, 1
	if err := m.add(ctx, &l); err != nil {
		return nodes.Lease{}, fmt.Errorf("add lease %s: %w", l.ID, err)
	}
	return l, nil
}

func (m *MemStore) add(ctx context.Context, l *nodes.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.ID == "" {
		return errNoID
	}
	if _, ok := m.leases[l.ID]; ok {
		return fmt.Errorf("its ID: %w", nodes.ErrTaken)
	}
	return m.change(l)
}

// Update implements nodes.Store.
func (m *MemStore) Update(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l = nodes.StoredLease(l)
	if err := m.update(ctx, &l); err != nil {
		return nodes.Lease{}, fmt.Errorf("update lease %s: %w", l.ID, err)
	}
	return l, nil
}

func (m *MemStore) update(ctx context.Context, l *nodes.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if old, ok := m.leases[l.ID]; !ok || old.Version != l.Version {
		return nodes.ErrConflict
	}
	l.Version++
	return m.change(l)
}

// change stores a lease, unless a rule forbids it, and the entry of its
// timeline.
func (m *MemStore) change(l *nodes.Lease) error {
	if err := m.taken(l); err != nil {
		return err
	}
	if old, ok := m.leases[l.ID]; !ok || old.State != l.State || old.Reason != l.Reason {
		m.events[l.ID] = append(m.events[l.ID], nodes.Event{Lease: l.ID, At: l.Changed, State: l.State, Reason: l.Reason, Place: l.Place})
	}
	m.put(l)
	return nil
}

// taken returns ErrTaken if another lease has what l is to have.
func (m *MemStore) taken(l *nodes.Lease) error {
	if id, ok := m.holding[l.Key()]; ok && id != l.ID && l.State.Holds() {
		return fmt.Errorf("run %s: %w", l.Run(), nodes.ErrTaken)
	}
	if id, ok := m.attempts[attemptOf(l)]; ok && id != l.ID {
		return fmt.Errorf("attempt %d of run %s: %w", l.Attempt, l.Run(), nodes.ErrTaken)
	}
	if id, ok := m.machines[machineOf(l)]; ok && id != l.ID && l.State != nodes.Gone {
		return fmt.Errorf("machine %s in %s: %w", l.VM, l.Cloud, nodes.ErrTaken)
	}
	return nil
}

// put replaces what is kept of a lease.
func (m *MemStore) put(l *nodes.Lease) {
	m.remove(l.ID)
	m.leases[l.ID] = *l
	m.usage.Add(l, 1)
	m.all = m.all.with(l.Created, l.ID)
	if !l.Online.IsZero() {
		m.booted[l.Pool] = m.booted[l.Pool].with(l.Online, l.ID)
	}
	if l.State != nodes.Gone {
		m.live = m.live.with(l.Created, l.ID)
		if l.VM != "" {
			m.machines[machineOf(l)] = l.ID
		}
	}
	if l.Spare() {
		return
	}
	m.runs[l.Key()] = m.runs[l.Key()].with(l.Created, l.ID)
	if l.State.Holds() {
		m.holding[l.Key()] = l.ID
	}
	if l.Started != 0 {
		m.attempts[attemptOf(l)] = l.ID
	}
}

// remove forgets a lease, but not its timeline.
func (m *MemStore) remove(id string) {
	l, ok := m.leases[id]
	if !ok {
		return
	}
	delete(m.leases, id)
	m.usage.Add(&l, -1)
	m.all = m.all.without(l.Created, id)
	m.live = m.live.without(l.Created, id)
	m.booted[l.Pool] = m.booted[l.Pool].without(l.Online, id)
	m.runs[l.Key()] = m.runs[l.Key()].without(l.Created, id)
	if len(m.runs[l.Key()]) == 0 {
		delete(m.runs, l.Key())
	}
	drop(m.holding, l.Key(), id)
	drop(m.attempts, attemptOf(&l), id)
	drop(m.machines, machineOf(&l), id)
}

// drop deletes an entry if it is that of the lease.
func drop[K comparable](m map[K]string, k K, id string) {
	if m[k] == id {
		delete(m, k)
	}
}

// get returns the leases in the given order.
func (m *MemStore) get(s byTime) []nodes.Lease {
	leases := make([]nodes.Lease, len(s))
	for i, e := range s {
		leases[i] = m.leases[e.id]
	}
	return leases
}

// byTime is leases sorted by a time, then ID.
type byTime []entry

type entry struct {
	at time.Time
	id string
}

func (s byTime) find(at time.Time, id string) (int, bool) {
	return slices.BinarySearchFunc(s, entry{at, id}, func(a, b entry) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
}

func (s byTime) with(at time.Time, id string) byTime {
	i, _ := s.find(at, id)
	return slices.Insert(s, i, entry{at, id})
}

func (s byTime) without(at time.Time, id string) byTime {
	if i, ok := s.find(at, id); ok {
		return slices.Delete(s, i, i+1)
	}
	return s
}
