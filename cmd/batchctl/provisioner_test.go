package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// TestProvisionerScripts runs the manual of the verbs that ask a provisioner:
// testdata/provisioner/*.txtar. Each script has a console of its own, in which
// it is always 02:20 in Seoul on the first of July.
func TestProvisionerScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/provisioner",
		UpdateScripts: *update,
		Setup:         startConsole,
		Cmds:          map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "unready": unready, "morewaits": moreWaits},
	})
}

// clock is the time by the console's clock.
var clock = time.Date(2026, 6, 30, 17, 20, 0, 0, time.UTC)

// fake is what one script talks to.
type fake struct {
	store *nodetest.MemStore

	mu     sync.Mutex
	checks []api.Check
}

func (f *fake) ready(context.Context) []api.Check {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.checks)
}

func fakeOf(ts *testscript.TestScript) *fake { return ts.Value(fakeKey{}).(*fake) }

type fakeKey struct{}

// unready has the console say that it is not ready.
func unready(ts *testscript.TestScript, _ bool, _ []string) {
	f := fakeOf(ts)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checks[1] = api.Check{Name: "controller main", Reason: "no look has succeeded for 4m0s: 503 Service Unavailable"}
}

// moreWaits has a dozen runs more wait.
func moreWaits(ts *testscript.TestScript, _ bool, _ []string) {
	for i := range 12 {
		l := runLease(fmt.Sprintf("nmore%02d", i), "live-1/capture/retry", i+1, clock.Add(-time.Duration(i+1)*time.Second))
		l.Reason = "waits: limit of pool standard: 200 of 200 machines"
		_, err := fakeOf(ts).store.Add(context.Background(), l)
		ts.Check(err)
	}
}

func startConsole(env *testscript.Env) error {
	f := &fake{store: nodetest.NewMemStore(), checks: []api.Check{{Name: "store", OK: true}, {Name: "controller main", OK: true}}}
	env.Values[fakeKey{}] = f
	if err := f.fill(); err != nil {
		return err
	}
	place := nodes.Place{Name: "aws-apne2", Cloud: "aws"}
	server := httptest.NewServer(console.New(console.Config{
		Records: f.store, Settings: f.store, Catalogs: f.store,
		Live: func() []nodes.Lease {
			leases, _ := f.store.Leases(context.Background())
			return leases
		},
		Pools: map[string]nodes.Pool{
			"large":    {Name: "large", Places: []nodes.Place{place}},
			"standard": {Name: "standard", Limit: 200, Spares: 2, Places: []nodes.Place{{Name: "idc-seoul", Cloud: "idc"}, place}},
		},
		Controllers: []string{"main"},
		Ready:       f.ready,
		Tokens: []console.Token{
			{Name: "kim", Role: console.Read, Hash: console.HashToken("token-of-kim")},
			{Name: "seed", Role: console.Publish, Hash: console.HashToken("token-of-seed")},
		},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return clock },
	}))
	env.Defer(server.Close)
	env.Setenv("BATCHCTL_PROVISIONER", server.URL)
	env.Setenv("BATCHCTL_TOKEN", "token-of-kim")
	env.Setenv("TZ", "Asia/Seoul")
	return nil
}

func runLease(id, job string, number int, seen time.Time) nodes.Lease {
	return nodes.Lease{
		ID: id, Reason: "the run waits for its machine", Created: seen.Add(400 * time.Millisecond), Seen: seen.Add(400 * time.Millisecond), Queued: seen,
		Controller: "main", Job: job, Number: number, Started: seen.UnixMilli(), Attempt: 1, Team: "settlement-team", Pool: "standard",
		Need: nodes.Need{CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "arm64"},
	}
}

// step is one change of a lease, so long after it was wanted.
type step struct {
	after  time.Duration
	state  nodes.State
	reason string
	edit   func(l *nodes.Lease, at time.Time)
}

// live stores a lease and its life.
func (f *fake) live(l nodes.Lease, steps ...step) error {
	ctx := context.Background()
	l.Since, l.Changed = l.Created, l.Created
	l, err := f.store.Add(ctx, l)
	for _, s := range steps {
		if err != nil {
			return err
		}
		at := l.Created.Add(s.after)
		if s.state != l.State {
			l.Since = at
		}
		l.State, l.Reason, l.Changed = s.state, s.reason, at
		if s.edit != nil {
			s.edit(&l, at)
		}
		l, err = f.store.Update(ctx, l)
	}
	return err
}

// boots is what every machine does until it is online.
func boots(machine, detail, online string) []step {
	return []step{
		{100 * time.Millisecond, nodes.Launching, "asking idc-seoul for a machine", func(l *nodes.Lease, at time.Time) { l.Place, l.Cloud, l.Ordered = "idc-seoul", "idc", at }},
		{250 * time.Millisecond, nodes.Launching, "idc-seoul: no capacity: quota of project batch is full (120 of 120 servers)", nil},
		{300 * time.Millisecond, nodes.Launching, "asking aws-apne2 for a machine", func(l *nodes.Lease, _ time.Time) { l.Place, l.Cloud, l.Order = "aws-apne2", "aws", "o"+l.ID }},
		{900 * time.Millisecond, nodes.Booting, "aws-apne2: accepted, " + machine + " (" + detail + ")", func(l *nodes.Lease, at time.Time) {
			l.VM, l.Detail, l.Expires, l.Price = machine, detail, at.Add(4*time.Hour), 0.1
			if strings.HasPrefix(detail, "m7g.xlarge") {
				l.Price = 0.2
			}
		}},
		{29 * time.Second, nodes.Ready, "the machine called in 28.9s after it was asked for", func(l *nodes.Lease, at time.Time) { l.Called, l.Handed = at, at }},
		{31 * time.Second, nodes.Ready, online, func(l *nodes.Lease, at time.Time) { l.Online = at }},
	}
}

func begins(l *nodes.Lease, at time.Time)  { l.Began, l.Delivered = at, true }
func fails(l *nodes.Lease, _ time.Time)    { l.Result = "FAILURE" }
func succeeds(l *nodes.Lease, _ time.Time) { l.Result = "SUCCESS" }

// fill stores what the scripts look at.
func (f *fake) fill() error {
	const daily, fees, hourly = "live-1/settlement/daily-settlement", "live-1/settlement/fee-report", "live-1/capture/hourly"
	at := func(d time.Duration) time.Time { return clock.Add(d) }
	lost := runLease("n4h1", fees, 7, at(-6*time.Hour))
	again := runLease("n4h2", fees, 7, at(-6*time.Hour))
	again.Created, again.Attempt = again.Created.Add(10*time.Minute), 2
	again.Seen, again.Queued = again.Created, again.Created
	again.Reason = "the run waits for another machine, its 2.: the machine was lost while the run was on it"
	early := runLease("n9aa", hourly, 41, at(-40*time.Second))
	early.Started, early.Attempt, early.Seen, early.Queued, early.Due = 0, 0, time.Time{}, time.Time{}, at(time.Minute)
	early.Reason = "made ahead of 2026-06-30T17:21:00Z"
	hour := runLease("n8zz", hourly, 40, at(-59*time.Minute-40*time.Second))
	hour.Queued, hour.Due, hour.Seen, hour.Reason = time.Time{}, at(-59*time.Minute), at(-59*time.Minute), "made ahead of 2026-06-30T16:21:00Z"
	anew := runLease("n0old", hourly, 40, at(-40*24*time.Hour))
	waits := runLease("n9bb", "live-1/capture/retry-failed", 3, at(-95*time.Second))
	waits.Reason = "idc-seoul: quota: 120 of 120 servers; aws-apne2: no capacity: m7g.xlarge is not to be had in ap-northeast-2b"
	spare := nodes.Lease{ID: "n7sp", Created: at(-30 * time.Minute), Pool: "standard", Reason: "to be kept as a spare"}
	const starts = "the node is online; Jenkins is about to start the run"
	then := func(steps []step, more ...step) []step { return append(steps, more...) }
	for _, c := range []struct {
		lease nodes.Lease
		steps []step
	}{
		{anew, then(boots("i-0a0", "m7g.xlarge, ap-northeast-2a", starts), step{33 * time.Second, nodes.Busy, "the run is on its machine", begins},
			step{time.Minute, nodes.Releasing, "the run has ended: SUCCESS", succeeds}, step{2 * time.Minute, nodes.Gone, "the run has ended: SUCCESS", nil})},
		{lost, then(boots("i-0b1", "m7g.xlarge, ap-northeast-2b", starts), step{33 * time.Second, nodes.Busy, "the run is on its machine", begins},
			step{9 * time.Minute, nodes.Releasing, "the machine was lost while the run was on it", nil}, step{9*time.Minute + 5*time.Second, nodes.Gone, "the machine was lost while the run was on it", nil})},
		{again, then(boots("i-0b2", "m7g.xlarge, ap-northeast-2a", starts), step{32 * time.Second, nodes.Busy, "the run is on its machine", begins},
			step{5 * time.Hour, nodes.Releasing, "the run has ended: FAILURE; the machine is kept for a look until 2026-06-30T17:30:00Z", func(l *nodes.Lease, at time.Time) {
				fails(l, at)
				l.HoldUntil = clock.Add(10 * time.Minute)
			}})},
		{hour, then(boots("i-0d1", "m7g.large, ap-northeast-2b", "made ahead: online and waiting for the run of 2026-06-30T16:21:00Z"), step{40 * time.Second, nodes.Ready, "its run has come: made ahead: online and waiting for the run of 2026-06-30T16:21:00Z", nil},
			step{41 * time.Second, nodes.Busy, "the run is on its machine", begins},
			step{5 * time.Minute, nodes.Releasing, "the run has ended: SUCCESS", succeeds}, step{6 * time.Minute, nodes.Gone, "the run has ended: SUCCESS", nil})},
		{spare, then(boots("i-0e1", "m7g.xlarge, ap-northeast-2a", "the node is online")[:5])},
		{runLease("n7f3k9", daily, 123, time.Date(2026, 6, 30, 17, 15, 0, 0, time.UTC)), then(boots("i-0c1", "m7g.xlarge, ap-northeast-2b", starts), step{32600 * time.Millisecond, nodes.Busy, "the run is on its machine", begins})},
		{early, boots("i-0c2", "m7g.large, ap-northeast-2b", "made ahead: online and waiting for the run of 2026-06-30T17:21:00Z")},
		{waits, nil},
	} {
		if err := f.live(c.lease, c.steps...); err != nil {
			return err
		}
	}
	jobs := catalog.Catalog{Version: catalog.Version}
	for _, path := range []string{daily, fees, hourly, "live-1/capture/retry-failed", "live-2/capture/hourly"} {
		jobs.Jobs = append(jobs.Jobs, catalog.Job{Path: path, Token: catalog.Token(path), Controller: "main"})
	}
	if _, err := f.store.PutCatalog(context.Background(), jobs, "seed", at(-3*time.Hour)); err != nil {
		return err
	}
	return f.store.Drain(context.Background(), "large", "lee", "new image", at(-45*time.Minute))
}
