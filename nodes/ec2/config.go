package ec2

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Config says in which account and region machines are made, and how those of
// each place look. Credentials are none of its fields: they come from where
// the SDK looks for them (environment, shared files, the host's own role), or
// from Profile, and may be traded for those of AssumeRole.
type Config struct {
	Owner  string // whose machines these are: 1 to 64 of [A-Za-z0-9._-], beginning with a letter or digit
	Region string // "ap-northeast-2"; required

	Profile    string // of the shared configuration files; empty: the default one
	AssumeRole string // ARN of a role that is taken on; empty: none
	ExternalID string // what that role's trust asks for; empty: nothing
	Endpoint   string // URL of the API, for tests and for private endpoints; empty: the region's own

	// Account is the account that machines must be in to prove who they are,
	// 12 digits; empty: any.
	Account string

	Places map[string]Place // by name; at least one

	// PriceFile is a CSV file of prices that takes the place of the embedded
	// table; see readPrices for its form. Empty: the embedded table. Prices
	// only put offers in order and are shown to people.
	PriceFile string

	// CacheDir is where the list of instance types is kept for a day; it is
	// made where it is not there. Empty: nowhere, and each start asks EC2.
	CacheDir string

	// IdentityCerts are PEM files with AWS' certificates for instance identity
	// documents in this region, those for RSA-2048. Without them Prove refuses.
	IdentityCerts []string

	// Limits bounds how often the API is called. Drivers of one account and
	// region share one; nil: the driver has its own.
	Limits *Limits
}

// Place is one way to make machines: where, of which types, from which image.
type Place struct {
	// Subnets are IDs, in the order in which they are tried; each is in the
	// zone that EC2 says. Required.
	Subnets []string

	// SecurityGroups are IDs. Empty: the network's default group.
	SecurityGroups []string

	// InstanceTypes are names or patterns such as "m7g.*". Empty: all types of
	// the current generation that are neither bare metal nor burstable and
	// have no accelerator. Of these the ones that are large enough are used,
	// the cheapest first.
	InstanceTypes []string

	// Images has an image for each processor, amd64 or arm64; for others the
	// place has no machines. At least one is required.
	Images map[string]Image

	InstanceProfile string // name or ARN; empty: none
	KeyName         string // of a key pair for SSH; empty: none
	PublicAddress   bool   // whether machines get a public IPv4 address; false: not even where the subnet would give one

	// Market says how machines are paid. Empty: OnDemand.
	Market Market

	// Reservations are the IDs of capacity reservations, which are tried
	// before all else; or the one word "open" (use what matches, EC2's own
	// default) or "none" (never use one). Empty: EC2's default.
	Reservations []string

	// LaunchTemplate gives what is not said here. What is said here wins.
	LaunchTemplate LaunchTemplate

	RootDevice string // name of the root device; empty: as the image says
	RootMin    int64  // bytes the root volume has at least; it also has what the image and the need ask for

	Tags map[string]string // more tags for all that is made; keys must not begin with aws: or batchctl:
}

// Image names a machine image. Just one of ID, Parameter and Name is set.
type Image struct {
	ID        string   // "ami-…"
	Parameter string   // an SSM parameter that holds the ID, "/aws/service/…"
	Name      string   // a pattern of names; the newest that is available is taken
	Owners    []string // of the images that Name is looked for among: account IDs, "self" or "amazon". Required with Name
}

// LaunchTemplate names a launch template of EC2. Just one of ID and Name is
// set, or none: then there is no template.
type LaunchTemplate struct {
	ID      string
	Name    string
	Version string // a number, "$Default" or "$Latest"; empty: "$Default". What it means is settled for each order
}

// Market says how machines are paid.
type Market string

// The markets. Spot machines may be taken away while a run is on them.
const (
	OnDemand         Market = "on-demand"
	Spot             Market = "spot"
	SpotThenOnDemand Market = "spot-then-on-demand"
)

var (
	ownerName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	regionName  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	accountName = regexp.MustCompile(`^[0-9]{12}$`)
	subnetName  = regexp.MustCompile(`^subnet-[0-9a-f]+$`)
	groupName   = regexp.MustCompile(`^sg-[0-9a-f]+$`)
	imageName   = regexp.MustCompile(`^ami-[0-9a-f]+$`)
	reserveName = regexp.MustCompile(`^cr-[0-9a-f]+$`)
	version     = regexp.MustCompile(`^([0-9]+|\$Default|\$Latest)?$`)
)

// check says all that cannot work, one line each.
func (c *Config) check() error {
	var all []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			all = append(all, fmt.Errorf("ec2: "+format, args...))
		}
	}
	bad(ownerName.MatchString(c.Owner), "owner %q: use 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first", c.Owner)
	bad(regionName.MatchString(c.Region), "region %q: use the name of a region, such as ap-northeast-2", c.Region)
	bad(c.Account == "" || accountName.MatchString(c.Account), "account %q: use its 12 digits", c.Account)
	bad(len(c.Places) > 0, "no places: there is nowhere to make machines")
	for _, name := range slices.Sorted(maps.Keys(c.Places)) {
		p := c.Places[name]
		p.check(func(ok bool, format string, args ...any) { bad(ok, "place "+name+": "+format, args...) })
	}
	return errors.Join(all...)
}

func (p *Place) check(bad func(ok bool, format string, args ...any)) {
	each := func(what string, names []string, form *regexp.Regexp) {
		for i, n := range names {
			bad(form.MatchString(n), "%s %q is not of the form %s", what, n, form)
			bad(!slices.Contains(names[:i], n), "%s %s is named twice", what, n)
		}
	}
	bad(len(p.Subnets) > 0, "no subnets: name at least one")
	each("subnet", p.Subnets, subnetName)
	each("security group", p.SecurityGroups, groupName)
	for _, t := range p.InstanceTypes {
		_, err := path.Match(t, "")
		bad(err == nil && t != "", "instance type %q is no name and no pattern", t)
	}
	bad(len(p.Images) > 0, "no images: name one for amd64 or arm64")
	for _, arch := range slices.Sorted(maps.Keys(p.Images)) {
		bad(arch == "amd64" || arch == "arm64", "image for %q: EC2 has amd64 and arm64", arch)
		p.Images[arch].check(func(ok bool, format string, args ...any) { bad(ok, "image for "+arch+": "+format, args...) })
	}
	bad(slices.Contains([]Market{"", OnDemand, Spot, SpotThenOnDemand}, p.Market), "market %q: use %s, %s or %s", p.Market, OnDemand, Spot, SpotThenOnDemand)
	if w := p.reservationWord(); w == "" {
		each("capacity reservation", p.Reservations, reserveName)
	}
	lt := p.LaunchTemplate
	bad(lt.ID == "" || lt.Name == "", "launch template: name it by ID or by name, not by both")
	bad(lt.Version == "" || lt.ID != "" || lt.Name != "", "launch template: a version without a template")
	bad(version.MatchString(lt.Version), "launch template: version %q is no number, $Default or $Latest", lt.Version)
	bad(p.RootMin >= 0 && p.RootMin <= maxVolume, "a root volume of at least %d bytes is not to be had: it may have %d", p.RootMin, int64(maxVolume))
	for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
		lower := strings.ToLower(k)
		bad(k != "" && k != "Name" && !strings.HasPrefix(lower, "aws:") && !strings.HasPrefix(lower, "batchctl:"), "tag %q: Name and what begins with aws: or batchctl: is taken", k)
	}
	bad(len(p.Tags) <= 40, "%d tags: EC2 takes 50, and some are needed", len(p.Tags))
}

func (i Image) check(bad func(ok bool, format string, args ...any)) {
	named := 0
	for _, s := range []string{i.ID, i.Parameter, i.Name} {
		if s != "" {
			named++
		}
	}
	bad(named == 1, "set one of ID, parameter and name")
	bad(i.ID == "" || imageName.MatchString(i.ID), "ID %q is not of the form %s", i.ID, imageName)
	bad(i.Name == "" || len(i.Owners) > 0, "a name needs owners: anybody may publish an image of any name")
}

// reservationWord returns "open" or "none" where that is what Reservations
// says.
func (p *Place) reservationWord() string {
	if len(p.Reservations) == 1 && (p.Reservations[0] == "open" || p.Reservations[0] == "none") {
		return p.Reservations[0]
	}
	return ""
}

// markets returns how machines are paid, what is tried first at the front.
func (p *Place) markets() []Market {
	switch p.Market {
	case Spot:
		return []Market{Spot}
	case SpotThenOnDemand:
		return []Market{Spot, OnDemand}
	}
	return []Market{OnDemand}
}
