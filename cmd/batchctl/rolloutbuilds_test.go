package main

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// testClock is the time of a simulated Jenkins.
type testClock struct{ at atomic.Int64 }

func (c *testClock) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

// run lets time pass, from event to event.
func (c *testClock) run(s *jenkinstest.Server, d time.Duration) {
	end := c.now().Add(d)
	for {
		next, ok := s.NextEvent()
		if !ok || next.After(end) {
			break
		}
		c.at.Store(next.UnixNano())
		s.Settle()
	}
	c.at.Store(end.UnixNano())
	s.Settle()
}

func simulatedJenkins(t *testing.T) (*jenkinstest.Server, *testClock) {
	t.Helper()
	c := &testClock{}
	c.at.Store(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	s := jenkinstest.New(c.now)
	s.AddUser("provisioner", jenkinstest.ProvisionerPermissions...)
	return s, c
}

// TestBuildsComeFromJenkins asks a Jenkins in process for the builds of jobs
// below a root folder, over HTTP as the program does.
func TestBuildsComeFromJenkins(t *testing.T) {
	server, clock := simulatedJenkins(t)
	server.PutJob("root/live-1/g/a", jenkinstest.JobSpec{
		Label:    func(int) string { return "node" },
		Duration: func(int, int) time.Duration { return time.Minute },
		Result: func(number, _ int) string {
			if number == 2 {
				return "FAILURE"
			}
			return "SUCCESS"
		},
	})
	connected(t, server, "node")
	client := server.Client("provisioner")
	for range 2 {
		server.Trigger("root/live-1/g/a")
		clock.run(server, 5*time.Minute)
	}
	job := func(path string) changed {
		return changed{Job: &batches.Job{Path: path, Jenkins: batches.Jenkins{Root: "root"}, Batch: &batches.Batch{Timeout: time.Hour}}}
	}
	seen, err := askBuilds(t.Context(), client, []changed{job("live-1/g/a"), job("live-1/g/none")}, quietly)
	if err != nil || len(seen.ended) != 2 || !slices.Equal(seen.unknown, []string{"live-1/g/none"}) {
		t.Fatalf("%+v, %v", seen, err)
	}
	if _, err := askBuilds(t.Context(), client, []changed{job("live-1/g/none")}, quietly); err == nil || !strings.Contains(err.Error(), "of the 1 job Jenkins has none, live-1/g/none first") {
		t.Errorf("a Jenkins that shows no job at all: %v", err)
	}
	got := seen.ended
	if got[0].Job != "live-1/g/a" || got[0].Failed == got[1].Failed || got[0].Duration < time.Minute {
		t.Errorf("%+v", got)
	}
}

func quietly(int, int) {}

// A history is a Jenkins with ten builds of a job, a minute apart, of which the
// last still runs. Those up to number old began with the Pipeline before a
// change, which was in the tree from build 4 on.
type history struct {
	*jenkins.Client
	server *jenkinstest.Server
	asked  atomic.Int64 // Replay pages
}

func (h *history) ReplayPage(ctx context.Context, job string, number int) ([]byte, error) {
	h.asked.Add(1)
	return h.Client.ReplayPage(ctx, job, number)
}

// newHistory returns the builds, and the job as rollouts know it.
func newHistory(t *testing.T, old int, change func(*batches.Batch)) (*history, []changed) {
	t.Helper()
	job := func() *batches.Job {
		return &batches.Job{Path: "a/b/c", Jenkins: batches.Jenkins{Root: "root"}, Batch: &batches.Batch{Name: "c", Timeout: time.Hour, Java: batches.Java{Version: 21, Jar: "c.jar"}}}
	}
	server, clock := simulatedJenkins(t)
	server.AddUser("operator", append(slices.Clone(jenkinstest.ProvisionerPermissions), jenkinstest.RunReplay)...)
	server.AddUser("builder", jenkinstest.OverallRead, jenkinstest.JobRead, jenkinstest.JobBuild)
	c := changed{Job: job(), without: job(), since: clock.now().Add(4*time.Minute - time.Second)}
	change(c.Job.Batch)
	connected(t, server, "node")
	for n := 1; n <= 10; n++ {
		runs := c.Job
		if n <= old {
			runs = c.without
		}
		clock.run(server, time.Minute-clock.now().Sub(clock.now().Truncate(time.Minute)))
		server.PutJob("root/a/b/c", jenkinstest.JobSpec{Pipeline: pipelineOf(t, runs), Label: func(int) string { return "node" },
			Duration: func(number, _ int) time.Duration {
				return map[bool]time.Duration{true: time.Hour, false: time.Second}[number == 10]
			}})
		server.TriggerIn("root/a/b/c", 0)
		clock.run(server, 50*time.Second)
	}
	return &history{Client: server.Client("operator"), server: server}, []changed{c}
}

// pipelineOf is the Pipeline that a job's Job DSL gives it; its first line is
// all that counts here.
func pipelineOf(t *testing.T, j *batches.Job) string {
	t.Helper()
	text, err := dsl.AppendJob(nil, j)
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(text), "script([")
	return script
}

// connected makes a node with an agent, whose name is its label.
func connected(t *testing.T, server *jenkinstest.Server, name string) {
	t.Helper()
	client := server.Client("provisioner")
	if err := client.CreateNode(t.Context(), jenkins.NodeSpec{Name: name, Label: name}); err != nil {
		t.Fatal(err)
	}
	secret, err := client.Secret(t.Context(), name)
	if err == nil {
		err = server.Connect(name, secret)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoAnswerIsNoBuilds: whatever goes wrong with the list of builds or with
// a Replay page, it is never read as "no failures".
func TestNoAnswerIsNoBuilds(t *testing.T) {
	for _, end := range []string{"/api/json", "/replay/"} {
		for fault := jenkinstest.NoFault + 1; fault <= jenkinstest.Slow; fault++ {
			h, jobs := newHistory(t, 3, func(b *batches.Batch) { b.Timeout = time.Minute })
			h.server.Fail(func(_, path string) jenkinstest.Fault {
				if strings.HasSuffix(path, end) {
					return fault
				}
				return jenkinstest.NoFault
			})
			if seen, err := askBuilds(t.Context(), h, jobs, quietly); err == nil {
				t.Errorf("fault %d of %s: %+v", fault, end, seen)
			}
		}
	}
}

// TestBuildsWithoutTheChange: until the seed job has run, builds have the old
// settings, whatever the tree says.
func TestBuildsWithoutTheChange(t *testing.T) {
	timeout := func(b *batches.Batch) { b.Timeout = time.Minute }
	for _, c := range []struct {
		name                      string
		old                       int
		user                      string
		change                    func(*batches.Batch)
		ended, left, hidden, asks int
	}{
		{"at once", 3, "operator", timeout, 9, 0, 0, 1},
		{"after two builds", 5, "operator", timeout, 7, 2, 0, 4},
		{"not yet", 10, "operator", timeout, 3, 6, 0, 4},
		{"no Run/Replay", 10, "provisioner", timeout, 9, 0, 1, 1},
		{"no Run/Replay, but Job/Build", 10, "builder", timeout, 9, 0, 1, 1},
		{"Jenkins knows nothing of it", 10, "operator", func(b *batches.Batch) { b.Node.Pool = "large" }, 9, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, jobs := newHistory(t, c.old, c.change)
			h.Client = h.server.Client(c.user)
			seen, err := askBuilds(t.Context(), h, jobs, quietly)
			if err != nil || len(seen.ended) != c.ended || seen.old != c.left || seen.hidden != c.hidden || h.asked.Load() > int64(c.asks) {
				t.Fatalf("%d ended, %d old, %d hidden, %d pages, %v", len(seen.ended), seen.old, seen.hidden, h.asked.Load(), err)
			}
			first := jobs[0].since
			for _, b := range seen.ended {
				if b.Started.After(first) && b.Started.Before(first.Add(time.Duration(c.left)*time.Minute)) {
					t.Errorf("the build of %v counts, and was none of the change", b.Started)
				}
			}
		})
	}
}

func TestWhichBuildsCount(t *testing.T) {
	j := &batches.Job{Path: "a/b/c", Batch: &batches.Batch{Timeout: time.Hour}}
	for _, test := range []struct {
		result         string
		took           time.Duration
		counts, failed bool
	}{
		{"SUCCESS", time.Minute, true, false}, {"FAILURE", time.Minute, true, true}, {"UNSTABLE", time.Minute, true, true},
		{"ABORTED", time.Minute, false, true}, {"ABORTED", time.Hour, true, true}, {"NOT_BUILT", 0, false, false}, {"", 0, false, false},
	} {
		b, counts := judged(j, time.Time{}, test.took, test.result)
		if counts != test.counts || counts && b.Failed != test.failed {
			t.Errorf("%s after %v: %+v, %v", test.result, test.took, b, counts)
		}
	}
}
