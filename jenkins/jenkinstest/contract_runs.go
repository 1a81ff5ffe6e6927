package jenkinstest

import (
	"slices"
	"strings"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// fromTriggerToEnd: no number in the quiet period, a number while it waits
// for a node, its node, its end.
func fromTriggerToEnd(t *trial) {
	ctx := t.Context()
	job, label := t.job("daily job (ü)", LabJob{Seconds: 3})
	ref := jenkins.Ref{Job: job, Number: 1}
	if head := t.head(job); head != (jenkins.Job{Name: job, Next: 1, Buildable: true}) {
		t.Errorf("a new job is %+v", head)
	}
	t.Trigger(job, 4*time.Second)
	items := t.items(job)
	if len(items) != 1 || items[0].Ref != (jenkins.Ref{Job: job}) || items[0].Buildable || items[0].Blocked || items[0].ID == 0 {
		t.Errorf("in its quiet period a job waits as %+v", items)
	}
	if head := t.head(job); head.Next != 1 || !head.InQueue || head.Last != 0 {
		t.Errorf("in its quiet period a job is %+v", head)
	}
	waiting := t.queued(ref)
	if items := t.items(job); len(items) != 1 || items[0] != waiting || waiting.Blocked {
		t.Errorf("a run waits for its node as %+v", items)
	}
	run := t.state(ref)
	if !run.Building || run.Result != "" || run.Duration != 0 {
		t.Errorf("a run that waits for its node is %+v", run)
	}
	if apart := waiting.Since.Sub(run.Started); apart < 0 || apart > labLimit {
		t.Errorf("the run asked for its node %v after its start", apart)
	}
	if head := t.head(job); head != (jenkins.Job{Name: job, Next: 2, Buildable: true, Last: 1, LastBuilding: true}) {
		t.Errorf("a job whose run waits is %+v", head)
	}
	name, _ := t.online("n", label+"1")
	t.on(ref, name)
	if items := t.items(job); len(items) != 0 {
		t.Errorf("a run on its node is still in the queue: %v", items)
	}
	t.must(t.Describe(ctx, ref, "on <b>its</b> node & fine: ü"))
	end := t.ended(ref, labLimit)
	if end.Result != "SUCCESS" || end.Duration < 3*time.Second || !end.Started.Equal(run.Started) {
		t.Errorf("the run ended %+v; it started %v", end, run.Started)
	}
	t.idle(name)
	t.must(t.Stop(ctx, ref)) // of a run that has ended: nothing
	if again := t.state(ref); again != end {
		t.Errorf("stopped after its end the run is %+v, not %+v", again, end)
	}
}

// whatBuildsRan: a build keeps the Pipeline that it began with, whatever
// becomes of the job's, and its Replay page shows it.
func whatBuildsRan(t *trial) {
	ctx := t.Context()
	texts := []string{"// digest 0123456789abcdef", "// digest fedcba9876543210"}
	var job string
	for i, text := range texts {
		job, _ = t.job("job", LabJob{Comment: text})
		ref := jenkins.Ref{Job: job, Number: i + 1}
		t.Trigger(job, 0)
		t.queued(ref)
		t.must(t.Stop(ctx, ref))
		t.ended(ref, labLimit)
	}
	builds, err := t.History(ctx, job, 10)
	t.must(err)
	if len(builds) != 2 || builds[0].Number != 2 || builds[1].Number != 1 || builds[0].Building || builds[0].Result != "ABORTED" || !builds[0].Started.After(builds[1].Started) {
		t.Errorf("the builds are %+v", builds)
	}
	for i, text := range texts {
		page, err := t.ReplayPage(ctx, job, i+1)
		t.must(err)
		if !strings.Contains(string(page), text) || strings.Contains(string(page), texts[1-i]) {
			t.Errorf("build %d ran %q, and its page is\n%s", i+1, text, page)
		}
	}
	_, err = t.ReplayPage(ctx, job, 3)
	t.want("a build that is not there", err, jenkins.ErrNotFound)
}

// labels: a node takes the run whose label it has, and no other.
func labels(t *trial) {
	job, label := t.job("job", LabJob{})
	first, second := jenkins.Ref{Job: job, Number: 1}, jenkins.Ref{Job: job, Number: 2}
	t.Trigger(job, 0)
	t.queued(first)
	t.Trigger(job, 0)
	t.queued(second)
	// The newest comes first.
	if items := t.items(job); len(items) != 2 || items[0].Ref != second || items[0].ID <= items[1].ID {
		t.Errorf("the queue is %v", items)
	}
	t.online("n", label+"2")
	if run := t.ended(second, labLimit); run.Result != "SUCCESS" {
		t.Errorf("the run whose label the node has ended %+v", run)
	}
	t.queued(first)
	t.must(t.Stop(t.Context(), first))
	t.ended(first, labLimit)
}

// cancelWaiting: the end of an item is the end of its run; of a job's item,
// the end of a run that never was.
func cancelWaiting(t *trial) {
	ctx := t.Context()
	job, _ := t.job("job", LabJob{})
	ref := jenkins.Ref{Job: job, Number: 1}
	t.Trigger(job, 0)
	id := t.queued(ref).ID
	t.must(t.Cancel(ctx, id))
	if run := t.ended(ref, labLimit); run.Result != "ABORTED" {
		t.Errorf("a run whose item was cancelled ended %+v", run)
	}
	t.want("cancel it again", t.Cancel(ctx, id), jenkins.ErrNotFound)
	t.Trigger(job, time.Hour)
	items := t.items(job)
	if len(items) != 1 {
		t.Fatalf("in its quiet period a job waits as %v", items)
	}
	t.must(t.Cancel(ctx, items[0].ID))
	if head := t.head(job); head.Next != 2 || head.InQueue {
		t.Errorf("after the cancelled start the job is %+v", head)
	}
}

// cancelInRetry: a cancelled wait in a retry step is a try like another, and
// the run asks again under a new id. Only stop ends it at once.
func cancelInRetry(t *trial) {
	ctx := t.Context()
	job, _ := t.job("job", LabJob{Retries: 2})
	ref := jenkins.Ref{Job: job, Number: 1}
	t.Trigger(job, 0)
	id := t.queued(ref).ID
	t.must(t.Cancel(ctx, id))
	again := t.queued(ref)
	if again.ID == id {
		t.Errorf("item %d is there again", id)
	}
	t.must(t.Cancel(ctx, again.ID))
	if run := t.ended(ref, labLimit); run.Result != "ABORTED" {
		t.Errorf("a run whose second item was cancelled ended %+v", run)
	}
	t.Trigger(job, 0)
	second := jenkins.Ref{Job: job, Number: 2}
	t.queued(second)
	t.must(t.Stop(ctx, second))
	if run := t.ended(second, labLimit); run.Result != "ABORTED" {
		t.Errorf("a stopped run ended %+v", run)
	}
}

// stopRuns: one that waits, and one on a node, which is free then.
func stopRuns(t *trial) {
	ctx := t.Context()
	job, label := t.job("job", LabJob{Seconds: 600})
	first, second := jenkins.Ref{Job: job, Number: 1}, jenkins.Ref{Job: job, Number: 2}
	t.Trigger(job, 0)
	t.queued(first)
	t.must(t.Stop(ctx, first))
	if run := t.ended(first, labLimit); run.Result != "ABORTED" {
		t.Errorf("a run stopped in the queue ended %+v", run)
	}
	if items := t.items(job); len(items) != 0 {
		t.Errorf("a stopped run is still in the queue: %v", items)
	}
	name, _ := t.online("n", label+"2") // made ahead, for a run to come
	t.Trigger(job, 0)
	t.on(second, name)
	t.must(t.Stop(ctx, second))
	if run := t.ended(second, labLimit); run.Result != "ABORTED" {
		t.Errorf("a run stopped on its node ended %+v", run)
	}
	t.idle(name)
}

// numbers: never given twice in one life of a job, and from 1 again in the
// next.
func numbers(t *trial) {
	job, _ := t.job("job", LabJob{})
	ref := jenkins.Ref{Job: job, Number: 1}
	t.Trigger(job, 0)
	// Not Stop: it would block #1 of the job's second life, see wait.
	t.must(t.Cancel(t.Context(), t.queued(ref).ID))
	t.ended(ref, labLimit)
	started := t.state(ref).Started
	t.DeleteBuild(ref)
	t.Until("the run is deleted", labLimit, func() bool { return t.head(job).Last == 0 })
	if head := t.head(job); head.Next != 2 {
		t.Errorf("without its only run the job is %+v", head)
	}
	t.DeleteJob(job)
	if jobs, err := t.Jobs(t.Context(), t.Own("folder")); err != nil || slices.ContainsFunc(jobs, func(j jenkins.Job) bool { return j.Name == job }) {
		t.Errorf("the deleted job is in %v, %v", jobs, err)
	}
	t.job("job", LabJob{})
	if head := t.head(job); head.Next != 1 {
		t.Errorf("made again the job is %+v", head)
	}
	t.Trigger(job, time.Second)
	t.queued(ref)
	if again := t.state(ref).Started; !again.After(started) {
		t.Errorf("#1 of the second life started %v, of the first %v", again, started)
	}
	t.must(t.Stop(t.Context(), ref))
	t.ended(ref, labLimit)
}

// oneAtATime: a job that forbids concurrent runs waits without a number.
func oneAtATime(t *trial) {
	job, _ := t.job("job", LabJob{ForbidConcurrent: true})
	first, second := jenkins.Ref{Job: job, Number: 1}, jenkins.Ref{Job: job, Number: 2}
	t.Trigger(job, 0)
	t.queued(first)
	t.Trigger(job, 0)
	t.Trigger(job, 0) // merged
	var blocked []jenkins.Item
	t.Until("the second is blocked", labLimit, func() bool {
		blocked = slices.DeleteFunc(t.items(job), func(i jenkins.Item) bool { return i.Ref == first })
		return len(blocked) > 0 && blocked[0].Blocked
	})
	if len(blocked) != 1 || blocked[0].Ref != (jenkins.Ref{Job: job}) || blocked[0].Buildable {
		t.Errorf("the second start waits as %+v", blocked)
	}
	if head := t.head(job); head.Next != 2 || !head.InQueue {
		t.Errorf("the job is %+v", head)
	}
	t.must(t.Stop(t.Context(), first))
	t.ended(first, labLimit)
	t.queued(second)
	t.must(t.Stop(t.Context(), second))
	t.ended(second, labLimit)
}
