package jenkinstest

import (
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// A run is one build of a job.
type run struct {
	ref      jenkins.Ref
	job      *job
	building bool
	lost     bool // by a crash: building for ever
	result   string
	started  time.Time
	ended    time.Time
	text     string // description
	pipeline string // what it runs
	log      []byte // what its script said
	attempts []Attempt
	tries    int // of the retry step that have ended

	item     *item     // it waits for its node
	computer *computer // it has an executor, also of a node that was lost
	home     string    // name of the node that the attempt's work is on; "" = not on a node
	cut      string    // why that node was lost under the attempt; "": it was not, or it is back
	done     time.Time // when the attempt's work is done; zero: when the agent says so
	work     *timer    // for done
	giveUp   *timer    // until the node must be back
	stopping bool
}

// startRun starts a Pipeline job: now it has a number, and asks for its node.
func (s *Server) startRun(it *item) {
	if it.job.ForbidConcurrent && it.job.active > 0 {
		s.promote(it) // another item of the job was faster
		return
	}
	r := s.newRun(it)
	s.ask(r, r.job.label(r.ref.Number))
}

// newRun makes a run of a job's item.
func (s *Server) newRun(it *item) *run {
	j := it.job
	r := &run{ref: jenkins.Ref{Job: j.name, Number: j.next}, job: j, building: true, started: s.at, pipeline: j.Pipeline}
	s.leave(it, false)
	s.left[it.id].run = r
	j.runs[j.next] = r
	j.numbers = append(j.numbers, j.next)
	j.next++
	j.active++
	s.active++
	s.runs = append(s.runs, r)
	return r
}

// ask puts a run into the queue for a node.
func (s *Server) ask(r *run, label string) {
	state := isBuildable
	if s.stopped[r.wait()] {
		state = isBlocked
	}
	r.item = s.queue(&item{job: r.job, run: r, label: label, state: state})
}

// A wait is one node step of a run, as Jenkins tells them apart: not by the
// life of the job. A run that was stopped in the queue leaves its mark in
// Jenkins' memory (RunningTasks, of the durable-task-step plugin). When the
// job is made again, the run of the same number is then blocked ("Stopping
// part of …") until it is cancelled or the controller is restarted.
type wait struct {
	ref   jenkins.Ref
	tries int
}

func (r *run) wait() wait { return wait{r.ref, r.tries} }

// occupy gives an item its executor: a freestyle job starts, a run begins an
// attempt, or goes on with the one that a restart interrupted.
func (s *Server) occupy(c *computer, it *item) {
	r := it.run
	if r == nil {
		r = s.newRun(it)
	} else {
		s.leave(it, false)
	}
	r.item, r.computer, c.run = nil, c, r
	if r.home == "" {
		s.begin(r, c)
		return
	}
	s.resume(r)
}

// begin begins an attempt.
func (s *Server) begin(r *run, c *computer) {
	r.home, r.cut = c.name, ""
	r.attempts = append(r.attempts, Attempt{Node: c.name, Start: s.at})
	a := s.agents[c.name]
	switch {
	case r.job.Script != "" && a.remote != nil:
		r.done = time.Time{}
		a.remote.give(r)
	default:
		r.done = s.at.Add(r.job.duration(r.ref.Number, len(r.attempts)))
	}
	if a.frozen {
		// The channel looks alive, and nothing comes of it.
		r.cut = cutFrozen
		r.giveUp = s.when(a.frozenAt.Add(FrozenEnd), func() { s.lose(r) })
		return
	}
	s.resume(r)
}

// resume lets the attempt's work go on under Jenkins' eyes.
func (s *Server) resume(r *run) {
	r.cut = ""
	r.giveUp.stop()
	r.work.stop()
	if !r.done.IsZero() {
		r.work = s.when(r.done, func() { s.end(r, r.job.result(r.ref.Number, len(r.attempts))) })
	}
}

// Why a node was lost, as Attempt.Cause has it.
const (
	cutDeleted = "its node was deleted"
	cutGone    = "its agent was gone"
	cutFrozen  = "its machine was frozen"
	cutRestart = "its agent was not back after a restart"
)

// suspend is the loss of the node: the run waits for it.
func (s *Server) suspend(r *run, why string, patience time.Duration) {
	r.work.stop()
	r.cut = why
	if t := r.giveUp; t != nil && t.do != nil && t.at.Before(s.at.Add(patience)) {
		return
	}
	r.giveUp.stop()
	r.giveUp = s.after(patience, func() { s.lose(r) })
}

// tooEarly is the loss of a node while the run's script was being started on
// it: a failure like another, which a retry step catches.
func (s *Server) tooEarly(r *run, why string) {
	r.work.stop()
	r.giveUp.stop()
	r.cut = why
	r.giveUp = s.after(0, func() { s.tryAgain(r, "FAILURE") })
}

// lose ends an attempt whose node did not come back. What follows is the
// run's end, or the same label once more.
func (s *Server) lose(r *run) {
	s.unqueue(r)
	s.tryAgain(r, "ABORTED")
}

// tryAgain ends a try of the retry step: an attempt whose node was lost, or a
// wait for a node that was cancelled. Either counts.
func (s *Server) tryAgain(r *run, result string) {
	r.tries++
	if r.stopping || r.tries >= r.job.Retries {
		s.end(r, result)
		return
	}
	s.endAttempt(r, result)
	s.after(AskAgain, func() {
		if r.building {
			s.ask(r, r.job.label(r.ref.Number))
		}
	})
}

// unqueue takes a run out of the queue.
func (s *Server) unqueue(r *run) {
	if r.item != nil {
		s.leave(r.item, true)
		r.item = nil
	}
}

// endAttempt ends the attempt that a run is in, if it is in one, and gives
// back the executor.
func (s *Server) endAttempt(r *run, result string) {
	r.work.stop()
	r.giveUp.stop()
	if r.home != "" {
		last := &r.attempts[len(r.attempts)-1]
		last.End, last.Result, last.CutOff, last.Cause = s.at, result, r.cut != "", r.cut
		if a := s.agents[r.home]; a != nil && a.remote != nil {
			a.remote.drop(r)
		}
	}
	r.home, r.cut = "", ""
	if c := r.computer; c != nil {
		r.computer, c.run = nil, nil
		s.released(c)
	}
}

// end ends a run.
func (s *Server) end(r *run, result string) {
	if !r.building {
		return
	}
	s.unqueue(r)
	s.endAttempt(r, result)
	r.building, r.lost, r.result, r.ended = false, false, result, s.at
	r.job.active--
	s.active--
	for _, it := range append([]*item(nil), s.blocked...) {
		if it.job == r.job && it.run == nil && r.job.active == 0 {
			s.promote(it)
		}
	}
}

// Abort stops a run, as a person does who presses its stop button. It ends
// StopDelay later.
func (s *Server) Abort(ref jenkins.Ref) {
	defer s.lock()()
	if r := s.run(ref); r != nil {
		s.abort(r)
	}
}

func (s *Server) abort(r *run) {
	if !r.building || r.stopping {
		return
	}
	r.stopping = true
	if r.item != nil {
		s.stopped[r.wait()] = true
	}
	delay := StopDelay
	if a := s.agents[r.home]; a != nil && a.frozen && s.computers[r.home].connected {
		delay = StopFrozen // it waits for an answer of the machine
	}
	s.after(delay, func() { s.end(r, "ABORTED") })
}
