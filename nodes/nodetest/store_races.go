package nodetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/batchctl/batchctl/nodes"
)

// Limits hold however many place at once.
func testPlaceRace(t *testing.T, s nodes.Store) {
	const racers, each, most = 8, 3, 10
	var leases [racers][]nodes.Lease
	for i := range racers {
		leases[i] = queue(t, s, newOrder(name("o", i)), name("l", i), 1+i*each, each)
	}
	var placed, over [racers]int
	together(racers, func(i int) {
		p, o, err := s.Place(t.Context(), newOrder(name("o", i)), leases[i], nodes.Limits{Pool: map[string]int{"standard": most}})
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		placed[i], over[i] = len(p), len(o)
	})
	var sum, left, launching int
	for i := range racers {
		sum, left = sum+placed[i], left+over[i]
		wantOrder(t, s, name("o", i), placed[i])
	}
	now, err := s.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range now {
		if l.State.Outside() {
			launching++
		}
	}
	if sum != most || launching != most || left != racers*each-most {
		t.Errorf("%d placed, %d launching, %d over; the limit is %d", sum, launching, left, most)
	}
}

// A lease that is placed and updated at once gets one of the two.
func testPlaceUpdateRace(t *testing.T, s nodes.Store) {
	const n = 12
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, n)
	var updated [n]bool
	var placed []nodes.Lease
	together(n+1, func(i int) {
		if i == n {
			var err error
			if placed, _, err = s.Place(t.Context(), o, leases, nodes.Limits{}); err != nil {
				t.Errorf("unexpected error: %v", err)
			}
			return
		}
		// Backwards, so that the two take the rows in different orders.
		j := n - 1 - i
		_, err := s.Update(t.Context(), to(leases[j], nodes.Releasing))
		if updated[j] = err == nil; err != nil && !errors.Is(err, nodes.ErrConflict) {
			t.Errorf("unexpected error: %v", err)
		}
	})
	for _, l := range placed {
		if updated[l.Number-1] {
			t.Errorf("lease %s was placed and updated from one version", l.ID)
		}
		updated[l.Number-1] = true
	}
	for i, ok := range updated {
		if !ok {
			t.Errorf("lease %s was neither placed nor updated", leases[i].ID)
		}
	}
	wantOrder(t, s, "o", len(placed))
}

// A call that is cancelled while it runs has happened whole or not at all,
// and the store works on.
func testCancelledMidway(t *testing.T, s nodes.Store) {
	for i := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		o := newOrder(name("o", i))
		leases := queue(t, s, o, name("l", i), 10*i, 4)
		together(2, func(who int) {
			if who == 0 {
				_, _, err = s.Place(ctx, o, leases, nodes.Limits{})
			} else {
				for range i * 50 { // later each time
					_ = ctx.Err()
				}
				cancel()
			}
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("unexpected error: %v", err)
		}
		placed := 0
		for _, l := range mustLeases(t, s) {
			if l.Order == o.ID {
				placed++
			}
		}
		if placed != 0 && placed != len(leases) || err == nil && placed == 0 {
			t.Fatalf("%d of %d leases are placed; error %v", placed, len(leases), err)
		}
		wantOrder(t, s, o.ID, placed)
		wantEqual(t, len(timeline(t, s, leases[0].ID)), 1+min(placed, 1), fmt.Sprintf("entries in the timeline when %d are placed", placed))
	}
}
