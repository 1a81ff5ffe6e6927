package nodes

import (
	"fmt"
	"strings"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins"
)

// State is where a lease stands in its life.
type State string

// The states of a lease, in the order in which it passes them. A lease may go
// from any of them to Releasing, and never back.
const (
	Wanted    State = "wanted"    // the row is stored; nothing is outside yet
	Launching State = "launching" // a machine is ordered from a cloud
	Booting   State = "booting"   // the cloud has accepted; the machine has not called in
	Ready     State = "ready"     // the machine has called in; its run may come
	Busy      State = "busy"      // the run is on it
	Releasing State = "releasing" // node and machine are being taken away
	Gone      State = "gone"      // neither Jenkins nor the cloud has it
)

// States lists all states in the order of a life.
var States = []State{Wanted, Launching, Booting, Ready, Busy, Releasing, Gone}

// Holds reports whether a lease in state s stands for its run: at most one
// such lease exists for a run at any time.
func (s State) Holds() bool { return s != Releasing && s != Gone }

// Outside reports whether a lease in state s may have a machine in a cloud,
// and so counts against the limits.
func (s State) Outside() bool { return s != Wanted && s != Gone }

// Lease is one machine lent to one attempt of one run, with its whole life.
//
// Started tells two lives of a job apart: Jenkins counts builds from 1 again
// when a job was deleted and made anew, so a number alone names no run. It is
// the build's own timestamp, by Jenkins' clock; no two clocks are compared.
type Lease struct {
	ID      string    `json:"id"`      // also the Jenkins node's name; random, never used twice
	Version int64     `json:"version"` // grows with each change that is stored; for compare-and-set
	State   State     `json:"state"`
	Reason  string    `json:"reason"`  // why it is in this state, in plain words
	Created time.Time `json:"created"` // when the row was made
	Since   time.Time `json:"since"`   // when it came into this state
	Changed time.Time `json:"changed"` // when State or Reason changed last

	Controller string    `json:"controller,omitempty"` // name of the Jenkins; empty for a spare
	Job        string    `json:"job,omitempty"`        // the job's path; empty for a spare
	FullName   string    `json:"full_name,omitempty"`  // the job's full name in Jenkins
	Label      string    `json:"label,omitempty"`      // the label that the run asks for
	Number     int       `json:"number,omitempty"`     // the build's number
	Started    int64     `json:"started,omitempty"`    // the build's timestamp in Jenkins, in ms since 1970; 0: no run was seen yet
	Attempt    int       `json:"attempt,omitempty"`    // 1 for the first machine of the run, 0 while Started is 0
	Team       string    `json:"team,omitempty"`       // owner of the job
	Due        time.Time `json:"due,omitzero"`         // of an early lease: when the run is to start
	Queued     time.Time `json:"queued,omitzero"`      // when the run began to wait, by Jenkins' clock
	Seen       time.Time `json:"seen,omitzero"`        // when the waiting run was first seen here

	Pool string `json:"pool"`
	Need Need   `json:"need"`
	Life int64  `json:"life"`           // seconds that a run may be on the machine
	Hold int64  `json:"hold,omitempty"` // seconds that the machine is kept for a look when its run has failed

	Place   string    `json:"place,omitempty"`   // where the machine is, or was asked for
	Cloud   string    `json:"cloud,omitempty"`   // the cloud of that place
	Order   string    `json:"order,omitempty"`   // the order that the machine belongs to
	Ordered time.Time `json:"ordered,omitzero"`  // when that order was stored
	Tries   int       `json:"tries,omitempty"`   // orders that gave this lease nothing
	Retry   time.Time `json:"retry,omitzero"`    // not to be ordered before then
	Index   int       `json:"index,omitempty"`   // its place in the order's result
	VM      string    `json:"vm,omitempty"`      // the cloud's name of the machine
	Address string    `json:"address,omitempty"` // where the machine can be reached, as far as the cloud says
	VMSeen  bool      `json:"vm_seen,omitempty"` // the cloud has listed it at least once
	Detail  string    `json:"detail,omitempty"`  // type, zone and the like, as the cloud names them
	Price   float64   `json:"price,omitempty"`   // US dollars an hour; 0: not known
	Expires time.Time `json:"expires,omitzero"`  // when the machine powers itself off

	NodeMade time.Time `json:"node_made,omitzero"` // when Jenkins confirmed that it has the node
	Claim    string    `json:"claim,omitempty"`    // hash of what the machine proved itself with when it called in first
	Called   time.Time `json:"called,omitzero"`    // when the machine called in
	Handed   time.Time `json:"handed,omitzero"`    // when the agent's secret was handed over
	Online   time.Time `json:"online,omitzero"`    // when the node was first seen online
	Began    time.Time `json:"began,omitzero"`     // when the run was first seen on the node
	Sealed   time.Time `json:"sealed,omitzero"`    // when the node lost its label, so that no other run finds it
	Left     time.Time `json:"left,omitzero"`      // since when the run is seen neither on the node nor in the queue

	Result    string    `json:"result,omitempty"`    // the build's result, in Jenkins' words
	OfflineAt time.Time `json:"offline_at,omitzero"` // when Jenkins confirmed that the node takes no builds
	Deleted   time.Time `json:"deleted,omitzero"`    // when Jenkins confirmed that the node is deleted; what is left of it may stay listed
	HoldUntil time.Time `json:"hold_until,omitzero"` // until when the machine is kept for a look
	HeldBy    string    `json:"held_by,omitempty"`   // who asked for that; empty: hold_on_failure did
	Overdue   bool      `json:"overdue,omitempty"`   // the run is past its life limit and is to be stopped
	Lost      bool      `json:"lost,omitempty"`      // Jenkins shows the run as building, in no queue and on no node
	Refused   bool      `json:"refused,omitempty"`   // the run can get no machine and has to be told so
	Crowded   bool      `json:"crowded,omitempty"`   // the cloud accepted the machine and then had no room for it
	Foreign   string    `json:"foreign,omitempty"`   // the build that was on the node without a right to it
	Delivered bool      `json:"delivered,omitempty"` // the run was on its machine, so this attempt was served
}

// Need is what a machine must have.
type Need struct {
	CPU    int    `json:"cpu"`    // cores
	Memory int64  `json:"memory"` // bytes
	Disk   int64  `json:"disk"`   // bytes
	Arch   string `json:"arch"`   // amd64 or arm64
}

func (n Need) String() string {
	return fmt.Sprintf("%d cpu, %s, disk %s, %s", n.CPU, size(n.Memory), size(n.Disk), n.Arch)
}

// size writes bytes as people do: 16Gi.
func size(n int64) string {
	const gi, mi = 1 << 30, 1 << 20
	switch {
	case n%gi == 0:
		return fmt.Sprintf("%dGi", n/gi)
	case n%mi == 0:
		return fmt.Sprintf("%dMi", n/mi)
	}
	return fmt.Sprintf("%d bytes", n)
}

// short writes a duration as people do: 30m, not 30m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Spare reports whether no run is bound to the lease.
func (l *Lease) Spare() bool { return l.Job == "" }

// Early reports whether the lease was made ahead for a run that has not been
// seen yet.
func (l *Lease) Early() bool { return l.Job != "" && l.Started == 0 }

// Boot returns how long the machine took from its order until its node was
// online, without the time that a spare waited for its run.
func (l *Lease) Boot() time.Duration {
	return l.Called.Sub(l.Ordered) + l.Online.Sub(l.Handed)
}

// Run returns the run that the lease is for, as people write it, or "" for a
// spare: live-1/settlement/daily-settlement#123.
func (l *Lease) Run() string {
	if l.Spare() {
		return ""
	}
	return fmt.Sprintf("%s#%d", l.Job, l.Number)
}

// Key names the run of a lease among those that are alive.
func (l *Lease) Key() RunKey { return RunKey{l.Controller, l.Job, l.Number} }

// RunKey names a build as Jenkins does. It is unique among the builds that
// are there at one time.
type RunKey struct {
	Controller string
	Job        string // path
	Number     int
}

// ref names the build as Jenkins does.
func (l *Lease) ref() jenkins.Ref { return jenkins.Ref{Job: l.FullName, Number: l.Number} }

// to returns the lease in another state.
func (l Lease) to(s State, now time.Time, reason string) Lease {
	l.State, l.Since = s, now
	return l.because(now, reason)
}

// because returns the lease with another reason.
func (l Lease) because(now time.Time, reason string) Lease {
	l.Reason, l.Changed = reason, now
	return l
}

// forJob returns a lease for a run of the job, or for one that will come.
func forJob(j *catalog.Job, number int) Lease {
	return Lease{
		Controller: j.Controller,
		Job:        j.Path,
		FullName:   j.FullName(),
		Label:      catalog.Label(j.Token, number),
		Number:     number,
		Team:       j.Owner,
		Pool:       j.Node.Pool,
		Need:       Need{CPU: j.Node.CPU, Memory: j.Node.Memory, Disk: j.Node.Disk, Arch: j.Node.Arch},
		Hold:       j.Node.HoldOnFailure,
	}
}
