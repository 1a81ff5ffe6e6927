package ec2test

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Fault is what goes wrong with a call.
type Fault struct {
	Delay time.Duration // before anything else; it goes on when the client has gone away

	// After has the call take effect, and its answer go wrong.
	After bool

	Lose   bool    // the connection breaks without an answer
	Status int     // an error of EC2's, with Code; 0: none
	Code   string  //
	HTML   bool    // a page of HTML with status 503, as load balancers send it
	Say    *string // status 200 and this text
	Half   bool    // the first half of the true answer
}

// Fail has f say for each call what goes wrong with it; nil of f, or f nil:
// nothing.
func (s *Server) Fail(f func(Call) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// faulty answers a call, or has it go wrong.
func (s *Server) faulty(req *request, f *Fault) *reply {
	if f == nil {
		return s.answer(req)
	}
	if f.Delay > 0 {
		time.Sleep(f.Delay)
	}
	var answer *reply
	if f.After || !f.Lose && f.Status == 0 && !f.HTML && f.Say == nil {
		answer = s.answer(req)
	}
	switch {
	case f.Lose:
		panic(http.ErrAbortHandler) // net/http's way to break a connection
	case f.Status != 0:
		return errorOf(req.Action, f.Status, f.Code)
	case f.HTML:
		return &reply{http.StatusServiceUnavailable, "text/html", []byte("<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>")}
	case f.Say != nil:
		return &reply{http.StatusOK, "text/xml", []byte(*f.Say)}
	case f.Half:
		return &reply{answer.status, answer.kind, answer.body[:len(answer.body)/2]}
	}
	return answer
}

// errorOf is an error as the action's service writes it.
func errorOf(action string, status int, code string) *reply {
	const message = "this is what the test wants"
	switch {
	case strings.HasPrefix(action, "sts:"):
		return &reply{status, "text/xml", []byte("<ErrorResponse><Error><Type>Sender</Type><Code>" + escape(code) + "</Code><Message>" + message + "</Message></Error></ErrorResponse>")}
	case strings.HasPrefix(action, "ssm:"):
		return &reply{status, "application/x-amz-json-1.1", fmt.Appendf(nil, `{"__type":%q,"message":%q}`, code, message)}
	}
	return errorReply(status, code, message)
}
