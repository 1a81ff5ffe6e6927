// Package openstack is the driver for OpenStack: its machines are servers of
// Nova. It is tried against a real Keystone, Nova, Placement, Glance and
// Neutron (scripts/openstack).
//
// Read Driver first, then Launch and claim.go (how an order is sent once,
// though Nova has no idempotency token), then errors.go (what each refusal
// means).
package openstack

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"
)

// Config says which cloud it is, who we are there, and where machines may be
// made. With an application credential its project is the one it was made in;
// otherwise a user, a password and a project are needed.
type Config struct {
	Owner string // whose machines these are: 1 to 40 of [a-z0-9-], a letter or digit first

	AuthURL   string // of Keystone, such as https://cloud.example:5000/v3
	Region    string // empty: the first one in the catalog
	Interface string // which endpoints of the catalog: public or internal; empty: public
	CAFile    string // PEM file of the authorities that are trusted; empty: those of the system

	ApplicationCredentialID     string
	ApplicationCredentialSecret string

	User          string // instead of an application credential
	Password      string
	UserDomain    string // name of the user's domain; empty: Default
	Project       string // name of the project
	ProjectDomain string // empty: the user's

	Places map[string]Place // by name

	Timeout        time.Duration // of each call, from its start to the end of its reply; 0: 60 s
	CallsPerSecond float64       // creates and deletes in a second, all places together; 0: 10
	Settle         time.Duration // how long a create that got no reply may still take effect: so long its order is not sent again; 0: 2 minutes
	RemainsEvery   time.Duration // how often ports and addresses that nothing uses are looked for; 0: 2 minutes

	Transport http.RoundTripper // carries the calls; nil: one of our own, with CAFile
	Now       func() time.Time  // nil: time.Now
}

// Place is one way to make machines: where, of what kind, from which image.
type Place struct {
	Zones          []string // availability zones, tried in this order; empty: the cloud chooses
	Flavors        []string // names or IDs of the flavours that may be used; empty: all that the project sees
	Image          string   // name or ID; of several images with one name the newest is taken
	Networks       []string // names or IDs; at least one
	SecurityGroups []string // names or IDs; empty: the project's default group
	KeyName        string   // key pair that may log in; empty: none
	ServerGroup    string   // ID or name of a server group; empty: none

	BootFromVolume bool   // the disk is a volume of the asked size, deleted with the machine
	VolumeType     string // of that volume; empty: the cloud's default

	ConfigDrive     bool   // user data comes on a disk as well, for networks without a metadata service
	FloatingNetwork string // name or ID of the network that each machine gets a floating IP of; empty: none

	Prices map[string]float64 // US dollars an hour by the flavour's name; missing: not known
}

const (
	defaultTimeout = time.Minute
	defaultCalls   = 10
	defaultSettle  = 2 * time.Minute
	defaultRemains = 2 * time.Minute
	factsKept      = 5 * time.Minute // how long lists of flavours, images and the like are used
)

var (
	ownerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	orderName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
)

// check refuses what cannot work, and fills in what was left open.
func (c *Config) check() error {
	if !ownerName.MatchString(c.Owner) {
		return fmt.Errorf("owner %q of OpenStack machines: use 1 to 40 lower-case letters, digits and dashes, a letter or digit first", c.Owner)
	}
	if u, err := url.Parse(c.AuthURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("the address of Keystone (auth_url) %q is no http or https URL", c.AuthURL)
	}
	switch c.Interface {
	case "":
		c.Interface = "public"
	case "public", "internal":
	default:
		return fmt.Errorf("interface %q: an endpoint of OpenStack is public or internal", c.Interface)
	}
	if err := c.checkIdentity(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Places)) {
		p := c.Places[name]
		switch {
		case p.Image == "":
			return fmt.Errorf("place %s has no image: name one that has cloud-init", name)
		case len(p.Networks) == 0:
			return fmt.Errorf("place %s has no network: name one from which machines reach the provisioner", name)
		case p.VolumeType != "" && !p.BootFromVolume:
			return fmt.Errorf("place %s has a volume type and does not boot from a volume: set boot_from_volume too", name)
		}
	}
	c.fill()
	return nil
}

func (c *Config) checkIdentity() error {
	credential := c.ApplicationCredentialID != "" || c.ApplicationCredentialSecret != ""
	user := c.User != "" || c.Password != "" || c.Project != ""
	switch {
	case credential && user:
		return fmt.Errorf("OpenStack has both an application credential and a user: keep one, the credential if you can")
	case credential && (c.ApplicationCredentialID == "" || c.ApplicationCredentialSecret == ""):
		return fmt.Errorf("an application credential of OpenStack needs its ID and its secret")
	case !credential && (c.User == "" || c.Password == "" || c.Project == ""):
		return fmt.Errorf("OpenStack needs an application credential, or a user, a password and a project")
	}
	return nil
}

func (c *Config) fill() {
	if c.UserDomain == "" {
		c.UserDomain = "Default"
	}
	if c.ProjectDomain == "" {
		c.ProjectDomain = c.UserDomain
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.CallsPerSecond <= 0 {
		c.CallsPerSecond = defaultCalls
	}
	if c.Settle <= 0 {
		c.Settle = defaultSettle
	}
	if c.RemainsEvery <= 0 {
		c.RemainsEvery = defaultRemains
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}
