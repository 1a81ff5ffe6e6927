package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// orderGroups gathers what a pass wants from the clouds.
type orderGroups struct {
	repeat map[string][]Lease // by order
	fresh  []Lease            // in the order in which they came
}

func (g *orderGroups) add(l Lease) {
	if l.Order == "" {
		g.fresh = append(g.fresh, l)
		return
	}
	if g.repeat == nil {
		g.repeat = map[string][]Lease{}
	}
	g.repeat[l.Order] = append(g.repeat[l.Order], l)
}

// groupKey is what leases must have in common to go out as one order. The
// machines of an order share the token in their user data, so they are of one
// team.
type groupKey struct {
	place Place
	need  Need
	team  string
}

func (k groupKey) String() string {
	return "group " + k.place.Name + " " + k.need.String() + " " + k.team
}

// place sends orders: again those whose outcome is not known, and new ones
// for leases that have none. Leases that want the same go out together, and
// while an order of their kind is under way the next ones gather.
func (r *Reconciler) place(ctx context.Context, g orderGroups) {
	for _, id := range sortedKeys(g.repeat) {
		leases := g.repeat[id]
		r.work.do(ctx, "cloud "+leases[0].Cloud, func(ctx context.Context) {
			o, err := r.Store.Order(ctx, id)
			if err != nil {
				r.Log.Error("an order cannot be read", "order", id, "error", err)
				return
			}
			r.send(ctx, o, leases)
		}, append(ids(leases), "order "+id)...)
	}
	groups := map[groupKey][]Lease{}
	var keys []groupKey
	for _, l := range g.fresh {
		p, ok := r.choose(ctx, l)
		if !ok {
			continue
		}
		key := groupKey{p, l.Need, l.Team}
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], l)
	}
	for _, key := range keys {
		most := r.Clouds[key.place.Cloud].Batch
		if most <= 0 {
			most = len(groups[key])
		}
		part := 0
		for leases := range slices.Chunk(groups[key], most) {
			r.work.do(ctx, "cloud "+key.place.Cloud, func(ctx context.Context) { r.order(ctx, key, leases) },
				append(ids(leases), fmt.Sprintf("%s part %d", key, part))...)
			part++
		}
	}
}

// choose returns the first place of the lease's pool that is not at rest.
// Where there is none it stores why, and tells the run if no waiting helps.
func (r *Reconciler) choose(ctx context.Context, l Lease) (Place, bool) {
	pool := r.Pools[l.Pool]
	now := r.Now()
	var whys []string
	hopeless := true
	var soonest time.Time
	r.mu.Lock()
	for _, p := range pool.Places {
		at := r.resting(now, restOfCloud(p.Cloud), restOfLimit(p.Cloud), restOfPlace(p.Name), restOfNeed(p.Name, l.Need))
		if at.until.IsZero() {
			r.mu.Unlock()
			return p, true
		}
		whys = append(whys, p.Name+": "+at.why)
		hopeless = hopeless && at.class == Configuration
		if soonest.IsZero() || at.until.Before(soonest) {
			soonest = at.until
		}
	}
	r.mu.Unlock()
	reason := strings.Join(whys, "; ")
	if len(pool.Places) == 0 {
		reason = fmt.Sprintf("the pool %s is not in the configuration", l.Pool)
	}
	n := l.because(now, reason)
	n.Retry = soonest
	if hopeless {
		n = refuse(l, now, "no place of the pool "+l.Pool+" can make such a machine: "+reason)
	}
	_, _ = r.update(ctx, l, n) // what went wrong is logged, and the next pass tries again
	return Place{}, false
}

// order stores one order for the leases, and sends it.
func (r *Reconciler) order(ctx context.Context, key groupKey, leases []Lease) {
	offer, ok := r.offer(ctx, key)
	if !ok {
		r.wake()
		return
	}
	now := r.Now()
	o := Order{ID: r.name("o"), Cloud: key.place.Cloud, Place: key.place.Name, Count: len(leases), Need: key.need, Offer: offer, Stored: now}
	o.Token = hashOf(r.token(o.ID))
	for i := range leases {
		o.Expires = later(o.Expires, now.Add(r.upTo(&leases[i])))
	}
	wanted := slices.Clone(leases)
	for i := range wanted {
		l := &wanted[i]
		l.Place, l.Cloud, l.Order, l.Ordered, l.Expires = o.Place, o.Cloud, o.ID, now, o.Expires
		l.Price = offer.Price
		reason := "asking " + o.where() + " for a machine"
		if l.State == Wanted {
			*l = l.to(Launching, now, reason)
		} else {
			*l = l.because(now, reason)
		}
	}
	placed, over, err := r.Store.Place(ctx, o, wanted, r.limits)
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Error("an order cannot be stored; nothing is launched", "place", o.Place, "error", err)
		}
		return
	}
	for _, x := range over {
		if x.Full {
			r.restUntil(restOfLimit(o.Cloud), rest{until: now.Add(limitPause), class: Quota, why: x.Limit})
			continue // the next pass looks at the next place
		}
		if i := slices.IndexFunc(leases, func(l Lease) bool { return l.ID == x.Lease.ID }); i >= 0 {
			n := leases[i].because(now, "waits: "+x.Limit).unless(leases[i])
			n.Retry = now.Add(limitPause)
			_, _ = r.update(ctx, leases[i], n)
		}
	}
	if len(over) > 0 {
		r.wake()
	}
	if len(placed) == 0 {
		return
	}
	o.Count = len(placed)
	for i := range placed {
		r.Log.Info("lease launching", "lease", placed[i].ID, "run", placed[i].Run(), "place", o.Place, "order", o.ID)
		r.Metrics.moved(leases[0], placed[i])
		r.Metrics.sent(&placed[i], now)
	}
	r.send(ctx, o, placed)
}

// upTo returns how long after its order a machine may be needed at most.
func (r *Reconciler) upTo(l *Lease) time.Duration {
	t := r.Timing
	d := t.Wait + t.Boot + t.Connect + t.Come + t.Overrun + bootstrapTime
	if l.Spare() {
		life := r.catalogIndex().life[l.Pool]
		return d + t.SpareAge + max(time.Duration(life)*time.Second, time.Hour)
	}
	if l.Early() {
		d += t.Patience + max(0, l.Due.Sub(r.Now()))
	}
	return d + time.Duration(l.Life+l.Hold)*time.Second
}

// send sends an order, for the first time or again, and gives its machines to
// its leases.
func (r *Reconciler) send(ctx context.Context, o Order, leases []Lease) {
	token := r.token(o.ID)
	data, err := r.UserData(o, token)
	if err != nil {
		err = &CloudError{Class: Configuration, Err: err}
		r.rest(o.Cloud, o.Place, err)
		r.unplaced(ctx, o, leases, err)
		return
	}
	o.UserData = data
	vms, err := r.Clouds[o.Cloud].Driver.Launch(ctx, o)
	if ctx.Err() != nil {
		return
	}
	r.Metrics.launched(o.Cloud, err)
	if err == nil {
		r.calm(o)
	}
	var without []Lease
	now := r.Now()
	for _, l := range leases {
		if l.Index >= len(vms) {
			without = append(without, l)
			continue
		}
		vm := vms[l.Index]
		n := l
		n.VM, n.Address, n.Detail = vm.ID, vm.Address, vm.Detail
		reason := o.Place + ": accepted, " + vm.ID
		if vm.Detail != "" {
			reason += " (" + vm.Detail + ")"
		}
		if n.Price > 0 {
			reason += fmt.Sprintf(", $%.3f an hour", n.Price)
		}
		_, _ = r.update(ctx, l, n.to(Booting, now, reason))
	}
	switch {
	case len(without) == 0:
	case err != nil && (ClassOf(err) == Unsure || ClassOf(err) == Throttled):
		r.again(ctx, o, without, err)
	default:
		if err == nil {
			short := &CloudError{Class: NoCapacity, Err: fmt.Errorf("it gave %d of %d machines", len(vms), o.Count)}
			if len(o.Offer.Scopes) > 0 {
				short.Scope = o.Offer.Scopes[0]
			}
			err = short
		}
		r.rest(o.Cloud, o.Place, err)
		r.unplaced(ctx, o, without, err)
	}
}

// again has an order sent again after a while: it may have taken effect.
func (r *Reconciler) again(ctx context.Context, o Order, leases []Lease, err error) {
	now := r.Now()
	reason := fmt.Sprintf("%s does not say whether it took the order, which is sent again: %v", o.Place, err)
	if ClassOf(err) == Throttled {
		r.rest(o.Cloud, o.Place, err)
		reason = fmt.Sprintf("%s: %v; the order is sent again", o.Place, err)
	}
	for _, l := range leases {
		n := l.because(now, reason).unless(l)
		n.Tries++
		n.Retry = now.Add(backoff(l.Tries, 2*time.Second, time.Minute))
		_, _ = r.update(ctx, l, n)
	}
}

// unplaced has leases look for another place: their order made nothing for
// them and never will.
func (r *Reconciler) unplaced(ctx context.Context, o Order, leases []Lease, err error) {
	now := r.Now()
	for _, l := range leases {
		n := l.because(now, o.where()+": "+err.Error())
		n.Order, n.Place, n.Cloud, n.Ordered, n.Index, n.Price = "", "", "", time.Time{}, 0, 0
		n.Tries++
		_, _ = r.update(ctx, l, n)
	}
}

func isConflict(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrTaken)
}

func ids(leases []Lease) []string {
	all := make([]string, len(leases))
	for i := range leases {
		all[i] = leases[i].ID
	}
	return all
}
