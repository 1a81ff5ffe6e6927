package ec2

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

const (
	region = "us-east-1"
	amd64  = "ami-12c6146b" // that moto has
)

// cacheDir is shared by all tests: moto takes seconds for its list of types.
var cacheDir string

func TestMain(m *testing.M) {
	// The SDK must find these credentials, and no others.
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret-of-the-test", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	var err error
	if cacheDir, err = os.MkdirTemp("", "ec2-types-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(cacheDir)
	os.Exit(code)
}

// lab is an empty cloud of one test.
type lab struct {
	*ec2test.Server
	t       testing.TB
	url     string
	subnets []string // in zones a, b and c
	pace    pace
}

var orders atomic.Int64

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{Server: ec2test.New(testenv.EC2(t)), t: t, pace: pace{settle: 200 * time.Millisecond, remains: time.Millisecond, refused: time.Millisecond, refusedAgain: time.Millisecond}}
	if err := l.Reset(); err != nil {
		t.Fatal(err)
	}
	zones, err := l.Subnets(region)
	if err != nil {
		t.Fatal(err)
	}
	l.subnets = []string{zones[region+"a"], zones[region+"b"], zones[region+"c"]}
	front := httptest.NewServer(l.Server)
	l.url = front.URL
	t.Cleanup(func() {
		front.Close()
		l.permitted()
	})
	return l
}

// permitted checks that the policy allows all that was called.
func (l *lab) permitted() {
	may := allowed(l.t, examplePolicy())
	for _, c := range l.Calls() {
		if name := actionName(c); may[name] == nil && name != "sts:AssumeRole" { // that is the caller's own policy
			l.t.Errorf("the policy does not allow %s", name)
		}
	}
}

// config is one that is right, with a place called here.
func (l *lab) config(owner string) Config {
	return Config{
		Owner: owner, Region: region, Endpoint: l.url, CacheDir: cacheDir, Limits: unlimited(),
		Places: map[string]Place{"here": {Subnets: l.subnets[:2], Images: map[string]Image{"amd64": {ID: amd64}}}},
	}
}

// unlimited are limits that never wait: moto is slower than EC2 is strict.
func unlimited() *Limits {
	l := NewLimits()
	for action := range callBuckets {
		l.rate[action] = rate.NewLimiter(rate.Inf, 1<<30)
		l.rate[action+" instances"] = rate.NewLimiter(rate.Inf, 1<<30)
	}
	for _, action := range []string{"DescribeInstances", "DescribeVolumes", "DescribeNetworkInterfaces", "DescribeSubnets", "DescribeImages"} {
		l.rate[action] = rate.NewLimiter(rate.Inf, 1<<30)
	}
	return l
}

func (l *lab) driver(c Config) *Driver {
	l.t.Helper()
	d, err := New(context.Background(), c)
	if err != nil {
		l.t.Fatal(err)
	}
	d.pace = l.pace
	return d
}

var usualNeed = nodes.Need{CPU: 2, Memory: 4 << 30, Disk: 20 << 30, Arch: "amd64"}

// offers asks until there is an answer.
func (l *lab) offers(d *Driver, need nodes.Need) []nodes.Offer {
	l.t.Helper()
	offers, err := d.Offers(context.Background(), "here", need)
	if err != nil {
		l.t.Fatal(err)
	}
	return offers
}

// order returns an order for the first offer.
func (l *lab) order(d *Driver, count int) nodes.Order {
	l.t.Helper()
	return l.orderFor(l.offers(d, usualNeed)[0], count)
}

func (l *lab) orderFor(offer nodes.Offer, count int) nodes.Order {
	return nodes.Order{
		ID: fmt.Sprintf("order-%d", orders.Add(1)), Place: "here", Count: count, Need: usualNeed, Offer: offer,
		Stored: time.Now(), UserData: "#!/bin/sh\n",
	}
}

func ids(vms []nodes.VM) []string {
	var ids []string
	for _, vm := range vms {
		ids = append(ids, vm.ID)
	}
	return ids
}

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
