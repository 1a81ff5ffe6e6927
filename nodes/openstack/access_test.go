package openstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servergroups"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes"
)

var update = flag.Bool("update", false, "write docs/openstack-access-rules.json anew")

var variable = regexp.MustCompile(`\\\{[a-z]+\\\}`)

// rule returns which of the rules allows a call; nil: none does. A fixed path
// goes before one with a variable.
func rule(service, method, path string) *AccessRule {
	var found *AccessRule
	for _, r := range AccessRules() {
		form := regexp.MustCompile("^" + variable.ReplaceAllString(regexp.QuoteMeta(r.Path), "[^/]+") + "$")
		if r.Service == service && r.Method == method && form.MatchString(path) && (found == nil || r.Path == path) {
			found = &r
		}
	}
	return found
}

// used returns the rules that the lab's drivers have used so far. A call that
// no rule allows is an error; logins and the lists of versions need no token.
func (l *lab) used() map[AccessRule]bool {
	l.Helper()
	s := l.member()
	services := map[string]string{}
	for name, endpoint := range map[string]string{"compute": s.compute.Endpoint, "network": s.network.Endpoint, "image": s.image.Endpoint, "identity": l.project.AuthURL} {
		u, err := url.Parse(endpoint)
		l.must(err)
		services[u.Host] = name
	}
	used := map[AccessRule]bool{}
	for _, c := range l.proxy.Calls() {
		service := services[c.URL.Host]
		if c.Method == "POST" && service == "identity" && c.URL.Path == "/v3/auth/tokens" || c.Method == "GET" && c.URL.Path == "/" {
			continue
		}
		r := rule(service, c.Method, c.URL.Path)
		if r == nil {
			l.Errorf("no rule allows %s %s of the service %q: add it to AccessRules", c.Method, c.URL.Path, service)
			continue
		}
		used[*r] = true
	}
	return used
}

// A driver with an application credential of exactly AccessRules can do all
// it ever does, and does use each of them.
func TestAccessRules(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newLab(t)
	s := l.member()
	_, err := servergroups.Create(ctx, s.compute, servergroups.CreateOpts{Name: "apart", Policy: "soft-anti-affinity"}).Extract()
	l.must(err)
	_, err = keypairs.Create(ctx, s.compute, keypairs.CreateOpts{Name: "ops", PublicKey: newKey()}).Extract()
	l.must(err)
	identity, err := openstack.NewIdentityV3(s.provider, gophercloud.EndpointOpts{Region: l.project.Region})
	l.must(err)
	var rules []applicationcredentials.AccessRule
	for _, r := range AccessRules() {
		rules = append(rules, applicationcredentials.AccessRule{Service: r.Service, Method: r.Method, Path: r.Path})
	}
	credential, err := applicationcredentials.Create(ctx, identity, l.project.UserID, applicationcredentials.CreateOpts{Name: "provisioner", AccessRules: rules}).Extract()
	l.must(err)
	limited := func(c *Config) {
		c.Settle = 20 * time.Second
		c.User, c.Password, c.Project = "", "", ""
		c.ApplicationCredentialID, c.ApplicationCredentialSecret = credential.ID, credential.Secret
		p := c.Places["one"]
		p.SecurityGroups, p.ServerGroup, p.KeyName = []string{"default"}, "apart", "ops"
		c.Places["one"] = p
	}
	d := l.driver("own", limited)
	for _, f := range d.Check(ctx, need) {
		if f.Level != nodes.Fine {
			t.Errorf("check: %+v", f)
		}
	}
	var all []string
	for _, place := range []string{"one", "floating"} {
		offers, err := d.Offers(ctx, place, need)
		l.must(err)
		o := nodes.Order{ID: "o-" + place, Place: place, Count: 2, Need: need, Offer: offers[0]}
		if _, err := d.claim(ctx, loggedIn(d.session(ctx)), o.ID); err != nil { // as if it were on its way
			t.Fatal(err)
		}
		if _, err := l.driver("own").Launch(ctx, o); err == nil {
			t.Error("an order was launched that another has claimed")
		}
		all = append(all, ids(l.launch(d, o))...)
	}
	refused, _ := l.refuse(t)
	refused.Count = 1
	failing := l.launch(d, refused)[0]
	l.until("a machine is given up", func() error {
		if l.list(d)[failing.ID].Err == nil {
			return errAgain
		}
		return nil
	})
	l.must(d.Destroy(ctx, append(all, failing.ID, "00000000-0000-0000-0000-000000000000")...))
	l.until("all are gone", func() error {
		if left := l.list(d); len(left) > 0 {
			return errors.Join(fmt.Errorf("%v", left), d.Destroy(ctx, slices.Collect(maps.Keys(left))...))
		}
		return nil
	})
	used := l.used()
	for _, r := range AccessRules() {
		if !used[r] {
			t.Errorf("nothing used the rule %+v: take it out, or have this test use it", r)
		}
	}
	past := l.driver("own", limited, func(c *Config) { c.Transport = nil }) // the proxy, which keeps count
	if _, err := servergroups.Get(ctx, loggedIn(past.session(ctx)).compute, "x").Extract(); statusOf(classify(err)) != 401 {
		t.Errorf("a call that no rule allows: %v", err)
	}
}

func loggedIn(s *session, err error) *session {
	if err != nil {
		panic(err)
	}
	return s
}

// The document for people has the same rules.
func TestAccessRulesDocument(t *testing.T) {
	path := filepath.Join(testenv.Root(), "docs", "openstack-access-rules.json")
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetIndent("", "  ")
	if err := e.Encode(AccessRules()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if diff := cmp.Diff(want.String(), string(got)); diff != "" || err != nil {
		t.Errorf("go test ./nodes/openstack -run TestAccessRulesDocument -update writes it anew: %v\n%s", err, diff)
	}
	if !slices.IsSortedFunc(AccessRules(), func(a, b AccessRule) int { return bytes.Compare([]byte(a.Service+a.Path), []byte(b.Service+b.Path)) }) {
		t.Error("the rules are not sorted")
	}
}
