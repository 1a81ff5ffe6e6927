package console_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// noon is the time by the console's clock; stored times are before it.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// ago returns a time before noon.
func ago(d time.Duration) time.Time { return noon.Add(-d) }

// records are those of a MemStore, with faults where a test wants them.
type records struct {
	*nodetest.MemStore
	broken bool                // it does not answer
	meddle func(l nodes.Lease) // called before each update
}

var errBroken = errors.New("dial db.internal as provisioner: connection refused")

func (r *records) Lease(ctx context.Context, id string) (nodes.Lease, error) {
	if r.broken {
		return nodes.Lease{}, errBroken
	}
	return r.MemStore.Lease(ctx, id)
}

func (r *records) Update(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	if r.meddle != nil {
		r.meddle(l)
	}
	return r.MemStore.Update(ctx, l)
}

func (r *records) Runs(ctx context.Context, f nodes.RunsFilter) ([]nodes.Lease, error) {
	if r.broken {
		return nil, errBroken
	}
	return r.MemStore.Runs(ctx, f)
}

func (r *records) Drained(ctx context.Context) (map[string]nodes.Drain, error) {
	if r.broken {
		return nil, errBroken
	}
	return r.MemStore.Drained(ctx)
}

func (r *records) CatalogVersion(ctx context.Context) (int64, error) {
	if r.broken {
		return 0, errBroken
	}
	return r.MemStore.CatalogVersion(ctx)
}

func (r *records) Catalog(ctx context.Context) (c catalog.Catalog, version int64, at time.Time, by string, err error) {
	if r.broken {
		return c, 0, at, "", errBroken
	}
	return r.MemStore.Catalog(ctx)
}

// fixture is a console with something to look at.
type fixture struct {
	t       *testing.T
	store   *records
	config  console.Config
	handler http.Handler
	checks  []api.Check
	mu      sync.Mutex
	log     bytes.Buffer
}

// Write implements io.Writer for the log.
func (f *fixture) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(b)
}

func (f *fixture) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

const (
	daily  = "live-1/settlement/daily-settlement"
	hourly = "live-1/capture/hourly"
)

func newFixture(t *testing.T, edit ...func(*console.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &records{MemStore: nodetest.NewMemStore()}, checks: []api.Check{{Name: "store", OK: true}}}
	f.fill()
	f.config = console.Config{
		Records: f.store, Settings: f.store, Catalogs: f.store,
		Live: func() []nodes.Lease {
			leases, err := f.store.Leases(context.Background())
			if err != nil {
				t.Error(err)
			}
			return leases
		},
		Pools: map[string]nodes.Pool{
			"standard": {Name: "standard", Limit: 200, Spares: 1, Ahead: true, Places: []nodes.Place{{Name: "idc-seoul", Cloud: "idc"}, {Name: "aws-apne2", Cloud: "aws"}}},
			"large":    {Name: "large", Places: []nodes.Place{{Name: "aws-large", Cloud: "aws"}}},
		},
		Controllers: []string{"main"},
		Lead:        func(context.Context, string) (time.Duration, bool) { return 36 * time.Second, true },
		Ready:       func(context.Context) []api.Check { return f.checks },
		Metrics:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "provisioner_leases 1\n") }),
		Tokens: []console.Token{
			{Name: "kim", Role: console.Read, Hash: console.HashToken("token-of-kim")},
			{Name: "lee", Role: console.Operate, Hash: console.HashToken("token-of-lee")},
			{Name: "seed", Role: console.Publish, Hash: console.HashToken("token-of-seed")},
			{Name: "nobody", Role: "none", Hash: console.HashToken("token-of-nobody")},
		},
		Log: slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return noon },
	}
	for _, e := range edit {
		e(&f.config)
	}
	f.handler = console.New(f.config)
	return f
}

// tokens of the roles.
var tokens = map[console.Role]string{
	console.Read: "token-of-kim", console.Operate: "token-of-lee", console.Publish: "token-of-seed", "none": "token-of-nobody", "wrong": "token-of-no-one", "": "",
}

// fill stores leases in all stages of life, a catalog and a drain.
func (f *fixture) fill() {
	run := func(id, job string, number int, age time.Duration) nodes.Lease {
		return nodes.Lease{
			ID: id, Reason: "the run waits for its machine", Created: ago(age), Since: ago(age), Changed: ago(age), Seen: ago(age), Queued: ago(age),
			Controller: "main", Job: job, Number: number, Started: ago(age).UnixMilli(), Attempt: 1, Team: "settlement-team",
			Pool: "standard", Need: nodes.Need{CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "arm64"}, Life: 7200,
		}
	}
	machine := func(l *nodes.Lease) {
		l.Place, l.Cloud, l.VM, l.Order, l.Ordered = "aws-apne2", "aws", "i-"+l.ID, "o"+l.ID, l.Created
		l.Expires = l.Created.Add(4 * time.Hour)
		l.Online, l.Called, l.Handed = l.Created.Add(30*time.Second), l.Created.Add(28*time.Second), l.Created.Add(28*time.Second)
	}
	failed := f.add(run("nfailed", daily, 122, 24*time.Hour))
	failed = f.pass(failed, nodes.Busy, 24*time.Hour-33*time.Second, "the run is on its machine", func(l *nodes.Lease) {
		machine(l)
		l.Began, l.Delivered = l.Created.Add(33*time.Second), true
	})
	failed = f.pass(failed, nodes.Releasing, 23*time.Hour, "the run has ended: FAILURE", func(l *nodes.Lease) { l.Result = "FAILURE" })
	f.pass(failed, nodes.Gone, 23*time.Hour-time.Minute, "the run has ended: FAILURE", nil)

	f.pass(f.add(run("nbusy", daily, 123, 10*time.Minute)), nodes.Busy, 9*time.Minute, "the run is on its machine", func(l *nodes.Lease) {
		machine(l)
		l.Began, l.Delivered = l.Created.Add(33*time.Second), true
	})
	f.pass(f.add(run("nheld", "live-1/settlement/fee-report", 9, 2*time.Hour)), nodes.Releasing, time.Hour, "the run has ended: FAILURE; the machine is kept for a look until 2026-07-01T12:30:00Z", func(l *nodes.Lease) {
		machine(l)
		l.Began, l.Delivered, l.Result, l.HoldUntil = l.Created.Add(time.Minute), true, "FAILURE", noon.Add(30*time.Minute)
	})
	f.add(run("nwaits", hourly, 7, 90*time.Second))
	early := run("nearly", hourly, 8, time.Minute)
	early.Started, early.Attempt, early.Seen, early.Queued, early.Due = 0, 0, time.Time{}, time.Time{}, noon.Add(time.Minute)
	early.Reason = "made ahead of 2026-07-01T12:01:00Z"
	f.pass(f.add(early), nodes.Ready, 20*time.Second, "made ahead: online and waiting for the run of 2026-07-01T12:01:00Z", machine)
	spare := nodes.Lease{ID: "nspare", Reason: "to be kept as a spare", Created: ago(30 * time.Minute), Since: ago(30 * time.Minute), Changed: ago(30 * time.Minute), Pool: "standard"}
	f.pass(f.add(spare), nodes.Ready, 29*time.Minute, "the machine called in 31.2s after it was asked for", machine)

	f.putCatalog(daily, hourly, "live-1/settlement/fee-report", "live-2/settlement/daily-settlement")
	if err := f.store.Drain(context.Background(), "large", "lee", "new image", ago(time.Hour)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) add(l nodes.Lease) nodes.Lease {
	f.t.Helper()
	added, err := f.store.Add(context.Background(), l)
	if err != nil {
		f.t.Fatal(err)
	}
	return added
}

// pass stores a lease in another state.
func (f *fixture) pass(l nodes.Lease, s nodes.State, age time.Duration, reason string, edit func(*nodes.Lease)) nodes.Lease {
	f.t.Helper()
	l.State, l.Since, l.Changed, l.Reason = s, ago(age), ago(age), reason
	if edit != nil {
		edit(&l)
	}
	stored, err := f.store.MemStore.Update(context.Background(), l)
	if err != nil {
		f.t.Fatal(err)
	}
	return stored
}

// catalogOf returns a catalog of jobs with these paths.
func catalogOf(paths ...string) catalog.Catalog {
	c := catalog.Catalog{Version: catalog.Version}
	for _, p := range paths {
		c.Jobs = append(c.Jobs, catalog.Job{Path: p, Token: catalog.Token(p), Controller: "main"})
	}
	return c
}

func catalogText(c catalog.Catalog) string {
	var b strings.Builder
	if err := catalog.Write(&b, c); err != nil {
		panic(err)
	}
	return b.String()
}

func (f *fixture) putCatalog(paths ...string) {
	f.t.Helper()
	if _, err := f.store.PutCatalog(context.Background(), catalogOf(paths...), "seed", ago(3*time.Hour)); err != nil {
		f.t.Fatal(err)
	}
}

// ask sends a request and returns the answer.
func (f *fixture) ask(role console.Role, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if t := tokens[role]; t != "" {
		r.Header.Set("Authorization", "Bearer "+t)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}
