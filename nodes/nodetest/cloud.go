package nodetest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/batchctl/batchctl/nodes"
)

// CloudConfig says how a simulated cloud behaves. The zero value is a cloud
// without faults, where everything happens at once. Probabilities are between
// 0 and 1.
type CloudConfig struct {
	Start  Range // from the order to VMRunning
	Boot   Range // from then until the machine runs its user data
	Late   Range // from the order until List has the machine
	Ending Range // from the end of a machine until it is gone

	Offers   int            // ways to make a machine at each place: place/1, place/2 and so on in Capacity; 0: one, without a name
	Capacity map[string]int // machines that a place has; a place without an entry has no end
	Quota    int            // machines of all owners at once; 0: no quota

	LaunchRate  Bucket // calls of Launch
	MachineRate Bucket // machines that Launch asks for
	DestroyRate Bucket // calls of Destroy
	ListRate    Bucket // calls of List

	LaunchFaults  Faults
	DestroyFaults Faults
	ListFaults    Faults

	NoCapacity  float64 // an order is refused although there is capacity
	Refuses     float64 // a machine is accepted, and ends then as there is no room for it
	Short       float64 // an order gives fewer than asked although there is capacity
	DestroyMiss float64 // one machine of a Destroy cannot be destroyed, for each machine
	Mute        float64 // a machine never gets as far as its user data, and so never powers itself off
	Lingers     float64 // a machine that ended by itself stays VMEnding until it is destroyed, as in OpenStack

	Lifetime time.Duration // mean life of a machine that is left alone; 0: it lives until it is ended

	// StrictRepeat refuses the repetition of an order that is not the same in
	// every field that makes a machine, as EC2 does, user data too.
	StrictRepeat bool

	// Blunt lets NoCapacity and Configuration also answer the repetition of
	// an order that took effect, as a cloud does that looks at the idempotency
	// token last. It breaks the contract of nodes.Driver.
	Blunt bool
}

// Range bounds a time that is drawn anew each time. Most are near Min, few
// near Max. Max below Min counts as Min.
type Range struct{ Min, Max time.Duration }

// Bucket is a token bucket. The zero value has no limit. What asks for more
// than Burst at once is always refused.
type Bucket struct {
	Rate  float64 // tokens a second
	Burst int
}

// Faults are the probabilities of what can befall a call.
type Faults struct {
	Request float64 // it never arrives: error, no effect
	Reply   float64 // its reply never arrives: error, effect
	Delay   float64 // of Launch: error now, effect at some time within DelayBy
	DelayBy Range
}

// Cloud is a simulated cloud in virtual time. It starts no goroutine and
// never waits: what happens in it depends only on its clock, its random
// numbers and the order of the calls. It may be called from several
// goroutines, at the price of that order.
type Cloud struct {
	now func() time.Time
	rng *rand.Rand
	cfg CloudConfig

	mu       sync.Mutex
	machines []*machine // all that were ever made
	byID     map[string]*machine
	live     []*machine // those that are not gone, and gone ones until the next sweep
	orders   map[orderKey]*order
	used     map[string]int // machines that are not gone, by place
	count    int            // machines that are not gone
	events   events
	seq      int
	booted   []string
	bad      map[string]bool // places
	held     map[string]bool // machines
	capacity map[string]int
	outages  []outage
	fail     func(op string) error

	launches, machineTokens, destroys, lists *rate.Limiter
}

// Machine is what a simulated cloud knows of a machine that it made.
type Machine struct {
	nodes.VM
	Owner     string
	Request   nodes.Order // the order that made it, with the user data
	Booted    time.Time   // when it came to its user data; zero: not yet
	Destroyed time.Time   // when Destroy first took effect; zero: never
	Ended     time.Time   // when it stopped running, for whatever reason; zero: not yet
	Gone      time.Time   // since when List no longer has it; zero: it is there
}

type machine struct {
	Machine
	visible time.Time
	mute    bool
	lingers bool
	refused bool // there is no room for it, which shows when it should run
}

type orderKey struct{ owner, id string }

// order remembers for ever what an order has made.
type order struct {
	request nodes.Order
	made    []*machine
}

type outage struct{ from, to time.Time }

// NewCloud returns an empty cloud whose clock is now.
func NewCloud(now func() time.Time, rng *rand.Rand, cfg CloudConfig) *Cloud {
	c := &Cloud{
		now: now, rng: rng, cfg: cfg,
		byID:     map[string]*machine{},
		orders:   map[orderKey]*order{},
		used:     map[string]int{},
		bad:      map[string]bool{},
		held:     map[string]bool{},
		capacity: map[string]int{},
		launches: cfg.LaunchRate.limiter(), machineTokens: cfg.MachineRate.limiter(),
		destroys: cfg.DestroyRate.limiter(), lists: cfg.ListRate.limiter(),
	}
	for place, n := range cfg.Capacity {
		c.capacity[place] = n
	}
	return c
}

// Driver returns a driver for one owner. It has no state of its own: a second
// one for the same owner is the first after a restart.
func (c *Cloud) Driver(owner string) nodes.Driver { return &cloudDriver{c, owner} }

// Fail sets a hook that is called without a lock as each call arrives, with
// op "launch", "destroy" or "list", and again between effect and reply, with
// op "launch reply" or "destroy reply". An error that it returns is the
// answer: lost request and lost reply. It may also panic in place of a crash,
// or move the clock, so that the reply is later than the effect. nil takes
// the hook away.
func (c *Cloud) Fail(hook func(op string) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = hook
}

// SetCapacity sets how many machines a place has in all; fewer than it holds
// ends none.
func (c *Cloud) SetCapacity(place string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.capacity[place] = n
}

// SetQuota sets how many machines there may be at once; 0 is no quota.
func (c *Cloud) SetQuota(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg.Quota = n
}

// Misconfigure makes every order for a place a configuration error, or stops
// doing so.
func (c *Cloud) Misconfigure(place string, bad bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad[place] = bad
}

// Refuse sets how likely a machine that is accepted gets no room.
func (c *Cloud) Refuse(p float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg.Refuses = p
}

// Hold makes Destroy fail for a machine, or stops doing so.
func (c *Cloud) Hold(id string, held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[id] = held
}

// Outage makes every call between from and to (excluded) fail.
func (c *Cloud) Outage(from, to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outages = append(c.outages, outage{from, to})
}

// Machines returns all machines that were ever made, gone ones too, oldest
// first.
func (c *Cloud) Machines() []Machine {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	return copies(c.machines)
}

// Live returns the machines that are not gone, whoever owns them and whether
// List has them yet or not, oldest first.
func (c *Cloud) Live() []Machine {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	c.sweep()
	return copies(c.live)
}

func copies(machines []*machine) []Machine {
	all := make([]Machine, len(machines))
	for i, m := range machines {
		all[i] = m.Machine
	}
	return all
}

// Machine returns one machine that was ever made.
func (c *Cloud) Machine(id string) (Machine, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	m := c.byID[id]
	if m == nil {
		return Machine{}, false
	}
	return m.Machine, true
}

// Boots returns the machines that have come to their user data since it was
// asked last and still run. The simulation does what the user data says.
func (c *Cloud) Boots() []Machine {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	var boots []Machine
	for _, id := range c.booted {
		if m := c.byID[id]; m.State == nodes.VMRunning {
			boots = append(boots, m.Machine)
		}
	}
	c.booted = nil
	return boots
}

// Kill ends a machine without anybody's Destroy: the host died, or the
// machine powered itself off. A machine that has ended stays as it is.
func (c *Cloud) Kill(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	if m := c.byID[id]; m != nil {
		c.end(m, c.now())
	}
}

// Next returns when something happens next in the cloud by itself, so that a
// simulation can move its clock there; false: nothing will.
func (c *Cloud) Next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	if len(c.events) == 0 {
		return time.Time{}, false
	}
	return c.events[0].at, true
}

// Settled reports whether nothing of owner is left: no machine, and no
// delayed order that may still make one.
func (c *Cloud) Settled(owner string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	return !slices.ContainsFunc(c.live, func(m *machine) bool { return m.Owner == owner && m.Gone.IsZero() }) &&
		!slices.ContainsFunc(c.events, func(e event) bool { return e.order != nil && e.owner == owner })
}

func (r Range) draw(rng *rand.Rand) time.Duration {
	if r.Max <= r.Min {
		return r.Min
	}
	u := rng.Float64()
	return r.Min + time.Duration(u*u*u*float64(r.Max-r.Min))
}

func (b Bucket) limiter() *rate.Limiter {
	if b == (Bucket{}) {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(b.Rate), b.Burst)
}
