package ec2

import (
	"encoding/json"
	"flag"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

var update = flag.Bool("update", false, "write docs/ec2-policy.json anew")

// examplePolicy is the one in docs.
func examplePolicy() []byte {
	return Policy("OWNER", "ACCOUNT", "REGION", "MACHINE_ROLE", "/PARAMETER")
}

// allowed returns the actions of a policy, each with its conditions.
func allowed(t testing.TB, text []byte) map[string][]statement {
	t.Helper()
	var p policy
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	all := map[string][]statement{}
	for _, s := range p.Statements {
		for _, a := range s.Actions {
			all[a] = append(all[a], s)
		}
	}
	return all
}

// actionName is the name of a call in a policy.
func actionName(c ec2test.Call) string {
	if strings.Contains(c.Action, ":") {
		return c.Action
	}
	return "ec2:" + c.Action
}

// The page that people copy from is the policy of the code.
func TestPolicyFile(t *testing.T) {
	file := filepath.Join(testenv.Root(), "docs", "ec2-policy.json")
	if *update {
		if err := os.WriteFile(file, examplePolicy(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(examplePolicy()), string(must(os.ReadFile(file)))); diff != "" {
		t.Errorf("docs/ec2-policy.json is not the code's; go test -run TestPolicyFile ./nodes/ec2 -update (-want +got)\n%s", diff)
	}
}

// What the driver calls is what the policy allows, no less and no more. Every
// lab looks at the first half, too, when it ends.
func TestPolicyIsComplete(t *testing.T) {
	l := newLab(t)
	l.Reserve(ec2test.Reservation{ID: "cr-0123", Type: "m5.large", Zone: region + "a", Free: 3})
	l.no(second(l.Do(region, url.Values{"Action": {"CreateLaunchTemplate"}, "LaunchTemplateName": {"base"}, "LaunchTemplateData.InstanceType": {"m5.large"}})))
	c := l.config("suite")
	c.CacheDir = ""
	c.Places["here"] = Place{Subnets: l.subnets, Reservations: []string{"cr-0123"}, LaunchTemplate: LaunchTemplate{Name: "base"},
		Images: map[string]Image{"amd64": {Parameter: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"}}}
	d := l.driver(c)
	d.Check(background, usualNeed)
	o := l.order(d, 1)
	vms := must(d.Launch(background, o))
	o.UserData += "x"
	must(d.Launch(background, o))
	tags := map[string]string{ownerTag: "suite"}
	all := append(ids(vms), "volume/"+must(l.Volume(region, region+"a", tags)), "interface/"+must(l.Interface(region, l.subnets[0], tags)))
	must(d.List(background))
	l.no(d.Destroy(background, all...))
	called := map[string]bool{
		"ec2:CreateTags": true, // RunInstances needs it for the tags that it gives
		"iam:PassRole":   true, // and this for an instance profile
	}
	for _, call := range l.Calls() {
		called[actionName(call)] = true
	}
	want := slices.Sorted(maps.Keys(called))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(allowed(t, examplePolicy())))); diff != "" {
		t.Errorf("(-called +allowed)\n%s", diff)
	}
}

// Whatever changes something does so only to what is ours.
func TestPolicyConditions(t *testing.T) {
	all := allowed(t, Policy("me", "123456789012", "eu-west-1", "r", "/aws/service/x"))
	mine := func(s statement) bool {
		return slices.ContainsFunc(s.Resources, func(r string) bool {
			return strings.Contains(r, ":instance/") || strings.Contains(r, ":volume/") || strings.Contains(r, ":network-interface/")
		})
	}
	want := map[string][2]string{
		"ec2:RunInstances": {"aws:RequestTag/batchctl:owner", "me"}, "ec2:TerminateInstances": {"aws:ResourceTag/batchctl:owner", "me"},
		"ec2:DeleteVolume": {"aws:ResourceTag/batchctl:owner", "me"}, "ec2:DeleteNetworkInterface": {"aws:ResourceTag/batchctl:owner", "me"},
		"ec2:CreateTags": {"ec2:CreateAction", "RunInstances"},
	}
	for action, statements := range all {
		for _, s := range statements {
			for _, r := range s.Resources {
				if r == "*" && !strings.HasPrefix(action, "ec2:Describe") {
					t.Errorf("%s is allowed on everything", action)
				}
			}
			if strings.HasPrefix(action, "ec2:Describe") || !mine(s) {
				continue
			}
			if w, ok := want[action]; !ok || s.Condition["StringEquals"][w[0]] != w[1] {
				t.Errorf("%s of machines is allowed on the condition %v", action, s.Condition)
			}
		}
	}
	if got := all["ssm:GetParameter"][0].Resources[0]; got != "arn:aws:ssm:eu-west-1::parameter/aws/service/x" {
		t.Errorf("the parameter is %s", got)
	}
	if got := all["iam:PassRole"][0]; got.Resources[0] != "arn:aws:iam::123456789012:role/r" || got.Condition["StringEquals"]["iam:PassedToService"] != "ec2.amazonaws.com" {
		t.Errorf("got %+v", got)
	}
	least := allowed(t, Policy("me", "1", "r", "", ""))
	if least["iam:PassRole"] != nil || least["ssm:GetParameter"] != nil {
		t.Error("what is not needed is allowed")
	}
}
