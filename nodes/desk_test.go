package nodes_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// lease returns the one lease that is not gone.
func (w *world) lease() nodes.Lease {
	w.t.Helper()
	leases, err := w.store.Leases(context.Background())
	if err != nil || len(leases) != 1 {
		w.t.Fatalf("%d leases, %v", len(leases), err)
	}
	return leases[0]
}

// until ticks each second until f is true.
func (w *world) until(what string, f func() bool) {
	w.t.Helper()
	for range 3600 {
		if f() {
			return
		}
		w.tick(time.Second)
	}
	w.t.Fatalf("in an hour it did not come to this: %s; log with SIM_LOG=1", what)
}

// TestCallIn plays every caller there is against one machine that boots.
func TestCallIn(t *testing.T) {
	w := calm(t)
	w.put(job("live-1/pay/daily", nil), jenkinstest.JobSpec{})
	w.start()
	w.jenkins.Trigger("live-1/pay/daily")
	w.until("it boots", func() bool { w.tick(time.Second); return w.lease().State == nodes.Booting })
	w.tick(time.Second)
	w.strangers = true // the machine itself comes too late
	m := w.clouds["idc"].Machines()[0]
	claim := strings.Repeat("c", 64)
	call := func(change func(*nodes.Call)) (nodes.Handover, error) {
		c := nodes.Call{Token: m.Request.UserData, Machine: m.ID, Claim: claim, Address: m.Address}
		if change != nil {
			change(&c)
		}
		return w.ours.CallIn(context.Background(), c)
	}
	refused := func(what string, want error, change func(*nodes.Call)) {
		t.Helper()
		if h, err := call(change); !errors.Is(err, want) || h != (nodes.Handover{}) {
			t.Errorf("%s: %+v, %v; want %v", what, h, err, want)
		}
	}
	order, _, _ := strings.Cut(m.Request.UserData, "-")
	strangers := map[string]func(*nodes.Call){
		"no token":         func(c *nodes.Call) { c.Token = "" },
		"another token":    func(c *nodes.Call) { c.Token = order + "-" + strings.Repeat("0", 64) },
		"an unknown order": func(c *nodes.Call) { c.Token = "onever" + strings.TrimPrefix(c.Token, order) },
		"a short claim":    func(c *nodes.Call) { c.Claim = "c" },
		"another address":  func(c *nodes.Call) { c.Address = "192.0.2.9" },
	}
	for what, change := range strangers {
		refused(what, nodes.ErrStranger, change)
	}
	if l := w.lease(); l.Claim != "" || l.State != nodes.Booting {
		t.Fatalf("a stranger has changed the lease: %+v", l)
	}
	if _, err := call(nil); err != nil && !errors.Is(err, nodes.ErrNotYet) {
		t.Fatal(err)
	}
	w.until("it has its node", func() bool { return !w.lease().NodeMade.IsZero() })
	other := func(c *nodes.Call) { c.Claim = strings.Repeat("d", 64) }
	refused("another claim, before the secret", nodes.ErrSpent, other)
	first, err := call(nil)
	if err != nil || first.Name != w.lease().ID || len(first.Secret) != 64 || first.URL == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := call(nil)
	if err != nil || again != first {
		t.Errorf("after a lost reply: %+v, %v", again, err)
	}
	refused("another claim, after the secret", nodes.ErrSpent, other)
	for what, change := range strangers {
		refused(what, nodes.ErrStranger, change)
	}
	if err := w.jenkins.Connect(first.Name, first.Secret); err != nil {
		t.Fatal(err)
	}
	w.until("the run is on it", func() bool { return w.lease().State == nodes.Busy })
	refused("once the run is on it", nodes.ErrSpent, nil)
	w.until("it is released", func() bool { return w.lease().State == nodes.Releasing })
	refused("once it is released", nodes.ErrOver, nil)
	all, _ := w.store.Runs(context.Background(), nodes.RunsFilter{})
	for _, l := range all {
		if strings.Contains(l.Claim+l.Reason, claim) || strings.Contains(l.Reason, first.Secret) {
			t.Errorf("a secret is stored: %+v", l)
		}
	}
}

// A machine that cannot prove which it is gets nothing, and changes nothing;
// what it is told does not say why, and the log does.
func TestCallInProof(t *testing.T) {
	w := calm(t)
	w.put(job("live-1/pay/daily", nil), jenkinstest.JobSpec{})
	w.prover = prover(func(machine, proof string) error {
		if proof != "signed for "+machine {
			return errors.New("the document is for another machine")
		}
		return nil
	})
	w.strangers, w.nat = true, true
	w.start()
	w.jenkins.Trigger("live-1/pay/daily")
	w.until("it has its node", func() bool {
		w.tick(time.Second)
		return len(w.clouds["idc"].Machines()) > 0 && !w.lease().NodeMade.IsZero()
	})
	m := w.clouds["idc"].Machines()[0]
	call := nodes.Call{Token: m.Request.UserData, Machine: m.ID, Claim: strings.Repeat("c", 64), Address: "192.0.2.9"}
	for _, proof := range []string{"", "signed for another"} {
		call.Proof = proof
		if h, err := w.ours.CallIn(context.Background(), call); !errors.Is(err, nodes.ErrStranger) || h != (nodes.Handover{}) || !strings.Contains(err.Error(), "another machine") {
			t.Errorf("with the proof %q it got %+v, %v", proof, h, err)
		}
	}
	if l := w.lease(); l.State != nodes.Booting || l.Claim != "" {
		t.Errorf("the lease is %s, claimed %q", l.State, l.Claim)
	}
	call.Proof = "signed for " + m.ID
	first, err := w.ours.CallIn(context.Background(), call)
	if err != nil || first.Name != w.lease().ID {
		t.Fatalf("with a proof, from behind NAT: %+v, %v", first, err)
	}
	call.Proof = "" // it is known by its claim now
	if again, err := w.ours.CallIn(context.Background(), call); err != nil || again != first {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// TestLostStore loses the whole store while a run is on its machine: its
// machine and node are taken away when it has ended, and not before.
func TestLostStore(t *testing.T) {
	w := calm(t)
	w.put(job("live-1/pay/daily", nil), jenkinstest.JobSpec{Duration: func(int, int) time.Duration { return 30 * time.Minute }})
	w.start()
	w.jenkins.Trigger("live-1/pay/daily")
	w.until("the run is on its machine", func() bool { w.tick(time.Second); return w.lease().State == nodes.Busy })
	w.store = nodetest.NewMemStore()
	w.start()
	w.until("the run has ended", func() bool { return !w.jenkins.Runs()[0].Building })
	if run := w.jenkins.Runs()[0]; run.Result != "SUCCESS" || run.Attempts[0].CutOff {
		t.Errorf("the run was cut off: %+v", run)
	}
	w.until("nothing is left", w.done)
}

// TestOrphans puts machines and nodes of ours, and of others, where no lease
// knows of them: ours go after their grace, the others stay.
func TestOrphans(t *testing.T) {
	w := calm(t)
	w.put(job("live-1/pay/daily", nil), jenkinstest.JobSpec{})
	w.start()
	ctx := context.Background()
	w.strangers = true
	order := nodes.Order{ID: "oforgotten", Place: "idc-1", Count: 1, Need: nodes.Need{CPU: 1, Arch: "amd64"}}
	if _, err := w.clouds["idc"].Driver(owner).Launch(ctx, order); err != nil {
		t.Fatal(err)
	}
	order.ID = "otheirs"
	if _, err := w.clouds["idc"].Driver("somebody-else").Launch(ctx, order); err != nil {
		t.Fatal(err)
	}
	admin := w.jenkins.Client(jenkinstest.Admin)
	for name, description := range map[string]string{
		"nours": "made by provisioner " + owner + " for x#1; order oforgotten", "ntheirs": "made by provisioner " + owner + "-2 for x#1; order o", "byhand": "",
	} {
		if err := admin.CreateNode(ctx, jenkins.NodeSpec{Name: name, Description: description, Label: "x", RemoteFS: "agent"}); err != nil {
			t.Fatal(err)
		}
	}
	began := w.now
	w.until("ours are gone", func() bool { return w.clouds["idc"].Settled(owner) && len(w.jenkins.Nodes()) == 2 })
	if took := w.now.Sub(began); took < w.timing.Orphan {
		t.Errorf("they went after %s, before their grace of %s was over", took, w.timing.Orphan)
	}
	for range 600 {
		w.tick(time.Second)
	}
	if len(w.jenkins.Nodes()) != 2 || len(w.clouds["idc"].Live()) != 1 {
		t.Errorf("left are the nodes %+v and the machines %+v", w.jenkins.Nodes(), w.clouds["idc"].Live())
	}
}

// TestSpares gives a waiting run a spare of its pool that suits it, and keeps
// the number of spares.
func TestSpares(t *testing.T) {
	w := calm(t)
	w.spares = 2
	w.put(job("live-1/pay/daily", nil), jenkinstest.JobSpec{})
	w.put(job("live-1/pay/large", func(j *catalog.Job) { j.Node.CPU = 64 }), jenkinstest.JobSpec{})
	w.start()
	ready := func(n int) func() bool {
		return func() bool {
			leases, _ := w.store.Leases(context.Background())
			spares := 0
			for _, l := range leases {
				if l.Spare() && l.State == nodes.Ready {
					spares++
				}
			}
			return spares == n
		}
	}
	w.until("two spares are ready", ready(2))
	made := len(w.clouds["idc"].Machines())
	w.jenkins.Trigger("live-1/pay/daily")
	w.jenkins.Trigger("live-1/pay/large")
	w.tick(time.Second)
	w.until("both runs have ended", func() bool {
		runs := w.jenkins.Runs()
		return len(runs) == 2 && !runs[0].Building && !runs[1].Building
	})
	w.until("two spares are ready again", ready(2))
	all, _ := w.store.Runs(context.Background(), nodes.RunsFilter{})
	for _, l := range all {
		taken := !l.Seen.IsZero() && l.Created.Before(l.Seen.Add(-10*time.Second))
		if want := l.Job == "live-1/pay/daily"; taken != want {
			t.Errorf("%s: made %s before it was seen", l.Run(), l.Seen.Sub(l.Created))
		}
		if l.Job == "live-1/pay/daily" && l.Began.Sub(l.Seen) > 10*time.Second {
			t.Errorf("with a spare it waited %s", l.Began.Sub(l.Seen))
		}
	}
	if now := len(w.clouds["idc"].Machines()); now != made+2 {
		t.Errorf("%d machines were made for one more spare and one run that no spare suits", now-made)
	}
}

// TestTold has no place that can make a machine: the run ends, with the
// reason in its description, also one that would try again.
func TestTold(t *testing.T) {
	w := calm(t)
	w.clouds["idc"].Misconfigure("idc-1", true)
	w.put(job("live-1/pay/daily", func(j *catalog.Job) { j.Retry.Attempts = 2 }), jenkinstest.JobSpec{Retries: 2})
	w.start()
	w.jenkins.Trigger("live-1/pay/daily")
	w.until("the run has ended", func() bool { w.tick(time.Second); return !w.jenkins.Runs()[0].Building })
	run := w.jenkins.Runs()[0]
	if run.Result != "ABORTED" || !strings.HasPrefix(run.Description, "No machine for this run: no place of the pool standard can make such a machine: idc-1: launch order ") {
		t.Errorf("%+v", run)
	}
	w.until("the lease is gone", w.still)
	if all, _ := w.store.Runs(context.Background(), nodes.RunsFilter{}); len(all) != 1 || !all[0].Refused {
		t.Errorf("%+v", all)
	}
}
