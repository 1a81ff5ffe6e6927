package jenkinstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"syscall"

	"github.com/batchctl/batchctl/jenkins"
)

// A Fault is what goes wrong with a request.
type Fault int

// The faults.
const (
	NoFault     Fault = iota
	DropRequest       // the connection breaks before the request has any effect
	DropReply         // the request has its effect, and the connection breaks before the answer
	Error500          // an error page, without effect
	Error503          // the page of a Jenkins that starts, without effect
	LoginPage         // status 200 with HTML, without effect
	Garbage           // status 200 with half a JSON document, without effect
	Slow              // no answer within the caller's time, without effect; in process the call ends at once, as if the time had passed
)

// Fail makes requests fail from now on as f says for each; path is decoded,
// with the prefix. nil ends it. It is called without a lock, in the order of
// the requests.
func (s *Server) Fail(f func(method, path string) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *Server) faultOf(r *http.Request) Fault {
	s.mu.Lock()
	f := s.fault
	s.mu.Unlock()
	if f == nil {
		return NoFault
	}
	return f(r.Method, r.URL.Path)
}

// strike lets a fault happen. It returns a writer to nowhere where the
// request must still have its effect.
func (s *Server) strike(fault Fault, w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	switch fault {
	case DropReply:
		return newRecorder()
	case Error500:
		page(w, http.StatusInternalServerError, "Oops!", errorPage)
	case Error503:
		page(w, http.StatusServiceUnavailable, "Jenkins is getting ready to work", startingPage)
	case LoginPage:
		page(w, http.StatusOK, "Sign in - Jenkins", errorPage)
	case Garbage:
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.Header().Set("X-Jenkins-Session", s.Session())
		io.WriteString(w, `{"_class":"hudson.model.Queue","items":[{"_class":"hud`)
	case Slow:
		if _, inProcess := w.(*recorder); inProcess {
			panic(errSlow)
		}
		io.Copy(io.Discard, r.Body) // net/http notices only behind the body that the caller goes
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	default:
		panic(http.ErrAbortHandler)
	}
	return nil
}

// errSlow is the end of a call that would have taken too long.
var errSlow = fmt.Errorf("no answer: %w", context.DeadlineExceeded)

// Config returns how a user reaches the server, in process.
func (s *Server) Config(user string) jenkins.Config {
	c := jenkins.Config{URL: "http://jenkins.test" + s.prefix, User: user, Transport: s.Transport()}
	if user != "" {
		c.Token = Token(user)
	}
	return c
}

// Client returns a client of a user, in process; "" is anonymous.
func (s *Server) Client(user string) *jenkins.Client {
	c, err := jenkins.New(s.Config(user))
	if err != nil {
		panic(err) // of our own configuration
	}
	return c
}

// Transport returns a transport that calls the server without a socket.
func (s *Server) Transport() http.RoundTripper { return inProcess{s} }

type inProcess struct{ *Server }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(req *http.Request) (res *http.Response, err error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		switch broken := recover(); broken {
		case nil:
		case http.ErrAbortHandler:
			res, err = nil, fmt.Errorf("jenkins.test: %w", syscall.ECONNRESET)
		case errSlow:
			res, err = nil, errSlow
		default:
			panic(broken)
		}
	}()
	r := req.Clone(req.Context())
	r.Host = req.URL.Host
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := newRecorder()
	p.ServeHTTP(w, r)
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: req,
	}, nil
}

// A recorder is a response in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (w *recorder) Header() http.Header { return w.header }
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
