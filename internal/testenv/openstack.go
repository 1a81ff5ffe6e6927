package testenv

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// OpenStack says how an administrator logs in to a running OpenStack.
type OpenStack struct{ AuthURL, Region, User, Password, Project string }

// openStackState is where scripts/openstack/up.sh keeps its state by default.
const openStackState = "/var/tmp/openstack-fixture"

// RunningOpenStack returns the OpenStack that scripts/openstack/up.sh has
// started, which scripts/test.sh does. OPENSTACK_STATE names its directory.
func RunningOpenStack(t testing.TB) OpenStack {
	t.Helper()
	o, err := FindOpenStack()
	if err != nil {
		Missing(t, "OpenStack (scripts/openstack/up.sh starts one, as root on Debian 12: "+err.Error()+")")
	}
	return o
}

// RanOpenStack puts what a test ran against into the report.
func RanOpenStack(t testing.TB, microversion string) {
	t.Helper()
	record(t, "ran", "OpenStack: Keystone, Placement, Glance, Neutron, Nova "+microversion)
}

// FindOpenStack is RunningOpenStack for programs that are no tests.
func FindOpenStack() (o OpenStack, err error) {
	dir := os.Getenv("OPENSTACK_STATE")
	if dir == "" {
		dir = openStackState
	}
	text, err := os.ReadFile(dir + "/clouds.yaml")
	if err != nil {
		return o, err
	}
	var clouds struct {
		Clouds map[string]struct {
			Region string `yaml:"region_name"`
			Auth   struct {
				URL      string `yaml:"auth_url"`
				User     string `yaml:"username"`
				Password string `yaml:"password"`
				Project  string `yaml:"project_name"`
			}
		}
	}
	if err := yaml.Unmarshal(text, &clouds); err != nil {
		return o, fmt.Errorf("%s/clouds.yaml: %w", dir, err)
	}
	admin := clouds.Clouds["admin"]
	o = OpenStack{admin.Auth.URL, admin.Region, admin.Auth.User, admin.Auth.Password, admin.Auth.Project}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(strings.TrimSuffix(o.AuthURL, "/") + "/")
	if err != nil {
		return o, err
	}
	return o, res.Body.Close()
}
