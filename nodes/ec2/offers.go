package ec2

import (
	"context"
	"slices"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// maxOffers bounds the offers of a place. Where the first twenty have nothing,
// the pool's next place is the better try.
const maxOffers = 20

// Offers implements nodes.Driver. It gives reservations first, then the
// markets in their order; in each the cheapest type in all zones, then the
// next type. Nothing is shuffled: the zones are tried as the configuration
// has them, and machines spread over zones and types because an offer that
// has run out is left alone for a while.
func (d *Driver) Offers(ctx context.Context, name string, need nodes.Need) ([]nodes.Offer, error) {
	p, err := d.place(name)
	if err != nil {
		return nil, err
	}
	from, there := p.Images[need.Arch]
	if !there {
		return nil, nil
	}
	subnets, err := d.subnetsOf(ctx, p)
	if err != nil {
		return nil, err
	}
	all, err := d.types.get(ctx, d.api)
	if err != nil {
		return nil, err
	}
	fit := choose(all, need, p.InstanceTypes, d.prices)
	if len(fit) == 0 && len(p.Reservations) == 0 {
		return nil, nil
	}
	base, err := d.baseSpec(ctx, p, from, need)
	if err != nil {
		return nil, err
	}
	held, err := d.reservationsOf(ctx, p)
	if err != nil {
		return nil, err
	}
	// Who names a reservation names its type.
	held = slices.DeleteFunc(slices.Clone(held), func(r reservation) bool { return len(choose(all, need, []string{r.Type}, nil)) == 0 })
	return d.offers(base, p, fit, subnets, held), nil
}

// baseSpec has what all offers of a place and need have in common.
func (d *Driver) baseSpec(ctx context.Context, p Place, from Image, need nodes.Need) (spec, error) {
	img, err := d.image(ctx, from, need.Arch)
	if err != nil {
		return spec{}, err
	}
	root := max(need.Disk, p.RootMin, int64(img.RootGiB)<<30)
	if root > maxVolume {
		return spec{}, configuration("a disk of %d bytes is not to be had: a gp3 volume has %d at most", root, int64(maxVolume))
	}
	s := spec{
		Version: specVersion, Image: img.ID, RootDevice: img.RootDevice, RootGiB: int32((root + 1<<30 - 1) >> 30),
		Groups: p.SecurityGroups, Profile: p.InstanceProfile, Key: p.KeyName, Public: p.PublicAddress, Tags: p.Tags,
		Reservation: p.reservationWord(),
	}
	if p.RootDevice != "" {
		s.RootDevice = p.RootDevice
	}
	s.Template, s.TemplateVersion, err = d.template(ctx, p.LaunchTemplate)
	return s, err
}

// maxVolume is what a gp3 volume may have, 16 TiB, as documented.
const maxVolume = 16 << 40

func (d *Driver) offers(base spec, p Place, fit []instanceType, subnets []subnet, held []reservation) []nodes.Offer {
	var offers []nodes.Offer
	add := func(t string, s subnet, m Market, reserved string) {
		x := base
		x.Type, x.Subnet, x.Zone, x.Market = t, s.ID, s.Zone, m
		if reserved != "" {
			x.Reservation = reserved
		}
		name := x.name()
		if slices.ContainsFunc(subnets, func(o subnet) bool { return o.Zone == s.Zone && o.ID != s.ID }) {
			name += ", " + s.ID
		}
		offers = append(offers, nodes.Offer{Name: name, Spec: x.String(), Price: d.prices[t].of(m), Scopes: x.scopes()})
	}
	for _, r := range held {
		for _, s := range subnets {
			if s.Zone == r.Zone && len(offers) < maxOffers/2 {
				add(r.Type, s, OnDemand, r.ID)
			}
		}
	}
	markets := p.markets()
	for n, m := range markets {
		// Each market gets its part, so that many spot offers do not keep
		// on-demand ones out.
		until := len(offers) + (maxOffers-len(offers))/(len(markets)-n)
		for i := range fit {
			for _, s := range subnets {
				if len(offers) < until && fit[i].offered(s.Zone, m) {
					add(fit[i].Name, s, m, "")
				}
			}
		}
	}
	return offers
}

// offered reports whether a zone has the type in a market. Where EC2 said
// nothing of zones, the zone is tried.
func (t *instanceType) offered(zone string, m Market) bool {
	return (len(t.Zones) == 0 || slices.Contains(t.Zones, zone)) && !(m == Spot && t.NoSpot)
}

const (
	imageAge  = 5 * time.Minute  // how long an image's name stands for the same ID
	subnetAge = 30 * time.Minute // a subnet never moves
)
