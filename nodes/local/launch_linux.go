package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// Offers implements nodes.Driver: there is one way to make a process.
func (d *Driver) Offers(context.Context, string, nodes.Need) ([]nodes.Offer, error) {
	return []nodes.Offer{{}}, nil
}

// Launch implements nodes.Driver. Where the host gives fewer than asked, the
// order stands for these from then on.
func (d *Driver) Launch(ctx context.Context, o nodes.Order) ([]nodes.VM, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	if !orderName.MatchString(o.ID) || o.Count < 1 || o.Count > 999999 {
		return nil, &nodes.CloudError{Class: nodes.Configuration, Err: fmt.Errorf(
			"launch order %q: %d machines: the ID must be 1 to 40 of a-z, 0-9 and -, the number 1 to 999999", o.ID, o.Count)}
	}
	d.reap()
	unlock, err := d.lock(ctx, o.ID)
	if err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	defer unlock()
	d.crash("locked")

	r, err := d.load(o.ID)
	if err == nil && r == nil {
		r, err = d.accept(ctx, o)
	}
	if err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	d.crash("recorded")
	if err := d.startAll(ctx, r, o); err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	d.crash("done")
	vms, err := d.machinesOf(r)
	if err != nil {
		return nil, fmt.Errorf("launch order %s: %w", o.ID, err)
	}
	return vms, nil
}

// accept records a new order for as many machines as there is room for.
func (d *Driver) accept(ctx context.Context, o nodes.Order) (*record, error) {
	r := &record{Order: o.ID, Count: o.Count, Created: time.Now().UTC()}
	if d.cfg.Max > 0 {
		unlock, err := d.lockCount(ctx)
		if err != nil {
			return nil, err
		}
		defer unlock()
		there, err := d.List(ctx)
		if err != nil {
			return nil, err
		}
		if r.Count = min(o.Count, d.cfg.Max-len(there)); r.Count < 1 {
			return nil, &nodes.CloudError{Class: nodes.NoCapacity, Err: fmt.Errorf("%d of %d machines are taken", len(there), d.cfg.Max)}
		}
	}
	if err := d.save(r); err != nil {
		return nil, classify(err)
	}
	return r, nil
}

// startAll starts the machines of an order that have not run.
func (d *Driver) startAll(ctx context.Context, r *record, o nodes.Order) error {
	for i := range r.Count {
		if r.over || slices.Contains(r.Ended, i) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		id := machineID(r.Order, i)
		if ran, err := d.settle(ctx, id); err != nil {
			return err
		} else if ran {
			continue
		}
		err := d.start(ctx, id, o)
		if nodes.ClassOf(err) != nodes.Unsure {
			return d.shrink(ctx, r, i, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle finds out whether a machine has run. A gate whose driver has died
// either finds the word that was given, or ends.
func (d *Driver) settle(ctx context.Context, id string) (ran bool, err error) {
	if _, err := os.Stat(d.path("machines", id)); errors.Is(err, fs.ErrNotExist) {
		return false, nil // it was not even laid out
	}
	deadline := time.Now().Add(startLimit)
	for dead := 0; dead < 2; {
		if ran, err := d.started(id); ran || err != nil {
			return ran, err
		}
		t, err := d.scan()
		if err != nil {
			return false, err
		}
		if !d.alive(t, id) {
			dead++
			continue
		}
		if time.Now().After(deadline) {
			return false, fmt.Errorf("machine %s neither starts nor ends: destroy it", id)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return false, err
		}
	}
	return d.started(id)
}

// shrink makes an order stand for its first n machines, as machine n cannot
// be had for the reason why. With none it was not accepted.
func (d *Driver) shrink(ctx context.Context, r *record, n int, why error) error {
	id := machineID(r.Order, n)
	if err := d.kill(ctx, []string{id}); err != nil {
		return err
	}
	if err := d.remove(id); err != nil {
		return err
	}
	if n == 0 {
		if err := d.forget(r); err != nil {
			return err
		}
		return why
	}
	r.Count = n
	r.Ended = slices.DeleteFunc(r.Ended, func(i int) bool { return i >= n })
	return d.save(r)
}

// machinesOf describes all machines of an order, ended ones too.
func (d *Driver) machinesOf(r *record) ([]nodes.VM, error) {
	t, err := d.scan()
	if err != nil {
		return nil, err
	}
	var errs []error
	vms := make([]nodes.VM, r.Count)
	for i := range vms {
		id := machineID(r.Order, i)
		ran, err := d.started(id)
		errs = append(errs, err)
		vms[i] = nodes.VM{ID: id, Order: r.Order, State: nodes.VMStarting, Created: r.Created, Detail: "process group of this host"}
		switch {
		case r.over || slices.Contains(r.Ended, i):
			vms[i].State = nodes.VMEnding
		case ran && d.alive(t, id):
			vms[i].State = nodes.VMRunning
		case ran:
			vms[i].State = nodes.VMEnding
		}
	}
	return vms, errors.Join(errs...)
}
