package openstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/nodes"
)

// callsAtOnce bounds what one call of the driver asks at the same time.
const callsAtOnce = 8

// Destroy implements nodes.Driver. A server that ends in ERROR after its
// DELETE is listed still, and the next Destroy deletes it again.
func (d *Driver) Destroy(ctx context.Context, ids ...string) error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool {
		_, _, ok := splitID(id)
		return !ok // not of this cloud: it reaches no URL
	})
	if len(ids) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("destroy machines: %w", err)
	}
	s, err := d.session(ctx)
	if err != nil {
		return fmt.Errorf("destroy machines: %w", open(err))
	}
	var mu sync.Mutex
	var problems []error
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			if err := d.destroy(ctx, s, id); err != nil {
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, &nodes.CloudError{Err: fmt.Errorf("destroy %s: %w", id, err), Class: nodes.ClassOf(open(err))})
			}
			return nil
		})
	}
	_ = group.Wait() // all problems are gathered
	return errors.Join(problems...)
}

// splitID returns what an ID of ours means: a server, or what one left behind.
func splitID(id string) (kind, uuid string, ok bool) {
	kind, uuid, ok = strings.Cut(id, "/")
	if !ok {
		kind, uuid = "", id
	}
	known := kind == "" && !ok || kind == portKind || kind == addressKind
	return kind, uuid, known && isUUID(uuid)
}

func (d *Driver) destroy(ctx context.Context, s *session, id string) error {
	switch kind, uuid, _ := splitID(id); kind {
	case portKind:
		return d.deletePart(ctx, s, id, func() error { return d.deletePortLeft(ctx, s, uuid) })
	case addressKind:
		return d.deletePart(ctx, s, id, func() error { return d.deleteAddressLeft(ctx, s, uuid) })
	default:
		return d.deleteServer(ctx, s, uuid)
	}
}

// deleteServer deletes a server of ours, with the port and the address that
// were made for it.
func (d *Driver) deleteServer(ctx context.Context, s *session, id string) error {
	server, ours, err := d.isOurs(ctx, s, id)
	if err != nil || !ours {
		return err
	}
	var ports []string
	if server.floating {
		if ports, err = d.portsOf(ctx, s, id, server.name); err != nil {
			return err
		}
	}
	if err := d.writes.Wait(ctx); err != nil {
		return err
	}
	err = classify(servers.Delete(ctx, s.compute, id).ExtractErr())
	if err != nil && statusOf(err) != http.StatusNotFound {
		return err // a server that is locked, for instance: 409
	}
	// What follows may fail: it is listed as left behind then.
	for _, port := range ports {
		if err := d.deletePort(ctx, s, port); err != nil {
			return err
		}
	}
	return nil
}

// isOurs reports whether a server has our exact tag: known from the last
// look, or asked for.
func (d *Driver) isOurs(ctx context.Context, s *session, id string) (owned, bool, error) {
	d.mu.Lock()
	known, ours := d.ours[id]
	d.mu.Unlock()
	if ours {
		return known, true, nil
	}
	server, err := servers.Get(ctx, s.compute, id).Extract()
	if err = classify(err); statusOf(err) == http.StatusNotFound {
		return owned{}, false, nil
	}
	if err != nil {
		return owned{}, false, err
	}
	return ownedOf(server), server.ID == id && d.tagged(server), nil
}
