package nodetest

import (
	"strings"
	"testing"

	"github.com/batchctl/batchctl/nodes"
)

// queue adds n leases that want the given order.
func queue(t *testing.T, s nodes.Store, o nodes.Order, prefix string, first, n int) []nodes.Lease {
	t.Helper()
	var leases []nodes.Lease
	for i := range n {
		leases = append(leases, ordered(mustAdd(t, s, newLease(name(prefix, i), first+i)), o))
	}
	return leases
}

// wantOver checks which leases were left out, and why.
func wantOver(t *testing.T, over []nodes.Over, limit string, ids ...string) {
	t.Helper()
	if len(over) != len(ids) {
		t.Errorf("%d leases are over a limit, want %d: %v", len(over), len(ids), over)
		return
	}
	for i, o := range over {
		if o.Lease.ID != ids[i] || o.Limit != limit || o.Full != strings.HasPrefix(limit, "limit of cloud ") {
			t.Errorf("over[%d] is lease %s, %q, want %s, %q", i, o.Lease.ID, o.Limit, ids[i], limit)
		}
	}
}

// wantOrder checks the number of machines of an order; 0 for no order.
func wantOrder(t *testing.T, s nodes.Store, id string, count int) {
	t.Helper()
	o, err := s.Order(t.Context(), id)
	if count == 0 {
		wantError(t, err, nodes.ErrNotFound, "order "+id)
	} else if err != nil || o.Count != count {
		t.Errorf("order %s is of %d machines, want %d; error %v", id, o.Count, count, err)
	}
}

func testPlace(t *testing.T, s nodes.Store) {
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, 3)
	for i := range leases {
		leases[i].State = nodes.Wanted // Place sets it
	}
	placed, over := mustPlace(t, s, o, leases, nodes.Limits{})
	wantOver(t, over, "")
	for i := range leases {
		leases[i].State = nodes.Launching
		leases[i].Version = 2
		leases[i].Index = i
	}
	wantEqual(t, placed, leases, "placed leases")
	wantLeases(t, s, leases...)
	got, err := s.Order(t.Context(), "o")
	if err != nil {
		t.Fatal(err)
	}
	o.Count = 3
	wantEqual(t, got, o, "the order")
}

func testPlaceLimits(t *testing.T, s nodes.Store) {
	one := func(n int) map[string]int {
		return map[string]int{"standard": n, "ec2": n, "settlement-team": n, "another": 0}
	}
	next := 1
	for _, c := range []struct {
		name, limit string
		lim         nodes.Limits
		fit         int
	}{
		{"elsewhere", "", nodes.Limits{Pool: map[string]int{"large": 0}, Cloud: map[string]int{"openstack": 0}, Team: map[string]int{"": 0}}, 2},
		{"pool", "limit of pool standard: 3 of 3 machines", nodes.Limits{Pool: one(3)}, 1},
		{"cloud", "limit of cloud ec2: 5 of 5 machines", nodes.Limits{Cloud: one(5)}, 2},
		{"team", "limit of team settlement-team: 6 of 6 machines", nodes.Limits{Team: one(6)}, 1},
		{"all", "limit of cloud ec2: 7 of 7 machines", nodes.Limits{Pool: one(9), Cloud: one(7), Team: one(8)}, 1},
		{"lowered", "limit of pool standard: 7 of 2 machines", nodes.Limits{Pool: one(2)}, 0},
		{"none", "limit of pool standard: 7 of 0 machines", nodes.Limits{Pool: one(0)}, 0},
	} {
		o := newOrder("o-" + c.name)
		leases := queue(t, s, o, c.name, next, 2)
		next += 2
		placed, over := mustPlace(t, s, o, leases, c.lim)
		wantEqual(t, leaseIDs(placed), leaseIDs(leases)[:c.fit], c.name+": placed")
		wantOver(t, over, c.limit, leaseIDs(leases)[c.fit:]...)
		wantOrder(t, s, o.ID, c.fit)
	}
}

// What counts is leases that may have a machine.
func testPlaceOutside(t *testing.T, s nodes.Store) {
	var want int
	for i, state := range nodes.States {
		l := mustAdd(t, s, newLease(name("other", i), 100+i))
		l.Cloud = "ec2"
		l = mustUpdate(t, s, l)
		if state != nodes.Wanted {
			mustUpdate(t, s, to(l, state))
		}
		if state.Outside() {
			want++
		}
	}
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, 2)
	for _, lim := range []nodes.Limits{
		{Pool: map[string]int{"standard": want}}, {Cloud: map[string]int{"ec2": want}}, {Team: map[string]int{"settlement-team": want}},
	} {
		if placed, over := mustPlace(t, s, o, leases, lim); len(placed) > 0 || len(over) != 2 {
			t.Errorf("with %d machines under %v: placed %v", want, lim, leaseIDs(placed))
		}
	}
	placed, over := mustPlace(t, s, o, leases, nodes.Limits{Pool: map[string]int{"standard": want + 1}})
	if len(placed) != 1 || len(over) != 1 {
		t.Errorf("with %d machines under a limit of %d: placed %v", want, want+1, leaseIDs(placed))
	}
}

// Who stands first is served first, and who is over a limit does not stop
// those behind it.
func testPlaceOrder(t *testing.T, s nodes.Store) {
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, 5)
	leases[3].Team, leases[1].Team = "rest", "rest"
	given := []nodes.Lease{leases[4], leases[3], leases[0], leases[1], leases[2]}
	placed, over := mustPlace(t, s, o, given, nodes.Limits{Team: map[string]int{"rest": 1, "settlement-team": 2}})
	wantEqual(t, leaseIDs(placed), []string{"l-004", "l-003", "l-000"}, "placed")
	for i, l := range placed {
		wantEqual(t, l.Index, i, "index of "+l.ID)
	}
	if len(over) != 2 || over[0].Lease.ID != "l-001" || over[0].Limit != "limit of team rest: 1 of 1 machines" ||
		over[1].Lease.ID != "l-002" || over[1].Limit != "limit of team settlement-team: 2 of 2 machines" {
		t.Errorf("over: %v", over)
	}
	stored := newLease("l-002", 3)
	stored.Version = 1
	wantEqual(t, over[1].Lease, stored, "a lease over the limit, as it was")
	leases, err := s.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, leases[2], stored, "the stored lease")
	wantOrder(t, s, "o", 3)
}

// A lease that is launching and moves on to the next place is one machine.
func testPlaceNext(t *testing.T, s nodes.Store) {
	first := newOrder("first")
	placed, _ := mustPlace(t, s, first, queue(t, s, first, "l", 1, 3), nodes.Limits{})
	next := func(id, cloud string) (nodes.Order, []nodes.Lease) {
		o := newOrder(id)
		o.Cloud, o.Place = cloud, cloud+"/b"
		var leases []nodes.Lease
		for _, l := range placed {
			leases = append(leases, ordered(l, o))
		}
		return o, leases
	}
	full := nodes.Limits{Pool: map[string]int{"standard": 3}, Cloud: map[string]int{"ec2": 3, "openstack": 2}, Team: map[string]int{"settlement-team": 3}}
	o, leases := next("second", "ec2")
	placed, over := mustPlace(t, s, o, leases, full)
	wantEqual(t, leaseIDs(placed), []string{"l-000", "l-001", "l-002"}, "placed in the same cloud")
	wantOver(t, over, "")

	o, leases = next("third", "openstack")
	moved, over := mustPlace(t, s, o, leases, full)
	wantEqual(t, leaseIDs(moved), []string{"l-000", "l-001"}, "placed in the other cloud")
	wantOver(t, over, "limit of cloud openstack: 2 of 2 machines", "l-002")
	wantEqual(t, over[0].Lease, placed[2], "the lease that stays where it was")

	o = newOrder("fourth") // two places in ec2 are free again, but none in the pool
	_, over = mustPlace(t, s, o, queue(t, s, o, "new", 10, 1), full)
	wantOver(t, over, "limit of pool standard: 3 of 3 machines", "new-000")
}

func testPlaceStale(t *testing.T, s nodes.Store) {
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, 3)
	changed := to(leases[1], nodes.Releasing)
	changed.Order, changed.Place, changed.Cloud = "", "", ""
	changed = mustUpdate(t, s, changed)
	strange := ordered(newLease("strange", 9), o)
	strange.Version = 1
	placed, over := mustPlace(t, s, o, []nodes.Lease{strange, leases[0], leases[1], leases[0], leases[2]}, nodes.Limits{Pool: map[string]int{"standard": 3}})
	wantEqual(t, leaseIDs(placed), []string{"l-000", "l-002"}, "placed")
	wantOver(t, over, "")
	wantOrder(t, s, "o", 2)
	wantLeases(t, s, placed[0], changed, placed[1])

	// The same call again, as after a reply that was lost, changes nothing.
	placed, over = mustPlace(t, s, o, leases, nodes.Limits{})
	wantEqual(t, len(placed), 0, "leases placed by the same call again")
	wantOver(t, over, "")
	wantOrder(t, s, "o", 2)
}

func testPlaceNothing(t *testing.T, s nodes.Store) {
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, 2)
	_, over := mustPlace(t, s, o, leases, nodes.Limits{Pool: map[string]int{"standard": 0}})
	wantOver(t, over, "limit of pool standard: 0 of 0 machines", "l-000", "l-001")
	wantOrder(t, s, "o", 0)
	placed, over := mustPlace(t, s, o, nil, nodes.Limits{})
	if len(placed)+len(over) > 0 {
		t.Errorf("from no leases came %v, %v", placed, over)
	}
	wantOrder(t, s, "o", 0)
	mustPlace(t, s, o, leases, nodes.Limits{})
	wantOrder(t, s, "o", 2)
}

func testPlaceRefuses(t *testing.T, s nodes.Store) {
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, 3)
	before, err := s.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*nodes.Lease){
		"another order": func(l *nodes.Lease) { l.Order = "p" },
		"another cloud": func(l *nodes.Lease) { l.Cloud = "openstack" },
		"another place": func(l *nodes.Lease) { l.Place = "ec2/b" },
		"a taken run":   func(l *nodes.Lease) { l.Number = 1 },
	} {
		bad := append([]nodes.Lease{}, leases...)
		spoil(&bad[2])
		if _, _, err := s.Place(t.Context(), o, bad, nodes.Limits{}); err == nil {
			t.Errorf("placed leases of which one has %s", name)
		} else if name == "a taken run" {
			wantError(t, err, nodes.ErrTaken, name)
		}
		wantLeases(t, s, before...)
		wantOrder(t, s, "o", 0)
		wantEqual(t, len(timeline(t, s, "l-000")), 1, "entries in the timeline of a lease that was not placed")
	}
	mustPlace(t, s, o, leases[:1], nodes.Limits{})
	_, _, err = s.Place(t.Context(), o, leases[1:], nodes.Limits{})
	wantError(t, err, nodes.ErrTaken, "the ID of an order for the second time")
	wantOrder(t, s, "o", 1)
}

func testPlaceTimeline(t *testing.T, s nodes.Store) {
	o := newOrder("o")
	placed, _ := mustPlace(t, s, o, queue(t, s, o, "l", 1, 2), nodes.Limits{Pool: map[string]int{"standard": 1}})
	want := []nodes.Event{
		{Lease: "l-000", At: start, State: nodes.Wanted, Reason: "run is queued"},
		{Lease: "l-000", At: after(1), State: nodes.Launching, Reason: "came to launching", Place: "ec2/a"},
	}
	wantEqual(t, timeline(t, s, "l-000"), want, "timeline of a placed lease")
	wantEqual(t, len(timeline(t, s, "l-001")), 1, "entries in the timeline of a lease over the limit")
	next := placed[0]
	next.Order, next.Place = "p", "ec2/b"
	p := newOrder("p")
	p.Place = "ec2/b"
	mustPlace(t, s, p, []nodes.Lease{next}, nodes.Limits{})
	wantEqual(t, timeline(t, s, "l-000"), want, "timeline when neither State nor Reason changes")
}

// An order may have many leases.
func testPlaceMany(t *testing.T, s nodes.Store) {
	const n = 510
	o := newOrder("o")
	leases := queue(t, s, o, "l", 1, n)
	placed, over := mustPlace(t, s, o, leases, nodes.Limits{Pool: map[string]int{"standard": n - 1}})
	if len(placed) != n-1 || len(over) != 1 {
		t.Errorf("placed %d, over %d", len(placed), len(over))
	}
	wantOrder(t, s, "o", n-1)
	wantLeases(t, s, append(placed, over[0].Lease)...)
}

func testOrderNotFound(t *testing.T, s nodes.Store) {
	_, err := s.Order(t.Context(), "none")
	wantError(t, err, nodes.ErrNotFound, "an order that is not there")
}
