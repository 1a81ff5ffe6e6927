package jenkinstest

import (
	"net/http"
	"slices"

	"github.com/batchctl/batchctl/jenkins"
)

// Restart stops the controller in good order and starts it. What waits keeps
// its queue id; a run that was on a node gets a new item, waits for that very
// node, and goes on when its agent is back within LostWait.
func (s *Server) Restart() {
	defer s.lock()()
	slices.Reverse(s.buildable) // the order changes
	s.boot()
}

// Crash is kill -9 and a start. Queue ids start again from 1. A waiting run,
// or job that has not started, for which keep is false is lost: a job's item
// is gone, and a run stays building for ever, without an item, until somebody
// stops it.
func (s *Server) Crash(keep func(jenkins.Ref) bool) {
	defer s.lock()()
	all := slices.Concat(s.waiting, s.blocked, s.buildable)
	for _, it := range all {
		s.dequeue(it)
	}
	s.nextItem, s.items = 0, map[int64]*item{}
	for _, it := range all {
		switch {
		case keep(it.ref()):
			s.queue(it)
		case it.run != nil:
			it.run.item, it.run.lost = nil, true
			it.run.giveUp.stop()
		default:
			it.timer.stop()
		}
	}
	s.boot()
}

// boot is the start of a controller whose queue is loaded.
func (s *Server) boot() {
	s.start()
	s.left, s.leftOrder = map[int64]*leftItem{}, nil
	s.stopped = map[wait]bool{}
	for _, it := range slices.Clone(s.blocked) {
		if it.run != nil {
			s.dequeue(it)
			it.state = isBuildable
			s.enqueue(it)
		}
	}
	for _, name := range slices.Clone(s.names) {
		c := s.computers[name]
		r := c.run
		c.run, c.connected, c.broken = nil, false, false
		if c.zombie {
			s.forget(c)
		}
		if r != nil {
			r.computer = nil
		}
		a := s.agents[name]
		if a == nil {
			continue
		}
		if a.frozen {
			s.kill(a)
			continue
		}
		a.retry.stop()
		a.retry = s.after(Reconnect, func() { s.online(a) })
	}
	for _, r := range s.runs {
		if r.building && r.home != "" && r.item == nil && !r.lost {
			r.giveUp.stop()
			s.suspend(r, cutRestart, LostWait)
			s.ask(r, r.home)
		}
	}
	s.stir()
}

// Down makes the controller unreachable: with status 0 connections break,
// with another (503: starting) every request is answered with it. Its runs
// go on. Up ends it.
func (s *Server) Down(status int) {
	defer s.lock()()
	s.down = status
	if status == 0 {
		s.down = noAnswer
	}
}

// noAnswer is the down of broken connections.
const noAnswer = -1

// Up ends what Down began.
func (s *Server) Up() {
	defer s.lock()()
	s.down = 0
}

// Quiet is Jenkins' "prepare for shutdown", and with false its cancellation:
// nothing new starts, and what waits stays buildable.
func (s *Server) Quiet(down bool) {
	defer s.lock()()
	s.quieting = down
	s.stir()
}

// unavailable answers for a controller that is down.
func (s *Server) unavailable(w http.ResponseWriter) {
	if s.down == noAnswer {
		panic(http.ErrAbortHandler)
	}
	page(w, s.down, "Jenkins is getting ready to work", startingPage)
}
