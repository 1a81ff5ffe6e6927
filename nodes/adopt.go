package nodes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins"
)

// jobIndex finds jobs of the catalog.
type jobIndex struct {
	byPath  map[string]*catalog.Job
	byName  map[jobName]*catalog.Job
	timed   []*catalog.Job      // those with a schedule that are not disabled, by path
	folders map[string][]string // folders with jobs, by controller, sorted
	life    map[string]int64    // the longest life limit among the jobs of a pool, seconds
}

// jobName is a job as Jenkins knows it.
type jobName struct{ controller, fullName string }

func newJobIndex(jobs []catalog.Job) *jobIndex {
	index := &jobIndex{byPath: map[string]*catalog.Job{}, byName: map[jobName]*catalog.Job{}, life: map[string]int64{}, folders: map[string][]string{}}
	for i := range jobs {
		j := &jobs[i]
		index.byPath[j.Path] = j
		index.byName[jobName{j.Controller, j.FullName()}] = j
		if j.Schedule != nil && !j.Disabled {
			index.timed = append(index.timed, j)
		}
		index.folders[j.Controller] = append(index.folders[j.Controller], j.Folder)
		index.life[j.Node.Pool] = max(index.life[j.Node.Pool], lifeOf(j)+j.Node.HoldOnFailure)
	}
	for c := range index.folders {
		slices.Sort(index.folders[c])
		index.folders[c] = slices.Compact(index.folders[c])
	}
	return index
}

// lifeOf returns how long a run of the job may be on its machine, in seconds;
// 0 when it has no limit.
func lifeOf(j *catalog.Job) int64 {
	if j.Timeout == 0 {
		return 0
	}
	return j.Timeout + int64(catalog.AfterScripts/time.Second)
}

// catalogIndex returns the jobs as they are now.
func (r *Reconciler) catalogIndex() *jobIndex {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.jobs
}

// demand is a run that was seen, and may have no lease yet.
type demand struct {
	view  *controllerView
	job   *catalog.Job
	ref   jenkins.Ref
	since time.Time // in the queue, by Jenkins' clock; zero: it is on its node already
	looks int       // the look that showed it
}

// adoptAll finds runs that have no lease: those that wait in a queue, and
// those that began on a machine that was made ahead. It goes by what the last
// pass has read; adopt asks the store.
func (r *Reconciler) adoptAll(ctx context.Context) {
	found := r.demands()
	served := map[RunKey]bool{}
	for _, l := range r.Leases() {
		if l.Started != 0 && (l.State.Holds() || l.State == Releasing && l.Refused) {
			served[l.Key()] = true
		}
	}
	for _, d := range found {
		key := RunKey{d.job.Controller, d.job.Path, d.ref.Number}
		if served[key] {
			continue
		}
		r.work.do(ctx, "controller "+d.view.name, func(ctx context.Context) {
			if err := r.adopt(ctx, d, key); err != nil && ctx.Err() == nil && !isConflict(err) {
				r.Log.Error("a waiting run cannot be given a lease yet", "run", d.ref.String(), "error", err)
			}
		}, "adopt "+d.view.name+" "+d.ref.String())
	}
}

// demands returns the runs of known jobs that the latest looks have shown to
// need a node or to be on one of an early lease, the longest waiting first.
func (r *Reconciler) demands() []demand {
	jobs := r.catalogIndex()
	early := map[string]bool{}
	for _, l := range r.Leases() {
		if l.Early() && l.State == Ready {
			early[l.ID] = true
		}
	}
	var found []demand
	for _, v := range r.controllers {
		v.mu.Lock()
		add := func(ref jenkins.Ref, since time.Time) {
			if job, known := jobs.byName[jobName{v.name, ref.Job}]; known && ref.Number > 0 {
				found = append(found, demand{view: v, job: job, ref: ref, since: since, looks: v.looks})
			}
		}
		if !v.failed {
			for ref, item := range v.queue {
				add(ref, item.Since)
			}
			for name := range early {
				for _, ref := range v.nodes[name].Running {
					add(ref, time.Time{})
				}
			}
		}
		v.mu.Unlock()
	}
	slices.SortFunc(found, func(a, b demand) int {
		if c := a.since.Compare(b.since); c != 0 {
			return c
		}
		return compareRefs(a.ref, b.ref)
	})
	return found
}

// adopt sees to it that a run has a lease. Jenkins is asked which life of the
// job the run is of, and whether it still is there: what the look has shown
// may be over by now.
func (r *Reconciler) adopt(ctx context.Context, d demand, key RunKey) error {
	run, err := r.ask(ctx, d.view, key, d.ref)
	if err != nil {
		return err
	}
	if !run.Building {
		return nil
	}
	started := run.Started.UnixMilli()
	history, err := r.Store.History(ctx, key)
	if err != nil {
		return err
	}
	past := pastOf(history, started)
	now := r.Now()
	switch {
	case past.telling:
		return nil
	case past.holding != nil && past.holding.Early():
		l := *past.holding
		l.Started, l.Attempt, l.Queued, l.Seen = started, past.attempts+1, d.since, now
		_, err := r.update(ctx, *past.holding, l.because(now, "its run has come: "+l.Reason))
		return err
	case past.holding != nil:
		return nil // of this life: served; of an earlier one: it ends first
	case d.since.IsZero():
		return nil // it is on a node that was its own and is being released
	}
	l := forJob(d.job, d.ref.Number)
	l.Life = r.life(d.job)
	l.Started, l.Attempt, l.Queued, l.Seen = started, past.attempts+1, d.since, now
	if past.failed >= r.Timing.Machines {
		l.Refused = true
		return r.add(ctx, l, fmt.Sprintf("%d machines failed before the run was on them; the last: %s", past.failed, past.last))
	}
	if !past.crowded.IsZero() && now.Sub(past.crowded) > r.Timing.Wait {
		l.Refused = true
		return r.add(ctx, l, fmt.Sprintf("no machine within %s: %s", short(r.Timing.Wait), past.last))
	}
	if taken, err := r.takeSpare(ctx, l); taken || err != nil {
		return err
	}
	reason := "the run waits for its machine"
	if l.Attempt > 1 {
		reason = fmt.Sprintf("the run waits for another machine, its %d.: %s", l.Attempt, past.last)
	}
	return r.add(ctx, l, reason)
}

// past is what the store knows of a run.
type past struct {
	holding  *Lease // stands for a run of this number now
	telling  bool   // the run is being told that it gets nothing
	attempts int    // leases of this very run
	failed   int    // of these, machines that failed before the run was on them
	last     string // why the last of them ended

	crowded time.Time // since when clouds have accepted machines and then had no room; zero: they have not
}

func pastOf(history []Lease, started int64) past {
	var p past
	for i := range history {
		l := &history[i]
		if l.State.Holds() {
			p.holding = l
		}
		if l.Started != started {
			continue
		}
		p.attempts = max(p.attempts, l.Attempt)
		p.telling = p.telling || l.Refused && l.State == Releasing
		p.last = l.Reason
		switch {
		case !l.Crowded:
			p.crowded = time.Time{}
		case p.crowded.IsZero():
			p.crowded = l.Created
		}
		if !l.Crowded && !l.State.Holds() && l.Order != "" && !l.Delivered && l.Foreign == "" {
			p.failed++
		}
	}
	return p
}

// life returns the life limit of a job's runs, in seconds.
func (r *Reconciler) life(j *catalog.Job) int64 {
	if life := lifeOf(j); life > 0 {
		return life
	}
	return int64(r.Timing.MaxLife / time.Second)
}

// add stores a new lease.
func (r *Reconciler) add(ctx context.Context, l Lease, reason string) error {
	now := r.Now()
	l.ID, l.Created = r.name("n"), now
	l = l.to(Wanted, now, reason)
	added, err := r.Store.Add(ctx, l)
	if err != nil {
		return fmt.Errorf("add a lease for %s: %w", l.Run(), err)
	}
	r.Log.Info("lease wanted", "lease", added.ID, "run", added.Run(), "reason", reason)
	r.Metrics.moved(Lease{}, added)
	r.wake()
	return nil
}

func compareRefs(a, b jenkins.Ref) int {
	if a.Job != b.Job {
		if a.Job < b.Job {
			return -1
		}
		return 1
	}
	return a.Number - b.Number
}
