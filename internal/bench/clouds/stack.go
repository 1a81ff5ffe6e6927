package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/openstack"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

// dice are numbers from 0 to 1 for several goroutines, always the same ones.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice() *dice { return &dice{rng: rand.New(rand.NewPCG(1, 2))} }

func (d *dice) roll() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.Float64()
}

// stack is a project of a real OpenStack behind a gateway that has faults,
// and the same without.
type stack struct {
	cloud   *openstacktest.Cloud
	project *openstacktest.Project
	gateway string
	driver  nodes.Driver
}

// newStack makes the project in the OpenStack of scripts/openstack/up.sh.
func newStack(ctx context.Context, faults *dice) (*stack, error) {
	dir := os.Getenv("OPENSTACK_STATE")
	if dir == "" {
		dir = "/var/tmp/openstack-fixture"
	}
	text, err := os.ReadFile(filepath.Join(dir, "clouds.yaml"))
	if err != nil {
		return nil, fmt.Errorf("no OpenStack is here: scripts/openstack/up.sh starts one: %w", err)
	}
	var clouds struct {
		Clouds map[string]struct {
			Region string `yaml:"region_name"`
			Auth   struct {
				URL      string `yaml:"auth_url"`
				User     string `yaml:"username"`
				Password string `yaml:"password"`
				Project  string `yaml:"project_name"`
			}
		}
	}
	if err := yaml.Unmarshal(text, &clouds); err != nil {
		return nil, err
	}
	admin := clouds.Clouds["admin"]
	o := &stack{}
	o.cloud, err = openstacktest.Open(ctx, openstacktest.Account{AuthURL: admin.Auth.URL, Region: admin.Region, User: admin.Auth.User, Password: admin.Auth.Password, Project: admin.Auth.Project})
	if err != nil {
		return nil, err
	}
	if o.project, err = o.cloud.NewProject(ctx); err != nil {
		return nil, err
	}
	if err := o.project.Limit(ctx, stackRoom); err != nil {
		return nil, err
	}
	if o.gateway, err = listenGateway(faults); err != nil {
		return nil, err
	}
	p := o.project
	o.driver, err = openstack.New(openstack.Config{Owner: owner, AuthURL: p.AuthURL, Region: p.Region, User: p.User, Password: p.Password, Project: p.Project,
		Places: map[string]openstack.Place{"idc-seoul": {Image: "cirros", Networks: []string{"private"}}}})
	return o, err
}

// yaml is this cloud in the configuration of a provisioner.
func (o *stack) yaml() string {
	return fmt.Sprintf(`  idc:
    driver: openstack
    auth_url: %s
    user: %s
    password_file: password
    project: %s
    every: 3s
    settle: 15s
    places: {idc-seoul: {image: cirros, networks: [private], flavors: [m1.tiny]}}
`, through(o.gateway, o.project.AuthURL), o.project.User, o.project.Project)
}

func (o *stack) password(dir string) error {
	return os.WriteFile(filepath.Join(dir, "password"), []byte(o.project.Password), 0o600)
}

// left says what is there of ours.
func (o *stack) left(ctx context.Context) (string, error) {
	vms, err := o.driver.List(ctx)
	if err != nil {
		return "", err
	}
	pages, err := ports.List(o.cloud.Network, ports.ListOpts{ProjectID: o.project.ID}).AllPages(ctx)
	if err != nil {
		return "", err
	}
	there, err := ports.ExtractPorts(pages)
	return fmt.Sprintf("%d machines, %d ports", len(vms), len(there)), err
}

func (o *stack) remove(ctx context.Context) {
	if err := o.project.Remove(context.WithoutCancel(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, "clouds: the project stays:", err)
	}
}

// through is an address behind the gateway.
func through(gateway, address string) string {
	return gateway + "/" + strings.TrimPrefix(address, "http://")
}
