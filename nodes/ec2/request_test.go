package ec2

import (
	"context"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

// launches returns the calls of RunInstances that came, without what every
// call has.
func (l *lab) launches() []url.Values {
	var all []url.Values
	for _, c := range l.Calls() {
		if c.Action == "RunInstances" {
			form := maps.Clone(c.Form)
			form.Del("Action")
			form.Del("Version")
			all = append(all, form)
		}
	}
	return all
}

func flat(form url.Values) map[string]string {
	m := map[string]string{}
	for k := range form {
		m[k] = form.Get(k)
	}
	return m
}

// All that a launch says, in its plainest form: nothing may be missing that
// makes a machine safe, or known as ours from the first moment.
func TestRequest(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	o := l.order(d, 3)
	o.ID = "o-1"
	if _, err := d.Launch(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	s := must(parseSpec(o.Offer.Spec))
	want := map[string]string{
		"ClientToken": "o-1", "MinCount": "1", "MaxCount": "3", "ImageId": amd64, "InstanceType": s.Type,
		"UserData":                          base64.StdEncoding.EncodeToString([]byte(o.UserData)),
		"InstanceInitiatedShutdownBehavior": "terminate",
		"MetadataOptions.HttpEndpoint":      "enabled", "MetadataOptions.HttpTokens": "required",
		"MetadataOptions.HttpPutResponseHopLimit": "1", "MetadataOptions.InstanceMetadataTags": "disabled",
		"BlockDeviceMapping.1.DeviceName": s.RootDevice, "BlockDeviceMapping.1.Ebs.VolumeSize": "20", "BlockDeviceMapping.1.Ebs.VolumeType": "gp3",
		"BlockDeviceMapping.1.Ebs.Encrypted": "true", "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true",
		"NetworkInterface.1.DeviceIndex": "0", "NetworkInterface.1.SubnetId": l.subnets[0],
		"NetworkInterface.1.AssociatePublicIpAddress": "false", "NetworkInterface.1.DeleteOnTermination": "true",
	}
	for i, kind := range []string{"instance", "volume", "network-interface"} {
		prefix := "TagSpecification." + string(rune('1'+i)) + "."
		want[prefix+"ResourceType"] = kind
		for j, kv := range [][2]string{{"Name", "o-1"}, {"batchctl:order", "o-1"}, {"batchctl:owner", "suite"}, {"batchctl:place", "here"}} {
			p := prefix + "Tag." + string(rune('1'+j)) + "."
			want[p+"Key"], want[p+"Value"] = kv[0], kv[1]
		}
	}
	if diff := cmp.Diff(want, flat(l.launches()[0])); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What a place may ask for besides, each in its own words of EC2.
func TestRequestOptions(t *testing.T) {
	l := newLab(t)
	l.Reserve(ec2test.Reservation{ID: "cr-0123", Type: "m5.large", Zone: region + "b", Free: 3})
	l.no(second(l.Do(region, url.Values{"Action": {"CreateLaunchTemplate"}, "LaunchTemplateName": {"base"}, "LaunchTemplateData.InstanceType": {"m5.large"}})))
	for name, test := range map[string]struct {
		change func(*Place)
		want   map[string]string // "": not said
	}{
		"groups":           {func(p *Place) { p.SecurityGroups = []string{"sg-1", "sg-2"} }, map[string]string{"NetworkInterface.1.SecurityGroupId.1": "sg-1", "NetworkInterface.1.SecurityGroupId.2": "sg-2"}},
		"public address":   {func(p *Place) { p.PublicAddress = true }, map[string]string{"NetworkInterface.1.AssociatePublicIpAddress": "true"}},
		"profile":          {func(p *Place) { p.InstanceProfile = "batch" }, map[string]string{"IamInstanceProfile.Name": "batch", "IamInstanceProfile.Arn": ""}},
		"profile by ARN":   {func(p *Place) { p.InstanceProfile = "arn:aws:iam::1:instance-profile/batch" }, map[string]string{"IamInstanceProfile.Name": "", "IamInstanceProfile.Arn": "arn:aws:iam::1:instance-profile/batch"}},
		"key":              {func(p *Place) { p.KeyName = "ops" }, map[string]string{"KeyName": "ops"}},
		"root device":      {func(p *Place) { p.RootDevice = "/dev/xvda" }, map[string]string{"BlockDeviceMapping.1.DeviceName": "/dev/xvda"}},
		"root size":        {func(p *Place) { p.RootMin = 30<<30 + 1 }, map[string]string{"BlockDeviceMapping.1.Ebs.VolumeSize": "31"}},
		"on demand":        {func(p *Place) {}, map[string]string{"InstanceMarketOptions.MarketType": "", "CapacityReservationSpecification.CapacityReservationPreference": ""}},
		"spot":             {func(p *Place) { p.Market, p.Reservations = Spot, []string{"none"} }, map[string]string{"InstanceMarketOptions.MarketType": "spot", "InstanceMarketOptions.SpotOptions.SpotInstanceType": "one-time", "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior": "terminate", "CapacityReservationSpecification.CapacityReservationPreference": ""}},
		"no reservation":   {func(p *Place) { p.Reservations = []string{"none"} }, map[string]string{"CapacityReservationSpecification.CapacityReservationPreference": "none"}},
		"open reservation": {func(p *Place) { p.Reservations = []string{"open"} }, map[string]string{"CapacityReservationSpecification.CapacityReservationPreference": "open"}},
		"reservation":      {func(p *Place) { p.Reservations = []string{"cr-0123"} }, map[string]string{"CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId": "cr-0123", "InstanceType": "m5.large", "NetworkInterface.1.SubnetId": l.subnets[1]}},
		"template":         {func(p *Place) { p.LaunchTemplate = LaunchTemplate{Name: "base", Version: "$Latest"} }, map[string]string{"LaunchTemplate.Version": "1", "LaunchTemplate.LaunchTemplateName": ""}},
		"tags":             {func(p *Place) { p.Tags = map[string]string{"cost": "42"} }, map[string]string{"TagSpecification.2.Tag.5.Key": "cost", "TagSpecification.2.Tag.5.Value": "42"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := l.config("suite")
			p := c.Places["here"]
			test.change(&p)
			c.Places["here"] = p
			d := l.driver(c)
			o := l.order(d, 1)
			in := must(d.checkOrder(&o))
			l.Fail(func(ec2test.Call) *ec2test.Fault { return &ec2test.Fault{Status: 400, Code: "Unsupported"} })
			defer l.Fail(nil)
			_, _ = d.Launch(context.Background(), o) // what it says is looked at, not what is made of it
			sent := l.launches()
			got := flat(sent[len(sent)-1])
			for key, value := range test.want {
				if got[key] != value {
					t.Errorf("%s is %q, want %q", key, got[key], value)
				}
			}
			if in.Template != "" && got["LaunchTemplate.LaunchTemplateId"] != in.Template {
				t.Errorf("the template is %q, want %q", got["LaunchTemplate.LaunchTemplateId"], in.Template)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// Tags that a place adds never take the place of those that machines are
// known by.
func TestTagsStay(t *testing.T) {
	for _, key := range []string{"Name", "batchctl:owner", "Batchctl:Order", "aws:x", ""} {
		c := Config{Owner: "o", Region: region, Places: map[string]Place{"p": {Subnets: []string{"subnet-1"}, Images: map[string]Image{"amd64": {ID: "ami-1"}}, Tags: map[string]string{key: "x"}}}}
		if err := c.check(); err == nil || !strings.Contains(err.Error(), "is taken") {
			t.Errorf("a tag %q: %v", key, err)
		}
	}
}

// The size of user data is EC2's, and is looked at before EC2 is asked.
func TestUserDataSize(t *testing.T) {
	l := newLab(t)
	d := l.driver(l.config("suite"))
	o := l.order(d, 1)
	o.UserData = strings.Repeat("x", maxUserData+1)
	if _, err := d.Launch(context.Background(), o); err == nil || len(l.launches()) > 0 || !strings.Contains(err.Error(), "16385 bytes") {
		t.Errorf("got %v", err)
	}
	o.UserData = o.UserData[1:]
	if _, err := d.Launch(context.Background(), o); err != nil || slices.Max(l.launches()[0]["UserData"]) == "" {
		t.Errorf("16 KB are refused: %v", err)
	}
}
