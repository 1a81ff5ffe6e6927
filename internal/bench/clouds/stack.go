package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/batchctl/batchctl/internal/testenv"
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
	found, err := testenv.FindOpenStack()
	if err != nil {
		return nil, fmt.Errorf("no OpenStack runs here; start one with scripts/openstack/up.sh: %w", err)
	}
	o := &stack{}
	o.cloud, err = openstacktest.Open(ctx, openstacktest.Account{AuthURL: found.AuthURL, Region: found.Region, User: found.User, Password: found.Password, Project: found.Project})
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
    limit: 70
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
	ports, err := o.project.Ports(ctx)
	return fmt.Sprintf("%d machines, %d ports", len(vms), ports), err
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
