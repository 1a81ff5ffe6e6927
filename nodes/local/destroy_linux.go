package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// killLimit is how long the processes of a machine may take to die of
// SIGKILL. Longer than that they hang in the kernel.
const killLimit = 10 * time.Second

// Destroy implements nodes.Driver. A machine is gone when it returns.
func (d *Driver) Destroy(ctx context.Context, ids ...string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("destroy machines: %w", err)
	}
	d.reap()
	var orders []string // in the order in which they are named
	machines := map[string][]string{}
	for _, id := range ids {
		order, _, ok := splitID(id)
		if !ok {
			continue // no machine has such a name
		}
		if machines[order] == nil {
			orders = append(orders, order)
		}
		machines[order] = append(machines[order], id)
	}
	var errs []error
	for _, order := range orders {
		errs = append(errs, d.destroyOf(ctx, order, machines[order]))
	}
	d.reap()
	return errors.Join(errs...)
}

// destroyOf destroys machines of one order: they die first, then the record
// says so, then their directories go. A crash in between leaves them listed.
func (d *Driver) destroyOf(ctx context.Context, order string, ids []string) error {
	unlock, err := d.lock(ctx, order)
	if err != nil {
		return fmt.Errorf("destroy machines of order %s: %w", order, err)
	}
	defer unlock()
	// What could not be recorded afterwards is not begun.
	if _, err := d.load(order); err != nil && !errors.Is(err, errUnreadable) {
		return fmt.Errorf("destroy machines of order %s: %w", order, err)
	}
	var errs []error
	if d.spare != nil {
		ids = slices.DeleteFunc(ids, func(id string) bool {
			err := d.spare(id)
			errs = append(errs, err)
			return err != nil
		})
	}
	if err := d.kill(ctx, ids); err != nil {
		// Some of them may be dead; each is asked for by itself.
		for _, id := range ids {
			errs = append(errs, d.destroyOne(ctx, id))
		}
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, d.end(order, ids))...)
}

func (d *Driver) destroyOne(ctx context.Context, id string) error {
	order, _, _ := splitID(id)
	if err := d.kill(ctx, []string{id}); err != nil {
		return fmt.Errorf("destroy %s: %w", id, err)
	}
	return d.end(order, []string{id})
}

// end records that machines have ended and removes what is left of them.
func (d *Driver) end(order string, ids []string) error {
	r, err := d.load(order)
	damaged := errors.Is(err, errUnreadable)
	if err != nil && !damaged {
		return fmt.Errorf("destroy machines of order %s: %w", order, err)
	}
	if r != nil && !r.over {
		for _, id := range ids {
			if _, i, _ := splitID(id); i < r.Count && !slices.Contains(r.Ended, i) {
				r.Ended = append(r.Ended, i)
			}
		}
		if err := d.save(r); err != nil {
			return fmt.Errorf("destroy machines of order %s: %w", order, err)
		}
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, d.remove(id))
	}
	if damaged {
		errs = append(errs, d.endDamaged(order))
	}
	return errors.Join(errs...)
}

// endDamaged marks an order whose record is damaged as over when nothing is
// left of its machines.
func (d *Driver) endDamaged(order string) error {
	left, err := d.names("machines", "")
	if err != nil {
		return fmt.Errorf("destroy machines of order %s: %w", order, err)
	}
	if slices.ContainsFunc(left, func(id string) bool { o, _, ok := splitID(id); return ok && o == order }) {
		return nil
	}
	if _, err := os.Stat(d.path("orders", order+".json")); errors.Is(err, os.ErrNotExist) {
		return nil // over already
	}
	return d.bury(order)
}

// kill kills all processes of machines, and again until two looks find none:
// while one is killed another may fork.
func (d *Driver) kill(ctx context.Context, ids []string) error {
	deadline := time.Now().Add(killLimit)
	for clean := 0; clean < 2; {
		for _, id := range ids {
			d.cgroup.kill(d.cfg.Owner, id)
		}
		t, err := d.scan()
		if err != nil {
			return err
		}
		var left []*process
		for _, id := range ids {
			l := d.leader(id)
			left = append(left, t.of(id, l, d.cgroup.processes(d.cfg.Owner, id))...)
		}
		if len(left) == 0 {
			clean++
			continue
		}
		clean = 0
		killGroups(left)
		for _, p := range left {
			signal(p, syscall.SIGKILL)
		}
		d.reap()
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d and %d others do not die of SIGKILL", left[0].pid, len(left)-1)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("wait for process %d to die: %w", left[0].pid, err)
		}
	}
	return nil
}

// killGroups kills the process groups of which every member is among list.
// No fork can escape that. A group's number is used again when the group has
// ended, so one member is stopped first: a group with a stopped member has not
// ended.
func killGroups(list []*process) {
	done := map[int]bool{}
	for _, p := range list {
		if done[p.group] || p.group <= 1 || p.group == syscall.Getpgrp() || !signal(p, syscall.SIGSTOP) {
			continue
		}
		done[p.group] = true
		if now := readProcess(p.pid); now != nil && now.start == p.start && now.group == p.group {
			_ = syscall.Kill(-p.group, syscall.SIGKILL)
		}
	}
}

// signal sends a signal to exactly that process, and not to another that got
// its number: the handle is taken first, then the start time compared.
func signal(p *process, sig syscall.Signal) bool {
	handle, err := os.FindProcess(p.pid)
	if err != nil {
		return false
	}
	defer handle.Release()
	now := readProcess(p.pid)
	return now != nil && now.start == p.start && handle.Signal(sig) == nil
}
