package nodetest

import (
	"context"

	"github.com/batchctl/batchctl/nodes"
)

// List has all machines, however many, of however many orders.
func (d *driverTest) listsAll() {
	many := d.lab.Many
	if many == 0 {
		many = 200
	}
	var all []string
	for left := many; left > 0; {
		vms := d.launch(d.driver, d.lab.Order(min(left, 50)))
		all = append(all, ids(vms)...)
		left -= len(vms)
	}
	d.until("List has all machines running", func() bool { return d.runs(d.driver, all...) })
	if states := d.states(d.driver); len(states) != many {
		d.Errorf("List has %d machines, want %d", len(states), many)
	}
	d.destroy(d.driver, all...)
	d.gone(d.driver, all...)
}

// A destroyed machine ends and is gone, the others stay, and to destroy it
// again is no error at any time.
func (d *driverTest) destroys() {
	_, vms := d.start(3)
	all := ids(vms)
	d.destroy(d.driver, all[1])
	d.destroy(d.driver, all[1])
	d.gone(d.driver, all[1])
	d.destroy(d.lab.New(owner), all[1], all[1])
	if !d.runs(d.driver, all[0], all[2]) {
		d.Errorf("one machine was destroyed and the others are %v", d.states(d.driver))
	}
	d.destroy(d.driver)
	if !d.runs(d.driver, all[0], all[2]) {
		d.Errorf("nothing was to be destroyed and the machines are %v", d.states(d.driver))
	}
	d.destroy(d.lab.New(owner), all...)
	d.gone(d.driver, all...)
}

// A machine can be destroyed as soon as it has a name.
func (d *driverTest) destroysStarting() {
	o := d.lab.Order(2)
	vms := d.launch(d.driver, o)
	d.destroy(d.driver, ids(vms)...)
	d.gone(d.driver, ids(vms)...)

	// A cloud whose List is late may show it once more, but never running.
	_, later := d.start(1)
	for _, vm := range d.list(d.driver) {
		if vm.Order == o.ID && vm.State != nodes.VMEnding {
			d.Errorf("%s was destroyed before it ran and is %s", vm.ID, vm.State)
		}
	}
	d.destroy(d.driver, later[0].ID)
	d.gone(d.driver, ids(vms)...)
}

// What is not there is no error, and does not keep the others.
func (d *driverTest) destroysUnknown() {
	_, vms := d.start(1)
	odd := []string{"", ".", "..", "../..", "/", "-1", "0", "1", "no-such-machine-0", "i-0123456789abcdef0",
		"00000000-0000-0000-0000-000000000000", "a b", "a\nb", "a\x00b", "*", "%", "' OR 1=1", string(make([]byte, 4096))}
	for _, id := range odd {
		d.destroy(d.driver, id)
	}
	if !d.runs(d.driver, vms[0].ID) {
		d.Errorf("others were to be destroyed and the machines are %v", d.states(d.driver))
	}
	d.destroy(d.driver, append(odd, vms[0].ID)...)
	d.gone(d.driver, vms[0].ID)
}

// A machine that cannot be destroyed is told, and does not keep the others.
func (d *driverTest) destroysSome() {
	_, vms := d.start(3)
	all := ids(vms)
	heal := d.lab.Hold(d.T, all[0])
	// A call may be lost on its way to a cloud, so this one is repeated, with the
	// same machines: a driver that lets one keep the others does so each time.
	d.until("the others are gone", func() bool {
		if err := d.driver.Destroy(context.Background(), all...); err == nil {
			d.Errorf("Destroy says nothing of %s, which could not be destroyed", all[0])
		}
		left := d.states(d.driver)
		return left[all[1]] == "" && left[all[2]] == ""
	})
	if d.states(d.driver)[all[0]] == "" {
		d.Errorf("%s could not be destroyed, and List no longer has it", all[0])
	}
	heal()
	d.destroy(d.driver, all...)
	d.gone(d.driver, all...)
}

// A machine that ends by itself ends for List too, and is not made anew.
func (d *driverTest) killed() {
	o, vms := d.start(2)
	d.lab.Kill(d.T, vms[0].ID)
	d.until("the machine has ended", func() bool {
		s := d.states(d.driver)[vms[0].ID]
		return s == "" || s == nodes.VMEnding
	})
	d.same("a repetition when a machine has died", ids(vms), d.launch(d.lab.New(owner), o))
	d.only(o, ids(vms))
	if s := d.states(d.driver); s[vms[0].ID] == nodes.VMRunning || s[vms[1].ID] != nodes.VMRunning {
		d.Errorf("of two machines the first was killed, and they are %v", s)
	}
	d.destroy(d.driver, ids(vms)...)
	d.gone(d.driver, ids(vms)...)
}

// The machines of another owner are neither listed nor destroyed.
func (d *driverTest) owners() {
	_, vms := d.start(1)
	mine := vms[0].ID
	other := d.lab.New(otherOwner)
	foreign := d.launch(other, d.lab.Order(1))[0].ID
	d.until("the other's machine runs", func() bool { return d.runs(other, foreign) })
	if s := d.states(d.driver); s[foreign] != "" || s[mine] == "" {
		d.Errorf("the owner's List is %v; %s is another's", s, foreign)
	}
	if s := d.states(other); s[mine] != "" || s[foreign] == "" {
		d.Errorf("the other's List is %v; %s is not its own", s, mine)
	}
	d.destroy(other, mine)
	d.destroy(d.driver, foreign)
	d.destroy(d.lab.New("suit"), mine, foreign)

	// What is destroyed later ends: the calls above had their time.
	_, later := d.start(1)
	d.destroy(d.driver, later[0].ID)
	d.gone(d.driver, later[0].ID)
	if !d.runs(d.driver, mine) || !d.runs(other, foreign) {
		d.Error("a machine was ended by another owner")
	}
}

// A call whose context has ended fails, says nothing about the cloud, and
// leaves a Launch repeatable.
func (d *driverTest) cancelled() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := d.lab.Order(2)
	_, launchErr := d.driver.Launch(ctx, o)
	_, listErr := d.driver.List(ctx)
	_, vms := d.start(1)
	destroyErr := d.driver.Destroy(ctx, vms[0].ID)
	for what, err := range map[string]error{"Launch": launchErr, "List": listErr, "Destroy": destroyErr} {
		if err == nil || nodes.ClassOf(err) != nodes.Unsure {
			d.Errorf("%s with a context that has ended says %v, want an error without a class", what, err)
		}
	}
	launched := d.launch(d.driver, o)
	if len(launched) != 2 {
		d.Errorf("the order for 2 machines gave %d", len(launched))
	}
	d.until("the machines run", func() bool { return d.runs(d.driver, ids(launched)...) })
	d.only(o, ids(launched))
}

// A cloud that cannot be asked is not an empty cloud.
func (d *driverTest) cut() {
	o, vms := d.start(1)
	heal := d.lab.Cut(d.T)
	listed, listErr := d.driver.List(context.Background())
	_, launchErr := d.driver.Launch(context.Background(), d.lab.Order(1))
	_, againErr := d.driver.Launch(context.Background(), o)
	destroyErr := d.driver.Destroy(context.Background(), vms[0].ID)
	heal()
	for what, err := range map[string]error{"List": listErr, "Launch": launchErr, "Launch again": againErr, "Destroy": destroyErr} {
		if err == nil || nodes.ClassOf(err) != nodes.Unsure {
			d.Errorf("%s without a cloud says %v, want an error without a class", what, err)
		}
	}
	if len(listed) != 0 {
		d.Errorf("List without a cloud gives %d machines with its error", len(listed))
	}
	if s := d.states(d.lab.New(owner)); s[vms[0].ID] == "" {
		d.Errorf("after the cloud was away the machines are %v", s)
	}
}

// gone waits until List no longer has the machines.
func (d *driverTest) gone(driver nodes.Driver, ids ...string) {
	d.Helper()
	d.until("the machines are gone", func() bool {
		states := d.states(driver)
		for _, id := range ids {
			if states[id] != "" {
				return false
			}
		}
		return true
	})
}
