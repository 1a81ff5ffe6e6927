package nodetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/nodes"
)

// Records is what a database keeps beside the reconciler's Store, for the
// console and the commands. store.DB says what the methods do.
type Records interface {
	nodes.Store
	Timeline(ctx context.Context, lease string) ([]nodes.Event, error)
	Lease(ctx context.Context, id string) (nodes.Lease, error)
	Runs(ctx context.Context, f nodes.RunsFilter) ([]nodes.Lease, error)
	Prune(ctx context.Context, before time.Time) (int, error)
	PutCatalog(ctx context.Context, c catalog.Catalog, by string, at time.Time) (version int64, err error)
	Catalog(ctx context.Context) (c catalog.Catalog, version int64, at time.Time, by string, err error)
	CatalogVersion(ctx context.Context) (int64, error)
	Drain(ctx context.Context, pool, by, reason string, at time.Time) error
	Resume(ctx context.Context, pool string) error
	Drained(ctx context.Context) (map[string]nodes.Drain, error)
}

// TestRecords checks Records beyond nodes.Store. Open gives empty ones.
func TestRecords(t *testing.T, open func(t *testing.T) Records) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, r Records)
	}{
		{"Lease", testLease},
		{"Runs", testRuns},
		{"RunsByPage", testRunsByPage},
		{"Prune", testPrune},
		{"PruneKeepsAttempts", testPruneKeepsAttempts},
		{"PruneMany", testPruneMany},
		{"Catalog", testCatalog},
		{"CatalogRace", testCatalogRace},
		{"CatalogRefuses", testCatalogRefuses},
		{"Drain", testDrain},
		{"CancelledRecords", testCancelledRecords},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func testLease(t *testing.T, r Records) {
	_, err := r.Lease(t.Context(), "a")
	wantError(t, err, nodes.ErrNotFound, "a lease that is not there")
	l := mustPass(t, r, mustAdd(t, r, newLease("a", 1)), nodes.Releasing, nodes.Gone)
	got, err := r.Lease(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, l, "a lease that is gone")
}

func testRuns(t *testing.T, r Records) {
	for i, job := range []string{"live-1/settlement/daily", "live-1/settlement/hourly", "live-2/settlement/daily", "live-1/a[1]/x", "live-1/a1/x"} {
		l := newLease(name("l", i), 1)
		l.Job, l.Created = job, after(i)
		mustAdd(t, r, l)
	}
	l := newLease("gone", 2)
	l.Created = after(9)
	mustPass(t, r, mustAdd(t, r, l), nodes.Gone)
	mustAdd(t, r, newSpare("spare"))
	for _, c := range []struct {
		f    nodes.RunsFilter
		want []string
	}{
		{nodes.RunsFilter{}, []string{"gone", "l-004", "l-003", "l-002", "l-001", "l-000"}},
		{nodes.RunsFilter{Limit: 2}, []string{"gone", "l-004"}},
		{nodes.RunsFilter{Job: "live-1/settlement/daily"}, []string{"gone", "l-000"}},
		{nodes.RunsFilter{Job: "live-1/settlement/daily", Limit: 1}, []string{"gone"}},
		{nodes.RunsFilter{Job: "*/settlement/daily"}, []string{"gone", "l-002", "l-000"}},
		{nodes.RunsFilter{Job: "*/settlement/daily", Limit: 2, Before: after(9)}, []string{"l-002", "l-000"}},
		{nodes.RunsFilter{Job: "live-1/**"}, []string{"gone", "l-004", "l-003", "l-001", "l-000"}},
		{nodes.RunsFilter{Job: "live-1/*"}, nil},
		{nodes.RunsFilter{Job: "live-1/a[1]/x"}, []string{"l-004", "l-003"}},
		{nodes.RunsFilter{Before: after(2)}, []string{"l-001", "l-000"}},
		{nodes.RunsFilter{Before: after(2), BeforeID: "l-002"}, []string{"l-001", "l-000"}},
		{nodes.RunsFilter{Before: after(2), BeforeID: "l-003"}, []string{"l-002", "l-001", "l-000"}},
	} {
		got, err := r.Runs(t.Context(), c.f)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, leaseIDs(got), c.want, fmt.Sprintf("runs of %+v", c.f))
	}
	if _, err := r.Runs(t.Context(), nodes.RunsFilter{Job: "live-["}); err == nil {
		t.Error("a glob that is none gave no error")
	}
}

// Pages miss nothing and repeat nothing, also where many leases were made at
// one time.
func testRunsByPage(t *testing.T, r Records) {
	var want, got []string
	for i := range 20 {
		l := newLease(name("l", i), i)
		l.Created = after(i / 7)
		want = append(want, mustAdd(t, r, l).ID)
	}
	slices.Reverse(want)
	for _, job := range []string{"", "live-1/**", "live-1/settlement/daily"} {
		got = nil
		f := nodes.RunsFilter{Job: job, Limit: 3}
		for {
			page, err := r.Runs(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, leaseIDs(page)...)
			f.Before, f.BeforeID = page[len(page)-1].Created, page[len(page)-1].ID
		}
		wantEqual(t, got, want, "all pages of "+job)
	}
}

// mustPrune forgets what ended before a time and checks how much that was.
func mustPrune(t *testing.T, r Records, before time.Time, want int) {
	t.Helper()
	if n, err := r.Prune(t.Context(), before); err != nil || n != want {
		t.Errorf("%d leases forgotten, %v, want %d", n, err, want)
	}
}

func testPrune(t *testing.T, r Records) {
	end := func(id string, number, second int) nodes.Lease {
		o := newOrder("order of " + id)
		placed, _ := mustPlace(t, r, o, []nodes.Lease{ordered(mustAdd(t, r, newLease(id, number)), o)}, nodes.Limits{})
		l := to(placed[0], nodes.Gone)
		l.Since = after(second)
		return mustUpdate(t, r, l)
	}
	old := end("old", 1, 100)
	late := end("late", 2, 200)
	live := mustPass(t, r, mustAdd(t, r, newLease("live", 3)), nodes.Releasing)
	mustPrune(t, r, after(100), 0)
	mustPrune(t, r, after(101), 1)
	_, err := r.Lease(t.Context(), old.ID)
	wantError(t, err, nodes.ErrNotFound, "a lease that was forgotten")
	wantEqual(t, len(timeline(t, r, old.ID)), 0, "entries in its timeline")
	wantOrder(t, r, "order of old", 0)
	wantOrder(t, r, "order of late", 1)
	wantEqual(t, len(timeline(t, r, late.ID)), 3, "entries in the timeline of another")
	wantLeases(t, r, live)
	mustPrune(t, r, after(1000), 1)
	wantLeases(t, r, live)
	mustAdd(t, r, newLease("old", 1)) // nothing is left of the other
}

// An attempt of a run that has another one now is not forgotten, however old.
func testPruneKeepsAttempts(t *testing.T, r Records) {
	first := newLease("first", 1)
	first.Started, first.Attempt = 5, 1
	first = mustPass(t, r, mustAdd(t, r, first), nodes.Gone)
	second := newLease("second", 1)
	second.Started, second.Attempt = 5, 2
	second = mustPass(t, r, mustAdd(t, r, second), nodes.Busy)
	mustPass(t, r, mustAdd(t, r, newSpare("spare")), nodes.Gone)
	mustAdd(t, r, newSpare("live spare"))
	mustPrune(t, r, after(9999), 1) // the spare
	again := first
	again.ID = "again"
	_, err := r.Add(t.Context(), again)
	wantError(t, err, nodes.ErrTaken, "an attempt of a run that is on its second")
	mustPass(t, r, second, nodes.Gone)
	mustPrune(t, r, after(9999), 2)
}

func testPruneMany(t *testing.T, r Records) {
	const n = 510
	for i := range n {
		mustPass(t, r, mustAdd(t, r, newLease(name("l", i), i)), nodes.Gone)
	}
	mustPrune(t, r, after(9999), n)
}

func testCancelledRecords(t *testing.T, r Records) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, call := range map[string]func() error{
		"Timeline":       func() error { _, err := r.Timeline(ctx, "a"); return err },
		"Lease":          func() error { _, err := r.Lease(ctx, "a"); return err },
		"Runs":           func() error { _, err := r.Runs(ctx, nodes.RunsFilter{}); return err },
		"Prune":          func() error { _, err := r.Prune(ctx, start); return err },
		"PutCatalog":     func() error { _, err := r.PutCatalog(ctx, newCatalog("a/b/c"), "", start); return err },
		"Catalog":        func() error { _, _, _, _, err := r.Catalog(ctx); return err },
		"CatalogVersion": func() error { _, err := r.CatalogVersion(ctx); return err },
		"Drain":          func() error { return r.Drain(ctx, "standard", "", "", start) },
		"Resume":         func() error { return r.Resume(ctx, "standard") },
		"Drained":        func() error { _, err := r.Drained(ctx); return err },
	} {
		wantError(t, call(), context.Canceled, what)
	}
}
