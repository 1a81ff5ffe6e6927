package ec2

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

func runForm() url.Values {
	return url.Values{"Action": {"RunInstances"}, "ImageId": {amd64}, "InstanceType": {"m5.large"}, "MinCount": {"1"}, "MaxCount": {"1"}}
}

// terminations returns how many instances each call was to end.
func (l *lab) terminations() (sizes []int) {
	for _, c := range l.Calls() {
		if c.Action == "TerminateInstances" {
			n := 0
			for k := range c.Form {
				if strings.HasPrefix(k, "InstanceId.") {
					n++
				}
			}
			sizes = append(sizes, n)
		}
	}
	return sizes
}

// Many machines end in few calls, each once.
func TestDestroyBatches(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	all := ids(must(d.Launch(background, l.order(d, 130))))
	l.no(d.Destroy(background, append(all, all...)...))
	if got := l.terminations(); !slices.Equal(got, []int{100, 30}) {
		t.Errorf("calls for %v machines", got)
	}
	if left := must(d.List(background)); len(left) > 0 {
		t.Errorf("%d are left", len(left))
	}
}

// One batch that fails keeps the next one not.
func TestDestroyGoesOn(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	all := ids(must(d.Launch(background, l.order(d, 101))))
	struck := false
	l.Fail(func(c ec2test.Call) *ec2test.Fault {
		if c.Action != "TerminateInstances" || struck {
			return nil
		}
		struck = true
		return &ec2test.Fault{Lose: true}
	})
	if err := d.Destroy(background, all...); err == nil || !strings.Contains(err.Error(), "and 97 more") {
		t.Errorf("got %v", err)
	}
	if left := must(d.List(background)); len(left) != 100 {
		t.Errorf("%d are left", len(left))
	}
}

// Machines that EC2 does not show yet are said to be there still, after a
// launch here; the others of the call end.
func TestDestroyHidden(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	old := ids(must(d.Launch(background, l.order(d, 2))))
	hidden := ids(must(d.Launch(background, l.order(d, 2))))
	for _, id := range hidden {
		l.Hide(id, true)
	}
	err := d.Destroy(background, append(hidden, old...)...)
	if err == nil || !strings.Contains(err.Error(), hidden[0]) || !strings.Contains(err.Error(), hidden[1]) || strings.Contains(err.Error(), old[0]) {
		t.Errorf("got %v", err)
	}
	if got := l.terminations(); !slices.Equal(got, []int{4, 2}) {
		t.Errorf("calls for %v machines", got)
	}
	for _, id := range hidden {
		l.Hide(id, false)
	}
	err = d.Destroy(background, hidden...)
	if left := must(d.List(background)); err != nil || len(left) > 0 {
		t.Errorf("%v, and %v are left", err, ids(left))
	}
}

// What is gone for good is no error, when it was seen running and when it was
// launched long ago.
func TestDestroyGone(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	at := &clock{at: time.Now()}
	d.now = at.now
	vm := must(d.Launch(background, l.order(d, 1)))[0]
	l.Fail(on("TerminateInstances", ec2test.Fault{Status: 400, Code: "InvalidInstanceID.NotFound"}))
	if err := d.Destroy(background, vm.ID); err == nil {
		t.Error("EC2 does not know what it has just made, and that is taken for its end")
	}
	at.add(refusedTime)
	if err := d.Destroy(background, vm.ID); err != nil {
		t.Errorf("launched %s ago: %v", refusedTime, err)
	}
}

// Where EC2 does not say which one it means each is tried alone.
func TestDestroyOneByOne(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	all := ids(must(d.Launch(background, l.order(d, 3))))
	l.Fail(func(c ec2test.Call) *ec2test.Fault {
		if c.Action == "TerminateInstances" && c.Form.Has("InstanceId.2") {
			return &ec2test.Fault{Status: 400, Code: "InvalidInstanceID.NotFound"} // names none
		}
		return nil
	})
	l.no(d.Destroy(background, all...))
	if got := l.terminations(); !slices.Equal(got, []int{3, 1, 1, 1}) {
		t.Errorf("calls for %v machines", got)
	}
}

// Of a protected machine it is said how to end it.
func TestDestroyProtected(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	all := ids(must(d.Launch(background, l.order(d, 3))))
	l.no(l.Protect(all[1], true))
	err := d.Destroy(background, all...)
	if err == nil || !strings.Contains(err.Error(), all[1]+" is protected") || !strings.Contains(err.Error(), "disableApiTermination") {
		t.Errorf("got %v", err)
	}
	if left := ids(must(d.List(background))); !slices.Equal(left, all[1:2]) {
		t.Errorf("%v are left", left)
	}
}

// Whose machine it is cannot be asked: then it is not ended, and that is said.
func TestDestroyUnsure(t *testing.T) {
	l := newLab(t)
	vm := must(l.driver(l.config("suite")).Launch(background, l.order(l.driver(l.config("suite")), 1)))[0]
	l.Fail(on("DescribeInstances", ec2test.Fault{Lose: true}))
	if err := l.driver(l.config("suite")).Destroy(background, vm.ID); err == nil || len(l.terminations()) > 0 {
		t.Errorf("got %v, and %d calls", err, len(l.terminations()))
	}
}
