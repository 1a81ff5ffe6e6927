package jenkinstest_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// A real world is a Server behind a socket in real time.
type realWorld struct {
	*jenkinstest.Server
	t      *testing.T
	url    string
	client *jenkins.Client
}

func newRealWorld(t *testing.T) *realWorld {
	s := jenkinstest.New(time.Now, jenkinstest.Prefix("/ci"))
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &realWorld{s, t, server.URL + "/ci", s.Client(jenkinstest.Admin)}
}

func (w *realWorld) until(what string, done func() bool) {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			w.t.Fatalf("%s: not within 20 s; runs %+v, nodes %+v", what, w.Runs(), w.Nodes())
		case <-tick.C:
		}
	}
}

// agent runs an agent until the test ends or kill is called, which waits for
// its end.
func (w *realWorld) agent(name, dir string) (kill func() error) {
	w.t.Helper()
	secret, err := w.client.Secret(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	agent := jenkinstest.Agent{URL: w.url, Name: name, Secret: secret, WorkDir: dir, Patience: 300 * time.Millisecond}
	go func() { done <- agent.Run(ctx) }()
	var ended error
	kill = func() error {
		cancel()
		if done != nil {
			ended, done = <-done, nil
		}
		return ended
	}
	w.t.Cleanup(func() { kill() })
	w.until(name+" is connected", func() bool {
		for _, n := range w.Nodes() {
			if n.Name == name {
				return n.Connected
			}
		}
		return false
	})
	return kill
}

func (w *realWorld) node(name, label string) {
	w.t.Helper()
	spec := jenkins.NodeSpec{Name: name, Label: label, Env: map[string]string{"GREETING": "hello"}}
	if err := w.client.CreateNode(w.t.Context(), spec); err != nil {
		w.t.Fatal(err)
	}
}

func (w *realWorld) ended(number int) (r jenkinstest.RunRecord) {
	w.t.Helper()
	w.until("the run has ended", func() bool {
		r, _ = w.Run(jenkins.Ref{Job: "j", Number: number})
		return !r.Started.IsZero() && !r.Building
	})
	return r
}

// A run on a real process lasts as long as its script, and ends as that does.
func TestRunAgent(t *testing.T) {
	w, dir := newRealWorld(t), t.TempDir()
	put := func(script string) {
		w.PutJob("j", jenkinstest.JobSpec{Label: func(int) string { return "l" }, Script: script})
	}
	w.node("n", "l")
	kill := w.agent("n", dir)

	put(`echo "$GREETING $JOB_NAME $BUILD_NUMBER $NODE_NAME" > out`)
	w.Trigger("j")
	if r := w.ended(1); r.Result != "SUCCESS" {
		t.Errorf("a script that ends well: %+v", r)
	}
	if out, err := os.ReadFile(filepath.Join(dir, "out")); string(out) != "hello j 1 n\n" {
		t.Errorf("the script wrote %q, %v", out, err)
	}
	put("exit 3")
	w.Trigger("j")
	if r := w.ended(2); r.Result != "FAILURE" || r.Attempts[0].CutOff {
		t.Errorf("a script that ends badly: %+v", r)
	}

	// Stopped, the script ends too.
	put("echo $$ > pid; sleep 1000")
	w.Trigger("j")
	pid := filepath.Join(dir, "pid")
	w.until("the script runs", func() bool { text, _ := os.ReadFile(pid); return len(text) > 1 })
	w.Abort(jenkins.Ref{Job: "j", Number: 3})
	if r := w.ended(3); r.Result != "ABORTED" {
		t.Errorf("a stopped script: %+v", r)
	}

	// The death of the process is seen at once: it breaks the connection on
	// which it waits for work, as it does again behind a last run.
	put("sleep 0.3")
	w.Trigger("j")
	w.ended(4)
	if err := kill(); !errors.Is(err, context.Canceled) {
		t.Errorf("the agent ended with %v", err)
	}
	killed := time.Now()
	w.until("the node is offline", func() bool { return !w.Nodes()[0].Connected })
	if took := time.Since(killed); took > 1500*time.Millisecond {
		t.Errorf("the agent's death was seen after %v", took)
	}
}

// An agent outlives an outage of the controller, and so does its script.
func TestRunAgentOutage(t *testing.T) {
	w, dir := newRealWorld(t), t.TempDir()
	w.node("n", "l")
	w.agent("n", dir)
	w.PutJob("j", jenkinstest.JobSpec{Label: func(int) string { return "l" }, Script: "touch begun; while [ ! -e go ]; do sleep 0.05; done"})
	w.Trigger("j")
	w.until("the script runs", func() bool { _, err := os.Stat(filepath.Join(dir, "begun")); return err == nil })
	w.Down(0)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.Up()
	if r := w.ended(1); r.Result != "SUCCESS" || len(r.Attempts) != 1 {
		t.Errorf("a run during an outage: %+v", r)
	}
}

// An agent ends when its node is gone, and at once with a wrong secret.
func TestRunAgentRefused(t *testing.T) {
	w := newRealWorld(t)
	w.node("n", "l")
	if err := jenkinstest.RunAgent(t.Context(), w.url, "n", "wrong", t.TempDir()); err == nil || errors.Is(err, jenkinstest.ErrNodeGone) {
		t.Errorf("with a wrong secret: %v", err)
	}
	agent := jenkinstest.Agent{URL: w.url, Name: "none", Secret: "x", Patience: time.Millisecond}
	if err := agent.Run(t.Context()); !errors.Is(err, jenkinstest.ErrNodeGone) {
		t.Errorf("without a node: %v", err)
	}
}
