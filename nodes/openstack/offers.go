package openstack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	"github.com/batchctl/batchctl/nodes"
)

// spec is an offer's Spec: all that a create needs, by ID.
type spec struct {
	Flavor         string   `json:"flavor"`
	FlavorName     string   `json:"flavor_name"`
	Zone           string   `json:"zone,omitempty"`
	Image          string   `json:"image"`
	Networks       []string `json:"networks"`
	SecurityGroups []string `json:"security_groups,omitempty"`
	KeyName        string   `json:"key_name,omitempty"`
	ServerGroup    string   `json:"server_group,omitempty"`
	Volume         int      `json:"volume_gib,omitempty"` // 0: the flavour's own disk
	VolumeType     string   `json:"volume_type,omitempty"`
	ConfigDrive    bool     `json:"config_drive,omitempty"`
	Floating       string   `json:"floating_network,omitempty"`
}

// projectScope is what offers of all places may be short of together.
const projectScope = "project"

// scope names what the hosts of a zone may have no room for.
func (s *spec) scope() string { return scopeOf(s.FlavorName, s.Zone) }

func scopeOf(flavor, zone string) string {
	if zone == "" {
		zone = "any zone"
	}
	return flavor + " " + zone
}

// Offers implements nodes.Driver: each flavour that fits, in each zone of the
// place.
func (d *Driver) Offers(ctx context.Context, place string, need nodes.Need) ([]nodes.Offer, error) {
	p, ok := d.cfg.Places[place]
	if !ok {
		return nil, &nodes.CloudError{Class: nodes.Configuration, Err: fmt.Errorf("the place %s is not one of this cloud", place)}
	}
	s, err := d.session(ctx)
	if err != nil {
		return nil, fmt.Errorf("offers of %s: %w", place, err)
	}
	base, image, err := d.resolve(ctx, s, p)
	if err != nil {
		return nil, fmt.Errorf("offers of %s: %w", place, err)
	}
	all, err := d.flavors(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("offers of %s: %w", place, err)
	}
	allowed, err := p.allowed(all, s.project)
	if err != nil {
		return nil, fmt.Errorf("offers of %s: %w", place, err)
	}
	if !runs(image, need.Arch) {
		return nil, nil
	}
	if p.BootFromVolume {
		base.Volume, base.VolumeType = max(gib(need.Disk), image.MinDiskGigabytes, 1), p.VolumeType
	}
	return p.offers(base, p.fitting(allowed, image, need)), nil
}

// resolve finds the IDs of all that the place names, except for the flavour.
func (d *Driver) resolve(ctx context.Context, s *session, p Place) (spec, images.Image, error) {
	base := spec{KeyName: p.KeyName, ConfigDrive: p.ConfigDrive}
	image, err := d.imageOf(ctx, s, p.Image)
	if err != nil {
		return base, image, err
	}
	base.Image = image.ID
	for _, name := range p.Networks {
		id, err := d.networkOf(ctx, s, name)
		if err != nil {
			return base, image, err
		}
		base.Networks = append(base.Networks, id)
	}
	for _, name := range p.SecurityGroups {
		id, err := d.securityGroupOf(ctx, s, name)
		if err != nil {
			return base, image, err
		}
		base.SecurityGroups = append(base.SecurityGroups, id)
	}
	if p.ServerGroup != "" {
		if base.ServerGroup, err = d.serverGroupOf(ctx, s, p.ServerGroup); err != nil {
			return base, image, err
		}
	}
	if p.FloatingNetwork != "" {
		base.Floating, err = d.networkOf(ctx, s, p.FloatingNetwork)
	}
	return base, image, err
}

// allowed returns the flavours that the place may use. That some of those it
// names are missing is for Check to say; that all are is an error.
func (p *Place) allowed(all []flavors.Flavor, project string) ([]flavors.Flavor, error) {
	if len(p.Flavors) == 0 {
		return all, nil
	}
	var found []flavors.Flavor
	for _, f := range all {
		if slices.Contains(p.Flavors, f.Name) || slices.Contains(p.Flavors, f.ID) {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return nil, missing("flavour", p.Flavors[0], project)
	}
	return found, nil
}

// fitting returns the flavours that have what is needed, the cheapest first,
// then the smallest. One without a price comes after those that have one.
func (p *Place) fitting(all []flavors.Flavor, image images.Image, need nodes.Need) []flavors.Flavor {
	var fit []flavors.Flavor
	for _, f := range all {
		disk := p.BootFromVolume || f.Disk >= max(gib(need.Disk), image.MinDiskGigabytes)
		memory := int64(f.RAM)<<20 >= need.Memory && f.RAM >= image.MinRAMMegabytes
		if disk && memory && f.VCPUs >= need.CPU {
			fit = append(fit, f)
		}
	}
	slices.SortFunc(fit, func(a, b flavors.Flavor) int {
		priceA, knownA := p.Prices[a.Name]
		priceB, knownB := p.Prices[b.Name]
		switch {
		case knownA != knownB && knownA:
			return -1
		case knownA != knownB:
			return 1
		}
		return cmp.Or(cmp.Compare(priceA, priceB), cmp.Compare(a.VCPUs, b.VCPUs), cmp.Compare(a.RAM, b.RAM),
			cmp.Compare(a.Disk, b.Disk), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return fit
}

func (p *Place) offers(base spec, fit []flavors.Flavor) []nodes.Offer {
	zones := p.Zones
	if len(zones) == 0 {
		zones = []string{""}
	}
	var offers []nodes.Offer
	for _, f := range fit {
		for _, zone := range zones {
			sp := base
			sp.Flavor, sp.FlavorName, sp.Zone = f.ID, f.Name, zone
			text, err := json.Marshal(sp)
			if err != nil {
				panic(err) // strings and numbers
			}
			name := f.Name
			if zone != "" {
				name += ", " + zone
			}
			offers = append(offers, nodes.Offer{
				Name: name, Spec: string(text), Price: p.Prices[f.Name], Scopes: []string{sp.scope(), projectScope},
			})
		}
	}
	return offers
}

// architectures are the names that images give what Go calls amd64 and arm64.
var architectures = map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

// runs reports whether a machine of the image has the architecture; an image
// that says nothing is believed to.
func runs(image images.Image, arch string) bool {
	for _, property := range []string{"hw_architecture", "architecture"} {
		if says, ok := image.Properties[property].(string); ok && architectures[says] != "" {
			return arch == "" || architectures[says] == arch
		}
	}
	return true
}

// gib returns how many GiB hold so many bytes.
func gib(bytes int64) int { return int((bytes + 1<<30 - 1) >> 30) }
