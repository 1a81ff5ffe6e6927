package nodetest

import (
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

func testLeases(t *testing.T, s nodes.Store) {
	at := func(id string, number, second int) nodes.Lease {
		l := newLease(id, number)
		l.Created = after(second)
		return mustAdd(t, s, l)
	}
	c, b := at("c", 1, 5), at("b", 2, 5)
	upper, a := at("B", 3, 5), at("a", 4, 9)
	z := at("z", 5, -100)
	fraction := newLease("f", 6)
	fraction.Created = after(5).Add(time.Microsecond)
	fraction = mustAdd(t, s, fraction)
	ended := mustPass(t, s, at("ended", 7, 6), nodes.Releasing)
	wantLeases(t, s, z, upper, b, c, fraction, ended, a)
	mustPass(t, s, ended, nodes.Gone)
	wantLeases(t, s, z, upper, b, c, fraction, a)
}

func testHistory(t *testing.T, s nodes.Store) {
	var want []nodes.Lease
	for i, id := range []string{"c", "a", "b"} {
		l := newLease(id, 7)
		l.Created = after(i)
		l.Started, l.Attempt = 1, i+1
		want = append(want, mustPass(t, s, mustAdd(t, s, l), nodes.Busy, nodes.Releasing, nodes.Gone))
	}
	live := newLease("live", 7)
	live.Created = after(2)
	want = append(want, mustAdd(t, s, live))
	other := newLease("other", 7)
	other.Controller = "busan"
	mustAdd(t, s, other)
	mustAdd(t, s, newLease("eight", 8))
	got, err := s.History(t.Context(), want[0].Key())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, want, "history")
	if none, err := s.History(t.Context(), nodes.RunKey{Controller: "seoul", Job: "none", Number: 1}); err != nil || len(none) > 0 {
		t.Errorf("history of a run without leases: %v, %v", none, err)
	}
}

func testBoots(t *testing.T, s nodes.Store) {
	online := func(id, pool string, second, took int, states ...nodes.State) {
		l := newSpare(id)
		l.Created, l.Pool = after(second-took-300), pool
		l = mustAdd(t, s, l)
		// A minute of waiting as a spare is no part of its boot.
		l.Ordered, l.Called, l.Handed, l.Online = after(second-took-60), after(second-70), after(second-10), after(second)
		mustPass(t, s, mustUpdate(t, s, l), states...)
	}
	online("a", "standard", 100, 30)
	online("b", "standard", 300, 250, nodes.Busy, nodes.Releasing, nodes.Gone)
	online("c", "standard", 200, 20, nodes.Releasing)
	online("d", "large", 400, 77)
	mustAdd(t, s, newSpare("never online"))
	for _, c := range []struct {
		pool string
		n    int
		want []time.Duration
	}{
		{"standard", 2, []time.Duration{250 * time.Second, 20 * time.Second}},
		{"standard", 9, []time.Duration{250 * time.Second, 20 * time.Second, 30 * time.Second}},
		{"standard", 0, nil},
		{"large", 1, []time.Duration{77 * time.Second}},
		{"none", 5, nil},
	} {
		got, err := s.Boots(t.Context(), c.pool, c.n)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, got, c.want, "boots of "+c.pool)
	}
}

func testTimeline(t *testing.T, s nodes.Store) {
	l := mustAdd(t, s, newLease("a", 1))
	want := []nodes.Event{{Lease: "a", At: start, State: nodes.Wanted, Reason: "run is queued"}}
	wantEqual(t, timeline(t, s, "a"), want, "timeline of a new lease")

	l.VM, l.Cloud, l.Changed = "i-1", "ec2", after(1) // neither State nor Reason
	l = mustUpdate(t, s, l)
	wantEqual(t, timeline(t, s, "a"), want, "timeline after another change")

	l.Reason, l.Place, l.Changed = "waits", "ec2/a", after(3)
	l = mustUpdate(t, s, l)
	want = append(want, nodes.Event{Lease: "a", At: after(3), State: nodes.Wanted, Reason: "waits", Place: "ec2/a"})
	l.State = nodes.Launching // at the same time, and for the same reason
	l = mustUpdate(t, s, l)
	want = append(want, nodes.Event{Lease: "a", At: after(3), State: nodes.Launching, Reason: "waits", Place: "ec2/a"})
	l.State, l.Reason, l.Changed = nodes.Gone, "over", after(2) // a clock was set back
	mustUpdate(t, s, l)
	want = append(want, nodes.Event{Lease: "a", At: after(2), State: nodes.Gone, Reason: "over", Place: "ec2/a"})
	wantEqual(t, timeline(t, s, "a"), want, "timeline of a life")
	wantEqual(t, len(timeline(t, s, "none")), 0, "entries in the timeline of no lease")
}
