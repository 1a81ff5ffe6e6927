package ec2

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

func TestVMOf(t *testing.T) {
	at := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	full := types.Instance{
		InstanceId: new("i-1"), InstanceType: "m7g.large", ImageId: new("ami-1"), LaunchTime: &at, PrivateIpAddress: new("10.0.0.7"),
		Placement: &types.Placement{AvailabilityZone: new("ap-northeast-2b")}, InstanceLifecycle: types.InstanceLifecycleTypeSpot,
		Tags:  []types.Tag{{Key: new("batchctl:order"), Value: new("o-1")}},
		State: &types.InstanceState{Name: types.InstanceStateNameRunning},
	}
	want := nodes.VM{ID: "i-1", Order: "o-1", Address: "10.0.0.7", State: nodes.VMRunning, Created: at, Detail: "m7g.large, ap-northeast-2b, spot, ami-1"}
	if diff := cmp.Diff(want, vmOf(&full)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for name, state := range map[types.InstanceStateName]nodes.VMState{
		"pending": nodes.VMStarting, "running": nodes.VMRunning, "shutting-down": nodes.VMEnding,
		"stopping": nodes.VMEnding, "stopped": nodes.VMEnding, "terminated": nodes.VMEnding, "something new": nodes.VMEnding,
	} {
		if got := vmOf(&types.Instance{State: &types.InstanceState{Name: name}}).State; got != state {
			t.Errorf("%s is %s, want %s", name, got, state)
		}
	}
	if got := vmOf(&types.Instance{}); got.State != nodes.VMEnding {
		t.Errorf("nothing is known, and it is %+v", got)
	}
	full.InstanceLifecycle, full.CapacityReservationId = "", new("cr-1")
	if got := vmOf(&full).Detail; !strings.Contains(got, "reservation cr-1") {
		t.Errorf("got %s", got)
	}
}

// Why a machine ended: only what is no plain end has a reason.
func TestReasons(t *testing.T) {
	want := map[string]nodes.Class{
		"Server.InsufficientInstanceCapacity": nodes.NoCapacity, "Server.SpotInstanceTermination": nodes.NoCapacity,
		"Server.SpotInstanceShutdown": nodes.NoCapacity, "Client.VolumeLimitExceeded": nodes.Quota,
		"Client.InternalError": nodes.Configuration, "Client.InvalidSnapshot.NotFound": nodes.Configuration, "Server.InternalError": nodes.Unsure,
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(reasons))); diff != "" {
		t.Errorf("other reasons are known (-here +there)\n%s", diff)
	}
	i := types.Instance{InstanceType: "m5.large", Placement: &types.Placement{AvailabilityZone: new("z-1a")}}
	for code, class := range want {
		i.StateReason = &types.StateReason{Code: &code, Message: new("because")}
		if err := reasonOf(&i); err == nil || nodes.ClassOf(err) != class || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: %v", code, err)
		}
	}
	i.StateReason.Code = new("Server.InsufficientInstanceCapacity")
	if got := scopeOf(t, reasonOf(&i)); got != "m5.large z-1a on-demand" {
		t.Errorf("the scope is %q", got)
	}
	for _, code := range []string{"Client.UserInitiatedShutdown", "Client.InstanceInitiatedShutdown", "Server.ScheduledStop", ""} {
		if i.StateReason.Code = &code; reasonOf(&i) != nil {
			t.Errorf("%s is a plain end", code)
		}
	}
}

// counts returns how often each action was called since.
func (l *lab) counts(since int) map[string]int {
	n := map[string]int{}
	for _, c := range l.Calls()[since:] {
		n[c.Action]++
	}
	return n
}

// List is one call a page; all else is asked for now and then.
func TestListCalls(t *testing.T) {
	l := newLab(t)
	l.Behave(ec2test.Behaviour{Page: 7})
	l.pace = usualPace
	d := l.driver(l.config("suite"))
	at := &clock{at: time.Now()}
	d.now = at.now
	must(d.Launch(background, l.order(d, 20)))
	expect := func(what string, want map[string]int) {
		t.Helper()
		since := len(l.Calls())
		if vms := must(d.List(background)); len(vms) != 20 {
			t.Errorf("%s: %d machines", what, len(vms))
		}
		if diff := cmp.Diff(want, l.counts(since)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	expect("after a start", map[string]int{"DescribeInstances": 4, "DescribeVolumes": 1, "DescribeNetworkInterfaces": 1})
	expect("then", map[string]int{"DescribeInstances": 3})
	at.add(usualPace.refused)
	expect("after a minute", map[string]int{"DescribeInstances": 4})
	at.add(usualPace.remains)
	expect("after five minutes", map[string]int{"DescribeInstances": 4, "DescribeVolumes": 1, "DescribeNetworkInterfaces": 1})
	for _, c := range l.Calls() {
		if c.Action != "DescribeInstances" || c.Form.Get("NextToken") != "" {
			continue
		}
		if c.Form.Get("Filter.1.Name") != "instance-state-name" {
			t.Errorf("a list whose first filter is %q: moto's time grows with the square of what has ended", c.Form.Get("Filter.1.Name"))
		}
		if form := c.Form.Encode(); !strings.Contains(form, "Name=tag%3Abatchctl%3Aowner&") || !strings.Contains(form, "=suite") {
			t.Errorf("a list of all owners: %s", form)
		}
	}
}

// What EC2 shows beyond what was asked for is nobody's.
func TestListExact(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	instance := func(id, owner string) string {
		return "<item><instanceId>" + id + "</instanceId><instanceState><name>shutting-down</name></instanceState><stateReason><code>Server.InsufficientInstanceCapacity</code></stateReason><tagSet><item><key>batchctl:owner</key><value>" + owner + "</value></item></tagSet></item>"
	}
	answer := `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item><instancesSet>` +
		instance("i-01234567", "suite") + instance("i-11234567", "suite-2") + instance("i-21234567", "Suite") + instance("i-31234567", "") + `</instancesSet></item></reservationSet></DescribeInstancesResponse>`
	l.Fail(on("DescribeInstances", ec2test.Fault{Say: &answer}))
	got := must(d.List(background))
	if !slices.Equal(ids(got), []string{"i-01234567"}) {
		t.Errorf("got %v", ids(got))
	}
	if got[0].State != nodes.VMEnding || nodes.ClassOf(got[0].Err) != nodes.NoCapacity {
		t.Errorf("while it ends its reason is known already, and listed is %+v", got[0])
	}
}

// A machine that vanishes before it ran is asked for at once, and one that ran
// just once.
func TestVanished(t *testing.T) {
	l := newLab(t)
	l.pace = usualPace
	d := l.driver(l.config("suite"))
	at := &clock{at: time.Now()}
	d.now = at.now
	vms := must(d.Launch(background, l.order(d, 2)))
	must(d.List(background)) // both run
	l.no(l.Kill(region, vms[0].ID))
	at.add(usualPace.refusedAgain)
	since := len(l.Calls())
	must(d.List(background))
	if n := l.counts(since)["DescribeInstances"]; n != 2 {
		t.Errorf("one has vanished: %d calls", n)
	}
	at.add(usualPace.refusedAgain)
	since = len(l.Calls())
	must(d.List(background))
	if n := l.counts(since)["DescribeInstances"]; n != 1 {
		t.Errorf("that it ran and ended is known: %d calls", n)
	}
}

// Refused machines are listed with their reason, by a new driver too, and by
// each until it was told to destroy them.
func TestRefused(t *testing.T) {
	l := newLab(t)
	l.Refuse(func(ec2test.Ask) string { return "Client.VolumeLimitExceeded" })
	d := l.driver(l.config("suite"))
	o := l.order(d, 2)
	vms := must(d.Launch(background, o))
	for _, driver := range []*Driver{d, l.driver(l.config("suite"))} {
		listed := must(driver.List(background))
		if len(listed) != 2 || listed[0].State != nodes.VMEnding || nodes.ClassOf(listed[0].Err) != nodes.Quota || listed[0].Order != o.ID {
			t.Fatalf("got %+v", listed)
		}
		l.no(driver.Destroy(background, vms[0].ID))
		if listed = must(driver.List(background)); len(listed) != 1 || listed[0].ID == vms[0].ID {
			t.Errorf("one was destroyed: %v", ids(listed))
		}
	}
	if listed := must(l.driver(l.config("another")).List(background)); len(listed) > 0 {
		t.Errorf("another owner is shown %v", ids(listed))
	}
}

// What is free and bears the owner's tag is listed, and no more; what starts
// is left alone.
func TestRemains(t *testing.T) {
	l := newLab(t)
	tags := func(owner string) map[string]string {
		return map[string]string{"batchctl:owner": owner, "batchctl:order": "o-9"}
	}
	volume := must(l.Volume(region, region+"a", tags("suite")))
	nic := must(l.Interface(region, l.subnets[0], tags("suite")))
	others := []string{
		"volume/" + must(l.Volume(region, region+"a", tags("suite-2"))), "interface/" + must(l.Interface(region, l.subnets[0], tags("suit"))),
		"volume/" + must(l.Volume(region, region+"a", nil)), "interface/" + must(l.Interface(region, l.subnets[0], nil)),
		"volume/" + must(l.Volume(region, region+"a", map[string]string{"Owner": "suite"})),
	}
	d := l.driver(l.config("suite"))
	vms := must(d.List(background))
	if got := ids(vms); !slices.Equal(got, []string{"volume/" + volume, "interface/" + nic}) || vms[0].Order != "o-9" || vms[1].State != nodes.VMEnding {
		t.Fatalf("got %+v", vms)
	}
	l.no(d.Destroy(background, others...))
	for id, action := range map[string]string{others[0]: "DeleteVolume", others[1]: "DeleteNetworkInterface"} {
		if n := l.counts(0)[action]; n > 0 {
			t.Errorf("%s was deleted, which is another's", id)
		}
	}
	l.no(d.Destroy(background, "volume/"+volume, "interface/"+nic))
	l.no(d.Destroy(background, "volume/"+volume, "interface/"+nic))
	if got := ids(must(d.List(background))); len(got) > 0 {
		t.Errorf("then %v is left", got)
	}

	// A volume of an order whose machines are starting.
	l.Behave(ec2test.Behaviour{Pending: time.Hour})
	o := l.order(d, 1)
	must(d.Launch(background, o))
	must(l.Volume(region, region+"a", map[string]string{"batchctl:owner": "suite", "batchctl:order": o.ID}))
	if got := must(l.driver(l.config("suite")).List(background)); len(got) != 1 {
		t.Errorf("the machine starts, and listed is %+v", got)
	}
	l.Behave(ec2test.Behaviour{})
	if got := must(l.driver(l.config("suite")).List(background)); len(got) != 2 {
		t.Errorf("the machine runs, and listed is %+v", got)
	}
}

// Owners whose names are patterns of each other, or begin alike, and machines
// of nobody: none is shown to another.
func TestForeign(t *testing.T) {
	l := newLab(t)
	made := map[string]string{}
	for _, owner := range []string{"a", "a.b", "a-b", "A", "aa"} {
		d := l.driver(l.config(owner))
		made[owner] = must(d.Launch(background, l.order(d, 1)))[0].ID
	}
	foreign := must(l.Do(region, runForm()))("instancesSet", "item", "instanceId")
	for owner, id := range made {
		d := l.driver(l.config(owner))
		if got := ids(must(d.List(background))); !slices.Equal(got, []string{id}) {
			t.Errorf("%s is shown %v, want %s", owner, got, id)
		}
		for _, other := range append(slices.Collect(maps.Values(made)), foreign) {
			if other != id {
				l.no(l.driver(l.config(owner)).Destroy(background, other))
			}
		}
	}
	for owner, id := range made {
		if got := ids(must(l.driver(l.config(owner)).List(background))); !slices.Equal(got, []string{id}) {
			t.Errorf("after all tried to end the others' machines %s has %v", owner, got)
		}
	}
	for _, c := range l.Calls() {
		if c.Action == "TerminateInstances" {
			t.Errorf("somebody was told to end: %v", c.Form)
		}
	}
	for _, owner := range []string{"a*", "a?", "", "-a", strings.Repeat("a", 65), "a b", "a/b"} {
		if _, err := New(background, l.config(owner)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("owner %q", owner)) {
			t.Errorf("owner %q: %v", owner, err)
		}
	}
}
