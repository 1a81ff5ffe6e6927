package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

// twoClouds is a project in OpenStack with room for two servers, and an EC2.
type twoClouds struct {
	dir  string
	yaml string // the key clouds
}

func newTwoClouds(t *testing.T, dir string) *twoClouds {
	t.Helper()
	amazon := testenv.EC2(t)
	subnets, err := ec2test.New(amazon).Subnets("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	o := testenv.RunningOpenStack(t)
	ctx := context.Background()
	cloud, err := openstacktest.Open(ctx, openstacktest.Account{AuthURL: o.AuthURL, Region: o.Region, User: o.User, Password: o.Password, Project: o.Project})
	if err != nil {
		t.Fatal(err)
	}
	testenv.RanOpenStack(t, cloud.Microversion)
	project, err := cloud.NewProject(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := project.Remove(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := project.Limit(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(project.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return &twoClouds{dir, fmt.Sprintf(`clouds:
  idc:
    driver: openstack
    auth_url: %s
    user: %s
    password_file: password
    project: %s
    settle: 2s
    places: {idc-seoul: {image: cirros, networks: [private]}}
  aws:
    driver: ec2
    region: us-east-1
    endpoint: %s
    places: {aws-use1: {subnets: [%s], images: {amd64: {id: ami-12c6146b}}}}
`, project.AuthURL, project.User, project.Project, amazon, subnets["us-east-1a"])}
}

// config is the least configuration with these clouds.
func (c *twoClouds) config(owner string) string {
	text := strings.Replace(least, "clouds: {here: {driver: local, dir: machines}}\n", c.yaml, 1)
	text = strings.Replace(text, "{name: here-1, cloud: here}", "{name: idc-seoul, cloud: idc}, {name: aws-use1, cloud: aws}", 1)
	return strings.Replace(text, "owner: o", "owner: "+owner, 1)
}

// left returns what an owner has in both clouds.
func (c *twoClouds) left(t *testing.T, owner string) (left []string) {
	t.Helper()
	cfg, _, problems := parseConfig(filepath.Join(c.dir, "c.yaml"), []byte(c.config(owner)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for name, cloud := range cfg.Clouds {
		made, err := newCloud(owner, cloud)
		if err != nil {
			t.Fatal(err)
		}
		vms, err := made.Driver.List(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, vm := range vms {
			left = append(left, name+" "+vm.ID+" "+string(vm.State))
		}
	}
	return left
}

// The demo with real clouds: OpenStack first, EC2 when that is full, and
// nothing left in either, also when dev was killed and is started again.
func TestDevClouds(t *testing.T) {
	d := newDevTest(t)
	c := newTwoClouds(t, d.dir)
	file := filepath.Join(d.dir, "clouds.yaml")
	if err := os.WriteFile(file, []byte("owner: dev-test\n"+c.yaml+"places: [{name: idc-seoul, cloud: idc}, {name: aws-use1, cloud: aws}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.args = []string{"--clouds", file}
	_ = d.signal(syscall.SIGKILL)
	if len(c.left(t, "dev-test")) == 0 {
		t.Error("a dev that is killed leaves nothing, so this test shows nothing")
	}
	out, err := d.command().CombinedOutput()
	if err != nil || !strings.Contains(string(out), "An earlier dev was killed and left ") || !strings.Contains(string(out), "3 runs, ") || !strings.Contains(string(out), " 0 left.") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, place := range []string{"idc-seoul: accepted", "aws-use1: accepted"} {
		if !strings.Contains(string(out), place) {
			t.Errorf("no line has %q in\n%s", place, out)
		}
	}
	d.nothingLeft()
	if left := c.left(t, "dev-test"); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// check tries both clouds, and says in words what is there and what is not.
func TestCheckClouds(t *testing.T) {
	w := newWorld(t)
	c := newTwoClouds(t, w.dir)
	const places = "{name: here-1, cloud: here}"
	w.config = strings.Replace(w.config, "clouds: {here: {driver: local, dir: machines, path: \"DIR:/usr/bin:/bin\"}}\n", c.yaml, 1)
	w.config = strings.Replace(w.config, places, "{name: idc-seoul, cloud: idc}, {name: aws-use1, cloud: aws}", 1)
	expect := func(matches ...string) {
		t.Helper()
		printed, _ := w.check()
		for _, want := range matches {
			if !regexp.MustCompile("(?m)^" + want).MatchString(printed) {
				t.Errorf("no line begins with %s in\n%s", want, printed)
			}
		}
	}
	expect(`ok    cloud aws: 0 machines of here in us-east-1$`, `ok    cloud aws, place aws-use1: .*us-east-1a`,
		`ok    cloud idc: .*test-.*`, `ok    cloud idc, place idc-seoul: image cirros`)
	w.config = strings.NewReplacer("cirros", "no-such-image", "ami-12c6146b", "ami-00000000").Replace(w.config)
	expect(`FAIL  cloud aws, place aws-use1: .*ami-00000000`, `FAIL  cloud idc, place idc-seoul: .*no-such-image`)
}
