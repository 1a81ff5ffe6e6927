package ec2

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/batchctl/batchctl/nodes"
)

const (
	terminateBatch = 100 // instances of a call: few calls, and few are kept by one that EC2 refuses
	filterValues   = 200 // that EC2 takes in one filter, as documented
)

// Destroy implements nodes.Driver. Names that are none of EC2's are nobody's
// machines; instances and remains are ended only where EC2 says that they bear
// the owner's tag, or said so when it last listed them.
func (d *Driver) Destroy(ctx context.Context, ids ...string) error {
	if err := ctx.Err(); err != nil && len(ids) > 0 {
		return fmt.Errorf("destroy: %w", err)
	}
	var machines, volumes, interfaces []string
	for _, id := range ids {
		volume, isVolume := strings.CutPrefix(id, volumePrefix)
		nic, isInterface := strings.CutPrefix(id, interfacePrefix)
		switch {
		case instanceID.MatchString(id):
			machines = append(machines, id)
		case isVolume && volumeID.MatchString(volume):
			volumes = append(volumes, volume)
		case isInterface && interfaceID.MatchString(nic):
			interfaces = append(interfaces, nic)
		}
	}
	err := errors.Join(d.terminateAll(ctx, d.bury(unique(machines))), d.deleteVolumes(ctx, unique(volumes)), d.deleteInterfaces(ctx, unique(interfaces)))
	if err != nil {
		return fmt.Errorf("destroy: %w", err)
	}
	return nil
}

// terminateAll ends instances, in batches; where one batch fails the others
// are tried.
func (d *Driver) terminateAll(ctx context.Context, ids []string) error {
	mine, err := d.mine(ctx, ids)
	errs := []error{err}
	for batch := range slices.Chunk(mine, terminateBatch) {
		errs = append(errs, d.terminate(ctx, batch))
	}
	return errors.Join(errs...)
}

// mine returns those of ids that are the owner's. What was not seen lately is
// looked up, by a filter: of instances asked for by ID, one that is not there
// would hide all others.
func (d *Driver) mine(ctx context.Context, ids []string) ([]string, error) {
	var mine, unknown []string
	d.mu.Lock()
	for _, id := range ids {
		if _, ok := d.ours[id]; ok {
			mine = append(mine, id)
		} else {
			unknown = append(unknown, id)
		}
	}
	d.mu.Unlock()
	var errs []error
	for some := range slices.Chunk(unknown, filterValues) {
		found, err := d.instances(ctx, where("instance-id", some...),
			where("instance-state-name", "pending", "running", "shutting-down", "stopping", "stopped"), where("tag:"+ownerTag, d.cfg.Owner))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: it is not known whether they are the owner's: %w", counted(some), err))
		}
		for i := range found {
			mine = append(mine, deref(found[i].InstanceId))
		}
	}
	return mine, errors.Join(errs...)
}

// named finds the instances that an error is about.
var named = regexp.MustCompile(`\bi-[0-9a-f]{8,17}\b`)

// terminate ends one batch. EC2 ends none of a batch of which it knows one
// not, or may end one not; those are taken out, and the rest is tried again.
func (d *Driver) terminate(ctx context.Context, ids []string) error {
	var errs []error
	for len(ids) > 0 {
		_, err := d.api.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
		if err == nil {
			d.ended(ids)
			break
		}
		code := codeOf(err)
		api := explain("TerminateInstances", err, nil)
		var about []string
		if code == "OperationNotPermitted" || strings.HasPrefix(code, "InvalidInstanceID.") {
			about = slices.DeleteFunc(named.FindAllString(err.Error(), -1), func(id string) bool { return !slices.Contains(ids, id) })
			if len(about) == 0 && len(ids) > 1 { // it does not say which
				for _, id := range ids {
					errs = append(errs, d.terminate(ctx, []string{id}))
				}
				break
			}
			if len(about) == 0 {
				about = ids
			}
		}
		if len(about) == 0 {
			errs = append(errs, fmt.Errorf("%s: %w", counted(ids), api))
			break
		}
		for _, id := range unique(about) {
			errs = append(errs, d.unended(id, code, api))
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(about, id) })
	}
	return errors.Join(errs...)
}

// unended says what it means that one instance was not ended.
func (d *Driver) unended(id, code string, api error) error {
	if code == "OperationNotPermitted" {
		return fmt.Errorf("%s is protected from being ended: switch its termination protection off (disableApiTermination): %w", id, api)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	k := d.ours[id]
	if since := d.now().Sub(k.launched); !k.launched.IsZero() && !k.ended && since < refusedTime {
		// EC2 has said that it made it, and says later that it knows it not:
		// that is how it is for a while after a launch, and no end.
		return fmt.Errorf("%s was launched %s ago and EC2 does not know it yet: try again: %w", id, since.Round(time.Second), api)
	}
	return nil
}

// ended notes that instances are ending.
func (d *Driver) ended(ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		k := d.ours[id]
		k.ended, k.seen = true, d.now()
		d.ours[id] = k
	}
}

// deleteVolumes deletes volumes of the owner that no machine has.
func (d *Driver) deleteVolumes(ctx context.Context, ids []string) error {
	return d.remove(ctx, ids, volumePrefix, d.volumesLeft, func(ctx context.Context, id string) error {
		_, err := d.api.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &id})
		if codeOf(err) == "InvalidVolume.NotFound" {
			return nil
		}
		return explain("DeleteVolume", err, nil)
	})
}

// deleteInterfaces deletes network interfaces of the owner that no machine has.
func (d *Driver) deleteInterfaces(ctx context.Context, ids []string) error {
	return d.remove(ctx, ids, interfacePrefix, d.interfacesLeft, func(ctx context.Context, id string) error {
		_, err := d.api.DeleteNetworkInterface(ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &id})
		if codeOf(err) == "InvalidNetworkInterfaceID.NotFound" {
			return nil
		}
		return explain("DeleteNetworkInterface", err, nil)
	})
}

// remove deletes those of ids that EC2 says are the owner's and free.
func (d *Driver) remove(ctx context.Context, ids []string, prefix string, left func(context.Context, ...string) ([]nodes.VM, error),
	del func(context.Context, string) error) error {
	var errs []error
	for some := range slices.Chunk(ids, filterValues) {
		found, err := left(ctx, some...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: it is not known whether they are the owner's: %w", counted(some), err))
			continue
		}
		for _, id := range some {
			if slices.ContainsFunc(found, func(vm nodes.VM) bool { return vm.ID == prefix+id }) {
				if err := del(ctx, id); err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", prefix+id, err))
					continue
				}
			}
			d.dropRemains(prefix + id)
		}
	}
	return errors.Join(errs...)
}

// unique sorts, and leaves each out but once.
func unique(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// counted writes some IDs for people.
func counted(ids []string) string {
	if len(ids) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:3], ", "), len(ids)-3)
	}
	return strings.Join(ids, ", ")
}
