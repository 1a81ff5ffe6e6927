package nodetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// testModel does the same random things to a store and to a MemStore, and
// wants the same results. Names are few, so that they collide often.
func testModel(t *testing.T, s nodes.Store) {
	for seed := range uint64(2) {
		m := &model{T: t, a: s, b: NewMemStore(), rand: rand.New(rand.NewPCG(seed, 1)), prefix: name("seed", int(seed))}
		for _, l := range mustLeases(t, s) { // what the seed before has left
			mustPass(t, s, l, nodes.Gone)
		}
		for step := range 150 {
			m.now = after(step / 3)
			m.step(step)
			if t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
	}
}

// model is two stores that are to be the same.
type model struct {
	*testing.T
	a, b   nodes.Store
	rand   *rand.Rand
	prefix string // of names, so that one seed does not meet the runs of another
	now    time.Time
}

func (m *model) pick(names ...string) string { return names[m.rand.IntN(len(names))] }

// spoil changes some fields of a lease.
func (m *model) spoil(l nodes.Lease) nodes.Lease {
	l.Changed = m.now
	if m.rand.IntN(3) > 0 {
		l.State, l.Since = nodes.States[m.rand.IntN(len(nodes.States))], m.now
	}
	if m.rand.IntN(2) > 0 {
		l.Reason = m.pick("x", "y")
	}
	if m.rand.IntN(3) == 0 {
		l.Cloud, l.VM = m.pick("ec2", "openstack"), m.pick("", m.prefix+"-1", m.prefix+"-2")
	}
	if m.rand.IntN(4) == 0 {
		l.Started, l.Attempt = int64(m.rand.IntN(2)), m.rand.IntN(2)
	}
	if m.rand.IntN(5) == 0 {
		l.Online = m.now.Add(time.Duration(m.rand.IntN(9999)) * time.Millisecond)
	}
	return l
}

// run returns a lease for one of a few runs, or a spare.
func (m *model) run(id string) nodes.Lease {
	l := nodes.Lease{ID: id, Created: m.now.Add(-time.Duration(m.rand.IntN(3)) * time.Second)}
	l.Pool, l.Team = m.prefix+m.pick("standard", "large"), m.pick("", "blue")
	if m.rand.IntN(5) > 0 {
		l.Controller, l.Job, l.Number = "seoul", m.prefix+m.pick("a", "b"), m.rand.IntN(4)
	}
	return m.spoil(l)
}

// step does one random thing to both stores.
func (m *model) step(n int) {
	known := mustLeases(m.T, m.a)
	switch op := m.rand.IntN(10); {
	case op < 3 || len(known) == 0:
		l := m.run(name(m.prefix, n))
		a, errA := m.a.Add(m.Context(), l)
		b, errB := m.b.Add(m.Context(), l)
		m.same(errA, errB)
		wantEqual(m.T, a, b, "Add")
	case op < 8:
		l := m.spoil(known[m.rand.IntN(len(known))])
		l.Version -= int64(m.rand.IntN(6) / 5)
		a, errA := m.a.Update(m.Context(), l)
		b, errB := m.b.Update(m.Context(), l)
		m.same(errA, errB)
		wantEqual(m.T, a, b, "Update")
	default:
		m.place(known, n)
	}
	wantEqual(m.T, mustLeases(m.T, m.a), mustLeases(m.T, m.b), "leases")
	for _, l := range known[:min(1, len(known))] {
		wantEqual(m.T, timeline(m.T, m.a, l.ID), timeline(m.T, m.b, l.ID), "timeline")
		a, errA := m.a.History(m.Context(), l.Key())
		b, errB := m.b.History(m.Context(), l.Key())
		m.same(errA, errB)
		wantEqual(m.T, a, b, "history")
		bootsA, errA := m.a.Boots(m.Context(), l.Pool, 3)
		bootsB, errB := m.b.Boots(m.Context(), l.Pool, 3)
		m.same(errA, errB)
		wantEqual(m.T, bootsA, bootsB, "boots")
	}
}

// place places a few leases under tight limits.
func (m *model) place(known []nodes.Lease, n int) {
	o := newOrder(name("order-"+m.prefix, n))
	o.Cloud = m.pick("ec2", "openstack")
	var leases []nodes.Lease
	for range 1 + m.rand.IntN(4) {
		l := known[m.rand.IntN(len(known))]
		l.Order, l.Cloud, l.Place, l.VM, l.Changed = o.ID, o.Cloud, o.Place, "", m.now
		l.Version -= int64(m.rand.IntN(8) / 7)
		leases = append(leases, l)
	}
	lim := nodes.Limits{
		Pool:  map[string]int{m.prefix + "standard": m.rand.IntN(4)},
		Cloud: map[string]int{"ec2": m.rand.IntN(6)},
		Team:  map[string]int{"": m.rand.IntN(6)},
	}
	placedA, overA, errA := m.a.Place(m.Context(), o, slices.Clone(leases), lim)
	placedB, overB, errB := m.b.Place(m.Context(), o, slices.Clone(leases), lim)
	m.same(errA, errB)
	wantEqual(m.T, placedA, placedB, "placed")
	wantEqual(m.T, overA, overB, "over")
	orderA, errA := m.a.Order(m.Context(), o.ID)
	orderB, errB := m.b.Order(m.Context(), o.ID)
	m.same(errA, errB)
	wantEqual(m.T, orderA, orderB, "order")
}

// same wants two errors of one kind.
func (m *model) same(a, b error) {
	m.Helper()
	for _, kind := range []error{nil, nodes.ErrConflict, nodes.ErrTaken, nodes.ErrNotFound} {
		if errors.Is(a, kind) != errors.Is(b, kind) {
			m.Errorf("errors differ: %v and, in memory, %v", a, b)
		}
	}
	if a != nil && !errors.Is(a, nodes.ErrConflict) && !errors.Is(a, nodes.ErrTaken) && !errors.Is(a, nodes.ErrNotFound) {
		m.Errorf("unexpected error: %v", a)
	}
}

func mustLeases(t *testing.T, s nodes.Store) []nodes.Lease {
	t.Helper()
	leases, err := s.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return leases
}
