package testenv

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What up.sh has written down is used when somebody answers there; where not,
// the test is skipped, and the report says so.
func TestRunningOpenStack(t *testing.T) {
	dir, report := t.TempDir(), filepath.Join(t.TempDir(), "report")
	t.Setenv("OPENSTACK_STATE", dir)
	t.Setenv("BATCHCTL_TEST_REPORT", report)
	t.Setenv("CI", "")
	keystone := httptest.NewServer(http.NotFoundHandler())
	clouds := "clouds:\n  demo: {}\n  admin:\n    region_name: R\n    auth: {auth_url: URL/v3, username: admin, password: p, project_name: x}\n"
	if err := os.WriteFile(filepath.Join(dir, "clouds.yaml"), []byte(strings.ReplaceAll(clouds, "URL", keystone.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := RunningOpenStack(t), (OpenStack{keystone.URL + "/v3", "R", "admin", "p", "x"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	RanOpenStack(t, "2.93")
	keystone.Close()
	w := &witness{TB: t}
	if RunningOpenStack(w); !w.skipped || w.failed {
		t.Errorf("with nobody there: skipped %v, failed %v", w.skipped, w.failed)
	}
	t.Setenv("OPENSTACK_STATE", t.TempDir())
	w = &witness{TB: t}
	if RunningOpenStack(w); !w.skipped {
		t.Error("without a state directory the test is not skipped")
	}
	text, err := os.ReadFile(report)
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 4 || lines[0] != "ran\tOpenStack: Keystone, Placement, Glance, Neutron, Nova 2.93" ||
		!strings.HasPrefix(lines[1], "not run\tOpenStack (scripts/openstack/up.sh starts one") {
		t.Errorf("the report is %q, %v", text, err)
	}
}
