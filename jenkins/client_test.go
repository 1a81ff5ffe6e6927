package jenkins_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

const token = "11deadbeefdeadbeefdeadbeefdeadbeef"

// calls is every call of a client.
var calls = map[string]func(context.Context, *jenkins.Client) error{
	"Look":    func(ctx context.Context, c *jenkins.Client) error { _, err := c.Look(ctx); return err },
	"Run":     func(ctx context.Context, c *jenkins.Client) error { _, err := c.Run(ctx, ref); return err },
	"Jobs":    func(ctx context.Context, c *jenkins.Client) error { _, err := c.Jobs(ctx, "a/b"); return err },
	"History": func(ctx context.Context, c *jenkins.Client) error { _, err := c.History(ctx, "a/b", 5); return err },
	"Secret":  func(ctx context.Context, c *jenkins.Client) error { _, err := c.Secret(ctx, "n"); return err },
	"Whoami":  func(ctx context.Context, c *jenkins.Client) error { _, err := c.Whoami(ctx); return err },
	"CreateNode": func(ctx context.Context, c *jenkins.Client) error {
		return c.CreateNode(ctx, jenkins.NodeSpec{Name: "n"})
	},
	"SetOffline": func(ctx context.Context, c *jenkins.Client) error { return c.SetOffline(ctx, "n", "why") },
	"DeleteNode": func(ctx context.Context, c *jenkins.Client) error { return c.DeleteNode(ctx, "n") },
	"Cancel":     func(ctx context.Context, c *jenkins.Client) error { return c.Cancel(ctx, 7) },
	"Stop":       func(ctx context.Context, c *jenkins.Client) error { return c.Stop(ctx, ref) },
	"Describe":   func(ctx context.Context, c *jenkins.Client) error { return c.Describe(ctx, ref, "text") },
}

var ref = jenkins.Ref{Job: "a/b c/d#é", Number: 12}

// serve answers every request in one way.
func serve(t *testing.T, handler http.HandlerFunc) *jenkins.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return client(t, jenkins.Config{URL: server.URL + "/ci/"})
}

func client(t *testing.T, config jenkins.Config) *jenkins.Client {
	t.Helper()
	config.User, config.Token = "prov", token
	c, err := jenkins.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answer(status int, contentType, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Jenkins-Session", "abc")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// What is not an answer of Jenkins to the question is an error of the right
// kind, in every call, and never names the token.
func TestGarbage(t *testing.T) {
	const json, html = "application/json;charset=utf-8", "text/html;charset=utf-8"
	loud := "you sent Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("prov:"+token)) + " with token " + token
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    error
		says    string
	}{
		"login page":           {answer(200, html, "<html><head><title>Sign in</title></head><body>Sign in to Jenkins</body></html>"), jenkins.ErrGarbage, ""},
		"HTML that says JSON":  {answer(200, json, "<html>"), jenkins.ErrGarbage, ""},
		"empty JSON":           {answer(200, json, ""), jenkins.ErrGarbage, ""},
		"empty object":         {answer(200, json, "{}"), jenkins.ErrGarbage, ""},
		"null":                 {answer(200, json, "null"), jenkins.ErrGarbage, ""},
		"null fields":          {answer(200, json, `{"quietingDown":null,"items":null,"computer":null,"jobs":null,"building":null,"name":null}`), jenkins.ErrGarbage, ""},
		"cut-off JSON":         {answer(200, json, `{"quietingDown":false,"items":[{"id":1`), jenkins.ErrGarbage, ""},
		"wrong types":          {answer(200, json, `{"quietingDown":"x","items":{},"computer":7,"jobs":"","building":3,"name":[]}`), jenkins.ErrGarbage, ""},
		"redirect to a login":  {answer(302, html, "", "Location", "https://sso.example/login?token=xyz"), jenkins.ErrGarbage, "https://sso.example/login"},
		"redirect to https":    {answer(301, html, "", "Location", "https://jenkins.example/ci/queue"), jenkins.ErrGarbage, "https://jenkins.example/ci/queue"},
		"redirect to nowhere":  {answer(302, html, ""), jenkins.ErrGarbage, ""},
		"401":                  {answer(401, html, loud), jenkins.ErrUnauthorized, `user "prov"`},
		"403":                  {answer(403, html, loud, "X-Required-Permission", "hudson.model.Computer.Create"), jenkins.ErrForbidden, "Agent/Create"},
		"403 without a header": {answer(403, html, loud), jenkins.ErrForbidden, `user "prov"`},
		"404":                  {answer(404, html, strings.Repeat("<p>Oops</p>", 9000)), jenkins.ErrNotFound, ""},
		"502":                  {answer(502, html, loud), jenkins.ErrUnavailable, ""},
		"503":                  {answer(503, html, "<h1>Jenkins is getting ready to work</h1>"), jenkins.ErrUnavailable, "getting ready"},
		"504":                  {answer(504, html, ""), jenkins.ErrUnavailable, ""},
		"connection breaks":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, jenkins.ErrUnavailable, ""},
		"body breaks":          {brokenBody, jenkins.ErrUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, test.handler)
			for call, do := range calls {
				err := do(t.Context(), c)
				if !errors.Is(err, test.want) {
					t.Errorf("%s: %v, want %v", call, err, test.want)
					continue
				}
				check(t, call, err)
				if !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: %q does not say %q", call, err, test.says)
				}
			}
		})
	}
}

// check wants an error of the client's that says where, is short, and gives
// no secret away.
func check(t *testing.T, call string, err error) {
	t.Helper()
	var e *jenkins.Error
	if !errors.As(err, &e) || e.Op == "" {
		t.Errorf("%s: %#v is no *Error with an Op", call, err)
	}
	text := fmt.Sprintf("%v %+v", err, err)
	for _, secret := range []string{token, base64.StdEncoding.EncodeToString([]byte("prov:" + token)), "token=xyz", "tree="} {
		if strings.Contains(text, secret) {
			t.Errorf("%s: %q gives away %q", call, text, secret)
		}
	}
	if len(err.Error()) > 700 || !strings.Contains(err.Error(), "http://127.0.0.1:") {
		t.Errorf("%s: %d characters, or no place: %.200s", call, len(err.Error()), err)
	}
}

func brokenBody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, `{"quietingDown":false`)
	panic(http.ErrAbortHandler)
}

// A status that stands for nothing is an error too, with Jenkins' own words.
func TestOtherStatus(t *testing.T) {
	c := serve(t, answer(500, "text/html", "<html><head><title>x</title><style>p{}</style></head><body><p>Oops!  A&amp;B</p>"+strings.Repeat("long ", 400)))
	for call, do := range calls {
		err := do(t.Context(), c)
		check(t, call, err)
		var e *jenkins.Error
		if !errors.As(err, &e) || e.Status != 500 || !strings.HasPrefix(e.Message, "Oops! A&B long") || len([]rune(e.Message)) > 200 {
			t.Errorf("%s: %+v", call, err)
		}
		for _, kind := range []error{jenkins.ErrNotFound, jenkins.ErrExists, jenkins.ErrUnavailable, jenkins.ErrGarbage} {
			if errors.Is(err, kind) {
				t.Errorf("%s: a 500 is %v", call, kind)
			}
		}
	}
	c = serve(t, answer(400, "text/html", "", "X-Error", "Agent called  n  already exists"))
	if err := c.CreateNode(t.Context(), jenkins.NodeSpec{Name: "n"}); !errors.Is(err, jenkins.ErrExists) {
		t.Errorf("a clash of names is %v", err)
	}
}

// Too long an answer is an error, and is not read to its end.
func TestTooLarge(t *testing.T) {
	const most = 200
	sent := make(chan int, 1)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Error("the client does not ask for gzip")
		}
		w.Header().Set("Content-Type", "application/json")
		megabyte := make([]byte, 1<<20)
		for n := range most {
			if _, err := w.Write(megabyte); err != nil {
				sent <- n
				return
			}
		}
		sent <- most
	})
	_, err := c.Jobs(t.Context(), "")
	if !errors.Is(err, jenkins.ErrTooLarge) {
		t.Errorf("200 MB: %v", err)
	}
	check(t, "Jobs", err)
	if n := <-sent; n > 60 {
		t.Errorf("%d MB were read", n)
	}
}

// A Jenkins that hangs is given up when the caller goes, which is the
// caller's error, or when the time is over, which is Jenkins'.
func TestHanging(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // else the server does not notice that the caller goes
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	patient, hasty := client(t, jenkins.Config{URL: server.URL}), client(t, jenkins.Config{URL: server.URL, Timeout: 20 * time.Millisecond})
	for call, do := range calls {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if err := do(ctx, patient); !errors.Is(err, context.Canceled) || errors.Is(err, jenkins.ErrUnavailable) {
			t.Errorf("%s: the caller goes: %v", call, err)
		}
		err := do(t.Context(), hasty)
		if !errors.Is(err, jenkins.ErrUnavailable) || !strings.Contains(err.Error(), "20ms") {
			t.Errorf("%s: Jenkins hangs: %v", call, err)
		}
		check(t, call, err)
	}
	server.Close()
	for call, do := range calls {
		err := do(t.Context(), patient)
		if !errors.Is(err, jenkins.ErrUnavailable) {
			t.Errorf("%s: nobody listens: %v", call, err)
		}
		check(t, call, err)
	}
}

// No POST is ever sent twice or elsewhere, and names are escaped.
func TestRequests(t *testing.T) {
	var got []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		got = append(got, r.Method+" "+r.RequestURI)
		if user != "prov" || pass != token {
			t.Errorf("%s: as %q", r.RequestURI, user)
		}
		http.Redirect(w, r, "/ci/elsewhere", http.StatusTemporaryRedirect)
	})
	ctx := t.Context()
	c.Stop(ctx, ref)
	c.Run(ctx, ref)
	c.Jobs(ctx, "x y/z")
	c.DeleteNode(ctx, "a b;c?d%")
	c.Cancel(ctx, 7)
	want := []string{
		"POST /ci/job/a/job/b%20c/job/d%23%C3%A9/12/stop",
		"GET /ci/job/a/job/b%20c/job/d%23%C3%A9/12/api/json?tree=building%2CinProgress%2Cresult%2Ctimestamp%2Cduration",
		"GET /ci/job/x%20y/job/z/api/json?tree=jobs%5BfullName%2CnextBuildNumber%2Cbuildable%2CinQueue%2ClastBuild%5Bnumber%2Cbuilding%5D%5D",
		"POST /ci/computer/a%20b%3Bc%3Fd%25/doDelete",
		"POST /ci/queue/cancelItem?id=7",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	got = nil
	for _, bad := range []jenkins.Ref{{}, {Job: "a"}, {Job: "a//b", Number: 1}, {Job: "a/../b", Number: 1}, {Job: "a", Number: -1}} {
		if _, err := c.Run(ctx, bad); err == nil {
			t.Errorf("Run of %+v is no error", bad)
		}
		if err := c.Stop(ctx, bad); err == nil {
			t.Errorf("Stop of %+v is no error", bad)
		}
	}
	if len(got) != 0 {
		t.Errorf("a bad name went out: %v", got)
	}
}

// A configuration that cannot work, or that would show its secret, is
// refused without repeating it.
func TestNew(t *testing.T) {
	const secret = "hunter2"
	for name, config := range map[string]jenkins.Config{
		"user in URL":   {URL: "https://me:" + secret + "@jenkins.example"},
		"bad port":      {URL: "https://jenkins.example:" + secret},
		"bad escape":    {URL: "https://me:" + secret + "%zz@jenkins.example"},
		"no scheme":     {URL: "jenkins.example"},
		"another":       {URL: "ftp://jenkins.example"},
		"no host":       {URL: "https:///ci"},
		"query":         {URL: "https://jenkins.example/?token=" + secret},
		"fragment":      {URL: "https://jenkins.example/#" + secret},
		"token in user": {URL: "https://jenkins.example", User: "me:" + secret, Token: "x"},
		"no token":      {URL: "https://jenkins.example", User: "me"},
		"no user":       {URL: "https://jenkins.example", Token: secret},
		"timeout":       {URL: "https://jenkins.example", Timeout: -1},
	} {
		_, err := jenkins.New(config)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	config := jenkins.Config{URL: "https://jenkins.example/ci", User: "prov", Token: secret}
	c, err := jenkins.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v %s %v %+v %#v", config, config, config, config, c, c, c); strings.Contains(text, secret) || !strings.Contains(text, "https://jenkins.example/ci") {
		t.Errorf("printed: %s", text)
	}
}
