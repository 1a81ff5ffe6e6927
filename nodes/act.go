package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/jenkins"
)

// act has one effect on Jenkins, and stores that it was had.
func (r *Reconciler) act(ctx context.Context, l Lease, action Action) {
	v, known := r.controllers[l.Controller]
	if !known || !r.rested(l.ID+" "+string(action)) {
		return
	}
	r.work.do(ctx, "controller "+v.name, func(ctx context.Context) {
		err := r.effect(ctx, v, l, action)
		if err == nil || ctx.Err() != nil {
			return
		}
		r.Metrics.failed("controller", v.name, string(action))
		r.hurry(l.ID + " " + string(action))
		r.Log.Error("Jenkins does not do what the lease needs; it is tried again", "lease", l.ID, "run", l.Run(), "action", string(action), "error", err)
		if !errors.Is(err, jenkins.ErrUnavailable) {
			_, _ = r.update(ctx, l, l.because(r.Now(), err.Error()).unless(l))
		}
	}, l.ID)
}

func (r *Reconciler) effect(ctx context.Context, v *controllerView, l Lease, action Action) error {
	ref := l.ref()
	switch action {
	case MakeNode:
		err := v.Client.CreateNode(ctx, jenkins.NodeSpec{Name: l.ID, Description: r.describe(&l), Label: l.Label, RemoteFS: "agent"})
		if err != nil && !errors.Is(err, jenkins.ErrExists) {
			return err
		}
		return r.mark(ctx, l, func(l *Lease) { l.NodeMade = r.Now() })
	case Seal:
		return r.seal(ctx, v, l)
	case TakeOffline:
		err := v.Client.SetOffline(ctx, l.ID, "batchctl provisioner: "+l.Reason)
		if err != nil && !errors.Is(err, jenkins.ErrNotFound) {
			return err
		}
		return r.mark(ctx, l, func(l *Lease) { l.OfflineAt = r.Now() })
	case DeleteNode:
		if err := ignoreMissing(v.Client.DeleteNode(ctx, l.ID)); err != nil || !l.Deleted.IsZero() {
			return err
		}
		return r.mark(ctx, l, func(l *Lease) { l.Deleted = r.Now() })
	case StopRun:
		return ignoreMissing(v.Client.Stop(ctx, ref))
	case TellRun:
		return r.tell(ctx, v, &l, ref)
	}
	panic("nodes: no effect is known for the action " + string(action))
}

// seal takes the label from the node of a run that is on it, so that neither
// another attempt nor a run of another life of the job finds this machine
// while the run's end has not been seen. Where that is not permitted the node
// is taken offline once the run has left, which is a look later.
func (r *Reconciler) seal(ctx context.Context, v *controllerView, l Lease) error {
	err := v.Client.Seal(ctx, l.ID, l.Label)
	if errors.Is(err, jenkins.ErrForbidden) {
		v.forbids.Do(func() {
			r.Log.Warn("nodes keep their labels while their run is on them, and a crash of Jenkins can start a program twice: grant Agent/Configure to the provisioner's user", "controller", v.name, "error", err)
		})
	} else if err != nil {
		return ignoreMissing(err)
	}
	return r.mark(ctx, l, func(l *Lease) { l.Sealed = r.Now() })
}

// mark stores that an effect was had. What was had stays so when the lease
// has changed meanwhile: then its newest version gets the mark.
func (r *Reconciler) mark(ctx context.Context, l Lease, set func(*Lease)) error {
	for range 5 {
		n := l
		set(&n)
		_, err := r.update(ctx, l, n)
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if l, err = r.Store.Lease(ctx, l.ID); err != nil {
			return err
		}
	}
	return nil // the effect is had again by a later pass
}

// tell says to a run that it gets no machine: the reason into its
// description, where that is permitted, then what it waits for is cancelled,
// and then the run is stopped, as one that retries would only ask again.
func (r *Reconciler) tell(ctx context.Context, v *controllerView, l *Lease, ref jenkins.Ref) error {
	v.mu.Lock()
	item, waits := v.queue[ref]
	v.mu.Unlock()
	if !waits {
		return nil
	}
	if err := v.Client.Describe(ctx, ref, "No machine for this run: "+l.Reason); err != nil && !errors.Is(err, jenkins.ErrForbidden) {
		return err
	}
	if err := ignoreMissing(v.Client.Cancel(ctx, item.ID)); err != nil {
		return err
	}
	return ignoreMissing(v.Client.Stop(ctx, ref))
}

// describe is the text of a lease's node in Jenkins. It bears the owner and
// the order, by which a node is known again that no lease has.
func (r *Reconciler) describe(l *Lease) string {
	return fmt.Sprintf("%sfor %s; order %s", r.nodeMark(), l.Run(), l.Order)
}

// nodeMark begins the description of every node that this owner makes.
func (r *Reconciler) nodeMark() string { return "made by provisioner " + r.Owner + " " }

func ignoreMissing(err error) error {
	if errors.Is(err, jenkins.ErrNotFound) {
		return nil
	}
	return err
}

// destroyGroups gathers the machines that are to end, by cloud.
type destroyGroups map[string][]string

func (g *destroyGroups) add(l Lease) {
	if *g == nil {
		*g = destroyGroups{}
	}
	(*g)[l.Cloud] = append((*g)[l.Cloud], l.VM)
}

// destroy ends machines, all of one cloud in one call.
func (r *Reconciler) destroy(ctx context.Context, g destroyGroups) {
	for _, name := range sortedKeys(g) {
		cloud, known := r.clouds[name]
		if !known {
			r.Log.Error("machines stand in a cloud that is not in the configuration; put it back", "cloud", name, "machines", g[name])
			continue
		}
		slices.Sort(g[name])
		// Two calls may end the same machine; none waits for another.
		r.work.do(ctx, "cloud "+name, func(ctx context.Context) {
			began := r.Now()
			if err := cloud.driver.Destroy(ctx, g[name]...); err != nil && ctx.Err() == nil {
				r.Metrics.failed("cloud", name, "destroy")
				r.Log.Error("machines could not be destroyed; it is tried again", "cloud", name, "machines", g[name], "error", err)
			}
			r.Log.Debug("destroyed", "cloud", name, "machines", g[name], "took", r.Now().Sub(began))
		}, fmt.Sprintf("destroy %s %v", name, g[name]))
	}
}

// sweep takes away what no lease has: machines with our tag and nodes with
// our mark, when they have been without a lease for long enough. A machine
// whose order stands on a node with a build is left alone until that has
// ended: a build is never cut off, even when the store was lost.
func (r *Reconciler) sweep(ctx context.Context, leases []Lease) {
	live, launching := map[string]bool{}, map[string]bool{}
	for i := range leases {
		l := &leases[i]
		live[l.ID] = true
		if l.State == Launching && l.Order != "" {
			launching[l.Order] = true
		}
	}
	seen := map[string]bool{}
	blocked := false
	busy := map[string]bool{}
	for _, name := range sortedKeys(r.controllers) {
		b, known := r.sweepNodes(ctx, r.controllers[name], live, seen)
		blocked = blocked || !known
		for order := range b {
			busy[order] = true
		}
	}
	ends := destroyGroups{}
	for _, name := range sortedKeys(r.clouds) {
		v := r.clouds[name]
		v.mu.Lock()
		for _, id := range sortedKeys(v.vms) {
			vm := v.vms[id]
			if r.claimed(name, id) || launching[vm.Order] || vm.State == VMEnding && vm.Order == "" {
				continue
			}
			key := "vm " + name + "/" + id
			seen[key] = true
			if !r.old(key) || blocked || busy[vm.Order] || !r.rested(key) {
				continue
			}
			r.Log.Warn("a machine of ours has no lease; it is destroyed", "cloud", name, "machine", id, "order", vm.Order)
			r.Metrics.orphan("machine")
			ends[name] = append(ends[name], id)
		}
		v.mu.Unlock()
	}
	r.mu.Lock()
	for key := range r.strange {
		if !seen[key] {
			delete(r.strange, key)
			delete(r.pauses, key)
		}
	}
	r.mu.Unlock()
	r.destroy(ctx, ends)
}

// sweepNodes takes away a controller's nodes that bear our mark and have no
// lease. It returns the orders of those that have a build, and false when
// the controller's nodes are not known.
func (r *Reconciler) sweepNodes(ctx context.Context, v *controllerView, live, seen map[string]bool) (map[string]bool, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.began.IsZero() || v.failed {
		return nil, false
	}
	busy := map[string]bool{}
	for _, name := range sortedKeys(v.nodes) {
		n := v.nodes[name]
		order, ours := r.orderOf(n.Description)
		if !ours || live[name] {
			continue
		}
		key := "node " + v.name + "/" + name
		seen[key] = true
		if !n.Idle || len(n.Running) > 0 {
			busy[order] = true
			continue
		}
		if !r.old(key) || !r.rested(key) {
			continue
		}
		offline := n.TemporarilyOffline
		r.Log.Warn("a node of ours has no lease; it is deleted", "controller", v.name, "node", name)
		r.Metrics.orphan("node")
		r.work.do(ctx, "controller "+v.name, func(ctx context.Context) {
			// Offline first, and deleted by a later look: nothing may begin on
			// it between that look and its end.
			err := v.Client.SetOffline(ctx, name, "batchctl provisioner: no lease has this node")
			if offline && err == nil {
				err = v.Client.DeleteNode(ctx, name)
			}
			if ignoreMissing(err) != nil && ctx.Err() == nil {
				r.Log.Error("the node could not be taken away", "controller", v.name, "node", name, "error", err)
			}
		}, key)
	}
	return busy, true
}

// old reports whether something without a lease has been seen for longer than
// its grace.
func (r *Reconciler) old(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	since, known := r.strange[key]
	if !known {
		since = r.Now()
		r.strange[key] = since
	}
	return r.Now().Sub(since) > r.Timing.Orphan
}

// claimed reports whether a lease has the machine.
func (r *Reconciler) claimed(cloud, vm string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, has := r.byVM[cloud+"/"+vm]
	return has
}

// orderOf returns the order that a node's description names, and whether this
// owner made the node.
func (r *Reconciler) orderOf(description string) (string, bool) {
	if !strings.HasPrefix(description, r.nodeMark()) {
		return "", false
	}
	_, order, _ := strings.Cut(description, "; order ")
	return order, true
}
