package openstack

import (
	"context"
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"golang.org/x/sync/errgroup"

	"github.com/batchctl/batchctl/nodes"
)

// List implements nodes.Driver: one call for the servers with our tag, page
// by page, and now and then what machines have left behind.
func (d *Driver) List(ctx context.Context) ([]nodes.VM, error) {
	vms, err := d.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", open(err))
	}
	return vms, nil
}

func (d *Driver) list(ctx context.Context) ([]nodes.VM, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	// Before the servers: a port that is seen now and whose server is not
	// among those that are seen later has none.
	parts, look, err := d.parts(ctx, s)
	if err != nil {
		return nil, err
	}
	all, err := d.servers(ctx, s, servers.ListOpts{Tags: d.mark()})
	if err != nil {
		return nil, err
	}
	there := map[string]owned{}
	vms := make([]nodes.VM, 0, len(all))
	for i := range all {
		if _, twice := there[all[i].ID]; d.tagged(&all[i]) && !twice { // pages may overlap when servers come and go
			there[all[i].ID] = ownedOf(&all[i])
			vms = append(vms, d.describe(&all[i]))
		}
	}
	if err := d.addFaults(ctx, s, all, vms); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ours = there
	if look {
		d.left, d.swept = parts.left(there), d.cfg.Now()
	}
	return append(vms, d.left...), nil
}

func ownedOf(s *servers.Server) owned {
	return owned{name: s.Name, floating: s.Metadata[floatingKey] != ""}
}

// describe says what Nova's words mean.
func (d *Driver) describe(s *servers.Server) nodes.VM {
	vm := nodes.VM{ID: s.ID, Address: address(s), State: stateOf(s), Created: s.Created, Detail: detail(s)}
	if s.Tags != nil {
		for _, tag := range *s.Tags {
			if order, ok := strings.CutPrefix(tag, orderTag); ok {
				vm.Order = order
			}
		}
	}
	return vm
}

// states says what a status means. What is not here is running: the cloud's
// people have paused, moved or rescued it and may undo that, or its host does
// not answer (UNKNOWN). Whether it still works Jenkins knows by its agent, and
// nothing may be cut off for a status that passes.
var states = map[string]nodes.VMState{
	"BUILD":             nodes.VMStarting,
	"SHUTOFF":           nodes.VMEnding, // powered itself off
	"ERROR":             nodes.VMEnding,
	"DELETED":           nodes.VMEnding,
	"SOFT_DELETED":      nodes.VMEnding,
	"SHELVED":           nodes.VMEnding,
	"SHELVED_OFFLOADED": nodes.VMEnding,
}

// stateOf goes by the status, and by what is being done: a server that is
// being deleted keeps its status until it is gone.
func stateOf(s *servers.Server) nodes.VMState {
	if s.TaskState == "deleting" || s.TaskState == "soft-deleting" {
		return nodes.VMEnding
	}
	if state, ok := states[s.Status]; ok {
		return state
	}
	return nodes.VMRunning
}

// detail is the flavour and the zone.
func detail(s *servers.Server) string {
	flavor, _ := s.Flavor["original_name"].(string)
	if s.AvailabilityZone == "" {
		return flavor
	}
	return flavor + ", " + s.AvailabilityZone
}

// address returns the floating address of a server, or else a fixed one, IPv4
// before IPv6.
func address(s *servers.Server) string {
	best, address := 0, ""
	for _, network := range s.Addresses {
		list, _ := network.([]any)
		for _, entry := range list {
			e, _ := entry.(map[string]any)
			text, _ := e["addr"].(string)
			rank := 1
			if version, _ := e["version"].(float64); version == 4 {
				rank += 1
			}
			if e["OS-EXT-IPS:type"] == "floating" {
				rank += 2
			}
			// Networks come in no order: of equals the least is taken, so that it stays the same.
			if rank > best || rank == best && text < address {
				best, address = rank, text
			}
		}
	}
	return address
}

// fault is why a server is in ERROR.
type fault struct{ err error }

// addFaults says why servers failed. Nova leaves the reason out of its list
// for those that never got a host, so each is asked for once.
func (d *Driver) addFaults(ctx context.Context, s *session, all []servers.Server, vms []nodes.VM) error {
	index := map[string]int{}
	for i := range vms {
		index[vms[i].ID] = i
	}
	d.mu.Lock()
	known := d.faults
	d.mu.Unlock()
	now := map[string]fault{}
	var ask []*servers.Server
	for i := range all {
		switch f, have := known[all[i].ID]; {
		case all[i].Status != "ERROR":
		case have:
			now[all[i].ID] = f
		default:
			ask = append(ask, &all[i])
		}
	}
	reasons := make([]error, len(ask))
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	for i, server := range ask {
		group.Go(func() (err error) {
			reasons[i], err = d.reason(ctx, s, server)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, server := range ask {
		now[server.ID] = fault{reasons[i]}
	}
	for id, f := range now {
		if i, ok := index[id]; ok {
			vms[i].Err = f.err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = now
	return nil
}

// reason returns why a server is in ERROR.
func (d *Driver) reason(ctx context.Context, s *session, server *servers.Server) (error, error) {
	message := server.Fault.Message
	if message == "" {
		one, err := servers.Get(ctx, s.compute, server.ID).Extract()
		if err = classify(err); statusOf(err) == 404 {
			return nil, nil // it went in between
		}
		if err != nil {
			return nil, err
		}
		message = one.Fault.Message
	}
	return faultOf(message, server.Metadata[scopeKey]), nil
}
