package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Error is an answer of the provisioner that says no.
type Error struct {
	URL    string // of the provisioner
	Status int    // the HTTP status
	Detail string // why, in plain words
}

func (e *Error) Error() string {
	switch e.Status {
	case http.StatusUnauthorized:
		return fmt.Sprintf("%s does not know the token; look at %s and %s, or ask who runs the provisioner for another", e.URL, EnvToken, EnvTokenFile)
	case http.StatusNotFound, http.StatusConflict:
		return e.Detail
	}
	return e.URL + ": " + e.Detail
}

// problem is RFC 9457's JSON, as far as it is shown.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// refused makes an Error of an answer.
func (c *Client) refused(resp *http.Response, text []byte) error {
	e := &Error{URL: c.URL(), Status: resp.StatusCode}
	if resp.StatusCode/100 == 3 {
		return fmt.Errorf("%s sends everybody on to %s; set %s to where it is", e.URL, short(resp.Header.Get("Location")), EnvURL)
	}
	var p problem
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(text, &p) != nil {
		return fmt.Errorf("%s answers %s, and not as a provisioner does; is %s right?", e.URL, short(resp.Status), EnvURL)
	}
	if e.Detail = p.Detail; e.Detail == "" {
		e.Detail = p.Title
	}
	e.Detail = short(e.Detail)
	return e
}

// unreachable says why there was no answer.
func (c *Client) unreachable(err error) error {
	var dns *net.DNSError
	var timedOut interface{ Timeout() bool }
	var wrapped *url.Error
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody answers at %s: connection refused; is the provisioner running there (%s)?", c.URL(), EnvURL)
	case errors.As(err, &dns):
		return fmt.Errorf("%s: the name %s is not known; look at %s", c.URL(), dns.Name, EnvURL)
	case errors.As(err, &timedOut) && timedOut.Timeout():
		return fmt.Errorf("%s took too long to answer; try again", c.URL())
	case errors.As(err, &wrapped):
		err = wrapped.Err // without the URL, which stands there already
	}
	return fmt.Errorf("%s: %w", c.URL(), err)
}

// short keeps what a server says to one line, and that to a length that a
// terminal can show.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 2000 {
		return string(r[:1999]) + "…"
	}
	return s
}
