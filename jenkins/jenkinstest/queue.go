package jenkinstest

import (
	"slices"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// The states of an item: Jenkins' WaitingItem, BlockedItem and BuildableItem.
type itemState int

const (
	inQuietPeriod itemState = iota
	isBlocked
	isBuildable
)

// An item waits in the queue: a job for its start (run is nil), or a run for
// its node.
type item struct {
	id         int64
	since      time.Time
	job        *job
	run        *run
	label      string // what it waits for; "" for a Pipeline job, which needs no node to start
	parameters string
	state      itemState
	due        time.Time // end of the quiet period
	timer      *timer
}

// A leftItem has left the queue.
type leftItem struct {
	id        int64
	job       *job
	cancelled bool
	run       *run // that it became
	until     time.Time
}

// A demand is who waits for a label, oldest first, and who has it.
type demand struct {
	items     []*item
	computers []*computer
}

func (s *Server) demand(label string) *demand {
	d := s.byLabel[label]
	if d == nil {
		d = &demand{}
		s.byLabel[label] = d
	}
	return d
}

// tidy forgets a label that nobody has or wants.
func (s *Server) tidy(label string) {
	if d := s.byLabel[label]; d != nil && len(d.items) == 0 && len(d.computers) == 0 {
		delete(s.byLabel, label)
	}
}

// queue puts an item into the queue.
func (s *Server) queue(it *item) *item {
	s.nextItem++
	it.id, it.since = s.nextItem, s.at
	s.items[it.id] = it
	s.enqueue(it)
	return it
}

// enqueue puts an item that has an id into the list of its state.
func (s *Server) enqueue(it *item) {
	if it.run == nil {
		it.job.inQueue++
	}
	switch it.state {
	case inQuietPeriod:
		i, _ := slices.BinarySearchFunc(s.waiting, it, func(a, b *item) int {
			if c := a.due.Compare(b.due); c != 0 {
				return c
			}
			return -1
		})
		s.waiting = slices.Insert(s.waiting, i, it)
	case isBlocked:
		s.blocked = append(s.blocked, it)
	case isBuildable:
		s.buildable = append(s.buildable, it)
		s.demand(it.label).items = append(s.demand(it.label).items, it)
		s.dirty = append(s.dirty, it.label)
	}
}

// dequeue takes an item out of the list of its state.
func (s *Server) dequeue(it *item) {
	if it.run == nil {
		it.job.inQueue--
	}
	drop := func(list *[]*item) {
		if i := slices.Index(*list, it); i >= 0 {
			*list = slices.Delete(*list, i, i+1)
		}
	}
	switch it.state {
	case inQuietPeriod:
		drop(&s.waiting)
	case isBlocked:
		drop(&s.blocked)
	case isBuildable:
		drop(&s.buildable)
		drop(&s.demand(it.label).items)
		s.tidy(it.label)
	}
}

// promote ends an item's quiet period, or its being blocked.
func (s *Server) promote(it *item) {
	s.dequeue(it)
	it.state = isBuildable
	if it.job.ForbidConcurrent && it.job.active > 0 {
		it.state = isBlocked
	}
	if it.job.freestyle {
		it.label = it.job.label(it.job.next)
	}
	s.enqueue(it)
}

// leave takes an item out of the queue for good.
func (s *Server) leave(it *item, cancelled bool) {
	s.dequeue(it)
	it.timer.stop()
	delete(s.items, it.id)
	l := &leftItem{id: it.id, job: it.job, cancelled: cancelled, run: it.run, until: s.at.Add(LeftFor)}
	s.left[it.id] = l
	s.leftOrder = append(s.leftOrder, l)
}

// dropLeft forgets items that left long ago.
func (s *Server) dropLeft() {
	for len(s.leftOrder) > 0 && !s.leftOrder[0].until.After(s.at) {
		if l := s.leftOrder[0]; s.left[l.id] == l {
			delete(s.left, l.id)
		}
		s.leftOrder[0] = nil
		s.leftOrder = s.leftOrder[1:]
	}
}

// maintain gives executors to what waits for them, as Queue.maintain does.
func (s *Server) maintain() {
	for len(s.dirty) > 0 {
		label := s.dirty[0]
		s.dirty = s.dirty[1:]
		d := s.byLabel[label]
		if d == nil || s.quieting {
			continue
		}
		for _, it := range slices.Clone(d.items) {
			if it.label == "" {
				s.startRun(it)
				continue
			}
			i := slices.IndexFunc(d.computers, (*computer).free)
			if i < 0 {
				break
			}
			s.occupy(d.computers[i], it)
		}
	}
}

// stir makes maintain look at everything anew.
func (s *Server) stir() {
	for _, it := range s.buildable {
		s.dirty = append(s.dirty, it.label)
	}
}

// Cancel takes an item out of the queue, as cancelItem does; false: it is not
// in the queue.
func (s *Server) Cancel(id int64) bool {
	defer s.lock()()
	it := s.items[id]
	if it == nil {
		return false
	}
	s.cancel(it)
	return true
}

// cancel takes an item out of the queue. A run that waited ends, but in a
// retry step it asks again.
func (s *Server) cancel(it *item) {
	if it.run == nil {
		s.leave(it, true)
		return
	}
	s.unqueue(it.run)
	s.tryAgain(it.run, "ABORTED")
}

// ref is what the item is about.
func (it *item) ref() jenkins.Ref {
	if it.run != nil {
		return it.run.ref
	}
	return jenkins.Ref{Job: it.job.name}
}
