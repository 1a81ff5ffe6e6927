// Package ec2test stands between an EC2 client and moto, the EC2 server that
// tests run against, and adds what moto lacks and what makes the real EC2
// hard: client tokens, machines that take time to start and to be shown, want
// of capacity, token buckets, and calls and answers that are lost.
//
// It is a model, and moto is another. What is modelled is from AWS' documents
// where a comment says so; where it says "assumed", no document settles it and
// no real EC2 was asked.
package ec2test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Behaviour says how the cloud behaves. Its zero value is moto's speed, with
// the rules of EC2.
type Behaviour struct {
	Pending time.Duration // how long a machine is pending after its launch
	Hidden  time.Duration // how long it is not shown, and TerminateInstances says that it is not there (documented: "eventual consistency")
	Page    int           // instances on a page at most; 0: as many as the client asks for
	EndsAny bool          // a client token counts as one of a terminated instance when any has ended (assumed); false: when all have
	Buckets bool          // EC2's token buckets
}

// Call is a call that came.
type Call struct {
	Action string     // "RunInstances"; of other services with its name before it, "ssm:GetParameter"
	Region string     // that it was signed for
	Form   url.Values // of EC2's calls
}

// Server is the cloud. It is made by New.
type Server struct {
	moto   string
	client *http.Client

	mu       sync.Mutex
	b        Behaviour
	calls    []Call
	fail     func(Call) *Fault
	room     func(Ask) (int, string)
	refuse   func(Ask) string
	buckets  map[string]*tokenBucket
	tokens   map[string]*token
	machines map[string]*machine
	zones    map[string]string // by region and subnet
	pages    map[string][]entry
	reserved []Reservation
	Now      func() time.Time // the cloud's clock; set before use
}

// New returns a cloud over the moto server with that URL.
func New(moto string) *Server {
	s := &Server{moto: strings.TrimSuffix(moto, "/"), client: &http.Client{Timeout: 5 * time.Minute}, Now: time.Now}
	s.forgetAll()
	return s
}

func (s *Server) forgetAll() {
	s.buckets, s.tokens, s.machines = map[string]*tokenBucket{}, map[string]*token{}, map[string]*machine{}
	s.zones, s.pages, s.calls = map[string]string{}, map[string][]entry{}, nil
}

// Reset empties the cloud, in all regions.
func (s *Server) Reset() error {
	res, err := s.client.Post(s.moto+"/moto-api/reset", "", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("moto does not reset: %s", res.Status)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetAll()
	return nil
}

// Behave sets how the cloud behaves from now on.
func (s *Server) Behave(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b = b
}

// Calls returns the calls that came, also those that were lost.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// reply is an answer.
type reply struct {
	status int
	kind   string // Content-Type
	body   []byte
}

// request is a call on its way.
type request struct {
	Call
	http *http.Request
	body []byte
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return // the client went away
	}
	req := &request{Call: callOf(r, body), http: r, body: body}
	s.mu.Lock()
	s.calls = append(s.calls, req.Call)
	fail := s.fail
	s.mu.Unlock()
	var fault *Fault
	if fail != nil {
		fault = fail(req.Call)
	}
	answer := s.throttle(req)
	if answer == nil {
		answer = s.faulty(req, fault)
	}
	w.Header().Set("Content-Type", answer.kind)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // a client that has gone away is its own concern
}

// callOf reads what a call asks for: EC2's is a form, SSM's has its name in a
// header.
func callOf(r *http.Request, body []byte) Call {
	c := Call{}
	service := "ec2"
	// Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
	if _, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		if words := strings.Split(scope, "/"); len(words) > 3 {
			c.Region, service = words[2], words[3]
		}
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, action, _ := strings.Cut(target, ".")
		c.Action = service + ":" + action
		return c
	}
	c.Form, _ = url.ParseQuery(string(body)) // what is no form has no action
	c.Action = c.Form.Get("Action")
	if service != "ec2" {
		c.Action = service + ":" + c.Action
	}
	return c
}

// answer does what a call asks for.
func (s *Server) answer(req *request) *reply {
	switch req.Action {
	case "RunInstances":
		return s.run(req)
	case "DescribeInstances":
		return s.describe(req)
	case "TerminateInstances":
		return s.terminate(req)
	case "DescribeCapacityReservations":
		return s.reservations(req)
	}
	return s.forward(req, nil)
}

// forward has moto answer a call; form takes the place of what the call says.
func (s *Server) forward(req *request, form url.Values) *reply {
	body := req.body
	if form != nil {
		body = []byte(form.Encode())
	}
	// The call goes on when its client has gone away, as it would in EC2.
	out, err := http.NewRequest(req.http.Method, s.moto+req.http.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return internalError(err.Error())
	}
	out.Header = req.http.Header.Clone()
	res, err := s.client.Do(out)
	if err != nil {
		return internalError(err.Error())
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return internalError(err.Error())
	}
	return &reply{res.StatusCode, res.Header.Get("Content-Type"), text}
}

// errorReply is an error as EC2 writes it.
func errorReply(status int, code, message string) *reply {
	return &reply{status, "text/xml;charset=UTF-8", fmt.Appendf(nil,
		`<?xml version="1.0" encoding="UTF-8"?>`+"\n<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>ec2test</RequestID></Response>",
		escape(code), escape(message))}
}

func internalError(message string) *reply {
	return errorReply(http.StatusInternalServerError, "InternalError", message)
}
