//go:build linux

package bootstrap_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
)

// site is a provisioner and a controller behind one address.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []nodes.Call
	desk   func(nodes.Call) (nodes.Handover, error)
	before func(w http.ResponseWriter, r *http.Request, nth int) bool // true: it has answered
	jar    func(nth int) string
	nth    int
	jars   int
	log    buffer
}

func newSite(t *testing.T) *site {
	s := &site{}
	s.desk = func(nodes.Call) (nodes.Handover, error) {
		h := given
		h.URL = s.URL + "/jenkins"
		return h, nil
	}
	mux := http.NewServeMux()
	calls := bootstrap.Handler(s, slog.New(slog.NewTextHandler(&s.log, nil)), bootstrap.Options{Hold: 50 * time.Millisecond, Strangers: 1000, StrangersAt: 1000})
	mux.HandleFunc(bootstrap.Path, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.nth++
		nth, before := s.nth, s.before
		s.mu.Unlock()
		if before == nil || !before(w, r, nth) {
			calls.ServeHTTP(w, r)
		}
	})
	mux.HandleFunc("/jenkins/jnlpJars/agent.jar", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.jars++
		jar := "PK\x03\x04"
		if s.jar != nil {
			jar = s.jar(s.jars)
		}
		_, _ = io.WriteString(w, jar)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// CallIn implements bootstrap.Desk.
func (s *site) CallIn(_ context.Context, c nodes.Call) (nodes.Handover, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	return s.desk(c)
}

// set changes the site while machines may be calling.
func (s *site) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// fetched returns how often the controller's agent was fetched.
func (s *site) fetched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jars
}

// asked returns how often a machine has called, whoever answered.
func (s *site) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nth
}

func (s *site) called() []nodes.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]nodes.Call(nil), s.calls...)
}
