package openstack

import (
	"context"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/nodes"
)

// A server that ends in ERROR after its DELETE is listed, and the next Destroy
// deletes it again; without asking whose it is, which the list has said.
func TestSecondDelete(t *testing.T) {
	f := newFake(t)
	server := aServer(1, "ERROR", "batchctl:owner=own", "batchctl:order=o-1")
	server["fault"] = map[string]any{"code": 500, "message": "Unexpected API Error.", "created": "2026-01-01T00:00:00Z"}
	f.answer("GET /compute/v2.1/servers/detail", 200, asJSON(t, map[string]any{"servers": []any{server}}))
	f.answer("DELETE /compute/v2.1/servers/*", 204, "")
	d := f.driver()
	for range 2 {
		vms, err := d.List(context.Background())
		if err != nil || len(vms) != 1 || vms[0].State != nodes.VMEnding {
			t.Fatalf("%v, %v", vms, err)
		}
		if err := d.Destroy(context.Background(), vms[0].ID, vms[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.called("DELETE /compute/v2.1/servers/*")); n != 2 {
		t.Errorf("%d DELETEs for two Destroys", n)
	}
}

// An ID that is not of this cloud reaches no URL; a server that nobody has
// listed is asked whose it is, and another's is left alone.
func TestDestroyAsks(t *testing.T) {
	f := newFake(t)
	for tag, deletes := range map[string]int{"batchctl:owner=own": 1, "batchctl:owner=own-2": 0, "batchctl:owner=ow": 0, "x": 0} {
		f.calls = nil
		f.answer("GET /compute/v2.1/servers/*", 200, asJSON(t, map[string]any{"server": aServer(1, "ACTIVE", tag)}))
		f.answer("DELETE /compute/v2.1/servers/*", 204, "")
		if err := f.driver().Destroy(context.Background(), "33333333-0000-0000-0000-000000000001"); err != nil {
			t.Error(err)
		}
		if n := len(f.called("DELETE /compute/v2.1/servers/*")); n != deletes {
			t.Errorf("tag %s: %d DELETEs, want %d", tag, n, deletes)
		}
	}
	f.calls = nil
	odd := []string{"", "..", "port/", "port/..", "volume/33333333-0000-0000-0000-000000000001", "/33333333-0000-0000-0000-000000000001",
		"33333333-0000-0000-0000-00000000000A", "33333333-0000-0000-0000-000000000001/x", "i-0123456789abcdef0"}
	if err := f.driver().Destroy(context.Background(), odd...); err != nil || len(f.calls) > 0 {
		t.Errorf("odd IDs: %v; calls %v", err, f.calls)
	}
}

// One that cannot be deleted is named, and keeps none of the others.
func TestDestroySaysWhich(t *testing.T) {
	f := newFake(t)
	const locked, fine = "33333333-0000-0000-0000-000000000001", "33333333-0000-0000-0000-000000000002"
	f.answer("GET /compute/v2.1/servers/detail", 200, asJSON(t, map[string]any{"servers": []any{
		aServer(1, "ACTIVE", "batchctl:owner=own"), aServer(2, "ACTIVE", "batchctl:owner=own")}}))
	f.answer("DELETE /compute/v2.1/servers/"+locked, 409, `{"conflictingRequest": {"code": 409, "message": "Instance is locked"}}`)
	f.answer("DELETE /compute/v2.1/servers/"+fine, 404, `{"itemNotFound": {"code": 404, "message": "gone"}}`)
	d := f.driver()
	if _, err := d.List(context.Background()); err != nil {
		t.Fatal(err)
	}
	err := d.Destroy(context.Background(), locked, fine)
	if err == nil || nodes.ClassOf(err) != nodes.Unsure || !strings.Contains(err.Error(), "destroy "+locked) || !strings.Contains(err.Error(), "Instance is locked") || strings.Contains(err.Error(), fine) {
		t.Errorf("got %v", err)
	}
}
