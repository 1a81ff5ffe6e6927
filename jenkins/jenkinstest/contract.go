package jenkinstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// A Lab is a Jenkins that TestController tries out. Everything in it is the
// suite's, and goes when the test ends.
type Lab interface {
	// Config reaches the Jenkins as a user with ProvisionerPermissions and
	// RunReplay.
	Config() jenkins.Config
	// Own returns a name that is the suite's own, for a folder or a node.
	Own(base string) string
	// PutJob makes or changes a job; its folder is a name of Own.
	PutJob(fullName string, job LabJob)
	DeleteJob(fullName string)
	DeleteBuild(ref jenkins.Ref)
	// Trigger puts a job into the queue, to start after a quiet period.
	Trigger(fullName string, quiet time.Duration)
	// Begun waits until the script of a run that is on a node has begun. A node
	// that is lost before is no node lost under a run: its step fails at once.
	Begun(ref jenkins.Ref)
	// Connect starts an agent for a node; disconnect kills it.
	Connect(node, secret string) (disconnect func())
	// Refused starts an agent that Jenkins does not let in, and returns when
	// that is certain.
	Refused(node, secret string)
	// Until returns when done says so, and fails the test after limit.
	Until(what string, limit time.Duration, done func() bool)
}

// A LabJob is a Pipeline with one node step, whose label is Label and the
// run's number.
type LabJob struct {
	Label            string
	Seconds          int    // that a run takes on its node
	Comment          string // the first line of its Pipeline
	Retries          int    // as in JobSpec
	ForbidConcurrent bool
}

// LabLimit is the time within which a Jenkins does what it does at once.
const labLimit = time.Minute

// TestController is the contract of a controller with package jenkins. open
// gives each part of it a Lab of its own.
func TestController(t *testing.T, open func(testing.TB) Lab) {
	for name, part := range map[string]func(*trial){
		"who we are": whoWeAre, "what is not there": whatIsNotThere, "life of a node": lifeOfANode, "bad nodes": badNodes,
		"from trigger to end": fromTriggerToEnd, "labels": labels, "offline": offlineNode, "cancel": cancelWaiting, "cancel in retry": cancelInRetry,
		"stop": stopRuns, "zombie": zombie, "numbers": numbers, "one at a time": oneAtATime, "agents": agentsInAndOut, "seal": sealed, "lost node, tried again": triedAgain,
		"what builds ran": whatBuildsRan,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := open(t)
			client, err := jenkins.New(lab.Config())
			if err != nil {
				t.Fatal(err)
			}
			part(&trial{TB: t, Lab: lab, Client: client})
		})
	}
}

// A trial is one part of the contract.
type trial struct {
	testing.TB
	Lab
	*jenkins.Client
}

// must fails the trial at an error.
func (t *trial) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails the trial where an error is not the expected one.
func (t *trial) want(what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (t *trial) look() jenkins.Look {
	t.Helper()
	look, err := t.Look(t.Context())
	t.must(err)
	return look
}

// items returns the queue's items of a job and its runs.
func (t *trial) items(job string) []jenkins.Item {
	t.Helper()
	return slices.DeleteFunc(t.look().Queue, func(i jenkins.Item) bool { return i.Ref.Job != job })
}

// queued waits until a run waits for its node, and returns its item.
func (t *trial) queued(ref jenkins.Ref) (found jenkins.Item) {
	t.Helper()
	t.Until(fmt.Sprintf("%s is in the queue", ref), labLimit, func() bool {
		for _, item := range t.items(ref.Job) {
			if item.Ref == ref && item.Buildable {
				found = item
				return true
			}
		}
		return false
	})
	return found
}

// node returns a node of the controller.
func (t *trial) node(name string) (jenkins.Node, bool) {
	t.Helper()
	nodes := t.look().Nodes
	if i := slices.IndexFunc(nodes, func(n jenkins.Node) bool { return n.Name == name }); i >= 0 {
		return nodes[i], true
	}
	return jenkins.Node{}, false
}

// create makes a node with a label, and returns its name and secret.
func (t *trial) create(base, label string) (name, secret string) {
	t.Helper()
	name = t.Own(base)
	t.must(t.CreateNode(t.Context(), jenkins.NodeSpec{Name: name, Description: "made by a test of batchctl, which deletes it", Label: label, RemoteFS: "/tmp"}))
	secret, err := t.Secret(t.Context(), name)
	t.must(err)
	return name, secret
}

// online makes a node with a connected agent.
func (t *trial) online(base, label string) (name string, disconnect func()) {
	t.Helper()
	name, secret := t.create(base, label)
	disconnect = t.Connect(name, secret)
	t.Until(name+" is online", labLimit, func() bool {
		node, _ := t.node(name)
		return node.Name != "" && !node.Offline
	})
	return name, disconnect
}

// on waits until a run is on a node.
func (t *trial) on(ref jenkins.Ref, name string) {
	t.Helper()
	t.Until(fmt.Sprintf("%s is on %s", ref, name), labLimit, func() bool {
		node, _ := t.node(name)
		return slices.Contains(node.Running, ref)
	})
}

// idle waits until a node that is online is free.
func (t *trial) idle(name string) {
	t.Helper()
	t.Until(name+" is idle", labLimit, func() bool {
		node, _ := t.node(name)
		return node.Idle && !node.Offline && len(node.Running) == 0
	})
}

// ended waits for a run's end.
func (t *trial) ended(ref jenkins.Ref, limit time.Duration) (run jenkins.Run) {
	t.Helper()
	t.Until(fmt.Sprintf("%s has ended", ref), limit, func() bool {
		run = t.state(ref)
		return !run.Building
	})
	return run
}

func (t *trial) state(ref jenkins.Ref) jenkins.Run {
	t.Helper()
	run, err := t.Run(t.Context(), ref)
	t.must(err)
	return run
}

// job makes a job in the trial's folder, and returns its name and label.
func (t *trial) job(name string, job LabJob) (fullName, label string) {
	t.Helper()
	fullName = t.Own("folder") + "/" + name
	job.Label = t.Own("label") + "-" + fmt.Sprintf("%x", name) + "-"
	t.PutJob(fullName, job)
	return fullName, job.Label
}

// status returns the HTTP status of an error, 0 for no *jenkins.Error.
func status(err error) int {
	var e *jenkins.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// head returns what a folder's list says of a job.
func (t *trial) head(fullName string) jenkins.Job {
	t.Helper()
	jobs, err := t.Jobs(t.Context(), t.Own("folder"))
	t.must(err)
	i := slices.IndexFunc(jobs, func(j jenkins.Job) bool { return j.Name == fullName })
	if i < 0 {
		t.Fatalf("%s is not in the list of its folder: %v", fullName, jobs)
	}
	return jobs[i]
}

// whoWeAre: a user, nobody, and one with a wrong token.
func whoWeAre(t *trial) {
	config := t.Config()
	name, err := t.Whoami(t.Context())
	t.must(err)
	if name != config.User {
		t.Errorf("we are %q, not %q", name, config.User)
	}
	wrong, nobody := config, config
	wrong.Token = "11" + fmt.Sprintf("%032x", 42)
	nobody.User, nobody.Token = "", ""
	client, err := jenkins.New(wrong)
	t.must(err)
	_, err = client.Whoami(t.Context())
	t.want("a wrong token", err, jenkins.ErrUnauthorized)
	_, err = client.Look(t.Context())
	t.want("a look with a wrong token", err, jenkins.ErrUnauthorized)
	client, err = jenkins.New(nobody)
	t.must(err)
	if name, err := client.Whoami(t.Context()); name != jenkins.Anonymous {
		t.Errorf("without a user we are %q, %v", name, err)
	}
	_, err = client.Look(t.Context())
	t.want("a look of nobody", err, jenkins.ErrForbidden)
	if look := t.look(); look.Session == "" || look.Version == "" || look.QuietingDown {
		t.Errorf("the controller is in session %q, version %q, quieting down: %v", look.Session, look.Version, look.QuietingDown)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = t.Look(gone)
	t.want("a look without a caller", err, context.Canceled)
}

// whatIsNotThere is told as such, behind 20 to 90 kB of HTML.
func whatIsNotThere(t *trial) {
	ctx := t.Context()
	job, _ := t.job("here", LabJob{})
	nowhere := t.Own("nowhere")
	run := jenkins.Ref{Job: job, Number: 1}
	_, err := t.Run(ctx, run)
	t.want("a run to come", err, jenkins.ErrNotFound)
	_, err = t.Run(ctx, jenkins.Ref{Job: nowhere, Number: 1})
	t.want("a run of no job", err, jenkins.ErrNotFound)
	_, err = t.Jobs(ctx, nowhere)
	t.want("jobs of no folder", err, jenkins.ErrNotFound)
	_, err = t.Jobs(ctx, job)
	t.want("jobs of a job", err, jenkins.ErrGarbage)
	_, err = t.Secret(ctx, nowhere)
	t.want("the secret of no node", err, jenkins.ErrNotFound)
	t.want("set no node offline", t.SetOffline(ctx, nowhere, "x"), jenkins.ErrNotFound)
	t.want("delete no node", t.DeleteNode(ctx, nowhere), jenkins.ErrNotFound)
	t.want("cancel no item", t.Cancel(ctx, 1<<40), jenkins.ErrNotFound)
	t.want("stop no run", t.Stop(ctx, run), jenkins.ErrNotFound)
	t.want("describe no run", t.Describe(ctx, run, "x"), jenkins.ErrNotFound)
}
