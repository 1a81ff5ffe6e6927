package openstacktest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Fault is what a Proxy does to a call.
type Fault int

// The faults.
const (
	None        Fault = iota
	LoseRequest       // the call does not arrive, and the connection breaks
	LoseReply         // it arrives, and the connection breaks
	Delay             // it arrives a while after the connection broke
	Page              // a proxy's page in HTML, status 502; the call does not arrive
	PageAfter         // the same, and the call arrives
	Garbage           // it arrives, and the reply is 200 and no JSON
	Empty             // it arrives, and the reply is 200 without a body
	TooMany           // 429 with a Retry-After; the call does not arrive
)

// Proxy is an HTTP proxy before a cloud. Its Transport sends calls through it.
type Proxy struct {
	server *httptest.Server
	delay  time.Duration

	mu     sync.Mutex
	choose func(*http.Request) Fault
	calls  map[string]Call
	late   sync.WaitGroup
}

// NewProxy starts a proxy that lets all through. Delayed calls arrive after
// delay.
func NewProxy(delay time.Duration) *Proxy {
	p := &Proxy{delay: delay, calls: map[string]Call{}}
	p.server = httptest.NewServer(p)
	return p
}

// Call is a call that came by.
type Call struct {
	Method string
	URL    *url.URL
}

// Calls returns what has come by, each kind once: calls that differ in their
// query alone are one.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.calls))
}

// Close waits for calls that are late, and ends the proxy.
func (p *Proxy) Close() {
	p.late.Wait()
	p.server.Close()
}

// Transport returns what sends calls through the proxy.
func (p *Proxy) Transport() http.RoundTripper {
	to, err := url.Parse(p.server.URL)
	if err != nil {
		panic(err) // httptest's own
	}
	return &http.Transport{Proxy: http.ProxyURL(to), MaxIdleConnsPerHost: 16}
}

// Set has f choose the fault of each call; nil: none. It is called from
// several goroutines.
func (p *Proxy) Set(f func(*http.Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.choose = f
}

// Chaos returns a choice that has a fault of kinds with the probability.
func Chaos(seed uint64, probability float64, kinds ...Fault) func(*http.Request) Fault {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 1))
	return func(*http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if rng.Float64() >= probability {
			return None
		}
		return kinds[rng.IntN(len(kinds))]
	}
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	choose := p.choose
	p.calls[r.Method+" "+r.URL.Host+r.URL.Path] = Call{r.Method, r.URL}
	p.mu.Unlock()
	fault := None
	if choose != nil {
		fault = choose(r)
	}
	const page = "<html><body><h1>Bad Gateway</h1>{not json}</body></html>"
	switch fault {
	case LoseRequest:
		panic(http.ErrAbortHandler)
	case LoseReply:
		_, _ = p.forward(w, r, false)
		panic(http.ErrAbortHandler)
	case Delay:
		p.later(r)
		panic(http.ErrAbortHandler)
	case Page:
		http.Error(w, page, http.StatusBadGateway)
	case PageAfter:
		_, _ = p.forward(w, r, false)
		http.Error(w, page, http.StatusBadGateway)
	case Garbage:
		_, _ = p.forward(w, r, false)
		_, _ = io.WriteString(w, page)
	case Empty:
		_, _ = p.forward(w, r, false)
	case TooMany:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "slow down", http.StatusTooManyRequests)
	default:
		if sent, err := p.forward(w, r, true); err != nil && !sent {
			panic(http.ErrAbortHandler)
		}
	}
}

// later sends a call when its connection has long been broken.
func (p *Proxy) later(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	call, err := http.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
	if err != nil {
		return
	}
	call.Header = r.Header.Clone()
	p.late.Go(func() {
		<-time.After(p.delay)
		if res, err := direct.RoundTrip(call); err == nil {
			res.Body.Close()
		}
	})
}

// direct is the way to the cloud itself.
var direct = &http.Transport{MaxIdleConnsPerHost: 16}

// forward sends a call on, and where it is asked to the reply back. It says
// whether any of that was sent.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, back bool) (bool, error) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.Header.Del("Proxy-Connection")
	res, err := direct.RoundTrip(out)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if !back {
		_, err := io.Copy(io.Discard, res.Body)
		return false, err
	}
	for name, values := range res.Header {
		if name != "Connection" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(res.StatusCode)
	if _, err := io.Copy(w, res.Body); err != nil {
		return true, fmt.Errorf("the reply of %s: %w", r.URL.Path, err)
	}
	return true, nil
}
