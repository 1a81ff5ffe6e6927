package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/batchctl/batchctl/nodes"
)

// refusals says what an answer means, by its status and a part of its text in
// lower case; the first that fits counts. Nova and Keystone tell a kind of
// trouble by the text alone, Neutron by a type that stands before the text.
// What is not here has no class.
var refusals = []struct {
	status int
	text   string
	class  nodes.Class
}{
	{http.StatusUnauthorized, "", nodes.Configuration}, // a new login was tried by then
	{http.StatusForbidden, "quota exceeded", nodes.Quota},
	{http.StatusForbidden, "maximum number of ports exceeded", nodes.Quota},
	{http.StatusForbidden, "", nodes.Configuration}, // the role may not
	{http.StatusBadRequest, "no fixed ip addresses", nodes.NoCapacity},
	{http.StatusBadRequest, "no more ip addresses", nodes.NoCapacity},
	{http.StatusBadRequest, "", nodes.Configuration},
	{http.StatusNotFound, "", nodes.Configuration},
	{http.StatusNotAcceptable, "", nodes.Configuration}, // a Nova older than the microversion
	{http.StatusConflict, "overquota", nodes.Quota},
	{http.StatusConflict, "ipaddressgenerationfailure", nodes.NoCapacity},
	{http.StatusConflict, "externalipaddressexhausted", nodes.NoCapacity},
	{http.StatusRequestEntityTooLarge, "quota", nodes.Quota},
	{http.StatusRequestEntityTooLarge, "", nodes.Throttled},
	{http.StatusTooManyRequests, "", nodes.Throttled},
}

// answerError is an answer that was not the one that was hoped for.
type answerError struct {
	method, path string
	status       int
	kind         string // what Neutron calls it
	message      string // what the service says; empty: its answer was not one of an OpenStack service
}

func (e *answerError) Error() string {
	what := e.message
	if what == "" {
		what = http.StatusText(e.status) + ", without a word of the service"
	}
	return fmt.Sprintf("%s %s: %d %s", e.method, e.path, e.status, what)
}

// classify gives an error of a call its class, and words for people.
func classify(err error) error {
	var unexpected gophercloud.ErrUnexpectedResponseCode
	var reauth *gophercloud.ErrUnableToReauthenticate
	var known *nodes.CloudError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known // the gate's, without the call's URL
	case errors.As(err, &reauth):
		return fmt.Errorf("the token is not valid any more, and a new one cannot be had: %w", classify(reauth.ErrReauth))
	case errors.As(err, &unexpected):
		return answered(unexpected)
	case errors.As(err, new(*gophercloud.ErrEndpointNotFound)):
		return &nodes.CloudError{Class: nodes.Configuration, Err: err}
	}
	return err
}

func answered(answer gophercloud.ErrUnexpectedResponseCode) error {
	e := &answerError{method: answer.Method, path: pathOf(answer.URL), status: answer.Actual}
	e.kind, e.message = said(answer.Body)
	if e.status == http.StatusServiceUnavailable && answer.ResponseHeader.Get("Retry-After") != "" {
		return &nodes.CloudError{Class: nodes.Throttled, Err: e}
	}
	// What a proxy answers in the service's stead says nothing, except that
	// it was asked too often; but a refused token Glance does not explain.
	switch e.status {
	case http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
	default:
		if e.message == "" {
			return e
		}
	}
	text := strings.ToLower(e.kind + " " + e.message)
	for _, r := range refusals {
		if r.status == e.status && strings.Contains(text, r.text) {
			return &nodes.CloudError{Class: r.class, Err: e}
		}
	}
	return e
}

// said returns what a service says in the body of an error. All have an
// object in an object: {"forbidden": {"code": 403, "message": "…"}} of Nova,
// {"NeutronError": {"type": "…", "message": "…"}}, {"error": …} of Keystone.
func said(body []byte) (kind, message string) {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(body, &envelope) != nil {
		return "", ""
	}
	for _, inner := range envelope {
		var e struct{ Type, Message string }
		if json.Unmarshal(inner, &e) == nil && e.Message != "" {
			return e.Type, oneLine(e.Message)
		}
	}
	return "", ""
}

// oneLine makes a message fit for a log and a lease's reason.
func oneLine(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// pathOf returns the path of a URL, without its query.
func pathOf(url string) string {
	if _, after, ok := strings.Cut(url, "://"); ok {
		_, url, _ = strings.Cut(after, "/")
		url = "/" + url
	}
	path, _, _ := strings.Cut(url, "?")
	return path
}

// statusOf returns the status of an answer that was an error; 0: none came.
func statusOf(err error) int {
	if e, ok := errors.AsType[*answerError](err); ok {
		return e.status
	}
	return 0
}

// refused reports whether it is certain that a request had no effect: the
// service said no, or the request never left.
func refused(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, closed := errors.AsType[*closedError](err); closed {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	status := statusOf(err)
	e, _ := errors.AsType[*answerError](err)
	return status >= 400 && status < 500 && (e.message != "" || nodes.ClassOf(err) == nodes.Throttled)
}

// open takes the class of an error away, except for Throttled: it came before
// the create, and whether an earlier try of the order took effect is not known.
func open(err error) error {
	switch nodes.ClassOf(err) {
	case nodes.Unsure, nodes.Throttled:
		return err
	}
	return &nodes.CloudError{Class: nodes.Unsure, Err: err}
}

// faults says what the reason of a server in ERROR means, by a part of its
// text in lower case. Only what says that there was no room has a class: a
// build that a host gave up may work elsewhere, and says nothing of the place.
var faultTexts = []struct {
	text  string
	class nodes.Class
}{
	{"no valid host", nodes.NoCapacity},
	{"no fixed ip addresses", nodes.NoCapacity},
	{"no more ip addresses", nodes.NoCapacity},
	{"insufficient compute resources", nodes.NoCapacity},
	{"quota exceeded", nodes.Quota},
	{"exceeds allowed gigabytes quota", nodes.Quota},
}

// faultOf returns the error of a server that Nova gave up.
func faultOf(message, scope string) error {
	if message == "" {
		return errors.New("the cloud gave the server up, and does not say why")
	}
	err := fmt.Errorf("the cloud gave the server up: %s", oneLine(message))
	text := strings.ToLower(message)
	for _, f := range faultTexts {
		if strings.Contains(text, f.text) {
			if f.class == nodes.Quota {
				scope = projectScope
			}
			return &nodes.CloudError{Class: f.class, Scope: scope, Err: err}
		}
	}
	return err
}

// explain gives the refusal of a create its scope, and a quota its numbers.
func explain(ctx context.Context, s *session, sp spec, err error) error {
	e, ok := errors.AsType[*nodes.CloudError](err)
	if !ok {
		return err
	}
	switch e.Class {
	case nodes.Quota:
		return &nodes.CloudError{Class: e.Class, Scope: projectScope, Err: fmt.Errorf("%s%w", s.fullQuota(ctx), e.Err)}
	case nodes.NoCapacity, nodes.Configuration:
		return &nodes.CloudError{Class: e.Class, Scope: sp.scope(), Err: e.Err}
	}
	return err
}
