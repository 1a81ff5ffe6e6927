// Package api holds what the provisioner's HTTP API says and hears, and a
// client of it. The console serves these types and batchctl reads them; so
// neither has to know the other.
//
// Read Lease first, then Client. Names are snake_case, times RFC 3339 in UTC,
// durations seconds; a time that is not known is left out.
package api

import "time"

// Lease is one machine lent to one attempt of one run.
type Lease struct {
	ID      string    `json:"id" doc:"also the name of the node in Jenkins and of the machine"`
	State   string    `json:"state" enum:"wanted,launching,booting,ready,busy,releasing,gone"`
	Reason  string    `json:"reason" doc:"why it is in this state, in plain words"`
	Created time.Time `json:"created"`
	Since   time.Time `json:"since" doc:"when it came into this state"`
	Changed time.Time `json:"changed" doc:"when state or reason changed last"`

	Run        string `json:"run,omitempty" doc:"job#number; absent for a spare"`
	Controller string `json:"controller,omitempty"`
	Job        string `json:"job,omitempty"`
	Number     int    `json:"number,omitempty"`
	Attempt    int    `json:"attempt,omitempty" doc:"1 for the first machine of the run; absent while no run was seen"`
	Team       string `json:"team,omitempty"`
	Spare      bool   `json:"spare,omitempty" doc:"no run is bound to it"`

	Due     time.Time `json:"due,omitzero" doc:"of a lease that was made ahead: when the run is to start"`
	Queued  time.Time `json:"queued,omitzero" doc:"when the run began to wait, by the clock of Jenkins"`
	Seen    time.Time `json:"seen,omitzero" doc:"when the waiting run was first seen"`
	Ordered time.Time `json:"ordered,omitzero"`
	Called  time.Time `json:"called,omitzero" doc:"when the machine called in"`
	Online  time.Time `json:"online,omitzero" doc:"when the node was first seen online"`
	Began   time.Time `json:"began,omitzero" doc:"when the run was first seen on the machine"`
	Expires time.Time `json:"expires,omitzero" doc:"when the machine powers itself off"`

	Waited *float64 `json:"waited_seconds,omitempty" doc:"how long the run has waited for its machine, so far; absent while there is no run"`

	Boot float64 `json:"boot_seconds,omitempty" doc:"what the machine took from its order until its node was online; absent until then"`

	Pool    string `json:"pool"`
	Need    Need   `json:"need"`
	Place   string `json:"place,omitempty"`
	Cloud   string `json:"cloud,omitempty"`
	Machine string `json:"machine,omitempty" doc:"the cloud's name of the machine"`
	Address string `json:"address,omitempty"`
	Detail  string `json:"detail,omitempty" doc:"type, zone and the like, as the cloud names them"`

	Price float64 `json:"price_per_hour,omitempty" doc:"US dollars an hour, as far as the configuration or a table of the driver says; absent where it is not known"`
	Cost  float64 `json:"cost,omitempty" doc:"US dollars for the machine's life so far, from its order on, at that price"`

	Result    string    `json:"result,omitempty" doc:"of the build, in the words of Jenkins"`
	Served    bool      `json:"served,omitempty" doc:"the run was on its machine"`
	Refused   bool      `json:"refused,omitempty" doc:"the run can get no machine and is told so"`
	Overdue   bool      `json:"overdue,omitempty" doc:"the run was past its life limit"`
	Foreign   string    `json:"foreign,omitempty" doc:"the build that took the node without a right to it"`
	HoldUntil time.Time `json:"hold_until,omitzero" doc:"until when the machine is kept for a look"`
	HeldBy    string    `json:"held_by,omitempty" doc:"who asked for that; absent where hold_on_failure of the job did"`
}

// Early reports whether the lease was made ahead for a run that has not come
// yet.
func (l *Lease) Early() bool { return !l.Due.IsZero() && l.Attempt == 0 }

// Failed reports whether somebody should look at how the lease went: its run
// was refused, stopped or pushed out, its machine failed, or the build did.
func (l *Lease) Failed() bool {
	over := l.State == "releasing" || l.State == "gone"
	switch {
	case l.Refused || l.Overdue || l.Foreign != "":
		return true
	case !over || l.Spare:
		return false
	case l.Served:
		return l.Result != "SUCCESS"
	}
	return l.Machine != "" && l.Attempt > 0 && l.Result == "" // a run that ended by itself needed no machine
}

// Need is what a machine must have.
type Need struct {
	CPU    int    `json:"cpu" doc:"cores"`
	Memory int64  `json:"memory" doc:"bytes"`
	Disk   int64  `json:"disk" doc:"bytes"`
	Arch   string `json:"arch"`
}

// Event is one entry of a lease's timeline.
type Event struct {
	At     time.Time `json:"at"`
	State  string    `json:"state"`
	Reason string    `json:"reason"`
	Place  string    `json:"place,omitempty"`
}

// LeaseDetail is a lease with its timeline.
type LeaseDetail struct {
	Lease     Lease   `json:"lease"`
	Timeline  []Event `json:"timeline" nullable:"false" doc:"oldest first"`
	UsualBoot float64 `json:"usual_boot_seconds,omitempty" doc:"boot_seconds of half of the machines of the pool is less; absent while it is not known"`
}

// LeasePage is a page of live leases, oldest first.
type LeasePage struct {
	Leases []Lease `json:"leases" nullable:"false"`
	Total  int     `json:"total" doc:"how many match on all pages"`
	Next   string  `json:"next,omitempty" doc:"cursor of the next page; absent on the last"`
}

// RunPage is a page of what runs there were, one entry for each attempt,
// newest first.
type RunPage struct {
	Runs []Lease `json:"runs" nullable:"false"`
	Next string  `json:"next,omitempty" doc:"cursor of the next page; absent on the last"`
}

// Run is everything that is known of a build's number. A job that was deleted
// and made anew counts from 1 again, so a number may have had several lives.
type Run struct {
	Job    string `json:"job"`
	Number int    `json:"number"`
	Lives  []Life `json:"lives" nullable:"false" doc:"newest first"`
}

// Life is one build of that number with all its attempts.
type Life struct {
	Controller string        `json:"controller"`
	Started    time.Time     `json:"started,omitzero" doc:"the timestamp of the build in Jenkins; absent while no run was seen"`
	Attempts   []LeaseDetail `json:"attempts" nullable:"false" doc:"oldest first"`
}

// HoldRequest asks that a machine be kept for a look after its run: until a
// time, or for so long from now.
type HoldRequest struct {
	Until  time.Time `json:"until,omitzero" doc:"either this or for"`
	For    int64     `json:"for,omitempty" minimum:"1" maximum:"2592000" doc:"seconds from now; either this or until"`
	Reason string    `json:"reason" minLength:"1" maxLength:"500"`
}

// Hold is the answer to a HoldRequest.
type Hold struct {
	Lease   Lease     `json:"lease"`
	Until   time.Time `json:"until" doc:"until when the machine is kept"`
	Bounded bool      `json:"bounded" doc:"that is earlier than was asked for, as the machine powers itself off then"`
	Note    string    `json:"note,omitempty" doc:"what else to know, in plain words"`
}
