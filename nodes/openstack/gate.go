package openstack

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// longestPause bounds what a Retry-After can ask for: a proxy's page of a
// maintenance may name an hour, and the service be back after a minute.
const longestPause = time.Minute

// gate keeps to Retry-After: while a host wants to be left alone no call goes
// out to it.
type gate struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	until map[string]time.Time // by host
}

func newGate(next http.RoundTripper, now func() time.Time) *gate {
	return &gate{next: next, now: now, until: map[string]time.Time{}}
}

// closedError says that a call was not sent.
type closedError struct {
	host string
	wait time.Duration
}

func (e *closedError) Error() string {
	return fmt.Sprintf("%s asked to be left alone for another %s", e.host, e.wait.Round(time.Second))
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	g.mu.Lock()
	wait := g.until[host].Sub(g.now())
	g.mu.Unlock()
	if wait > 0 {
		return nil, &nodes.CloudError{Class: nodes.Throttled, Err: &closedError{host, wait}}
	}
	res, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable {
		if wait := g.retryAfter(res.Header.Get("Retry-After")); wait > 0 {
			g.mu.Lock()
			g.until[host] = g.now().Add(min(wait, longestPause))
			g.mu.Unlock()
		}
	}
	return res, nil
}

// retryAfter reads the header's two forms: seconds, or a date.
func (g *gate) retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(g.now())
	}
	return 0
}
