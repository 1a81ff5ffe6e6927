package ec2

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/batchctl/batchctl/nodes"
)

// endedID begins a name that stands for a machine of which nothing is known
// but that it has ended.
const endedID = "ended"

// known is what this process knows of an instance of the owner.
type known struct {
	seen     time.Time // when EC2 last named it
	launched time.Time // when it was given to an order by this process; zero: another did
	running  bool      // it has been seen running
	ended    bool      // it was destroyed, or seen ending
}

// List implements nodes.Driver. It is one call for each thousand machines:
// EC2 filters by owner and state. Machines that ended for want of room are
// asked for only where one has vanished unseen, and what is left behind every
// few minutes; see refused.go and remains.go.
func (d *Driver) List(ctx context.Context) ([]nodes.VM, error) {
	began := d.now()
	// The state comes first: most machines in EC2's memory have ended.
	found, err := d.instances(ctx,
		where("instance-state-name", "pending", "running", "shutting-down", "stopping", "stopped"),
		where("tag:"+ownerTag, d.cfg.Owner))
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	vms := make([]nodes.VM, 0, len(found))
	listed := make(map[string]bool, len(found))
	for i := range found {
		vm := vmOf(&found[i])
		if listed[vm.ID] {
			continue // on two pages, as it changed between them
		}
		listed[vm.ID] = true
		if vm.State == nodes.VMEnding {
			vm.Err = reasonOf(&found[i])
		}
		vms = append(vms, vm)
	}
	d.seen(vms, began)
	refused, err := d.listRefused(ctx, listed, began)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	left, err := d.listRemains(ctx, vms, began)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	return append(append(vms, refused...), left...), nil
}

// instances returns all instances that pass the filters, of the owner.
func (d *Driver) instances(ctx context.Context, filters ...types.Filter) ([]types.Instance, error) {
	pages := ec2.NewDescribeInstancesPaginator(d.api, &ec2.DescribeInstancesInput{Filters: filters, MaxResults: new(int32(1000))})
	var all []types.Instance
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain("DescribeInstances", err, nil)
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				// A filter's value is a pattern. This is the exact owner.
				if tag(i.Tags, ownerTag) == d.cfg.Owner {
					all = append(all, i)
				}
			}
		}
	}
	return all, nil
}

// seen notes the machines that EC2 has named, and forgets others that were
// not named for long.
func (d *Driver) seen(vms []nodes.VM, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range vms {
		k := d.ours[vms[i].ID]
		k.seen = now
		k.running = k.running || vms[i].State == nodes.VMRunning
		k.ended = k.ended || vms[i].State == nodes.VMEnding
		d.ours[vms[i].ID] = k
	}
	for id, k := range d.ours {
		if now.Sub(k.seen) > knownLife {
			delete(d.ours, id)
		}
	}
}

// note notes a machine that an order was given. The caller holds mu.
func (d *Driver) note(vm *nodes.VM) {
	k := d.ours[vm.ID]
	k.seen = d.now()
	if k.launched.IsZero() {
		k.launched = k.seen
	}
	k.ended = k.ended || vm.State == nodes.VMEnding
	d.ours[vm.ID] = k
}

// vmOf describes an instance in the contract's words.
func vmOf(i *types.Instance) nodes.VM {
	vm := nodes.VM{ID: deref(i.InstanceId), Order: tag(i.Tags, orderTag), Address: deref(i.PrivateIpAddress), Created: deref(i.LaunchTime)}
	switch name(i.State) {
	case types.InstanceStateNamePending:
		vm.State = nodes.VMStarting
	case types.InstanceStateNameRunning:
		vm.State = nodes.VMRunning
	default: // shutting-down, stopping, stopped, terminated: it will not run again
		vm.State = nodes.VMEnding
	}
	words := []string{string(i.InstanceType)}
	if i.Placement != nil {
		words = append(words, deref(i.Placement.AvailabilityZone))
	}
	vm.Detail = strings.Join(append(words, how(i), deref(i.ImageId)), ", ")
	return vm
}

func name(s *types.InstanceState) types.InstanceStateName {
	if s == nil {
		return ""
	}
	return s.Name
}

// how says how a machine is paid, as its offer does.
func how(i *types.Instance) string {
	switch {
	case i.InstanceLifecycle == types.InstanceLifecycleTypeSpot:
		return string(Spot)
	case i.CapacityReservationId != nil:
		return "reservation " + *i.CapacityReservationId
	}
	return string(OnDemand)
}

// reasonOf returns why an instance ended by itself, nil where it did not.
func reasonOf(i *types.Instance) error {
	if i.StateReason == nil {
		return nil
	}
	code := deref(i.StateReason.Code)
	m, ok := reasons[code]
	if !ok {
		return nil
	}
	s := &spec{Type: string(i.InstanceType), Market: OnDemand}
	if i.InstanceLifecycle == types.InstanceLifecycleTypeSpot {
		s.Market = Spot
	}
	s.Reservation = deref(i.CapacityReservationId)
	if i.Placement != nil {
		s.Zone = deref(i.Placement.AvailabilityZone)
	}
	text := "EC2 ended it: " + code + ": " + shorten(deref(i.StateReason.Message))
	if m.hint != "" {
		text += ": " + m.hint
	}
	return &nodes.CloudError{Class: m.class, Scope: m.scope.of(s), Err: errors.New(text)}
}
