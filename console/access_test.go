package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/console"
)

// Who may do what: every operation with every role, without a token and with
// one that nobody has.
func TestRoles(t *testing.T) {
	for _, o := range operations {
		f := newFixture(t) // what is refused changes nothing, and one role at the most may change something
		for role := range tokens {
			w := f.ask(role, o.method, o.target, o.body)
			want := o.fine
			switch {
			case o.need == "":
			case role == "" || role == "wrong":
				want = http.StatusUnauthorized
			case role != o.need && (o.need != console.Read || role == "none"):
				want = http.StatusForbidden
			}
			if w.Code != want {
				t.Errorf("%s with role %q: %d %s, want %d", o.id, role, w.Code, w.Body, want)
			}
			if asks := w.Header().Get("WWW-Authenticate"); (w.Code == http.StatusUnauthorized) != strings.HasPrefix(asks, "Bearer ") {
				t.Errorf("%s with role %q: %d with WWW-Authenticate %q", o.id, role, w.Code, asks)
			}
			for _, text := range tokens {
				if text != "" && (strings.Contains(f.logged(), text) || strings.Contains(w.Body.String(), text)) {
					t.Errorf("%s with role %q: the token stands in the log or in the answer:\n%s", o.id, role, f.logged())
				}
			}
		}
	}
}

// Nothing but Authorization: Bearer TOKEN is a token.
func TestAuthorization(t *testing.T) {
	f := newFixture(t)
	for header, want := range map[string]int{
		"Bearer token-of-kim":                200,
		"bearer token-of-kim":                200,
		"Bearer  token-of-kim ":              200,
		"Bearer":                             401,
		"Bearer ":                            401,
		"Basic token-of-kim":                 401,
		"token-of-kim":                       401,
		"Bearer token-of-kim2":               401,
		"Bearer token-of-ki":                 401,
		"Bearer " + strings.Repeat("x", 1e5): 401,
	} {
		r := httptest.NewRequest("GET", "/api/v1/leases", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%.40q: %d, want %d", header, w.Code, want)
		}
	}
	// A token in the URL would stand in the logs of every proxy.
	if w := f.ask("", "GET", "/api/v1/leases?token=token-of-kim", ""); w.Code != 401 {
		t.Errorf("a token in the URL: %d", w.Code)
	}
	none := newFixture(t, func(c *console.Config) {
		c.Tokens = []console.Token{{Name: "empty", Role: console.Operate, Hash: console.HashToken("")}}
	})
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer  ", "Bearer \t"} {
		r := httptest.NewRequest("GET", "/api/v1/leases", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		if none.handler.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
			t.Errorf("the hash of nothing lets %q in: %d", header, w.Code)
		}
	}
}

// Who has changed what stands in the log.
func TestAudit(t *testing.T) {
	f := newFixture(t)
	f.ask(console.Operate, "POST", "/api/v1/pools/standard/drain", `{"reason": "new image"}`)
	f.ask(console.Read, "POST", "/api/v1/pools/large/resume", "")
	f.ask("wrong", "GET", "/api/v1/pools", "")
	for _, want := range []string{
		`msg="request done" by=lee role=operate operation=drain-pool path=/api/v1/pools/standard/drain status=200`,
		`msg="request refused" by=kim role=read operation=resume-pool path=/api/v1/pools/large/resume`,
		`msg="request with an unknown token refused" from=`,
	} {
		if !strings.Contains(f.logged(), want) {
			t.Errorf("the log has no %s:\n%s", want, f.logged())
		}
	}
	drained, err := f.store.Drained(context.Background())
	if d := drained["standard"]; err != nil || d.By != "lee" || d.Reason != "new image" || !d.At.Equal(noon) {
		t.Errorf("%+v, %v", d, err)
	}
	if _, still := drained["large"]; !still {
		t.Error("a reader has resumed a pool")
	}
}

// What is behind a panic, or in the store's errors, is for the log.
func TestFaultsAreNotTold(t *testing.T) {
	f := newFixture(t)
	f.panics(t)
	w := f.ask(console.Read, "GET", "/api/v1/pools", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(f.logged(), "secret of the fault") || !strings.Contains(f.logged(), "access_test.go") && !strings.Contains(f.logged(), "answers_test.go") {
		t.Errorf("the log does not say what happened:\n%s", f.logged())
	}
}

// Hostile paths lead to a plain refusal: none to another operation, none past
// the token, and none to a fault.
func TestHostilePaths(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewServer(f.handler)
	defer server.Close()
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		target string
		status int
	}{
		{"/api/v1/leases/%2e%2e%2fpools", 404},
		{"/api/v1/leases/../pools", 404},
		{"/api/v1/leases/%2e%2e/pools", 404},
		{"/api/v1//leases", 404},
		{"//api/v1/leases", 404},
		{"//evil.example/%2f..", 404},
		{"/api/v1/leases/", 404},
		{"/api/v1/leases/.", 404},
		{"/api/v1/leases/%00", 404},
		{"/api/v1/leases/" + url.PathEscape("한글"), 404},
		{"/api/v1/leases/%ff%fe", 404},
		{"/api/v1/leases/nbusy%2Fhold", 404},
		{"/api/v1/leases/%0d%0aSet-Cookie:%20a=b", 404},
		{"/api/v1/leases/" + long, 422},
		{"/api/v1/leases?job=" + long, 422},
		{"/api/v1/leases?job=[", 422},
		{"/api/v1/leases?job=" + strings.Repeat("{a,", 90), 422},
		{"/api/v1/leases?cursor=%00", 422},
		{"/api/v1/leases?cursor=bm9uZQ", 422},
		{"/api/v1/leases?state=gone", 422},
		{"/api/v1/leases?limit=0", 422},
		{"/api/v1/leases?limit=1001", 422},
		{"/api/v1/leases?limit=99999999999999999999", 422},
		{"/api/v1/runs?job=%2A%2A%2F..%2F..", 200},
		{"/api/v1/runs/" + daily + "/123%2F", 422},
		{"/api/v1/runs/" + daily + "/0", 422},
		{"/api/v1/runs/" + daily + "/-1", 422},
		{"/api/v1/runs/" + daily + "/99999999999", 422},
		{"/api/v1/runs/**/**/**/123", 404},
		{"/api/v1/runs/live-1%2Fsettlement/x/daily-settlement/123", 404},
		{"/api/v1/runs/a/b/" + long + "/1", 422},
		{"/api/v2/leases", 404},
		{"/API/v1/leases", 404},
		{"/%61pi/v1/pools", 200},
		{"/docs", 404},
		{"/", 404},
	} {
		for _, token := range []string{"", "token-of-kim"} {
			status, answer := raw(t, server.Listener.Addr().String(), c.target, token)
			want := c.status
			if decoded, err := url.PathUnescape(c.target); token == "" && err == nil && strings.HasPrefix(decoded, "/api/") {
				want = 401
			}
			if status != want {
				t.Errorf("%.60s with token %q: %d %.200s, want %d", c.target, token, status, answer, want)
			}
			if len(answer) > 2000 || status >= 400 && !json.Valid([]byte(answer)) {
				t.Errorf("%.60s: answer %.300s", c.target, answer)
			}
		}
	}
	if strings.Contains(f.logged(), "fault in the program") {
		t.Error(f.logged())
	}
}

// raw sends a request whose target no client has made nicer.
func raw(t *testing.T, address, target, token string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: console\r\nConnection: close\r\n", target)
	if token != "" {
		fmt.Fprintf(conn, "Authorization: Bearer %s\r\n", token)
	}
	fmt.Fprint(conn, "\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if _, err := bufio.NewReader(resp.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Location") != "" {
		t.Errorf("%.60s: header %v", target, resp.Header)
	}
	return resp.StatusCode, b.String()
}

// What is there, asked in a way that it is not, says what way there is.
func TestWrongMethod(t *testing.T) {
	f := newFixture(t)
	w := f.ask(console.Read, "DELETE", "/api/v1/catalog", "")
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, PUT" || !strings.Contains(w.Body.String(), "/api/v1/catalog does not take DELETE; it takes GET, HEAD, PUT") {
		t.Errorf("%d, Allow %q, %s", w.Code, w.Header().Get("Allow"), w.Body)
	}
	if w := f.ask("", "GET", "/metrics", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "provisioner_leases 1") {
		t.Errorf("/metrics: %d %s", w.Code, w.Body)
	}
}
