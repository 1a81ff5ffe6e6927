package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

// operation is one operation of the API, and a request that it takes.
type operation struct {
	id, method, path, target, body string
	need                           console.Role
	fine                           int // the status of that request
}

var operations = []operation{
	{"healthz", "GET", "/healthz", "/healthz", "", "", 200},
	{"readyz", "GET", "/readyz", "/readyz", "", "", 200},
	{"list-leases", "GET", "/api/v1/leases", "/api/v1/leases", "", console.Read, 200},
	{"get-lease", "GET", "/api/v1/leases/{id}", "/api/v1/leases/nbusy", "", console.Read, 200},
	{"hold-lease", "POST", "/api/v1/leases/{id}/hold", "/api/v1/leases/nbusy/hold", `{"for": 600, "reason": "a look"}`, console.Operate, 200},
	{"release-lease", "POST", "/api/v1/leases/{id}/release", "/api/v1/leases/nheld/release", "", console.Operate, 200},
	{"list-runs", "GET", "/api/v1/runs", "/api/v1/runs", "", console.Read, 200},
	{"get-run", "GET", "/api/v1/runs/{cluster}/{group}/{batch}/{number}", "/api/v1/runs/" + daily + "/123", "", console.Read, 200},
	{"list-pools", "GET", "/api/v1/pools", "/api/v1/pools", "", console.Read, 200},
	{"drain-pool", "POST", "/api/v1/pools/{name}/drain", "/api/v1/pools/standard/drain", `{"reason": "new image"}`, console.Operate, 200},
	{"resume-pool", "POST", "/api/v1/pools/{name}/resume", "/api/v1/pools/large/resume", "", console.Operate, 200},
	{"get-catalog", "GET", "/api/v1/catalog", "/api/v1/catalog", "", console.Read, 200},
	{"put-catalog", "PUT", "/api/v1/catalog", "/api/v1/catalog", catalogText(catalogOf(daily, hourly, "a/b/c")), console.Publish, 201},
}

func (o *operation) hasBody() bool { return o.body != "" }

// document is what the API says of itself, as far as the tests look at it.
type document struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		Summary     string
		Security    []map[string][]string
		Responses   map[string]struct {
			Content map[string]json.RawMessage
		}
	}
	Components struct {
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

func readDocument(t *testing.T, f *fixture) document {
	t.Helper()
	var d document
	w := f.ask("", "GET", "/openapi.json", "")
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 {
		t.Fatalf("%d, %v", w.Code, err)
	}
	return d
}

// The description has just the operations that are tested here, each with the
// role that it needs.
func TestDescription(t *testing.T) {
	f := newFixture(t)
	d := readDocument(t, f)
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s, want 3.1", d.OpenAPI)
	}
	if s := d.Components.SecuritySchemes["token"]; s.Type != "http" || s.Scheme != "bearer" {
		t.Errorf("security scheme %+v", s)
	}
	n := 0
	for _, methods := range d.Paths {
		n += len(methods)
	}
	if n != len(operations) {
		t.Errorf("%d operations are described, and %d tested", n, len(operations))
	}
	for _, o := range operations {
		got, there := d.Paths[o.path][strings.ToLower(o.method)]
		if !there || got.OperationID != o.id || got.Summary == "" {
			t.Errorf("%s %s is described as %q", o.method, o.path, got.OperationID)
		}
		role := ""
		for _, s := range got.Security {
			role += strings.Join(s["token"], ",")
		}
		if role != string(o.need) {
			t.Errorf("%s needs %q, want %q", o.id, role, o.need)
		}
	}
	if w := f.ask("", "GET", "/openapi.yaml", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "openapi: 3.1.0") {
		t.Errorf("/openapi.yaml: %d", w.Code)
	}
}

// broken is a request that is to be answered with a status.
type broken struct {
	op, target, body string
	status           int
	setUp            func(f *fixture, r *http.Request)
	has              string // in the answer
}

func contentType(text string) func(*fixture, *http.Request) {
	return func(_ *fixture, r *http.Request) { r.Header.Set("Content-Type", text) }
}

// late is a body that does not arrive in time.
type late struct{}

func (late) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }
func (late) Close() error             { return nil }

// problems returns requests for every status that can be asked for, but those
// that fine requests get.
func problems() []broken {
	all := []broken{
		{op: "readyz", status: 503, setUp: func(f *fixture, _ *http.Request) { f.checks[0].OK, f.checks[0].Reason = false, "it does not answer" }, has: "it does not answer"},
		{op: "get-lease", target: "/api/v1/leases/nbuzy", status: 404, has: "no lease nbuzy; nearest: nbusy"},
		{op: "hold-lease", target: "/api/v1/leases/nbuzy/hold", status: 404, has: "nearest: nbusy"},
		{op: "hold-lease", target: "/api/v1/leases/nfailed/hold", status: 409, has: "its machine is gone"},
		{op: "release-lease", target: "/api/v1/leases/nheli/release", status: 404, has: "nearest: nheld"},
		{op: "release-lease", target: "/api/v1/leases/nbusy/release", status: 409, has: "a build is never cut off"},
		{op: "get-run", target: "/api/v1/runs/" + daily + "/999", status: 404, has: "no run " + daily + "#999 is known; the newest of this job is #123"},
		{op: "drain-pool", target: "/api/v1/pools/standrad/drain", status: 404, has: "no pool standrad; nearest: standard"},
		{op: "resume-pool", target: "/api/v1/pools/standrad/resume", status: 404, has: "nearest: standard"},
		{op: "get-catalog", status: 404, setUp: func(f *fixture, _ *http.Request) { f.store.MemStore = nodetest.NewMemStore() }, has: "there is no catalog yet"},
		{op: "put-catalog", status: 200, body: catalogText(catalogOf(daily, hourly, "live-1/settlement/fee-report", "live-2/settlement/daily-settlement")), has: `"version":1`},
		{op: "put-catalog", status: 409, body: catalogText(catalogOf(daily)), has: "the catalog has 1 jobs, and the one in force has 4"},
		{op: "put-catalog", status: 413, body: catalogText(catalogOf(daily)) + strings.Repeat(" ", 1<<16), has: "larger than 65536 bytes"},
		{op: "put-catalog", status: 408, setUp: func(_ *fixture, r *http.Request) { r.Body = late{} }, has: "did not arrive within 5m0s"},
	}
	for _, o := range operations {
		all = append(all,
			broken{op: o.id, status: 422, target: o.target + "?lmit=5", has: "query.lmit: unknown query parameter"},
			broken{op: o.id, status: 500, setUp: func(f *fixture, _ *http.Request) { f.panics(f.t) }, has: "a fault in the provisioner"})
		if o.need != "" {
			all = append(all, broken{op: o.id, status: 401, setUp: func(_ *fixture, r *http.Request) { r.Header.Del("Authorization") }, has: "a token is needed"},
				broken{op: o.id, status: 403, setUp: func(_ *fixture, r *http.Request) { r.Header.Set("Authorization", "Bearer token-of-nobody") }, has: "needs a token with the role " + string(o.need)})
		}
		if o.need != "" && o.id != "list-leases" {
			all = append(all, broken{op: o.id, status: 503, setUp: func(f *fixture, _ *http.Request) { f.store.broken = true }, has: "the store does not answer"})
		}
		if o.hasBody() && o.id != "put-catalog" {
			all = append(all,
				broken{op: o.id, status: 400, body: "{\x00garbage", has: "body: invalid character"},
				broken{op: o.id, status: 400, body: " ", has: "body"},
				broken{op: o.id, status: 413, body: `{"reason": "` + strings.Repeat("x", 1<<15) + `"}`, has: "too large"},
				broken{op: o.id, status: 415, setUp: contentType("text/yaml"), has: "text/yaml"},
				broken{op: o.id, status: 408, setUp: func(_ *fixture, r *http.Request) { r.Body = late{} }, has: "timeout"},
				broken{op: o.id, status: 422, body: `{"reason": ""}`, has: "body.reason: expected length >= 1"},
				broken{op: o.id, status: 422, body: `{"reason": "x", "more": 1}`, has: "unexpected property"},
				broken{op: o.id, status: 422, body: `{"reason": {"a": [1]}}`, has: "body.reason: expected string"},
				broken{op: o.id, status: 422, body: `[]`, has: "expected object"},
			)
		}
	}
	return all
}

// Every answer that is described can be had, none other, and each is as its
// schema says.
func TestEveryAnswer(t *testing.T) {
	d := readDocument(t, newFixture(t))
	schemas := compile(t, newFixture(t))
	seen := map[string]bool{}
	check := func(o *operation, b broken) {
		t.Helper()
		target, body := o.target, o.body
		if b.target != "" {
			target = b.target
		}
		if b.body != "" {
			body = b.body
		}
		f := newFixture(t, func(c *console.Config) { c.MaxCatalog = 1 << 16 })
		r := httptest.NewRequest(o.method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+tokens[o.need])
		if b.setUp != nil {
			b.setUp(f, r)
		}
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, r)
		what := fmt.Sprintf("%s %s %.80s", o.method, target, body)
		if w.Code != b.status || !strings.Contains(w.Body.String(), b.has) {
			t.Errorf("%s: %d %s; want %d with %q", what, w.Code, w.Body, b.status, b.has)
		}
		if strings.Contains(w.Body.String(), "db.internal") || strings.Contains(w.Body.String(), "garbage") {
			t.Errorf("%s: the answer has what the store said, or what it was sent: %s", what, w.Body)
		}
		code := fmt.Sprint(w.Code)
		seen[o.id+" "+code] = true
		kind := w.Header().Get("Content-Type")
		if _, described := d.Paths[o.path][strings.ToLower(o.method)].Responses[code].Content[kind]; !described {
			t.Errorf("%s: %d as %s is not described", what, w.Code, kind)
			return
		}
		schema := schemas(o, code, kind)
		v, err := jsonschema.UnmarshalJSON(w.Body)
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%s: %d is not as described: %v", what, w.Code, err)
		}
	}
	byID := map[string]*operation{}
	for i := range operations {
		byID[operations[i].id] = &operations[i]
		check(&operations[i], broken{status: operations[i].fine})
	}
	for _, b := range problems() {
		check(byID[b.op], b)
	}
	for _, o := range operations {
		for _, code := range slices.Sorted(maps.Keys(d.Paths[o.path][strings.ToLower(o.method)].Responses)) {
			if !seen[o.id+" "+code] {
				t.Errorf("%s is said to answer %s, and no request here gets that", o.id, code)
			}
		}
	}
}

// compile returns the schemas of the answers.
func compile(t *testing.T, f *fixture) func(o *operation, code, kind string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.ask("", "GET", "/openapi.json", "").Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	return func(o *operation, code, kind string) *jsonschema.Schema {
		t.Helper()
		s, err := c.Compile("openapi.json#/paths/" + escape.Replace(o.path) + "/" + strings.ToLower(o.method) + "/responses/" + code + "/content/" + escape.Replace(kind) + "/schema")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// panics breaks the console's clock.
func (f *fixture) panics(t *testing.T) {
	t.Helper()
	c := f.config
	c.Now = func() time.Time { panic("secret of the fault") }
	f.handler = console.New(c)
}
