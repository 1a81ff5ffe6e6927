package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/batchctl/batchctl/batches"
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
	client := server.Client("provisioner")
	if err := client.CreateNode(t.Context(), jenkins.NodeSpec{Name: "node", Label: "node"}); err != nil {
		t.Fatal(err)
	}
	secret, err := client.Secret(t.Context(), "node")
	if err == nil {
		err = server.Connect("node", secret)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		server.Trigger("root/live-1/g/a")
		clock.run(server, 5*time.Minute)
	}
	job := func(path string) *batches.Job {
		return &batches.Job{Path: path, Jenkins: batches.Jenkins{Root: "root"}, Batch: &batches.Batch{Timeout: time.Hour}}
	}
	got, unknown, err := askBuilds(t.Context(), client, []*batches.Job{job("live-1/g/a"), job("live-1/g/none")})
	if err != nil || len(got) != 2 || !slices.Equal(unknown, []string{"live-1/g/none"}) {
		t.Fatalf("%+v, %v, %v", got, unknown, err)
	}
	if got[0].Job != "live-1/g/a" || got[0].Failed == got[1].Failed || got[0].Duration < time.Minute {
		t.Errorf("%+v", got)
	}
}

// failing is a Jenkins that cannot be asked.
type failing struct{}

var errDown = errors.New("down")

func (failing) History(context.Context, string, int) ([]jenkins.Build, error) { return nil, errDown }

// TestNoAnswerIsNoBuilds: an error is never read as "no failures".
func TestNoAnswerIsNoBuilds(t *testing.T) {
	_, _, err := askBuilds(t.Context(), failing{}, []*batches.Job{{Path: "a/b/c", Batch: &batches.Batch{}}})
	if !errors.Is(err, errDown) {
		t.Errorf("%v", err)
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
