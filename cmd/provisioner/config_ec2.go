package main

import "github.com/batchctl/batchctl/internal/strictyaml"

// EC2 is what the driver ec2 needs: an account in a region of AWS. It finds
// its credentials where the AWS SDK looks for them.
type EC2 struct {
	Region        string              `yaml:"region" doc:"Region of AWS." required:"true" example:"ap-northeast-2"`
	Profile       string              `yaml:"profile" doc:"Profile of the shared AWS configuration files that credentials come from. Default: where the AWS SDK looks."`
	AssumeRole    string              `yaml:"assume_role" doc:"ARN of a role that is taken on." example:"arn:aws:iam::123456789012:role/provisioner"`
	ExternalID    string              `yaml:"external_id" doc:"External ID that the role's trust asks for."`
	Endpoint      string              `yaml:"endpoint" doc:"URL of the EC2 API. Default: that of the region."`
	Account       string              `yaml:"account" doc:"Account whose machines may call in, by identity_certs. Default: any." pattern:"[0-9]{12}"`
	PriceFile     string              `yaml:"price_file" doc:"CSV of prices by instance type, in the place of the built-in table; they order offers, and are shown."`
	CacheDir      string              `yaml:"cache_dir" doc:"Directory for the list of instance types, which is kept for a day. Default: none, and each start asks AWS."`
	IdentityCerts []string            `yaml:"identity_certs" doc:"PEM files with AWS' RSA-2048 certificates for instance identity documents in the region. With them a machine has to prove which it is when it calls in."`
	Places        map[string]EC2Place `yaml:"places" doc:"Where machines are made, by the names that pools use." required:"true" min:"1" keys:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"`
}

// EC2Place is one way to make machines in EC2.
type EC2Place struct {
	Subnets         []string            `yaml:"subnets" doc:"IDs of subnets, tried in this order; each is in its zone." required:"true" min:"1"`
	SecurityGroups  []string            `yaml:"security_groups" doc:"IDs of security groups. Default: that of the network."`
	InstanceTypes   []string            `yaml:"instance_types" doc:"Types that may be used, or patterns such as m7g.*; the cheapest that is large enough is tried first. Default: all of the current generation without accelerators that are neither bare metal nor burstable."`
	Images          map[string]EC2Image `yaml:"images" doc:"The image for each processor." required:"true" min:"1" keys:"amd64|arm64"`
	InstanceProfile string              `yaml:"instance_profile" doc:"Name or ARN of the instance profile; what runs on a machine has its rights. Default: none."`
	KeyName         string              `yaml:"key_name" doc:"Key pair for SSH. Default: none."`
	PublicAddress   bool                `yaml:"public_address" doc:"Give machines a public IPv4 address." default:"false"`
	Market          string              `yaml:"market" doc:"How machines are paid. Spot machines may be taken away while a run is on them." default:"on-demand" enum:"on-demand,spot,spot-then-on-demand"`
	Reservations    []string            `yaml:"reservations" doc:"IDs of capacity reservations, tried before all else; or the one word open, or none. Default: EC2's, which is open."`
	LaunchTemplate  *EC2Template        `yaml:"launch_template" doc:"Gives what is not said here."`
	RootDevice      string              `yaml:"root_device" doc:"Name of the root device. Default: as the image says."`
	RootMin         strictyaml.Size     `yaml:"root_min" doc:"The least size of the root volume. Default: that of the image."`
	Tags            map[string]string   `yaml:"tags" doc:"More tags for all that is made."`
}

// EC2Image names an image by one of three ways.
type EC2Image struct {
	ID        string   `yaml:"id" doc:"Its ID." example:"ami-0abcdef1234567890"`
	Parameter string   `yaml:"parameter" doc:"SSM parameter that holds the ID." example:"/batch/image/arm64"`
	Name      string   `yaml:"name" doc:"Pattern of names; the newest image is taken." example:"batch-node-*"`
	Owners    []string `yaml:"owners" doc:"With name: who published it; account IDs, self or amazon."`
}

// EC2Template names a launch template.
type EC2Template struct {
	ID      string `yaml:"id" doc:"Its ID."`
	Name    string `yaml:"name" doc:"Or its name."`
	Version string `yaml:"version" doc:"Number, $Default or $Latest; settled anew for each order." default:"$Default"`
}
