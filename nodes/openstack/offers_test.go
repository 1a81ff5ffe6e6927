package openstack

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
)

const someFlavors = `{"flavors": [
	{"id": "5", "name": "big", "vcpus": 8, "ram": 16384, "disk": 80},
	{"id": "3", "name": "lean", "vcpus": 2, "ram": 4096, "disk": 0},
	{"id": "2", "name": "small", "vcpus": 2, "ram": 4096, "disk": 20},
	{"id": "4", "name": "wide", "vcpus": 4, "ram": 4096, "disk": 20},
	{"id": "1", "name": "tiny", "vcpus": 1, "ram": 512, "disk": 1}]}`

// Of the flavours that fit the cheapest comes first, then the smallest; each
// in all zones, in their order.
func TestOffers(t *testing.T) {
	need := nodes.Need{CPU: 2, Memory: 4 << 30, Disk: 20 << 30, Arch: "amd64"}
	for name, test := range map[string]struct {
		change func(*Place)
		need   nodes.Need
		want   string
	}{
		"smallest first":      {func(*Place) {}, need, "small; wide; big"},
		"zones":               {func(p *Place) { p.Zones = []string{"b", "a"} }, need, "small, b; small, a; wide, b; wide, a; big, b; big, a"},
		"some, by name or ID": {func(p *Place) { p.Flavors = []string{"5", "small", "tiny"} }, need, "small; big"},
		"cheapest first":      {func(p *Place) { p.Prices = map[string]float64{"big": 0.1, "small": 0.2} }, need, "big; small; wide"},
		"from a volume":       {func(p *Place) { p.BootFromVolume = true }, need, "lean; small; wide; big"},
		"more processors":     {func(*Place) {}, nodes.Need{CPU: 3, Memory: 1}, "wide; big"},
		"more memory":         {func(*Place) {}, nodes.Need{Memory: 4<<30 + 1}, "big"},
		"more disk":           {func(*Place) {}, nodes.Need{Disk: 20<<30 + 1}, "big"},
		"too much":            {func(*Place) {}, nodes.Need{CPU: 9}, ""},
	} {
		f := newFake(t)
		f.answer("GET /compute/v2.1/flavors/detail", 200, someFlavors)
		d := f.driver(func(c *Config) {
			p := c.Places["here"]
			test.change(&p)
			c.Places = map[string]Place{"here": p}
		})
		offers, err := d.Offers(context.Background(), "here", test.need)
		var names []string
		for _, o := range offers {
			names = append(names, o.Name)
			if scope, _, _ := strings.Cut(o.Scopes[0], " any zone"); scope != strings.ReplaceAll(o.Name, ",", "") || o.Scopes[1] != projectScope {
				t.Errorf("%s: the scopes of %s are %q", name, o.Name, o.Scopes)
			}
		}
		if got := strings.Join(names, "; "); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, test.want)
		}
	}
}

const someImages = `{"images": [
	{"id": "22222222-0000-0000-0000-000000000001", "name": "cirros", "status": "active", "min_disk": 0, "min_ram": 0, "size": 1, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "hw_architecture": "aarch64"},
	{"id": "22222222-0000-0000-0000-000000000002", "name": "cirros", "status": "active", "min_disk": 1, "min_ram": 0, "size": 1, "created_at": "2026-02-01T00:00:00Z", "updated_at": "2026-02-01T00:00:00Z", "hw_architecture": "aarch64"},
	{"id": "22222222-0000-0000-0000-000000000003", "name": "cirros", "status": "queued", "min_disk": 0, "min_ram": 0, "size": null, "created_at": "2026-03-01T00:00:00Z", "updated_at": "2026-03-01T00:00:00Z"}]}`

// The image is the newest active one, is pinned in the offer, and settles the
// architecture; what has been learnt is used for a while.
func TestImage(t *testing.T) {
	f := newFake(t)
	f.answer("GET /image/v2/images", 200, someImages)
	now := time.Unix(1e9, 0)
	d := f.driver(func(c *Config) { c.Now = func() time.Time { return now } })
	ask := func(arch string) []nodes.Offer {
		offers, err := d.Offers(context.Background(), "here", nodes.Need{Arch: arch})
		if err != nil {
			t.Fatal(err)
		}
		return offers
	}
	var got spec
	if err := json.Unmarshal([]byte(ask("arm64")[0].Spec), &got); err != nil {
		t.Fatal(err)
	}
	want := spec{Flavor: "1", FlavorName: "m1.tiny", Image: "22222222-0000-0000-0000-000000000002", Networks: []string{"11111111-0000-0000-0000-000000000000"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if offers := ask("amd64"); len(offers) > 0 {
		t.Errorf("an image for arm64 gives %v for amd64", offers)
	}
	for _, path := range []string{"image/v2/images", "compute/v2.1/flavors/detail", "network/v2.0/networks"} {
		if n := len(f.called("GET /" + path)); n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	now = now.Add(factsKept + time.Second)
	ask("arm64")
	if n := len(f.called("GET /image/v2/images")); n != 2 {
		t.Errorf("the image was looked for %d times, the last long after the first", n)
	}
}

// What can never work is a matter of configuration; what is not known is not.
func TestOffersErrors(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*fake)
		place   string
		class   nodes.Class
		says    string
	}{
		"a place of another": {func(*fake) {}, "there", nodes.Configuration, "the place there is not one of this cloud"},
		"no image":           {func(f *fake) { f.answer("GET /image/v2/images", 200, `{"images": []}`) }, "here", nodes.Configuration, `the image "cirros" is not there, or the project demo may not see it`},
		"no network":         {func(f *fake) { f.answer("GET /network/v2.0/networks", 200, `{"networks": []}`) }, "here", nodes.Configuration, `the network "private"`},
		"two networks": {func(f *fake) {
			f.answer("GET /network/v2.0/networks", 200, `{"networks": [{"id": "a"}, {"id": "b"}]}`)
		}, "here", nodes.Configuration, "by its ID, for instance a"},
		"a fault":      {func(f *fake) { f.answer("GET /compute/v2.1/flavors/detail", 500, `{}`) }, "here", nodes.Unsure, "500"},
		"half an list": {func(f *fake) { f.answer("GET /compute/v2.1/flavors/detail", 200, `{"flavors": [`) }, "here", nodes.Unsure, ""},
		"no region":    {func(f *fake) {}, "region", nodes.Configuration, `compute service (region "X"`},
	} {
		f := newFake(t)
		test.prepare(f)
		d := f.driver(func(c *Config) {
			if test.place == "region" {
				c.Region = "X"
				c.Places = map[string]Place{"region": c.Places["here"]}
			}
		})
		_, err := d.Offers(context.Background(), test.place, need)
		if err == nil || nodes.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v (%s), want class %q and %q", name, err, nodes.ClassOf(err), test.class, test.says)
		}
	}
}

// A configuration that cannot work is refused, with the way out.
func TestConfig(t *testing.T) {
	good := Config{Owner: "own", AuthURL: "https://cloud.example:5000/v3", User: "u", Password: "p4ss", Project: "p",
		Places: map[string]Place{"here": {Image: "i", Networks: []string{"n"}}}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	place := func(change func(*Place)) func(*Config) {
		return func(c *Config) {
			p := c.Places["here"]
			change(&p)
			c.Places = map[string]Place{"here": p}
		}
	}
	for says, change := range map[string]func(*Config){
		"use 1 to 40":                 func(c *Config) { c.Owner = "Own" },
		"no http or https URL":        func(c *Config) { c.AuthURL = "cloud.example:5000" },
		"public or internal":          func(c *Config) { c.Interface = "admin" },
		"keep one":                    func(c *Config) { c.ApplicationCredentialID = "x" },
		"needs its ID and its secret": func(c *Config) { c.User, c.Password, c.Project, c.ApplicationCredentialID = "", "", "", "x" },
		"a user, a password":          func(c *Config) { c.Project = "" },
		"has no image":                place(func(p *Place) { p.Image = "" }),
		"has no network":              place(func(p *Place) { p.Networks = nil }),
		"set boot_from_volume":        place(func(p *Place) { p.VolumeType = "fast" }),
		"the authorities":             func(c *Config) { c.CAFile = "/no/such/file" },
		"no certificate in PEM":       func(c *Config) { c.CAFile = "config.go" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
