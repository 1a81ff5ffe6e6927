package main

import (
	"context"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
	"github.com/batchctl/batchctl/nodes/local"
	"github.com/batchctl/batchctl/nodes/openstack"
)

// How many machines go out in one order, where the configuration does not
// say. EC2 takes two calls a second, and its machines can prove which they
// are; of OpenStack's, all of a call fail where there is no room for one.
const (
	ec2Batch    = 100
	othersBatch = 10
)

// newCloud makes a cloud as it is configured. It asks nobody yet.
func newCloud(owner string, cfg Cloud) (nodes.Cloud, error) {
	c := nodes.Cloud{Limit: cfg.Limit, Every: cfg.Every, Calls: cfg.Calls, Batch: cfg.Batch, NAT: cfg.NAT}
	if c.Batch == 0 {
		c.Batch = othersBatch
		if cfg.EC2 != nil {
			c.Batch = ec2Batch
		}
	}
	switch {
	case cfg.Local != nil:
		d, err := newLocal(owner, cfg)
		c.Driver = d
		return c, err
	case cfg.EC2 != nil:
		d, err := newEC2(owner, cfg)
		if c.Driver = d; err == nil && len(cfg.EC2.IdentityCerts) > 0 {
			c.Prover = d
		}
		return c, err
	case cfg.OpenStack != nil:
		d, err := newOpenStack(owner, cfg)
		c.Driver = d
		return c, err
	}
	panic("provisioner: no driver " + cfg.Driver)
}

// newLocal makes the driver of a local cloud.
func newLocal(owner string, cfg Cloud) (*local.Driver, error) {
	return local.New(local.Config{
		Dir: cfg.Local.Dir, Owner: owner, Max: cfg.Limit, Path: cfg.Local.Path, Env: cfg.Local.Env,
		Cgroup: cfg.Local.Cgroup, KeepLogs: cfg.Local.KeepLogs,
	})
}

// tester is a driver that can try its cloud.
type tester interface {
	Check(ctx context.Context, need nodes.Need) []nodes.Finding
}

// amazon is the driver ec2. The SDK's client of EC2 takes minutes to compile,
// so a program for a first look may be built without it (tag noec2).
type amazon interface {
	nodes.Driver
	nodes.Prover
	tester
}

// newOpenStack makes the driver of a project in OpenStack.
func newOpenStack(owner string, cfg Cloud) (*openstack.Driver, error) {
	c, err := cfg.OpenStack.config(owner)
	if err != nil {
		return nil, err
	}
	return openstack.New(c)
}

// userData returns how machines of the cloud are told what to run.
func (c *Cloud) userData() userData {
	switch {
	case c.EC2 != nil && len(c.EC2.IdentityCerts) > 0:
		return cloudInit(bootstrap.IdentifyOnEC2)
	case c.EC2 != nil || c.OpenStack != nil:
		return cloudInit(bootstrap.IdentifyByCloudInit)
	}
	return localData
}
