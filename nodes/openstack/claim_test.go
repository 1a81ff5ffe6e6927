package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

// keyPairs has the fake keep key pairs as Nova does: one for a name.
func (f *fake) keyPairs() map[string]string {
	kept := map[string]string{}
	f.handle("POST /compute/v2.1/os-keypairs", func(w http.ResponseWriter, _ *http.Request) {
		var body struct {
			Keypair struct {
				Name string `json:"name"`
				Key  string `json:"public_key"`
			}
		}
		sent := f.called("POST /compute/v2.1/os-keypairs")
		if err := json.Unmarshal([]byte(sent[len(sent)-1].body), &body); err != nil {
			f.Error(err)
		}
		if _, taken := kept[body.Keypair.Name]; taken {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprintf(w, `{"conflictingRequest": {"code": 409, "message": "Key pair '%s' already exists."}}`, body.Keypair.Name)
			return
		}
		kept[body.Keypair.Name] = body.Keypair.Key
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"keypair": {}}`)
	})
	const path = "/compute/v2.1/os-keypairs/"
	f.handle("GET "+path+"*", func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, path)
		if kept[name] == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"keypair": {"name": %q, "public_key": %q}}`, name, kept[name])
	})
	f.handle("DELETE "+path+"*", func(w http.ResponseWriter, r *http.Request) {
		delete(kept, strings.TrimPrefix(r.URL.Path, path))
		w.WriteHeader(http.StatusNoContent)
	})
	f.handle("GET /compute/v2.1/os-keypairs", func(w http.ResponseWriter, _ *http.Request) {
		list := []any{}
		for name, key := range kept {
			list = append(list, map[string]any{"keypair": map[string]string{"name": name, "public_key": key}})
		}
		_, _ = io.WriteString(w, asJSON(f, map[string]any{"keypairs": list}))
	})
	return kept
}

// A create that got no reply is not sent again before Settle has passed, by
// nobody; then it is, once; and nothing is left of its claims.
func TestClaimSettles(t *testing.T) {
	f := newFake(t)
	kept := f.keyPairs()
	now := time.Unix(1e9, 0)
	clock := func(c *Config) { c.Now, c.Settle = func() time.Time { return now }, 2*time.Minute }
	first, other := f.driver(clock), f.driver(clock)
	o := f.order(first, 1)
	f.answer("POST /compute/v2.1/servers", 502, "<html>")
	if _, err := first.Launch(context.Background(), o); !errors.Is(err, errSent) || nodes.ClassOf(err) != nodes.Unsure {
		t.Fatalf("a create without a reply: %v", err)
	}
	f.answer("POST /compute/v2.1/servers", 202, `{"server": {"id": "33333333-0000-0000-0000-000000000001"}}`)
	for range 3 {
		for _, d := range []*Driver{first, other} {
			if _, err := d.Launch(context.Background(), o); !errors.Is(err, errClaimed) || nodes.ClassOf(err) != nodes.Unsure {
				t.Fatalf("%s after the create: %v", now.Sub(time.Unix(1e9, 0)), err)
			}
		}
		now = now.Add(30 * time.Second)
	}
	now = now.Add(31 * time.Second) // 121 s after the first look of each
	vms, err := other.Launch(context.Background(), o)
	if err != nil || len(vms) != 1 || len(kept) != 0 {
		t.Errorf("when it has settled: %v, %v; claims %v", vms, err, kept)
	}
	if n := len(f.called("POST /compute/v2.1/servers")); n != 2 {
		t.Errorf("%d creates, want the lost one and one more", n)
	}
}

// Servers that come late are found, are the order's, and their claim goes.
func TestClaimComesLate(t *testing.T) {
	f := newFake(t)
	kept := f.keyPairs()
	d := f.driver()
	o := f.order(d, 2)
	f.answer("POST /compute/v2.1/servers", 504, "")
	_, _ = d.Launch(context.Background(), o)
	half := []any{aServer(1, "BUILD", "batchctl:owner=own", "batchctl:order=o-1")}
	f.answer("GET /compute/v2.1/servers/detail", 200, asJSON(t, map[string]any{"servers": half}))
	if vms, err := d.Launch(context.Background(), o); !errors.Is(err, errClaimed) || len(kept) != 1 {
		t.Errorf("when half of the servers are there: %v, %v; claims %v", vms, err, kept)
	}
	all := append(half, aServer(2, "BUILD", "batchctl:owner=own", "batchctl:order=o-1"))
	f.answer("GET /compute/v2.1/servers/detail", 200, asJSON(t, map[string]any{"servers": all}))
	vms, err := d.Launch(context.Background(), o)
	if err != nil || len(vms) != 2 || len(kept) != 0 || len(f.called("POST /compute/v2.1/servers")) != 1 {
		t.Errorf("when all are there: %v, %v; claims %v", vms, err, kept)
	}
}

// Of two servers with one number the first that was made counts, for all.
func TestSurplus(t *testing.T) {
	f := newFake(t)
	d := f.driver()
	late, early := aServer(7, "ACTIVE", "batchctl:owner=own"), aServer(8, "ACTIVE", "batchctl:owner=own")
	late["name"], early["name"] = "own_o-1-1", "own_o-1-1"
	late["created"] = "2026-01-01T00:05:00Z"
	second := aServer(2, "ACTIVE", "batchctl:owner=own")
	foreign := aServer(1, "ACTIVE", "batchctl:owner=own-2")
	more := aServer(3, "ACTIVE", "batchctl:owner=own")
	f.answer("GET /compute/v2.1/servers/detail", 200, asJSON(t, map[string]any{"servers": []any{more, foreign, second, late, early}}))
	vms, err := d.Launch(context.Background(), f.order(d, 2))
	if err != nil || len(vms) != 2 || vms[0].ID != early["id"] || vms[1].ID != second["id"] {
		t.Errorf("%v, %v", vms, err)
	}
}

// A claim that nobody let go is let go by List, when it is ancient; key pairs
// of others stay.
func TestClaimsAreSwept(t *testing.T) {
	f := newFake(t)
	kept := f.keyPairs()
	now := time.Unix(1e9, 0)
	d := f.driver(func(c *Config) { c.Now = func() time.Time { return now } })
	kept["batchctl-claim own o-9"], kept["batchctl-claim own-2 o-9"], kept["ops"] = "a", "b", "c"
	for range settles + 1 {
		if _, err := d.List(context.Background()); err != nil || len(kept) != 3 {
			t.Fatalf("%v; %v", kept, err)
		}
		now = now.Add(d.cfg.Settle)
	}
	list := f.routes["GET /compute/v2.1/os-keypairs"]
	f.answer("GET /compute/v2.1/os-keypairs", 500, "")
	if _, err := d.List(context.Background()); err != nil {
		t.Errorf("where key pairs cannot be listed: %v", err)
	}
	now = now.Add(d.cfg.RemainsEvery)
	f.handle("GET /compute/v2.1/os-keypairs", list)
	_, err := d.List(context.Background())
	if _, there := kept["batchctl-claim own o-9"]; err != nil || there || len(kept) != 2 {
		t.Errorf("%v; %v", kept, err)
	}
}

// Provisioners that share a store and repeat one order at once make it once,
// also where creates get no reply: the real Nova is asked for all that ever
// were.
func TestOrderIsMadeOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	lose := openstacktest.Chaos(2, 0.5, openstacktest.LoseReply, openstacktest.PageAfter, openstacktest.Delay)
	l.proxy.Set(func(r *http.Request) openstacktest.Fault {
		if creates(r) {
			return lose(r)
		}
		return openstacktest.None
	})
	for range 4 {
		o := l.order("two", 2)
		got := make(chan []string)
		for range 4 {
			d := l.driver("once", func(c *Config) { c.Settle = 6 * time.Second }) // far more than a delay of the proxy
			go func() {
				var vms []nodes.VM
				err := errors.New("not tried")
				for i := 0; err != nil && i < polls; i++ {
					if vms, err = d.Launch(context.Background(), o); err != nil {
						time.Sleep(poll)
					}
				}
				got <- ids(vms)
			}()
		}
		want := fmt.Sprint(<-got)
		for range 3 {
			if more := fmt.Sprint(<-got); more != want {
				t.Errorf("one provisioner has %s, another %s", want, more)
			}
		}
		pages, err := servers.List(l.member().compute, servers.ListOpts{Name: "^once_" + o.ID + "(-[0-9]+)?$", ChangesSince: "2020-01-01T00:00:00Z"}).AllPages(context.Background())
		l.must(err)
		made, err := servers.ExtractServers(pages)
		if err != nil || len(made) != 2 {
			t.Errorf("the order for 2 servers made %d, %v", len(made), err)
		}
	}
	l.proxy.Set(nil)
	l.clear("once")
	pages, err := keypairs.List(l.member().compute, keypairs.ListOpts{}).AllPages(context.Background())
	l.must(err)
	if left, err := keypairs.ExtractKeyPairs(pages); err != nil || len(left) > 0 {
		t.Errorf("claims are left: %v, %v", left, err)
	}
}

// A provisioner that was just started knows by the cloud's clock how old a
// claim is: one that is killed more often than Settle gets on all the same.
func TestClaimAge(t *testing.T) {
	f := newFake(t)
	kept := f.keyPairs()
	now := time.Unix(1e9, 0) // not the cloud's time
	cloud := time.Date(2026, 3, 1, 2, 15, 0, 0, time.UTC)
	restarted := func() *Driver {
		f.issued = cloud
		return f.driver(func(c *Config) { c.Now, c.Settle = func() time.Time { return now }, 2*time.Minute })
	}
	first := restarted()
	o := f.order(first, 1)
	kept["batchctl-claim own o-1"] = "another's"
	f.answer("GET /compute/v2.1/os-keypairs/*", 200, `{"keypair": {"name": "batchctl-claim own o-1", "public_key": "another's", "created_at": "2026-03-01T02:15:00.000000"}}`)
	f.answer("POST /compute/v2.1/servers", 202, `{"server": {"id": "33333333-0000-0000-0000-000000000001"}}`)
	for range 3 {
		if _, err := restarted().Launch(context.Background(), o); !errors.Is(err, errClaimed) {
			t.Fatalf("at %s: %v", cloud, err)
		}
		cloud = cloud.Add(39 * time.Second)
	}
	cloud = cloud.Add(4 * time.Second)
	d := restarted()
	if _, err := d.List(context.Background()); err != nil { // which sees the claim too
		t.Fatal(err)
	}
	vms, err := d.Launch(context.Background(), o)
	if err != nil || len(vms) != 1 {
		t.Errorf("when it has settled by the cloud's clock: %v, %v", vms, err)
	}
}

// A create whose turn comes late is not sent, and its claim goes.
func TestClaimTooLate(t *testing.T) {
	f := newFake(t)
	kept := f.keyPairs()
	now := time.Unix(1e9, 0)
	d := f.driver(func(c *Config) { c.Now, c.Settle = func() time.Time { return now }, 2*time.Minute })
	list := f.routes["GET /compute/v2.1/servers/detail"]
	f.handle("GET /compute/v2.1/servers/detail", func(w http.ResponseWriter, r *http.Request) {
		now = now.Add(61 * time.Second)
		list(w, r)
	})
	if vms, err := d.Launch(context.Background(), f.order(d, 1)); !errors.Is(err, errLate) || nodes.ClassOf(err) != nodes.Unsure || len(vms) != 0 {
		t.Errorf("%v, %v", vms, err)
	}
	if n := len(f.called("POST /compute/v2.1/servers")); n != 0 || len(kept) != 0 {
		t.Errorf("%d creates; claims %v", n, kept)
	}
}
