package jenkinstest_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// The in-process Jenkins keeps the contract, in virtual time.
func TestControllerInProcess(t *testing.T) {
	jenkinstest.TestController(t, func(t testing.TB) jenkinstest.Lab { return newSimulated(t) })
}

// So it does as a controller whose authorization chokes on zombies.
func TestControllerInProcessStrict(t *testing.T) {
	jenkinstest.TestController(t, func(t testing.TB) jenkinstest.Lab {
		return newSimulated(t, jenkinstest.StrictZombies(), jenkinstest.Prefix("/ci"), jenkinstest.RootURL("https://outside.example/jenkins"))
	})
}

// A clock is a test's time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) { c.Set(c.Now().Add(d)) }

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// A simulated lab is a Server in virtual time.
type simulated struct {
	t testing.TB
	*jenkinstest.Server
	clock *clock
}

func newSimulated(t testing.TB, options ...jenkinstest.Option) *simulated {
	c := newClock()
	s := &simulated{t: t, Server: jenkinstest.New(c.Now, options...), clock: c}
	s.AddUser("provisioner", append(slices.Clone(jenkinstest.ProvisionerPermissions), jenkinstest.RunReplay)...)
	return s
}

func (s *simulated) Config() jenkins.Config { return s.Server.Config("provisioner") }
func (s *simulated) Own(base string) string { return "suite-" + base }

func (s *simulated) PutJob(fullName string, job jenkinstest.LabJob) {
	s.Server.PutJob(fullName, jenkinstest.JobSpec{
		Label:    func(number int) string { return job.Label + string(rune('0'+number)) },
		Duration: func(int, int) time.Duration { return time.Duration(job.Seconds) * time.Second },
		Retries:  job.Retries, ForbidConcurrent: job.ForbidConcurrent, Pipeline: job.Comment,
	})
}

func (s *simulated) Trigger(fullName string, quiet time.Duration) {
	if s.TriggerIn(fullName, quiet) == 0 {
		s.t.Fatalf("%s cannot be triggered", fullName)
	}
}

func (s *simulated) Connect(node, secret string) func() {
	if err := s.Server.Connect(node, secret); err != nil {
		s.t.Fatal(err)
	}
	return func() { s.Disconnect(node) }
}

func (s *simulated) Refused(node, secret string) {
	if err := s.Server.Connect(node, secret); err == nil {
		s.t.Errorf("%s: an agent was let in", node)
	}
}

func (s *simulated) Begun(jenkins.Ref) { s.clock.Add(jenkinstest.StepStart) }

// Until lets time pass from event to event, and where there is none, slowly.
func (s *simulated) Until(what string, limit time.Duration, done func() bool) {
	s.t.Helper()
	for deadline := s.clock.Now().Add(limit); !done(); {
		if s.clock.Now().After(deadline) {
			s.t.Fatalf("%s: not within %v", what, limit)
		}
		next, ok := s.NextEvent()
		if soon := s.clock.Now().Add(time.Second); !ok || next.After(soon) {
			next = soon
		}
		s.clock.Set(next)
	}
}
