package openstack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/availabilityzones"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/external"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"

	"github.com/batchctl/batchctl/nodes"
)

// Check tries what the driver needs without making anything: the login, the
// quota, and all that each place names. What machines need is not looked at.
func (d *Driver) Check(ctx context.Context, _ nodes.Need) []nodes.Finding {
	s, err := d.session(ctx)
	if err != nil {
		hint := "see that Keystone can be reached from here"
		if nodes.ClassOf(err) == nodes.Configuration {
			hint = "see that the credential is right, has not expired, and that the region is one of the catalog"
		}
		return []nodes.Finding{{Level: nodes.Failure, Text: err.Error(), Hint: hint}}
	}
	c := &checking{d: d, s: s}
	c.ok("project %s at %s, roles %s", s.project, d.cfg.AuthURL, strings.Join(s.roles, ", "))
	if slices.Contains(s.roles, "admin") {
		c.warn("give it a user of the role member: these machines need no more", "the user is an administrator of the cloud")
	}
	c.claims(ctx, c.quota(ctx))
	zones := c.zones(ctx)
	for _, name := range slices.Sorted(maps.Keys(d.cfg.Places)) {
		c.name = name
		c.place(ctx, d.cfg.Places[name], zones)
	}
	return c.found
}

// checking is one run of Check.
type checking struct {
	d     *Driver
	s     *session
	name  string // of the place
	found []nodes.Finding
}

func (c *checking) add(level nodes.Level, hint, format string, args ...any) {
	c.found = append(c.found, nodes.Finding{Place: c.name, Level: level, Text: fmt.Sprintf(format, args...), Hint: hint})
}
func (c *checking) ok(format string, args ...any) { c.add(nodes.Fine, "", format, args...) }
func (c *checking) warn(hint, format string, args ...any) {
	c.add(nodes.Warning, hint, format, args...)
}
func (c *checking) fail(hint, format string, args ...any) {
	c.add(nodes.Failure, hint, format, args...)
}

// quota says how much is in use, and returns how many key pairs there may be.
func (c *checking) quota(ctx context.Context) (keyPairs int) {
	all, keyPairs, err := c.s.quota(ctx)
	if err != nil {
		c.fail("let the role read os_compute_api:limits", "the quota cannot be read: %v", err)
		return -1
	}
	for _, u := range all {
		switch {
		case u.most < 0:
			c.ok("quota: %d %s in use, no limit", u.used, u.what)
		case u.full():
			c.warn("delete what is not needed, or ask for a larger quota", "quota: %d of %d %s in use", u.used, u.most, u.what)
		default:
			c.ok("quota: %d of %d %s in use", u.used, u.most, u.what)
		}
	}
	return keyPairs
}

// fewKeyPairs is how many key pairs should be free: orders on their way have
// one each.
const fewKeyPairs = 20

// claims sees whether there is room for key pairs, which orders need.
func (c *checking) claims(ctx context.Context, most int) {
	pages, err := keypairs.List(c.s.compute, keypairs.ListOpts{}).AllPages(ctx)
	var all []keypairs.KeyPair
	if err == nil {
		all, err = keypairs.ExtractKeyPairs(pages)
	}
	switch {
	case err != nil:
		c.fail("let the role make, read and delete its own key pairs: by them an order is sent once", "key pairs cannot be listed: %v", classify(err))
	case most >= 0 && len(all)+fewKeyPairs > most:
		c.warn("delete key pairs of this user that nobody needs", "the user has %d of %d key pairs, and each order needs one while it is sent", len(all), most)
	}
}

func (c *checking) zones(ctx context.Context) []string {
	pages, err := availabilityzones.List(c.s.compute).AllPages(ctx)
	if err != nil {
		c.warn("let the role list availability zones", "the zones cannot be listed: %v", classify(err))
		return nil
	}
	all, err := availabilityzones.ExtractAvailabilityZones(pages)
	if err != nil {
		c.warn("", "the zones cannot be read: %v", err)
		return nil
	}
	var names []string
	for _, z := range all {
		if z.ZoneState.Available {
			names = append(names, z.ZoneName)
		}
	}
	return names
}

func (c *checking) place(ctx context.Context, p Place, zones []string) {
	base, image, err := c.d.resolve(ctx, c.s, p)
	if err != nil {
		c.fail("name what is there, by its ID where a name is not clear", "%v", err)
		return
	}
	c.ok("image %s (%s), %d networks", image.Name, image.ID, len(base.Networks))
	for _, zone := range p.Zones {
		if zones != nil && !slices.Contains(zones, zone) {
			c.fail("take one of: "+strings.Join(zones, ", "), "the zone %s is not there", zone)
		}
	}
	if p.KeyName != "" {
		if _, err := keypairs.Get(ctx, c.s.compute, p.KeyName, nil).Extract(); err != nil {
			c.fail("make it as the user that the machines are made by: key pairs belong to users", "the key pair %s: %v", p.KeyName, classify(err))
		}
	}
	c.floating(ctx, base)
	c.flavors(ctx, p)
}

func (c *checking) floating(ctx context.Context, base spec) {
	if base.Floating == "" {
		return
	}
	var network struct {
		networks.Network
		external.NetworkExternalExt
	}
	err := networks.Get(ctx, c.s.network, base.Floating).ExtractInto(&network)
	switch {
	case err != nil:
		c.fail("", "the floating network cannot be read: %v", classify(err))
	case !network.External:
		c.fail("name an external network: openstack network list --external", "the network %s is not external, and gives no floating IPs", network.Name)
	default:
		c.ok("floating IPs of %s", network.Name)
	}
}

func (c *checking) flavors(ctx context.Context, p Place) {
	all, err := c.d.flavors(ctx, c.s)
	if err != nil {
		c.fail("", "the flavours cannot be listed: %v", err)
		return
	}
	var names []string
	known := map[string]bool{}
	for _, f := range all {
		names = append(names, f.Name)
		known[f.Name], known[f.ID] = true, true
	}
	slices.Sort(names)
	for _, f := range p.Flavors {
		if !known[f] {
			c.fail("take some of: "+strings.Join(names, ", "), "the flavour %s is not there", f)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(p.Prices)) {
		if !known[f] {
			c.warn("prices are by the flavour's name: "+strings.Join(names, ", "), "a price is given for %s, which is no flavour", f)
		}
	}
	if len(p.Flavors) == 0 {
		c.ok("any of %d flavours", len(all))
	} else {
		c.ok("flavours %s", strings.Join(p.Flavors, ", "))
	}
}
