package openstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

const (
	polls = 240
	poll  = 250 * time.Millisecond // each look costs the cloud more than a look at a clock
)

// lab is a project of its own in a real OpenStack, with a proxy before it.
type lab struct {
	*testing.T
	cloud   *openstacktest.Cloud
	project *openstacktest.Project
	proxy   *openstacktest.Proxy
	direct  *Driver // past the proxy
	orders  atomic.Int64
}

// need fits m1.tiny and all that are larger.
var need = nodes.Need{CPU: 1, Memory: 512 << 20, Disk: 1 << 30, Arch: "amd64"}

func newLab(t *testing.T) *lab {
	t.Helper()
	o := testenv.RunningOpenStack(t)
	ctx := context.Background()
	cloud, err := openstacktest.Open(ctx, openstacktest.Account{AuthURL: o.AuthURL, Region: o.Region, User: o.User, Password: o.Password, Project: o.Project})
	if err != nil {
		t.Fatal(err)
	}
	testenv.RanOpenStack(t, cloud.Microversion)
	l := &lab{T: t, cloud: cloud, proxy: openstacktest.NewProxy(time.Second)}
	t.Cleanup(l.proxy.Close)
	if l.project, err = cloud.NewProject(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.project.Remove(ctx); err != nil {
			t.Error(err)
		}
	})
	l.direct = l.driver("lab", func(c *Config) { c.Transport = nil })
	t.Cleanup(func() { l.used() })
	return l
}

// config is that of a driver in the lab.
func (l *lab) config(owner string) Config {
	p := l.project
	private := Place{Image: "cirros", Networks: []string{"private"}}
	one, two, floating := private, private, private
	one.Zones, two.Zones = []string{"az-1", "az-2"}, []string{"az-2", "az-1"}
	floating.FloatingNetwork = "public"
	return Config{
		Owner: owner, AuthURL: p.AuthURL, Region: p.Region, User: p.User, Password: p.Password, Project: p.Project,
		Places: map[string]Place{"one": one, "two": two, "floating": floating},
		Settle: 10 * time.Second, RemainsEvery: time.Second, CallsPerSecond: 1000, Transport: l.proxy.Transport(),
	}
}

func (l *lab) driver(owner string, change ...func(*Config)) *Driver {
	l.Helper()
	c := l.config(owner)
	for _, f := range change {
		f(&c)
	}
	d, err := New(c)
	if err != nil {
		l.Fatal(err)
	}
	return d
}

// order returns an order for the first offer of a place.
func (l *lab) order(place string, count int) nodes.Order {
	l.Helper()
	offers, err := l.direct.Offers(context.Background(), place, need)
	if err != nil || len(offers) == 0 {
		l.Fatalf("%s offers %v, %v", place, offers, err)
	}
	return nodes.Order{
		ID: fmt.Sprintf("order-%d", l.orders.Add(1)), Place: place, Count: count, Need: need, Offer: offers[0],
		Stored: time.Now(), UserData: "#!/bin/sh\nexit 0\n",
	}
}

// until repeats a call until it has no error.
func (l *lab) until(what string, call func() error) {
	l.Helper()
	var err error
	for range polls {
		if err = call(); err == nil {
			return
		}
		time.Sleep(poll)
	}
	l.Fatalf("it still does not hold that %s: %v", what, err)
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// member returns the project's own clients.
func (l *lab) member() *session {
	l.Helper()
	s, err := l.direct.session(context.Background())
	l.must(err)
	return s
}

// action has a client do something to a server.
func (l *lab) action(client *gophercloud.ServiceClient, id, body string) {
	l.Helper()
	_, err := client.Post(context.Background(), client.ServiceURL("servers", id, "action"), strings.NewReader(body), nil,
		&gophercloud.RequestOpts{MoreHeaders: map[string]string{"Content-Type": "application/json"}, OkCodes: []int{202}})
	l.must(err)
}

// clear destroys all machines of an owner.
func (l *lab) clear(owner string) {
	l.Helper()
	d := l.driver(owner)
	l.until("all machines of "+owner+" are gone", func() error {
		vms, err := d.List(context.Background())
		if err == nil && len(vms) > 0 {
			err = errors.Join(fmt.Errorf("%d machines are there", len(vms)), d.Destroy(context.Background(), ids(vms)...))
		}
		return err
	})
}

func ids(vms []nodes.VM) []string {
	ids := make([]string, len(vms))
	for i, vm := range vms {
		ids[i] = vm.ID
	}
	return ids
}

// suite is the lab as the conformance suite wants it.
func (l *lab) suite() nodetest.DriverLab {
	place := func() string { return []string{"one", "two"}[l.orders.Load()%2] } // each on one host
	return nodetest.DriverLab{
		New:    func(owner string) nodes.Driver { return l.driver(owner) },
		Order:  func(count int) nodes.Order { return l.order(place(), count) },
		Pause:  func() { time.Sleep(poll) },
		Polls:  polls,
		Many:   20,
		Force:  l.force,
		Short:  l.short,
		Refuse: l.refuse,
		Leave:  l.leave,
		Kill: func(t *testing.T, id string) {
			s := l.member()
			l.until("the server is active", func() error {
				server, err := servers.Get(context.Background(), s.compute, id).Extract()
				if err == nil && server.Status != "ACTIVE" {
					err = errors.New(server.Status)
				}
				return err
			})
			l.action(s.compute, id, `{"os-stop": null}`)
		},
		Hold: func(t *testing.T, id string) func() {
			l.action(l.cloud.Compute, id, `{"lock": null}`) // an administrator's lock binds the user
			return func() { l.action(l.cloud.Compute, id, `{"unlock": null}`) }
		},
	}
}

// creates reports whether a call makes servers.
func creates(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/servers")
}

// fault has the proxy treat creates in a way.
func (l *lab) fault(f openstacktest.Fault) (heal func()) {
	l.proxy.Set(func(r *http.Request) openstacktest.Fault {
		if creates(r) {
			return f
		}
		return openstacktest.None
	})
	return func() { l.proxy.Set(nil) }
}

func (l *lab) force(t *testing.T, class nodes.Class) (*nodes.Order, func()) {
	o := l.order("one", 2)
	switch class {
	case nodes.Quota:
		l.must(l.project.Limit(context.Background(), 0))
		return &o, func() { l.must(l.project.Limit(context.Background(), -1)) }
	case nodes.Throttled:
		return &o, l.fault(openstacktest.TooMany)
	case nodes.Unsure:
		return &o, l.fault(openstacktest.Page)
	case nodes.Configuration:
		id := "flavor-" + strings.ToLower(l.project.User)
		o.Offer.Spec = strings.Replace(o.Offer.Spec, `"flavor":"`, `"flavor":"`+id+`","was":"`, 1)
		disk := 1
		return &o, func() {
			made, err := flavors.Create(context.Background(), l.cloud.Compute, flavors.CreateOpts{Name: id, ID: id, RAM: 512, VCPUs: 1, Disk: &disk}).Extract()
			l.must(err)
			t.Cleanup(func() { l.must(flavors.Delete(context.Background(), l.cloud.Compute, made.ID).ExtractErr()) })
		}
	}
	return nil, nil
}

func (l *lab) short(*testing.T) (nodes.Order, int, func()) {
	l.must(l.project.Limit(context.Background(), 2))
	return l.order("one", 3), 2, func() { l.must(l.project.Limit(context.Background(), -1)) }
}

func (l *lab) refuse(*testing.T) (nodes.Order, func()) {
	o := l.order("one", 2)
	offers, err := l.direct.Offers(context.Background(), "one", nodes.Need{CPU: 4000})
	if err != nil || len(offers) == 0 {
		l.Fatalf("offers: %v, %v", offers, err)
	}
	o.Offer = offers[0]
	return o, func() {}
}

// leave makes a port and a floating IP as a Launch that was cut off leaves them.
func (l *lab) leave(t *testing.T, id string) {
	d := l.driver("suite", func(c *Config) { c.Transport = nil })
	ctx := context.Background()
	s, err := d.session(ctx)
	l.must(err)
	server, err := servers.Get(ctx, s.compute, id).Extract()
	l.must(err)
	base, _, err := d.resolve(ctx, s, d.cfg.Places["floating"])
	l.must(err)
	port, err := d.createPort(ctx, s, base, server.Name)
	l.must(err)
	l.must(d.createAddress(ctx, s, base, port.ID, server.Name))
	t.Cleanup(func() {
		_, errPort := ports.Get(ctx, s.network, port.ID).Extract()
		left, err := floatingips.List(s.network, floatingips.ListOpts{}).AllPages(ctx)
		l.must(err)
		if empty, _ := left.IsEmpty(); !empty || statusOf(classify(errPort)) != http.StatusNotFound {
			t.Errorf("something is left: %v, %v", errPort, left)
		}
	})
}
