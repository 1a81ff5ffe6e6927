package openstack

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servergroups"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/groups"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"

	"github.com/batchctl/batchctl/nodes"
)

// facts keeps what the cloud has said of things that rarely change.
type facts struct {
	mu   sync.Mutex
	kept map[string]fact
}

type fact struct {
	value any
	until time.Time
}

// remember returns what load has found at most factsKept ago.
func remember[T any](d *Driver, key string, load func() (T, error)) (T, error) {
	now := d.cfg.Now()
	d.facts.mu.Lock()
	f, ok := d.facts.kept[key]
	d.facts.mu.Unlock()
	if ok && now.Before(f.until) {
		return f.value.(T), nil
	}
	value, err := load()
	if err != nil {
		return value, classify(err)
	}
	d.facts.mu.Lock()
	defer d.facts.mu.Unlock()
	d.facts.kept[key] = fact{value, now.Add(factsKept)}
	return value, nil
}

// missing says that a thing of the configuration is not there.
func missing(what, name, project string) error {
	return &nodes.CloudError{Class: nodes.Configuration, Err: fmt.Errorf(
		"the %s %q is not there, or the project %s may not see it", what, name, project)}
}

func (d *Driver) flavors(ctx context.Context, s *session) ([]flavors.Flavor, error) {
	return remember(d, "flavors", func() ([]flavors.Flavor, error) {
		pages, err := flavors.ListDetail(s.compute, flavors.ListOpts{}).AllPages(ctx)
		if err != nil {
			return nil, err
		}
		return flavors.ExtractFlavors(pages)
	})
}

// imageOf returns the image that a name means: the newest active one.
func (d *Driver) imageOf(ctx context.Context, s *session, name string) (images.Image, error) {
	return remember(d, "image "+name, func() (images.Image, error) {
		var found []images.Image
		for _, opts := range []images.ListOpts{{ID: "in:" + name}, {Name: name}} {
			if opts.ID != "" && !isUUID(name) {
				continue
			}
			pages, err := images.List(s.image, opts).AllPages(ctx)
			if err != nil {
				return images.Image{}, err
			}
			some, err := images.ExtractImages(pages)
			if err != nil {
				return images.Image{}, err
			}
			found = append(found, some...)
		}
		if len(found) == 0 {
			return images.Image{}, missing("image", name, s.project)
		}
		slices.SortStableFunc(found, func(a, b images.Image) int { return b.CreatedAt.Compare(a.CreatedAt) })
		i := slices.IndexFunc(found, func(i images.Image) bool { return i.Status == images.ImageStatusActive })
		if i < 0 {
			return images.Image{}, &nodes.CloudError{Class: nodes.Configuration, Err: fmt.Errorf("the image %q is %s, not active", name, found[0].Status)}
		}
		return found[i], nil
	})
}

func (d *Driver) networkOf(ctx context.Context, s *session, name string) (string, error) {
	return remember(d, "network "+name, func() (string, error) {
		opts := networks.ListOpts{Name: name}
		if isUUID(name) {
			opts = networks.ListOpts{ID: name}
		}
		pages, err := networks.List(s.network, opts).AllPages(ctx)
		if err != nil {
			return "", err
		}
		found, err := networks.ExtractNetworks(pages)
		if err != nil {
			return "", err
		}
		return one("network", name, s.project, found, func(n networks.Network) string { return n.ID })
	})
}

func (d *Driver) securityGroupOf(ctx context.Context, s *session, name string) (string, error) {
	return remember(d, "security group "+name, func() (string, error) {
		opts := groups.ListOpts{Name: name}
		if isUUID(name) {
			opts = groups.ListOpts{ID: name}
		}
		pages, err := groups.List(s.network, opts).AllPages(ctx)
		if err != nil {
			return "", err
		}
		found, err := groups.ExtractGroups(pages)
		if err != nil {
			return "", err
		}
		return one("security group", name, s.project, found, func(g groups.SecGroup) string { return g.ID })
	})
}

func (d *Driver) serverGroupOf(ctx context.Context, s *session, name string) (string, error) {
	return remember(d, "server group "+name, func() (string, error) {
		pages, err := servergroups.List(s.compute, servergroups.ListOpts{}).AllPages(ctx)
		if err != nil {
			return "", err
		}
		all, err := servergroups.ExtractServerGroups(pages)
		if err != nil {
			return "", err
		}
		found := slices.DeleteFunc(all, func(g servergroups.ServerGroup) bool { return g.ID != name && g.Name != name })
		return one("server group", name, s.project, found, func(g servergroups.ServerGroup) string { return g.ID })
	})
}

// one returns the ID of the one thing that a name may mean.
func one[T any](what, name, project string, found []T, id func(T) string) (string, error) {
	switch len(found) {
	case 0:
		return "", missing(what, name, project)
	case 1:
		return id(found[0]), nil
	}
	return "", &nodes.CloudError{Class: nodes.Configuration, Err: fmt.Errorf(
		"%d things are a %s called %q: name one by its ID, for instance %s", len(found), what, name, id(found[0]))}
}
