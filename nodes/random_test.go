package nodes_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// TestSimulation lives through seeded days in which everything goes wrong
// that can: clouds and Jenkins lose requests and replies, machines die,
// people start and stop and delete things, and the provisioner crashes at any
// of its calls. SIM_SEED replays one seed (with SIM_LOG=1 it tells its story),
// SIM_LIVES asks for more lives than the default.
func TestSimulation(t *testing.T) {
	want := 1000
	if text := os.Getenv("SIM_LIVES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		want = n
	} else if testing.Short() {
		want = 100
	}
	if text := os.Getenv("SIM_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		w := live(t, seed)
		t.Logf("%d lives, %d crashes", w.lives, w.crashes)
		return
	}
	lives, crashes, machines := 0, 0, 0
	seed := uint64(1)
	for ; lives < want; seed++ {
		w := live(t, seed)
		lives += w.lives
		crashes += w.crashes
		for _, c := range w.clouds {
			machines += len(c.Machines())
		}
		if w.alert {
			t.Fatalf("replay with SIM_SEED=%d SIM_LOG=1 go test -run TestSimulation -v ./nodes", seed)
		}
	}
	t.Logf("%d lives in %d days: %d machines, %d crashes of the provisioner", lives, seed-1, machines, crashes)
}

// live lives through one seeded day, then lets the dust settle and looks
// whether anything is left.
func live(t *testing.T, seed uint64) *world {
	var options []jenkinstest.Option
	if seed%3 == 0 {
		options = append(options, jenkinstest.Clinging(), jenkinstest.StrictZombies())
	}
	w := newWorld(t, seed, options...)
	r := w.rng
	some := func(p float64) float64 { // in half of all days nothing, else up to p
		if r.IntN(2) == 0 {
			return 0
		}
		return r.Float64() * p
	}
	sec := time.Second
	for _, name := range []string{"idc", "aws"} {
		w.clouds[name] = nodetest.NewCloud(func() time.Time { return w.now }, r, nodetest.CloudConfig{
			Start: nodetest.Range{Min: sec, Max: 20 * sec}, Boot: nodetest.Range{Min: 5 * sec, Max: 90 * sec},
			Late: nodetest.Range{Max: 20 * sec}, Ending: nodetest.Range{Max: 30 * sec},
			Offers:   r.IntN(4),
			Capacity: map[string]int{name + "-1": 5 + r.IntN(30), name + "-1/1": r.IntN(10), name + "-1/2": 5 + r.IntN(30)}, Quota: 10 + r.IntN(50),
			LaunchRate:    nodetest.Bucket{Rate: 2, Burst: 5},
			LaunchFaults:  nodetest.Faults{Request: some(.2), Reply: some(.2), Delay: some(.05), DelayBy: nodetest.Range{Max: 60 * sec}},
			DestroyFaults: nodetest.Faults{Request: some(.3), Reply: some(.3)}, ListFaults: nodetest.Faults{Request: some(.3)},
			NoCapacity: some(.3), Refuses: some(.3), Short: some(.3), DestroyMiss: some(.2), Mute: some(.1), Lingers: some(.5),
			Lifetime: time.Duration(r.IntN(2)) * time.Duration(1+r.IntN(20)) * time.Hour,
		})
	}
	stranger := w.clouds["idc"].Driver("somebody-else")
	_, err := stranger.Launch(context.Background(), nodes.Order{ID: "theirs", Place: "idc-1", Count: 3, Need: nodes.Need{CPU: 1, Arch: "amd64"}})
	if err != nil && nodes.ClassOf(err) == nodes.Configuration {
		t.Fatal(err)
	}
	w.spares = r.IntN(3)
	w.crash = some(.02)
	w.stopLost = r.IntN(2) == 0
	jobs := w.jobs()
	w.start()
	faulty := some(.05)
	w.jenkins.Fail(func(string, string) jenkinstest.Fault {
		if r.Float64() < faulty {
			return jenkinstest.Fault(1 + r.IntN(7))
		}
		return jenkinstest.NoFault
	})
	for minutes := 0; minutes < 90; minutes++ {
		w.people(jobs)
		for range 20 {
			w.tick(time.Duration(500+r.IntN(5000)) * time.Millisecond)
			if w.alert {
				return w
			}
		}
	}
	w.settle()
	return w
}

// jobs fills the catalog.
func (w *world) jobs() []string {
	var names []string
	for i := range 8 {
		path := fmt.Sprintf("live-1/group-%d/job-%d", i%3, i)
		j := job(path, func(j *catalog.Job) {
			j.Timeout = int64(60 * (5 + w.rng.IntN(60)))
			switch i {
			case 0, 1:
				j.Retry = catalog.Retry{Attempts: 2, On: []string{"node-lost"}}
			case 2, 3:
				j.Schedule = &catalog.Schedule{Cron: []string{fmt.Sprintf("%d-59/7 * * * *", i)}, Timezone: "Europe/Berlin"}
				j.Concurrency = "forbid"
			case 4:
				j.Node.HoldOnFailure = 600
			case 5:
				j.Node.CPU = 8
			case 6:
				j.Node.Pool = "nowhere"
			}
		})
		w.put(j, w.spec(j))
		names = append(names, j.FullName())
	}
	return names
}

// spec is what a job of the catalog is in Jenkins. A few of its runs take
// longer than they may, and some fail.
func (w *world) spec(j catalog.Job) jenkinstest.JobSpec {
	seed := w.seed
	chance := func(n, attempt, of int) bool { return (int(seed)*31+n*17+attempt*7+len(j.Path))%of == 0 }
	return jenkinstest.JobSpec{
		Label: func(n int) string { return catalog.Label(j.Token, n) },
		Duration: func(n, attempt int) time.Duration {
			if chance(n, attempt, 23) {
				return 3 * time.Hour
			}
			return time.Duration((n*37+attempt*11)%300) * time.Second
		},
		Result: func(n, attempt int) string {
			if chance(n, attempt, 5) {
				return "FAILURE"
			}
			return "SUCCESS"
		},
		Retries: j.Retry.Attempts, ForbidConcurrent: j.Concurrency == "forbid",
	}
}

// people do what people do within a minute.
func (w *world) people(names []string) {
	r := w.rng
	pick := func() string { return names[r.IntN(len(names))] }
	for range r.IntN(3) {
		w.jenkins.Trigger(pick())
	}
	for _, name := range names[2:4] { // those with a schedule
		if r.IntN(4) > 0 {
			w.jenkins.Trigger(name)
		}
	}
	runs := w.jenkins.Runs()
	if len(runs) > 0 && r.IntN(6) == 0 {
		if run := runs[len(runs)-1-r.IntN(min(5, len(runs)))]; run.Building {
			w.jenkins.Abort(run.Ref)
		}
	}
	switch r.IntN(60) {
	case 0:
		w.jenkins.Restart()
	case 1:
		w.jenkins.Crash(func(jenkins.Ref) bool { return r.IntN(3) > 0 })
	case 2:
		w.jenkins.Down(r.IntN(2) * 503)
	case 3, 4, 5:
		w.jenkins.Up()
	case 6:
		name := pick()
		w.jenkins.DeleteJob(name)
		for _, j := range w.catalog.Jobs {
			if j.FullName() == name {
				w.jenkins.PutJob(name, w.spec(j))
			}
		}
	case 7:
		if waiting := w.waiting(); waiting != "" {
			w.jenkins.StartForeign(waiting, time.Duration(r.IntN(300))*time.Second)
		}
	case 8, 9:
		w.clouds["idc"].Outage(w.now, w.now.Add(time.Duration(r.IntN(600))*time.Second))
	case 10:
		for _, key := range sorted(w.agents) {
			if a := w.agents[key]; a.connected && !a.frozen {
				a.frozen = true
				w.jenkins.Freeze(a.name)
				w.clouds[a.cloud].Kill(a.machine)
				break
			}
		}
	case 11:
		for _, key := range sorted(w.agents) {
			if a := w.agents[key]; a.connected && !a.frozen && r.IntN(2) == 0 {
				w.clouds[a.cloud].Kill(a.machine)
				break
			}
		}
	case 12:
		w.drained["standard"] = "a person wanted it"
	case 13, 14, 15:
		delete(w.drained, "standard")
	case 16:
		w.jenkins.Quiet(true)
	case 17, 18, 19:
		w.jenkins.Quiet(false)
	case 20:
		w.survive(w.start) // a deployment
	}
}

// waiting returns the label of some run that waits for its node.
func (w *world) waiting() string {
	for _, run := range w.jenkins.Runs() {
		for _, j := range w.catalog.Jobs {
			if run.Waiting && j.FullName() == run.Ref.Job {
				return catalog.Label(j.Token, run.Ref.Number)
			}
		}
	}
	return ""
}

// settle ends all trouble, waits, and looks at what is left.
func (w *world) settle() {
	w.crash = 0
	w.jenkins.Fail(nil)
	w.jenkins.Up()
	w.jenkins.Quiet(false)
	delete(w.drained, "standard")
	w.spares = 0
	for i := range w.catalog.Jobs {
		w.catalog.Jobs[i].Schedule = nil
	}
	for _, c := range w.clouds {
		c.SetQuota(0)
	}
	w.start()
	ctx := context.Background()
	for range 6 * 3600 / 5 {
		w.tick(5 * time.Second)
		if w.alert {
			return
		}
		if w.still() && w.done() {
			break
		}
	}
	w.checkRuns()
	for _, run := range w.jenkins.Runs() {
		if run.Building && !(run.Lost && !w.stopLost) {
			w.violated("run %s has no answer: waiting %v, attempts %+v", run.Ref, run.Waiting, run.Attempts)
		}
	}
	leases, _ := w.store.Leases(ctx)
	for _, l := range leases {
		w.violated("lease %s for %s is left: %s, %s", l.ID, l.Run(), l.State, l.Reason)
	}
	for _, n := range w.jenkins.Nodes() {
		if strings.HasPrefix(n.Description, "made by provisioner "+owner) {
			w.violated("node %s is left: %+v", n.Name, n)
		}
	}
	for name, c := range w.clouds {
		for _, m := range c.Live() {
			if m.Owner == owner {
				w.violated("machine %s is left in %s", m.ID, name)
			}
		}
		for _, m := range c.Machines() {
			if m.Owner != owner && !m.Destroyed.IsZero() {
				w.violated("machine %s of %s was destroyed", m.ID, m.Owner)
			}
		}
	}
	all, _ := w.store.Runs(ctx, nodes.RunsFilter{})
	w.lives = len(all)
	machines := map[string]string{}
	for _, l := range all {
		key := l.Cloud + "/" + l.VM
		if other, twice := machines[key]; twice && l.VM != "" {
			w.violated("machine %s was lent twice: %s and %s", key, other, l.ID)
		}
		machines[key] = l.ID
	}
}

// still reports whether nothing of ours is left in the store.
func (w *world) still() bool {
	leases, _ := w.store.Leases(context.Background())
	return len(leases) == 0
}

// done reports whether nothing of ours is left outside.
func (w *world) done() bool {
	for _, run := range w.jenkins.Runs() {
		if run.Building && !(run.Lost && !w.stopLost) {
			return false
		}
	}
	for _, c := range w.clouds {
		if !c.Settled(owner) {
			return false
		}
	}
	for _, n := range w.jenkins.Nodes() {
		if strings.HasPrefix(n.Description, "made by provisioner "+owner) {
			return false
		}
	}
	return true
}
