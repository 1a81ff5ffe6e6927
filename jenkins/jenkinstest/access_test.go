package jenkinstest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// Each change needs its permission, and the error names it.
func TestPermissions(t *testing.T) {
	w := newWorld(t)
	w.job("j", jenkinstest.JobSpec{})
	w.node("n", "x")
	w.Server.Trigger("j")
	item := w.look().Queue[0].ID
	run := jenkins.Ref{Job: "j", Number: 1}
	for permission, do := range map[string]func(context.Context, *jenkins.Client) error{
		"Agent/Create": func(ctx context.Context, c *jenkins.Client) error {
			return c.CreateNode(ctx, jenkins.NodeSpec{Name: "m"})
		},
		"Agent/Connect":      func(ctx context.Context, c *jenkins.Client) error { _, err := c.Secret(ctx, "n"); return err },
		"Agent/Disconnect":   func(ctx context.Context, c *jenkins.Client) error { return c.SetOffline(ctx, "n", "x") },
		"Agent/Delete":       func(ctx context.Context, c *jenkins.Client) error { return c.DeleteNode(ctx, "n") },
		"Job/Cancel":         func(ctx context.Context, c *jenkins.Client) error { return c.Stop(ctx, run) },
		"Job/Cancel (":       func(ctx context.Context, c *jenkins.Client) error { return c.Cancel(ctx, item) },
		"Run/Update":         func(ctx context.Context, c *jenkins.Client) error { return c.Describe(ctx, run, "x") },
		"Agent/ExtendedRead": func(ctx context.Context, c *jenkins.Client) error { return c.Seal(ctx, "n", "x") },
	} {
		w.AddUser("poor", jenkinstest.OverallRead, jenkinstest.JobRead)
		err := do(t.Context(), w.Client("poor"))
		if !errors.Is(err, jenkins.ErrForbidden) || !strings.Contains(err.Error(), permission) || !strings.Contains(err.Error(), `"poor"`) {
			t.Errorf("without %s: %v", permission, err)
		}
	}
	w.AddUser("reader", jenkinstest.OverallRead, "hudson.model.Computer.ExtendedRead")
	if err := w.Client("reader").Seal(t.Context(), "n", "x"); !errors.Is(err, jenkins.ErrForbidden) || !strings.Contains(err.Error(), "Agent/Configure") {
		t.Errorf("without Agent/Configure: %v", err)
	}
	w.AddUser("blind", jenkinstest.OverallRead)
	look, err := w.Client("blind").Look(t.Context())
	if err != nil || len(look.Queue) != 0 {
		t.Errorf("without Job/Read the queue is %v, %v", look.Queue, err)
	}
	if _, err := w.Client("blind").Run(t.Context(), run); !errors.Is(err, jenkins.ErrNotFound) {
		t.Errorf("without Job/Read a run is %v", err)
	}
	w.job("k", jenkinstest.JobSpec{Label: func(int) string { return "x" }})
	w.Server.Trigger("k")
	look, _ = w.Client("blind").Look(t.Context())
	if n := look.Nodes[1]; n.Idle || len(n.Running) != 1 || n.Running[0] != (jenkins.Ref{}) {
		t.Errorf("without Job/Read a busy node is %+v", n)
	}
	w.AddUser("nobody")
	if _, err := w.Client("nobody").Look(t.Context()); !errors.Is(err, jenkins.ErrForbidden) || !strings.Contains(err.Error(), "Overall/Read") {
		t.Errorf("without Overall/Read: %v", err)
	}
}

// A password needs a crumb of its session for every POST, a token does not.
func TestCrumbs(t *testing.T) {
	w := newWorld(t)
	post := func(crumb string, cookies []*http.Cookie) int {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://jenkins.test/quietDown", nil)
		req.SetBasicAuth(jenkinstest.Admin, jenkinstest.Password(jenkinstest.Admin))
		req.Header.Set("Jenkins-Crumb", crumb)
		for _, c := range cookies {
			req.AddCookie(c)
		}
		res, err := w.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://jenkins.test/crumbIssuer/api/json", nil)
	req.SetBasicAuth(jenkinstest.Admin, jenkinstest.Password(jenkinstest.Admin))
	res, err := w.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_, rest, _ := strings.Cut(string(body), `"crumb":"`)
	crumb, _, _ := strings.Cut(rest, `"`)
	for name, got := range map[string]int{"without": post("", nil), "wrong": post("x", res.Cookies()), "without a session": post(crumb, nil)} {
		if got != http.StatusForbidden {
			t.Errorf("%s crumb: %d", name, got)
		}
	}
	if got := post(crumb, res.Cookies()); got != http.StatusFound {
		t.Errorf("with a crumb: %d", got)
	}
}

// Every fault is an error at the client's, and only DropReply has an effect.
func TestFaults(t *testing.T) {
	for fault, want := range map[jenkinstest.Fault]error{
		jenkinstest.DropRequest: jenkins.ErrUnavailable, jenkinstest.DropReply: jenkins.ErrUnavailable, jenkinstest.Error500: nil,
		jenkinstest.Error503: jenkins.ErrUnavailable, jenkinstest.LoginPage: jenkins.ErrGarbage, jenkinstest.Garbage: jenkins.ErrGarbage, jenkinstest.Slow: jenkins.ErrUnavailable,
	} {
		w := newWorld(t)
		server := httptest.NewServer(w.Server)
		t.Cleanup(server.Close)
		socket, err := jenkins.New(jenkins.Config{URL: server.URL, User: jenkinstest.Admin, Token: jenkinstest.Token(jenkinstest.Admin), Timeout: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for how, client := range map[string]*jenkins.Client{"in process": w.client, "socket": socket} {
			w.Fail(func(method, path string) jenkinstest.Fault { return fault })
			_, err := client.Look(t.Context())
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: fault %d: a look is %v, want %v", how, fault, err, want)
			}
			err = client.CreateNode(t.Context(), jenkins.NodeSpec{Name: how})
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: fault %d: create is %v, want %v", how, fault, err, want)
			}
			w.Fail(nil)
			made := false
			for _, node := range w.Nodes() {
				made = made || node.Name == how
			}
			if made != (fault == jenkinstest.DropReply) {
				t.Errorf("%s: fault %d: the node is there: %v", how, fault, made)
			}
		}
	}
}

// A restart between the calls of one Look is told; so is an outage.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	w.Fail(func(_, path string) jenkinstest.Fault {
		if path == "/computer/api/json" {
			w.Restart()
		}
		return jenkinstest.NoFault
	})
	if _, err := w.client.Look(t.Context()); !errors.Is(err, jenkins.ErrRestarted) {
		t.Errorf("restarted within a look: %v", err)
	}
	w.Fail(nil)
	for _, status := range []int{0, 503} {
		w.Down(status)
		if _, err := w.client.Look(t.Context()); !errors.Is(err, jenkins.ErrUnavailable) {
			t.Errorf("down with %d: %v", status, err)
		}
		w.Up()
		w.look()
	}
}

// Without tree= a waiting run shows nothing of itself, as in Jenkins; a
// broken tree is a 500.
func TestTree(t *testing.T) {
	w := newWorld(t)
	w.job("a/j", jenkinstest.JobSpec{})
	w.Server.Trigger("a/j")
	get := func(query string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://jenkins.test/queue/api/json?"+query, nil)
		req.SetBasicAuth(jenkinstest.Admin, jenkinstest.Token(jenkinstest.Admin))
		res, err := w.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	w.TriggerIn("a/j", time.Hour)
	if _, body := get("tree=items[task[url]]"); !strings.Contains(body, `"url":"http://jenkins.test/job/a/job/j/"`) {
		t.Errorf("a job that has not started: %s", body)
	}
	w.Server.Cancel(3)
	if _, body := get(""); strings.Contains(body, "job/a") || !strings.Contains(body, `"task":{"_class":"org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask"}`) {
		t.Errorf("without a tree: %s", body)
	}
	const want = `{"_class":"hudson.model.Queue","items":[{"_class":"hudson.model.Queue$BuildableItem","id":2,` +
		`"task":{"_class":"org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask","url":"job/a/job/j/1/"}}]}`
	if _, body := get("tree=" + url.QueryEscape("items[id,task[url]]{0,20}")); body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	if status, body := get("tree=items[id"); status != http.StatusInternalServerError || len(body) < 20_000 {
		t.Errorf("a broken tree: %d, %d bytes", status, len(body))
	}
}
