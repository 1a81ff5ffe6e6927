package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// must asks for something that has to be answered with a status, and decodes
// the answer.
func must[T any](f *fixture, status int, role console.Role, method, target, body string) T {
	f.t.Helper()
	w := f.ask(role, method, target, body)
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != status {
		f.t.Fatalf("%s %s: %d %s, %v", method, target, w.Code, w.Body, err)
	}
	return v
}

func (f *fixture) lease(id string) nodes.Lease {
	f.t.Helper()
	l, err := f.store.MemStore.Lease(context.Background(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return l
}

func TestHold(t *testing.T) {
	expires := ago(10 * time.Minute).Add(4 * time.Hour) // of nbusy
	for _, c := range []struct {
		name, body string
		until      time.Time
		bounded    bool
	}{
		{"for", `{"for": 3600, "reason": "heap dump"}`, noon.Add(time.Hour), false},
		{"until", `{"until": "2026-07-01T22:00:00+09:00", "reason": "heap dump"}`, noon.Add(time.Hour), false},
		{"beyond the machine's life", `{"for": 86400, "reason": "heap dump"}`, expires, true},
		{"all its life", `{"until": "2026-07-01T15:50:00Z", "reason": "heap dump"}`, expires, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			got := must[api.Hold](f, 200, console.Operate, "POST", "/api/v1/leases/nbusy/hold", c.body)
			l := f.lease("nbusy")
			if !got.Until.Equal(c.until) || got.Bounded != c.bounded || (got.Note != "") != c.bounded || !l.HoldUntil.Equal(c.until) || l.HeldBy != "lee" {
				t.Errorf("answer %+v; stored until %v by %q; want %v, bounded %v", got, l.HoldUntil, l.HeldBy, c.until, c.bounded)
			}
			want := "the run is on its machine; kept until " + c.until.Format(time.RFC3339) + " for lee: heap dump"
			events, _ := f.store.Timeline(context.Background(), "nbusy")
			last := events[len(events)-1]
			if l.State != nodes.Busy || l.Reason != want || last.Reason != want || !last.At.Equal(noon) || !l.Since.Equal(ago(9*time.Minute)) {
				t.Errorf("%s since %v: %q; the last entry: %+v", l.State, l.Since, l.Reason, last)
			}
		})
	}
}

// Holds take the place of one another, and their end leaves the machine to
// the reconciler: nothing else of the lease changes.
func TestHoldAndRelease(t *testing.T) {
	f := newFixture(t)
	before := f.lease("nbusy")
	for _, reason := range []string{"heap dump", "another look; kept until never"} {
		must[api.Hold](f, 200, console.Operate, "POST", "/api/v1/leases/nbusy/hold", fmt.Sprintf(`{"for": 600, "reason": %q}`, reason))
	}
	must[api.Lease](f, 200, console.Operate, "POST", "/api/v1/leases/nbusy/release", "")
	after := f.lease("nbusy")
	if want := "the run is on its machine; the hold of lee was ended by lee"; after.Reason != want {
		t.Errorf("reason %q, want %q", after.Reason, want)
	}
	after.Reason, after.Changed, after.Version = before.Reason, before.Changed, before.Version
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the lease has changed (-want +got):\n%s", diff)
	}
	if w := f.ask(console.Operate, "POST", "/api/v1/leases/nbusy/release", ""); w.Code != 409 {
		t.Errorf("a hold was ended twice: %d", w.Code)
	}
	// One that the job asked for with hold_on_failure ends too.
	got := must[api.Lease](f, 200, console.Operate, "POST", "/api/v1/leases/nheld/release", "")
	if !got.HoldUntil.IsZero() || !strings.HasSuffix(got.Reason, "; the hold was ended by lee") {
		t.Errorf("%+v", got)
	}
}

func TestCannotHold(t *testing.T) {
	f := newFixture(t)
	expired := f.lease("nheld")
	expired.Expires = noon
	f.pass(expired, nodes.Releasing, 0, "x", nil)
	for _, c := range []struct {
		id, body string
		status   int
		has      string
	}{
		{"nwaits", `{"for": 1, "reason": "x"}`, 409, "no machine was asked for yet: the run waits for its machine; ask again when it boots"},
		{"nspare", `{"for": 1, "reason": "x"}`, 409, "it is a spare"},
		{"nfailed", `{"for": 1, "reason": "x"}`, 409, "its machine is gone: the run has ended: FAILURE"},
		{"nheld", `{"for": 1, "reason": "x"}`, 409, "powered itself off at 2026-07-01T12:00:00Z"},
		{"nbusy", `{"reason": "x"}`, 422, "body: it takes either until or for"},
		{"nbusy", `{"for": 1, "until": "2026-07-01T13:00:00Z", "reason": "x"}`, 422, "body: it takes either until or for"},
		{"nbusy", `{"until": "2026-07-01T12:00:00Z", "reason": "x"}`, 422, "body.until: that time has passed"},
		{"nbusy", `{"for": -1, "reason": "x"}`, 422, "body.for: expected number >= 1"},
		{"nbusy", `{"for": 1e300, "reason": "x"}`, 422, "body.for"},
		{"nbusy", `{"for": 1}`, 422, "reason"},
	} {
		w := f.ask(console.Operate, "POST", "/api/v1/leases/"+c.id+"/hold", c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s %s: %d %s, want %d with %q", c.id, c.body, w.Code, w.Body, c.status, c.has)
		}
	}
}

// A hold is made on top of what the reconciler has made of the lease in
// between, and gives up where that never ends.
func TestHoldOnConflict(t *testing.T) {
	f := newFixture(t)
	left := 3
	f.store.meddle = func(nodes.Lease) {
		if left == 0 {
			return
		}
		left--
		f.pass(f.lease("nbusy"), nodes.Releasing, 0, "the run has ended: FAILURE", func(l *nodes.Lease) { l.Result = "FAILURE" })
	}
	got := must[api.Hold](f, 200, console.Operate, "POST", "/api/v1/leases/nbusy/hold", `{"for": 600, "reason": "a look"}`)
	l := f.lease("nbusy")
	if l.State != nodes.Releasing || l.Result != "FAILURE" || l.HeldBy != "lee" || !strings.HasPrefix(l.Reason, "the run has ended: FAILURE; kept until") {
		t.Errorf("%+v", l)
	}
	if !strings.Contains(got.Note, "may be gone") {
		t.Errorf("note %q", got.Note)
	}
	left = 1000
	if w := f.ask(console.Operate, "POST", "/api/v1/leases/nbusy/hold", `{"for": 600, "reason": "a look"}`); w.Code != 409 || !strings.Contains(w.Body.String(), "try again") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A catalog that lost most jobs, or all, is taken only where that is said to
// be meant.
func TestCatalogShrinks(t *testing.T) {
	jobs := func(n int) (paths []string) {
		for i := range n {
			paths = append(paths, fmt.Sprintf("a/b/c-%d", i))
		}
		return paths
	}
	for _, c := range []struct{ old, jobs, want int }{
		{10, 5, 201}, {10, 4, 409}, {10, 0, 409}, {11, 5, 409}, {11, 6, 201}, {1, 0, 409}, {0, 1, 201}, {10, 100, 201},
	} {
		f := newFixture(t)
		f.putCatalog(jobs(c.old)...)
		text := catalogText(catalogOf(jobs(c.jobs)...))
		w := f.ask(console.Publish, "PUT", "/api/v1/catalog", text)
		if w.Code != c.want {
			t.Errorf("from %d jobs to %d: %d %s, want %d", c.old, c.jobs, w.Code, w.Body, c.want)
		}
		_, version, _, _, err := f.store.Catalog(context.Background())
		if (version == 2) != (c.want == 409) || err != nil {
			t.Errorf("from %d jobs to %d: version %d is in force, %v", c.old, c.jobs, version, err)
		}
		if c.want == 409 {
			if got := must[api.CatalogPut](f, 201, console.Publish, "PUT", "/api/v1/catalog?force=true", text); got.Jobs != c.jobs || got.Removed != c.old-c.jobs {
				t.Errorf("by force: %+v", got)
			}
		}
	}
	f := newFixture(t)
	f.store.MemStore = nodetest.NewMemStore()
	if w := f.ask(console.Publish, "PUT", "/api/v1/catalog", catalogText(catalogOf())); w.Code != 409 {
		t.Errorf("an empty catalog: %d", w.Code)
	}
}

func TestCatalog(t *testing.T) {
	f := newFixture(t)
	c := catalogOf(daily, hourly, "live-1/settlement/fee-report", "live-3/한글/new")
	c.Jobs[1].Timeout = 60
	put := must[api.CatalogPut](f, 201, console.Publish, "PUT", "/api/v1/catalog", catalogText(c))
	if want := (api.CatalogPut{Version: 2, Jobs: 4, Added: 1, Removed: 1, Changed: 1}); put != want {
		t.Errorf("%+v, want %+v", put, want)
	}
	again := must[api.CatalogPut](f, 200, console.Publish, "PUT", "/api/v1/catalog", catalogText(c))
	if want := (api.CatalogPut{Version: 2, Jobs: 4}); again != want {
		t.Errorf("the same again: %+v, want %+v", again, want)
	}
	info := must[api.CatalogInfo](f, 200, console.Read, "GET", "/api/v1/catalog", "")
	if want := (api.CatalogInfo{Version: 2, Jobs: 4, At: noon, By: "seed"}); info != want {
		t.Errorf("%+v, want %+v", info, want)
	}
	full := must[api.CatalogInfo](f, 200, console.Read, "GET", "/api/v1/catalog?full=true", "")
	if got, want := catalogText(*full.Catalog), catalogText(c); got != want {
		t.Errorf("the catalog is\n%s\nwant\n%s", got, want)
	}
	for text, has := range map[string]string{
		"":                                       "it does not begin with",
		"garbage \x00":                           "it does not begin with",
		`{"version": 2, "jobs": []}`:             "it has version 2",
		`{"version": 1, "jobs": [{"path": "a"`:   "line 1: jobs[0]",
		`{"version": 1, "jobs": [{"tiemout":1}]`: "unknown field",
		strings.Repeat("[", 1<<16):               "it does not begin with",
	} {
		if w := f.ask(console.Publish, "PUT", "/api/v1/catalog?force=true", text); w.Code != 422 || !strings.Contains(w.Body.String(), has) {
			t.Errorf("%.40q: %d %s", text, w.Code, w.Body)
		}
	}
	if _, version, _, _, _ := f.store.Catalog(context.Background()); version != 2 {
		t.Errorf("garbage was put in force as version %d", version)
	}
}
