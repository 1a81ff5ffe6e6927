package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// mostSkew is how far two clocks may be apart: machines are made ahead by
// this one, and runs are started by the other.
const mostSkew = 2 * time.Second

// clock is a transport that compares the answers' Date with the clock here.
// A Date has whole seconds, and the way there and back takes its time: so the
// difference is known as a range, and that of the fastest call is kept.
type clock struct {
	http.RoundTripper

	mu        sync.Mutex
	low, high time.Duration // the other clock is ahead by this much; both 0: not known
}

// RoundTrip implements http.RoundTripper.
func (c *clock) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := time.Now()
	res, err := c.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if date, bad := http.ParseTime(res.Header.Get("Date")); bad == nil {
		c.note(sent, time.Now(), date)
	}
	return res, nil
}

func (c *clock) note(sent, received, date time.Time) {
	low, high := date.Sub(received), date.Add(time.Second).Sub(sent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.low == c.high || high-low < c.high-c.low {
		c.low, c.high = low, high
	}
}

// ahead returns by how much the other clock is ahead at least; behind, where
// that is negative.
func (c *clock) ahead() (d time.Duration, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.low > 0:
		return c.low, true
	case c.high < 0:
		return c.high, true
	}
	return 0, c.low != c.high
}

func (k *controllerCheck) skew() {
	d, known := k.clock.ahead()
	const hint = "let both hosts follow the same time server: by these clocks machines are made ahead, and runs started"
	switch {
	case !known:
		k.warn(k.thing, "its clock cannot be compared: the answers have no Date", hint)
	case d.Abs() <= mostSkew:
	case d > 0:
		k.warn(k.thing, fmt.Sprintf("its clock is %s ahead of this host's", d.Round(time.Second)), hint)
	default:
		k.warn(k.thing, fmt.Sprintf("its clock is %s behind this host's", d.Abs().Round(time.Second)), hint)
	}
}
