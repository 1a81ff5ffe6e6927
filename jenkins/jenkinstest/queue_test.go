package jenkinstest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// Somebody else's job may ask for a label: it takes the node, as the run that
// stands on it shows.
func TestForeign(t *testing.T) {
	w := newWorld(t)
	w.job("ours", jenkinstest.JobSpec{Duration: fixed(time.Minute)})
	thief := w.StartForeign("l-1", time.Minute)
	if q := w.look().Queue; len(q) != 1 || q[0].Ref != (jenkins.Ref{Job: thief.Job}) || !q[0].Buildable {
		t.Errorf("a freestyle job waits for its node as %+v", q)
	}
	w.node("n", "l-1")
	w.Server.Trigger("ours")
	w.pass(time.Second)
	if n := w.look().Nodes[1]; len(n.Running) != 1 || n.Running[0] != thief {
		t.Errorf("on the node is %+v", n)
	}
	w.pass(2 * time.Minute)
	w.want("ours, behind it", w.record("ours", 1), "SUCCESS", 1, false, 2*time.Minute)
}

// Nothing starts while the controller quiets down, and all starts after.
func TestQuiet(t *testing.T) {
	w := newWorld(t)
	w.job("j", jenkinstest.JobSpec{Duration: fixed(time.Minute)})
	w.node("n", "l-1")
	w.Server.Quiet(true)
	w.Server.Trigger("j")
	w.pass(time.Minute)
	if look := w.look(); !look.QuietingDown || len(look.Queue) != 1 || !look.Queue[0].Buildable || look.Queue[0].Ref.Number != 0 {
		t.Errorf("quieting down: %+v", look)
	}
	w.Server.Quiet(false)
	if look := w.look(); look.QuietingDown || len(look.Queue) != 0 || len(look.Nodes[1].Running) != 1 {
		t.Errorf("quiet no more: %+v", look)
	}
}

// Numbers are given at the start, so quiet periods of 6, 3 and 0 s get them
// in the opposite order; what waits already is not queued again.
func TestQuietPeriods(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"six", "three", "zero"} {
		w.job(name, jenkinstest.JobSpec{})
	}
	six, three, zero := w.TriggerIn("six", 6*time.Second), w.TriggerIn("three", 3*time.Second), w.TriggerIn("zero", 0)
	if again := w.TriggerIn("six", 6*time.Second); again != six || three == zero {
		t.Errorf("a second trigger got item %d, the first %d", again, six)
	}
	w.pass(time.Minute)
	var order []string
	for _, r := range w.Runs() {
		order = append(order, r.Ref.String())
	}
	if got := strings.Join(order, " "); got != "zero#1 three#1 six#1" {
		t.Errorf("they started as %s", got)
	}
	w.TriggerIn("six", time.Hour)
	w.TriggerIn("six", 0)
	if r := w.record("six", 2); !r.Building {
		t.Errorf("a trigger without delay does not end the wait: %+v", r)
	}
}

// A run that was stopped in the queue blocks its namesake in the job's next
// life, until the controller is restarted.
func TestStoppedNamesake(t *testing.T) {
	w := newWorld(t)
	w.job("j", jenkinstest.JobSpec{})
	w.Server.Trigger("j")
	w.Abort(jenkins.Ref{Job: "j", Number: 1})
	w.pass(time.Second)
	w.Server.DeleteJob("j")
	w.job("j", jenkinstest.JobSpec{})
	w.node("n", "l-1")
	w.Server.Trigger("j")
	w.pass(time.Hour)
	if q := w.look().Queue; len(q) != 1 || !q[0].Blocked || q[0].Buildable || q[0].Ref.Number != 1 {
		t.Errorf("the namesake waits as %+v", q)
	}
	w.Restart()
	w.pass(time.Hour)
	if r := w.Runs()[1]; r.Result != "SUCCESS" || r.Life == w.Runs()[0].Life {
		t.Errorf("after a restart the namesake is %+v", r)
	}
}

// An item that has left is known for five minutes, as cancelItem's answers
// show.
func TestLeftItems(t *testing.T) {
	w := newWorld(t)
	w.job("j", jenkinstest.JobSpec{})
	w.Server.Trigger("j")
	id := w.look().Queue[0].ID
	w.Server.Cancel(id)
	for _, want := range []int{500, 404} {
		var e *jenkins.Error
		if err := w.client.Cancel(t.Context(), id); !errors.Is(err, jenkins.ErrNotFound) || !errors.As(err, &e) || e.Status != want {
			t.Errorf("cancelled again: %v, want %d", err, want)
		}
		w.pass(jenkinstest.LeftFor)
	}
}
