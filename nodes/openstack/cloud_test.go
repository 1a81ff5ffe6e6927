package openstack

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/quotas"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"

	"github.com/batchctl/batchctl/nodes"
)

// launch launches an order; none of these tests has faults. On a busy host its
// turn may come too late, and it is sent again, as a provisioner does.
func (l *lab) launch(d *Driver, o nodes.Order) (vms []nodes.VM) {
	l.Helper()
	l.until("the order has been sent", func() (err error) {
		if vms, err = d.Launch(context.Background(), o); err != nil && !errors.Is(err, errLate) {
			l.Fatal(err)
		}
		return err
	})
	return vms
}

func (l *lab) list(d *Driver) map[string]nodes.VM {
	l.Helper()
	vms, err := d.List(context.Background())
	l.must(err)
	all := map[string]nodes.VM{}
	for _, vm := range vms {
		all[vm.ID] = vm
	}
	return all
}

// running waits until a machine runs, and returns it.
func (l *lab) running(d *Driver, id string) nodes.VM {
	l.Helper()
	var vm nodes.VM
	l.until(id+" runs", func() error {
		if vm = l.list(d)[id]; vm.State != nodes.VMRunning {
			return errAgain
		}
		return nil
	})
	return vm
}

var errAgain = &nodes.CloudError{Err: context.DeadlineExceeded}

// Users' data, tags and metadata arrive unchanged; a machine that has powered
// itself off is ending; a server that is not ours is neither listed nor
// deleted; a token that was taken away is replaced, while working.
func TestMachine(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newLab(t)
	d := l.driver("own")
	o := l.order("one", 1)
	o.UserData = "#!/bin/sh\necho 'ünï ${x}' \"$@\"\n"
	vm := l.launch(d, o)[0]
	s := l.member()
	stranger, err := servers.Create(ctx, s.compute, d.options(nodes.Order{ID: "x"}, spec{}), nil).Extract()
	if err == nil {
		t.Fatalf("a server without a name was made: %v", stranger)
	}
	opts := d.options(o, must(readOrder(o)))
	opts.Name, opts.Tags = vm.ID, []string{"batchctl:owner=own-2", "batchctl:order=" + o.ID}
	stranger, err = servers.Create(ctx, s.compute, opts, nil).Extract()
	l.must(err)
	if got := l.running(d, vm.ID); got.Order != o.ID || got.Detail != "m1.tiny, az-1" || !strings.HasPrefix(got.Address, "10.0.") || got.Created.IsZero() {
		t.Errorf("the machine is %+v", got)
	}
	full, err := servers.Get(ctx, l.cloud.Compute, vm.ID).Extract()
	l.must(err)
	text, err := base64.StdEncoding.DecodeString(*full.Userdata)
	if err != nil || string(text) != o.UserData || full.Metadata["batchctl:place"] != "one" {
		t.Errorf("the user data is %q, %v; metadata %v", text, err, full.Metadata)
	}

	d = l.driver("own") // with a token that Nova has not seen: it believes what it has seen for minutes
	current, err := d.session(ctx)
	l.must(err)
	old := current.provider.Token()
	l.must(tokens.Revoke(ctx, l.cloud.Identity, old).Err)
	if _, there := l.list(d)[stranger.ID]; there {
		t.Error("another's server is listed")
	}
	if current.provider.Token() == old {
		t.Error("the token is the one that was taken away")
	}
	l.must(d.Destroy(ctx, stranger.ID))
	if got, err := servers.Get(ctx, s.compute, stranger.ID).Extract(); err != nil || got.TaskState == "deleting" {
		t.Errorf("another's server was deleted: %v, %v", got, err)
	}
	l.action(s.compute, vm.ID, `{"os-stop": null}`)
	l.until("the machine is off", func() error {
		if got := l.list(d)[vm.ID]; got.State != nodes.VMEnding {
			return errAgain
		}
		return nil
	})
	l.clear("own")
	l.clear("own-2")
}

func must(sp spec, err error) spec {
	if err != nil {
		panic(err)
	}
	return sp
}

// A machine that gets no room says so, in the words of its offer.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.driver("own")
	o, _ := l.refuse(t)
	vm := l.launch(d, o)[0]
	l.until("the machine is given up", func() error {
		if vm = l.list(d)[vm.ID]; vm.Err == nil {
			return errAgain
		}
		return nil
	})
	if nodes.ClassOf(vm.Err) != nodes.NoCapacity || !contains(o.Offer.Scopes, scopeIn(vm.Err)) || scopeIn(vm.Err) == projectScope || !strings.Contains(vm.Err.Error(), "No valid host") {
		t.Errorf("the machine has the error %v of scope %q; the offer has %v", vm.Err, scopeIn(vm.Err), o.Offer.Scopes)
	}
	l.clear("own")
}

// A quota that is full says how full; a wrong password is no secret's leak,
// and a matter of configuration.
func TestQuotaAndPassword(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newLab(t)
	l.must(l.project.Limit(ctx, 0))
	_, err := l.driver("own").Launch(ctx, l.order("one", 1))
	if want := "the quota of project " + l.project.Project + " is full (0 of 0 servers)"; nodes.ClassOf(err) != nodes.Quota || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	d := l.driver("own", func(c *Config) { c.Password = "not-the-Passw0rd" })
	_, err = d.Offers(ctx, "one", need)
	if nodes.ClassOf(err) != nodes.Configuration || strings.Contains(err.Error(), "Passw0rd") {
		t.Errorf("with a wrong password: %v (%s)", err, nodes.ClassOf(err))
	}
	if found := d.Check(ctx, need); len(found) != 1 || found[0].Level != nodes.Failure || found[0].Hint == "" {
		t.Errorf("check: %+v", found)
	}
}

// counts returns how many ports and floating IPs the project has.
func (l *lab) counts() (int, int) {
	l.Helper()
	s := l.member()
	pages, err := ports.List(s.network, ports.ListOpts{ProjectID: l.project.ID}).AllPages(context.Background())
	l.must(err)
	allPorts, err := ports.ExtractPorts(pages)
	l.must(err)
	pages, err = floatingips.List(s.network, floatingips.ListOpts{}).AllPages(context.Background())
	l.must(err)
	addresses, err := floatingips.ExtractFloatingIPs(pages)
	l.must(err)
	return len(allPorts), len(addresses)
}

// none waits until the project has neither.
func (l *lab) none(when string) {
	l.Helper()
	l.until("nothing is left "+when, func() error {
		if p, a := l.counts(); p+a > 0 {
			return errAgain
		}
		return nil
	})
}

// patient is for orders whose machines are made one by one, on a busy host.
func patient(c *Config) { c.Settle = 30 * time.Second }

// A machine with a floating IP has it from the start, and takes port and
// address with it. What stays when a machine went without the driver is
// listed with its order, left alone by another owner, and taken away.
func TestFloating(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newLab(t)
	d := l.driver("own", patient)
	o := l.order("floating", 2)
	vms := l.launch(d, o)
	for i, vm := range vms {
		if got := l.running(d, vm.ID); !strings.HasPrefix(got.Address, "198.18.") || got.Order != o.ID {
			t.Errorf("machine %d is %+v", i, got)
		}
	}
	parts, _, err := l.driver("own").parts(ctx, l.member())
	l.must(err)
	for _, p := range parts.ports {
		l.must(d.Destroy(ctx, portKind+"/"+p.ID)) // as if it had been listed before it had its server
	}
	for _, a := range parts.addresses {
		l.must(d.Destroy(ctx, addressKind+"/"+a.ID))
	}
	if p, a := l.counts(); p != 2 || a != 2 || len(parts.ports) != 2 || len(parts.addresses) != 2 {
		t.Errorf("two machines have %d ports and %d addresses after what is in use was to be deleted", p, a)
	}
	if again := l.launch(l.driver("own"), o); ids(again)[0] != vms[0].ID || ids(again)[1] != vms[1].ID {
		t.Errorf("a repetition gave %v, want %v", ids(again), ids(vms))
	}
	if all := l.list(d); len(all) != 2 {
		t.Errorf("2 machines are listed as %v", all)
	}
	l.must(l.driver("own").Destroy(ctx, vms[0].ID))
	l.must(servers.Delete(ctx, l.member().compute, vms[1].ID).ExtractErr())
	var left []string
	l.until("port and address of the second are listed as left behind", func() error {
		left = nil
		for id, vm := range l.list(d) {
			if strings.Contains(id, "/") && vm.Order == o.ID && vm.State == nodes.VMEnding {
				left = append(left, id)
			}
		}
		if len(left) != 2 {
			return errAgain
		}
		return nil
	})
	l.must(l.driver("own-2").Destroy(ctx, left...))
	if p, a := l.counts(); p != 1 || a != 1 {
		t.Errorf("another owner has left %d ports and %d addresses, want 1 and 1", p, a)
	}
	l.must(l.driver("own").Destroy(ctx, left...))
	l.none("of two machines")
	l.until("none is listed", func() error {
		if len(l.list(d)) > 0 {
			return errAgain
		}
		return nil
	})
}

// A machine that is destroyed before it is built takes port and address too.
func TestFloatingAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.driver("own", patient)
	vms := l.launch(d, l.order("floating", 2))
	l.must(d.Destroy(context.Background(), ids(vms)...))
	l.none("of two machines that were never built")
	l.clear("own")
}

// Where floating IPs run out an order has fewer machines, or none, and no
// port stays behind.
func TestFloatingQuota(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newLab(t)
	one := 1
	_, err := quotas.Update(ctx, l.cloud.Network, l.project.ID, quotas.UpdateOpts{FloatingIP: &one}).Extract()
	l.must(err)
	d := l.driver("own", patient)
	if vms := l.launch(d, l.order("floating", 3)); len(vms) != 1 {
		t.Errorf("with one floating IP an order for 3 gave %d machines", len(vms))
	}
	_, err = d.Launch(ctx, l.order("floating", 2))
	if nodes.ClassOf(err) != nodes.Quota || scopeIn(err) != projectScope {
		t.Errorf("without a floating IP: %v (%s)", err, nodes.ClassOf(err))
	}
	if p, a := l.counts(); p != 1 || a != 1 {
		t.Errorf("%d ports and %d addresses are there for one machine", p, a)
	}
	l.clear("own")
	l.none("of one machine")
}

// Check has a good word for what is right, and a way out for what is not.
func TestCheck(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newLab(t)
	for _, f := range l.driver("own").Check(ctx, need) {
		if f.Level != nodes.Fine || f.Hint != "" || f.Text == "" {
			t.Errorf("of what is right: %+v", f)
		}
	}
	good := l.config("own").Places["one"]
	for name, test := range map[string]struct {
		change func(*Place)
		want   string
	}{
		"image":    {func(p *Place) { p.Image = "nope" }, `the image "nope" is not there`},
		"network":  {func(p *Place) { p.Networks = []string{"nope"} }, `the network "nope" is not there`},
		"network2": {func(p *Place) { p.Networks = []string{"11111111-0000-0000-0000-000000000000"} }, `the network "11111111-`},
		"group":    {func(p *Place) { p.SecurityGroups = []string{"nope"} }, `the security group "nope" is not there`},
		"servers":  {func(p *Place) { p.ServerGroup = "nope" }, `the server group "nope" is not there`},
		"zone":     {func(p *Place) { p.Zones = []string{"az-9"} }, "the zone az-9 is not there"},
		"flavour":  {func(p *Place) { p.Flavors = []string{"m1.tiny", "nope"} }, "the flavour nope is not there"},
		"price":    {func(p *Place) { p.Prices = map[string]float64{"nope": 1} }, "a price is given for nope"},
		"key":      {func(p *Place) { p.KeyName = "nope" }, "the key pair nope"},
		"floating": {func(p *Place) { p.FloatingNetwork = "private" }, "the network private is not external"},
	} {
		d := l.driver("own", func(c *Config) {
			bad := good
			test.change(&bad)
			c.Places = map[string]Place{"bad": bad}
		})
		var bad []nodes.Finding
		for _, f := range d.Check(ctx, need) {
			if f.Level != nodes.Fine {
				bad = append(bad, f)
			}
		}
		if len(bad) != 1 || bad[0].Place != "bad" || !strings.Contains(bad[0].Text, test.want) || bad[0].Hint == "" {
			t.Errorf("%s: %+v, want %q", name, bad, test.want)
		}
	}
}
