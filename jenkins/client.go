// Package jenkins is what the provisioner needs of a Jenkins: what waits and
// what runs, a node for a run, and the end of both. It speaks the REST API of
// Jenkins 2.541 and later as it is, traps included; jenkins/jenkinstest has an
// in-process Jenkins with the same traps, and the contract suite for both.
//
// Three rules hold for every call. It takes a context and ends with it. It
// bounds what it reads. It never lets an error look like an answer: a login
// page, a cut-off document or a missing list is an *Error, never "nothing
// there".
//
// Read Client and Look first, then Error.
package jenkins

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bndr/gojenkins"
)

// defaultTimeout bounds one call: a Jenkins with 1,000 waiting runs answers
// in 30 ms, and one that collects garbage in seconds.
const defaultTimeout = 15 * time.Second

// Config says how to reach a Jenkins.
type Config struct {
	URL       string            // root of the controller, with its path prefix: https://jenkins.example/ci
	User      string            // empty together with Token: anonymous
	Token     string            // API token of User; a password would need a crumb for every POST, which this client does not fetch
	Transport http.RoundTripper // nil: a transport of the client's own, with limits, that asks for gzip
	Timeout   time.Duration     // of one call, the reading of its answer included; 0 = 15 s
}

// String leaves the token out, so that a printed Config gives nothing away.
func (c Config) String() string { return fmt.Sprintf("Jenkins at %s as %q", place(c.URL), c.User) }

// GoString is String, for %#v.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for log/slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// A Client calls one Jenkins. It keeps no state but its connections, and any
// number of goroutines may use it.
type Client struct {
	base      string // Config.URL without a trailing slash
	user      string
	token     string
	timeout   time.Duration
	transport http.RoundTripper
	requester gojenkins.Requester
}

// New returns a client for the Jenkins that the configuration names. It
// checks the configuration and calls nobody: see Whoami.
func New(c Config) (*Client, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	client := &Client{
		base: strings.TrimRight(c.URL, "/"), user: c.User, token: c.Token,
		timeout: c.Timeout, transport: c.Transport,
	}
	if client.timeout == 0 {
		client.timeout = defaultTimeout
	}
	if client.transport == nil {
		client.transport = newTransport()
	}
	// The requester builds the URL and decodes. All that it would let pass
	// (any status, any length, any redirect) ends in reads.RoundTrip.
	client.requester = gojenkins.Requester{Base: client.base, Client: &http.Client{Transport: reads{client}}}
	return client, nil
}

// String names the Jenkins and the user, never the token.
func (c *Client) String() string { return fmt.Sprintf("Jenkins at %s as %q", c.base, c.user) }

// GoString is String, for %#v.
func (c *Client) GoString() string { return c.String() }

// check says what is wrong with a configuration. It repeats no part of an URL
// that may hold a password.
func (c Config) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		// url.Parse's own text repeats the URL.
		return errors.New("URL of Jenkins: not a URL; it looks like https://jenkins.example/ci")
	case u.User != nil:
		return fmt.Errorf("URL of Jenkins %s: has a user or a password in it; give them as user and token", place(c.URL))
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("URL of Jenkins %q: not an http:// or https:// URL with a host", place(c.URL))
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fmt.Errorf("URL of Jenkins %s: has a query or a fragment; give the root of the controller only", place(c.URL))
	case strings.Contains(c.User, ":"):
		return fmt.Errorf("user of Jenkins %q: a user name has no colon; give the token apart", strings.SplitN(c.User, ":", 2)[0]+":…")
	case (c.User == "") != (c.Token == ""):
		return fmt.Errorf("controller at %s: user and token belong together, and one of them is empty", place(c.URL))
	case c.Timeout < 0:
		return fmt.Errorf("controller at %s: timeout %v is negative", place(c.URL), c.Timeout)
	}
	return nil
}

// place returns an URL without what may be secret in it: user, password,
// query and fragment.
func place(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(not a URL)"
	}
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	return clean.String()
}

// newTransport returns a transport with limits for a service that calls one
// Jenkins all day. net/http asks for gzip by itself and unpacks it.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxConnsPerHost:        16, // doCreateItem gains nothing above 8 connections
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        20 * time.Second, // Jetty closes at 30 s; a POST on a connection that it just closed is not repeated
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
	}
}
