package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/batchctl/batchctl/nodes"
)

// paged has the fake list servers as Nova does: at most so many at once, with
// a link to the next ones.
func (f *fake) paged(all []map[string]any, most int) {
	f.handle("GET /compute/v2.1/servers/detail", func(w http.ResponseWriter, r *http.Request) {
		from, limit := 0, most
		if n, err := strconv.Atoi(r.FormValue("limit")); err == nil {
			limit = min(n, most)
		}
		for i, s := range all {
			if s["id"] == r.FormValue("marker") {
				from = i + 1
			}
		}
		page := all[from:min(from+limit, len(all))]
		body := map[string]any{"servers": page}
		if len(page) == limit {
			next := url.Values{"marker": {page[len(page)-1]["id"].(string)}, "limit": {strconv.Itoa(limit)}, "tags": r.Form["tags"]}
			body["servers_links"] = []any{map[string]any{"rel": "next", "href": f.URL + "/compute/v2.1/servers/detail?" + next.Encode()}}
		}
		_ = json.NewEncoder(w).Encode(body) // to a test of ours
	})
}

// List has 1,000 machines, whatever Nova takes for a page, in no more calls
// than it takes; and none that has another's tag, wherever Nova's filter went.
func TestListPages(t *testing.T) {
	for _, most := range []int{1000, 300, 1} {
		f := newFake(t)
		var all []map[string]any
		n := 1000
		if most == 1 {
			n = 20
		}
		for i := range n {
			all = append(all, aServer(i+1, "ACTIVE", "batchctl:order=o-1", "batchctl:owner=own"))
		}
		all[7]["tags"] = []string{"batchctl:owner=own-2", "batchctl:order=o-1"}
		all[8]["tags"] = []string{}
		f.paged(all, most)
		vms, err := f.driver().List(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, vm := range vms {
			seen[vm.ID] = true
			if vm.Order != "o-1" || vm.State != nodes.VMRunning || vm.Created.IsZero() || vm.Detail != "m1.tiny" {
				t.Fatalf("%+v", vm)
			}
		}
		calls := f.called("GET /compute/v2.1/servers/detail")
		if len(seen) != n-2 || len(vms) != n-2 || len(calls) > n/most+1 {
			t.Errorf("pages of %d: %d machines, %d calls", most, len(seen), len(calls))
		}
		for _, c := range calls {
			if q, err := url.ParseQuery(c.query); err != nil || q.Get("tags") != "batchctl:owner=own" {
				t.Errorf("a call asks for %s", c.query)
			}
		}
	}
}

// What is no list of servers is never an empty one.
func TestListGarbage(t *testing.T) {
	for name, body := range map[string]string{
		"HTML": "<html></html>", "nothing": "", "half": `{"servers": [{"id": "x"`, "another": `{"images": []}`, "null": `null`,
		"no list": `{"servers": {}}`, "no server": `{"servers": [1]}`, "no ID": `{"servers": [{"name": "x"}]}`, "array": `[]`,
		"null list": `{"servers": null}`,
	} {
		f := newFake(t)
		for _, kind := range []string{"application/json", "text/html"} {
			f.answer("GET /compute/v2.1/servers/detail", 200, body, "Content-Type", kind)
			if vms, err := f.driver().List(context.Background()); err == nil || nodes.ClassOf(err) != nodes.Unsure {
				t.Errorf("%s as %s: %v, %v", name, kind, vms, err)
			}
		}
	}
	// A refusal has no class: it says nothing of the machines.
	f := newFake(t)
	f.answer("GET /compute/v2.1/servers/detail", 403, `{"forbidden": {"code": 403, "message": "Policy doesn't allow it"}}`)
	if vms, err := f.driver().List(context.Background()); err == nil || nodes.ClassOf(err) != nodes.Unsure {
		t.Errorf("a refusal: %v, %v", vms, err)
	}
	// A page that fails is not the end of the list.
	f = newFake(t)
	first := true
	f.handle("GET /compute/v2.1/servers/detail", func(w http.ResponseWriter, r *http.Request) {
		if !first {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		first = false
		fmt.Fprintf(w, `{"servers": [%s], "servers_links": [{"rel": "next", "href": "%s/compute/v2.1/servers/detail?marker=x"}]}`,
			asJSON(t, aServer(1, "ACTIVE", "batchctl:owner=own")), f.URL)
	})
	if vms, err := f.driver().List(context.Background()); err == nil {
		t.Errorf("half a list: %v", vms)
	}
}

// What Nova calls a server's state, and what it means here.
func TestStates(t *testing.T) {
	for status, want := range map[string]nodes.VMState{
		"BUILD": nodes.VMStarting, "ACTIVE": nodes.VMRunning, "SHUTOFF": nodes.VMEnding, "ERROR": nodes.VMEnding, "DELETED": nodes.VMEnding,
		"SOFT_DELETED": nodes.VMEnding, "SHELVED": nodes.VMEnding, "SHELVED_OFFLOADED": nodes.VMEnding,
		"REBOOT": nodes.VMRunning, "HARD_REBOOT": nodes.VMRunning, "MIGRATING": nodes.VMRunning, "RESIZE": nodes.VMRunning, "VERIFY_RESIZE": nodes.VMRunning,
		"PAUSED": nodes.VMRunning, "SUSPENDED": nodes.VMRunning, "RESCUE": nodes.VMRunning, "UNKNOWN": nodes.VMRunning, "PASSWORD": nodes.VMRunning,
	} {
		if got := stateOf(&servers.Server{Status: status}); got != want {
			t.Errorf("%s is %s, want %s", status, got, want)
		}
		if got := stateOf(&servers.Server{Status: status, TaskState: "deleting"}); got != nodes.VMEnding {
			t.Errorf("%s that is being deleted is %s", status, got)
		}
	}
}

// Of several addresses the floating one counts, then IPv4; and always the same.
func TestAddress(t *testing.T) {
	entry := func(addr string, version float64, kind string) any {
		return map[string]any{"addr": addr, "version": version, "OS-EXT-IPS:type": kind}
	}
	s := &servers.Server{Addresses: map[string]any{"b": []any{entry("10.0.0.2", 4, "fixed")}, "a": []any{entry("fd00::1", 6, "fixed"), entry("10.0.0.1", 4, "fixed")}}}
	for range 20 { // maps have no order
		if got := address(s); got != "10.0.0.1" {
			t.Fatalf("the address is %s", got)
		}
	}
	s.Addresses["c"] = []any{entry("198.18.0.9", 4, "floating")}
	if got := address(s); got != "198.18.0.9" {
		t.Errorf("the address is %s", got)
	}
	if got := address(&servers.Server{Addresses: map[string]any{"a": "odd"}}); got != "" {
		t.Errorf("of nothing the address is %q", got)
	}
}
