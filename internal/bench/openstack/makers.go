package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	sdk "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/openstack"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

// need is that of the smallest flavour, m1.tiny.
var need = nodes.Need{CPU: 1, Memory: 512 << 20, Disk: 1 << 30, Arch: "amd64"}

// driver is ours.
type driver struct {
	*openstack.Driver
	orders int
}

func newDriver(p *openstacktest.Project) (*driver, error) {
	d, err := openstack.New(openstack.Config{
		Owner: "bench", AuthURL: p.AuthURL, Region: p.Region, User: p.User, Password: p.Password, Project: p.Project,
		CallsPerSecond: 1000, // the loop has no limit either
		Places:         map[string]openstack.Place{"bench": {Image: "cirros", Networks: []string{"private"}, Flavors: []string{"m1.tiny"}}},
	})
	return &driver{Driver: d}, err
}

func (d *driver) create(ctx context.Context) error {
	offers, err := d.Offers(ctx, "bench", need)
	if err != nil || len(offers) == 0 {
		return fmt.Errorf("offers %v: %w", offers, err)
	}
	var all errgroup.Group
	all.SetLimit(*parallel)
	for left := *machines; left > 0; left -= *group {
		d.orders++
		o := nodes.Order{
			ID: fmt.Sprintf("o-%d", d.orders), Place: "bench", Count: min(*group, left), Need: need, Offer: offers[0],
			Stored: time.Now(), UserData: "#!/bin/sh\n",
		}
		all.Go(func() error {
			vms, err := d.Launch(ctx, o)
			if err == nil && len(vms) != o.Count {
				err = fmt.Errorf("order %s gave %d of %d machines", o.ID, len(vms), o.Count)
			}
			return err
		})
	}
	return all.Wait()
}

func (d *driver) running(ctx context.Context) (n int, err error) {
	vms, err := d.List(ctx)
	for _, vm := range vms {
		if vm.State == nodes.VMRunning {
			n++
		}
	}
	return n, err
}

func (d *driver) destroy(ctx context.Context) (bool, error) {
	vms, err := d.List(ctx)
	if err != nil {
		return false, err
	}
	var ids []string
	for _, vm := range vms {
		if vm.State != nodes.VMEnding {
			ids = append(ids, vm.ID)
		}
	}
	return len(vms) == 0, d.Destroy(ctx, ids...)
}

// loop is what one writes with the SDK alone.
type loop struct {
	compute *gophercloud.ServiceClient
	same    struct { // as the driver's offer
		Flavor, Image string
		Networks      []string
	}
}

func newLoop(ctx context.Context, p *openstacktest.Project, d *driver) (*loop, error) {
	provider, err := sdk.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: p.AuthURL, Username: p.User, Password: p.Password, DomainName: "Default", AllowReauth: true,
		Scope: &gophercloud.AuthScope{ProjectName: p.Project, DomainName: "Default"},
	})
	if err != nil {
		return nil, err
	}
	compute, err := sdk.NewComputeV2(provider, gophercloud.EndpointOpts{Region: p.Region})
	if err != nil {
		return nil, err
	}
	compute.Microversion = "2.67"
	offers, err := d.Offers(ctx, "bench", need)
	if err != nil || len(offers) == 0 {
		return nil, fmt.Errorf("offers %v: %w", offers, err)
	}
	l := &loop{compute: compute}
	return l, json.Unmarshal([]byte(offers[0].Spec), &l.same)
}

func (l *loop) create(ctx context.Context) error {
	var all errgroup.Group
	all.SetLimit(*parallel)
	for i := range *machines {
		all.Go(func() error {
			_, err := servers.Create(ctx, l.compute, servers.CreateOpts{
				Name: fmt.Sprintf("loop-%d", i), FlavorRef: l.same.Flavor, ImageRef: l.same.Image,
				Networks: []servers.Network{{UUID: l.same.Networks[0]}},
			}, nil).Extract()
			return err
		})
	}
	return all.Wait()
}

func (l *loop) servers(ctx context.Context) ([]servers.Server, error) {
	pages, err := servers.List(l.compute, servers.ListOpts{}).AllPages(ctx)
	if err != nil {
		return nil, err
	}
	return servers.ExtractServers(pages)
}

func (l *loop) running(ctx context.Context) (n int, err error) {
	all, err := l.servers(ctx)
	for i := range all {
		if all[i].Status == "ACTIVE" {
			n++
		}
	}
	return n, err
}

func (l *loop) destroy(ctx context.Context) (bool, error) {
	there, err := l.servers(ctx)
	if err != nil {
		return false, err
	}
	var all errgroup.Group
	all.SetLimit(*parallel * 2) // as many as the driver
	for i := range there {
		if there[i].TaskState != "deleting" {
			all.Go(func() error {
				err := servers.Delete(ctx, l.compute, there[i].ID).ExtractErr()
				if gophercloud.ResponseCodeIs(err, 404) {
					return nil
				}
				return err
			})
		}
	}
	return len(there) == 0, all.Wait()
}
