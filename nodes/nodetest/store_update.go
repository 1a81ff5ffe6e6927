package nodetest

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/batchctl/batchctl/nodes"
)

func testUpdate(t *testing.T, s nodes.Store) {
	_, err := s.Update(t.Context(), newLease("none", 1))
	wantError(t, err, nodes.ErrConflict, "a lease that is not there")
	a := mustAdd(t, s, newLease("a", 1))
	b := mustAdd(t, s, newLease("b", 2))
	l := to(a, nodes.Launching)
	l.Team = "another"
	got := mustUpdate(t, s, l)
	l.Version = 2
	wantEqual(t, got, l, "the lease that Update returns")
	wantLeases(t, s, l, b)
	for _, version := range []int64{0, 1, 3} {
		stale := to(a, nodes.Releasing)
		stale.Version = version
		_, err := s.Update(t.Context(), stale)
		wantError(t, err, nodes.ErrConflict, "version of another")
	}
	wantLeases(t, s, l, b)
	// Who is late and wants what is taken is told first that it is late.
	a.Number = 2
	_, err = s.Update(t.Context(), a)
	wantError(t, err, nodes.ErrConflict, "version of another, for a run that is taken")
}

func testUpdateRace(t *testing.T, s nodes.Store) {
	const racers, rounds = 8, 12
	l := mustAdd(t, s, newLease("a", 1))
	for round := range rounds {
		var won atomic.Pointer[nodes.Lease]
		together(racers, func(i int) {
			mine := l
			mine.Reason, mine.Changed = name("racer", i)+name("in round", round), after(round)
			switch stored, err := s.Update(t.Context(), mine); {
			case err == nil && !won.CompareAndSwap(nil, &stored):
				t.Error("two won the race for one version")
			case err != nil && !errors.Is(err, nodes.ErrConflict):
				t.Errorf("unexpected error: %v", err)
			}
		})
		if won.Load() == nil {
			t.Fatal("nobody won the race")
		}
		l = *won.Load()
		wantLeases(t, s, l)
	}
	if events := timeline(t, s, "a"); len(events) != rounds+1 || l.Version != rounds+1 {
		t.Errorf("version %d and %d entries in the timeline after %d changes", l.Version, len(events), rounds)
	}
}

// A machine belongs to one lease that is not gone.
func testMachine(t *testing.T, s nodes.Store) {
	on := func(l nodes.Lease, cloud, vm string) nodes.Lease {
		l.Cloud, l.VM = cloud, vm
		return l
	}
	a := mustAdd(t, s, newLease("a", 1))
	b := mustAdd(t, s, newLease("b", 2))
	a = mustUpdate(t, s, on(a, "ec2", "i-1"))
	_, err := s.Update(t.Context(), on(b, "ec2", "i-1"))
	wantError(t, err, nodes.ErrTaken, "the machine of another lease")
	b = mustUpdate(t, s, on(b, "openstack", "i-1"))
	b = mustUpdate(t, s, on(b, "ec2", ""))
	mustAdd(t, s, newSpare("without a machine, too"))
	a = mustPass(t, s, a, nodes.Releasing)
	_, err = s.Update(t.Context(), on(b, "ec2", "i-1"))
	wantError(t, err, nodes.ErrTaken, "the machine of a lease that releases")
	mustPass(t, s, a, nodes.Gone)
	b = mustUpdate(t, s, on(b, "ec2", "i-1"))
	_, err = s.Add(t.Context(), on(newLease("c", 3), "ec2", "i-1"))
	wantError(t, err, nodes.ErrTaken, "a new lease with the machine of another")
	// A lease that ends does so whatever another has.
	d := mustUpdate(t, s, to(mustAdd(t, s, newLease("d", 4)), nodes.Releasing))
	mustUpdate(t, s, on(to(d, nodes.Gone), "ec2", b.VM))
}

func testTakenChangesNothing(t *testing.T, s nodes.Store) {
	mustAdd(t, s, newLease("a", 1))
	b := mustAdd(t, s, newLease("b", 2))
	before := timeline(t, s, "b")
	l := to(b, nodes.Launching)
	l.Number = 1
	_, err := s.Update(t.Context(), l)
	wantError(t, err, nodes.ErrTaken, "the run of another")
	wantEqual(t, timeline(t, s, "b"), before, "timeline after a refused change")
	_, err = s.Add(t.Context(), newLease("c", 2))
	wantError(t, err, nodes.ErrTaken, "the run of another")
	wantEqual(t, len(timeline(t, s, "c")), 0, "entries in the timeline of a refused lease")
	mustUpdate(t, s, to(b, nodes.Launching))
}
