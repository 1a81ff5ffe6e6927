package nodetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
)

// clock is a virtual clock.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 2, 15, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// slow is a cloud that takes its time for everything.
var slow = CloudConfig{
	Start:  Range{5 * time.Second, 40 * time.Second},
	Boot:   Range{10 * time.Second, 90 * time.Second},
	Late:   Range{0, 5 * time.Second},
	Ending: Range{time.Second, 30 * time.Second},
}

func faulty() CloudConfig {
	c := slow
	c.LaunchFaults = Faults{Request: 0.1, Reply: 0.1, Delay: 0.1, DelayBy: Range{0, 20 * time.Second}}
	c.ListFaults = Faults{Request: 0.1, Reply: 0.1}
	c.Lingers = 0.5
	c.LaunchRate = Bucket{Rate: 2, Burst: 5}
	c.StrictRepeat = true
	return c
}

func TestCloud(t *testing.T) {
	for name, cfg := range map[string]CloudConfig{"instant": {}, "slow": slow, "faulty": faulty()} {
		t.Run(name, func(t *testing.T) { TestDriver(t, cloudLab(cfg, name == "faulty")) })
	}
}

// cloudLab is a lab over a simulated cloud. What is forced in it is only
// clear where nothing else goes wrong.
func cloudLab(cfg CloudConfig, faulty bool) DriverLab {
	clock := newClock()
	cloud := NewCloud(clock.now, rand.New(rand.NewPCG(1, 2)), cfg)
	orders := 0
	order := func(count int) nodes.Order {
		orders++
		return nodes.Order{ID: fmt.Sprintf("order-%d", orders), Place: "a", Count: count, UserData: "true"}
	}
	lab := DriverLab{
		New:   cloud.Driver,
		Order: order,
		Pause: func() { clock.advance(time.Second) },
		Polls: 1000,
		Many:  2000,
		Kill:  func(_ *testing.T, id string) { cloud.Kill(id) },
	}
	if faulty {
		return lab
	}
	hook := func(err error) func() {
		cloud.Fail(func(string) error { return err })
		return func() { cloud.Fail(nil) }
	}
	lab.Force = func(t *testing.T, class nodes.Class) (*nodes.Order, func()) {
		o := order(2)
		switch class {
		case nodes.NoCapacity:
			o.Place = "full"
			cloud.SetCapacity("full", 0)
			return &o, func() { cloud.SetCapacity("full", 5) }
		case nodes.Quota:
			_, _ = cloud.Driver("neighbour").Launch(t.Context(), order(1))
			cloud.SetQuota(len(cloud.Live()))
			return &o, func() { cloud.SetQuota(0) }
		case nodes.Configuration:
			o.Place = "bad"
			cloud.Misconfigure("bad", true)
			return &o, func() { cloud.Misconfigure("bad", false) }
		case nodes.Throttled:
			return &o, hook(throttled())
		}
		return &o, hook(errLost)
	}
	lab.Short = func(*testing.T) (nodes.Order, int, func()) {
		o := order(5)
		o.Place = "small"
		cloud.SetCapacity("small", 2)
		return o, 2, func() { cloud.SetCapacity("small", 10) }
	}
	lab.Refuse = func(*testing.T) (nodes.Order, func()) {
		cloud.Refuse(1)
		return order(3), func() { cloud.Refuse(0) }
	}
	lab.Cut = func(*testing.T) func() {
		cloud.Outage(clock.now(), clock.now().Add(time.Minute))
		return func() { clock.advance(time.Minute) }
	}
	lab.Hold = func(_ *testing.T, id string) func() {
		cloud.Hold(id, true)
		return func() { cloud.Hold(id, false) }
	}
	return lab
}

// The same seed and the same calls give the same life.
func TestCloudRepeats(t *testing.T) {
	life := func() []Machine {
		cfg := faulty()
		cfg.Lifetime, cfg.Mute, cfg.Short, cfg.DestroyMiss = time.Minute, 0.2, 0.3, 0.2
		clock := newClock()
		cloud := NewCloud(clock.now, rand.New(rand.NewPCG(7, 7)), cfg)
		d := cloud.Driver("a")
		for i := range 200 {
			_, _ = d.Launch(t.Context(), nodes.Order{ID: fmt.Sprintf("o-%d", i/2), Count: 3})
			if vms, _ := d.List(t.Context()); len(vms) > 5 {
				_ = d.Destroy(t.Context(), vms[0].ID, vms[3].ID)
			}
			clock.advance(time.Second)
		}
		return cloud.Machines()
	}
	first := life()
	if diff := cmp.Diff(first, life()); diff != "" {
		t.Errorf("two lives from one seed differ:\n%s", diff)
	}
	if len(first) < 50 {
		t.Errorf("the life had only %d machines", len(first))
	}
}

// What befalls a request shows in what it has done.
func TestCloudFaults(t *testing.T) {
	o := nodes.Order{ID: "o", Count: 2}
	for name, test := range map[string]struct {
		faults       Faults
		now, aMinute int // machines right after the failed call, and later
	}{
		"lost request":  {Faults{Request: 1}, 0, 0},
		"lost reply":    {Faults{Reply: 1}, 2, 2},
		"delayed order": {Faults{Delay: 1, DelayBy: Range{Min: time.Minute}}, 0, 2},
	} {
		clock := newClock()
		cloud := NewCloud(clock.now, rand.New(rand.NewPCG(1, 1)), CloudConfig{LaunchFaults: test.faults})
		if _, err := cloud.Driver("a").Launch(t.Context(), o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
			t.Errorf("%s: Launch says %v, want an error without a class", name, err)
		}
		if n := len(cloud.Live()); n != test.now {
			t.Errorf("%s: %d machines, want %d", name, n, test.now)
		}
		if settled := cloud.Settled("a"); settled != (test.aMinute == 0) {
			t.Errorf("%s: settled is %v", name, settled)
		}
		clock.advance(time.Minute)
		if n := len(cloud.Live()); n != test.aMinute {
			t.Errorf("%s: %d machines after a minute, want %d", name, n, test.aMinute)
		}
	}
}

// A machine boots, is told once, powers itself off when it expires, and lingers
// until it is destroyed where the cloud keeps what has stopped.
func TestCloudLife(t *testing.T) {
	clock := newClock()
	cloud := NewCloud(clock.now, rand.New(rand.NewPCG(1, 1)), CloudConfig{
		Start: Range{Min: 10 * time.Second}, Boot: Range{Min: 10 * time.Second},
		Ending: Range{Min: 10 * time.Second}, Lingers: 1,
	})
	d := cloud.Driver("a")
	vms, err := d.Launch(t.Context(), nodes.Order{ID: "o", Count: 1, Expires: clock.now().Add(time.Minute), UserData: "x"})
	if err != nil {
		t.Fatal(err)
	}
	id := vms[0].ID
	at := func(seconds int, state nodes.VMState, boots int) {
		t.Helper()
		clock.advance(time.Duration(seconds)*time.Second - clock.now().Sub(vms[0].Created))
		m, _ := cloud.Machine(id)
		if n := len(cloud.Boots()); m.State != state || n != boots {
			t.Errorf("after %d s: %s and %d boots, want %s and %d", seconds, m.State, n, state, boots)
		}
	}
	at(9, nodes.VMStarting, 0)
	if next, ok := cloud.Next(); !ok || !next.Equal(vms[0].Created.Add(10*time.Second)) {
		t.Errorf("next is %v, %v", next, ok)
	}
	at(10, nodes.VMRunning, 0)
	at(20, nodes.VMRunning, 1)
	at(21, nodes.VMRunning, 0)
	at(59, nodes.VMRunning, 0)
	at(60, nodes.VMEnding, 0)
	at(3600, nodes.VMEnding, 0)
	if err := d.Destroy(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	at(3609, nodes.VMEnding, 0)
	if left, _ := d.List(t.Context()); len(left) != 1 {
		t.Errorf("List has %d machines, want the one that ends", len(left))
	}
	at(3610, nodes.VMEnding, 0)
	if left, _ := d.List(t.Context()); len(left) != 0 {
		t.Errorf("List has %d machines after the end", len(left))
	}
	m, _ := cloud.Machine(id)
	if m.Request.UserData != "x" || m.Destroyed.IsZero() || !m.Ended.Equal(vms[0].Created.Add(time.Minute)) || !m.Gone.Equal(clock.now()) {
		t.Errorf("the machine's life is %+v", m)
	}
}

// The hook stands before the effect and between effect and reply, and may
// move the clock or panic, as no lock is held.
func TestCloudHook(t *testing.T) {
	clock := newClock()
	cloud := NewCloud(clock.now, rand.New(rand.NewPCG(1, 1)), CloudConfig{})
	var ops []string
	cloud.Fail(func(op string) error {
		ops = append(ops, fmt.Sprint(op, " ", len(cloud.Live())))
		if op == "launch reply" {
			panic("crash")
		}
		return nil
	})
	func() {
		defer func() { _ = recover() }()
		_, _ = cloud.Driver("a").Launch(t.Context(), nodes.Order{ID: "o", Count: 1})
	}()
	vms, _ := cloud.Driver("a").List(t.Context())
	if len(vms) != 1 {
		t.Fatalf("List has %d machines, want 1", len(vms))
	}
	_ = cloud.Driver("a").Destroy(t.Context(), vms[0].ID)
	want := []string{"launch 0", "launch reply 1", "list 1", "destroy 1", "destroy reply 0"}
	if diff := cmp.Diff(want, ops); diff != "" {
		t.Errorf("the hook saw (-want +got):\n%s", diff)
	}
}

func BenchmarkCloud(b *testing.B) {
	for b.Loop() {
		clock := newClock()
		cloud := NewCloud(clock.now, rand.New(rand.NewPCG(1, 1)), slow)
		d := cloud.Driver("a")
		for i := range 200 { // 10,000 machines, 1,000 alive
			_, _ = d.Launch(b.Context(), nodes.Order{ID: fmt.Sprint("o-", i), Count: 50})
			vms, _ := d.List(b.Context())
			_ = d.Destroy(b.Context(), ids(vms[:max(0, len(vms)-1000)])...)
			cloud.Boots()
			clock.advance(time.Second)
		}
	}
}
