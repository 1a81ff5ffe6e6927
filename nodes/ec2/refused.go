package ec2

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// A machine that RunInstances has accepted may still find no room: it goes
// from pending to terminated, with a reason. It is listed, with that reason,
// until Destroy was called for it. EC2 shows it for about an hour, so after a
// restart it is listed once more, which does no harm.

// refusedTime is how long after EC2 last named it a machine that is nowhere is
// looked for.
const refusedTime = 10 * time.Minute

// refusals are the machines that ended for a reason in the table.
type refusals struct {
	at     time.Time // of the last look; zero: none yet
	vms    map[string]nodes.VM
	buried map[string]time.Time // Destroy was called for them
}

// listRefused returns the refused machines, and looks for them where it is
// time to. A machine that ends is in no list without terminated ones, whose
// number is large, so they are asked for by their reason: that answer is
// short.
func (d *Driver) listRefused(ctx context.Context, listed map[string]bool, now time.Time) ([]nodes.VM, error) {
	d.mu.Lock()
	age := d.pace.refused
	if d.vanished(listed, now) {
		age = d.pace.refusedAgain
	}
	due := d.refused.at.IsZero() || now.Sub(d.refused.at) >= age
	d.mu.Unlock()
	if due {
		if err := d.lookForRefused(ctx, listed, now); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var vms []nodes.VM
	for _, id := range slices.Sorted(maps.Keys(d.refused.vms)) {
		if d.refused.buried[id].IsZero() && !listed[id] {
			vms = append(vms, d.refused.vms[id])
		}
	}
	return vms, nil
}

// vanished reports whether a machine is not listed that nobody has ended, as
// far as is known. The caller holds mu.
func (d *Driver) vanished(listed map[string]bool, now time.Time) bool {
	for id, k := range d.ours {
		if _, is := d.refused.vms[id]; !is && !listed[id] && !k.ended && now.Sub(k.seen) < refusedTime {
			return true
		}
	}
	return false
}

func (d *Driver) lookForRefused(ctx context.Context, listed map[string]bool, now time.Time) error {
	found, err := d.instances(ctx, where("instance-state-name", "terminated"),
		where("state-reason-code", slices.Sorted(maps.Keys(reasons))...), where("tag:"+ownerTag, d.cfg.Owner))
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	vms := map[string]nodes.VM{}
	for i := range found {
		vm := vmOf(&found[i])
		if vm.Err = reasonOf(&found[i]); vm.Err != nil {
			vms[vm.ID] = vm
		}
	}
	maps.DeleteFunc(d.refused.buried, func(_ string, at time.Time) bool { return now.Sub(at) > knownLife })
	d.refused.vms, d.refused.at = vms, now
	for id, k := range d.ours {
		if k.running && !listed[id] { // it ran, so it was not refused: one look is enough
			k.ended = true
			d.ours[id] = k
		}
	}
	return nil
}

// bury takes refused machines out of ids, and has them listed no more: they
// have ended.
func (d *Driver) bury(ids []string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused.buried == nil {
		d.refused.buried = map[string]time.Time{}
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		_, is := d.refused.vms[id]
		if is {
			d.refused.buried[id] = d.now()
		}
		return is
	})
}
