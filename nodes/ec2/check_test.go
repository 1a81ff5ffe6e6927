package ec2

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

func shown(found []nodes.Finding) string {
	var b strings.Builder
	for _, f := range found {
		b.WriteString(strings.Join([]string{string(f.Level), f.Place, f.Text, f.Hint}, "|") + "\n")
	}
	return b.String()
}

// What is right is said, and nothing is made.
func TestCheck(t *testing.T) {
	l := newLab(t)
	got := shown(l.driver(l.config("suite")).Check(background, usualNeed))
	for _, want := range []string{"ok||0 machines of suite in us-east-1|", "ok|here|subnet " + l.subnets[1] + " (us-east-1b) has 409",
		"ok|here|20 offers for 2 cpu, 4Gi, disk 20Gi, amd64, c6a.large, us-east-1a, on-demand first; image " + amd64 + "; EC2 would take the order"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%swant %q", got, want)
		}
	}
	if strings.Contains(got, "FAIL") || strings.Contains(got, "warn") {
		t.Error(got)
	}
	for _, form := range l.launches() {
		if form.Get("DryRun") != "true" {
			t.Error("the check has made a machine")
		}
	}
}

// What is wrong is said with the way out, and the rest is tried all the same.
func TestCheckTroubles(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*lab, *Place)
		want   []string
	}{
		"no answer": {func(l *lab, _ *Place) {
			l.Fail(func(ec2test.Call) *ec2test.Fault { return &ec2test.Fault{Lose: true} })
		}, []string{"FAIL||list: EC2 DescribeInstances: ", "|may this host connect to EC2, and are there credentials?\n"}},
		"keys": {func(l *lab, _ *Place) {
			l.Fail(on("DescribeInstances", ec2test.Fault{Status: 401, Code: "AuthFailure"}))
		}, []string{"FAIL||list: configuration: EC2 DescribeInstances: AuthFailure", "check the credentials"}},
		"permission": {func(l *lab, _ *Place) {
			l.Fail(on("RunInstances", ec2test.Fault{Status: 403, Code: "UnauthorizedOperation"}))
		}, []string{"FAIL|here|20 offers", "UnauthorizedOperation", "docs/ec2.md"}},
		"quota": {func(l *lab, _ *Place) {
			l.Fail(on("RunInstances", ec2test.Fault{Status: 400, Code: "VcpuLimitExceeded"}))
		}, []string{"warn|here|20 offers", "Service Quotas"}},
		"a subnet":        {func(_ *lab, p *Place) { p.Subnets = append(p.Subnets, "subnet-0abc") }, []string{"FAIL|here|subnet subnet-0abc is not there|name a subnet", "EC2 would take the order"}},
		"all subnets":     {func(_ *lab, p *Place) { p.Subnets = []string{"subnet-0abc"} }, []string{"FAIL|here|configuration: none of the subnets"}},
		"a small subnet":  {func(l *lab, p *Place) { p.Subnets = []string{l.smallSubnet()} }, []string{"warn|here|subnet subnet-", "(us-east-1a) has 11 free addresses|use a larger subnet"}},
		"image":           {func(_ *lab, p *Place) { p.Images = map[string]Image{"amd64": {ID: "ami-0abc"}} }, []string{"FAIL|here|configuration: EC2 DescribeImages: InvalidAMIID", "name an image that is there"}},
		"no type":         {func(_ *lab, p *Place) { p.InstanceTypes = []string{"none.*"} }, []string{"warn|here|no instance type gives 2 cpu", "allow more or larger types"}},
		"other processor": {func(_ *lab, p *Place) { p.Images["arm64"] = Image{ID: amd64} }, []string{"EC2 would take the order", "FAIL|here|configuration: the image " + amd64 + " is for x86_64"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			c := l.config("suite")
			p := c.Places["here"]
			test.change(l, &p)
			c.Places["here"] = p
			got := shown(l.driver(c).Check(background, usualNeed))
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%swant %q", got, want)
				}
			}
		})
	}
}

func (l *lab) smallSubnet() string {
	network := must(l.Do(region, url.Values{"Action": {"CreateVpc"}, "CidrBlock": {"10.9.0.0/24"}}))("vpc", "vpcId")
	return must(l.Do(region, url.Values{"Action": {"CreateSubnet"}, "VpcId": {network}, "CidrBlock": {"10.9.0.0/28"}, "AvailabilityZone": {region + "a"}}))("subnet", "subnetId")
}

// A configuration is refused with all that is wrong with it.
func TestConfig(t *testing.T) {
	good := func() Config {
		return Config{Owner: "o", Region: "ap-northeast-2", Places: map[string]Place{"p": {Subnets: []string{"subnet-1"}, Images: map[string]Image{"arm64": {ID: "ami-1"}}}}}
	}
	place := func(change func(*Place)) func(*Config) {
		return func(c *Config) {
			p := c.Places["p"]
			change(&p)
			c.Places["p"] = p
		}
	}
	for want, change := range map[string]func(*Config){
		"": func(*Config) {}, `region "": use`: func(c *Config) { c.Region = "" }, `region "x`: func(c *Config) { c.Region = "x y" }, `owner ""`: func(c *Config) { c.Owner = "" },
		`account "12"`: func(c *Config) { c.Account = "12" }, "no places": func(c *Config) { c.Places = nil }, "place p: no subnets": place(func(p *Place) { p.Subnets = nil }),
		`place p: subnet "x"`: place(func(p *Place) { p.Subnets = []string{"x"} }), "subnet-1 is named twice": place(func(p *Place) { p.Subnets = []string{"subnet-1", "subnet-1"} }),
		`group "x"`: place(func(p *Place) { p.SecurityGroups = []string{"x"} }), `instance type "m["`: place(func(p *Place) { p.InstanceTypes = []string{"m["} }),
		"no images": place(func(p *Place) { p.Images = nil }), `image for "x86"`: place(func(p *Place) { p.Images = map[string]Image{"x86": {ID: "ami-1"}} }),
		"set one of": place(func(p *Place) { p.Images = map[string]Image{"arm64": {ID: "ami-1", Name: "x"}} }), "ID \"x\"": place(func(p *Place) { p.Images = map[string]Image{"arm64": {ID: "x"}} }),
		"a name needs owners": place(func(p *Place) { p.Images = map[string]Image{"arm64": {Name: "x"}} }), `market "cheap"`: place(func(p *Place) { p.Market = "cheap" }),
		`capacity reservation "open"`: place(func(p *Place) { p.Reservations = []string{"open", "cr-1"} }), "not by both": place(func(p *Place) { p.LaunchTemplate = LaunchTemplate{ID: "a", Name: "b"} }),
		"a version without": place(func(p *Place) { p.LaunchTemplate = LaunchTemplate{Version: "1"} }), `version "one"`: place(func(p *Place) { p.LaunchTemplate = LaunchTemplate{ID: "a", Version: "one"} }),
		"at least -1 bytes": place(func(p *Place) { p.RootMin = -1 }),
	} {
		c := good()
		change(&c)
		_, err := New(background, c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	all := Config{}
	if err := all.check(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three faults, and it says %v", err)
	}
}

// Credentials may be traded for those of a role; where they cannot be had
// nothing is said of the cloud.
func TestAssumeRole(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	c.AssumeRole, c.ExternalID = "arn:aws:iam::123456789012:role/provisioner", "shared-word"
	d := l.driver(c)
	must(d.List(background))
	calls := l.Calls()
	if calls[0].Action != "sts:AssumeRole" || calls[0].Form.Get("RoleArn") != c.AssumeRole || calls[0].Form.Get("ExternalId") != c.ExternalID || calls[0].Form.Get("RoleSessionName") != "batchctl-suite" {
		t.Errorf("the first call is %+v", calls[0])
	}
	l.Fail(on("sts:AssumeRole", ec2test.Fault{Status: 403, Code: "AccessDenied"}))
	_, err := l.driver(c).List(background)
	if nodes.ClassOf(err) != nodes.Configuration {
		t.Errorf("got %v", err)
	}
	l.Fail(on("sts:AssumeRole", ec2test.Fault{Lose: true}))
	if _, err := l.driver(c).List(background); err == nil || nodes.ClassOf(err) != nodes.Unsure {
		t.Errorf("got %v", err)
	}
}

// A profile that is not there is told when the driver is made.
func TestProfile(t *testing.T) {
	l := newLab(t)
	c := l.config("suite")
	c.Profile = "batch"
	if _, err := New(background, c); err == nil || !strings.Contains(err.Error(), "batch") {
		t.Errorf("got %v", err)
	}
	file := filepath.Join(t.TempDir(), "config")
	l.no(os.WriteFile(file, []byte("[profile batch]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", file)
	if _, err := l.driver(c).List(background); err != nil {
		t.Error(errors.Unwrap(err))
	}
}
