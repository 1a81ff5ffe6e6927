package nodetest

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// event is something that happens at its time without a call.
type event struct {
	at   time.Time
	seq  int // keeps events of one instant in the order in which they were made
	kind eventKind

	machine *machine     // of all kinds but arrival
	order   *nodes.Order // of arrival
	owner   string       // of arrival
}

type eventKind int

const (
	runs    eventKind = iota // VMStarting → VMRunning
	boots                    // the user data runs
	dies                     // → VMEnding
	goes                     // → gone
	arrival                  // a delayed order takes effect
)

// stale reports whether the event is about a machine that is gone.
func (e event) stale() bool { return e.machine != nil && !e.machine.Gone.IsZero() }

// at makes something happen later.
func (c *Cloud) at(t time.Time, e event) {
	c.seq++
	e.at, e.seq = t, c.seq
	heap.Push(&c.events, e)
}

// settle lets happen what is due. Each event happens at its own time, however
// late that is noticed.
func (c *Cloud) settle() {
	now := c.now()
	for len(c.events) > 0 && (c.events[0].stale() || !c.events[0].at.After(now)) {
		e := heap.Pop(&c.events).(event)
		if e.stale() {
			continue
		}
		switch e.kind {
		case runs:
			if e.machine.State == nodes.VMStarting && e.machine.refused {
				e.machine.lingers = true
				e.machine.Err = classed(nodes.NoCapacity, e.machine.Request.Offer.Scopes, "no host has room for it")
				c.end(e.machine, e.at)
			} else if e.machine.State == nodes.VMStarting {
				e.machine.State = nodes.VMRunning
			}
		case boots:
			c.boot(e.machine, e.at)
		case dies:
			c.end(e.machine, e.at)
		case goes:
			c.gone(e.machine, e.at)
		case arrival:
			// Nobody is there to hear the answer.
			_, _ = c.accept(e.owner, *e.order, e.at)
		}
	}
}

// boot runs the user data of a machine, which ends it when it expires.
func (c *Cloud) boot(m *machine, at time.Time) {
	if m.State != nodes.VMRunning || m.mute {
		return
	}
	m.Booted = at
	c.booted = append(c.booted, m.ID)
	if !m.Request.Expires.IsZero() {
		c.at(later(m.Request.Expires, at), event{kind: dies, machine: m})
	}
}

// end stops a machine by whatever cause but Destroy.
func (c *Cloud) end(m *machine, at time.Time) {
	if m.State == nodes.VMEnding {
		return
	}
	m.State, m.Ended = nodes.VMEnding, at
	if !m.lingers {
		c.at(at.Add(c.cfg.Ending.draw(c.rng)), event{kind: goes, machine: m})
	}
}

// destroy stops a machine for Destroy; one that lingers goes then.
func (c *Cloud) destroy(m *machine, at time.Time) {
	if m.Destroyed.IsZero() {
		m.Destroyed = at
	}
	if m.State == nodes.VMEnding && m.lingers {
		m.lingers = false
		c.at(at.Add(c.cfg.Ending.draw(c.rng)), event{kind: goes, machine: m})
		return
	}
	m.lingers = false
	c.end(m, at)
}

func (c *Cloud) gone(m *machine, at time.Time) {
	m.Gone = at
	c.used[spot(m.Request)]--
	c.count--
}

// sweep forgets the gone ones among the live.
func (c *Cloud) sweep() {
	if len(c.live) > c.count {
		c.live = slices.DeleteFunc(c.live, func(m *machine) bool { return !m.Gone.IsZero() })
	}
}

// make adds one machine, with all that its future has ready for it.
func (c *Cloud) make(owner string, o nodes.Order, at time.Time) *machine {
	n := len(c.machines) + 1
	m := &machine{
		Machine: Machine{
			VM: nodes.VM{
				ID: fmt.Sprintf("i-%08x", n), Order: o.ID, State: nodes.VMStarting, Created: at,
				Address: fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255),
				Detail:  fmt.Sprintf("simulated, %s", spot(o)),
			},
			Owner: owner, Request: o,
		},
		visible: at.Add(c.cfg.Late.draw(c.rng)),
		mute:    c.chance(c.cfg.Mute),
		lingers: c.chance(c.cfg.Lingers),
		refused: c.chance(c.cfg.Refuses),
	}
	c.machines, c.live = append(c.machines, m), append(c.live, m)
	c.byID[m.ID] = m
	c.used[spot(o)]++
	c.count++

	runsAt := at.Add(c.cfg.Start.draw(c.rng))
	c.at(runsAt, event{kind: runs, machine: m})
	c.at(runsAt.Add(c.cfg.Boot.draw(c.rng)), event{kind: boots, machine: m})
	if c.cfg.Lifetime > 0 {
		life := time.Duration(min(c.rng.ExpFloat64()*float64(c.cfg.Lifetime), math.MaxInt64/4))
		c.at(at.Add(life), event{kind: dies, machine: m})
	}
	return m
}

func (c *Cloud) chance(p float64) bool { return p > 0 && c.rng.Float64() < p }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// events is a heap, earliest first.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].seq < e[j].seq
	}
	return e[i].at.Before(e[j].at)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}
