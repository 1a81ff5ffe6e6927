package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

func ids(leases []api.Lease) string {
	var all []string
	for _, l := range leases {
		all = append(all, l.ID)
	}
	return strings.Join(all, " ")
}

func TestLeases(t *testing.T) {
	f := newFixture(t)
	for query, want := range map[string]string{
		"":                                    "nheld nspare nbusy nwaits nearly",
		"?state=busy,wanted":                  "nbusy nwaits",
		"?cloud=aws":                          "nheld nspare nbusy nearly",
		"?pool=standard&team=settlement-team": "nheld nbusy nwaits nearly",
		"?pool=other":                         "",
		"?job=live-1/settlement/**":           "nheld nbusy",
		"?job=" + hourly:                      "nwaits nearly",
		"?job=*/capture/hourly&state=ready":   "nearly",
	} {
		got := must[api.LeasePage](f, 200, console.Read, "GET", "/api/v1/leases"+query, "")
		if ids(got.Leases) != want || got.Total != len(got.Leases) || got.Next != "" {
			t.Errorf("%s: %q, %d in all, next %q; want %q", query, ids(got.Leases), got.Total, got.Next, want)
		}
	}
}

// Pages miss nothing and repeat nothing, also of leases that were made at one
// time.
func TestPages(t *testing.T) {
	f := newFixture(t)
	for i := range 5 {
		f.add(nodes.Lease{ID: fmt.Sprintf("same-%d", i), Job: "a/b/c", Number: i + 1, Created: ago(time.Hour)})
	}
	var leases, runs string
	for limit := range 4 {
		leases, runs = "", ""
		cursor := ""
		for range 20 { // more pages than there can be
			page := must[api.LeasePage](f, 200, console.Read, "GET", fmt.Sprintf("/api/v1/leases?limit=%d&cursor=%s", limit+1, cursor), "")
			if leases += ids(page.Leases) + " "; page.Total != 10 {
				t.Errorf("%d in all", page.Total)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		cursor = ""
		for range 20 {
			page := must[api.RunPage](f, 200, console.Read, "GET", fmt.Sprintf("/api/v1/runs?limit=%d&cursor=%s", limit+1, cursor), "")
			runs += ids(page.Runs) + " "
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if want := "nheld same-0 same-1 same-2 same-3 same-4 nspare nbusy nwaits nearly "; leases != want {
			t.Errorf("pages of %d: %s, want %s", limit+1, leases, want)
		}
		if want := "nearly nwaits nbusy same-4 same-3 same-2 same-1 same-0 nheld nfailed "; runs != want {
			t.Errorf("pages of %d: %s, want %s", limit+1, runs, want)
		}
	}
}

func TestRuns(t *testing.T) {
	f := newFixture(t)
	for query, want := range map[string]string{
		"?job=" + daily:                "nbusy nfailed",
		"?job=live-1/settlement/**":    "nbusy nheld nfailed",
		"?job=live-1/nothing/*":        "",
		"?job=live-*/settlement/*-re*": "nheld",
	} {
		if got := must[api.RunPage](f, 200, console.Read, "GET", "/api/v1/runs"+query, ""); ids(got.Runs) != want {
			t.Errorf("%s: %q, want %q", query, ids(got.Runs), want)
		}
	}
}

// How long a run has waited is told by one clock, and nothing is told of what
// did not wait.
func TestWaited(t *testing.T) {
	f := newFixture(t)
	got := map[string]string{}
	page := must[api.RunPage](f, 200, console.Read, "GET", "/api/v1/runs", "")
	for _, l := range page.Runs {
		got[l.ID] = "-"
		if l.Waited != nil {
			got[l.ID] = fmt.Sprint(*l.Waited)
		}
	}
	if diff := cmp.Diff(map[string]string{"nbusy": "33", "nfailed": "33", "nheld": "60", "nwaits": "90", "nearly": "-"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A run is shown with all its attempts; the builds of one number that a job
// made anew has had twice stand apart.
func TestRun(t *testing.T) {
	f := newFixture(t)
	second := f.lease("nfailed")
	second.ID, second.Attempt, second.Created = "nsecond", 2, second.Created.Add(time.Hour)
	f.add(second)
	anew := second
	anew.ID, anew.VM, anew.Attempt, anew.Started, anew.Created, anew.Controller = "nanew", "", 1, noon.UnixMilli(), noon, "other"
	f.add(anew) // on a controller that is not configured any more
	got := must[api.Run](f, 200, console.Read, "GET", "/api/v1/runs/"+daily+"/122", "")
	var shown []string
	for _, life := range got.Lives {
		for _, a := range life.Attempts {
			shown = append(shown, fmt.Sprintf("%s %s %s %d entries", life.Controller, life.Started.Format(time.RFC3339), a.Lease.ID, len(a.Timeline)))
		}
	}
	want := []string{"other 2026-07-01T12:00:00Z nanew 1 entries", "main 2026-06-30T12:00:00Z nfailed 4 entries", "main 2026-06-30T12:00:00Z nsecond 1 entries"}
	if diff := cmp.Diff(want, shown); diff != "" || got.Job != daily || got.Number != 122 {
		t.Errorf("%s#%d (-want +got):\n%s", got.Job, got.Number, diff)
	}
	if d := got.Lives[1].Attempts[0]; d.UsualBoot != 30 || d.Lease.Boot != 30 {
		t.Errorf("it booted in %v s, usual %v; want 30 both", d.Lease.Boot, d.UsualBoot)
	}
}

// The latest run is one that there is, before one that is only expected.
func TestLatestRun(t *testing.T) {
	f := newFixture(t)
	for job, want := range map[string]int{hourly: 7, daily: 123} {
		if got := must[api.Run](f, 200, console.Read, "GET", "/api/v1/runs/"+job+"/latest", ""); got.Number != want {
			t.Errorf("the latest run of %s is #%d, want #%d", job, got.Number, want)
		}
	}
	for target, has := range map[string]string{
		"live-1/settlement/dialy-settlement/1":      "no run of a job live-1/settlement/dialy-settlement is known; nearest: " + daily,
		"live-1/settlement/dialy-settlement/latest": "nearest: " + daily,
		"live-2/settlement/daily-settlement/latest": "is in the catalog, but no run of it is known",
		"x/y/z/1": "no run of a job x/y/z is known\"",
	} {
		if w := f.ask(console.Read, "GET", "/api/v1/runs/"+target, ""); w.Code != 404 || !strings.Contains(w.Body.String(), has) {
			t.Errorf("%s: %d %s, want 404 with %q", target, w.Code, w.Body, has)
		}
	}
}

func TestPools(t *testing.T) {
	f := newFixture(t)
	f.add(nodes.Lease{ID: "nold", Job: "a/b/c", Number: 1, Pool: "old", Created: noon})
	got := must[api.Pools](f, 200, console.Read, "GET", "/api/v1/pools", "")
	want := []api.Pool{
		{Name: "large", Configured: true, States: map[string]int{}, Places: []api.Place{{Name: "aws-large", Cloud: "aws"}}, Drained: &api.Drain{By: "lee", Reason: "new image", At: ago(time.Hour)}},
		{Name: "old", States: map[string]int{"wanted": 1}, Places: []api.Place{}},
		{
			Name: "standard", Configured: true, Limit: 200, Machines: 4, States: map[string]int{"wanted": 1, "ready": 2, "busy": 1, "releasing": 1},
			Spares: 1, SparesNow: 1, Ahead: true, Lead: 36, Places: []api.Place{{Name: "idc-seoul", Cloud: "idc"}, {Name: "aws-apne2", Cloud: "aws"}},
		},
	}
	if diff := cmp.Diff(want, got.Pools); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := must[api.Pool](f, 200, console.Operate, "POST", "/api/v1/pools/large/resume", ""); p.Drained != nil {
		t.Errorf("%+v", p.Drained)
	}
	if drained, err := f.store.Drained(context.Background()); len(drained) != 0 || err != nil {
		t.Errorf("%v, %v", drained, err)
	}
}

// The client says what was asked, what went wrong and what to do, and never
// the token.
func TestClient(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewServer(f.handler)
	defer server.Close()
	gone := httptest.NewServer(f.handler)
	gone.Close()
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<h1>Bad gateway</h1>", http.StatusBadGateway)
	}))
	defer html.Close()
	moved := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/", http.StatusFound))
	defer moved.Close()
	for _, c := range []struct{ url, token, has string }{
		{server.URL, "token-of-nobody", "needs a token with the role operate; the one of nobody has none"},
		{server.URL, "token-of-kim", "needs a token with the role operate; the one of kim has read"},
		{server.URL, "token-of-no-one", "does not know the token; look at BATCHCTL_TOKEN"},
		{gone.URL, "token-of-kim", "connection refused; is the provisioner running there (BATCHCTL_PROVISIONER)?"},
		{html.URL, "token-of-kim", "answers 502 Bad Gateway, and not as a provisioner does"},
		{moved.URL, "token-of-kim", "sends everybody on to https://elsewhere.example/"},
		{"http://no.such.host.invalid", "token-of-kim", "BATCHCTL_PROVISIONER"},
		{"provisioner.example", "token-of-kim", "is no http or https URL"},
		{"https://user:password@provisioner.example", "token-of-kim", "holds a user"},
		{server.URL, "token-of-kim\nsecond", "the token holds a space"},
	} {
		client, err := api.New(c.url, c.token)
		if err == nil {
			_, err = client.Drain(t.Context(), "standard", "x")
		}
		if err == nil || !strings.Contains(err.Error(), c.has) || strings.Contains(err.Error(), "token-of") || strings.Contains(err.Error(), "password@") {
			t.Errorf("%s with %q: %v, want an error with %q", c.url, c.token, err, c.has)
		}
	}
	client, err := api.New(server.URL+"/", "token-of-lee")
	if err != nil {
		t.Fatal(err)
	}
	hold, err := client.Hold(t.Context(), "nbusy", api.HoldRequest{For: 60, Reason: "x"})
	if err != nil || !hold.Until.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v, %v", hold, err)
	}
	if _, err := client.Release(t.Context(), "nbusy"); err != nil {
		t.Error(err)
	}
	if d, err := client.Lease(t.Context(), "nbusy"); err != nil || len(d.Timeline) != 4 {
		t.Errorf("%+v, %v", d, err)
	}
	if all, err := client.AllLeases(t.Context(), api.LeaseFilter{States: []string{"busy", "wanted"}}); err != nil || ids(all) != "nbusy nwaits" {
		t.Errorf("%v, %v", all, err)
	}
	if p, err := client.Resume(t.Context(), "large"); err != nil || p.Drained != nil {
		t.Errorf("%+v, %v", p, err)
	}
}
