package jenkinstest

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// lifeOfANode: made, offline without a cause, its secret, set offline with a
// reason, deleted, gone.
func lifeOfANode(t *trial) {
	ctx := t.Context()
	name := t.Own("a node")
	spec := jenkins.NodeSpec{Name: name, Description: "run=a/b#1 \"ü\" <b>", Label: t.Own("l"), RemoteFS: "/tmp", Env: map[string]string{"K": "V ü", "A": "B"}}
	t.must(t.CreateNode(ctx, spec))
	node, ok := t.node(name)
	if !ok || !node.Offline || node.TemporarilyOffline || node.OfflineCause != "" || !node.Idle || node.Description != spec.Description || len(node.Running) != 0 {
		t.Errorf("a new node is %+v, %v", node, ok)
	}
	err := t.CreateNode(ctx, spec)
	t.want("create it again", err, jenkins.ErrExists)
	if status(err) != http.StatusBadRequest {
		t.Errorf("a clash of names has status %d", status(err))
	}
	secret, err := t.Secret(ctx, name)
	t.must(err)
	again, err := t.Secret(ctx, name)
	t.must(err)
	if len(secret) != 64 || secret != again {
		t.Errorf("the secret has %d digits, and is the same when read again: %v", len(secret), secret == again)
	}
	for range 2 { // a repeated request must not undo the first
		t.must(t.SetOffline(ctx, name, "it goes: 100 % & more"))
		if node, _ := t.node(name); !node.Offline || !node.TemporarilyOffline || node.OfflineCause != "it goes: 100 % & more" {
			t.Errorf("a node set offline is %+v", node)
		}
	}
	t.must(t.DeleteNode(ctx, name))
	if _, ok := t.node(name); ok {
		t.Error("a deleted idle node is still there")
	}
	t.want("delete it again", t.DeleteNode(ctx, name), jenkins.ErrNotFound)
}

// badNodes: names that Jenkins does not take.
func badNodes(t *trial) {
	ctx := t.Context()
	for name, want := range map[string]int{t.Own("x") + "?": http.StatusBadRequest, t.Own("x") + ".": http.StatusBadRequest, t.Own(strings.Repeat("x", 300)): http.StatusInternalServerError} {
		if err := t.CreateNode(ctx, jenkins.NodeSpec{Name: name, Label: "x", RemoteFS: "/tmp"}); status(err) != want || errors.Is(err, jenkins.ErrExists) {
			t.Errorf("create %.40q…: %v, want status %d", name, err, want)
		}
	}
	// These never leave the client: a server would take them for other paths.
	for _, name := range []string{"", ".", "..", "a/b"} {
		if err := t.CreateNode(ctx, jenkins.NodeSpec{Name: name, Label: "x", RemoteFS: "/tmp"}); err == nil || status(err) != 0 {
			t.Errorf("create %q: %v", name, err)
		}
		if err := t.DeleteNode(ctx, name); err == nil || status(err) != 0 {
			t.Errorf("delete %q: %v", name, err)
		}
	}
}

// offlineNode: a node that is set offline keeps its run and takes no other.
func offlineNode(t *trial) {
	ctx := t.Context()
	busy, busyLabel := t.job("busy", LabJob{Seconds: 8})
	other, otherLabel := t.job("other", LabJob{})
	ref := jenkins.Ref{Job: busy, Number: 1}
	name, _ := t.online("n", busyLabel+"1 "+otherLabel+"1")
	t.Trigger(busy, 0)
	t.on(ref, name)
	t.must(t.SetOffline(ctx, name, "it goes"))
	if node, _ := t.node(name); !node.Offline || node.Idle || len(node.Running) != 1 || node.Running[0] != ref {
		t.Errorf("a node set offline under its run is %+v", node)
	}
	if run := t.ended(ref, labLimit); run.Result != "SUCCESS" {
		t.Errorf("a run on a node set offline ended %+v", run)
	}
	t.Trigger(other, 0)
	t.queued(jenkins.Ref{Job: other, Number: 1})
	// A run that came later starts elsewhere: Jenkins has looked at the queue.
	last, lastLabel := t.job("last", LabJob{})
	t.online("m", lastLabel+"1")
	t.Trigger(last, 0)
	t.Until("the last run is there", labLimit, func() bool { return t.head(last).Last == 1 })
	t.ended(jenkins.Ref{Job: last, Number: 1}, labLimit)
	if items := t.items(other); len(items) != 1 {
		t.Errorf("a node set offline took a new run; in the queue are %v", items)
	}
	t.must(t.Stop(ctx, jenkins.Ref{Job: other, Number: 1}))
	t.ended(jenkins.Ref{Job: other, Number: 1}, labLimit)
}

// sealed: a node whose label was taken keeps its run, and no other finds it.
func sealed(t *trial) {
	ctx := t.Context()
	job, label := t.job("job", LabJob{Seconds: 8})
	thief, _ := t.job("thief", LabJob{})
	t.PutJob(thief, LabJob{Label: label, Seconds: 3}) // its runs ask for the same labels
	ref, theirs := jenkins.Ref{Job: job, Number: 1}, jenkins.Ref{Job: thief, Number: 1}
	name, _ := t.online("n", label+"1")
	t.Trigger(job, 0)
	t.on(ref, name)
	for range 2 {
		t.must(t.Seal(ctx, name, label+"1"))
	}
	t.Trigger(thief, 0)
	t.queued(theirs)
	if run := t.ended(ref, labLimit); run.Result != "SUCCESS" {
		t.Errorf("a run on a sealed node ended %+v", run)
	}
	t.idle(name)
	t.queued(theirs) // still: the idle node is not found
	second, _ := t.online("m", label+"1")
	t.on(theirs, second)
	t.ended(theirs, labLimit)
	t.want("seal no node", t.Seal(ctx, t.Own("nowhere"), label), jenkins.ErrNotFound)
}

// zombie: a node that is deleted under its run stays listed, until a second
// delete where the controller allows it, or else the end of the run.
func zombie(t *trial) {
	ctx := t.Context()
	job, label := t.job("job", LabJob{Seconds: 600})
	ref := jenkins.Ref{Job: job, Number: 1}
	name, disconnect := t.online("n", label+"1")
	t.Trigger(job, 0)
	t.on(ref, name)
	t.Begun(ref)
	t.must(t.DeleteNode(ctx, name))
	node, ok := t.node(name)
	if !ok || !node.Offline || node.Idle || len(node.Running) != 1 || node.Running[0] != ref {
		t.Errorf("a node deleted under its run is %+v, %v", node, ok)
	}
	// Whether its secret can still be read depends on the controller's
	// authorization.
	disconnect() // else its agent comes and goes 20 times a second
	err := t.DeleteNode(ctx, name)
	_, ok = t.node(name)
	switch {
	case err == nil && ok:
		t.Error("a second delete did not take away what is left of the node")
	case err != nil && (status(err) != http.StatusInternalServerError || !ok):
		t.Errorf("a second delete: %v; the node is still there: %v", err, ok)
	}
	if run := t.state(ref); !run.Building {
		t.Errorf("the run of a deleted node is %+v", run)
	}
	t.must(t.Stop(ctx, ref))
	if run := t.ended(ref, labLimit); run.Result != "ABORTED" {
		t.Errorf("the stopped run of a deleted node ended %+v", run)
	}
	t.Until("what is left of the node goes", labLimit, func() bool {
		_, ok := t.node(name)
		return !ok
	})
}

// agentsInAndOut: a wrong secret, a second agent, the death of an agent, and
// another that takes its place in time.
func agentsInAndOut(t *trial) {
	job, label := t.job("job", LabJob{Seconds: 15})
	ref := jenkins.Ref{Job: job, Number: 1}
	name, secret := t.create("n", label+"1")
	t.Refused(name, strings.Repeat("0", 64))
	t.Refused(t.Own("no node"), secret)
	disconnect := t.Connect(name, secret)
	t.Trigger(job, 0)
	t.on(ref, name)
	t.Begun(ref)
	t.Refused(name, secret)
	disconnect()
	t.Until("the node of a dead agent is offline", labLimit, func() bool {
		node, _ := t.node(name)
		return node.Offline
	})
	if node, _ := t.node(name); node.TemporarilyOffline || node.OfflineCause == "" || len(node.Running) != 1 || node.Running[0] != ref {
		t.Errorf("the node of a dead agent is %+v", node)
	}
	t.Connect(name, secret)
	if run := t.ended(ref, labLimit); run.Result != "SUCCESS" {
		t.Errorf("a run whose agent was replaced ended %+v", run)
	}
	t.must(t.DeleteNode(t.Context(), name))
}

// triedAgain: a run in a retry step whose node is lost asks for the same
// label once more, and its second node may have it.
func triedAgain(t *trial) {
	job, label := t.job("job", LabJob{Seconds: 600, Retries: 2})
	ref := jenkins.Ref{Job: job, Number: 1}
	name, disconnect := t.online("first", label+"1")
	t.Trigger(job, 0)
	t.on(ref, name)
	t.Begun(ref)
	disconnect()
	t.must(t.DeleteNode(t.Context(), name))
	if items := t.items(job); len(items) != 0 {
		t.Errorf("a run asks again at once: %v", items)
	}
	t.Until("the run asks again", LostWait+labLimit, func() bool { return len(t.items(job)) == 1 })
	if item := t.items(job)[0]; item.Ref != ref || !item.Buildable {
		t.Errorf("the second attempt waits as %+v", item)
	}
	second, _ := t.online("second", label+"1")
	t.on(ref, second)
	t.must(t.Stop(t.Context(), ref))
	if run := t.ended(ref, labLimit); run.Result != "ABORTED" || run.Duration < LostWait-10*time.Second {
		t.Errorf("the run ended %+v", run)
	}
}
