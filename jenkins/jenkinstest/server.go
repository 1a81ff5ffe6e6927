// Package jenkinstest is a Jenkins inside the test process: a deterministic
// state machine behind the REST API that package jenkins calls, with the
// traps of the real one. Its clock is the test's, so a simulation in virtual
// time is exactly repeatable; nothing in it runs by itself.
//
// TestController is the contract suite. It runs over this Jenkins and over a
// real one; where the two differ, this one is wrong.
//
// Read Server first, then JobSpec.
package jenkinstest

import (
	"container/heap"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// How long Jenkins takes for things. All but the first were observed on
// Jenkins 2.541.3 and 2.579; the first is the default of a controller.
const (
	DefaultQuietPeriod = 5 * time.Second
	// StopDelay is the time from the press of a stop button to the run's end.
	StopDelay = 600 * time.Millisecond
	// StepStart is the time from a run's executor to the first line of its
	// script. A node that is lost before fails the step, without a wait.
	StepStart = 900 * time.Millisecond
	// StopFrozen is the same for a run whose node is frozen.
	StopFrozen = 20 * time.Second
	// AskAgain is the time in which a run that is tried again is neither on a
	// node nor in the queue.
	AskAgain = 280 * time.Millisecond
	// LostWait is how long a run waits for an agent that it lost, or that did
	// not come back after a restart.
	LostWait = 5 * time.Minute
	// FrozenOffline is the time from the silent death of a machine until its
	// node is offline, FrozenEnd until the run on it ends.
	FrozenOffline = 534 * time.Second
	FrozenEnd     = 855 * time.Second
	// Reconnect is the time that an agent needs to be back after a restart of
	// the controller; AgentPatience how long it tries to come back to a node
	// that is not there (its option -noReconnectAfter).
	Reconnect     = 10 * time.Second
	AgentPatience = 10 * time.Minute
	// LeftFor is how long an item that has left the queue can be asked for.
	LeftFor = 5 * time.Minute
)

// A Server is a Jenkins. It is an http.Handler, and any number of goroutines
// may use it.
type Server struct {
	mu     sync.Mutex
	now    func() time.Time
	at     time.Time // the time that the state below stands at
	timers timers
	seq    int // of timers, so that equal times keep their order

	rootURL string // as configured in Jenkins; "" = as the request has it
	prefix  string
	quiet   time.Duration
	strict  bool // see StrictZombies
	clings  bool // see Clinging
	users   map[string]*user

	starts   int
	session  string
	quieting bool
	down     int // 0 = up, otherwise see Down
	fault    func(method, path string) Fault

	jobs    map[string]*job
	folders map[string]*folder
	lives   int
	foreign int
	runs    []*run
	active  int // of them that are building
	stopped map[wait]bool

	nextItem  int64
	items     map[int64]*item
	waiting   []*item // in their quiet period, by its end
	blocked   []*item
	buildable []*item // oldest first
	byLabel   map[string]*demand
	dirty     []string // labels where an item or a node came free
	left      map[int64]*leftItem
	leftOrder []*leftItem

	computers map[string]*computer
	names     []string // of computers, sorted
	agents    map[string]*agent

	trees map[string]tree
}

// An Option changes a Server as it is made.
type Option func(*Server)

// Prefix puts the Jenkins under a path, as /ci.
func Prefix(path string) Option { return func(s *Server) { s.prefix = path } }

// RootURL sets the URL that Jenkins has for itself, which stands in what it
// answers. By default it is the one that it is called by.
func RootURL(url string) Option { return func(s *Server) { s.rootURL = url } }

// QuietPeriod sets the time that a triggered job waits before it starts;
// New's default is 0, Jenkins' is DefaultQuietPeriod.
func QuietPeriod(d time.Duration) Option { return func(s *Server) { s.quiet = d } }

// StrictZombies makes every request to a zombie node fail with 500, a second
// doDelete too, as on a controller with the project-based matrix
// authorization (seen with matrix-auth 3.2.9): it asks the node, which is
// null, for its permissions. Only the end of the run then heals the zombie.
func StrictZombies() Option { return func(s *Server) { s.strict = true } }

// Clinging makes what is left of a deleted node stay listed as long as its
// agent lives, also where nothing ran on it: the agent comes back at once, 20
// times a second, and never gives up, as it is let in and dropped each time.
// A running Jenkins does so now and then, on a busy host.
func Clinging() Option { return func(s *Server) { s.clings = true } }

// New returns a Jenkins that is up, with one user, Admin, who may do all.
// Its clock is now: time.Now, or that of a simulation.
func New(now func() time.Time, options ...Option) *Server {
	s := &Server{
		now: now, at: now(), users: map[string]*user{},
		jobs: map[string]*job{}, folders: map[string]*folder{"": {}},
		stopped: map[wait]bool{}, items: map[int64]*item{}, byLabel: map[string]*demand{}, left: map[int64]*leftItem{},
		computers: map[string]*computer{}, agents: map[string]*agent{}, trees: map[string]tree{},
	}
	for _, option := range options {
		option(s)
	}
	s.addUser(Admin, Administer)
	s.start()
	return s
}

// Settle makes all the progress that is due: quiet periods end, items get
// their executors, runs end. Each request does so too, before and after.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

// NextEvent returns when Settle would next do something; false: never,
// unless somebody does something.
func (s *Server) NextEvent() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.timers) > 0 && s.timers[0].do == nil {
		heap.Pop(&s.timers)
	}
	if len(s.timers) == 0 {
		return time.Time{}, false
	}
	return s.timers[0].at, true
}

// Session returns the value of X-Jenkins-Session.
func (s *Server) Session() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session
}

func (s *Server) settle() {
	now := s.now()
	s.maintain()
	for len(s.timers) > 0 && !s.timers[0].at.After(now) {
		t := heap.Pop(&s.timers).(*timer)
		if t.do == nil {
			continue
		}
		if t.at.After(s.at) {
			s.at = t.at
		}
		t.do()
		s.maintain()
	}
	if now.After(s.at) {
		s.at = now
	}
	s.dropLeft()
}

// start gives the controller a new session.
func (s *Server) start() {
	s.starts++
	sum := sha256.Sum256(fmt.Appendf(nil, "session %d", s.starts))
	s.session = hex.EncodeToString(sum[:4])
	s.quieting = false
}

// lock is taken by everything that a test does to the server; what was due
// happens before it, and what comes of it at once.
func (s *Server) lock() func() {
	s.mu.Lock()
	s.settle()
	return func() { s.settle(); s.mu.Unlock() }
}

// A timer is something that will happen; do is nil when it will not.
type timer struct {
	at  time.Time
	seq int
	do  func()
}

func (t *timer) stop() {
	if t != nil {
		t.do = nil
	}
}

func (s *Server) after(d time.Duration, do func()) *timer { return s.when(s.at.Add(d), do) }

func (s *Server) when(at time.Time, do func()) *timer {
	s.seq++
	t := &timer{at, s.seq, do}
	heap.Push(&s.timers, t)
	return t
}

// timers is a heap.
type timers []*timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	if !t[i].at.Equal(t[j].at) {
		return t[i].at.Before(t[j].at)
	}
	return t[i].seq < t[j].seq
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(*timer)) }
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	(*t)[len(*t)-1] = nil
	*t = (*t)[:len(*t)-1]
	return last
}
