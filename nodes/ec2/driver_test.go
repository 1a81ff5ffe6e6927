package ec2

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

const poll = 20 * time.Millisecond

// The contract, over a cloud that is slow to show and to start machines.
func TestDriver(t *testing.T) {
	l := newLab(t)
	l.Behave(ec2test.Behaviour{Pending: 150 * time.Millisecond, Hidden: 50 * time.Millisecond, Page: 300})
	s := suite{lab: l}
	nodetest.TestDriver(t, s.driverLab(1000))
}

// The contract, over a cloud that loses calls and answers, throttles, has
// trouble, and speaks HTML.
func TestDriverWithFaults(t *testing.T) {
	l := newLab(t)
	l.Behave(ec2test.Behaviour{Pending: 100 * time.Millisecond, Hidden: 100 * time.Millisecond, Page: 25, EndsAny: true})
	s := suite{lab: l, random: rand.New(rand.NewPCG(1, 2))}
	l.Fail(s.chance)
	nodetest.TestDriver(t, s.driverLab(60))
}

// suite makes a lab of nodetest's.
type suite struct {
	*lab
	random *rand.Rand // nil: no faults by chance
	mu     sync.Mutex
	calm   atomic.Bool // no faults by chance now
	forced atomic.Pointer[func(ec2test.Call) *ec2test.Fault]
}

// nonsense are answers with status 200 that are none.
var nonsense = []string{"", "\x00\xff<nothing", "{}", "<html><body>Please log in</body></html>", "<DescribeInstancesResponse>", "OK",
	`<?xml version="1.0"?><Response><Errors/></Response>`, "<!DOCTYPE html><script>if (1<2) {}</script>"}

// chance has one call in five go wrong.
func (s *suite) chance(c ec2test.Call) *ec2test.Fault {
	if f := s.forced.Load(); f != nil {
		return (*f)(c)
	}
	if s.random == nil || s.calm.Load() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.random.IntN(40) {
	case 0, 1:
		return &ec2test.Fault{Lose: true}
	case 2, 3:
		return &ec2test.Fault{Lose: true, After: true}
	case 4:
		return &ec2test.Fault{HTML: true, After: s.random.IntN(2) == 0}
	case 5:
		return &ec2test.Fault{Say: new(nonsense[s.random.IntN(len(nonsense))]), After: s.random.IntN(2) == 0}
	case 6:
		return &ec2test.Fault{Status: 500, Code: "InternalError", After: s.random.IntN(2) == 0}
	case 7:
		return &ec2test.Fault{Status: 503, Code: "RequestLimitExceeded"}
	case 8:
		return &ec2test.Fault{Half: true}
	case 9:
		return &ec2test.Fault{Delay: 30 * time.Millisecond}
	}
	return nil
}

// force has f say what goes wrong, until heal.
func (s *suite) force(f func(ec2test.Call) *ec2test.Fault) (heal func()) {
	s.forced.Store(&f)
	s.Fail(s.chance)
	return func() { s.forced.Store(nil) }
}

func (s *suite) driverLab(many int) nodetest.DriverLab {
	// The offer is asked for in quiet.
	quiet := s.force(func(ec2test.Call) *ec2test.Fault { return nil })
	d := s.driver(s.config("suite"))
	first := s.offers(d, usualNeed)[0]
	quiet()
	device := must(parseSpec(first.Spec)).RootDevice
	return nodetest.DriverLab{
		New:   func(owner string) nodes.Driver { return s.driver(s.config(owner)) },
		Order: func(count int) nodes.Order { return s.orderFor(first, count) },
		Pause: func() { time.Sleep(poll) },
		Polls: 500,
		Many:  many,
		Force: func(_ *testing.T, class nodes.Class) (*nodes.Order, func()) {
			return s.forceClass(s.orderFor(first, 2), class)
		},
		Short:  func(*testing.T) (nodes.Order, int, func()) { return s.short(s.orderFor(first, 3)) },
		Refuse: func(*testing.T) (nodes.Order, func()) { return s.refusing(s.orderFor(first, 2)) },
		Leave:  func(_ *testing.T, id string) { s.no(s.Leave(region, id, device)) },
		Kill:   func(_ *testing.T, id string) { s.no(s.Kill(region, id)) },
		Hold: func(_ *testing.T, id string) func() {
			s.calm.Store(true)
			s.no(s.Protect(id, true))
			return func() {
				s.no(s.Protect(id, false))
				s.calm.Store(false)
			}
		},
		Cut: func(*testing.T) func() {
			return s.force(func(ec2test.Call) *ec2test.Fault { return &ec2test.Fault{Lose: true} })
		},
	}
}

// no wants no error.
func (l *lab) no(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (s *suite) forceClass(o nodes.Order, class nodes.Class) (*nodes.Order, func()) {
	if class == nodes.NoCapacity {
		quiet := s.force(func(ec2test.Call) *ec2test.Fault { return nil })
		s.Room(func(a ec2test.Ask) (int, string) { return 0, "InsufficientInstanceCapacity" })
		return &o, func() {
			s.Room(nil)
			quiet()
		}
	}
	fault := map[nodes.Class]ec2test.Fault{
		nodes.Quota:         {Status: 400, Code: "VcpuLimitExceeded"},
		nodes.Throttled:     {Status: 503, Code: "RequestLimitExceeded"},
		nodes.Configuration: {Status: 403, Code: "UnauthorizedOperation"},
		nodes.Unsure:        {Status: 500, Code: "InternalError", After: true},
	}[class]
	return &o, s.force(func(c ec2test.Call) *ec2test.Fault {
		if c.Action == "RunInstances" {
			return &fault
		}
		return nil
	})
}

func (s *suite) short(o nodes.Order) (nodes.Order, int, func()) {
	s.Room(func(a ec2test.Ask) (int, string) {
		if a.Order == o.ID {
			return 1, "InsufficientInstanceCapacity"
		}
		return a.Count, ""
	})
	return o, 1, func() { s.Room(nil) }
}

func (s *suite) refusing(o nodes.Order) (nodes.Order, func()) {
	s.Refuse(func(a ec2test.Ask) string {
		if a.Order == o.ID {
			return "Server.InsufficientInstanceCapacity"
		}
		return ""
	})
	return o, func() {
		s.Refuse(nil)
		s.Forget() // the hour passes in which a new driver would be shown them
	}
}

// No call of the suite has sent a repetition that differs: the token's second
// call is the first one, but for what EC2 does not compare.
func TestRepetitionIsTheSame(t *testing.T) {
	l := newLab(t)
	o := l.order(l.driver(l.config("suite")), 2)
	for range 3 { // a new driver each time, as after a restart
		if _, err := l.driver(l.config("suite")).Launch(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
	var forms []string
	for _, c := range l.Calls() {
		if c.Action == "RunInstances" {
			forms = append(forms, c.Form.Encode())
		}
	}
	if len(forms) != 3 || len(slices.Compact(forms)) != 1 {
		t.Errorf("%d calls, of which these differ:\n%v", len(forms), forms)
	}
}
