package nodes_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// TestAhead lives through days of scheduled jobs on a cloud whose machines
// take 20 to 90 seconds to boot: of 100 runs at least 99 find their machine
// online at their time, and at most 5 % of all machine time is spent waiting
// for that.
func TestAhead(t *testing.T) {
	days := 40
	if testing.Short() {
		days = 10
	}
	w := newWorld(t, 7)
	sec := time.Second
	w.clouds["idc"] = nodetest.NewCloud(func() time.Time { return w.now }, w.rng, nodetest.CloudConfig{
		Start: nodetest.Range{Min: 5 * sec, Max: 30 * sec}, Boot: nodetest.Range{Min: 15 * sec, Max: 60 * sec},
		Late: nodetest.Range{Max: 5 * sec}, Ending: nodetest.Range{Max: 20 * sec}})
	for i, zone := range []string{"Asia/Seoul", "Europe/Berlin", "America/New_York", "UTC"} {
		for k := range 2 {
			j := job(fmt.Sprintf("live-1/group-%d/job-%d", i, k), func(j *catalog.Job) {
				j.Schedule = &catalog.Schedule{Cron: []string{fmt.Sprintf("%d %d * * *", 7*i+k, 2+k*9)}, Timezone: zone}
				j.Concurrency, j.Timeout = "forbid", 4*3600
			})
			w.put(j, jenkinstest.JobSpec{ForbidConcurrent: true, Duration: func(int, int) time.Duration { return 40 * time.Minute }})
		}
	}
	w.start()
	end := w.now.Add(time.Duration(days) * 24 * time.Hour)
	due := map[string]time.Time{}
	for w.now.Before(end) {
		step := w.stepTo(due)
		w.tick(step)
		for _, j := range w.catalog.Jobs {
			if !due[j.Path].IsZero() && !w.now.Before(due[j.Path]) {
				w.jenkins.Trigger(j.FullName())
				delete(due, j.Path)
			}
			if due[j.Path].IsZero() {
				next, err := nodes.NextDue(j.Schedule, w.now)
				if err != nil {
					t.Fatal(err)
				}
				due[j.Path] = next
			}
		}
	}
	w.checkRuns()
	leases, err := w.store.Runs(context.Background(), nodes.RunsFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var runs, ready int
	var idle, lived time.Duration
	for _, l := range leases {
		if l.State != nodes.Gone || l.Online.IsZero() {
			continue
		}
		lived += l.Since.Sub(l.Ordered)
		if l.Began.IsZero() {
			idle += l.Since.Sub(l.Online)
			continue
		}
		runs++
		idle += l.Began.Sub(l.Online)
		if !l.Due.IsZero() && !l.Online.After(l.Due) {
			ready++
		}
	}
	share := 100 * float64(ready) / float64(runs)
	wasted := 100 * idle.Seconds() / lived.Seconds()
	t.Logf("%d runs in %d days: the machine of %.1f %% was online at their time; idle %.1f %% of machine time", runs, days, share, wasted)
	if runs < days*7 || share < 99 || wasted > 5 {
		t.Errorf("%d runs, %.1f %% ready, %.1f %% idle", runs, share, wasted)
	}
}

// stepTo returns how far the clock may move: a second where something is
// going on, and else up to a while before the next run is due.
func (w *world) stepTo(due map[string]time.Time) time.Duration {
	leases, _ := w.store.Leases(context.Background())
	for _, l := range leases {
		if l.State != nodes.Busy {
			return time.Second
		}
	}
	step := 10 * time.Minute
	if len(leases) > 0 {
		step = 20 * time.Second
	}
	for _, at := range due {
		step = min(step, max(time.Second, at.Sub(w.now)-10*time.Minute))
	}
	if len(due) == 0 {
		return time.Second
	}
	return step
}
