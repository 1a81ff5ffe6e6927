package main

import (
	"context"
	"errors"
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

// fakeHistory has ten builds of a job, a minute apart, the newest first; those
// up to number old have the old Pipeline. err is what the pages answer.
type fakeHistory struct {
	without, with string // the pages
	old           int
	err, pages    error
	asked         atomic.Int64
}

func (h *fakeHistory) History(context.Context, string, int) (out []jenkins.Build, err error) {
	for n := 10; n > 0; n-- {
		out = append(out, jenkins.Build{Number: n, Run: jenkins.Run{Building: n == 10, Result: "SUCCESS", Started: time.Unix(int64(60*n), 0)}})
	}
	return out, h.err
}

func (h *fakeHistory) ReplayPage(_ context.Context, _ string, number int) ([]byte, error) {
	h.asked.Add(1)
	if number <= h.old {
		return []byte("<html>" + h.without), h.pages
	}
	return []byte("<html>" + h.with), h.pages
}

// TestNoAnswerIsNoBuilds: an error is never read as "no failures".
func TestNoAnswerIsNoBuilds(t *testing.T) {
	down := errors.New("down")
	for _, h := range []*fakeHistory{{err: down}, {pages: down}} {
		if _, err := askBuilds(t.Context(), h, changedJob(t, h, func(b *batches.Batch) { b.Timeout = time.Minute }), quietly); !errors.Is(err, down) {
			t.Errorf("%v", err)
		}
	}
}

// changedJob is a job of which build 4 was the first after a change. h gets the
// pages of its two Pipelines.
func changedJob(t *testing.T, h *fakeHistory, change func(*batches.Batch)) []changed {
	t.Helper()
	job := func() *batches.Job {
		return &batches.Job{Path: "a/b/c", Jenkins: batches.Jenkins{Root: "root"}, Batch: &batches.Batch{Name: "c", Timeout: time.Hour, Java: batches.Java{Version: 21, Jar: "c.jar"}}}
	}
	c := changed{Job: job(), without: job(), since: time.Unix(240, 0)}
	change(c.Job.Batch)
	for text, j := range map[*string]*batches.Job{&h.with: c.Job, &h.without: c.without} {
		rendered, err := dsl.AppendJob(nil, j)
		if err != nil {
			t.Fatal(err)
		}
		*text = string(rendered)
	}
	return []changed{c}
}

// TestBuildsWithoutTheChange: until the seed job has run, builds have the old
// settings, whatever the tree says.
func TestBuildsWithoutTheChange(t *testing.T) {
	timeout := func(b *batches.Batch) { b.Timeout = time.Minute }
	for _, c := range []struct {
		name                     string
		history                  *fakeHistory
		change                   func(*batches.Batch)
		ended, old, hidden, asks int
	}{
		{"at once", &fakeHistory{old: 3}, timeout, 9, 0, 0, 1},
		{"after two builds", &fakeHistory{old: 5}, timeout, 7, 2, 0, 4},
		{"not yet", &fakeHistory{old: 10}, timeout, 3, 6, 0, 4},
		{"no Run/Replay", &fakeHistory{old: 10, pages: jenkins.ErrNotFound}, timeout, 9, 0, 1, 1},
		{"Jenkins knows nothing of it", &fakeHistory{old: 10}, func(b *batches.Batch) { b.Node.Pool = "large" }, 9, 0, 0, 0},
	} {
		h := c.history
		jobs := changedJob(t, h, c.change)
		seen, err := askBuilds(t.Context(), h, jobs, quietly)
		if err != nil || len(seen.ended) != c.ended || seen.old != c.old || seen.hidden != c.hidden || h.asked.Load() > int64(c.asks) {
			t.Errorf("%s: %d ended, %d old, %d hidden, %d pages, %v", c.name, len(seen.ended), seen.old, seen.hidden, h.asked.Load(), err)
			continue
		}
		for _, b := range seen.ended {
			if n := b.Started.Unix() / 60; n >= 4 && n < int64(4+c.old) {
				t.Errorf("%s: build %d counts, and was none of the change", c.name, n)
			}
		}
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
