package jenkinstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"
)

// A computer is a node, or what is left of one that was deleted under a run.
type computer struct {
	name        string
	description string
	labels      []string // its own name too
	remoteFS    string
	env         map[string]string
	made        time.Time
	zombie      bool // the node is deleted, and its run or its agent holds on to what is left
	offline     bool // set offline by somebody
	reason      string
	connected   bool
	broken      bool // was connected in this session
	run         *run
}

// free says whether a run can start here.
func (c *computer) free() bool { return c.connected && !c.offline && !c.zombie && c.run == nil }

// cause is Jenkins' offlineCauseReason. A node that was never connected has
// none.
func (c *computer) cause() string {
	switch {
	case c.offline:
		return html.EscapeString(c.reason) // Jenkins escapes it, in JSON too
	case !c.connected && c.broken:
		return "Connection was broken"
	}
	return ""
}

// An agent is a process on a machine that has, or had, a node's secret.
type agent struct {
	name     string
	alive    bool
	frozen   bool
	frozenAt time.Time
	remote   *remote // the process, where it is a real one
	patience *timer
	retry    *timer
	dark     *timer // until Jenkins notices that it is frozen
}

// secret is a pure function of the name, as Jenkins' HMAC is.
func secret(name string) string {
	mac := hmac.New(sha256.New, []byte("jenkinstest"))
	mac.Write([]byte(name))
	return hex.EncodeToString(mac.Sum(nil))
}

// createNode makes a node; the text is Jenkins' X-Error.
func (s *Server) createNode(c *computer) (problem string) {
	if problem := badName(c.name); problem != "" {
		return problem
	}
	old := s.computers[c.name]
	if old != nil && !old.zombie {
		return fmt.Sprintf("Agent called  %s  already exists", c.name)
	}
	c.made = s.at
	c.labels = append(c.labels, c.name)
	if i, found := slices.BinarySearch(s.names, c.name); !found {
		s.names = slices.Insert(s.names, i, c.name)
	}
	s.computers[c.name] = c
	s.offer(c)
	if a := s.agents[c.name]; a != nil && a.alive {
		// The agent of the earlier node of that name is let in.
		a.patience.stop()
		a.retry.stop()
		a.retry = s.after(Reconnect, func() { s.online(a) })
	}
	return ""
}

// badName is Jenkins.checkGoodName.
func badName(name string) string {
	switch i := strings.IndexAny(name, `?*/\%!@#$^&|<>[]:;`); {
	case name == "":
		return "Query parameter 'name' is required"
	case i >= 0:
		return fmt.Sprintf(" %c  is an unsafe character", name[i])
	case strings.HasSuffix(name, "."):
		return "A name cannot end with  . "
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "No control characters are allowed"
	}
	return ""
}

// deleteNode deletes a node. Under a run it leaves a zombie; a zombie goes.
func (s *Server) deleteNode(c *computer) {
	if c.zombie {
		s.forget(c)
		return
	}
	s.withdraw(c)
	s.disconnect(c, cutDeleted)
	c.offline = false
	a := s.agents[c.name]
	clings := s.clings && a != nil && a.alive
	if a != nil && !clings {
		s.outcast(a)
	}
	if c.run == nil && !clings {
		s.forget(c)
		return
	}
	c.zombie, c.broken = true, true
}

// forget takes a computer out of the list. Its run, if it has one, goes on
// waiting.
func (s *Server) forget(c *computer) {
	if c.run != nil {
		c.run.computer, c.run = nil, nil
	}
	if s.computers[c.name] != c {
		return // a node of that name was made again
	}
	delete(s.computers, c.name)
	if i, found := slices.BinarySearch(s.names, c.name); found {
		s.names = slices.Delete(s.names, i, i+1)
	}
}

// released is told that a run has left its executor.
func (s *Server) released(c *computer) {
	if c.zombie {
		s.forget(c)
		return
	}
	s.dirty = append(s.dirty, c.labels...)
}

// disconnect is the end of a channel; a run on the node waits for it.
func (s *Server) disconnect(c *computer, why string) {
	c.connected = false
	switch r := c.run; {
	case r == nil:
	case r.cut == "" && s.at.Sub(r.attempts[len(r.attempts)-1].Start) < StepStart:
		s.tooEarly(r, why)
	default:
		s.suspend(r, why, LostWait)
	}
}

// outcast lets an agent try to come back until it gives up.
func (s *Server) outcast(a *agent) {
	a.retry.stop()
	a.dark.stop()
	a.patience.stop()
	if a.alive {
		a.patience = s.after(AgentPatience, func() { s.kill(a) })
	}
}

// kill ends an agent's process.
func (s *Server) kill(a *agent) {
	a.alive = false
	a.retry.stop()
	a.patience.stop()
	a.dark.stop()
	if s.agents[a.name] == a {
		delete(s.agents, a.name)
	}
	if c := s.computers[a.name]; s.clings && c != nil && c.zombie && c.run == nil {
		s.forget(c)
	}
}

// online lets an agent in. A run that waits for it goes on, wherever it
// counts as being.
func (s *Server) online(a *agent) {
	c := s.computers[a.name]
	if c == nil || c.zombie || !a.alive || a.frozen {
		return
	}
	a.patience.stop()
	c.connected, c.broken = true, true
	if c.run != nil {
		s.resume(c.run)
	}
	s.dirty = append(s.dirty, c.labels...)
}

// A refusal is what a controller says to an agent that it does not let in.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.text) }

var (
	errNoNode      = refusal{400, "no such agent"}
	errBadSecret   = refusal{403, "the secret is not the node's"}
	errIsConnected = refusal{400, "already connected to this controller"}
	errDown        = errors.New("the controller is down")
)

// Connect is an agent that connects to its node. From now on it comes back
// after a restart of the controller, until Disconnect or Freeze.
func (s *Server) Connect(node, secret string) error {
	defer s.lock()()
	_, err := s.connect(node, secret)
	return err
}

func (s *Server) connect(node, given string) (*agent, error) {
	c := s.computers[node]
	switch {
	case s.down != 0:
		return nil, errDown
	case c == nil || c.zombie:
		return nil, errNoNode
	case given != secret(node):
		return nil, errBadSecret
	case c.connected:
		return nil, errIsConnected
	}
	if old := s.agents[node]; old != nil {
		s.kill(old)
	}
	a := &agent{name: node, alive: true}
	s.agents[node] = a
	s.online(a)
	return a, nil
}

// Disconnect is the death of an agent's process: its node is offline at once,
// and a run on it waits LostWait for another agent of that node. What the run
// had started on the machine goes on.
func (s *Server) Disconnect(node string) {
	defer s.lock()()
	if a := s.agents[node]; a != nil {
		s.kill(a)
		if c := s.computers[node]; c != nil && !a.frozen {
			s.disconnect(c, cutGone)
		}
	}
}

// Freeze is the silent death of a machine: nothing closes the connection, so
// the node looks alive, and takes runs, until FrozenOffline has passed.
func (s *Server) Freeze(node string) {
	defer s.lock()()
	a, c := s.agents[node], s.computers[node]
	if a == nil || a.frozen {
		return
	}
	a.frozen, a.frozenAt = true, s.at
	a.retry.stop()
	if c == nil || !c.connected {
		s.kill(a)
		return
	}
	if c.run != nil {
		s.suspend(c.run, cutFrozen, FrozenEnd)
	}
	a.dark = s.after(FrozenOffline, func() {
		s.kill(a)
		c.connected = false
	})
}
