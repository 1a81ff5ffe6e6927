package nodetest

import (
	"context"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
)

// The offers of a place are there, can be told apart, and are the same to a
// driver that was just started, as long as nothing has changed.
func (d *driverTest) offers() {
	o := d.lab.Order(1)
	ask := func(driver nodes.Driver) (offers []nodes.Offer) {
		d.patiently("offers", func() (err error) {
			offers, err = driver.Offers(context.Background(), o.Place, o.Need)
			return err
		})
		return offers
	}
	offers := ask(d.driver)
	if len(offers) == 0 {
		d.Fatalf("%s offers nothing for %s", o.Place, o.Need)
	}
	seen := map[string]bool{}
	for _, offer := range offers {
		if seen[offer.Name] {
			d.Errorf("two offers are called %q", offer.Name)
		}
		if seen[offer.Name] = true; offer.Price < 0 || len(offers) > 1 && offer.Name == "" {
			d.Errorf("the offer %+v has no name, or a price that it cannot have", offer)
		}
	}
	if diff := cmp.Diff(offers, ask(d.lab.New(owner))); diff != "" {
		d.Errorf("a new driver has other offers (-first +then):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.driver.Offers(ctx, o.Place, o.Need); err != nil && nodes.ClassOf(err) != nodes.Unsure {
		d.Errorf("a cancelled call says %v", err)
	}
}

// A machine that is accepted and gets no room is listed with the reason, ends
// and can be taken away.
func (d *driverTest) refused() {
	o, heal := d.lab.Refuse(d.T)
	defer heal()
	vms := d.launch(d.driver, o)
	found := map[string]bool{}
	d.until("the machines are listed as refused", func() bool {
		for _, vm := range d.list(d.driver) {
			if vm.Order == o.ID && vm.State == nodes.VMEnding {
				if c := nodes.ClassOf(vm.Err); c != nodes.NoCapacity {
					d.Fatalf("%s got no room and is listed with %v", vm.ID, vm.Err)
				}
				found[vm.ID] = true
			}
		}
		return len(found) == len(vms)
	})
	d.same("a repetition of an order that was refused later", ids(vms), d.launch(d.lab.New(owner), o))
	d.destroy(d.driver, ids(vms)...)
	d.gone(d.driver, ids(vms)...)
}

// What a machine leaves behind is listed when the machine is gone, with the
// order that it came from, and Destroy takes it away.
func (d *driverTest) remains() {
	o, vms := d.start(1)
	d.lab.Leave(d.T, vms[0].ID)
	d.destroy(d.driver, vms[0].ID)
	d.gone(d.driver, vms[0].ID)
	left := func(driver nodes.Driver) (left []string) {
		for _, vm := range d.list(driver) {
			if vm.Order == o.ID && vm.State == nodes.VMEnding && vm.ID != vms[0].ID {
				left = append(left, vm.ID)
			}
		}
		return left
	}
	d.until("what is left behind is listed", func() bool { return len(left(d.driver)) > 0 })
	d.destroy(d.lab.New(otherOwner), left(d.driver)...)
	d.until("another owner has left it alone", func() bool { return len(left(d.lab.New(owner))) > 0 })
	d.destroy(d.driver, left(d.driver)...)
	d.until("it is gone", func() bool { return len(left(d.driver)) == 0 })
}

// An order gives its machines, and List comes to have them.
func (d *driverTest) launches() {
	o := d.lab.Order(3)
	vms := d.launch(d.driver, o)
	if len(vms) != 3 {
		d.Fatalf("an order for 3 machines gave %d", len(vms))
	}
	seen := map[string]bool{}
	for _, vm := range vms {
		if vm.ID == "" || seen[vm.ID] {
			d.Errorf("the machine's ID %q is empty or not its own", vm.ID)
		}
		seen[vm.ID] = true
		if vm.Order != o.ID {
			d.Errorf("%s belongs to order %q, want %q", vm.ID, vm.Order, o.ID)
		}
		if vm.State != nodes.VMStarting && vm.State != nodes.VMRunning {
			d.Errorf("%s is %q when it is accepted", vm.ID, vm.State)
		}
	}
	d.until("the machines run", func() bool { return d.runs(d.driver, ids(vms)...) })
	for _, vm := range d.list(d.driver) {
		if vm.Order != o.ID || !seen[vm.ID] {
			d.Errorf("List has %s of order %q, which was not launched", vm.ID, vm.Order)
		}
	}
	if other := d.launch(d.driver, d.lab.Order(1)); seen[other[0].ID] {
		d.Errorf("another order gave %s too", other[0].ID)
	}
}

// The same ID gives the same machines in the same order, also to a driver
// that was just started.
func (d *driverTest) repeats() {
	o := d.lab.Order(3)
	want := ids(d.launch(d.driver, o))
	d.same("a repetition", want, d.launch(d.driver, o))
	d.same("a repetition by a new driver", want, d.launch(d.lab.New(owner), o))
	d.until("the machines run", func() bool { return d.runs(d.driver, want...) })
	d.same("a repetition when all run", want, d.launch(d.lab.New(owner), o))
	d.only(o, want)
}

// Repetitions at the same time, from several drivers, make nothing more.
func (d *driverTest) repeatsAtOnce() {
	o := d.lab.Order(3)
	got := make([][]string, 8)
	var wg sync.WaitGroup
	shared := d.lab.New(owner)
	for i := range got {
		driver := shared
		if i%2 == 1 {
			driver = d.lab.New(owner)
		}
		wg.Go(func() {
			for range d.lab.Polls {
				if vms, err := driver.Launch(context.Background(), o); err == nil {
					got[i] = ids(vms)
					return
				}
				d.lab.Pause()
			}
		})
	}
	wg.Wait()
	want := d.launch(d.driver, o)
	for _, some := range got {
		if some == nil {
			d.Error("one of the repetitions at the same time never succeeded")
			continue
		}
		d.same("a repetition at the same time", some, want)
	}
	d.until("the machines run", func() bool { return d.runs(d.driver, ids(want)...) })
	d.only(o, ids(want))
}

// Machines that ended stay dead when their order is repeated.
func (d *driverTest) repeatsAfterEnd() {
	o, vms := d.start(3)
	want := ids(vms)
	for _, end := range [][]string{want[:1], want} {
		d.destroy(d.driver, end...)
		d.same("a repetition while machines end", want, d.launch(d.driver, o))
		d.gone(d.driver, end...)
		d.same("a repetition by a new driver when machines are gone", want, d.launch(d.lab.New(owner), o))

		// What another order made later is there: the repetition had its time.
		_, later := d.start(1)
		states := d.states(d.driver)
		for _, id := range end {
			if states[id] != "" {
				d.Errorf("%s was gone and is %s after its order was repeated", id, states[id])
			}
		}
		d.destroy(d.driver, later[0].ID)
	}
	for _, vm := range d.list(d.driver) {
		if vm.Order == o.ID {
			d.Errorf("the order has a new machine %s, %s, after its end", vm.ID, vm.State)
		}
	}
}

// An order that was given fewer than it asked for stays so.
func (d *driverTest) fewer() {
	o, given, heal := d.lab.Short(d.T)
	vms := d.launch(d.driver, o)
	heal()
	if len(vms) != given || given >= o.Count || given < 1 {
		d.Fatalf("an order for %d machines gave %d, want %d", o.Count, len(vms), given)
	}
	d.same("a repetition when there is room", ids(vms), d.launch(d.driver, o))
	d.until("the machines run", func() bool { return d.runs(d.driver, ids(vms)...) })
	d.only(o, ids(vms))
}

// An error with a class has that class, and means that nothing was made.
func (d *driverTest) classes() {
	for _, class := range []nodes.Class{nodes.NoCapacity, nodes.Quota, nodes.Throttled, nodes.Configuration, nodes.Unsure} {
		o, heal := d.lab.Force(d.T, class)
		if o == nil {
			continue
		}
		vms, err := d.driver.Launch(context.Background(), *o)
		heal()
		if err == nil || nodes.ClassOf(err) != class || len(vms) != 0 {
			d.Errorf("got %d machines and %v, want an error of class %q", len(vms), err, class)
		}
		if class == nodes.Unsure {
			continue
		}
		_, later := d.start(1)
		d.only(*o, nil)
		d.destroy(d.driver, ids(later)...)

		d.until("the order works when the cause is gone", func() bool {
			vms, err = d.driver.Launch(context.Background(), *o)
			return err == nil
		})
		if len(vms) != o.Count {
			d.Errorf("after %s had passed the order for %d machines gave %d", class, o.Count, len(vms))
		}
		d.destroy(d.driver, ids(vms)...)
		d.gone(d.driver, ids(vms)...)
	}
}

// An order that no cloud can carry out is a configuration error, and where
// the ID is no name it reaches neither a path nor a query.
func (d *driverTest) badOrders() {
	good := d.lab.Order(1)
	for name, change := range map[string]func(*nodes.Order){
		"no machines":       func(o *nodes.Order) { o.Count = 0 },
		"a negative number": func(o *nodes.Order) { o.Count = -1 },
		"no ID":             func(o *nodes.Order) { o.ID = "" },
		"a long ID":         func(o *nodes.Order) { o.ID = strings.Repeat("a", 41) },
		"a path as ID":      func(o *nodes.Order) { o.ID = "../" + o.ID },
		"capitals in ID":    func(o *nodes.Order) { o.ID = "A" },
	} {
		o := good
		change(&o)
		var vms []nodes.VM
		var err error
		for range d.lab.Polls {
			vms, err = d.driver.Launch(context.Background(), o)
			if c := nodes.ClassOf(err); err == nil || c != nodes.Unsure && c != nodes.Throttled {
				break
			}
			d.lab.Pause()
		}
		if nodes.ClassOf(err) != nodes.Configuration {
			d.Errorf("%s: got %d machines and %v, want a configuration error", name, len(vms), err)
		}
	}
}

// same checks that vms are those of want, in that order.
func (d *driverTest) same(what string, want []string, vms []nodes.VM) {
	d.Helper()
	if diff := cmp.Diff(want, ids(vms)); diff != "" {
		d.Errorf("%s gave other machines (-want +got):\n%s", what, diff)
	}
}

// only checks that List has no machine of an order but want.
func (d *driverTest) only(o nodes.Order, want []string) {
	d.Helper()
	allowed := map[string]bool{}
	for _, id := range want {
		allowed[id] = true
	}
	for _, vm := range d.list(d.driver) {
		if vm.Order == o.ID && !allowed[vm.ID] {
			d.Errorf("order %s has a machine %s that its Launch did not return", o.ID, vm.ID)
		}
	}
}
