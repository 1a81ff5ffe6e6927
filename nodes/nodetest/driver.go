// Package nodetest holds what a cloud and a database must keep to: TestDriver
// and TestStore, one suite for each interface of package nodes. Cloud is a
// simulated cloud in virtual time that passes the first.
package nodetest

import (
	"context"
	"testing"

	"github.com/batchctl/batchctl/nodes"
)

// DriverLab is a cloud to test drivers in. New, Order, Pause and Polls are
// needed; each of the others that is nil leaves out what only it can show.
//
// A call that fails with Unsure or Throttled where success is due is repeated
// up to Polls times, as the reconciler would, so a lab may have faults.
type DriverLab struct {
	// New returns a new driver of an owner over the cloud, as after a restart.
	New func(owner string) nodes.Driver

	// Order returns an order with an ID and an offer of its own that the cloud
	// accepts, whose machines run until they are destroyed.
	Order func(count int) nodes.Order

	// Pause lets a little time pass before a condition is looked at again. It
	// is called from several goroutines.
	Pause func()

	// Polls is how often a condition is looked at before it counts as false.
	Polls int

	// Many is how many machines are made to see that List has all; 0: 200.
	Many int

	// Force returns an order that the cloud answers with an error of class
	// until heal is called; nil: the cloud has no such error.
	Force func(t *testing.T, class nodes.Class) (o *nodes.Order, heal func())

	// Short returns an order that is given fewer machines than it asks for,
	// and how many, until heal is called.
	Short func(t *testing.T) (o nodes.Order, given int, heal func())

	// Refuse returns an order that the cloud accepts and then has no room for,
	// until heal is called.
	Refuse func(t *testing.T) (o nodes.Order, heal func())

	// Leave makes what is left behind of a machine when it is destroyed (a
	// volume, an address) last longer than the machine.
	Leave func(t *testing.T, id string)

	// Kill ends a machine behind the driver's back.
	Kill func(t *testing.T, id string)

	// Hold makes the cloud fail to destroy a machine until heal is called.
	Hold func(t *testing.T, id string) (heal func())

	// Cut takes the cloud away, so that all calls fail, until heal is called.
	Cut func(t *testing.T) (heal func())
}

// TestDriver tests that a driver keeps what nodes.Driver says.
func TestDriver(t *testing.T, lab DriverLab) {
	for _, test := range []struct {
		name string
		run  func(*driverTest)
		can  bool
	}{
		{"Offers", (*driverTest).offers, true},
		{"Launch", (*driverTest).launches, true},
		{"LaunchAgain", (*driverTest).repeats, true},
		{"LaunchAtOnce", (*driverTest).repeatsAtOnce, true},
		{"LaunchAfterEnd", (*driverTest).repeatsAfterEnd, true},
		{"LaunchFewer", (*driverTest).fewer, lab.Short != nil},
		{"LaunchErrors", (*driverTest).classes, lab.Force != nil},
		{"LaunchRefused", (*driverTest).refused, lab.Refuse != nil},
		{"BadOrders", (*driverTest).badOrders, true},
		{"ListAll", (*driverTest).listsAll, true},
		{"Destroy", (*driverTest).destroys, true},
		{"DestroyStarting", (*driverTest).destroysStarting, true},
		{"DestroyUnknown", (*driverTest).destroysUnknown, true},
		{"DestroySome", (*driverTest).destroysSome, lab.Hold != nil},
		{"Remains", (*driverTest).remains, lab.Leave != nil},
		{"Killed", (*driverTest).killed, lab.Kill != nil},
		{"Owners", (*driverTest).owners, true},
		{"Cancelled", (*driverTest).cancelled, true},
		{"Cut", (*driverTest).cut, lab.Cut != nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !test.can {
				t.Skip("this lab cannot show it")
			}
			test.run(newDriverTest(t, lab))
		})
	}
}

// Two owners of which one's name begins with the other's: tags must be exact.
const (
	owner      = "suite"
	otherOwner = "suite-2"
)

// driverTest is one test in a lab.
type driverTest struct {
	*testing.T
	lab    DriverLab
	driver nodes.Driver
}

func newDriverTest(t *testing.T, lab DriverLab) *driverTest {
	d := &driverTest{T: t, lab: lab, driver: lab.New(owner)}
	t.Cleanup(func() {
		for _, o := range []string{owner, otherOwner} {
			driver := lab.New(o)
			d.until("all machines of "+o+" are gone", func() bool {
				vms := d.list(driver)
				d.destroy(driver, ids(vms)...)
				return len(vms) == 0
			})
		}
	})
	return d
}

// until polls a condition.
func (d *driverTest) until(what string, holds func() bool) {
	d.Helper()
	for range d.lab.Polls {
		if holds() {
			return
		}
		d.lab.Pause()
	}
	d.Fatalf("after %d looks it still does not hold that %s", d.lab.Polls, what)
}

// patiently repeats a call while it is unsure or throttled.
func (d *driverTest) patiently(what string, call func() error) {
	d.Helper()
	for i := range d.lab.Polls {
		err := call()
		if err == nil {
			return
		}
		if c := nodes.ClassOf(err); i == d.lab.Polls-1 || c != nodes.Unsure && c != nodes.Throttled {
			d.Fatalf("%s: %v", what, err)
		}
		d.lab.Pause()
	}
}

func (d *driverTest) launch(driver nodes.Driver, o nodes.Order) (vms []nodes.VM) {
	d.Helper()
	d.patiently("launch", func() (err error) {
		vms, err = driver.Launch(context.Background(), o)
		return err
	})
	return vms
}

func (d *driverTest) list(driver nodes.Driver) (vms []nodes.VM) {
	d.Helper()
	d.patiently("list", func() (err error) {
		vms, err = driver.List(context.Background())
		return err
	})
	return vms
}

func (d *driverTest) destroy(driver nodes.Driver, ids ...string) {
	d.Helper()
	d.patiently("destroy", func() error { return driver.Destroy(context.Background(), ids...) })
}

// start launches an order and waits until all of it is listed as running.
func (d *driverTest) start(count int) (nodes.Order, []nodes.VM) {
	d.Helper()
	o := d.lab.Order(count)
	vms := d.launch(d.driver, o)
	d.until("all machines of the order run", func() bool { return d.runs(d.driver, ids(vms)...) })
	return o, vms
}

// runs reports whether List has all of ids, and running.
func (d *driverTest) runs(driver nodes.Driver, ids ...string) bool {
	d.Helper()
	states := d.states(driver)
	for _, id := range ids {
		if states[id] != nodes.VMRunning {
			return false
		}
	}
	return true
}

// states returns the states of the machines in List; "" is gone.
func (d *driverTest) states(driver nodes.Driver) map[string]nodes.VMState {
	d.Helper()
	states := map[string]nodes.VMState{}
	for _, vm := range d.list(driver) {
		if _, twice := states[vm.ID]; twice {
			d.Errorf("List has %s twice", vm.ID)
		}
		states[vm.ID] = vm.State
	}
	return states
}

func ids(vms []nodes.VM) []string {
	ids := make([]string, len(vms))
	for i, vm := range vms {
		ids[i] = vm.ID
	}
	return ids
}
