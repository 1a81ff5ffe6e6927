package ec2

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

// still are limits whose clock stands.
func still() (*Limits, *clock) {
	l, at := NewLimits(), &clock{at: time.Now()}
	l.now = at.now
	return l, at
}

// taken counts how many calls go at once.
func taken(t *testing.T, l *Limits, action string, in any) (n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(background)
	cancel() // a call that would have to wait does not
	for ; n < 5000; n++ {
		if err := l.wait(ctx, action, in); err != nil {
			return n
		}
	}
	return n
}

// Calls stay below EC2's buckets, each action in its own, and come back with
// the time.
func TestLimits(t *testing.T) {
	for action, b := range callBuckets {
		l, at := still()
		in := any(nil)
		n := taken(t, l, action, in)
		if n < 1 || n > b.size {
			t.Errorf("%s: %d calls at once, EC2 takes %d", action, n, b.size)
		}
		at.add(time.Hour)
		if again := taken(t, l, action, in); again != n {
			t.Errorf("%s: %d calls after an hour, %d before", action, again, n)
		}
	}
	l, _ := still()
	if n := taken(t, l, "DescribeInstances", nil); n < 50 || n > others.size {
		t.Errorf("%d lists at once", n)
	}
	if n := taken(t, l, "DescribeVolumes", nil); n < 50 {
		t.Errorf("after these %d lists of volumes: each action has its own bucket", n)
	}
}

// Machines are counted too: a thousand in one call, and then few.
func TestLimitsOfInstances(t *testing.T) {
	l, at := still()
	run := func(n int32) error { return l.wait(background, "RunInstances", &ec2.RunInstancesInput{MaxCount: &n}) }
	if err := run(1000); err != nil {
		t.Errorf("a thousand at once: %v", err)
	}
	at.add(time.Second)
	if err := run(500); err == nil || nodes.ClassOf(err) != nodes.Throttled {
		t.Errorf("and 500 more: %v", err)
	}
	at.add(10 * time.Minute)
	if err := run(5000); err != nil {
		t.Errorf("more than there can be is EC2's to refuse: %v", err)
	}
	end := func(n int) error {
		return l.wait(background, "TerminateInstances", &ec2.TerminateInstancesInput{InstanceIds: make([]string, n)})
	}
	if err := end(1000); err != nil {
		t.Error(err)
	}
	if err := end(900); nodes.ClassOf(err) != nodes.Throttled {
		t.Errorf("900 more: %v", err)
	}
}

// Who waits is given up with its context, and gives its turn back.
func TestLimitsWait(t *testing.T) {
	l, at := still()
	taken(t, l, "RunInstances", nil)
	for range 50 {
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		if err := l.wait(ctx, "RunInstances", nil); err == nil || nodes.ClassOf(err) != nodes.Unsure {
			t.Fatalf("got %v", err)
		}
		cancel()
	}
	at.add(time.Second)
	if n := taken(t, l, "RunInstances", nil); n < 1 {
		t.Error("those that were given up have taken the turns of others")
	}
}

// The limits stand before each call of a driver, and are shared by those that
// are given the same.
func TestLimitsOfDrivers(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	c.Limits, _ = still()
	a, b := l.driver(c), l.driver(c)
	offer := l.offers(a, usualNeed)[0]
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	for i := range 4 {
		if _, err := []*Driver{a, b}[i%2].Launch(ctx, l.orderFor(offer, 1)); err != nil {
			t.Fatal(err)
		}
	}
	short, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	if _, err := b.Launch(short, l.orderFor(offer, 1)); err == nil {
		t.Error("two drivers with the same limits make five calls at once")
	}
	if n := len(l.launches()); n != 4 {
		t.Errorf("%d calls", n)
	}
}

// The limits keep a driver below the buckets that the cloud enforces.
func TestBelowBuckets(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	c.Limits = nil
	d := l.driver(c)
	offer := l.offers(d, usualNeed)[0]
	l.Behave(ec2test.Behaviour{Buckets: true})
	for range 7 {
		if _, err := d.Launch(background, l.orderFor(offer, 1)); err != nil {
			t.Error(err)
		}
	}
	// Without the limits the same calls are refused; time stands meanwhile.
	l = newLab(t)
	l.Now = (&clock{at: time.Now()}).now
	l.Behave(ec2test.Behaviour{Buckets: true})
	d = l.driver(l.config("suite"))
	offer = l.offers(d, usualNeed)[0]
	refused := 0
	for range 20 {
		if _, err := d.Launch(background, l.orderFor(offer, 1)); nodes.ClassOf(err) == nodes.Throttled {
			refused++
		}
	}
	if refused != 15 {
		t.Errorf("%d of 20 calls were refused, and EC2 takes 5 at once", refused)
	}
}
