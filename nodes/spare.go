package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// takeSpare gives a run a machine that stands ready, if there is one: the
// spare's lease becomes the run's. A spare that another took is passed over.
func (r *Reconciler) takeSpare(ctx context.Context, run Lease) (taken bool, err error) {
	now := r.Now()
	need := now.Add(r.upTo(&run) - r.Timing.Wait - r.Timing.Boot)
	var fit []Lease
	for _, l := range r.Leases() {
		if l.Spare() && (l.State == Ready || l.State == Booting) && l.Pool == run.Pool && l.Need.covers(run.Need) && !l.Expires.Before(need) {
			fit = append(fit, l)
		}
	}
	slices.SortStableFunc(fit, func(a, b Lease) int { return order(b.State == Ready) - order(a.State == Ready) })
	for _, l := range fit {
		n := l
		n.Controller, n.Job, n.FullName, n.Label, n.Number = run.Controller, run.Job, run.FullName, run.Label, run.Number
		n.Started, n.Attempt, n.Team, n.Queued, n.Seen = run.Started, run.Attempt, run.Team, run.Queued, run.Seen
		n.Life, n.Hold = run.Life, run.Hold
		_, err := r.update(ctx, l, n.because(now, fmt.Sprintf("a spare, %s old, was given to the run", now.Sub(l.Created).Round(time.Second))))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, ErrConflict) {
			return false, err
		}
	}
	return false, nil
}

func order(first bool) int {
	if first {
		return 1
	}
	return 0
}

// covers reports whether a machine made for n has what m needs.
func (n Need) covers(m Need) bool {
	return n.CPU >= m.CPU && n.Memory >= m.Memory && n.Disk >= m.Disk && n.Arch == m.Arch
}

// fill adds spares to pools that have fewer than they are to keep.
func (r *Reconciler) fill(ctx context.Context, leases []Lease) {
	have := map[string]int{}
	for i := range leases {
		if leases[i].Spare() && leases[i].State.Holds() {
			have[leases[i].Pool]++
		}
	}
	drained := r.Drained()
	for _, name := range sortedKeys(r.Pools) {
		p := r.Pools[name]
		if _, stopped := drained[name]; stopped {
			continue
		}
		for range p.Spares - have[name] {
			l := Lease{Pool: name, Need: p.Spare, Life: r.catalogIndex().life[name]}
			if err := r.add(ctx, l, "to be kept as a spare"); err != nil {
				if ctx.Err() == nil {
					r.Log.Error("a spare cannot be added", "pool", name, "error", err)
				}
				return
			}
		}
	}
}

// surplus says why a spare is not to be kept.
func (r *Reconciler) surplus(l *Lease) string {
	p := r.Pools[l.Pool]
	if why, stopped := r.Drained()[l.Pool]; stopped {
		return "the pool is drained: " + why
	}
	older := 0
	for _, o := range r.Leases() {
		if o.Spare() && o.State.Holds() && o.Pool == l.Pool && (o.Created.Before(l.Created) || o.Created.Equal(l.Created) && o.ID < l.ID) {
			older++
		}
	}
	if older >= p.Spares {
		return fmt.Sprintf("the pool keeps %d spares, and older ones are there", p.Spares)
	}
	return ""
}

// held says why nothing is to be ordered for a lease now.
func (r *Reconciler) held(l *Lease) string {
	if l.State != Wanted {
		return ""
	}
	if why, stopped := r.Drained()[l.Pool]; stopped {
		return fmt.Sprintf("waits: the pool %s is drained (%s)", l.Pool, why)
	}
	return ""
}
