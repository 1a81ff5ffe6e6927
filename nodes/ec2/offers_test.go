package ec2

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

func kind(name string, cpu int, gib int64, change ...func(*instanceType)) instanceType {
	t := instanceType{Name: name, CPU: cpu, Memory: gib << 30, Archs: []string{"amd64"}, Zones: []string{"z-1a", "z-1b"}}
	for _, c := range change {
		c(&t)
	}
	return t
}

func arm(t *instanceType)       { t.Archs = []string{"arm64"} }
func onlyNamed(t *instanceType) { t.OnlyNamed = true }

// Types are chosen by what is needed, the cheapest first; what has no price
// comes after what has one.
func TestChoose(t *testing.T) {
	all := []instanceType{
		kind("z9.large", 2, 8), kind("y9.large", 2, 8), kind("y9.xlarge", 4, 16), kind("x9.large", 2, 4),
		kind("c5.large", 2, 4), kind("m5.large", 2, 8), kind("m5.xlarge", 4, 16), kind("m7g.large", 2, 8, arm), kind("t3.large", 2, 8, onlyNamed),
	}
	prices := map[string]price{"m5.large": {0.096, 0}, "m5.xlarge": {0.192, 0}, "c5.large": {0.085, 0}, "m7g.large": {0.01, 0}, "t3.large": {0.02, 0}}
	for _, test := range []struct {
		need  nodes.Need
		names []string
		want  string
	}{
		{nodes.Need{CPU: 1, Memory: 1 << 30, Arch: "amd64"}, nil, "c5.large m5.large m5.xlarge x9.large y9.large z9.large y9.xlarge"},
		{nodes.Need{CPU: 2, Memory: 8 << 30, Arch: "amd64"}, nil, "m5.large m5.xlarge y9.large z9.large y9.xlarge"},
		{nodes.Need{CPU: 2, Memory: 8<<30 + 1, Arch: "amd64"}, nil, "m5.xlarge y9.xlarge"},
		{nodes.Need{CPU: 3, Memory: 1, Arch: "amd64"}, nil, "m5.xlarge y9.xlarge"},
		{nodes.Need{CPU: 5, Memory: 1, Arch: "amd64"}, nil, ""},
		{nodes.Need{CPU: 1, Memory: 1, Arch: "arm64"}, nil, "m7g.large"},
		{nodes.Need{CPU: 1, Memory: 1, Arch: "amd64"}, []string{"t3.*", "m5.xlarge"}, "t3.large m5.xlarge"},
		{nodes.Need{CPU: 1, Memory: 1, Arch: "amd64"}, []string{"m7g.large"}, ""},
	} {
		var got []string
		for _, c := range choose(all, test.need, test.names, prices) {
			got = append(got, c.Name)
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%+v of %v: got %s, want %s", test.need, test.names, s, test.want)
		}
	}
}

// Offers are in order: reservations, markets, types, zones, and each market
// has its part of the twenty.
func TestOffersInOrder(t *testing.T) {
	d := &Driver{prices: map[string]price{"a": {1, 0.3}, "b": {2, 0}}}
	subnets := []subnet{{ID: "subnet-1", Zone: "z-1b"}, {ID: "subnet-2", Zone: "z-1a"}, {ID: "subnet-3", Zone: "z-1a"}, {ID: "subnet-4", Zone: "z-1c"}}
	fit := []instanceType{kind("a", 2, 8), kind("b", 2, 8, func(t *instanceType) { t.NoSpot = true }), kind("c", 2, 8, func(t *instanceType) { t.Zones = nil })}
	p := Place{Market: SpotThenOnDemand}
	held := []reservation{{ID: "cr-1", Type: "m5.metal", Zone: "z-1c"}}
	var got []string
	for _, o := range d.offers(spec{Version: 1, Image: "ami-1", RootDevice: "/dev/x"}, p, fit, subnets, held) {
		got = append(got, fmt.Sprint(o.Name, " ", o.Price, " ", strings.Join(o.Scopes, "; ")))
	}
	want := []string{
		"m5.metal, z-1c, reservation cr-1 0 m5.metal z-1c reservation cr-1; subnet-4; market on-demand",
		"a, z-1b, spot 0.3 a z-1b spot; subnet-1; market spot",
		"a, z-1a, spot, subnet-2 0.3 a z-1a spot; subnet-2; market spot",
		"a, z-1a, spot, subnet-3 0.3 a z-1a spot; subnet-3; market spot",
		"c, z-1b, spot 0 c z-1b spot; subnet-1; market spot",
		"c, z-1a, spot, subnet-2 0 c z-1a spot; subnet-2; market spot",
		"c, z-1a, spot, subnet-3 0 c z-1a spot; subnet-3; market spot",
		"c, z-1c, spot 0 c z-1c spot; subnet-4; market spot",
		"a, z-1b, on-demand 1 a z-1b on-demand; subnet-1; market on-demand",
		"a, z-1a, on-demand, subnet-2 1 a z-1a on-demand; subnet-2; market on-demand",
		"a, z-1a, on-demand, subnet-3 1 a z-1a on-demand; subnet-3; market on-demand",
		"b, z-1b, on-demand 2 b z-1b on-demand; subnet-1; market on-demand",
		"b, z-1a, on-demand, subnet-2 2 b z-1a on-demand; subnet-2; market on-demand",
		"b, z-1a, on-demand, subnet-3 2 b z-1a on-demand; subnet-3; market on-demand",
		"c, z-1b, on-demand 0 c z-1b on-demand; subnet-1; market on-demand",
		"c, z-1a, on-demand, subnet-2 0 c z-1a on-demand; subnet-2; market on-demand",
		"c, z-1a, on-demand, subnet-3 0 c z-1a on-demand; subnet-3; market on-demand",
		"c, z-1c, on-demand 0 c z-1c on-demand; subnet-4; market on-demand",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	many := slices.Repeat(fit[:1], 30)
	for i := range many {
		many[i].Name = fmt.Sprint("t", i)
	}
	offers := d.offers(spec{}, p, many, subnets, held)
	spot := slices.IndexFunc(offers, func(o nodes.Offer) bool { return strings.Contains(o.Name, "on-demand") })
	if len(offers) != maxOffers || spot < 9 || spot > 11 {
		t.Errorf("%d offers, on demand from %d", len(offers), spot)
	}
}

// Where a market or a zone has nothing left the next offer has: the whole way,
// by the errors' scopes.
func TestFallback(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	p := c.Places["here"]
	p.Market, p.InstanceTypes = SpotThenOnDemand, []string{"m5.large", "c5.large"}
	c.Places["here"] = p
	d := l.driver(c)
	l.Room(func(a ec2test.Ask) (int, string) {
		switch {
		case a.Market == "spot" && a.Zone == region+"a":
			return 0, "InsufficientInstanceCapacity"
		case a.Market == "spot":
			return 0, "MaxSpotInstanceCountExceeded"
		case a.Zone == region+"a":
			return 0, "InsufficientFreeAddressesInSubnet"
		}
		return a.Count, ""
	})
	resting := map[string]bool{}
	var tried []string
	for _, offer := range l.offers(d, usualNeed) {
		if slices.ContainsFunc(offer.Scopes, func(s string) bool { return resting[s] }) {
			continue
		}
		tried = append(tried, offer.Name)
		_, err := d.Launch(context.Background(), l.orderFor(offer, 2))
		if err == nil {
			break
		}
		resting[scopeOf(t, err)] = true
	}
	want := []string{"c5.large, us-east-1a, spot", "c5.large, us-east-1b, spot", "c5.large, us-east-1a, on-demand", "c5.large, us-east-1b, on-demand"}
	if diff := cmp.Diff(want, tried); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// An order is for the image that its offer had, also when its name stands for
// another since, for a new driver, and for another configuration.
func TestPinned(t *testing.T) {
	l := newLab(t)
	images := make([]string, 2)
	for i := range images {
		base := must(l.Do(region, url.Values{"Action": {"RunInstances"}, "ImageId": {amd64}, "InstanceType": {"m5.large"}, "MinCount": {"1"}, "MaxCount": {"1"}}))
		images[i] = must(l.Do(region, url.Values{"Action": {"CreateImage"}, "InstanceId": {base("instancesSet", "item", "instanceId")}, "Name": {fmt.Sprint("batch-", i)}}))("imageId")
		if i == 0 {
			l.no(second(l.Do(region, url.Values{"Action": {"ModifyImageAttribute"}, "ImageId": {images[0]}, "Attribute": {"description"}, "Description.Value": {"first"}})))
		}
	}
	c := l.config("suite")
	p := c.Places["here"]
	p.Images = map[string]Image{"amd64": {Name: "batch-0", Owners: []string{"self"}}}
	c.Places["here"] = p
	o := l.order(l.driver(c), 1)
	if got := must(parseSpec(o.Offer.Spec)).Image; got != images[0] {
		t.Fatalf("the image is %s, want %s", got, images[0])
	}
	first := must(l.driver(c).Launch(context.Background(), o))
	p.Images = map[string]Image{"amd64": {Name: "batch-1", Owners: []string{"self"}}}
	p.KeyName, p.Tags = "other", map[string]string{"more": "tags"}
	c.Places["here"] = p
	if again, err := l.driver(c).Launch(context.Background(), o); err != nil || again[0].ID != first[0].ID {
		t.Errorf("after a change of the configuration the order gave %v, %v", ids(again), err)
	}
	if got := must(parseSpec(l.order(l.driver(c), 1).Offer.Spec)).Image; got != images[1] {
		t.Errorf("the next order has the image %s, want %s", got, images[1])
	}
}

func scopeOf(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*nodes.CloudError](err)
	if !ok {
		t.Fatalf("no class: %v", err)
	}
	return e.Scope
}

// What stands between a place and its offers is said in words.
func TestOffersErrors(t *testing.T) {
	l := newLab(t)
	for name, test := range map[string]struct {
		place string
		need  nodes.Need
		fix   func(*Place)
		want  string // "": no offers and no error
	}{
		"unknown place":     {"there", usualNeed, func(*Place) {}, "the place there is not in the configuration"},
		"no such processor": {"here", nodes.Need{CPU: 1, Arch: "arm64"}, func(*Place) {}, ""},
		"too large":         {"here", nodes.Need{CPU: 100000, Arch: "amd64"}, func(*Place) {}, ""},
		"subnet":            {"here", usualNeed, func(p *Place) { p.Subnets = []string{"subnet-0abc"} }, "none of the subnets subnet-0abc is there"},
		"image":             {"here", usualNeed, func(p *Place) { p.Images = map[string]Image{"amd64": {ID: "ami-0abc"}} }, "InvalidAMIID"},
		"image by name":     {"here", usualNeed, func(p *Place) { p.Images = map[string]Image{"amd64": {Name: "none-*", Owners: []string{"self"}}} }, "no image none-* for amd64"},
		"wrong processor":   {"here", nodes.Need{CPU: 1, Arch: "arm64"}, func(p *Place) { p.Images = map[string]Image{"arm64": {ID: amd64}} }, "is for x86_64, and is configured for arm64"},
		"parameter":         {"here", usualNeed, func(p *Place) { p.Images = map[string]Image{"amd64": {Parameter: "/none"}} }, "ParameterNotFound"},
		"template":          {"here", usualNeed, func(p *Place) { p.LaunchTemplate = LaunchTemplate{Name: "none"} }, "InvalidLaunchTemplate"},
		"reservation":       {"here", usualNeed, func(p *Place) { p.Reservations = []string{"cr-0abc"} }, "InvalidCapacityReservationId.NotFound"},
		"disk":              {"here", nodes.Need{CPU: 1, Disk: 17 << 40, Arch: "amd64"}, func(*Place) {}, "a gp3 volume has"},
	} {
		t.Run(name, func(t *testing.T) {
			c := l.config("suite")
			p := c.Places["here"]
			test.fix(&p)
			c.Places["here"] = p
			offers, err := l.driver(c).Offers(context.Background(), test.place, test.need)
			if test.want == "" {
				if err != nil || len(offers) > 0 {
					t.Errorf("got %d offers, %v", len(offers), err)
				}
			} else if err == nil || nodes.ClassOf(err) != nodes.Configuration || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want a configuration error with %q", err, test.want)
			}
		})
	}
}

// A parameter of SSM names the image.
func TestImageOfParameter(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	p := c.Places["here"]
	p.Images = map[string]Image{"amd64": {Parameter: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"}}
	c.Places["here"] = p
	d := l.driver(c)
	if got := must(parseSpec(l.order(d, 1).Offer.Spec)).Image; !imageName.MatchString(got) {
		t.Errorf("the image is %q", got)
	}
	asked := func() (n int) {
		for _, call := range l.Calls() {
			if call.Action == "ssm:GetParameter" {
				n++
			}
		}
		return n
	}
	at := &clock{at: time.Now()}
	d.now = at.now
	for range 5 {
		l.order(d, 1)
	}
	if asked() != 1 {
		t.Errorf("the parameter was asked for %d times", asked())
	}
	at.add(imageAge + time.Second)
	l.order(d, 1)
	if asked() != 2 {
		t.Errorf("after %s the parameter was asked for %d times", imageAge, asked())
	}
	// Where EC2 cannot be asked the answer of before still holds.
	at.add(imageAge + time.Second)
	l.Fail(func(ec2test.Call) *ec2test.Fault { return &ec2test.Fault{Lose: true} })
	l.order(d, 1)
}
