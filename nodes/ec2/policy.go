package ec2

import (
	"encoding/json"
	"strings"
)

// Policy returns the IAM policy with the least that a driver of an owner
// needs, as JSON. It makes, ends and deletes only what bears that owner's tag,
// and gives tags only to what is just made, so that nobody else's machine can
// be made one's own.
//
// account is the account's 12 digits, region the region's name, role the name
// of the role in the machines' instance profile ("": there is none). parameter
// is the SSM parameter that names images, "" for none; it may end with *.
func Policy(owner, account, region, role, parameter string) []byte {
	arn := func(service, rest string) string {
		return "arn:aws:" + service + ":" + region + ":" + account + ":" + rest
	}
	mine := []string{arn("ec2", "instance/*"), arn("ec2", "volume/*"), arn("ec2", "network-interface/*")}
	ours := func(key string) conditions {
		return conditions{"StringEquals": {"aws:" + key + "/" + ownerTag: owner}}
	}
	p := policy{Version: "2012-10-17", Statements: []statement{
		// EC2 has no finer permission for its lists.
		{"Look", []string{
			"ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes",
			"ec2:DescribeInstances", "ec2:DescribeLaunchTemplates", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeVolumes",
		}, []string{"*"}, nil},
		{"MakeWithOurTag", []string{"ec2:RunInstances"}, mine, ours("RequestTag")},
		{"MakeFrom", []string{"ec2:RunInstances"}, []string{
			"arn:aws:ec2:" + region + "::image/*", "arn:aws:ec2:" + region + "::snapshot/*",
			arn("ec2", "capacity-reservation/*"), arn("ec2", "key-pair/*"), arn("ec2", "launch-template/*"), arn("ec2", "security-group/*"),
			arn("ec2", "snapshot/*"), arn("ec2", "spot-instances-request/*"), arn("ec2", "subnet/*"),
		}, nil},
		{"TagWhatIsMade", []string{"ec2:CreateTags"}, mine, conditions{"StringEquals": {"ec2:CreateAction": "RunInstances"}}},
		{"EndWithOurTag", []string{"ec2:DeleteNetworkInterface", "ec2:DeleteVolume", "ec2:TerminateInstances"}, mine, ours("ResourceTag")},
	}}
	if parameter != "" {
		name := "arn:aws:ssm:" + region + ":" + account + ":parameter/" + strings.TrimPrefix(parameter, "/")
		if strings.HasPrefix(parameter, "/aws/") { // AWS' own parameters are in no account
			name = "arn:aws:ssm:" + region + "::parameter" + parameter
		}
		p.Statements = append(p.Statements, statement{"ReadImage", []string{"ssm:GetParameter"}, []string{name}, nil})
	}
	if role != "" {
		p.Statements = append(p.Statements, statement{"GiveRole", []string{"iam:PassRole"}, []string{"arn:aws:iam::" + account + ":role/" + role},
			conditions{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}})
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic("ec2: a struct of strings has no JSON: " + err.Error())
	}
	return append(text, '\n')
}

type policy struct {
	Version    string
	Statements []statement `json:"Statement"`
}

type statement struct {
	Sid       string
	Actions   []string   `json:"Action"`
	Resources []string   `json:"Resource"`
	Condition conditions `json:",omitempty"`
}

// conditions are by operator and key.
type conditions map[string]map[string]string

// MarshalJSON writes the statement with the effect that all of them have.
func (s statement) MarshalJSON() ([]byte, error) {
	type plain statement
	return json.Marshal(struct {
		Effect string
		plain
	}{"Allow", plain(s)})
}
