package ec2

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/batchctl/batchctl/nodes"
)

// fewAddresses is how many free addresses of a subnet are worth a word.
const fewAddresses = 50

// Check tries each place with the least it can: it looks at subnets, image,
// template and reservations, and asks EC2 whether the first offer's call would
// be allowed (a dry run, which makes nothing). need is the machine that is
// asked for; its Arch is replaced by each that the place has an image for.
func (d *Driver) Check(ctx context.Context, need nodes.Need) []nodes.Finding {
	c := &checks{Driver: d, need: need}
	if vms, err := d.List(ctx); err != nil {
		c.fail("", err)
		return c.found
	} else {
		c.say("", nodes.Fine, fmt.Sprintf("%d machines of %s in %s", len(vms), d.cfg.Owner, d.cfg.Region), "")
	}
	for _, name := range slices.Sorted(maps.Keys(d.cfg.Places)) {
		p := d.cfg.Places[name]
		c.network(ctx, name, p)
		for _, arch := range slices.Sorted(maps.Keys(p.Images)) {
			c.offer(ctx, name, arch)
		}
	}
	return c.found
}

type checks struct {
	*Driver
	need  nodes.Need
	found []nodes.Finding
}

func (c *checks) say(place string, level nodes.Level, text, hint string) {
	c.found = append(c.found, nodes.Finding{Place: place, Level: level, Text: text, Hint: hint})
}

// fail tells an error; where EC2 only could not be asked that is a failure
// too, as nothing was seen to work.
func (c *checks) fail(place string, err error) {
	hint := ""
	if nodes.ClassOf(err) == nodes.Unsure {
		hint = "may this host connect to EC2, and are there credentials?"
	}
	c.say(place, nodes.Failure, err.Error(), hint)
}

func (c *checks) network(ctx context.Context, name string, p Place) {
	found, err := c.findSubnets(ctx, p.Subnets)
	if err != nil {
		c.fail(name, err)
		return
	}
	for _, id := range p.Subnets {
		i := slices.IndexFunc(found, func(s subnet) bool { return s.ID == id })
		switch {
		case i < 0:
			c.say(name, nodes.Failure, "subnet "+id+" is not there", "name a subnet of this region and account")
		case found[i].Free < fewAddresses:
			c.say(name, nodes.Warning, fmt.Sprintf("subnet %s (%s) has %d free addresses", id, found[i].Zone, found[i].Free), "use a larger subnet, or more of them")
		default:
			c.say(name, nodes.Fine, fmt.Sprintf("subnet %s (%s) has %d free addresses", id, found[i].Zone, found[i].Free), "")
		}
	}
}

// offer tries the first offer for a processor.
func (c *checks) offer(ctx context.Context, name, arch string) {
	need := c.need
	need.Arch = arch
	offers, err := c.Offers(ctx, name, need)
	if err != nil {
		c.fail(name, err)
		return
	}
	if len(offers) == 0 {
		c.say(name, nodes.Warning, fmt.Sprintf("no instance type gives %s", need), "allow more or larger types")
		return
	}
	s, err := parseSpec(offers[0].Spec)
	if err != nil {
		c.fail(name, err)
		return
	}
	in := c.request(&nodes.Order{ID: "check", Place: name, Count: 1}, s)
	in.DryRun = aws.Bool(true)
	_, err = c.api.RunInstances(ctx, in)
	what := fmt.Sprintf("%d offers for %s, %s first", len(offers), need, offers[0].Name)
	switch said := explain("RunInstances", err, s); {
	case codeOf(err) == "DryRunOperation":
		c.say(name, nodes.Fine, what+"; image "+s.Image+"; EC2 would take the order", "")
	case err == nil:
		c.fail(name, errors.New("EC2 made a machine where only a dry run was asked for: look for one called check"))
	case nodes.ClassOf(said) == nodes.NoCapacity, nodes.ClassOf(said) == nodes.Quota, nodes.ClassOf(said) == nodes.Throttled:
		c.say(name, nodes.Warning, what+": "+said.Error(), "")
	default:
		c.fail(name, fmt.Errorf("%s: %w", what, said))
	}
}
