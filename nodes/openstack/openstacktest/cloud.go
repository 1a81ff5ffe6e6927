// Package openstacktest gives tests and benchmarks projects of their own in a
// running OpenStack, and a proxy before it that loses, delays and garbles.
package openstacktest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/quotasets"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
)

// Cloud is an OpenStack as its administrator sees it.
type Cloud struct {
	AuthURL, Region            string
	Identity, Compute, Network *gophercloud.ServiceClient
	Microversion               string // the newest that Nova knows: 2.93
}

// Account says who somebody is in a cloud: a user and a project, both of the
// domain Default.
type Account struct{ AuthURL, Region, User, Password, Project string }

// Open logs in as an administrator.
func Open(ctx context.Context, admin Account) (*Cloud, error) {
	provider, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: admin.AuthURL, Username: admin.User, Password: admin.Password, DomainName: "Default", AllowReauth: true,
		Scope: &gophercloud.AuthScope{ProjectName: admin.Project, DomainName: "Default"},
	})
	if err != nil {
		return nil, err
	}
	where := gophercloud.EndpointOpts{Region: admin.Region}
	c := &Cloud{AuthURL: admin.AuthURL, Region: admin.Region}
	var errs [3]error
	c.Identity, errs[0] = openstack.NewIdentityV3(provider, where)
	c.Compute, errs[1] = openstack.NewComputeV2(provider, where)
	c.Network, errs[2] = openstack.NewNetworkV2(provider, where)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	var about struct {
		Version struct{ Version string }
	}
	if _, err := c.Compute.Get(ctx, c.Compute.Endpoint, &about, nil); err != nil {
		return nil, err
	}
	c.Microversion = about.Version.Version
	c.Compute.Microversion = "2.67"
	return c, nil
}

// Project is a project with one user in it, of the role member.
type Project struct {
	Account
	ID     string
	UserID string
	cloud  *Cloud
}

// NewProject makes a project without limits.
func (c *Cloud) NewProject(ctx context.Context) (*Project, error) {
	name := "test-" + strings.ToLower(rand.Text()[:12])
	p := &Project{Account: Account{AuthURL: c.AuthURL, Region: c.Region, User: name, Password: rand.Text(), Project: name}, cloud: c}
	project, err := projects.Create(ctx, c.Identity, projects.CreateOpts{Name: name, DomainID: "default"}).Extract()
	if err != nil {
		return nil, err
	}
	p.ID = project.ID
	user, err := users.Create(ctx, c.Identity, users.CreateOpts{Name: name, DomainID: "default", Password: p.Password}).Extract()
	if err != nil {
		return nil, err
	}
	p.UserID = user.ID
	pages, err := roles.List(c.Identity, roles.ListOpts{Name: "member"}).AllPages(ctx)
	if err != nil {
		return nil, err
	}
	found, err := roles.ExtractRoles(pages)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d roles are called member", len(found))
	}
	err = roles.Assign(ctx, c.Identity, found[0].ID, roles.AssignOpts{UserID: user.ID, ProjectID: project.ID}).ExtractErr()
	if err != nil {
		return nil, err
	}
	return p, p.Limit(ctx, -1)
}

// Limit sets how many servers the project may have; -1: any number.
func (p *Project) Limit(ctx context.Context, most int) error {
	none, pairs := -1, 1000
	_, err := quotasets.Update(ctx, p.cloud.Compute, p.ID, quotasets.UpdateOpts{
		Instances: &most, Cores: &none, RAM: &none, KeyPairs: &pairs,
	}).Extract()
	return err
}

// Ports returns how many ports the project has.
func (p *Project) Ports(ctx context.Context) (int, error) {
	pages, err := ports.List(p.cloud.Network, ports.ListOpts{ProjectID: p.ID}).AllPages(ctx)
	if err != nil {
		return 0, err
	}
	all, err := ports.ExtractPorts(pages)
	return len(all), err
}

// Remove deletes the project and its user, and first the servers that are
// still in it: they would go on for ever. It is an error that there are any.
func (p *Project) Remove(ctx context.Context) error {
	var problems []error
	pages, err := servers.List(p.cloud.Compute, servers.ListOpts{AllTenants: true, TenantID: p.ID}).AllPages(ctx)
	if err == nil {
		var left []servers.Server
		left, err = servers.ExtractServers(pages)
		for _, s := range left {
			problems = append(problems, fmt.Errorf("the server %s (%s) was left in project %s", s.Name, s.Status, p.Project),
				servers.Delete(ctx, p.cloud.Compute, s.ID).ExtractErr())
		}
	}
	return errors.Join(errors.Join(problems...), err,
		users.Delete(ctx, p.cloud.Identity, p.UserID).ExtractErr(),
		projects.Delete(ctx, p.cloud.Identity, p.ID).ExtractErr())
}
