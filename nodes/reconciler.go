package nodes

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/batchctl/batchctl/catalog"
)

// Reconciler makes the world outside as the leases say, and the leases as the
// world outside says. Several of them may work on one store.
type Reconciler struct {
	Config
	limits      Limits
	began       time.Time
	controllers map[string]*controllerView
	clouds      map[string]*cloudView
	work        work
	woken       chan struct{} // has an entry when a pass is due before its time

	mu      sync.Mutex
	jobs    *jobIndex
	leases  []Lease                // as the last pass read them; not changed afterwards
	byVM    map[string]int         // cloud/VM to the index in leases
	reads   map[string]reading     // when this version of a lease was read first
	changed chan struct{}          // closed when the leases have changed
	orders  map[string]string      // hash of the token of orders that machines call for
	secrets map[string]string      // of agents, until their run is on the machine
	rests   map[string]rest        // places that are left alone for a while
	pauses  map[string]pause       // effects that are not to be repeated yet
	boots   map[string]bootHistory // of pools
	due     dueTimes
	strange map[string]time.Time // machines and nodes without a lease, since when
}

// reading says when a version of a lease was read first.
type reading struct {
	version int64
	at      time.Time
}

// New returns a Reconciler that knows no job yet.
func New(c Config) *Reconciler {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Drained == nil {
		c.Drained = func() map[string]string { return nil }
	}
	r := &Reconciler{
		Config:      c,
		began:       c.Now(),
		limits:      Limits{Pool: map[string]int{}, Cloud: map[string]int{}, Team: c.Teams},
		controllers: map[string]*controllerView{}, clouds: map[string]*cloudView{},
		work: newWork(), woken: make(chan struct{}, 1), changed: make(chan struct{}),
		jobs: newJobIndex(nil), byVM: map[string]int{}, reads: map[string]reading{},
		orders: map[string]string{}, secrets: map[string]string{}, rests: map[string]rest{}, pauses: map[string]pause{},
		boots: map[string]bootHistory{}, due: dueTimes{}, strange: map[string]time.Time{},
	}
	for name, p := range c.Pools {
		c.Metrics.know(name)
		if p.Limit > 0 {
			r.limits.Pool[name] = p.Limit
		}
	}
	for name, cl := range c.Clouds {
		if cl.Limit > 0 {
			r.limits.Cloud[name] = cl.Limit
		}
		r.clouds[name] = &cloudView{name: name, driver: cl.Driver, missed: map[string]int{}}
		r.work.bound("cloud "+name, max(cl.Calls, 1))
	}
	for name, co := range c.Controllers {
		r.controllers[name] = &controllerView{name: name, Controller: co, runs: map[RunKey]runView{}, folders: map[string]folderView{}}
		r.work.bound("controller "+name, 8)
	}
	return r
}

// SetCatalog tells the reconciler which jobs there are. Runs of other jobs
// get no machine.
func (r *Reconciler) SetCatalog(c catalog.Catalog) {
	index := newJobIndex(c.Jobs)
	r.mu.Lock()
	r.jobs, r.due = index, dueTimes{}
	r.mu.Unlock()
	r.wake()
}

// Run looks and acts until ctx ends, and returns when everything it has begun
// has ended. Machines and leases are left as they are.
func (r *Reconciler) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, name := range slices.Sorted(maps.Keys(r.clouds)) {
		v := r.clouds[name]
		all.Go(func() { r.repeat(ctx, r.Clouds[name].Every, func() { r.list(ctx, v) }) })
	}
	for _, name := range slices.Sorted(maps.Keys(r.controllers)) {
		v := r.controllers[name]
		all.Go(func() { r.repeat(ctx, v.Every, func() { r.look(ctx, v) }) })
	}
	const gap = 100 * time.Millisecond // between two passes, so that news are gathered
	for ctx.Err() == nil {
		r.pass(ctx)
		wait(ctx, gap)
		select {
		case <-ctx.Done():
		case <-r.woken:
		case <-time.After(time.Second):
		}
	}
	all.Wait()
	r.work.wait()
}

// repeat calls f, and again d after it has returned, until ctx ends.
func (r *Reconciler) repeat(ctx context.Context, d time.Duration, f func()) {
	for ctx.Err() == nil {
		f()
		r.wake()
		wait(ctx, d)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// wake makes the next pass come at once.
func (r *Reconciler) wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// Tick looks once at everything and acts, all in the calling goroutine and in
// a fixed order. It is what a simulation calls instead of Run.
func (r *Reconciler) Tick(ctx context.Context) {
	r.work.inline = true
	for _, name := range slices.Sorted(maps.Keys(r.clouds)) {
		r.list(ctx, r.clouds[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.controllers)) {
		r.look(ctx, r.controllers[name])
	}
	r.pass(ctx)
}

// pass decides for every lease by the latest looks, and acts.
func (r *Reconciler) pass(ctx context.Context) {
	began := r.Now()
	r.adoptAll(ctx)
	leases, err := r.Store.Leases(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Error("the store cannot be read; nothing is decided until it can", "error", err)
		}
		return
	}
	r.noted(leases, began)
	var orders orderGroups
	var ends destroyGroups
	for i := range leases {
		r.decide(ctx, leases[i], &orders, &ends)
	}
	r.place(ctx, orders)
	r.destroy(ctx, ends)
	r.sweep(ctx, leases)
	r.prepare(ctx, leases)
	r.fill(ctx, leases)
	r.findLost(ctx, leases)
	r.Metrics.passed(leases, r.Now().Sub(began))
}

// decide asks next about one lease, stores what it says, and begins what is
// to be done.
func (r *Reconciler) decide(ctx context.Context, l Lease, orders *orderGroups, ends *destroyGroups) {
	if r.work.busy(l.ID) {
		return
	}
	now := r.Now()
	s := r.sight(ctx, &l)
	n, action := next(l, s, now, r.Timing)
	if !l.VMSeen && (s.Machine == MachineThere || s.Machine == MachineEnding) {
		n.VMSeen = true
	}
	if n != l {
		stored, err := r.update(ctx, l, n)
		if err != nil {
			return
		}
		n = stored
		if n.Crowded && !l.Crowded {
			r.rest(n.Cloud, n.Place, r.clouds[n.Cloud].fault(n.VM))
		}
	}
	switch action {
	case Nothing:
	case OrderIt, RepeatIt:
		orders.add(n)
	case Destroy:
		if r.rested(n.ID + " destroy") {
			ends.add(n)
		}
	default:
		r.act(ctx, n, action)
	}
}

// update stores a change of a lease. A conflict is no error to report: the
// next pass sees what the other has made of it.
func (r *Reconciler) update(ctx context.Context, old, l Lease) (Lease, error) {
	stored, err := r.Store.Update(ctx, l)
	if err != nil {
		if !isConflict(err) && ctx.Err() == nil {
			r.Log.Error("a lease cannot be stored", "lease", l.ID, "error", err)
		}
		return l, err
	}
	if old.State != stored.State {
		r.Log.LogAttrs(ctx, level(&stored), "lease "+string(stored.State),
			slog.String("lease", l.ID), slog.String("run", stored.Run()), slog.String("reason", stored.Reason))
		r.Metrics.moved(old, stored)
	}
	r.wake()
	return stored, nil
}

// level is that of a lease's change: what somebody should look at stands out.
func level(l *Lease) slog.Level {
	if l.State == Releasing && (l.Foreign != "" || l.Overdue || l.Refused) {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// noted remembers what a pass has read, for those who ask between passes.
func (r *Reconciler) noted(leases []Lease, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leases = leases
	clear(r.byVM)
	alive := make(map[string]reading, len(leases))
	for i := range leases {
		l := &leases[i]
		if l.VM != "" {
			r.byVM[l.Cloud+"/"+l.VM] = i
		}
		read, known := r.reads[l.ID]
		if !known || read.version != l.Version {
			read = reading{l.Version, now}
		}
		alive[l.ID] = read
		if l.State == Busy || l.State == Releasing {
			delete(r.secrets, l.ID)
		}
	}
	r.reads = alive
	close(r.changed)
	r.changed = make(chan struct{})
}

// Leases returns the leases that the last pass read. They must not be changed.
func (r *Reconciler) Leases() []Lease {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leases
}

// Changed returns a channel that is closed after the next pass.
func (r *Reconciler) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// name returns a new name: letters and digits that no name had before.
func (r *Reconciler) name(prefix string) string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [12]byte
	if _, err := io.ReadFull(r.Random, b[:]); err != nil {
		panic(fmt.Sprintf("no random numbers: %v", err)) // crypto/rand never fails
	}
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return prefix + string(b[:])
}
