package ec2

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/batchctl/batchctl/nodes"
)

var orderName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

const (
	maxUserData = 16 << 10 // bytes before base64, as documented
	maxCount    = 1000     // machines in one call: what EC2's bucket of instances holds
)

// sighting is what is known of an order that was sent.
type sighting struct {
	seen  time.Time
	until time.Time // it may have had effect: what EC2 does not show by then is not there. Zero: no doubt
}

// Launch implements nodes.Driver.
//
// EC2's client token makes it repeatable: the same call with the same token
// gives the same answer, and makes nothing more. The token is documented to be
// good for one zone, where the call names a subnet; Offer.Spec does, so that an
// order never meets another zone. Three cases are left:
//
//   - the order's machines have ended: EC2 says so, and names none;
//   - the call differs, as when the bootstrap script changed with an upgrade;
//   - EC2 says that it has no capacity, or refuses the call, and an earlier
//     try may have had effect. It is not documented that the token is looked
//     at before the rest.
//
// In all of them the machines are looked for by their tags, which they have
// from the first moment. An answer without machines counts only when EC2 had
// time to show them; until then the outcome is not known, and the order is
// sent again.
func (d *Driver) Launch(ctx context.Context, o nodes.Order) ([]nodes.VM, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	s, err := d.checkOrder(&o)
	if err != nil {
		return nil, fmt.Errorf("launch order %q: %w", o.ID, err)
	}
	d.firstSight(&o)
	vms, err := d.launch(ctx, &o, s)
	if err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	return vms, nil
}

func (d *Driver) checkOrder(o *nodes.Order) (*spec, error) {
	if !orderName.MatchString(o.ID) || o.Count < 1 {
		return nil, configuration("%d machines: the ID must be 1 to 40 of a-z, 0-9 and -, the number 1 at least", o.Count)
	}
	if len(o.UserData) > maxUserData {
		return nil, configuration("the user data has %d bytes, and EC2 takes %d", len(o.UserData), maxUserData)
	}
	return parseSpec(o.Offer.Spec)
}

func (d *Driver) launch(ctx context.Context, o *nodes.Order, s *spec) ([]nodes.VM, error) {
	if age := d.now().Sub(o.Stored); !o.Stored.IsZero() && age > tokenLife {
		// Its token may be forgotten, and would make new machines.
		vms, _, err := d.recall(ctx, o)
		return vms, err
	}
	out, err := d.api.RunInstances(ctx, d.request(o, s))
	if err == nil && len(out.Instances) == 0 {
		d.uncertain(o)
		return nil, errors.New("EC2 RunInstances: it took the order and names no machine")
	}
	if err == nil {
		d.certain(o)
		sortInstances(out.Instances)
		return d.accepted(o, out.Instances), nil
	}
	switch code := codeOf(err); code {
	case "IdempotentInstanceTerminated", "IdempotentParameterMismatch":
		return d.repeated(ctx, o, code, err)
	case "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable":
		d.images.forget() // what the name stands for has changed
	}
	err = explain("RunInstances", err, s)
	switch nodes.ClassOf(err) {
	case nodes.Unsure:
		d.uncertain(o)
		return nil, err
	case nodes.Throttled:
		return nil, err // EC2 has not looked at the order
	}
	return d.refusedNow(ctx, o, err)
}

// repeated finds the machines of an order that EC2 has seen before.
func (d *Driver) repeated(ctx context.Context, o *nodes.Order, code string, cause error) ([]nodes.VM, error) {
	vms, whole, err := d.recall(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("%s, and its machines cannot be looked for: %w", code, err)
	}
	// EC2 shows ended machines for about an hour. After that nothing of the
	// order is left, and it can be said to have given nothing. Not so where
	// the call differs: then it is not said that machines have ended.
	old := code == "IdempotentInstanceTerminated" && d.now().Sub(o.Stored) > knownLife/2
	if whole && (len(vms) > 0 || old) {
		d.certain(o)
		return vms, nil
	}
	return nil, fmt.Errorf("EC2 has had this order before, and does not show all of its machines yet: %w", explain("RunInstances", cause, nil))
}

// refusedNow returns the error of a call that had no effect, unless an
// earlier one had.
func (d *Driver) refusedNow(ctx context.Context, o *nodes.Order, refused error) ([]nodes.VM, error) {
	until := d.doubt(o)
	if until.IsZero() {
		return nil, refused
	}
	vms, whole, err := d.recall(ctx, o)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%v; an earlier try may have had effect, and its machines cannot be looked for: %v", refused, err)
	case !whole:
		return nil, fmt.Errorf("%v; an earlier try may have had effect, which EC2 shows within %s", refused, d.pace.settle)
	}
	d.certain(o)
	if len(vms) > 0 {
		return vms, nil
	}
	return nil, refused
}

// recall finds the machines of an order by their tags, also those that have
// ended, for as long as EC2 shows them. What is found is whole where nothing
// is missing, or EC2 had time to show it.
func (d *Driver) recall(ctx context.Context, o *nodes.Order) (vms []nodes.VM, whole bool, err error) {
	found, err := d.instances(ctx,
		where("instance-state-name", "pending", "running", "shutting-down", "stopping", "stopped", "terminated"),
		where("tag:"+orderTag, o.ID), where("tag:"+ownerTag, d.cfg.Owner))
	if err != nil {
		return nil, false, unclassed(err)
	}
	found = slices.DeleteFunc(found, func(i types.Instance) bool { return tag(i.Tags, orderTag) != o.ID })
	sortInstances(found)
	until := d.doubt(o)
	if since := o.Stored.Add(d.pace.settle); since.After(until) {
		until = since
	}
	whole = len(found) >= min(o.Count, maxCount) || !d.now().Before(until)
	return d.accepted(o, found), whole, nil
}

// unclassed takes the class from an error of a look for machines: that EC2
// refuses to show them does not say that there are none.
func unclassed(err error) error {
	if nodes.ClassOf(err) == nodes.Unsure {
		return err
	}
	return errors.New(err.Error())
}

// fresh is how old an order may be that nobody has sent yet.
const fresh = 5 * time.Second

// firstSight notes an order. One that was stored before this driver was made,
// or is older than orders are when they are sent for the first time, may have
// been sent by another process, just before that ended.
func (d *Driver) firstSight(o *nodes.Order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for id, x := range d.orders {
		if now.Sub(x.seen) > knownLife {
			delete(d.orders, id)
		}
	}
	x, known := d.orders[o.ID]
	if !known && !o.Stored.IsZero() && (o.Stored.Before(d.born) || now.Sub(o.Stored) > fresh) {
		x.until = now.Add(d.pace.settle)
	}
	x.seen = now
	d.orders[o.ID] = x
}

// doubt returns until when EC2 may not show what an order has made; zero
// where it has made nothing, or all is known.
func (d *Driver) doubt(o *nodes.Order) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.orders[o.ID].until
}

func (d *Driver) uncertain(o *nodes.Order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	d.orders[o.ID] = sighting{seen: now, until: now.Add(d.pace.settle)}
}

func (d *Driver) certain(o *nodes.Order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders[o.ID] = sighting{seen: d.now()}
}

// accepted returns an order's machines, each at the place that EC2 gave it in
// the order, and notes that they are ours. Where one is missing, because it
// ended long ago and is shown no more, a name that is nobody's stands for it:
// otherwise a lease would be given its neighbour's machine.
func (d *Driver) accepted(o *nodes.Order, sorted []types.Instance) []nodes.VM {
	d.mu.Lock()
	defer d.mu.Unlock()
	vms := make([]nodes.VM, 0, len(sorted))
	for i := range sorted {
		for int(deref(sorted[i].AmiLaunchIndex)) > len(vms) && len(vms) < o.Count {
			vms = append(vms, nodes.VM{ID: fmt.Sprintf("%s/%s/%d", endedID, o.ID, len(vms)), Order: o.ID, State: nodes.VMEnding})
		}
		vm := vmOf(&sorted[i])
		vm.Order = o.ID
		d.note(&vm)
		vms = append(vms, vm)
	}
	return vms
}
