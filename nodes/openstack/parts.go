package openstack

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"

	"github.com/batchctl/batchctl/nodes"
)

// What a machine may leave behind; the IDs of such remains are KIND/UUID.
const (
	portKind    = "port"
	addressKind = "floating-ip"
)

// parts are the ports and addresses that we made.
type parts struct {
	ports     []ports.Port
	addresses []floatingips.FloatingIP
	driver    *Driver
}

// parts looks for ports and addresses, if it is time to; and lets claims go
// that nobody can be waiting on. Only places with floating IPs have any of
// the former: other ports are made by Nova, and go with the server.
func (d *Driver) parts(ctx context.Context, s *session) (p parts, look bool, err error) {
	p.driver = d
	d.mu.Lock()
	due := d.swept.IsZero() || d.cfg.Now().Sub(d.swept) >= d.cfg.RemainsEvery
	d.mu.Unlock()
	if !due {
		return p, false, nil
	}
	// Machines are seen without it; what is wrong with key pairs Launch says.
	_ = d.sweepClaims(ctx, s)
	if !d.floating() {
		return p, true, nil
	}
	if p.ports, err = d.listPorts(ctx, s, ports.ListOpts{Description: d.mark()}); err != nil {
		return p, false, err
	}
	pages, err := floatingips.List(s.network, floatingips.ListOpts{}).AllPages(ctx)
	if err != nil {
		return p, false, classify(err)
	}
	all, err := floatingips.ExtractFloatingIPs(pages)
	if err != nil {
		return p, false, err
	}
	p.addresses = slices.DeleteFunc(all, func(a floatingips.FloatingIP) bool { return !d.ownAddress(a) })
	return p, true, nil
}

func (d *Driver) listPorts(ctx context.Context, s *session, opts ports.ListOpts) ([]ports.Port, error) {
	pages, err := ports.List(s.network, opts).AllPages(ctx)
	if err != nil {
		return nil, classify(err)
	}
	all, err := ports.ExtractPorts(pages)
	return slices.DeleteFunc(all, func(p ports.Port) bool { return p.Description != d.mark() || !isUUID(p.ID) }), err
}

// addressMark is the description of an address. It has no name, and loses its
// port with the machine, so it says its order itself.
func (d *Driver) addressMark(port string) string { return d.mark() + " " + port }

func (d *Driver) ownAddress(a floatingips.FloatingIP) bool {
	return strings.HasPrefix(a.Description, d.mark()+" ") && isUUID(a.ID)
}

// left returns the ports and addresses whose server is not there. Those that
// were just made may be of an order on its way, and are passed over.
func (p *parts) left(there map[string]owned) []nodes.VM {
	var vms []nodes.VM
	used := map[string]bool{}
	settled := p.driver.cfg.Now().Add(-p.driver.cfg.Settle)
	for _, port := range p.ports {
		if _, used[port.ID] = there[port.DeviceID]; !used[port.ID] && port.CreatedAt.Before(settled) {
			vms = append(vms, nodes.VM{
				ID: portKind + "/" + port.ID, Order: p.driver.orderOfName(port.Name), State: nodes.VMEnding,
				Created: port.CreatedAt, Detail: "port without a server",
			})
		}
	}
	for _, a := range p.addresses {
		if !used[a.PortID] && a.CreatedAt.Before(settled) {
			_, name, _ := strings.Cut(a.Description, " ")
			vms = append(vms, nodes.VM{
				ID: addressKind + "/" + a.ID, Order: p.driver.orderOfName(name), State: nodes.VMEnding,
				Address: a.FloatingIP, Created: a.CreatedAt, Detail: "floating IP without a server",
			})
		}
	}
	return vms
}

// portsOf returns the ports that were made for a server. They have its name;
// that they are the server's Neutron knows only when it is being built.
func (d *Driver) portsOf(ctx context.Context, s *session, server, name string) (ids []string, err error) {
	found, err := d.listPorts(ctx, s, ports.ListOpts{Name: name, Description: d.mark()})
	for _, p := range found {
		if p.DeviceID == "" || p.DeviceID == server {
			ids = append(ids, p.ID)
		}
	}
	return ids, err
}

// isUsed reports whether a port has a server that is there. It may have got
// one since it was listed as left behind.
func (d *Driver) isUsed(ctx context.Context, s *session, id string) (bool, error) {
	port, err := ports.Get(ctx, s.network, id).Extract()
	if err = classify(err); statusOf(err) == http.StatusNotFound {
		return false, nil
	}
	if err != nil || port.DeviceID == "" {
		return false, err
	}
	_, err = servers.Get(ctx, s.compute, port.DeviceID).Extract()
	if err = classify(err); statusOf(err) == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// deletePort deletes a port of ours, and its address before it.
func (d *Driver) deletePort(ctx context.Context, s *session, id string) error {
	port, err := ports.Get(ctx, s.network, id).Extract()
	if err = classify(err); statusOf(err) == http.StatusNotFound {
		return nil
	}
	if err != nil || port.Description != d.mark() {
		return err
	}
	pages, err := floatingips.List(s.network, floatingips.ListOpts{PortID: id}).AllPages(ctx)
	if err != nil {
		return classify(err)
	}
	addresses, err := floatingips.ExtractFloatingIPs(pages)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		if err := d.deleteAddress(ctx, s, a.ID); err != nil {
			return err
		}
	}
	return d.write(ctx, func() error { return ports.Delete(ctx, s.network, id).ExtractErr() })
}

// deletePortLeft deletes a port that was left behind.
func (d *Driver) deletePortLeft(ctx context.Context, s *session, id string) error {
	if used, err := d.isUsed(ctx, s, id); used || err != nil {
		return err
	}
	return d.deletePort(ctx, s, id)
}

// deleteAddressLeft deletes a floating IP that was left behind.
func (d *Driver) deleteAddressLeft(ctx context.Context, s *session, id string) error {
	a, err := floatingips.Get(ctx, s.network, id).Extract()
	if err = classify(err); statusOf(err) == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if a.PortID != "" {
		if used, err := d.isUsed(ctx, s, a.PortID); used || err != nil {
			return err
		}
	}
	return d.deleteAddress(ctx, s, id)
}

// deleteAddress deletes a floating IP of ours.
func (d *Driver) deleteAddress(ctx context.Context, s *session, id string) error {
	a, err := floatingips.Get(ctx, s.network, id).Extract()
	if err = classify(err); statusOf(err) == http.StatusNotFound {
		return nil
	}
	if err != nil || !d.ownAddress(*a) {
		return err
	}
	return d.write(ctx, func() error { return floatingips.Delete(ctx, s.network, id).ExtractErr() })
}

// write deletes something, now or when the limiter lets it; what is not there
// is deleted.
func (d *Driver) write(ctx context.Context, call func() error) error {
	if err := d.writes.Wait(ctx); err != nil {
		return err
	}
	if err := classify(call()); statusOf(err) != http.StatusNotFound {
		return err
	}
	return nil
}

// deletePart deletes what was left behind, and lists it no longer.
func (d *Driver) deletePart(ctx context.Context, s *session, id string, call func() error) error {
	if err := call(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.swept = time.Time{} // look again: it may have been another owner's, or have brought others to light
	return nil
}

// sweepClaims lets claims go that are far older than any create can be.
func (d *Driver) sweepClaims(ctx context.Context, s *session) error {
	all, err := keyPairs(ctx, s)
	if err != nil {
		return err
	}
	for _, k := range all {
		if strings.HasPrefix(k.Name, d.claimPrefix()) && d.claims.ancient(strings.TrimSpace(k.PublicKey), d.cfg.Now(), d.cfg.Settle) {
			if err := d.write(ctx, func() error { return keypairs.Delete(ctx, s.compute, k.Name, nil).ExtractErr() }); err != nil {
				return err
			}
		}
	}
	return nil
}
