package nodes

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	noon  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	times = DefaultTiming()
)

// in returns a lease that came into a state a minute ago, with all that such
// a lease has.
func in(state State) Lease {
	l := Lease{
		ID: "n1", Version: 3, State: state, Since: noon.Add(-time.Minute), Created: noon.Add(-2 * time.Minute), Reason: "as before",
		Controller: "main", Job: "live-1/pay/daily", FullName: "live-1/pay/daily", Label: "b-x-7", Number: 7, Started: 1000, Attempt: 1,
		Pool: "standard", Life: 3600, Seen: noon.Add(-2 * time.Minute),
	}
	at := func(s State) bool { return index(state) >= index(s) }
	if at(Launching) {
		l.Order, l.Cloud, l.Place, l.Ordered = "o1", "idc", "idc-1", noon.Add(-2*time.Minute)
	}
	if at(Booting) {
		l.VM, l.VMSeen = "vm1", true
	}
	if at(Ready) {
		l.NodeMade, l.Called, l.Handed = noon.Add(-time.Minute), noon.Add(-time.Minute), noon.Add(-time.Minute)
	}
	if at(Busy) {
		l.Online, l.Began, l.Delivered, l.Sealed = noon.Add(-time.Minute), noon.Add(-time.Minute), true, noon
	}
	return l
}

func index(s State) int {
	for i, other := range States {
		if s == other {
			return i
		}
	}
	panic("no state " + s)
}

// well is what is seen of a lease with which all is well.
func well(state State) Sight {
	s := Sight{Machine: MachineThere, Node: NodeIdle, Fresh: true, Run: RunQueued, Settled: true, Awake: 100 * time.Hour}
	switch state {
	case Wanted:
		s.Machine, s.Node = MachineUnknown, NodeAbsent
	case Launching:
		s.Machine, s.Node = MachineUnknown, NodeAbsent
	case Booting:
		s.Node = NodeAbsent
	case Busy:
		s.Node, s.Run = NodeOurs, RunBuilding
	case Releasing:
		s.Run, s.Result = RunEnded, "SUCCESS"
	case Gone:
		s.Machine, s.Node, s.Run = MachineAbsent, NodeAbsent, RunEnded
	}
	return s
}

// rule is one line of the table of the rules: what is seen of a lease in a
// state, and what comes of it.
type rule struct {
	name   string
	state  State
	lease  func(*Lease)
	sight  func(*Sight)
	to     State
	action Action
	reason string // part of the new reason; empty: as before
}

// rules is the table: one line for each thing that can be seen of a lease in
// each state. docs/state_machine.md is drawn from it.
func rules() []rule {
	hold := func(l *Lease) { l.Hold = 1800 }
	early := func(l *Lease) { l.Started, l.Attempt, l.Due, l.Seen = 0, 0, noon.Add(time.Minute), time.Time{} }
	spare := func(l *Lease) {
		*l = Lease{ID: l.ID, State: l.State, Since: l.Since, Created: l.Created, Reason: l.Reason, Pool: l.Pool, Order: l.Order, Cloud: l.Cloud, Ordered: l.Ordered, VM: l.VM, VMSeen: l.VMSeen, Called: l.Called}
	}
	since := func(d time.Duration) func(*Lease) {
		return func(l *Lease) {
			l.Since, l.Began, l.Handed = noon.Add(-d), noon.Add(-d), noon.Add(-d)
			l.Online = time.Time{}
		}
	}
	offline := func(l *Lease) { l.OfflineAt = noon.Add(-time.Second) }
	deleted := func(l *Lease) { offline(l); l.Deleted = noon.Add(-time.Second) }
	return []rule{
		{"the run waits", Wanted, nil, nil, Wanted, OrderIt, ""},
		{"nothing is known of the run", Wanted, nil, func(s *Sight) { s.Run = RunUnknown }, Wanted, Nothing, ""},
		{"the run has ended", Wanted, nil, func(s *Sight) { s.Run, s.Result = RunEnded, "ABORTED" }, Releasing, Nothing, "before it was seen on its machine: ABORTED"},
		{"the run has left the queue", Wanted, nil, func(s *Sight) { s.Run = RunBuilding }, Wanted, Nothing, ""},
		{"the pool is drained", Wanted, nil, func(s *Sight) { s.Hold = "drained" }, Wanted, Nothing, "drained"},
		{"Jenkins blocks the run", Wanted, nil, func(s *Sight) { s.Blocked = true }, Wanted, Nothing, "Jenkins blocks the run"},
		{"late, but nobody was there to look", Wanted, since(31 * time.Minute), func(s *Sight) { s.Awake = time.Minute }, Wanted, OrderIt, ""},
		{"late, but the pool is drained", Wanted, since(31 * time.Minute), func(s *Sight) { s.Hold = "drained" }, Wanted, Nothing, "drained"},
		{"the run is on another node", Wanted, nil, func(s *Sight) { s.Run, s.Elsewhere = RunBuilding, true }, Releasing, Nothing, "on another node"},
		{"the run is lost", Wanted, func(l *Lease) { l.Left = noon.Add(-7 * time.Minute) }, func(s *Sight) { s.Run = RunBuilding }, Releasing, Nothing, "in no queue and on no node"},
		{"Jenkins is quieting down", Wanted, nil, func(s *Sight) { s.Quieting = true }, Wanted, Nothing, "about to shut down"},
		{"a place is at rest", Wanted, func(l *Lease) { l.Retry = noon.Add(time.Second) }, nil, Wanted, Nothing, ""},
		{"too late", Wanted, since(31 * time.Minute), nil, Releasing, Nothing, "no machine within 30m: as before"},
		{"it was refused before it began", Wanted, func(l *Lease) { l.Refused = true }, nil, Releasing, Nothing, ""},
		{"early", Wanted, early, func(s *Sight) { s.Run = RunUnknown }, Wanted, OrderIt, ""},
		{"early, and void", Wanted, early, func(s *Sight) { s.Void = "deleted" }, Releasing, Nothing, "deleted"},
		{"spare", Wanted, spare, func(s *Sight) { *s = Sight{} }, Wanted, OrderIt, ""},

		{"the outcome is not known", Launching, nil, nil, Launching, RepeatIt, ""},
		{"not yet to be repeated", Launching, func(l *Lease) { l.Retry = noon.Add(time.Second) }, nil, Launching, Nothing, ""},
		{"the machine is known", Launching, func(l *Lease) { l.VM = "vm1" }, nil, Booting, Nothing, ""},
		{"the run has ended", Launching, nil, func(s *Sight) { s.Run, s.Result = RunEnded, "ABORTED" }, Releasing, Nothing, "ABORTED"},
		{"too late", Launching, since(31 * time.Minute), nil, Releasing, Nothing, "no machine within"},

		{"it boots", Booting, nil, nil, Booting, MakeNode, ""},
		{"it boots and has its node", Booting, func(l *Lease) { l.NodeMade = noon }, nil, Booting, Nothing, ""},
		{"the machine is gone", Booting, nil, func(s *Sight) { s.Machine = MachineAbsent }, Releasing, Nothing, "ended before it called in"},
		{"the machine has stopped", Booting, nil, func(s *Sight) { s.Machine = MachineEnding }, Releasing, Nothing, "ended before it called in"},
		{"it was accepted and got no room", Booting, nil, func(s *Sight) { s.Machine, s.NoRoom, s.Fault = MachineEnding, true, "no host has room" }, Releasing, Nothing, "idc-1: no host has room"},
		{"the cloud says why it ended", Booting, nil, func(s *Sight) { s.Machine, s.Fault = MachineEnding, "the host failed" }, Releasing, Nothing, "ended before it called in: the host failed"},
		{"the cloud cannot be asked", Booting, func(l *Lease) { l.NodeMade = noon }, func(s *Sight) { s.Machine = MachineUnknown }, Booting, Nothing, ""},
		{"too late", Booting, since(11 * time.Minute), nil, Releasing, Nothing, "did not call in within 10m"},
		{"the run has ended", Booting, nil, func(s *Sight) { s.Run, s.Result = RunEnded, "ABORTED" }, Releasing, Nothing, "ABORTED"},
		{"Jenkins cannot be asked", Booting, func(l *Lease) { l.NodeMade = noon }, func(s *Sight) { s.Run, s.Node = RunUnknown, NodeUnknown }, Booting, Nothing, ""},
		{"a spare needs no node", Booting, spare, func(s *Sight) { *s = Sight{Machine: MachineThere} }, Booting, Nothing, ""},

		{"it comes online", Ready, nil, nil, Ready, Nothing, "about to start the run"},
		{"the run is on it", Ready, nil, func(s *Sight) { s.Node, s.Run = NodeOurs, RunBuilding }, Busy, Nothing, "the run is on its machine"},
		{"a run is on an early one", Ready, early, func(s *Sight) { s.Node, s.Run = NodeOurs, RunUnknown }, Ready, Nothing, ""},
		{"another build is on it", Ready, nil, func(s *Sight) { s.Node, s.Other = NodeOther, "evil#1" }, Releasing, Nothing, "evil#1 took the node"},
		{"a build is starting", Ready, nil, func(s *Sight) { s.Node = NodeHidden }, Ready, Nothing, ""},
		{"a build may not be read", Ready, func(l *Lease) { l.Left = noon.Add(-2 * time.Minute) }, func(s *Sight) { s.Node = NodeHidden }, Releasing, Nothing, "may not be read"},
		{"no agent yet", Ready, nil, func(s *Sight) { s.Node = NodeOffline }, Ready, Nothing, ""},
		{"no agent for too long", Ready, since(6 * time.Minute), func(s *Sight) { s.Node = NodeOffline }, Releasing, Nothing, "agent did not connect"},
		{"no agent after a restart of Jenkins", Ready, since(6 * time.Minute), func(s *Sight) { s.Node, s.Settled = NodeOffline, false }, Ready, Nothing, ""},
		{"Jenkins does not start it", Ready, func(l *Lease) { l.Online, l.Seen = noon.Add(-11*time.Minute), noon.Add(-11*time.Minute) }, nil, Releasing, Nothing, "did not start the run"},
		{"the machine is gone", Ready, nil, func(s *Sight) { s.Node, s.Machine = NodeOffline, MachineAbsent }, Releasing, Nothing, "ended before its run came"},
		{"the node was deleted", Ready, nil, func(s *Sight) { s.Node = NodeAbsent }, Releasing, Nothing, "deleted in Jenkins"},
		{"the node is not there just after a restart", Ready, nil, func(s *Sight) { s.Node, s.Settled = NodeAbsent, false }, Ready, Nothing, ""},
		{"the run was aborted", Ready, func(l *Lease) { l.Online = noon }, func(s *Sight) { s.Run, s.Result = RunEnded, "ABORTED" }, Releasing, Nothing, "ABORTED"},
		{"the run came and went between two looks", Ready, func(l *Lease) { l.Online = noon }, func(s *Sight) { s.Run, s.Result = RunEnded, "SUCCESS" }, Releasing, Nothing, "the run has ended: SUCCESS"},
		{"early, before its time", Ready, func(l *Lease) { early(l); l.Online = noon }, func(s *Sight) { s.Run = RunUnknown }, Ready, Nothing, ""},
		{"early, and its run did not come", Ready, func(l *Lease) { early(l); l.Due, l.Online = noon.Add(-6*time.Minute), noon }, func(s *Sight) { s.Run = RunUnknown }, Releasing, Nothing, "its run did not come"},
		{"a spare waits", Ready, spare, func(s *Sight) { *s = Sight{Machine: MachineThere} }, Ready, Nothing, ""},
		{"a spare is old", Ready, func(l *Lease) { spare(l); l.Created = noon.Add(-2 * time.Hour) }, func(s *Sight) { *s = Sight{Machine: MachineThere} }, Releasing, Nothing, "a spare is replaced"},

		{"the run is on it", Busy, nil, nil, Busy, Nothing, ""},
		{"the node can be found still", Busy, func(l *Lease) { l.Sealed = time.Time{} }, nil, Busy, Seal, ""},
		{"the run has ended", Busy, nil, func(s *Sight) { s.Node, s.Run, s.Result = NodeIdle, RunEnded, "SUCCESS" }, Releasing, Nothing, "the run has ended: SUCCESS"},
		{"the run has failed, and it is kept", Busy, hold, func(s *Sight) { s.Node, s.Run, s.Result = NodeIdle, RunEnded, "FAILURE" }, Releasing, Nothing, "kept for a look until 2026-11-22T12:30:00Z"},
		{"the run has succeeded, and it is not kept", Busy, hold, func(s *Sight) { s.Node, s.Run, s.Result = NodeIdle, RunEnded, "SUCCESS" }, Releasing, Nothing, "the run has ended: SUCCESS"},
		{"the machine is lost", Busy, nil, func(s *Sight) { s.Machine = MachineAbsent }, Releasing, Nothing, "lost while the run was on it"},
		{"past its limit", Busy, since(71 * time.Minute), nil, Releasing, Nothing, "past its life limit of 1h"},
		{"past its timeout, within the overrun", Busy, since(69 * time.Minute), nil, Busy, Nothing, ""},
		{"past its limit, and Jenkins cannot be asked", Busy, since(71 * time.Minute), func(s *Sight) { s.Node, s.Run = NodeUnknown, RunUnknown }, Busy, Nothing, ""},
		{"another build is on it", Busy, nil, func(s *Sight) { s.Node, s.Other = NodeOther, "evil#1" }, Releasing, Nothing, "evil#1 took the node"},
		{"Jenkins was killed, and has it as waiting", Busy, nil, func(s *Sight) { s.Node, s.Run, s.Restored, s.Settled = NodeIdle, RunQueued, true, false }, Busy, Nothing, "has it from its disk as waiting"},
		{"Jenkins was killed, and has it as waiting long after its start", Busy, nil, func(s *Sight) { s.Node, s.Run, s.Restored = NodeOffline, RunQueued, true }, Releasing, Nothing, "asks for another"},
		{"it asks for another machine", Busy, nil, func(s *Sight) { s.Node, s.Run = NodeOffline, RunQueued }, Releasing, Nothing, "asks for another"},
		{"it asked for another machine before it came here", Busy, nil, func(s *Sight) { s.Node, s.Run, s.Fresh = NodeOffline, RunQueued, false }, Busy, Nothing, ""},
		{"it waits for its agent after a restart of Jenkins", Busy, nil, func(s *Sight) { s.Node, s.Run, s.Settled = NodeOffline, RunQueued, false }, Busy, Nothing, ""},
		{"the agent is away", Busy, nil, func(s *Sight) { s.Node = NodeOffline }, Busy, Nothing, ""},
		{"the run is lost", Busy, func(l *Lease) { l.Left = noon.Add(-7 * time.Minute) }, func(s *Sight) { s.Node = NodeIdle }, Releasing, Nothing, "in no queue and on no node"},
		{"the build was deleted", Busy, func(l *Lease) { l.Left = noon.Add(-2 * time.Minute) }, func(s *Sight) { s.Node, s.Run = NodeIdle, RunMissing }, Releasing, Nothing, "knows no such build"},
		{"Jenkins cannot be asked", Busy, nil, func(s *Sight) { s.Node, s.Run = NodeUnknown, RunUnknown }, Busy, Nothing, ""},

		{"the node takes builds", Releasing, nil, nil, Releasing, TakeOffline, ""},
		{"the look is older than that", Releasing, offline, func(s *Sight) { s.Fresh = false }, Releasing, Nothing, ""},
		{"nothing is on the node", Releasing, offline, func(s *Sight) { s.Node = NodeOffline }, Releasing, DeleteNode, ""},
		{"it is deleted, and its agent keeps it listed", Releasing, deleted, func(s *Sight) { s.Node = NodeOffline }, Releasing, Destroy, ""},
		{"that agent is gone, and it is still listed", Releasing, deleted, func(s *Sight) { s.Node, s.Machine = NodeOffline, MachineAbsent }, Releasing, DeleteNode, ""},
		{"it is deleted under a build", Releasing, deleted, func(s *Sight) { s.Node = NodeOther }, Releasing, Nothing, ""},
		{"our run is on it", Releasing, offline, func(s *Sight) { s.Node = NodeOurs }, Releasing, Nothing, ""},
		{"our run is past its limit", Releasing, func(l *Lease) { offline(l); l.Overdue = true }, func(s *Sight) { s.Node = NodeOurs }, Releasing, StopRun, ""},
		{"another build is on it", Releasing, offline, func(s *Sight) { s.Node = NodeOther }, Releasing, Nothing, ""},
		{"a build may not be read", Releasing, offline, func(s *Sight) { s.Node = NodeHidden }, Releasing, Nothing, ""},
		{"Jenkins cannot be asked", Releasing, offline, func(s *Sight) { s.Node = NodeUnknown }, Releasing, Nothing, ""},
		{"the node is gone", Releasing, offline, func(s *Sight) { s.Node = NodeAbsent }, Releasing, Destroy, ""},
		{"the node was not there in an older look", Releasing, offline, func(s *Sight) { s.Node, s.Fresh = NodeAbsent, false }, Releasing, Nothing, ""},
		{"it is kept for a look", Releasing, func(l *Lease) { offline(l); l.HoldUntil = noon.Add(time.Minute) }, func(s *Sight) { s.Node = NodeOffline }, Releasing, Nothing, ""},
		{"the look is over", Releasing, func(l *Lease) { offline(l); l.HoldUntil = noon }, func(s *Sight) { s.Node = NodeOffline }, Releasing, DeleteNode, ""},
		{"both are gone", Releasing, offline, func(s *Sight) { s.Node, s.Machine = NodeAbsent, MachineAbsent }, Gone, Nothing, ""},
		{"the machine is gone, the node is not", Releasing, offline, func(s *Sight) { s.Node, s.Machine = NodeOffline, MachineAbsent }, Releasing, DeleteNode, ""},
		{"its secret was never handed over", Releasing, func(l *Lease) { l.Handed = time.Time{} }, func(s *Sight) { s.Node = NodeUnknown }, Releasing, Destroy, ""},
		{"nothing was ever ordered", Releasing, func(l *Lease) { l.Handed, l.Order, l.VM = time.Time{}, "", "" }, func(s *Sight) { s.Node, s.Machine = NodeAbsent, MachineUnknown }, Gone, Nothing, ""},
		{"the order's outcome is not known", Releasing, func(l *Lease) { l.Handed, l.VM = time.Time{}, "" }, func(s *Sight) { s.Node, s.Machine = NodeAbsent, MachineUnknown }, Releasing, Nothing, ""},
		{"the order made nothing", Releasing, func(l *Lease) { l.Handed, l.VM = time.Time{}, "" }, func(s *Sight) { s.Node, s.Machine = NodeAbsent, MachineAbsent }, Gone, Nothing, ""},
		{"the run has to be told", Releasing, func(l *Lease) { l.Refused = true }, func(s *Sight) { s.Run = RunQueued }, Releasing, TellRun, ""},
		{"it is not known whether the run was told", Releasing, func(l *Lease) { l.Refused, l.Order, l.VM, l.Handed = true, "", "", time.Time{} }, func(s *Sight) { s.Run, s.Node = RunUnknown, NodeAbsent }, Releasing, Nothing, ""},
		{"Jenkins has lost the run, which is to be stopped", Releasing, func(l *Lease) { offline(l); l.Lost = true }, func(s *Sight) { s.Run, s.StopLost = RunBuilding, true }, Releasing, StopRun, ""},
		{"Jenkins has lost the run, which is not to be stopped", Releasing, func(l *Lease) { offline(l); l.Lost = true }, func(s *Sight) { s.Run = RunBuilding }, Releasing, DeleteNode, ""},
		{"a spare", Releasing, spare, func(s *Sight) { *s = Sight{Machine: MachineThere} }, Releasing, Destroy, ""},

		{"it is gone", Gone, nil, nil, Gone, Nothing, ""},
	}
}

// outcome returns what next makes of a rule's lease, and that lease.
func (c *rule) outcome() (before, after Lease, action Action) {
	l, s := in(c.state), well(c.state)
	if c.lease != nil {
		c.lease(&l)
	}
	if c.sight != nil {
		c.sight(&s)
	}
	after, action = next(l, s, noon, times)
	return l, after, action
}

// TestNext checks each line of the table.
func TestNext(t *testing.T) {
	for _, c := range rules() {
		t.Run(string(c.state)+"/"+c.name, func(t *testing.T) {
			l, got, action := c.outcome()
			if got.State != c.to || action != c.action {
				t.Errorf("%s and %q, want %s and %q; reason %q", got.State, action, c.to, c.action, got.Reason)
			}
			want := c.reason
			if want == "" {
				want = l.Reason
			}
			if !strings.Contains(got.Reason, want) {
				t.Errorf("reason %q, want one with %q", got.Reason, want)
			}
			if got.State != l.State && !got.Since.Equal(noon) {
				t.Errorf("it came into %s at %s", got.State, got.Since)
			}
		})
	}
}

// TestLeft checks that it is kept since when a run is seen nowhere, in each
// state, and forgotten when it is seen again.
func TestLeft(t *testing.T) {
	for _, state := range []State{Wanted, Launching, Booting, Ready, Busy} {
		s := well(state)
		s.Run, s.Node = RunBuilding, NodeOffline
		gone, _ := next(in(state), s, noon, times)
		if !gone.Left.Equal(noon) {
			t.Errorf("%s: it left at %s", state, gone.Left)
		}
		back, _ := next(gone, well(state), noon.Add(time.Second), times)
		if !back.Left.IsZero() {
			t.Errorf("%s: it is back, and has left at %s", state, back.Left)
		}
	}
}

// TestNextNeverHarms tries all states with all that can be seen, at once, and
// looks only at what must never be decided.
func TestNextNeverHarms(t *testing.T) {
	tried := 0
	for _, state := range States {
		for _, machine := range []MachineSight{MachineUnknown, MachineThere, MachineEnding, MachineAbsent} {
			for _, node := range []NodeSight{NodeUnknown, NodeAbsent, NodeOffline, NodeIdle, NodeOurs, NodeOther, NodeHidden} {
				for _, run := range []RunSight{RunUnknown, RunQueued, RunBuilding, RunEnded, RunMissing} {
					for flags := range 1 << 8 {
						flag := func(i int) bool { return flags>>i&1 == 1 }
						l := in(state)
						if flag(0) {
							l.OfflineAt = noon
						}
						if flag(1) {
							l.HoldUntil = noon.Add(time.Hour)
						}
						l.Refused, l.Overdue = flag(2), flag(3)
						if flag(4) {
							l.Since, l.Began = noon.Add(-100*time.Hour), noon.Add(-100*time.Hour)
						}
						if flag(5) {
							l.Left = noon.Add(-time.Hour)
						}
						s := Sight{Machine: machine, Node: node, Run: run, Fresh: flag(6), Settled: flag(7), Awake: 100 * time.Hour}
						got, action := next(l, s, noon, times)
						tried++
						what := fmt.Sprintf("%s, %+v, flags %08b: %s, %q", state, s, flags, got.State, action)
						occupied := node == NodeOurs || node == NodeOther || node == NodeHidden
						switch {
						case action == Destroy && !l.Handed.IsZero() && (node != NodeAbsent || !s.Fresh):
							t.Errorf("the machine goes though its node may be there: %s", what)
						case action == DeleteNode && (occupied || node == NodeUnknown || l.OfflineAt.IsZero() || !s.Fresh):
							t.Errorf("the node goes though a build may be on it: %s", what)
						case (action == Destroy || action == DeleteNode) && flag(1):
							t.Errorf("it goes though it is to be kept: %s", what)
						case got.State == Gone && l.State != Gone && (machine != MachineAbsent || node != NodeAbsent):
							t.Errorf("it is called gone though it may be there: %s", what)
						case action == StopRun && !l.Overdue:
							t.Errorf("a run is stopped that is not overdue: %s", what)
						case index(got.State) < index(l.State) || got.State != l.State && index(got.State) > index(l.State)+1 && got.State != Releasing:
							t.Errorf("it went the wrong way: %s", what)
						case l.State == Busy && got.State == Releasing && machine == MachineUnknown && node == NodeUnknown:
							t.Errorf("something is concluded from nothing: %s", what)
						case action != Nothing && l.State != got.State:
							t.Errorf("an effect is had before the change of state is stored: %s", what)
						}
					}
				}
			}
		}
	}
	t.Logf("%d sights", tried)
}
