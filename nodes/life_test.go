package nodes_test

import (
	"context"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// calm is a world without faults, with one cloud that boots in 20 seconds.
func calm(t testing.TB, options ...jenkinstest.Option) *world {
	w := newWorld(t, 1, options...)
	w.clouds["idc"] = nodetest.NewCloud(func() time.Time { return w.now }, w.rng, nodetest.CloudConfig{Start: nodetest.Range{Min: 5 * time.Second, Max: 5 * time.Second}, Boot: nodetest.Range{Min: 15 * time.Second, Max: 15 * time.Second}})
	return w
}

// TestOneRun follows one run from the queue to the end of its machine.
func TestOneRun(t *testing.T) {
	w := calm(t)
	w.put(job("live-1/pay/daily", nil), jenkinstest.JobSpec{})
	w.start()
	w.jenkins.Trigger("live-1/pay/daily")
	for range 180 {
		w.tick(time.Second)
	}
	w.checkRuns()
	for _, run := range w.jenkins.Runs() {
		if run.Result != "SUCCESS" {
			t.Errorf("run %+v", run)
		}
	}
	leases, err := w.store.Runs(context.Background(), nodes.RunsFilter{})
	if err != nil || len(leases) != 1 || leases[0].State != nodes.Gone {
		t.Fatalf("%+v, %v", leases, err)
	}
	events, _ := w.store.Timeline(context.Background(), leases[0].ID)
	for _, e := range events {
		t.Log(e.At.Format("15:04:05.0"), e.State, e.Reason)
	}
	if n := len(w.jenkins.Nodes()); n != 0 {
		t.Errorf("%d nodes are left", n)
	}
	if !w.clouds["idc"].Settled(owner) {
		t.Error("machines are left")
	}
}

// What is left of a node that was deleted may stay listed as long as its
// agent comes back, and a second delete may be refused: the machine has to go
// first. Otherwise each would wait for the other until the machine's own end.
func TestNodeThatClings(t *testing.T) {
	w := calm(t, jenkinstest.Clinging(), jenkinstest.StrictZombies())
	w.put(job("live-1/pay/daily", nil), jenkinstest.JobSpec{})
	w.start()
	w.jenkins.Trigger("live-1/pay/daily")
	for range 180 {
		w.tick(time.Second)
	}
	w.checkRuns()
	if n := w.jenkins.Nodes(); len(n) != 0 || !w.clouds["idc"].Settled(owner) {
		t.Errorf("left are the nodes %+v; machines settled: %v", n, w.clouds["idc"].Settled(owner))
	}
	if l := w.leaseOf("live-1/pay/daily"); l.State != nodes.Gone {
		t.Errorf("left is the lease %+v", l)
	}
}
