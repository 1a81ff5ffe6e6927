package console

import (
	"slices"
	"time"

	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

// lease returns a lease as the API shows it. What is between the provisioner
// and its machines is left out: claims, labels, orders, versions.
func lease(l *nodes.Lease, now time.Time) api.Lease {
	return api.Lease{
		ID: l.ID, State: string(l.State), Reason: l.Reason, Created: l.Created, Since: l.Since, Changed: l.Changed,
		Run: l.Run(), Controller: l.Controller, Job: l.Job, Number: l.Number, Attempt: l.Attempt, Team: l.Team, Spare: l.Spare(),
		Due: l.Due, Queued: l.Queued, Seen: l.Seen, Ordered: l.Ordered, Called: l.Called, Online: l.Online, Began: l.Began,
		Expires: l.Expires, Waited: waited(l, now), Boot: boot(l).Seconds(),
		Pool: l.Pool, Need: api.Need{CPU: l.Need.CPU, Memory: l.Need.Memory, Disk: l.Need.Disk, Arch: l.Need.Arch},
		Place: l.Place, Cloud: l.Cloud, Machine: l.VM, Address: l.Address, Detail: l.Detail,
		Price: l.Price, Cost: cost(l, now),
		Result: l.Result, Served: l.Delivered, Refused: l.Refused, Overdue: l.Overdue, Foreign: l.Foreign,
		HoldUntil: l.HoldUntil, HeldBy: l.HeldBy,
	}
}

// cost returns what the machine has cost so far, in US dollars; 0 where its
// price is not known. Clouds count from about the order to about the end.
func cost(l *nodes.Lease, now time.Time) float64 {
	if l.VM == "" || l.Ordered.IsZero() {
		return 0
	}
	if l.State == nodes.Gone {
		now = l.Since
	}
	return l.Price * max(0, now.Sub(l.Ordered).Hours())
}

// waited returns how long the run has waited for its machine, in seconds; nil
// where there was no run, or it went away before it had one. Both ends are
// told by the provisioner's clock.
func waited(l *nodes.Lease, now time.Time) *float64 {
	seconds := 0.0
	switch {
	case l.Started == 0 || l.Seen.IsZero():
		return nil
	case !l.Due.IsZero() && l.Queued.IsZero():
		// It was never in the queue: it began on the machine that stood ready.
	case !l.Began.IsZero():
		seconds = max(0, l.Began.Sub(l.Seen).Seconds())
	case l.State.Holds():
		seconds = max(0, now.Sub(l.Seen).Seconds())
	default:
		return nil
	}
	return &seconds
}

func leasesOf(leases []nodes.Lease, now time.Time) []api.Lease {
	out := make([]api.Lease, len(leases))
	for i := range leases {
		out[i] = lease(&leases[i], now)
	}
	return out
}

func timeline(events []nodes.Event) []api.Event {
	out := make([]api.Event, len(events))
	for i, e := range events {
		out[i] = api.Event{At: e.At, State: string(e.State), Reason: e.Reason, Place: e.Place}
	}
	return out
}

// boot returns how long the machine took to boot, or 0 while that is not over.
func boot(l *nodes.Lease) time.Duration {
	if l.Ordered.IsZero() || l.Called.IsZero() || l.Handed.IsZero() || l.Online.IsZero() {
		return 0
	}
	return l.Boot()
}

// usual returns what half of the machines needed to boot, in seconds; 0 where
// there were too few to say.
func usual(boots []time.Duration) float64 {
	boots = slices.DeleteFunc(boots, func(d time.Duration) bool { return d <= 0 }) // of a lease that lacks one of the times
	if len(boots) < 3 {
		return 0
	}
	slices.Sort(boots)
	return boots[len(boots)/2].Seconds()
}
