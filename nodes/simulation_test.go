package nodes_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// world is everything that a provisioner meets, in virtual time, and the
// provisioner. Before and after each call that leaves the provisioner, so with
// and without the call's effect, it may crash.
type world struct {
	t       testing.TB
	seed    uint64
	rng     *rand.Rand
	now     time.Time
	jenkins *jenkinstest.Server
	clouds  map[string]*nodetest.Cloud
	store   *nodetest.MemStore
	catalog catalog.Catalog
	ours    *nodes.Reconciler

	at        func()       // see before
	told      func(...any) // see after
	lose      bool         // the next call that changes something gets no reply
	crash     float64      // probability of a crash at each crossing
	crashes   int
	agents    map[string]*agent // by machine
	handed    map[string]string // node's name to the machine that has its secret
	alert     bool              // a violation was found
	timing    nodes.Timing
	lives     int
	drained   map[string]string
	stopLost  bool
	strangers bool // machines may be refused
	spares    int
	limit     int  // of each cloud
	batch     int  // machines of one order at most
	nat       bool // machines call in from other addresses
	prover    nodes.Prover
	small     bool // no place has a machine that is large enough
}

// agent is what runs on one machine.
type agent struct {
	cloud, machine, order, token, claim string
	calls                               time.Time // when it calls in next
	name, secret                        string
	connects                            time.Time
	connected                           bool
	frozen                              bool
}

// crashed is what a simulated crash panics with.
type crashed struct{}

const owner = "sim"

func newWorld(t testing.TB, seed uint64, options ...jenkinstest.Option) *world {
	w := &world{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0x5eed)),
		now: time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC), store: nodetest.NewMemStore(),
		clouds: map[string]*nodetest.Cloud{}, agents: map[string]*agent{}, handed: map[string]string{},
		timing: nodes.DefaultTiming(), drained: map[string]string{}, limit: 40,
	}
	w.jenkins = jenkinstest.New(func() time.Time { return w.now }, options...)
	w.jenkins.AddUser("provisioner", jenkinstest.ProvisionerPermissions...)
	return w
}

// before is called before each call that leaves the provisioner: an
// exploration decides here who goes on, a simulation whether it crashes.
func (w *world) before() {
	if w.at != nil {
		w.at()
	}
	w.mayCrash()
}

// after is called after such a call, with what it has told.
func (w *world) after(told ...any) {
	if w.told != nil {
		w.told(told...)
	}
	w.mayCrash()
}

func (w *world) mayCrash() {
	if w.crash > 0 && w.rng.Float64() < w.crash {
		panic(crashed{})
	}
}

// loses reports whether the reply of this call, which had its effect, is lost.
func (w *world) loses() bool {
	lost := w.lose
	w.lose = false
	return lost
}

var errLost = errors.New("the reply is lost")

// violated reports that something has happened that must never happen.
func (w *world) violated(format string, args ...any) {
	w.t.Helper()
	w.alert = true
	w.t.Errorf("seed %d, %s: %s", w.seed, w.now.Format("15:04:05.000"), fmt.Sprintf(format, args...))
}

// driver crosses into a cloud, and looks at each machine before it ends.
type driver struct {
	nodes.Driver
	w    *world
	name string
}

// prover is a nodes.Prover.
type prover func(machine, proof string) error

func (p prover) Prove(machine string, proof []byte) error { return p(machine, string(proof)) }

func (d driver) Offers(ctx context.Context, place string, need nodes.Need) ([]nodes.Offer, error) {
	if d.w.small {
		return nil, nil
	}
	return d.Driver.Offers(ctx, place, need)
}

func (d driver) Launch(ctx context.Context, o nodes.Order) ([]nodes.VM, error) {
	d.w.before()
	vms, err := d.Driver.Launch(ctx, o)
	if d.w.loses() {
		vms, err = nil, errLost
	}
	d.w.after(vms, err)
	return vms, err
}

func (d driver) List(ctx context.Context) ([]nodes.VM, error) {
	d.w.before()
	vms, err := d.Driver.List(ctx)
	d.w.after(vms, err)
	return vms, err
}

func (d driver) Destroy(ctx context.Context, ids ...string) error {
	d.w.before()
	for _, id := range ids {
		d.w.checkDestroy(d.name, id)
	}
	err := d.Driver.Destroy(ctx, ids...)
	if d.w.loses() {
		err = errLost
	}
	d.w.after(err)
	return err
}

// checkDestroy finds a build that the end of a machine would cut off.
func (w *world) checkDestroy(cloud, id string) {
	a := w.agents[cloud+"/"+id]
	if a == nil || !a.connected || a.frozen {
		return
	}
	for _, n := range w.jenkins.Nodes() {
		if n.Name == a.name && n.Running != (jenkins.Ref{}) {
			w.violated("machine %s is destroyed while %s is on its node %s", id, n.Running, n.Name)
		}
	}
}

// transport crosses into Jenkins.
type transport struct{ w *world }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.w.before()
	if strings.HasSuffix(req.URL.Path, "/doDelete") {
		t.w.checkDelete(strings.Split(req.URL.Path, "/")[2])
	}
	resp, err := t.w.jenkins.Transport().RoundTrip(req)
	if req.Method == http.MethodPost && t.w.loses() {
		resp, err = nil, errLost
	}
	if t.w.told != nil && err == nil {
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(body))
		t.w.told(resp.StatusCode, string(body))
	}
	t.w.after(err)
	return resp, err
}

// checkDelete finds a build that the end of a node would cut off.
func (w *world) checkDelete(name string) {
	for _, n := range w.jenkins.Nodes() {
		if n.Name == name && n.Running != (jenkins.Ref{}) && !n.Zombie {
			w.violated("node %s is deleted while %s is on it", name, n.Running)
		}
	}
}

// store crosses into the database.
type store struct {
	nodes.Store
	w *world
}

func (s store) Leases(ctx context.Context) ([]nodes.Lease, error) {
	s.w.before()
	l, err := s.Store.Leases(ctx)
	s.w.after(l, err)
	return l, err
}

func (s store) History(ctx context.Context, k nodes.RunKey) ([]nodes.Lease, error) {
	s.w.before()
	l, err := s.Store.History(ctx, k)
	s.w.after(l, err)
	return l, err
}

func (s store) Add(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	s.w.before()
	l, err := s.Store.Add(ctx, l)
	s.w.after(l, err)
	return l, err
}

func (s store) Update(ctx context.Context, l nodes.Lease) (nodes.Lease, error) {
	s.w.before()
	l, err := s.Store.Update(ctx, l)
	s.w.after(l, err)
	return l, err
}

func (s store) Place(ctx context.Context, o nodes.Order, l []nodes.Lease, lim nodes.Limits) ([]nodes.Lease, []nodes.Over, error) {
	s.w.before()
	placed, over, err := s.Store.Place(ctx, o, l, lim)
	s.w.after(placed, over, err)
	return placed, over, err
}

// random gives names that depend on the seed alone.
type random struct{ rng *rand.Rand }

func (r random) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.rng.Uint32())
	}
	return len(p), nil
}

// start makes a new provisioner, as after a crash: all it knew is forgotten.
func (w *world) start() {
	client, err := jenkins.New(jenkins.Config{URL: "http://jenkins.example", User: "provisioner", Token: jenkinstest.Token("provisioner"), Transport: transport{w}})
	if err != nil {
		w.t.Fatal(err)
	}
	var places []nodes.Place
	clouds := map[string]nodes.Cloud{}
	for _, name := range []string{"idc", "aws"} {
		if c, there := w.clouds[name]; there {
			clouds[name] = nodes.Cloud{Driver: driver{c.Driver(owner), w, name}, Limit: w.limit, Batch: w.batch, NAT: w.nat, Prover: w.prover}
			places = append(places, nodes.Place{Name: name + "-1", Cloud: name})
		}
	}
	w.ours = nodes.New(nodes.Config{
		Owner: owner, Clouds: clouds, Timing: w.timing, Key: []byte("a key"),
		Controllers: map[string]nodes.Controller{"main": {Client: client, AgentURL: "http://jenkins.example", StopLost: w.stopLost}},
		Pools:       map[string]nodes.Pool{"standard": {Name: "standard", Places: places, Limit: 50, Ahead: true, Lead: time.Minute, Spares: w.spares, Spare: nodes.Need{CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "amd64"}}},
		UserData:    func(_ nodes.Order, token string) (string, error) { return token, nil },
		Store:       store{w.store, w}, Log: slog.New(slog.NewTextHandler(w.logTo(), nil)),
		Now: func() time.Time { return w.now }, Random: random{w.rng},
		Drained: func() map[string]string { return w.drained },
	})
	w.ours.SetCatalog(w.catalog)
}

// logTo is where the provisioner's log goes: nowhere, or to the terminal
// where one seed is looked at.
func (w *world) logTo() io.Writer {
	if os.Getenv("SIM_LOG") != "" {
		return stamped{w}
	}
	return io.Discard
}

type stamped struct{ w *world }

func (s stamped) Write(p []byte) (int, error) {
	_, rest, _ := strings.Cut(string(p), " ")
	s.w.t.Logf("%s %s", s.w.now.Format("15:04:05.000"), strings.TrimSpace(rest))
	return len(p), nil
}

// survive calls f, and starts a new provisioner where f crashed.
func (w *world) survive(f func()) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(crashed); !ok {
				panic(p)
			}
			w.crashes++
			w.start()
		}
	}()
	f()
}

// tick moves the clock, and lets everybody act once.
func (w *world) tick(d time.Duration) {
	w.now = w.now.Add(d)
	w.jenkins.Settle()
	w.machines()
	w.survive(func() { w.ours.Tick(context.Background()) })
	w.check()
}

// machines lets the machines do what their user data says.
func (w *world) machines() {
	for _, name := range []string{"idc", "aws"} {
		c, there := w.clouds[name]
		if !there {
			continue
		}
		for _, m := range c.Boots() {
			if m.Owner == owner {
				w.agents[name+"/"+m.ID] = &agent{cloud: name, machine: m.ID, order: m.Order, token: m.Request.UserData, claim: fmt.Sprintf("%064d", w.rng.Uint64()), calls: w.now}
			}
		}
	}
	for _, key := range sorted(w.agents) {
		w.agent(key, w.agents[key])
	}
}

// agent does one machine's part.
func (w *world) agent(key string, a *agent) {
	m, _ := w.clouds[a.cloud].Machine(a.machine)
	if !m.Ended.IsZero() {
		if a.connected && !a.frozen {
			w.jenkins.Disconnect(a.name)
		}
		delete(w.agents, key)
		return
	}
	switch {
	case a.frozen || a.connected:
	case a.name == "" && !w.now.Before(a.calls):
		a.calls = w.now.Add(2 * time.Second)
		w.survive(func() {
			h, err := w.ours.CallIn(context.Background(), nodes.Call{Token: a.token, Machine: a.machine, Claim: a.claim})
			switch {
			case err == nil:
				if other, was := w.handed[h.Name]; was && other != key {
					w.violated("the node %s is handed to %s and was handed to %s", h.Name, key, other)
				}
				w.handed[h.Name] = key
				a.name, a.secret = h.Name, h.Secret
				a.connects = w.now.Add(time.Second + time.Duration(w.rng.IntN(2000))*time.Millisecond)
			case errors.Is(err, nodes.ErrOver):
				w.clouds[a.cloud].Kill(a.machine)
			case w.strangers:
			case errors.Is(err, nodes.ErrStranger), errors.Is(err, nodes.ErrSpent):
				w.violated("machine %s is refused: %v", key, err)
			}
		})
	case a.name != "" && !w.now.Before(a.connects):
		if err := w.jenkins.Connect(a.name, a.secret); err != nil {
			a.connects = w.now.Add(5 * time.Second)
			return
		}
		a.connected = true
	}
}

// check looks for what must never be.
func (w *world) check() {
	holding := map[nodes.RunKey]string{}
	leases, _ := w.store.Leases(context.Background())
	for _, l := range leases {
		if l.Spare() || !l.State.Holds() {
			continue
		}
		if other, twice := holding[l.Key()]; twice {
			w.violated("%s has two leases: %s and %s", l.Run(), other, l.ID)
		}
		holding[l.Key()] = l.ID
	}
}

// checkRuns looks at everything that has happened to runs: a run of ours is
// always the first build on its node. A build that steals the label of a run
// may come after it only where the node could not be sealed: Jenkins could
// not be asked, or the run was there for less than a look.
func (w *world) checkRuns() {
	type stay struct {
		what       string
		start, end time.Time
	}
	used := map[string]stay{}
	for _, run := range w.jenkins.Runs() {
		for i, at := range run.Attempts {
			if at.Node == "" {
				continue
			}
			s := stay{fmt.Sprintf("%s of life %d, attempt %d", run.Ref, run.Life, i+1), at.Start, at.End}
			other, twice := used[at.Node]
			used[at.Node] = s
			if !twice {
				continue
			}
			if other.start.After(s.start) {
				s, other = other, s
			}
			l, err := w.store.Lease(context.Background(), at.Node)
			if !strings.HasPrefix(s.what, "foreign") || err == nil && !l.Sealed.IsZero() && l.Sealed.Before(s.start) {
				w.violated("node %s had %s (for %s) and then %s", at.Node, other.what, other.end.Sub(other.start), s.what)
			}
		}
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func job(path string, change func(*catalog.Job)) catalog.Job {
	j := catalog.Job{
		Path: path, Cluster: strings.Split(path, "/")[0], Controller: "main", Token: catalog.Token(path),
		Folder: path[:strings.LastIndexByte(path, '/')], Timeout: 3600, Concurrency: "allow", Retry: catalog.Retry{Attempts: 1}, Owner: "team",
		Node: catalog.Node{Pool: "standard", CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "amd64"},
	}
	if change != nil {
		change(&j)
	}
	return j
}

// put makes a job in the catalog and in Jenkins.
func (w *world) put(j catalog.Job, spec jenkinstest.JobSpec) {
	w.catalog.Jobs = append(w.catalog.Jobs, j)
	spec.Label = func(n int) string { return catalog.Label(j.Token, n) }
	w.jenkins.PutJob(j.FullName(), spec)
}
