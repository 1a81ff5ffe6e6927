package openstack

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// What Nova's answers to a create mean; the texts are those of a real one.
var answers = map[string]struct {
	status int
	body   string
	class  nodes.Class
	says   string // a part of the error
}{
	"servers":      {403, `{"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1, but already used 2 of 2 instances"}}`, nodes.Quota, "the quota of project demo is full (120 of 120 servers): POST"},
	"policy":       {403, `{"forbidden": {"code": 403, "message": "Policy doesn't allow os_compute_api:servers:create to be performed."}}`, nodes.Configuration, "Policy doesn't allow"},
	"ports":        {403, `{"forbidden": {"code": 403, "message": "Maximum number of ports exceeded"}}`, nodes.Quota, "ports"},
	"zone":         {400, `{"badRequest": {"code": 400, "message": "The requested availability zone is not available"}}`, nodes.Configuration, "zone is not available"},
	"addresses":    {400, `{"badRequest": {"code": 400, "message": "No fixed IP addresses available for network: x"}}`, nodes.NoCapacity, "No fixed IP"},
	"not there":    {404, `{"itemNotFound": {"code": 404, "message": "x could not be found."}}`, nodes.Configuration, "could not be found"},
	"old Nova":     {406, `{"computeFault": {"code": 406, "message": "Version 2.67 is not supported by the API. Minimum is 2.1 and maximum is 2.60."}}`, nodes.Configuration, "maximum is 2.60"},
	"conflict":     {409, `{"conflictingRequest": {"code": 409, "message": "Port x is still in use."}}`, nodes.Unsure, "in use"},
	"too large":    {413, `{"overLimit": {"code": 413, "message": "This request was rate-limited."}}`, nodes.Throttled, "rate-limited"},
	"old quota":    {413, `{"overLimit": {"code": 413, "message": "VolumeLimitExceeded: quota"}}`, nodes.Quota, "quota"},
	"too many":     {429, `slow down`, nodes.Throttled, "429"},
	"token":        {401, `{"error": {"code": 401, "message": "The request you have made requires authentication."}}`, nodes.Configuration, "requires authentication"},
	"own fault":    {500, `{"computeFault": {"code": 500, "message": "Unexpected API Error."}}`, nodes.Unsure, "Unexpected API Error"},
	"proxy":        {502, `<html>Bad Gateway</html>`, nodes.Unsure, "without a word"},
	"firewall":     {403, `<html>Forbidden</html>`, nodes.Unsure, "without a word"},
	"login page":   {200, `<html>Welcome</html>`, nodes.Unsure, ""},
	"nothing":      {202, ``, nodes.Unsure, ""},
	"half":         {202, `{"server": {"id": `, nodes.Unsure, ""},
	"other JSON":   {202, `[]`, nodes.Unsure, ""},
	"no ID":        {202, `{"server": {}}`, nodes.Unsure, "gave the ID"},
	"an odd ID":    {202, `{"server": {"id": "../../etc"}}`, nodes.Unsure, "gave the ID"},
	"a maintained": {503, `<html>Back soon</html>`, nodes.Unsure, "503"},
}

const fullLimits = `{"limits": {"absolute": {"maxTotalInstances": 120, "totalInstancesUsed": 120, "maxTotalCores": -1, "totalCoresUsed": 500, "maxTotalRAMSize": 9000, "totalRAMUsed": 1}}}`

// Each answer has its class, and its words reach whoever reads the error. A
// claim is let go where it is certain that nothing was made, and kept where
// it is not.
func TestAnswers(t *testing.T) {
	for name, test := range answers {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.answer("GET /compute/v2.1/limits", 200, fullLimits)
			f.answer("POST /compute/v2.1/servers", test.status, test.body)
			d := f.driver()
			o := f.order(d, 1)
			vms, err := d.Launch(context.Background(), o)
			if err == nil || len(vms) > 0 || nodes.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v and %v (%s), want class %q and %q", vms, err, nodes.ClassOf(err), test.class, test.says)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %q", err)
			}
			certain := test.status >= 400 && test.status < 500 && !strings.HasPrefix(test.body, "<")
			if kept := len(f.called("DELETE /compute/v2.1/os-keypairs/*")) == 0; kept == certain {
				t.Errorf("the claim is kept: %v", kept)
			}
		})
	}
}

// An error of a class says what it is about, in the words of the offers.
func TestScopes(t *testing.T) {
	for name, want := range map[string]string{"servers": projectScope, "zone": "m1.tiny any zone", "addresses": "m1.tiny any zone"} {
		f := newFake(t)
		f.answer("GET /compute/v2.1/limits", 200, fullLimits)
		f.answer("POST /compute/v2.1/servers", answers[name].status, answers[name].body)
		d := f.driver()
		o := f.order(d, 1)
		_, err := d.Launch(context.Background(), o)
		if got := scopeIn(err); got != want || !contains(o.Offer.Scopes, got) {
			t.Errorf("%s: the scope is %q of %v, want %q", name, got, o.Offer.Scopes, want)
		}
	}
}

// Why a server was given up is asked for where the list does not say it, once.
func TestFaults(t *testing.T) {
	for message, want := range map[string]nodes.Class{
		"No valid host was found. ":                                                       nodes.NoCapacity,
		"No fixed IP addresses available for network: x":                                  nodes.NoCapacity,
		"Quota exceeded for instances: Requested 1, but already used 10 of 10 instances":  nodes.Quota,
		"Exceeded maximum number of retries. Exhausted all hosts available for retrying.": nodes.Unsure,
		"Build of instance x aborted: Failed to provision instance":                       nodes.Unsure,
		"": nodes.Unsure,
	} {
		f := newFake(t)
		server := aServer(1, "ERROR", "batchctl:owner=own", "batchctl:order=o-1")
		f.answer("GET /compute/v2.1/servers/detail", 200, asJSON(t, map[string]any{"servers": []any{server}}))
		full := aServer(1, "ERROR", "batchctl:owner=own")
		full["fault"] = map[string]any{"code": 500, "message": message, "created": "2026-01-01T00:00:00Z"}
		f.answer("GET /compute/v2.1/servers/*", 200, asJSON(t, map[string]any{"server": full}))
		d := f.driver()
		for range 2 {
			vms, err := d.List(context.Background())
			if err != nil || len(vms) != 1 || vms[0].State != nodes.VMEnding || nodes.ClassOf(vms[0].Err) != want || vms[0].Err == nil {
				t.Fatalf("%q: %+v, %v", message, vms, err)
			}
			if want == nodes.NoCapacity && scopeIn(vms[0].Err) != "m1.tiny az-1" {
				t.Errorf("%q has the scope %q", message, scopeIn(vms[0].Err))
			}
		}
		if asked := len(f.called("GET /compute/v2.1/servers/" + full["id"].(string))); asked != 1 {
			t.Errorf("the reason was asked for %d times", asked)
		}
	}
}

// A host that asks to be left alone is left alone for that long.
func TestRetryAfter(t *testing.T) {
	f := newFake(t)
	now := time.Unix(1e9, 0)
	d := f.driver(func(c *Config) { c.Now = func() time.Time { return now } })
	if _, err := d.List(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, form := range []func() string{
		func() string { return "20" },
		func() string { return now.Add(20 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		header := form()
		f.answer("GET /compute/v2.1/servers/detail", 503, "busy", "Retry-After", header)
		_, err := d.List(context.Background())
		if nodes.ClassOf(err) != nodes.Throttled {
			t.Errorf("503 with Retry-After %s: %v", header, err)
		}
		f.answer("GET /compute/v2.1/servers/detail", 200, `{"servers": []}`)
		before := len(f.called("GET /compute/v2.1/servers/detail"))
		if _, err := d.List(context.Background()); nodes.ClassOf(err) != nodes.Throttled || !strings.Contains(err.Error(), "another 20s") {
			t.Errorf("within Retry-After %s: %v", header, err)
		}
		if after := len(f.called("GET /compute/v2.1/servers/detail")); after != before {
			t.Errorf("%d calls went out within Retry-After", after-before)
		}
		now = now.Add(21 * time.Second)
		if _, err := d.List(context.Background()); err != nil {
			t.Errorf("after Retry-After %s: %v", header, err)
		}
	}
}

// New needs no cloud; calls say that there is none, and nothing more.
func TestNoCloud(t *testing.T) {
	f := newFake(t)
	d := f.driver()
	f.Close()
	_, offersErr := d.Offers(context.Background(), "here", need)
	_, listErr := d.List(context.Background())
	for _, err := range []error{offersErr, listErr, d.Destroy(context.Background(), "33333333-0000-0000-0000-000000000001")} {
		if err == nil || nodes.ClassOf(err) != nodes.Unsure {
			t.Errorf("without a cloud: %v (%s)", err, nodes.ClassOf(err))
		}
	}
}

// A login that was refused is not tried with every call: Keystone may lock
// the user out.
func TestRefusedLogin(t *testing.T) {
	f := newFake(t)
	login := f.routes["POST /v3/auth/tokens"]
	f.answer("POST /v3/auth/tokens", 401, answers["token"].body)
	now := time.Unix(1e9, 0)
	d := f.driver(func(c *Config) { c.Now = func() time.Time { return now } })
	for range 3 {
		if _, err := d.Offers(context.Background(), "here", need); nodes.ClassOf(err) != nodes.Configuration || !strings.Contains(err.Error(), "log in at") {
			t.Errorf("got %v", err)
		}
	}
	if n := len(f.called("POST /v3/auth/tokens")); n != 1 {
		t.Errorf("%d logins were tried", n)
	}
	f.handle("POST /v3/auth/tokens", login)
	now = now.Add(loginPause)
	if _, err := d.Offers(context.Background(), "here", need); err != nil {
		t.Errorf("later: %v", err)
	}
}

func scopeIn(err error) string {
	for err != nil {
		if e, ok := err.(*nodes.CloudError); ok {
			return e.Scope
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return ""
		}
		err = u.Unwrap()
	}
	return ""
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
