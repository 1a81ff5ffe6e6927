package nodes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// lostReason is what is said of a run that a crash of its controller has
// left building for ever.
const lostReason = "Jenkins lost this run in a crash: it is building, but waits in no queue and is on no node"

// findLost looks for runs that a crash of the controller has lost and that no
// lease stands for: they were waiting for their node while nobody was looking.
// It looks once after each start of the controller, when what is not back by
// then will not come back.
func (r *Reconciler) findLost(ctx context.Context, leases []Lease) {
	index := r.catalogIndex()
	for _, name := range sortedKeys(r.controllers) {
		v := r.controllers[name]
		v.mu.Lock()
		due := v.session != "" && !v.failed && v.searched != v.session && r.Now().Sub(v.since) > r.Timing.Settle+r.Timing.Lost
		if due {
			v.searched = v.session
		}
		v.mu.Unlock()
		if !due {
			continue
		}
		held := map[RunKey]bool{}
		for i := range leases {
			held[leases[i].Key()] = true
		}
		r.work.do(ctx, "controller "+name, func(ctx context.Context) {
			for _, folder := range index.folders[name] {
				if err := r.findLostIn(ctx, v, index, folder, held); err != nil && ctx.Err() == nil {
					r.Log.Error("lost runs cannot be looked for", "controller", name, "folder", folder, "error", err)
				}
			}
		}, "lost "+name)
	}
}

// findLostIn looks into one folder.
func (r *Reconciler) findLostIn(ctx context.Context, v *controllerView, index *jobIndex, folder string, held map[RunKey]bool) error {
	building, err := v.Client.Building(ctx, folder)
	if errors.Is(err, jenkins.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, ref := range building {
		job, known := index.byName[jobName{v.name, ref.Job}]
		if !known || held[RunKey{v.name, job.Path, ref.Number}] || v.shows(ref) {
			continue
		}
		run, err := v.Client.Run(ctx, ref)
		if err != nil {
			return err
		}
		if !run.Building || r.Now().Sub(run.Started) < r.Timing.Lost || v.shows(ref) {
			continue
		}
		if err := r.reportLost(ctx, v, ref); err != nil {
			return err
		}
	}
	return nil
}

// shows reports whether the run waits in the queue or is on a node.
func (v *controllerView) shows(ref jenkins.Ref) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, waits := v.queue[ref]; waits {
		return true
	}
	return v.on[ref]
}

// reportLost says of a run that it is lost, and stops it where that is wanted.
func (r *Reconciler) reportLost(ctx context.Context, v *controllerView, ref jenkins.Ref) error {
	r.Log.Warn("Jenkins has lost a run; stop it, and start it again", "controller", v.name, "run", ref.String(), "stopped", v.StopLost)
	r.Metrics.failed("controller", v.name, "lost run")
	err := v.Client.Describe(ctx, ref, fmt.Sprintf("%s (%s)", lostReason, r.Now().UTC().Format(time.RFC3339)))
	if err != nil && !errors.Is(err, jenkins.ErrForbidden) {
		return err
	}
	if v.StopLost {
		return v.Client.Stop(ctx, ref)
	}
	return nil
}
