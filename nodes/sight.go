package nodes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// sight gathers what the latest looks have shown of a lease.
func (r *Reconciler) sight(ctx context.Context, l *Lease) Sight {
	s := Sight{Awake: r.Now().Sub(r.began)}
	if cloud, known := r.clouds[l.Cloud]; known && l.Order != "" {
		s.Machine = cloud.machine(l, r.Timing, func(vm string) bool { return r.claimed(l.Cloud, vm) })
		if err := cloud.fault(l.VM); err != nil {
			class := ClassOf(err)
			s.Fault, s.NoRoom = err.Error(), class == NoCapacity || class == Quota
		}
	}
	s.Hold = r.held(l)
	if l.Spare() {
		s.Void = r.surplus(l)
		return s
	}
	v, known := r.controllers[l.Controller]
	if !known {
		if s.Hold == "" {
			s.Hold = fmt.Sprintf("the controller %s is not in the configuration", l.Controller)
		}
		s.Void = s.Hold
		return s
	}
	v.see(l, &s, r.readAt(l), r.Timing, r.Now())
	if l.Early() {
		s.Void = r.void(v, l)
	}
	r.askIfNeeded(ctx, v, l, &s)
	return s
}

// readAt returns when this version of the lease was read first.
func (r *Reconciler) readAt(l *Lease) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reads[l.ID].at
}

// see fills in what Jenkins has shown of the lease.
func (v *controllerView) see(l *Lease, s *Sight, read time.Time, t Timing, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.began.IsZero() || v.failed {
		return
	}
	ref := l.ref()
	s.StopLost = v.StopLost
	s.Settled = now.Sub(v.since) > t.Settle
	s.Quieting = v.quiet
	s.Fresh = v.began.After(read)
	s.Node, s.Other = v.node(l.ID, ref)
	if s.Node == NodeAbsent && !s.Fresh {
		s.Node = NodeUnknown
	}
	if l.Early() {
		return
	}
	if item, waits := v.queue[ref]; waits {
		s.Run = RunQueued
		// Seen behind the same number of an earlier life of the job whose
		// stopping never ended; such an item blocks until it is cancelled.
		s.Blocked = item.Blocked
		s.Restored = l.State == Busy && !l.Queued.IsZero() && item.Since.Equal(l.Queued)
		return
	}
	if s.Elsewhere = s.Node != NodeOurs && v.on[ref]; s.Elsewhere {
		s.Run = RunBuilding
		return
	}
	asked, known := v.runs[l.Key()]
	if !known {
		return
	}
	switch {
	case asked.missing:
		s.Run = RunMissing
	case asked.run.Started.UnixMilli() != l.Started && !asked.at.After(read):
		// Perhaps it was asked before the job was made anew.
	case asked.run.Started.UnixMilli() != l.Started:
		s.Run, s.Result = RunEnded, "its job was deleted and made anew" // the number is another life's now
	case asked.run.Building:
		s.Run = RunBuilding
	default:
		s.Run, s.Result = RunEnded, asked.run.Result
	}
}

// node returns what stands on a node, and the build if it is not ref's.
func (v *controllerView) node(name string, ref jenkins.Ref) (NodeSight, string) {
	n, there := v.nodes[name]
	if !there {
		return NodeAbsent, ""
	}
	for _, on := range n.Running {
		switch on {
		case ref:
			return NodeOurs, ""
		case jenkins.Ref{}:
			return NodeHidden, ""
		default:
			return NodeOther, on.String()
		}
	}
	switch {
	case !n.Idle:
		return NodeHidden, ""
	case n.Offline || n.TemporarilyOffline:
		return NodeOffline, ""
	}
	return NodeIdle, ""
}

// askEvery is how often Jenkins is asked about a run that shows neither in the
// queue nor on its node.
const askEvery = 3 * time.Second

// askIfNeeded asks Jenkins about a run that the queue does not show and that
// is not known to be on its node.
func (r *Reconciler) askIfNeeded(ctx context.Context, v *controllerView, l *Lease, s *Sight) {
	if l.Early() || l.State == Gone || s.Run == RunQueued || s.Run == RunEnded || s.Node == NodeUnknown && l.State != Wanted && l.State != Launching {
		return
	}
	if s.Node == NodeOurs && l.State != Ready || l.State == Releasing && !l.Refused && !l.Lost {
		return
	}
	v.mu.Lock()
	asked := v.runs[l.Key()]
	began := v.began
	v.mu.Unlock()
	if began.IsZero() || !asked.at.Before(began) || began.Sub(asked.at) < askEvery && asked.at.After(l.Since) {
		return // it was asked since the last look, or a moment ago
	}
	key, name, number := l.Key(), l.FullName, l.Number
	r.work.do(ctx, "controller "+v.name, func(ctx context.Context) {
		r.ask(ctx, v, key, jenkins.Ref{Job: name, Number: number})
	}, "ask "+l.ID)
}

// ask asks Jenkins about a run and remembers the answer.
func (r *Reconciler) ask(ctx context.Context, v *controllerView, key RunKey, ref jenkins.Ref) (jenkins.Run, error) {
	at := r.Now()
	run, err := v.Client.Run(ctx, ref)
	missing := errors.Is(err, jenkins.ErrNotFound)
	if err != nil && !missing {
		r.Metrics.failed("controller", v.name, "run")
		return run, err
	}
	v.mu.Lock()
	v.runs[key] = runView{at: at, run: run, missing: missing}
	v.mu.Unlock()
	r.wake()
	return run, err
}
