package nodetest

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/batchctl/batchctl/nodes"
)

func testAdd(t *testing.T, s nodes.Store) {
	wantLeases(t, s)
	l := newLease("a", 1)
	l.State, l.Version = nodes.Busy, 17
	got := mustAdd(t, s, l)
	l.State, l.Version = nodes.Wanted, 1
	wantEqual(t, got, l, "the lease that Add returns")
	wantLeases(t, s, l)
}

func testAddRefuses(t *testing.T, s nodes.Store) {
	a := mustPass(t, s, mustAdd(t, s, newLease("a", 1)), nodes.Releasing, nodes.Gone)
	_, err := s.Add(t.Context(), newLease("a", 2))
	wantError(t, err, nodes.ErrTaken, "an ID for the second time")
	if _, err = s.Add(t.Context(), newLease("", 3)); err == nil {
		t.Error("a lease without ID was stored")
	}
	if h, err := s.History(t.Context(), a.Key()); err != nil || len(h) != 1 {
		t.Errorf("history %v, %v", h, err)
	}
	wantLeases(t, s)
}

// One lease holds a run; when it releases, the next may.
func testHolding(t *testing.T, s nodes.Store) {
	a := mustAdd(t, s, newLease("a", 1))
	for _, state := range []nodes.State{nodes.Wanted, nodes.Launching, nodes.Booting, nodes.Ready, nodes.Busy} {
		a = mustUpdate(t, s, to(a, state))
		_, err := s.Add(t.Context(), newLease("b", 1))
		wantError(t, err, nodes.ErrTaken, "a second lease of the run while the first is "+string(state))
	}
	other := newLease("c", 1)
	other.Controller = "busan"
	mustAdd(t, s, other)
	other.ID, other.Job = "d", "live-1/settlement/hourly"
	mustAdd(t, s, other)
	mustAdd(t, s, newLease("e", 2))

	a = mustUpdate(t, s, to(a, nodes.Releasing))
	b := mustAdd(t, s, newLease("b", 1))
	b = mustPass(t, s, b, nodes.Releasing)
	mustUpdate(t, s, to(a, nodes.Gone))
	mustAdd(t, s, newLease("f", 1))
	_, err := s.Update(t.Context(), to(b, nodes.Ready))
	wantError(t, err, nodes.ErrTaken, "a lease that holds its run again, which another holds")
}

// An attempt of a run has one lease, for ever.
func testAttempt(t *testing.T, s nodes.Store) {
	first := func(id string) nodes.Lease {
		l := newLease(id, 1)
		l.Started, l.Attempt = 1772331300000, 1
		return l
	}
	a := mustPass(t, s, mustAdd(t, s, first("a")), nodes.Releasing)
	_, err := s.Add(t.Context(), first("b"))
	wantError(t, err, nodes.ErrTaken, "the attempt of a lease that releases")
	mustPass(t, s, a, nodes.Gone)
	_, err = s.Add(t.Context(), first("b"))
	wantError(t, err, nodes.ErrTaken, "the attempt of a lease that is gone")

	again := first("again")
	again.Started++ // the job was made anew and counts from 1 again
	mustPass(t, s, mustAdd(t, s, again), nodes.Releasing)
	second := first("second")
	second.Attempt = 2
	mustPass(t, s, mustAdd(t, s, second), nodes.Releasing)
	elsewhere := first("elsewhere")
	elsewhere.Controller = "busan"
	mustAdd(t, s, elsewhere)

	early := mustAdd(t, s, newLease("early", 1))
	early.Started, early.Attempt = 1772331300000, 2
	_, err = s.Update(t.Context(), early)
	wantError(t, err, nodes.ErrTaken, "an early lease that is bound to a taken attempt")
	early.Attempt = 3
	mustUpdate(t, s, early)
}

// A run that was not seen yet has no attempts.
func testNotStarted(t *testing.T, s nodes.Store) {
	for i := range 3 {
		l := newLease(name("early", i), 1)
		l.Attempt = 1
		mustPass(t, s, mustAdd(t, s, l), nodes.Releasing, nodes.Gone)
	}
}

func testSpares(t *testing.T, s nodes.Store) {
	for i := range 3 {
		l := newSpare(name("spare", i))
		l.Started, l.Attempt = 5, 1
		mustPass(t, s, mustAdd(t, s, l), nodes.Booting, nodes.Ready)
	}
	if h, err := s.History(t.Context(), nodes.RunKey{}); err != nil || len(h) > 0 {
		t.Errorf("spares have a history: %v, %v", h, err)
	}
}

// A spare that is bound to a run meets the rules of runs.
func testBind(t *testing.T, s nodes.Store) {
	mustAdd(t, s, newLease("a", 1))
	spare := mustAdd(t, s, newSpare("spare"))
	spare.Controller, spare.Job, spare.Number = "seoul", "live-1/settlement/daily", 1
	_, err := s.Update(t.Context(), spare)
	wantError(t, err, nodes.ErrTaken, "a spare that is bound to a run with a lease")
	spare.Number = 2
	mustUpdate(t, s, spare)
	_, err = s.Add(t.Context(), newLease("b", 2))
	wantError(t, err, nodes.ErrTaken, "a lease for a run that has a former spare")
}

func testAddRace(t *testing.T, s nodes.Store) {
	var added atomic.Int32
	together(16, func(i int) {
		switch _, err := s.Add(t.Context(), newLease(name("l", i), 1)); {
		case err == nil:
			added.Add(1)
		case !errors.Is(err, nodes.ErrTaken):
			t.Errorf("unexpected error: %v", err)
		}
	})
	leases, err := s.Leases(t.Context())
	if err != nil || added.Load() != 1 || len(leases) != 1 {
		t.Errorf("%d of 16 leases for one run were added, %d are there, %v", added.Load(), len(leases), err)
	}
}
