package openstack

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/batchctl/batchctl/nodes"
)

// Driver makes and destroys servers of one project of OpenStack, for one
// owner.
type Driver struct {
	cfg  Config
	http http.Client

	login   chan struct{} // whoever has put something in logs in, or looks whether it is done
	current *session      // under login; nil: nobody has logged in yet
	refused error         // under login: why the last login was refused
	again   time.Time     // under login: when it may be tried again

	writes *rate.Limiter // creates and deletes
	page   int           // how many servers are asked for at once
	facts  facts
	claims claims

	mu     sync.Mutex
	ours   map[string]owned // servers that were seen with our tag and were not gone at the last look
	faults map[string]fault // of servers in ERROR
	swept  time.Time        // when remains were looked for last
	left   []nodes.VM       // that were found then
}

var _ nodes.Driver = (*Driver)(nil)

// New returns a driver. It asks nobody: the cloud may be down.
func New(c Config) (*Driver, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	client, err := newClient(&c)
	if err != nil {
		return nil, err
	}
	burst := max(1, int(c.CallsPerSecond))
	return &Driver{
		cfg: c, http: client, login: make(chan struct{}, 1),
		writes: rate.NewLimiter(rate.Limit(c.CallsPerSecond), burst), page: pageSize,
		facts:  facts{kept: map[string]fact{}},
		claims: claims{busy: map[string]bool{}, first: map[string]time.Time{}, mine: map[string]claimState{}},
		ours:   map[string]owned{}, faults: map[string]fault{},
	}, nil
}

// owned is what is known of a server with our tag.
type owned struct {
	name     string
	floating bool // whether it has a port and an address that we made
}

// Tags of a server. Nova allows neither comma nor slash in them.
const (
	ownerTag = "batchctl:owner="
	orderTag = "batchctl:order="
)

// mark is what everything of an owner bears. Neutron has no tags at creation
// in all releases, so ports and addresses have it in their description.
func (d *Driver) mark() string { return ownerTag + d.cfg.Owner }

// serverName returns the name of an order's servers. Neither an owner nor an
// order has an underscore, so no two orders have one name.
func (d *Driver) serverName(order string) string { return d.cfg.Owner + "_" + order }

// orderOfName returns the order that a name of ours was made from; "": none.
func (d *Driver) orderOfName(name string) string {
	rest, ours := strings.CutPrefix(name, d.cfg.Owner+"_")
	i := strings.LastIndexByte(rest, '-')
	if !ours || i < 0 {
		return ""
	}
	return rest[:i]
}

// places reports whether a place has what f looks for.
func (d *Driver) places(f func(Place) bool) bool {
	for _, p := range d.cfg.Places {
		if f(p) {
			return true
		}
	}
	return false
}

// floating reports whether machines have ports and addresses that we make.
func (d *Driver) floating() bool {
	return d.places(func(p Place) bool { return p.FloatingNetwork != "" })
}
