package openstack

import (
	"context"
	"errors"
	"fmt"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/nodes"
)

// createFloating makes the servers of an order one by one, each with a port
// and a floating IP that were made before it, so that the machine has its
// address from the start. Where some cannot be had the order has fewer.
func (d *Driver) createFloating(ctx context.Context, s *session, o nodes.Order, sp spec, h *held) ([]servers.Server, error) {
	made, problems := make([]*servers.Server, o.Count), make([]error, o.Count)
	d.claims.sent(h, true, d.cfg.Now())
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	for i := range o.Count {
		group.Go(func() error {
			made[i], problems[i] = d.createOne(ctx, s, o, sp, h, fmt.Sprintf("%s-%d", d.serverName(o.ID), i+1))
			return nil
		})
	}
	_ = group.Wait() // the problems are gathered
	var there []servers.Server
	for _, server := range made {
		if server != nil {
			there = append(there, *server)
		}
	}
	for _, err := range problems {
		if errors.Is(err, errSent) {
			return nil, err
		}
	}
	d.claims.sent(h, false, d.cfg.Now())
	if len(there) == 0 {
		return nil, explain(ctx, s, sp, problems[0])
	}
	return there, nil
}

// createOne makes a port, its address and the server on it. What it has made
// when something is refused it takes away; what then stays is swept.
func (d *Driver) createOne(ctx context.Context, s *session, o nodes.Order, sp spec, h *held, name string) (*servers.Server, error) {
	port, err := d.createPort(ctx, s, sp, name)
	if err != nil {
		return nil, err
	}
	if err = d.createAddress(ctx, s, sp, port.ID, name); err == nil {
		opts := d.options(o, sp)
		opts.Name = name
		networks := opts.Networks.([]servers.Network)
		networks[0] = servers.Network{Port: port.ID}
		if err = d.writes.Wait(ctx); err == nil && d.late(h) {
			err = errLate
		} else if err == nil {
			var made *servers.Server
			if made, err = d.post(ctx, s, opts, sp); err == nil {
				return made, nil
			}
			if !refused(err) {
				return nil, fmt.Errorf("%w: %w", errSent, err)
			}
		}
	}
	if gone := d.deletePort(context.WithoutCancel(ctx), s, port.ID); gone != nil {
		err = fmt.Errorf("%w (its port %s stays for now: %v)", err, port.ID, gone)
	}
	return nil, err
}

func (d *Driver) createPort(ctx context.Context, s *session, sp spec, name string) (*ports.Port, error) {
	opts := ports.CreateOpts{NetworkID: sp.Networks[0], Name: name, Description: d.mark()}
	if len(sp.SecurityGroups) > 0 {
		opts.SecurityGroups = &sp.SecurityGroups
	}
	if err := d.writes.Wait(ctx); err != nil {
		return nil, err
	}
	port, err := ports.Create(ctx, s.network, opts).Extract()
	if err != nil {
		return nil, fmt.Errorf("make the port %s: %w", name, classify(err))
	}
	return port, nil
}

func (d *Driver) createAddress(ctx context.Context, s *session, sp spec, port, name string) error {
	if err := d.writes.Wait(ctx); err != nil {
		return err
	}
	_, err := floatingips.Create(ctx, s.network, floatingips.CreateOpts{
		FloatingNetworkID: sp.Floating, PortID: port, Description: d.addressMark(name),
	}).Extract()
	if err != nil {
		return fmt.Errorf("make a floating IP for the port %s: %w", name, classify(err))
	}
	return nil
}
