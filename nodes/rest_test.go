package nodes_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// cloudWith is a cloud of the world in which things take some seconds.
func (w *world) cloudWith(c nodetest.CloudConfig) *nodetest.Cloud {
	c.Start = nodetest.Range{Min: 5 * time.Second, Max: 5 * time.Second}
	c.Boot = nodetest.Range{Min: 15 * time.Second, Max: 15 * time.Second}
	return nodetest.NewCloud(func() time.Time { return w.now }, w.rng, c)
}

// trigger makes a job with a long run, and starts it.
func (w *world) trigger(path string) {
	w.put(job(path, nil), jenkinstest.JobSpec{Duration: func(int, int) time.Duration { return 10 * time.Minute }})
	if w.ours != nil {
		w.ours.SetCatalog(w.catalog)
	}
	w.jenkins.Trigger(path)
}

// leaseOf returns the newest lease of a job.
func (w *world) leaseOf(path string) nodes.Lease {
	w.t.Helper()
	all, err := w.store.Runs(context.Background(), nodes.RunsFilter{Job: path})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(all) == 0 {
		return nodes.Lease{}
	}
	return all[0]
}

// A place's offers are tried in their order, one that is short is left alone
// for a while, and the run that gets nothing is told of each.
func TestOffersInOrder(t *testing.T) {
	w := calm(t)
	w.clouds["idc"] = w.cloudWith(nodetest.CloudConfig{Offers: 2, Capacity: map[string]int{"idc-1/1": 1, "idc-1/2": 1}})
	paths := []string{"live-1/pay/a", "live-1/pay/b", "live-1/pay/c"}
	w.start()
	for i, path := range paths[:2] {
		w.trigger(path)
		w.until(path+" is on its machine", func() bool { return w.leaseOf(path).State == nodes.Busy })
		l := w.leaseOf(path)
		if want := "simulated, idc-1/" + string(rune('1'+i)); l.Detail != want || l.Price != float64(i+1)/8 {
			t.Errorf("%s got %q at $%v, want %q", path, l.Detail, l.Price, want)
		}
	}
	w.trigger(paths[2])
	w.until("it waits for one of both", func() bool {
		reason := w.leaseOf(paths[2]).Reason
		return strings.Contains(reason, "idc-1/1 has no") || strings.Count(reason, "no capacity") > 0
	})
	w.clouds["idc"].SetCapacity("idc-1/2", 2)
	w.until("it gets the second offer when that has room again", func() bool { return w.leaseOf(paths[2]).State == nodes.Busy })
	if l := w.leaseOf(paths[2]); l.Detail != "simulated, idc-1/2" {
		t.Errorf("it got %q", l.Detail)
	}
}

// An offer that is short does not keep the place's other offers from others.
func TestRestIsOfTheOffer(t *testing.T) {
	w := calm(t)
	w.clouds["idc"] = w.cloudWith(nodetest.CloudConfig{Offers: 2, Capacity: map[string]int{"idc-1/1": 0}})
	w.start()
	began := w.now
	w.trigger("live-1/pay/a")
	w.trigger("live-1/pay/b")
	w.until("both have machines", func() bool {
		return w.leaseOf("live-1/pay/a").State == nodes.Busy && w.leaseOf("live-1/pay/b").State == nodes.Busy
	})
	if took := w.now.Sub(began); took > 45*time.Second {
		t.Errorf("they waited %s, so they waited for the first offer's rest", took)
	}
}

// A cloud that accepts a machine and then has no room for it costs the run a
// short while; it does not count as a machine that failed.
func TestRefusedLater(t *testing.T) {
	w := calm(t)
	w.clouds["idc"] = w.cloudWith(nodetest.CloudConfig{Refuses: 1})
	w.clouds["aws"] = w.cloudWith(nodetest.CloudConfig{})
	w.start()
	w.trigger("live-1/pay/a")
	w.until("it is on a machine of the next place", func() bool { return w.leaseOf("live-1/pay/a").State == nodes.Busy })
	l := w.leaseOf("live-1/pay/a")
	if l.Cloud != "aws" || l.Attempt != 2 {
		t.Errorf("it is in %s, attempt %d", l.Cloud, l.Attempt)
	}
	all, _ := w.store.Runs(context.Background(), nodes.RunsFilter{Job: "live-1/pay/a"})
	first := all[len(all)-1]
	if !first.Crowded || !strings.Contains(first.Reason, "idc-1: no capacity: no host has room") {
		t.Errorf("the first lease: crowded %v, %q", first.Crowded, first.Reason)
	}
}

// More refusals than machines may fail do not end the run, but they do not
// keep it for ever either.
func TestRefusedForEver(t *testing.T) {
	w := calm(t)
	w.clouds["idc"] = w.cloudWith(nodetest.CloudConfig{Refuses: 1})
	w.start()
	w.trigger("live-1/pay/a")
	began := w.now
	w.until("the run is told", func() bool {
		runs := w.jenkins.Runs()
		return len(runs) == 1 && !runs[0].Building
	})
	if waited := w.now.Sub(began); waited < 29*time.Minute || waited > 40*time.Minute {
		t.Errorf("it was told after %s", waited)
	}
	all, _ := w.store.Runs(context.Background(), nodes.RunsFilter{Job: "live-1/pay/a"})
	if len(all) < 5 {
		t.Errorf("there were only %d tries", len(all))
	}
	if told := all[0]; !told.Refused || !strings.Contains(told.Reason, "no machine within 30m") || !strings.Contains(told.Reason, "no host has room") {
		t.Errorf("it was told %q", told.Reason)
	}
}

// A place that has no machine of that size at all is no place for the run,
// and the run is told at once where there is no other.
func TestNoOffer(t *testing.T) {
	w := calm(t)
	w.small = true
	w.start()
	w.trigger("live-1/pay/a")
	w.until("the run is told", func() bool {
		runs := w.jenkins.Runs()
		return len(runs) == 1 && !runs[0].Building
	})
	if l := w.leaseOf("live-1/pay/a"); !l.Refused || !strings.Contains(l.Reason, "idc-1: it has no machine with 4 cpu") {
		t.Errorf("the lease says %q", l.Reason)
	}
}

// An order is for no more machines than the cloud is to be asked for at once.
func TestBatch(t *testing.T) {
	w := calm(t)
	w.batch = 2
	w.start()
	jobs := []string{"live-1/pay/a", "live-1/pay/b", "live-1/pay/c", "live-1/pay/d", "live-1/pay/e"}
	for _, path := range jobs {
		w.trigger(path)
	}
	w.until("all have machines", func() bool { return len(w.clouds["idc"].Machines()) == len(jobs) })
	orders := map[string]int{}
	for _, m := range w.clouds["idc"].Machines() {
		orders[m.Order]++
	}
	for id, n := range orders {
		if n > 2 {
			t.Errorf("order %s has %d machines", id, n)
		}
	}
}

// scheduled is a world with one job that the clock starts, some time before
// that.
func scheduled(t *testing.T, ahead time.Duration) (w *world, due time.Time) {
	w = calm(t)
	due = w.now.UTC().Truncate(24 * time.Hour).Add(26*time.Hour + 15*time.Minute)
	w.now = due.Add(-ahead)
	w.put(job("live-1/pay/daily", func(j *catalog.Job) {
		j.Schedule = &catalog.Schedule{Cron: []string{"15 2 * * *"}, Timezone: "UTC"}
	}), jenkinstest.JobSpec{Duration: func(int, int) time.Duration { return 10 * time.Minute }})
	return w, due
}

// A machine that was made ahead and got no room, or died, is made again while
// there is time.
func TestAheadAgain(t *testing.T) {
	for name, cause := range map[string]func(*world){
		"no room": func(w *world) { w.clouds["idc"] = w.cloudWith(nodetest.CloudConfig{Refuses: 1}) },
		"died":    func(w *world) { w.clouds["idc"] = w.cloudWith(nodetest.CloudConfig{Lingers: 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			w, due := scheduled(t, 55*time.Second)
			w.clouds["aws"] = w.cloudWith(nodetest.CloudConfig{})
			cause(w)
			w.start()
			w.until("a machine is made ahead", func() bool { return w.leaseOf("live-1/pay/daily").VM != "" })
			if name == "died" {
				w.clouds["idc"].Kill(w.leaseOf("live-1/pay/daily").VM)
			}
			for w.now.Before(due) {
				w.tick(time.Second)
			}
			all, _ := w.store.Runs(context.Background(), nodes.RunsFilter{Job: "live-1/pay/daily"})
			if len(all) != 2 || all[0].Online.IsZero() || !strings.Contains(all[0].Reason+timelineOf(w, all[0].ID), "made ahead again: ") {
				t.Errorf("at its time there are %d leases, the last online at %s: %s", len(all), all[0].Online, all[0].Reason)
			}
			w.jenkins.Trigger("live-1/pay/daily")
			w.until("its run is on it", func() bool { return w.leaseOf("live-1/pay/daily").State == nodes.Busy })
		})
	}
}

// A person starts the job just before its time and takes the machine that was
// made ahead: the clock's run, which has the next number, gets its own.
func TestAheadTaken(t *testing.T) {
	w, due := scheduled(t, 70*time.Second)
	w.start()
	w.until("a machine stands ready", func() bool { return !w.leaseOf("live-1/pay/daily").Online.IsZero() })
	w.jenkins.Trigger("live-1/pay/daily")
	w.until("a person has it", func() bool {
		all, _ := w.store.Runs(context.Background(), nodes.RunsFilter{Job: "live-1/pay/daily"})
		return all[len(all)-1].State == nodes.Busy
	})
	for w.now.Before(due) {
		w.tick(time.Second)
	}
	if l := w.leaseOf("live-1/pay/daily"); l.Number != 2 || l.Online.IsZero() || !l.Early() {
		t.Errorf("at its time the newest lease is #%d, %s: %s", l.Number, l.State, l.Reason)
	}
}

// timelineOf returns all reasons that a lease ever had.
func timelineOf(w *world, id string) string {
	events, err := w.store.Timeline(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.Reason)
	}
	return strings.Join(all, "\n")
}

// Where a cloud may have no more machines by the configuration, the next
// place of the pool serves, and the first one again when there is room.
func TestLimitOfCloud(t *testing.T) {
	w := calm(t)
	w.clouds["aws"] = w.cloudWith(nodetest.CloudConfig{})
	w.limit = 1
	w.start()
	for _, path := range []string{"live-1/pay/a", "live-1/pay/b", "live-1/pay/c"} {
		w.trigger(path)
		w.tick(time.Second)
	}
	w.until("two are on machines", func() bool {
		return w.leaseOf("live-1/pay/a").State == nodes.Busy && w.leaseOf("live-1/pay/b").State == nodes.Busy
	})
	if a, b := w.leaseOf("live-1/pay/a"), w.leaseOf("live-1/pay/b"); a.Cloud != "idc" || b.Cloud != "aws" {
		t.Errorf("they are in %s and %s", a.Cloud, b.Cloud)
	}
	w.until("the third is told why it waits", func() bool {
		reason := w.leaseOf("live-1/pay/c").Reason
		return strings.Contains(reason, "idc-1: limit of cloud idc: 1 of 1") && strings.Contains(reason, "aws-1: limit of cloud aws: 1 of 1")
	})
	w.until("it gets a machine when one is gone", func() bool { return w.leaseOf("live-1/pay/c").State == nodes.Busy })
}
