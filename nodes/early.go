package nodes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/batchctl/batchctl/catalog"
)

// dueTimes knows when each scheduled job is due next, and which times need no
// more machine.
type dueTimes struct {
	next []time.Time          // of jobIndex.timed, in its order
	done map[string]time.Time // by path
	at   time.Time            // when prepare ran last
}

// bootHistory is how long machines of a pool took to come online.
type bootHistory struct {
	at   time.Time
	lead time.Duration
}

// Lead times: what a machine took in 99 of 100 cases, and a margin for
// Jenkins and for the clock.
const (
	leadOf      = 100 // boots that are looked at
	leadMargin  = 5 * time.Second
	leadLeast   = 5 * time.Second
	leadMost    = 15 * time.Minute
	leadTooLate = 2 * time.Second // it would come too late, and by Jenkins' clock the time may be over
)

// prepare makes machines for scheduled runs ahead of their time.
func (r *Reconciler) prepare(ctx context.Context, leases []Lease) {
	now := r.Now()
	r.mu.Lock()
	if now.Sub(r.due.at) < time.Second {
		r.mu.Unlock()
		return
	}
	r.due.at = now
	jobs := r.jobs
	if len(r.due.next) != len(jobs.timed) {
		r.due.next, r.due.done = make([]time.Time, len(jobs.timed)), map[string]time.Time{}
	}
	next, done := r.due.next, r.due.done
	r.mu.Unlock()

	drained := r.Drained()
	ready := readyFor(leases)
	for i, j := range jobs.timed {
		if next[i].IsZero() || next[i].Before(now) {
			due, err := NextDue(j.Schedule, now)
			if err != nil || due.IsZero() {
				due = now.Add(24 * time.Hour) // batchctl validate has said what is wrong with it
			}
			next[i] = due
		}
		if left := next[i].Sub(now); left > leadMost || left < leadTooLate || done[j.Path].Equal(next[i]) || ready[j.Path].Equal(next[i]) {
			continue
		}
		pool, known := r.Pools[j.Node.Pool]
		_, stopped := drained[j.Node.Pool]
		if !known || !pool.Ahead || stopped || next[i].Sub(now) > r.lead(ctx, pool) {
			continue
		}
		r.prepareOne(ctx, j, next[i], leases, func() {
			r.mu.Lock()
			done[j.Path] = next[i]
			r.mu.Unlock()
		})
	}
}

// readyFor returns for which time each job has a lease that waits for its run.
func readyFor(leases []Lease) map[string]time.Time {
	ready := map[string]time.Time{}
	for i := range leases {
		if l := &leases[i]; l.Early() && l.State.Holds() && l.Due.After(ready[l.Job]) {
			ready[l.Job] = l.Due
		}
	}
	return ready
}

// prepareOne makes one early lease, once Jenkins has said what number the
// run will have.
func (r *Reconciler) prepareOne(ctx context.Context, j *catalog.Job, due time.Time, leases []Lease, done func()) {
	v, known := r.controllers[j.Controller]
	if !known {
		return
	}
	seen, known := r.job(ctx, v, j.Folder, j.FullName(), 5*time.Second)
	if !known || !seen.buildable || seen.next < 1 || seen.lastBuilding && j.Concurrency == "forbid" {
		return
	}
	key := RunKey{j.Controller, j.Path, seen.next}
	if slices.ContainsFunc(leases, func(l Lease) bool { return l.Key() == key && l.State.Holds() }) {
		return
	}
	r.work.do(ctx, "controller "+v.name, func(ctx context.Context) {
		history, err := r.Store.History(ctx, key)
		if err != nil {
			return
		}
		reason := "made ahead of " + due.UTC().Format(time.RFC3339)
		failed := 0
		for _, l := range history {
			switch {
			case !l.Due.Equal(due):
				continue
			case l.Started != 0: // its run has come
				done()
				return
			case !l.Crowded:
				failed++
			}
			reason = "made ahead again: " + l.Reason
		}
		if failed >= r.Timing.Machines {
			done()
			return
		}
		l := forJob(j, seen.next)
		l.Life, l.Due = r.life(j), due.UTC()
		if err = r.add(ctx, l, reason); err != nil && !isConflict(err) && ctx.Err() == nil {
			r.Log.Error("a machine cannot be made ahead", "job", j.Path, "error", err)
		}
	}, "early "+j.Path)
}

// job returns what Jenkins says of a job, at most age old. Where that has to
// be asked first, and asking takes time, it is not known until a later pass.
func (r *Reconciler) job(ctx context.Context, v *controllerView, folder, fullName string, age time.Duration) (seen jobSeen, known bool) {
	find := func() (jobSeen, bool) {
		v.mu.Lock()
		defer v.mu.Unlock()
		view, asked := v.folders[folder]
		if !asked || r.Now().Sub(view.at) > age {
			return jobSeen{}, false
		}
		return view.jobs[fullName], true
	}
	if seen, known = find(); known {
		return seen, seen.there
	}
	r.work.do(ctx, "controller "+v.name, func(ctx context.Context) {
		at := r.Now()
		jobs, err := v.Client.Jobs(ctx, folder)
		if err != nil {
			r.Metrics.failed("controller", v.name, "jobs")
			return
		}
		view := folderView{at: at, jobs: make(map[string]jobSeen, len(jobs))}
		for _, j := range jobs {
			view.jobs[j.Name] = jobSeen{j.Next, j.Buildable, j.LastBuilding, at, true}
		}
		v.mu.Lock()
		v.folders[folder] = view
		v.mu.Unlock()
		r.wake()
	}, "folder "+v.name+" "+folder)
	seen, known = find()
	return seen, known && seen.there
}

// void says why an early lease is of no use any more.
func (r *Reconciler) void(v *controllerView, l *Lease) string {
	j, known := r.catalogIndex().byPath[l.Job]
	switch {
	case !known:
		return "the job is not in the catalog any more"
	case j.Disabled || j.Schedule == nil:
		return "the job is not started by the clock any more"
	}
	seen, known := r.job(context.Background(), v, j.Folder, l.FullName, 15*time.Second)
	if !known {
		return ""
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, waits := v.queue[l.ref()]; waits || !v.began.After(seen.at) {
		return ""
	}
	if node, _ := v.node(l.ID, l.ref()); node == NodeOurs {
		return ""
	}
	switch {
	case seen.next < l.Number:
		return fmt.Sprintf("the job was made anew: its next run is #%d", seen.next)
	case seen.next > l.Number:
		return fmt.Sprintf("run #%d began and needs it no more", l.Number)
	case !seen.buildable:
		return "the job was disabled in Jenkins"
	}
	return ""
}

// Lead returns how long ahead of its time a machine of the pool is made now;
// false: the pool is not known, or makes none ahead.
func (r *Reconciler) Lead(ctx context.Context, pool string) (time.Duration, bool) {
	p, known := r.Pools[pool]
	if !known || !p.Ahead {
		return 0, false
	}
	return r.lead(ctx, p), true
}

// lead returns how long ahead of its time a machine of the pool is made.
func (r *Reconciler) lead(ctx context.Context, p Pool) time.Duration {
	now := r.Now()
	r.mu.Lock()
	known, has := r.boots[p.Name]
	r.mu.Unlock()
	if has && now.Sub(known.at) < time.Minute {
		return known.lead
	}
	boots, err := r.Store.Boots(ctx, p.Name, leadOf)
	if err != nil {
		return p.Lead
	}
	lead := p.Lead
	if len(boots) >= 5 {
		slices.Sort(boots)
		lead = boots[(len(boots)*99)/100] + leadMargin
	}
	lead = min(max(lead, leadLeast), leadMost)
	r.mu.Lock()
	r.boots[p.Name] = bootHistory{now, lead}
	r.mu.Unlock()
	return lead
}
