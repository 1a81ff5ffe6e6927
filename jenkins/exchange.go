package jenkins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// What is read of an answer. 10,000 waiting runs are 3 MB; an error page is
// read for one sentence.
const (
	maxAnswer = 32 << 20
	maxPage   = 64 << 10
)

// An answer is a whole HTTP response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// exchange sends a request and reads its answer, whatever that is. The error
// has no Op yet.
func (c *Client) exchange(req *http.Request) (*answer, *Error) {
	if c.user != "" {
		req.SetBasicAuth(c.user, c.token)
	}
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, c.unreachable(req.Context(), err)
	}
	defer res.Body.Close()
	limit := maxPage
	if res.StatusCode == http.StatusOK {
		limit = maxAnswer
	}
	a := &answer{status: res.StatusCode, header: res.Header}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, int64(limit)+1))
	switch {
	case err != nil && a.status == http.StatusOK:
		e := c.unreachable(req.Context(), err)
		e.Status = a.status
		return nil, e
	case len(a.body) <= limit:
		return a, nil
	case a.status != http.StatusOK:
		a.body = a.body[:limit]
		return a, nil
	}
	return nil, &Error{URL: c.base, user: c.user, Status: a.status, Err: ErrTooLarge, Message: fmt.Sprintf("more than %d MB", limit>>20)}
}

// callerGone is the key of the caller's context in the context of a call.
type callerGone struct{}

// limit gives a call its own deadline, and keeps the caller's context, so
// that it can be told who gave up.
func (c *Client) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithValue(ctx, callerGone{}, ctx), c.timeout)
}

// unreachable is the error of a call without an answer. Where the caller
// itself gave up, that says nothing about Jenkins.
func (c *Client) unreachable(ctx context.Context, err error) *Error {
	e := &Error{URL: c.base, user: c.user}
	if caller, ok := ctx.Value(callerGone{}).(context.Context); ok && caller.Err() != nil {
		e.Err = context.Cause(caller)
		return e
	}
	var inURL *url.Error // its text repeats the URL with its query
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	e.Err = ErrUnavailable
	e.Message = c.scrub(err.Error())
	if errors.Is(err, context.DeadlineExceeded) {
		e.Message = fmt.Sprintf("no answer within %v", c.timeout)
	}
	return e
}

// reads is the transport of the requester: it hands on nothing but complete
// JSON with status 200.
type reads struct{ *Client }

// RoundTrip implements http.RoundTripper; its errors are *Error. An error for
// a status is against that interface's rules: the requester would otherwise
// follow redirects, decode error pages, and leave bodies open.
func (c reads) RoundTrip(req *http.Request) (*http.Response, error) {
	a, e := c.exchange(req)
	if e != nil {
		return nil, e
	}
	if a.status != http.StatusOK {
		return nil, c.errorOf(a)
	}
	if kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); kind != "application/json" {
		return nil, c.garbage(a, fmt.Sprintf("wanted JSON, got %q, a login page or a proxy's? It says: %s", kind, a.message()))
	}
	a.header.Del("X-Error") // the requester reads it as a failure
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Request: req}, nil
}

// get reads JSON from path/api/json?tree=tree. It returns the header of the
// answer.
func (c *Client) get(ctx context.Context, op, path, tree string, into any) (http.Header, error) {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	res, err := c.requester.GetJSON(ctx, path, into, map[string]string{"tree": tree})
	if err == nil {
		return res.Header, nil
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{URL: c.base, user: c.user, Status: http.StatusOK, Err: ErrGarbage, Message: c.scrub(err.Error())}
	}
	e.Op = op
	return nil, e
}

// lacks is the error of JSON without a field that Jenkins always gives: what
// is not there is never taken for empty.
func (c *Client) lacks(op, field string) *Error {
	return &Error{URL: c.base, user: c.user, Op: op, Status: http.StatusOK, Err: ErrGarbage, Message: fmt.Sprintf("the JSON has no %q", field)}
}

// post sends a form. Its success is 204 where to is "", and otherwise the
// redirect to a path that ends with to (not encoded), which is not followed.
// A redirect to anywhere else is that of a login or of a proxy.
func (c *Client) post(ctx context.Context, op, path string, form url.Values, to string) error {
	ctx, cancel := c.limit(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return c.invalid(op, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, e := c.exchange(req)
	if e == nil && !a.done(to) {
		e = c.errorOf(a)
	}
	if e != nil {
		e.Op = op
		return e
	}
	return nil
}

// done says whether an answer is the success of a POST.
func (a *answer) done(to string) bool {
	if to == "" {
		return a.status == http.StatusNoContent
	}
	location, err := url.Parse(a.header.Get("Location"))
	return a.status == http.StatusFound && err == nil && strings.HasSuffix(location.Path, to)
}
