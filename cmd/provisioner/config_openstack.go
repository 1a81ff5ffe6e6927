package main

import (
	"time"

	"github.com/batchctl/batchctl/nodes/openstack"
)

// OpenStack is what the driver openstack needs: a project, and who we are
// there.
type OpenStack struct {
	AuthURL    string `yaml:"auth_url" doc:"Address of Keystone." required:"true" example:"https://cloud.example:5000/v3"`
	Region     string `yaml:"region" doc:"Region. Default: the first in the service catalog."`
	Interface  string `yaml:"interface" doc:"Which endpoints of the service catalog are used." default:"public" enum:"public,internal"`
	CAFile     string `yaml:"ca_file" doc:"PEM file of the authorities that the cloud's certificates are checked with. Default: the system's."`
	Credential string `yaml:"application_credential_id" doc:"ID of an application credential, which is of one project. Or user, password_file and project."`
	SecretFile string `yaml:"application_credential_secret_file" doc:"File with its secret, readable by the provisioner's user only."`

	User          string `yaml:"user" doc:"User, where there is no application credential."`
	PasswordFile  string `yaml:"password_file" doc:"File with the user's password, readable by the provisioner's user only."`
	UserDomain    string `yaml:"user_domain" doc:"Domain of the user." default:"Default"`
	Project       string `yaml:"project" doc:"Project of the machines."`
	ProjectDomain string `yaml:"project_domain" doc:"Domain of the project. Default: the user's."`

	Timeout        time.Duration             `yaml:"timeout" doc:"Of each call." default:"1m" min:"1s" max:"10m"`
	CallsPerSecond float64                   `yaml:"calls_per_second" doc:"Calls that make or delete, in a second." default:"10" min:"0.1" max:"1000"`
	Settle         time.Duration             `yaml:"settle" doc:"How long a create that got no reply may still take effect; its order is not sent again before." default:"2m" min:"1s" max:"1h"`
	Places         map[string]OpenStackPlace `yaml:"places" doc:"Where machines are made, by the names that pools use." required:"true" min:"1" keys:"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"`
}

// OpenStackPlace is one way to make machines in OpenStack.
type OpenStackPlace struct {
	Zones           []string           `yaml:"zones" doc:"Availability zones, tried in this order. Default: the cloud chooses."`
	Flavors         []string           `yaml:"flavors" doc:"Flavours that may be used; the smallest that is large enough is tried first. Default: all that the project sees."`
	Image           string             `yaml:"image" doc:"Name or ID of the image, which has cloud-init." required:"true" example:"batch-node"`
	Networks        []string           `yaml:"networks" doc:"Names or IDs of networks; a machine's address is on the first." required:"true" min:"1"`
	SecurityGroups  []string           `yaml:"security_groups" doc:"Names or IDs. Default: the project's default group."`
	KeyName         string             `yaml:"key_name" doc:"Key pair for SSH. Default: none."`
	ServerGroup     string             `yaml:"server_group" doc:"Name or ID of a server group. Default: none."`
	BootFromVolume  bool               `yaml:"boot_from_volume" doc:"The disk is a volume of the size that the job asks for, deleted with the machine." default:"false"`
	VolumeType      string             `yaml:"volume_type" doc:"Type of that volume. Default: the cloud's."`
	ConfigDrive     bool               `yaml:"config_drive" doc:"User data comes on a disk as well, for networks without a metadata service." default:"false"`
	FloatingNetwork string             `yaml:"floating_network" doc:"Network that each machine gets a floating IP of. Default: none."`
	Prices          map[string]float64 `yaml:"prices" doc:"US dollars an hour by flavour, to be shown."`
}

// config returns the driver's own form.
func (c *OpenStack) config(owner string) (openstack.Config, error) {
	out := openstack.Config{Owner: owner, AuthURL: c.AuthURL, Region: c.Region, Interface: c.Interface, CAFile: c.CAFile,
		ApplicationCredentialID: c.Credential, User: c.User, UserDomain: c.UserDomain, Project: c.Project, ProjectDomain: c.ProjectDomain,
		Timeout: c.Timeout, CallsPerSecond: c.CallsPerSecond, Settle: c.Settle, Places: map[string]openstack.Place{}}
	for file, to := range map[string]*string{c.SecretFile: &out.ApplicationCredentialSecret, c.PasswordFile: &out.Password} {
		if file == "" {
			continue
		}
		secret, err := ReadSecret(file)
		if err != nil {
			return out, err
		}
		*to = secret.Reveal()
	}
	if c.User == "" {
		out.UserDomain, out.ProjectDomain = "", ""
	}
	for name, p := range c.Places {
		out.Places[name] = openstack.Place(p)
	}
	return out, nil
}
