//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

const (
	polls = 3000
	poll  = 5 * time.Millisecond
)

func newDriver(t *testing.T, c Config) *Driver {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// newLab is a driver over a new directory that leaves no process behind.
func newLab(t *testing.T) *Driver {
	t.Helper()
	d := newDriver(t, Config{Dir: t.TempDir(), Owner: "lab"})
	t.Cleanup(func() { destroyAll(t, d) })
	return d
}

func destroyAll(t *testing.T, d *Driver) {
	t.Helper()
	until(t, "all machines are gone", func() bool {
		vms := list(t, d)
		if err := d.Destroy(context.Background(), ids(vms)...); err != nil {
			t.Fatal(err)
		}
		return len(vms) == 0
	})
}

func list(t *testing.T, d *Driver) []nodes.VM {
	t.Helper()
	vms, err := d.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return vms
}

func launch(t *testing.T, d *Driver, o nodes.Order) []nodes.VM {
	t.Helper()
	vms, err := d.Launch(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return vms
}

func destroy(t *testing.T, d *Driver, ids ...string) {
	t.Helper()
	if err := d.Destroy(context.Background(), ids...); err != nil {
		t.Fatal(err)
	}
}

func ids(vms []nodes.VM) []string {
	ids := make([]string, len(vms))
	for i, vm := range vms {
		ids[i] = vm.ID
	}
	return ids
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range polls {
		if holds() {
			return
		}
		time.Sleep(poll)
	}
	t.Fatalf("it still does not hold that %s", what)
}

const forever = "while :; do sleep 1000; done"

var orders atomic.Int64

func newOrder(count int, userData string) nodes.Order {
	return nodes.Order{ID: fmt.Sprintf("order-%d", orders.Add(1)), Place: "here", Count: count, UserData: userData}
}

func TestDriver(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var drivers []*Driver // all that the suite has
	each := func(change func(*Driver)) {
		mu.Lock()
		defer mu.Unlock()
		for _, d := range drivers {
			change(d)
		}
	}
	full := func(max int) { each(func(d *Driver) { d.cfg.Max = max }) }
	suite := func() *Driver { return newDriver(t, Config{Dir: dir, Owner: "suite"}) }
	lab := nodetest.DriverLab{
		New: func(owner string) nodes.Driver {
			d := newDriver(t, Config{Dir: dir, Owner: owner})
			mu.Lock()
			defer mu.Unlock()
			drivers = append(drivers, d)
			return d
		},
		Order: func(count int) nodes.Order { return newOrder(count, forever) },
		Pause: func() { time.Sleep(poll) },
		Polls: polls,
		Many:  120,
		Short: func(*testing.T) (nodes.Order, int, func()) {
			full(1)
			return newOrder(3, forever), 1, func() { full(0) }
		},
		Kill: func(t *testing.T, id string) {
			if err := syscall.Kill(-suite().leader(id).PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
		Hold: func(_ *testing.T, held string) func() {
			each(func(d *Driver) {
				d.spare = func(id string) error {
					if id == held {
						return errors.New("it does not die")
					}
					return nil
				}
			})
			return func() { each(func(d *Driver) { d.spare = nil }) }
		},
		Cut: func(t *testing.T) func() {
			move := func(from, to string) {
				if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
					t.Fatal(err)
				}
			}
			move("suite", "away")
			return func() { move("away", "suite") }
		},
	}
	lab.Force = func(t *testing.T, class nodes.Class) (*nodes.Order, func()) {
		o := newOrder(2, forever)
		switch class {
		case nodes.NoCapacity:
			one := launch(t, suite(), newOrder(1, forever))
			full(1)
			return &o, func() {
				full(0)
				destroy(t, suite(), one[0].ID)
			}
		case nodes.Configuration:
			each(func(d *Driver) { d.sh = "/no/such/shell" })
			return &o, func() { each(func(d *Driver) { d.sh = "/bin/sh" }) }
		}
		return nil, nil
	}
	nodetest.TestDriver(t, lab)
}
