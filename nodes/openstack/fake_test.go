package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// fake answers as OpenStack does, with what a test wants it to: for what a
// real one does not do on demand, and to see what is sent.
type fake struct {
	*testing.T
	*httptest.Server
	mu     sync.Mutex
	routes map[string]http.HandlerFunc // by "METHOD /compute/servers"
	calls  []call
	issued time.Time // of tokens; zero: Keystone does not say
}

type call struct {
	what   string // METHOD /path
	query  string
	header http.Header
	length int64
	body   string
}

const catalogs = `{"token": {"project": {"id": "p", "name": "demo"}, "roles": [{"id": "r", "name": "ROLE"}],
	"expires_at": "2099-01-01T00:00:00.000000Z",ISSUED "catalog": [
	{"type": "compute", "endpoints": [{"interface": "public", "region": "R", "region_id": "R", "url": "URL/compute/v2.1"}]},
	{"type": "network", "endpoints": [{"interface": "public", "region": "R", "region_id": "R", "url": "URL/network"}]},
	{"type": "image", "endpoints": [{"interface": "public", "region": "R", "region_id": "R", "url": "URL/image"}]}]}}`

func newFake(t *testing.T) *fake {
	f := &fake{T: t, routes: map[string]http.HandlerFunc{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	f.loginAs("member")
	f.answer("GET /network/", 200, `{"versions": [{"id": "v2.0", "status": "CURRENT"}]}`)
	f.answer("GET /image/", 200, `{"versions": [{"id": "v2.16", "status": "CURRENT"}]}`)
	f.answer("GET /network/v2.0/networks", 200, `{"networks": [{"id": "11111111-0000-0000-0000-000000000000", "name": "private"}]}`)
	f.answer("GET /image/v2/images", 200, `{"images": [{"id": "22222222-0000-0000-0000-000000000000", "name": "cirros", "status": "active", "size": 1, "min_disk": 0, "min_ram": 0, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}]}`)
	f.answer("GET /compute/v2.1/flavors/detail", 200, `{"flavors": [{"id": "1", "name": "m1.tiny", "vcpus": 1, "ram": 512, "disk": 1}]}`)
	f.answer("GET /compute/v2.1/servers/detail", 200, `{"servers": []}`)
	f.answer("GET /compute/v2.1/os-keypairs", 200, `{"keypairs": []}`)
	f.answer("POST /compute/v2.1/os-keypairs", 201, `{"keypair": {"name": "x"}}`)
	f.answer("DELETE /compute/v2.1/os-keypairs/*", 204, "")
	f.answer("POST /compute/v2.1/servers", 202, `{"server": {"id": "33333333-0000-0000-0000-000000000001"}}`)
	return f
}

// loginAs has a login give a role.
func (f *fake) loginAs(role string) {
	f.handle("POST /v3/auth/tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Subject-Token", "token")
		w.WriteHeader(http.StatusCreated)
		issued := ""
		if !f.issued.IsZero() {
			issued = ` "issued_at": "` + f.issued.Format(time.RFC3339) + `",`
		}
		_, _ = io.WriteString(w, strings.NewReplacer("URL", f.URL, "ROLE", role, "ISSUED", issued).Replace(catalogs))
	})
}

// answer has the fake answer a call.
func (f *fake) answer(what string, status int, body string, headers ...string) {
	f.handle(what, func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (f *fake) handle(what string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routes[what] = h
}

// ServeHTTP implements http.Handler.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	what := r.Method + " " + r.URL.Path
	f.mu.Lock()
	f.calls = append(f.calls, call{what, r.URL.RawQuery, r.Header.Clone(), r.ContentLength, string(body)})
	h, ok := f.routes[what]
	if !ok {
		h, ok = f.routes[what[:strings.LastIndexByte(what, '/')]+"/*"]
	}
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		f.Errorf("nobody expected %s", what)
		h = http.NotFound
	}
	h(w, r)
}

// called returns the calls of one kind.
func (f *fake) called(what string) (calls []call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c.what == what || strings.HasSuffix(what, "*") && strings.HasPrefix(c.what, strings.TrimSuffix(what, "*")) {
			calls = append(calls, c)
		}
	}
	return calls
}

func (f *fake) driver(change ...func(*Config)) *Driver {
	f.Helper()
	c := Config{
		Owner: "own", AuthURL: f.URL + "/v3", Region: "R", ApplicationCredentialID: "id", ApplicationCredentialSecret: "s3cret",
		Places: map[string]Place{"here": {Image: "cirros", Networks: []string{"private"}}}, CallsPerSecond: 1000,
	}
	for _, change := range change {
		change(&c)
	}
	d, err := New(c)
	if err != nil {
		f.Fatal(err)
	}
	return d
}

// order returns an order for the driver's first offer at the place here.
func (f *fake) order(d *Driver, count int) nodes.Order {
	f.Helper()
	offers, err := d.Offers(context.Background(), "here", need)
	if err != nil || len(offers) == 0 {
		f.Fatalf("offers: %v, %v", offers, err)
	}
	return nodes.Order{ID: "o-1", Place: "here", Count: count, Need: need, Offer: offers[0]}
}

// aServer is a server as Nova lists it.
func aServer(n int, status string, tags ...string) map[string]any {
	return map[string]any{
		"id": fmt.Sprintf("33333333-0000-0000-0000-%012d", n), "name": fmt.Sprintf("own_o-1-%d", n), "status": status,
		"created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z", "tags": tags,
		"flavor": map[string]any{"original_name": "m1.tiny"}, "metadata": map[string]string{scopeKey: "m1.tiny az-1"},
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
