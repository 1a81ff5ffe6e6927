package nodes

import (
	"fmt"
	"time"
)

// Sight is what one look has shown of one lease. Its zero value says that
// nothing is known, and on that nothing is done.
type Sight struct {
	Machine   MachineSight
	Fault     string // why the machine ends, where its cloud says so
	NoRoom    bool   // that was for want of room: it never ran
	Node      NodeSight
	Fresh     bool   // the look at the node began after this version of the lease was read
	Other     string // the build of NodeOther, as people write it
	Run       RunSight
	Result    string        // of a run that has ended
	Settled   bool          // the controller runs long enough for agents and runs to have found each other again
	Quieting  bool          // the controller starts nothing new
	Void      string        // why a lease without a run is of no use any more; empty: it is
	Blocked   bool          // Jenkins would not let the run onto a node
	Elsewhere bool          // the run is on another node
	Restored  bool          // what waits in the queue is what waited there before the run was on its node
	Awake     time.Duration // since when somebody looks at all
	StopLost  bool          // a run that Jenkins has lost is to be stopped
	Hold      string        // why nothing is to be ordered now (a drained pool, an unknown one); empty: nothing stands against it
}

// MachineSight is what the cloud says of a lease's machine.
type MachineSight string

// The sights of a machine.
const (
	MachineUnknown MachineSight = ""       // the cloud was not asked, did not answer, or may not show it yet
	MachineThere   MachineSight = "there"  // starting or running
	MachineEnding  MachineSight = "ending" // it will not run again, but is still there
	MachineAbsent  MachineSight = "absent" // it was listed before and is not any more, or should be by now
)

// NodeSight is what Jenkins says of a lease's node.
type NodeSight string

// The sights of a node.
const (
	NodeUnknown NodeSight = ""        // Jenkins was not asked or did not answer
	NodeAbsent  NodeSight = "absent"  // Jenkins has no such node
	NodeOffline NodeSight = "offline" // no agent, or told to take no builds; nothing runs on it
	NodeIdle    NodeSight = "idle"    // online, nothing runs on it
	NodeOurs    NodeSight = "ours"    // the lease's own run is on it
	NodeOther   NodeSight = "other"   // another build is on it
	NodeHidden  NodeSight = "hidden"  // a build that may not be read is on it
)

// RunSight is what Jenkins says of a lease's run.
type RunSight string

// The sights of a run.
const (
	RunUnknown  RunSight = ""         // Jenkins was not asked or did not answer
	RunQueued   RunSight = "queued"   // it waits for its node
	RunBuilding RunSight = "building" // it has begun and does not wait in the queue
	RunEnded    RunSight = "ended"    // it has ended, or is of an earlier life of its job
	RunMissing  RunSight = "missing"  // Jenkins knows no such build; perhaps it may not be read
)

// Action is one effect outside.
type Action string

// The actions. All can be repeated.
const (
	Nothing     Action = ""
	OrderIt     Action = "order"   // store an order for it and send it
	RepeatIt    Action = "repeat"  // send its order again, or order at the next place
	MakeNode    Action = "node"    // make its node in Jenkins
	Seal        Action = "seal"    // take the label from its node, as its run is on it
	TakeOffline Action = "offline" // have the node take no more builds
	StopRun     Action = "stop"    // stop its run
	DeleteNode  Action = "delete"  // delete the node
	Destroy     Action = "destroy" // destroy the machine
	TellRun     Action = "tell"    // cancel what the run waits for, and tell the reason
)

// Timing holds the deadlines. See DefaultTiming.
type Timing struct {
	Wait     time.Duration // a run may wait so long for a machine to be accepted; then it is told
	Boot     time.Duration // from there until the machine calls in
	Connect  time.Duration // from there until the node is online
	Come     time.Duration // from there until the run is on it, though it waits for just that node
	Lost     time.Duration // a run that is neither in the queue nor on its node that long is lost
	Missing  time.Duration // a build that Jenkins does not know that long has ended
	Settle   time.Duration // after a start of the controller nothing is concluded from what is missing for that long
	Patience time.Duration // a run made ahead for may come that much after its time
	SpareAge time.Duration // a spare is replaced at that age
	Orphan   time.Duration // grace of a machine or node without a lease
	Visible  time.Duration // a cloud lists a machine at most that long after it has accepted it
	Overrun  time.Duration // what a run may take beyond its life limit before it is stopped
	MaxLife  time.Duration // life limit of a job that has no timeout
	Repeat   time.Duration // an effect that does not show is repeated after that long
	Machines int           // machines that may fail a run before it began; then it is told
}

// DefaultTiming returns the deadlines that fit Jenkins' own: it gives a lost
// agent 5 minutes to come back, so what is missing is missing after 6.
func DefaultTiming() Timing {
	return Timing{
		Wait: 30 * time.Minute, Boot: 10 * time.Minute, Connect: 5 * time.Minute, Come: 10 * time.Minute,
		Lost: 6 * time.Minute, Missing: time.Minute, Settle: 6 * time.Minute,
		Patience: 5 * time.Minute, SpareAge: time.Hour, Orphan: 5 * time.Minute, Visible: 2 * time.Minute,
		Overrun: 10 * time.Minute, MaxLife: 72 * time.Hour, Repeat: 10 * time.Second, Machines: 3,
	}
}

// next decides what is to be done for one lease: it returns the lease as it
// is to be stored, and the one effect that is due once that is stored. It
// asks nobody and changes nothing, and for what is not known it waits.
func next(l Lease, s Sight, now time.Time, t Timing) (Lease, Action) {
	switch l.State {
	case Wanted:
		return nextWanted(l, s, now, t)
	case Launching:
		return nextLaunching(l, s, now, t)
	case Booting:
		return nextBooting(l, s, now, t)
	case Ready:
		return nextReady(l, s, now, t)
	case Busy:
		return nextBusy(l, s, now, t)
	case Releasing:
		return nextReleasing(l, s, now, t)
	}
	return l, Nothing
}

func nextWanted(l Lease, s Sight, now time.Time, t Timing) (Lease, Action) {
	if l.Refused {
		return l.to(Releasing, now, l.Reason), Nothing
	}
	l, over := idleOver(l, s, now, t)
	if over {
		return l, Nothing
	}
	switch {
	case s.Hold != "":
		return l.because(now, s.Hold).unless(l), Nothing
	case !l.Spare() && s.Quieting:
		return l.because(now, "Jenkins is about to shut down and starts nothing; waiting").unless(l), Nothing
	case waitedTooLong(l, s, now, t):
		return refuse(l, now, fmt.Sprintf("no machine within %s: %s", short(t.Wait), l.Reason)), Nothing
	case s.Blocked:
		return l.because(now, "waits: Jenkins blocks the run, so that it would not get onto its node").unless(l), Nothing
	case now.Before(l.Retry) || !l.Spare() && !l.Early() && s.Run != RunQueued:
		return l, Nothing
	}
	return l, OrderIt
}

func nextLaunching(l Lease, s Sight, now time.Time, t Timing) (Lease, Action) {
	if l.VM != "" {
		return l.to(Booting, now, l.Reason), Nothing
	}
	l, over := idleOver(l, s, now, t)
	if over {
		return l, Nothing
	}
	switch {
	case waitedTooLong(l, s, now, t):
		return refuse(l, now, fmt.Sprintf("no machine within %s: %s", short(t.Wait), l.Reason)), Nothing
	case now.Before(l.Retry):
		return l, Nothing
	}
	return l, RepeatIt
}

func nextBooting(l Lease, s Sight, now time.Time, t Timing) (Lease, Action) {
	l, over := idleOver(l, s, now, t)
	if over {
		return l, Nothing
	}
	switch {
	case machineLost(s) && s.NoRoom:
		l.Crowded = true
		return l.to(Releasing, now, l.Place+": "+s.Fault), Nothing
	case machineLost(s):
		return l.to(Releasing, now, "the machine ended before it called in"+s.fault()), Nothing
	case now.Sub(l.Since) > t.Boot:
		return l.to(Releasing, now, fmt.Sprintf("the machine did not call in within %s of being accepted; see its console output", short(t.Boot))), Nothing
	}
	return l, makeNode(l, s)
}

func nextReady(l Lease, s Sight, now time.Time, t Timing) (Lease, Action) {
	switch s.Node {
	case NodeOurs:
		if l.Online.IsZero() {
			l.Online = now
		}
		if l.Started == 0 {
			return l, Nothing // the run is looked at first, so that it is known which it is
		}
		l.Began, l.Delivered, l.Left = now, true, time.Time{}
		return l.to(Busy, now, "the run is on its machine"), Nothing
	case NodeOther:
		return foreign(l, s, now), Nothing
	case NodeHidden:
		// A build that is just starting shows like one that may not be read.
		if l.Left.IsZero() {
			l.Left = now
		} else if now.Sub(l.Left) > t.Missing {
			return foreign(l, s, now), Nothing
		}
		return l, Nothing
	case NodeIdle:
		if l.Online.IsZero() {
			l.Online = now
			l = l.because(now, l.waitsFor())
		}
	}
	l, over := idleOver(l, s, now, t)
	if over {
		return l, Nothing
	}
	if l.Spare() {
		if now.Sub(l.Created) > t.SpareAge {
			return l.to(Releasing, now, fmt.Sprintf("a spare is replaced after %s", short(t.SpareAge))), Nothing
		}
		return l, Nothing
	}
	switch {
	case machineLost(s):
		return l.to(Releasing, now, "the machine ended before its run came"+s.fault()), Nothing
	case l.NodeMade.IsZero():
		return l, makeNode(l, s)
	case s.Node == NodeAbsent && s.Settled && s.Fresh:
		return l.to(Releasing, now, "its node was deleted in Jenkins"), Nothing
	case s.Node == NodeUnknown || !s.Settled || s.Quieting:
		return l, Nothing
	case l.Online.IsZero() && !l.Handed.IsZero() && now.Sub(l.Handed) > t.Connect:
		return l.to(Releasing, now, fmt.Sprintf("its agent did not connect to Jenkins within %s; see the agent's log on the machine", short(t.Connect))), Nothing
	case !l.Online.IsZero() && !l.Early() && now.Sub(later(l.Online, l.Seen)) > t.Come:
		return l.to(Releasing, now, fmt.Sprintf("Jenkins did not start the run on it within %s", short(t.Come))), Nothing
	}
	return l, Nothing
}

func nextBusy(l Lease, s Sight, now time.Time, t Timing) (Lease, Action) {
	switch {
	case s.Node == NodeOurs && now.Sub(l.Began) > time.Duration(l.Life)*time.Second+t.Overrun:
		l.Overdue = true
		return l.to(Releasing, now, fmt.Sprintf("the run is past its life limit of %s; it is stopped", short(time.Duration(l.Life)*time.Second))), Nothing
	case s.Node == NodeOther:
		return foreign(l, s, now), Nothing
	case machineLost(s):
		return l.to(Releasing, now, "the machine was lost while the run was on it"+s.fault()), Nothing
	case s.Run == RunEnded && s.Node != NodeOurs && s.Node != NodeUnknown:
		return ended(l, s, now), Nothing
	case s.Node == NodeOurs && l.Sealed.IsZero():
		l.Left = time.Time{}
		return l, Seal
	case s.Node == NodeOurs || s.Node == NodeUnknown || s.Node == NodeHidden:
		l.Left = time.Time{}
		return l, Nothing
	case s.Restored && !s.Settled:
		// If it came onto any node with its label now, its program would be
		// started a second time beside the first: the seal prevents that.
		return l.because(now, restoredReason).unless(l), Nothing
	case s.Run == RunUnknown || !s.Settled || !s.Fresh:
		return l, Nothing
	case s.Elsewhere:
		return l.to(Releasing, now, "the run is on another node"), Nothing
	case s.Run == RunQueued:
		return l.to(Releasing, now, "the run has left this machine and asks for another (its agent was lost)"), Nothing
	}
	return lost(l, s, now, t)
}

// restoredReason is for whoever has to start the run again.
const restoredReason = "Jenkins was killed just after the run had begun, and has it from its disk as waiting: it will end the run as ABORTED 5 minutes after its start, though the program goes on meanwhile; look at what that did before you start it again"

// lost handles a run that has begun and is neither in the queue nor on its
// node.
func lost(l Lease, s Sight, now time.Time, t Timing) (Lease, Action) {
	limit, reason := t.Lost, "Jenkins says that the run is building, but it is in no queue and on no node; stop it in Jenkins"
	if s.Run == RunMissing {
		limit, reason = t.Missing, "Jenkins knows no such build any more"
	}
	switch {
	case l.Left.IsZero():
		l.Left = now
	case now.Sub(l.Left) > limit:
		l.Lost = s.Run == RunBuilding
		return l.to(Releasing, now, reason), Nothing
	}
	return l, Nothing
}

// idleOver ends a lease whose run is not on it and will not come.
func idleOver(l Lease, s Sight, now time.Time, t Timing) (Lease, bool) {
	switch {
	case s.Void != "" && (l.Spare() || l.Early()):
		return l.to(Releasing, now, s.Void), true
	case l.Spare():
		return l, false
	case l.Early() && now.Sub(l.Due) > t.Patience:
		return l.to(Releasing, now, fmt.Sprintf("its run did not come within %s of %s", short(t.Patience), l.Due.UTC().Format(time.RFC3339))), true
	case l.Early():
		return l, false
	case s.Run == RunEnded:
		return ended(l, s, now), true
	case s.Elsewhere && s.Fresh:
		return l.to(Releasing, now, "the run is on another node"), true
	case s.Run == RunQueued || s.Run == RunUnknown || s.Node == NodeOurs:
		l.Left = time.Time{}
		return l, false
	case !s.Settled && s.Run == RunBuilding:
		return l, false
	}
	l, _ = lost(l, s, now, t)
	return l, l.State == Releasing
}

// ended is a lease whose run has ended. A machine whose run has failed on it
// is kept for a look where the job says so.
func ended(l Lease, s Sight, now time.Time) Lease {
	l.Result = s.Result
	reason := "the run has ended"
	switch {
	case s.Result != "" && l.Delivered:
		reason = "the run has ended: " + s.Result
	case s.Result == "SUCCESS":
		// It began and ended between two looks.
		l.Delivered = true
		reason = "the run has ended: SUCCESS"
	case s.Result != "":
		reason = "the run has ended before it was seen on its machine: " + s.Result
	}
	if l.Hold > 0 && l.Delivered && s.Result != "SUCCESS" && s.Result != "" {
		l.HoldUntil = later(l.HoldUntil, now.Add(time.Duration(l.Hold)*time.Second))
		if !l.Expires.IsZero() && l.HoldUntil.After(l.Expires) {
			l.HoldUntil = l.Expires
		}
		reason += fmt.Sprintf("; the machine is kept for a look until %s", l.HoldUntil.UTC().Format(time.RFC3339))
	}
	return l.to(Releasing, now, reason)
}

// foreign is a lease on whose node a build stands that has no right to it.
func foreign(l Lease, s Sight, now time.Time) Lease {
	if l.Foreign = s.Other; l.Foreign == "" {
		l.Foreign = "a build that may not be read"
	}
	return l.to(Releasing, now, fmt.Sprintf("%s took the node, which is for %s alone: find out who asks for the label %s", l.Foreign, l.Run(), l.Label))
}

// waitedTooLong reports whether a run has waited for a machine for longer than
// it may, while somebody was there to find one.
func waitedTooLong(l Lease, s Sight, now time.Time, t Timing) bool {
	return min(now.Sub(l.Since), s.Awake) > t.Wait
}

// refuse ends a lease whose run can get no machine and has to be told.
func refuse(l Lease, now time.Time, reason string) Lease {
	l.Refused = !l.Spare() && !l.Early()
	return l.to(Releasing, now, reason)
}

// nextReleasing takes away, in this order: what the run waits for (where it
// has to be told), the node's readiness for builds, the run past its limit,
// the node, the machine. A machine whose secret was never handed over can
// have no build on it, so it need not wait for Jenkins.
func nextReleasing(l Lease, s Sight, now time.Time, _ Timing) (Lease, Action) {
	if l.Refused && s.Run == RunQueued {
		return l, TellRun
	}
	if l.Lost && s.StopLost && s.Run == RunBuilding {
		return l, StopRun
	}
	held := now.Before(l.HoldUntil)
	if !l.Handed.IsZero() || held {
		if action, wait := releaseNode(l, s, held); wait {
			return l, action
		}
	} else if s.Machine == MachineAbsent || l.VM == "" && l.Order == "" {
		if action, wait := releaseNode(l, s, held); wait {
			return l, action
		}
	}
	switch {
	case held:
		return l, Nothing
	case l.VM == "" && l.Order == "", s.Machine == MachineAbsent:
		if l.Refused && s.Run == RunUnknown {
			return l, Nothing
		}
		return l.to(Gone, now, l.Reason), Nothing
	case l.VM == "":
		return l, Nothing // the list will show whether its order made a machine
	}
	return l, Destroy
}

// releaseNode takes the node away, and says whether the machine has to wait
// for that.
func releaseNode(l Lease, s Sight, held bool) (action Action, wait bool) {
	if l.Controller == "" {
		return Nothing, false
	}
	switch s.Node {
	case NodeAbsent:
		return Nothing, !s.Fresh
	case NodeUnknown:
		// A node that was never made and of which nobody knows is looked for
		// all the same: the reply to its making may have been lost.
		return Nothing, true
	}
	switch {
	case l.OfflineAt.IsZero():
		return TakeOffline, true
	case !s.Fresh:
		return Nothing, true
	case s.Node == NodeOurs && l.Overdue:
		return StopRun, true
	case s.Node == NodeOurs || s.Node == NodeOther || s.Node == NodeHidden || held:
		return Nothing, true // a build is never cut off
	case !l.Deleted.IsZero() && s.Machine != MachineAbsent:
		// It is deleted, and stays listed: its agent comes back 20 times a
		// second, and keeps what is left of it there. Some controllers answer
		// a second delete with 500, so it is the agent that has to go.
		return Nothing, false
	}
	return DeleteNode, true
}

// fault ends a sentence about a machine with what its cloud says of its end.
func (s Sight) fault() string {
	if s.Fault == "" {
		return ""
	}
	return ": " + s.Fault
}

func machineLost(s Sight) bool { return s.Machine == MachineAbsent || s.Machine == MachineEnding }

// makeNode is MakeNode where the lease needs its node and has none.
func makeNode(l Lease, s Sight) Action {
	if l.Spare() || !l.NodeMade.IsZero() || s.Quieting {
		return Nothing
	}
	return MakeNode
}

// unless returns old if only the time of an unchanged reason differs.
func (l Lease) unless(old Lease) Lease {
	if l.Reason == old.Reason {
		return old
	}
	return l
}

// waitsFor says what a lease whose node is online waits for.
func (l *Lease) waitsFor() string {
	if l.Early() {
		return fmt.Sprintf("made ahead: online and waiting for the run of %s", l.Due.UTC().Format(time.RFC3339))
	}
	return "the node is online; Jenkins is about to start the run"
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
