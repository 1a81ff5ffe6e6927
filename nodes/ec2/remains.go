package ec2

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/batchctl/batchctl/nodes"
)

// What a machine may leave behind has an ID of its own, with its kind before
// it, and bears the machine's tags from its launch.
const (
	volumePrefix    = "volume/"
	interfacePrefix = "interface/"
)

var (
	instanceID  = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)
	volumeID    = regexp.MustCompile(`^vol-[0-9a-f]{8,17}$`)
	interfaceID = regexp.MustCompile(`^eni-[0-9a-f]{8,17}$`)
)

// remains are volumes and interfaces of the owner that are nobody's.
type remains struct {
	at      time.Time
	vms     []nodes.VM
	removed map[string]time.Time // by Destroy
}

// listRemains returns what machines have left behind, and looks for it where
// the last look is long ago. While a machine starts, its volume is free for a
// moment too: so what belongs to an order of which machines are starting is
// left out.
func (d *Driver) listRemains(ctx context.Context, listed []nodes.VM, now time.Time) ([]nodes.VM, error) {
	d.mu.Lock()
	due := d.remains.at.IsZero() || now.Sub(d.remains.at) >= d.pace.remains
	d.mu.Unlock()
	if due {
		found, err := d.volumesLeft(ctx)
		if err != nil {
			return nil, err
		}
		more, err := d.interfacesLeft(ctx)
		if err != nil {
			return nil, err
		}
		d.noteRemains(append(found, more...), now)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	starting := map[string]bool{}
	for i := range listed {
		starting[listed[i].Order] = starting[listed[i].Order] || listed[i].State == nodes.VMStarting
	}
	return slices.DeleteFunc(slices.Clone(d.remains.vms), func(vm nodes.VM) bool {
		return starting[vm.Order] || now.Sub(d.orders[vm.Order].seen) < d.pace.settle // these may not be listed yet
	}), nil
}

func (d *Driver) noteRemains(found []nodes.VM, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &d.remains
	for id, at := range r.removed {
		if now.Sub(at) > knownLife {
			delete(r.removed, id)
		}
	}
	r.at = now
	r.vms = slices.DeleteFunc(found, func(vm nodes.VM) bool { return !r.removed[vm.ID].IsZero() })
}

// dropRemains takes things out of the list that are there no more.
func (d *Driver) dropRemains(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.remains.removed == nil {
		d.remains.removed = map[string]time.Time{}
	}
	d.remains.removed[id] = d.now()
	d.remains.vms = slices.DeleteFunc(slices.Clone(d.remains.vms), func(vm nodes.VM) bool { return vm.ID == id })
}

// volumesLeft asks for volumes of the owner that no machine has; ids bounds
// it to these.
func (d *Driver) volumesLeft(ctx context.Context, ids ...string) ([]nodes.VM, error) {
	filters := []types.Filter{where("status", "available"), where("tag:"+ownerTag, d.cfg.Owner)}
	if len(ids) > 0 {
		filters = append([]types.Filter{where("volume-id", ids...)}, filters...)
	}
	pages := ec2.NewDescribeVolumesPaginator(d.api, &ec2.DescribeVolumesInput{Filters: filters, MaxResults: new(int32(500))})
	var left []nodes.VM
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain("DescribeVolumes", err, nil)
		}
		for _, v := range page.Volumes {
			if tag(v.Tags, ownerTag) == d.cfg.Owner {
				left = append(left, nodes.VM{ID: volumePrefix + deref(v.VolumeId), Order: tag(v.Tags, orderTag), State: nodes.VMEnding,
					Created: deref(v.CreateTime), Detail: strings.Join([]string{"volume", deref(v.AvailabilityZone)}, ", ")})
			}
		}
	}
	return left, nil
}

// interfacesLeft asks for network interfaces of the owner that no machine has.
func (d *Driver) interfacesLeft(ctx context.Context, ids ...string) ([]nodes.VM, error) {
	filters := []types.Filter{where("status", "available"), where("tag:"+ownerTag, d.cfg.Owner)}
	if len(ids) > 0 {
		filters = append([]types.Filter{where("network-interface-id", ids...)}, filters...)
	}
	pages := ec2.NewDescribeNetworkInterfacesPaginator(d.api, &ec2.DescribeNetworkInterfacesInput{Filters: filters, MaxResults: new(int32(500))})
	var left []nodes.VM
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain("DescribeNetworkInterfaces", err, nil)
		}
		for _, n := range page.NetworkInterfaces {
			if tag(n.TagSet, ownerTag) == d.cfg.Owner {
				left = append(left, nodes.VM{ID: interfacePrefix + deref(n.NetworkInterfaceId), Order: tag(n.TagSet, orderTag), State: nodes.VMEnding,
					Address: deref(n.PrivateIpAddress), Detail: strings.Join([]string{"network interface", deref(n.AvailabilityZone)}, ", ")})
			}
		}
	}
	return left, nil
}
