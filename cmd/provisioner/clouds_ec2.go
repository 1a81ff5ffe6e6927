//go:build !noec2

package main

import (
	"context"
	"sync"

	"github.com/batchctl/batchctl/nodes/ec2"
)

var _ amazon = (*ec2.Driver)(nil)

// limits are those of each account and region of AWS: they bound all drivers
// of this process.
var limits struct {
	sync.Mutex
	of map[string]*ec2.Limits
}

// newEC2 makes the driver of a cloud in AWS.
func newEC2(owner string, cfg Cloud) (amazon, error) {
	c := cfg.EC2
	limits.Lock()
	defer limits.Unlock()
	account := c.Region + " " + c.Profile + " " + c.AssumeRole + " " + c.Endpoint
	if limits.of[account] == nil {
		if limits.of == nil {
			limits.of = map[string]*ec2.Limits{}
		}
		limits.of[account] = ec2.NewLimits()
	}
	return ec2.New(context.Background(), c.config(owner, limits.of[account]))
}

// config returns the driver's own form. Drivers of one account and region
// share limits.
func (c *EC2) config(owner string, limits *ec2.Limits) ec2.Config {
	out := ec2.Config{Owner: owner, Region: c.Region, Profile: c.Profile, AssumeRole: c.AssumeRole, ExternalID: c.ExternalID, Endpoint: c.Endpoint,
		Account: c.Account, PriceFile: c.PriceFile, CacheDir: c.CacheDir, IdentityCerts: c.IdentityCerts, Limits: limits, Places: map[string]ec2.Place{}}
	for name, p := range c.Places {
		place := ec2.Place{Subnets: p.Subnets, SecurityGroups: p.SecurityGroups, InstanceTypes: p.InstanceTypes, Images: map[string]ec2.Image{},
			InstanceProfile: p.InstanceProfile, KeyName: p.KeyName, PublicAddress: p.PublicAddress, Market: ec2.Market(p.Market), Reservations: p.Reservations,
			RootDevice: p.RootDevice, RootMin: int64(p.RootMin), Tags: p.Tags}
		for arch, image := range p.Images {
			place.Images[arch] = ec2.Image(image)
		}
		if p.LaunchTemplate != nil {
			place.LaunchTemplate = ec2.LaunchTemplate(*p.LaunchTemplate)
		}
		out.Places[name] = place
	}
	return out
}
