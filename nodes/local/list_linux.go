package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// List implements nodes.Driver. It has every machine with a living process,
// whatever the records say, and those whose start is not decided. What has
// ended is tidied away by the way.
func (d *Driver) List(ctx context.Context) ([]nodes.VM, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	d.reap()
	s, err := d.look()
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	for _, id := range s.ended {
		d.tidy(id)
	}
	d.sweep()
	return slices.SortedFunc(maps.Values(s.vms), func(a, b nodes.VM) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return compareIDs(a.ID, b.ID)
	}), nil
}

// sight is one look at all machines of the owner.
type sight struct {
	vms   map[string]nodes.VM
	ended []string // ran, and have no process any more
}

// look reads directories, then records, then processes, each after what
// Launch writes before it, so that nothing that begins meanwhile looks as if
// it had ended.
func (d *Driver) look() (*sight, error) {
	dirs, err := d.names("machines", "")
	if err != nil {
		return nil, err
	}
	orders, err := d.names("orders", ".json")
	if err != nil {
		return nil, err
	}
	s := &sight{vms: map[string]nodes.VM{}}
	var ran []string
	for _, order := range orders {
		started, err := d.lookAt(s, order, dirs)
		if err != nil {
			return nil, err
		}
		ran = append(ran, started...)
	}
	if err := d.lookForLife(s, ran); err != nil {
		return nil, err
	}
	// A directory without a machine is what a crash left of an ended one.
	for _, id := range dirs {
		if _, _, ok := splitID(id); ok && s.vms[id].ID == "" && !slices.Contains(s.ended, id) {
			s.ended = append(s.ended, id)
		}
	}
	return s, nil
}

// lookAt adds the machines of one order that have not ended, and returns
// those that have run.
func (d *Driver) lookAt(s *sight, order string, dirs []string) (ran []string, err error) {
	r, err := d.load(order)
	if errors.Is(err, errUnreadable) {
		d.lookAtDamaged(s, order, dirs, err)
		return nil, nil
	}
	if err != nil || r == nil || r.over {
		return nil, err
	}
	for i := range r.Count {
		if slices.Contains(r.Ended, i) {
			continue
		}
		id := machineID(order, i)
		started, err := d.started(id)
		if err != nil {
			return nil, err
		}
		vm := nodes.VM{ID: id, Order: order, State: nodes.VMStarting, Created: r.Created, Detail: "process group of this host"}
		if started {
			vm.State = nodes.VMRunning
			ran = append(ran, id)
		}
		s.vms[id] = vm
	}
	return ran, nil
}

// lookAtDamaged adds what can be known of an order whose record is damaged.
// It is listed until it is destroyed, and never started again.
func (d *Driver) lookAtDamaged(s *sight, order string, dirs []string, why error) {
	add := func(id string) {
		s.vms[id] = nodes.VM{ID: id, Order: order, State: nodes.VMEnding, Detail: why.Error() + "; destroy the machine"}
	}
	some := false
	for _, id := range dirs {
		if o, _, ok := splitID(id); ok && o == order {
			add(id)
			some = true
		}
	}
	if !some {
		add(machineID(order, 0))
	}
}

// lookForLife takes out the machines that have run and are dead, and adds
// those that are alive without a record.
func (d *Driver) lookForLife(s *sight, ran []string) error {
	for scans := 0; scans < 2; scans++ {
		t, err := d.scan()
		if err != nil {
			return err
		}
		marked := t.machines()
		ran = slices.DeleteFunc(ran, func(id string) bool { return marked[id] || d.alive(t, id) })
		for id := range marked {
			if s.vms[id].ID == "" {
				if err := d.lookAtStray(s, id); err != nil {
					return err
				}
			}
		}
		if len(ran) == 0 {
			return nil
		}
	}
	for _, id := range ran {
		delete(s.vms, id)
	}
	s.ended = ran
	return nil
}

// lookAtStray adds a machine of which a process was seen: it began after the
// records were read, or they say that it has ended.
func (d *Driver) lookAtStray(s *sight, id string) error {
	order, index, _ := splitID(id)
	r, err := d.load(order)
	if err != nil && !errors.Is(err, errUnreadable) {
		return err
	}
	vm := nodes.VM{ID: id, Order: order, State: nodes.VMEnding, Detail: "processes of a machine that has ended"}
	if r != nil && !r.over && index < r.Count && !slices.Contains(r.Ended, index) {
		vm = nodes.VM{ID: id, Order: order, State: nodes.VMStarting, Created: r.Created, Detail: "process group of this host"}
	}
	s.vms[id] = vm
	return nil
}

// alive reports whether a machine has a process.
func (d *Driver) alive(t table, id string) bool {
	return len(t.of(id, d.leader(id), d.cgroup.processes(d.cfg.Owner, id))) > 0
}

// compareIDs puts machine 2 of an order before machine 10.
func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	return 1
}

// sweepEvery is how often old files are looked for.
const sweepEvery = time.Hour
