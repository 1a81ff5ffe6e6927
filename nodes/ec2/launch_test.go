package ec2

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

// on has a fault strike the calls of one action.
func on(action string, f ec2test.Fault) func(ec2test.Call) *ec2test.Fault {
	return func(c ec2test.Call) *ec2test.Fault {
		if c.Action == action {
			return &f
		}
		return nil
	}
}

var background = context.Background()

// timed returns a driver with a clock of the test's, and EC2's usual pace.
func (l *lab) timed() (*Driver, *clock) {
	d, at := l.driver(l.config("suite")), &clock{at: time.Now()}
	d.now, d.pace = at.now, usualPace
	return d, at
}

// An order that is sent again with other user data, as after an upgrade, gets
// the machines that it has, when EC2 shows all of them.
func TestParameterMismatch(t *testing.T) {
	l := newLab(t)
	d, _ := l.timed()
	o := l.order(d, 3)
	first := ids(must(d.Launch(background, o)))
	o.UserData += "# a new version\n"
	for _, id := range first {
		l.Hide(id, true)
	}
	for _, id := range first {
		vms, err := d.Launch(background, o)
		if err == nil || nodes.ClassOf(err) != nodes.Unsure || !strings.Contains(err.Error(), "does not show all of its machines yet") {
			t.Errorf("while EC2 does not show all the order gives %v, %v", ids(vms), err)
		}
		l.Hide(id, false)
	}
	if vms, err := d.Launch(background, o); !slices.Equal(ids(vms), first) {
		t.Errorf("got %v, want %v: %v", ids(vms), first, err)
	}
	if n := len(must(d.List(background))); n != 3 {
		t.Errorf("%d machines", n)
	}
}

// That the machines may not be looked at does not say that there are none.
func TestRecallRefused(t *testing.T) {
	l := newLab(t)
	d, at := l.timed()
	o := l.order(d, 1)
	must(d.Launch(background, o))
	o.UserData += "# a new version\n"
	for _, code := range []string{"UnauthorizedOperation", "RequestLimitExceeded", "InternalError"} {
		l.Fail(on("DescribeInstances", ec2test.Fault{Status: 403, Code: code}))
		if _, err := d.Launch(background, o); err == nil || nodes.ClassOf(err) != nodes.Unsure || !strings.Contains(err.Error(), code) {
			t.Errorf("a call that differs: %v", err)
		}
		at.add(2 * tokenLife)
		if _, err := d.Launch(background, o); err == nil || nodes.ClassOf(err) != nodes.Unsure || !strings.Contains(err.Error(), code) {
			t.Errorf("an old order: %v", err)
		}
		at.add(-2 * tokenLife)
	}
}

// Where an earlier try may have had effect "no capacity" is believed only when
// EC2 had time to show what that try has made; what it shows is the answer.
func TestRefusedAfterLostReply(t *testing.T) {
	for _, lost := range []bool{true, false} {
		t.Run(fmt.Sprint("took effect ", lost), func(t *testing.T) {
			l := newLab(t)
			l.Behave(ec2test.Behaviour{Hidden: time.Hour})
			d, at := l.timed()
			o := l.order(d, 2)
			l.Fail(on("RunInstances", ec2test.Fault{Lose: true, After: lost}))
			if _, err := d.Launch(background, o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
				t.Fatalf("a lost reply is %v", err)
			}
			// EC2 looks at its capacity before the token.
			l.Fail(on("RunInstances", ec2test.Fault{Status: 500, Code: "InsufficientInstanceCapacity"}))
			at.add(usualPace.settle - time.Second)
			if vms, err := d.Launch(background, o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
				t.Errorf("right after a lost reply it says %v, %v", ids(vms), err)
			}
			l.Behave(ec2test.Behaviour{})
			at.add(2 * time.Second)
			vms, err := d.Launch(background, o)
			if lost && len(vms) != 2 || !lost && nodes.ClassOf(err) != nodes.NoCapacity {
				t.Errorf("then it says %v, %v", ids(vms), err)
			}
		})
	}
}

// The process before may have sent an old order just before it ended. An order
// that was just stored nobody has sent, and it costs no look.
func TestRefusedAfterRestart(t *testing.T) {
	l := newLab(t)
	d, at := l.timed()
	o := l.order(d, 1)
	quota := on("RunInstances", ec2test.Fault{Status: 400, Code: "VcpuLimitExceeded"})
	l.Fail(quota)
	o.Stored = at.now()
	if _, err := d.Launch(background, o); nodes.ClassOf(err) != nodes.Quota {
		t.Errorf("a new order: %v", err)
	}
	at.add(fresh + time.Second)
	if _, err := d.Launch(background, o); nodes.ClassOf(err) != nodes.Quota {
		t.Errorf("an order that this process has sent before, and all is known of it: %v", err)
	}
	d, at = l.timed()
	o.Stored = at.now().Add(-fresh - time.Second)
	if _, err := d.Launch(background, o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
		t.Errorf("an old order after a restart: %v", err)
	}
	at.add(usualPace.settle)
	l.Fail(func(c ec2test.Call) *ec2test.Fault {
		if c.Action == "DescribeInstances" {
			return &ec2test.Fault{Lose: true}
		}
		return quota(c)
	})
	if _, err := d.Launch(background, o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
		t.Errorf("the machines cannot be looked for: %v", err)
	}
	l.Fail(quota)
	young := l.order(d, 1)
	young.Stored = d.born.Add(-time.Millisecond)
	if _, err := l.driver(l.config("suite")).Launch(background, young); err == nil || nodes.ClassOf(err) != nodes.Unsure {
		t.Errorf("an order of just before the restart: %v", err)
	}
	if _, err := d.Launch(background, o); nodes.ClassOf(err) != nodes.Quota {
		t.Errorf("EC2 had its time, and shows none: %v", err)
	}
}

// An order so old that EC2 may have forgotten its token is not sent any more.
func TestOldOrder(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	o := l.order(d, 2)
	made := must(d.Launch(background, o))
	o.Stored = time.Now().Add(-tokenLife - time.Minute)
	never := l.order(d, 2)
	never.Stored = o.Stored
	before := len(l.launches())
	if vms, err := d.Launch(background, o); err != nil || !slices.Equal(ids(vms), ids(made)) {
		t.Errorf("got %v, %v, want %v", ids(vms), err, ids(made))
	}
	if vms, err := d.Launch(background, never); err != nil || len(vms) > 0 {
		t.Errorf("an old order that was never sent gave %v, %v", ids(vms), err)
	}
	if len(l.launches()) != before {
		t.Error("an old order was sent")
	}
}

// Machines keep their places in the order: one that EC2 has forgotten leaves
// its place to nobody.
func TestPlacesInOrder(t *testing.T) {
	d := &Driver{now: time.Now, ours: map[string]known{}}
	instance := func(id string, index int32) types.Instance {
		return types.Instance{InstanceId: &id, AmiLaunchIndex: &index, State: &types.InstanceState{Name: types.InstanceStateNameRunning}}
	}
	all := []types.Instance{instance("i-3", 3), instance("i-1", 1)}
	sortInstances(all)
	vms := d.accepted(&nodes.Order{ID: "o", Count: 5}, all)
	if got := strings.Join(ids(vms), " "); got != "ended/o/0 i-1 ended/o/2 i-3" {
		t.Errorf("got %s", got)
	}
	if vms[0].State != nodes.VMEnding || vms[1].State != nodes.VMRunning {
		t.Errorf("got %+v", vms)
	}
	if instanceID.MatchString(vms[0].ID) {
		t.Error("Destroy would ask EC2 for a machine that is none")
	}
}

// The suite's faults come by chance; here each is struck once, before and
// after the effect: the order gives its machines all the same, and no more.
func TestEachFault(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	want := 0
	for _, f := range []ec2test.Fault{{Lose: true}, {Lose: true, After: true}, {HTML: true}, {HTML: true, After: true}, {Half: true},
		{Say: new("")}, {Say: new(""), After: true}, {Status: 500, Code: "InternalError", After: true}, {Status: 503, Code: "RequestLimitExceeded"}} {
		o := l.order(d, 2)
		l.Fail(on("RunInstances", f))
		if _, err := d.Launch(background, o); err == nil {
			t.Errorf("%+v: no error", f)
		}
		l.Fail(nil)
		if vms, err := d.Launch(background, o); err != nil || len(vms) != 2 {
			t.Errorf("%+v: then %v, %v", f, ids(vms), err)
		}
		want += 2
		if vms := must(d.List(background)); len(vms) != want {
			t.Errorf("%+v: %d machines, want %d", f, len(vms), want)
		}
	}
}

// A deadline ends a call, and says nothing of the cloud.
func TestDeadline(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	o := l.order(d, 1)
	l.Fail(on("RunInstances", ec2test.Fault{Delay: 300 * time.Millisecond}))
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	if _, err := d.Launch(ctx, o); err == nil || nodes.ClassOf(err) != nodes.Unsure {
		t.Errorf("got %v", err)
	}
	l.Fail(nil)
	vms := must(d.Launch(background, o))
	if len(vms) != 1 {
		t.Errorf("got %v", ids(vms))
	}
	for range 100 { // the late call has come by then
		time.Sleep(5 * time.Millisecond)
		if n := len(must(d.List(background))); n != 1 {
			t.Fatalf("%d machines", n)
		}
	}
}

// A spec of another version, or none, is told, and is no surprise of EC2's.
func TestParseSpec(t *testing.T) {
	for _, text := range []string{"", "{}", "null", "[]", `{"v":2,"type":"m5.large","subnet":"s","image":"i","root":"r"}`, `{"v":1,"type":"m5.large"}`} {
		if _, err := parseSpec(text); nodes.ClassOf(err) != nodes.Configuration {
			t.Errorf("%q: %v", text, err)
		}
	}
	s := spec{Version: 1, Type: "t", Subnet: "s", Image: "i", RootDevice: "r", Tags: map[string]string{"a": "b"}}
	if got := must(parseSpec(s.String())); got.Tags["a"] != "b" || got.Type != "t" {
		t.Errorf("got %+v", got)
	}
}
