package jenkinstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// An agent that is a real process talks HTTP with its controller, below this
// path; it stands for the WebSocket of Jenkins' agent.jar.
const agentPath = "/jenkinstest/agent/"

const (
	// pollFor is the longest time that a request for work is left open. A
	// broken one is the death of the process, as a broken WebSocket is.
	pollFor = 10 * time.Second
	// pollLease is the time in which an agent must ask again.
	pollLease = 2 * time.Second
)

// A remote is an agent's process, seen from the controller.
type remote struct {
	orders []order
	wake   chan struct{} // has a value when orders has
	lease  *timer
}

// An order is what an agent is to do with a run.
type order struct {
	Kill   bool
	Job    string
	Number int
	Script string
	Env    map[string]string
}

func (o order) ref() jenkins.Ref { return jenkins.Ref{Job: o.Job, Number: o.Number} }

// send gives the agent an order.
func (m *remote) send(o order) {
	m.orders = append(m.orders, o)
	m.poke()
}

// poke wakes the request that waits for work. It is called with the server's
// lock, and so must not wait.
func (m *remote) poke() {
	select {
	case m.wake <- struct{}{}:
	default: // it has not seen the last one yet
	}
}

// give lets the agent run a run's script.
func (m *remote) give(r *run) {
	env := map[string]string{"JOB_NAME": r.ref.Job, "BUILD_NUMBER": fmt.Sprint(r.ref.Number), "NODE_NAME": r.home}
	for key, value := range r.computer.env {
		env[key] = value
	}
	m.send(order{Job: r.ref.Job, Number: r.ref.Number, Script: r.job.Script, Env: env})
}

// drop ends a run's script, where it still runs.
func (m *remote) drop(r *run) {
	m.send(order{Kill: true, Job: r.ref.Job, Number: r.ref.Number})
}

// serveAgent serves an agent; false: it is no agent's request.
func (s *Server) serveAgent(w http.ResponseWriter, r *http.Request) bool {
	path, ok := strings.CutPrefix(r.URL.Path, s.prefix+agentPath)
	if !ok {
		return false
	}
	name, given := r.FormValue("name"), r.FormValue("secret")
	number, _ := strconv.Atoi(r.FormValue("number")) // 0 is no run
	var err error
	switch path {
	case "connect":
		err = s.connectRemote(name, given, r.Form["has"])
	case "work":
		err = s.work(w, r, name, given)
	case "done":
		err = s.done(name, given, jenkins.Ref{Job: r.FormValue("job"), Number: number}, r)
	default:
		err = errNoNode
	}
	var refused refusal
	switch {
	case errors.As(err, &refused):
		http.Error(w, refused.Error(), refused.status)
	case err != nil:
		panic(http.ErrAbortHandler)
	}
	return true
}

// connectRemote lets a process in. has is the runs whose scripts it still
// runs, from before it lost the connection; a run that it does not know was
// another process's, and fails.
func (s *Server) connectRemote(name, given string, has []string) error {
	defer s.lock()()
	a, err := s.connect(name, given)
	if err != nil {
		return err
	}
	a.remote = &remote{wake: make(chan struct{}, 1)}
	s.renew(a)
	if r := s.computers[name].run; r != nil && r.done.IsZero() && !slices.Contains(has, r.ref.String()) {
		s.end(r, "FAILURE")
	}
	return nil
}

// renew gives a process time until it must ask again.
func (s *Server) renew(a *agent) {
	a.remote.lease.stop()
	a.remote.lease = s.after(pollLease, func() { s.dead(a) })
}

// dead is the end of a process's connection.
func (s *Server) dead(a *agent) {
	if !a.alive || s.agents[a.name] != a {
		return
	}
	a.remote.lease.stop()
	s.kill(a)
	if c := s.computers[a.name]; c != nil {
		s.disconnect(c, cutGone)
	}
}

// process returns the agent that shows a node's secret and is connected.
func (s *Server) process(name, given string) (*agent, error) {
	a, c := s.agents[name], s.computers[name]
	switch {
	case s.down != 0:
		return nil, errDown
	case given != secret(name):
		return nil, errBadSecret
	case a == nil || a.remote == nil || c == nil || c.zombie:
		return nil, errNoNode
	}
	return a, nil
}

// work answers with the next order, as soon as there is one.
func (s *Server) work(w http.ResponseWriter, r *http.Request, name, given string) error {
	s.mu.Lock()
	s.settle()
	a, err := s.process(name, given)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	a.remote.lease.stop()
	wake := a.remote.wake
	s.mu.Unlock()

	timeout := time.NewTimer(pollFor)
	defer timeout.Stop()
	select {
	case <-wake:
	case <-timeout.C:
	case <-r.Context().Done():
	}
	defer s.lock()()
	if r.Context().Err() != nil {
		s.dead(a)
		return nil
	}
	s.renew(a)
	if len(a.remote.orders) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	next := a.remote.orders[0]
	a.remote.orders = a.remote.orders[1:]
	if len(a.remote.orders) > 0 {
		a.remote.poke()
	}
	return json.NewEncoder(w).Encode(next)
}

// done takes what a script said and how it ended.
func (s *Server) done(name, given string, ref jenkins.Ref, r *http.Request) error {
	log, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err
	}
	defer s.lock()()
	if _, err := s.process(name, given); err != nil {
		return err
	}
	run := s.run(ref)
	if run == nil || !run.building || run.home != name || run.cut != "" {
		return nil // it was stopped
	}
	run.log = append(run.log, log...)
	result := "SUCCESS"
	if r.FormValue("exit") != "0" {
		result = "FAILURE"
	}
	s.end(run, result)
	return nil
}
