package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

type deskFunc func(nodes.Call) (nodes.Handover, error)

func (f deskFunc) CallIn(_ context.Context, c nodes.Call) (nodes.Handover, error) { return f(c) }

var good = url.Values{
	"token":   {"T0ken-that-must-not-be-seen"},
	"machine": {"i-1"},
	"claim":   {strings.Repeat("c1a1", 16)},
}

// post calls a handler from an address.
func post(h http.Handler, from, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, Path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = from + ":1234"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Each answer of the desk has its status, and neither answers nor logs tell
// what they need not.
func TestHandlerAnswers(t *testing.T) {
	handover := nodes.Handover{Name: "lease-1", Secret: strings.Repeat("5e", 32), URL: "https://jenkins.example/ci"}
	bad := handover
	bad.Name = "a\nsecret=b"
	for name, test := range map[string]struct {
		given  nodes.Handover
		err    error
		status int
		body   string
		level  string
	}{
		"given":   {handover, nil, 200, "name=lease-1\nsecret=" + handover.Secret + "\nurl=https://jenkins.example/ci\n", "INFO"},
		"odd":     {bad, nil, 503, "try again later\n", "ERROR"},
		"not yet": {handover, nodes.ErrNotYet, 202, "nothing yet\n", ""},
		"strange": {handover, fmt.Errorf("no such row: %w", nodes.ErrStranger), 401, "refused\n", "INFO"},
		"spent":   {handover, nodes.ErrSpent, 409, "token already used\n", "WARN"},
		"over":    {handover, nodes.ErrOver, 410, "no longer wanted\n", "INFO"},
		"broken":  {handover, errors.New("database of 10.1.2.3 is away"), 503, "try again later\n", "ERROR"},
	} {
		var log bytes.Buffer
		h := Handler(deskFunc(func(nodes.Call) (nodes.Handover, error) { return test.given, test.err }),
			slog.New(slog.NewTextHandler(&log, nil)), Options{Hold: time.Nanosecond})
		w := post(h, "192.0.2.1", good.Encode())
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%s: %d %q, want %d %q", name, w.Code, w.Body, test.status, test.body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || (w.Code == 503) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%s: the header is %v", name, w.Header())
		}
		if (test.level == "") != (log.Len() == 0) || !strings.Contains(log.String(), test.level) {
			t.Errorf("%s: the log is %q, want level %q", name, log.String(), test.level)
		}
		for _, word := range []string{good.Get("token"), good.Get("claim"), handover.Secret} {
			if strings.Contains(log.String(), word) {
				t.Errorf("%s: the log holds %s", name, word)
			}
		}
	}
}

// What is no call never comes to the desk.
func TestHandlerRefuses(t *testing.T) {
	with := func(name string, values ...string) string {
		v := url.Values{}
		for k := range good {
			v[k] = good[k]
		}
		v[name] = values
		return v.Encode()
	}
	for name, test := range map[string]struct {
		body   string
		change func(*http.Request)
		status int
	}{
		"GET":          {good.Encode(), func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"in the query": {"", func(r *http.Request) { r.URL.RawQuery = good.Encode() }, 400},
		"JSON":         {good.Encode(), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 400},
		"long":         {good.Encode() + "&x=" + strings.Repeat("x", 17000), nil, 400},
		"two proofs":   {with("proof", "YQ==", "YQ=="), nil, 400},
		"no base64":    {with("proof", "a\nb"), nil, 400},
		"no token":     {with("token"), nil, 400},
		"two tokens":   {with("token", good.Get("token"), good.Get("token")), nil, 400},
		"short token":  {with("token", "short"), nil, 400},
		"a path":       {with("machine", "../x"), nil, 400},
		"a line break": {with("machine", "i-1\nlevel=ERROR"), nil, 400},
		"weak claim":   {with("claim", "1"), nil, 400},
		"broken form":  {"%zz", nil, 400},
	} {
		var log bytes.Buffer
		h := Handler(deskFunc(func(nodes.Call) (nodes.Handover, error) {
			t.Errorf("%s: the desk was asked", name)
			return nodes.Handover{}, nil
		}), slog.New(slog.NewTextHandler(&log, nil)), Options{})
		if test.change == nil {
			test.change = func(*http.Request) {}
		}
		if w := post(h, "192.0.2.1", test.body, test.change); w.Code != test.status {
			t.Errorf("%s: %d, want %d", name, w.Code, test.status)
		}
		if strings.Contains(log.String(), good.Get("token")) || strings.Contains(log.String(), "level=ERROR ") {
			t.Errorf("%s: the log is %s", name, log.String())
		}
	}
}

// A call waits for its machine to have something to do, and is told as soon
// as there is a change.
func TestHandlerHolds(t *testing.T) {
	var mu sync.Mutex
	changed, asked, bound := make(chan struct{}), make(chan struct{}, 10), false
	desk := deskFunc(func(nodes.Call) (nodes.Handover, error) {
		mu.Lock()
		defer mu.Unlock()
		asked <- struct{}{}
		if !bound {
			return nodes.Handover{}, nodes.ErrNotYet
		}
		return nodes.Handover{Name: "n", Secret: strings.Repeat("5e", 32), URL: "http://j"}, nil
	})
	h := Handler(desk, slog.New(slog.DiscardHandler), Options{Hold: time.Hour, Changed: func() <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		return changed
	}})
	h.(*handler).again = time.Hour
	done := make(chan int)
	go func() { done <- post(h, "192.0.2.1", good.Encode()).Code }()
	<-asked
	mu.Lock()
	bound = true
	old := changed
	changed = make(chan struct{})
	mu.Unlock()
	close(old)
	if code := <-done; code != http.StatusOK {
		t.Errorf("after the change the call got %d", code)
	}

	// A caller who has gone is not waited for.
	bound = false
	h.(*handler).again = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; <-asked; cancel() }()
	post(h, "192.0.2.1", good.Encode(), func(r *http.Request) { *r = *r.WithContext(ctx) })
}

// Who is refused too often is not heard any more; others are, and nobody can
// speak for others.
func TestHandlerStrangers(t *testing.T) {
	asked := 0
	h := Handler(deskFunc(func(c nodes.Call) (nodes.Handover, error) {
		asked++
		return nodes.Handover{}, nodes.ErrStranger
	}), slog.New(slog.DiscardHandler), Options{Strangers: 1e-9, StrangersAt: 2})
	say := func(from string) int {
		return post(h, from, good.Encode(), func(r *http.Request) {
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", asked))
		}).Code
	}
	for i, want := range []int{401, 401, 429, 429} {
		if got := say("192.0.2.1"); got != want {
			t.Errorf("call %d got %d, want %d", i, got, want)
		}
	}
	if got := say("192.0.2.2"); got != 401 || asked != 3 {
		t.Errorf("another caller got %d, and the desk was asked %d times", got, asked)
	}
}

// The memory for strangers is bounded, and one network of IPv6 is one caller.
func TestStrangersBounded(t *testing.T) {
	s := newStrangers(1e-9, 1)
	for i := range 3 * maxStrangers {
		s.refused(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(s.by) > maxStrangers {
		t.Errorf("%d strangers are remembered, want %d at most", len(s.by), maxStrangers)
	}
	s.refused(netip.MustParseAddr("2001:db8::1"))
	if s.heard(netip.MustParseAddr("2001:db8::2")) || !s.heard(netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("networks of IPv6 are not told apart as they should")
	}
}
