package jenkinstest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// A world is a Server in virtual time with a client.
type world struct {
	*simulated
	client *jenkins.Client
	t      *testing.T
}

func newWorld(t *testing.T, options ...jenkinstest.Option) *world {
	s := newSimulated(t, options...)
	return &world{simulated: s, client: s.Client("provisioner"), t: t}
}

// job makes a job whose runs ask for l-<number>.
func (w *world) job(name string, spec jenkinstest.JobSpec) {
	if spec.Label == nil {
		spec.Label = func(n int) string { return "l-" + string(rune('0'+n)) }
	}
	w.Server.PutJob(name, spec)
}

// node makes a node with a connected agent.
func (w *world) node(name, label string) {
	w.t.Helper()
	if err := w.client.CreateNode(w.t.Context(), jenkins.NodeSpec{Name: name, Label: label}); err != nil {
		w.t.Fatal(err)
	}
	w.connect(name)
}

func (w *world) connect(name string) {
	w.t.Helper()
	secret, err := w.client.Secret(w.t.Context(), name)
	if err == nil {
		err = w.Server.Connect(name, secret)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time pass, from event to event.
func (w *world) pass(d time.Duration) {
	end := w.clock.Now().Add(d)
	for {
		next, ok := w.NextEvent()
		if !ok || next.After(end) {
			break
		}
		w.clock.Set(next)
		w.Settle()
	}
	w.clock.Set(end)
	w.Settle()
}

func (w *world) look() jenkins.Look {
	w.t.Helper()
	look, err := w.client.Look(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return look
}

func (w *world) record(job string, number int) jenkinstest.RunRecord {
	w.t.Helper()
	r, ok := w.Run(jenkins.Ref{Job: job, Number: number})
	if !ok {
		w.t.Fatalf("there is no run %s#%d", job, number)
	}
	return r
}

// want compares the end of a run's last attempt.
func (w *world) want(what string, r jenkinstest.RunRecord, result string, attempts int, cut bool, lasted time.Duration) {
	w.t.Helper()
	last := r.Attempts[len(r.Attempts)-1]
	if r.Building || r.Result != result || len(r.Attempts) != attempts || last.CutOff != cut || r.Ended.Sub(r.Started) != lasted {
		w.t.Errorf("%s: %+v, lasted %v", what, r, r.Ended.Sub(r.Started))
	}
}

func fixed(d time.Duration) func(int, int) time.Duration {
	return func(int, int) time.Duration { return d }
}

// A restart in good order: who waits keeps the item; who ran gets a new one
// and its own node back, and no time is lost.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	w.job("a/runs", jenkinstest.JobSpec{Duration: fixed(time.Minute)})
	w.job("a/waits", jenkinstest.JobSpec{Label: func(int) string { return "none" }})
	w.node("n", "l-1")
	w.Server.Trigger("a/runs")
	w.Server.Trigger("a/waits")
	w.pass(20 * time.Second)
	before := w.look()
	w.Restart()
	after := w.look()
	if after.Session == before.Session || len(before.Queue) != 1 || len(after.Queue) != 2 {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	for _, item := range after.Queue {
		if same := item == before.Queue[0]; same != (item.Ref.Job == "a/waits") {
			t.Errorf("after the restart %+v waits, before %+v", item, before.Queue)
		}
	}
	if n := after.Nodes[1]; !n.Offline || n.OfflineCause != "" || !n.Idle {
		t.Errorf("after the restart the node is %+v", n)
	}
	w.node("another", "l-1") // is not the run's, though it has the label
	if n := w.look().Nodes[1]; n.Name != "another" || !n.Idle {
		t.Errorf("the other node is %+v", n)
	}
	w.pass(2 * time.Minute)
	w.want("a run that came back", w.record("a/runs", 1), "SUCCESS", 1, false, time.Minute)

	// Its own node is set offline: the run does not get it back.
	w.node("m", "l-2")
	w.Server.Trigger("a/runs")
	w.pass(20 * time.Second)
	if err := w.client.SetOffline(t.Context(), "m", "it goes"); err != nil {
		t.Fatal(err)
	}
	w.Restart()
	w.pass(10 * time.Minute)
	w.want("a run whose node is offline", w.record("a/runs", 2), "ABORTED", 1, true, 20*time.Second+jenkinstest.LostWait)
}

// A crash: ids start again, and some runs are lost until somebody stops them.
func TestCrash(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"kept", "lost", "runs"} {
		w.job(name, jenkinstest.JobSpec{Label: func(int) string { return name }, Duration: fixed(time.Minute)})
	}
	w.node("n", "runs")
	for _, name := range []string{"runs", "lost", "kept"} {
		w.Server.Trigger(name)
	}
	w.pass(time.Second)
	before := w.look()
	w.Crash(func(r jenkins.Ref) bool { return r.Job == "kept" })
	after := w.look()
	var ids []int64
	for _, item := range after.Queue {
		ids = append(ids, item.ID)
		if item.Ref.Job == "lost" {
			t.Errorf("the lost run waits: %+v", item)
		}
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []int64{1, 2}) || len(before.Queue) != 2 {
		t.Errorf("before the crash %+v, after it %+v", before.Queue, after.Queue)
	}
	w.pass(time.Hour)
	w.want("the run that was on its node", w.record("runs", 1), "SUCCESS", 1, false, time.Minute)
	if r := w.record("lost", 1); !r.Building || !r.Lost {
		t.Errorf("the lost run is %+v", r)
	}
	if err := w.client.Stop(t.Context(), jenkins.Ref{Job: "lost", Number: 1}); err != nil {
		t.Fatal(err)
	}
	w.pass(jenkinstest.StopDelay)
	if r := w.record("lost", 1); r.Building || r.Result != "ABORTED" {
		t.Errorf("the lost run, stopped, is %+v", r)
	}
}

// A machine that dies silently looks alive for 534 s, and its run is aborted
// after 855 s.
func TestFreeze(t *testing.T) {
	w := newWorld(t)
	w.job("j", jenkinstest.JobSpec{Duration: fixed(time.Minute)})
	w.node("n", "l-1 l-2")
	w.Server.Trigger("j")
	w.pass(10 * time.Second)
	w.Freeze("n")
	w.pass(533 * time.Second)
	if n := w.look().Nodes[1]; n.Offline || n.Idle {
		t.Errorf("after 533 s the node is %+v", n)
	}
	w.pass(time.Second)
	if n := w.look().Nodes[1]; !n.Offline || n.Idle {
		t.Errorf("after 534 s the node is %+v", n)
	}
	w.pass(time.Hour)
	w.want("a run on a frozen machine", w.record("j", 1), "ABORTED", 1, true, 10*time.Second+855*time.Second)

	// A frozen idle node takes a run.
	w.node("m", "l-2")
	w.Freeze("m")
	w.pass(time.Minute)
	w.Server.Trigger("j")
	w.pass(time.Hour)
	w.want("a run that starts on a frozen machine", w.record("j", 2), "ABORTED", 1, true, 855*time.Second-time.Minute)

	// Stopped, such a run takes 20 s to end.
	w.node("o", "l-3")
	w.Server.Trigger("j")
	w.pass(10 * time.Second)
	w.Freeze("o")
	w.Abort(jenkins.Ref{Job: "j", Number: 3})
	w.pass(time.Hour)
	w.want("a run stopped on a frozen machine", w.record("j", 3), "ABORTED", 1, true, 30*time.Second)
}

// A node lost while the script is being started on it fails the step at once.
func TestLostEarly(t *testing.T) {
	w := newWorld(t)
	w.job("once", jenkinstest.JobSpec{Label: func(int) string { return "x" }})
	w.job("twice", jenkinstest.JobSpec{Label: func(int) string { return "y" }, Retries: 2})
	for job, label := range map[string]string{"once": "x", "twice": "y"} {
		w.node(job, label)
		w.Server.Trigger(job)
		w.pass(100 * time.Millisecond)
		w.Disconnect(job)
		w.pass(0)
	}
	w.want("a run without retry", w.record("once", 1), "FAILURE", 1, true, 100*time.Millisecond)
	w.pass(jenkinstest.AskAgain)
	if r := w.record("twice", 1); !r.Building || !r.Waiting || len(r.Attempts) != 1 || !r.Attempts[0].CutOff {
		t.Errorf("a run with retry is %+v", r)
	}
}

// The agent of a deleted node comes to a new node of the same name.
func TestSameName(t *testing.T) {
	w := newWorld(t)
	w.node("n", "x")
	if err := w.client.DeleteNode(t.Context(), "n"); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if err := w.client.CreateNode(t.Context(), jenkins.NodeSpec{Name: "n", Label: "y"}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if n := w.look().Nodes[1]; n.Offline {
		t.Errorf("the new node is %+v", n)
	}
	secret, _ := w.client.Secret(t.Context(), "n")
	if err := w.Server.Connect("n", secret); err == nil {
		t.Error("a second agent was let in")
	}
}
