package openstack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/batchctl/batchctl/nodes"
)

// microversion of Nova that all calls ask for. Tags at creation came with
// 2.52, the type of a new volume with 2.67 (the release Stein, of 2019).
const microversion = "2.67"

// session is what a login gave: the services, with a token that renews
// itself, and the project that it is for.
type session struct {
	provider                *gophercloud.ProviderClient
	compute, network, image *gophercloud.ServiceClient
	project                 string // its name
	roles                   []string
	issued, at              time.Time // when Keystone gave the token, by its clock and, not before, by ours; zero: it did not say
}

// now returns what time it is in the cloud, or a little earlier, and false
// where that is not known. The services of one cloud have one time: tokens
// would not work otherwise.
func (s *session) now(local time.Time) (time.Time, bool) {
	return s.issued.Add(local.Sub(s.at)), !s.issued.IsZero()
}

// loginPause is how long a login that was refused is not tried again: Keystone
// may lock a user out for many wrong passwords.
const loginPause = 30 * time.Second

// session logs in when it is first needed, so that a provisioner can start
// while its cloud is down. One caller logs in and the others wait.
func (d *Driver) session(ctx context.Context) (*session, error) {
	select {
	case d.login <- struct{}{}:
		defer func() { <-d.login }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.current != nil {
		return d.current, nil
	}
	if d.cfg.Now().Before(d.again) {
		return nil, d.refused
	}
	s, err := d.newSession(ctx)
	if err != nil {
		err = fmt.Errorf("log in at %s: %w", d.cfg.AuthURL, classify(err))
		if nodes.ClassOf(err) == nodes.Configuration {
			d.refused, d.again = err, d.cfg.Now().Add(loginPause)
		}
		return nil, err
	}
	d.current = s
	return s, nil
}

func (d *Driver) newSession(ctx context.Context) (*session, error) {
	provider, err := openstack.NewClient(d.cfg.AuthURL)
	if err != nil {
		return nil, err
	}
	provider.HTTPClient = d.http
	provider.UserAgent.Prepend("batchctl-provisioner")
	options := d.authOptions()
	if err := openstack.AuthenticateV3(ctx, provider, &options, gophercloud.EndpointOpts{}); err != nil {
		return nil, err
	}
	s := &session{provider: provider, at: d.cfg.Now()}
	if err := s.identify(); err != nil {
		return nil, err
	}
	where := gophercloud.EndpointOpts{Region: d.cfg.Region, Availability: gophercloud.Availability(d.cfg.Interface)}
	for _, service := range []struct {
		to   **gophercloud.ServiceClient
		make func(*gophercloud.ProviderClient, gophercloud.EndpointOpts) (*gophercloud.ServiceClient, error)
		name string
	}{
		{&s.compute, openstack.NewComputeV2, "compute"},
		{&s.network, openstack.NewNetworkV2, "network"},
		{&s.image, openstack.NewImageV2, "image"},
	} {
		if *service.to, err = service.make(provider, where); err != nil {
			return nil, fmt.Errorf("the catalog's %s service (region %q, %s): %w", service.name, d.cfg.Region, d.cfg.Interface, err)
		}
	}
	s.compute.Microversion = microversion
	return s, nil
}

// identify reads the project and the roles out of the login's answer.
func (s *session) identify() error {
	answer, ok := s.provider.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return fmt.Errorf("the answer of Keystone is of the kind %T", s.provider.GetAuthResult())
	}
	project, err := answer.ExtractProject()
	if err != nil {
		return err
	}
	if project == nil {
		return fmt.Errorf("the token of Keystone is for no project")
	}
	s.project = project.Name
	var token struct {
		Issued time.Time `json:"issued_at"`
	}
	if err := answer.ExtractIntoStructPtr(&token, "token"); err != nil {
		return err
	}
	s.issued = token.Issued
	roles, err := answer.ExtractRoles()
	for _, r := range roles {
		s.roles = append(s.roles, r.Name)
	}
	return err
}

func (d *Driver) authOptions() gophercloud.AuthOptions {
	c := d.cfg
	o := gophercloud.AuthOptions{IdentityEndpoint: c.AuthURL, AllowReauth: true}
	if c.ApplicationCredentialID != "" {
		o.ApplicationCredentialID, o.ApplicationCredentialSecret = c.ApplicationCredentialID, c.ApplicationCredentialSecret
		return o
	}
	o.Username, o.Password, o.DomainName = c.User, c.Password, c.UserDomain
	o.Scope = &gophercloud.AuthScope{ProjectName: c.Project, DomainName: c.ProjectDomain}
	return o
}

// newClient makes the HTTP client of all calls.
func newClient(c *Config) (http.Client, error) {
	transport := c.Transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		if c.CAFile != "" {
			pem, err := os.ReadFile(c.CAFile)
			if err != nil {
				return http.Client{}, fmt.Errorf("the authorities that OpenStack is trusted by: %w", err)
			}
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(pem) {
				return http.Client{}, fmt.Errorf("%s has no certificate in PEM", c.CAFile)
			}
			own.TLSClientConfig = &tls.Config{RootCAs: roots}
		}
		transport = own
	}
	return http.Client{Transport: newGate(transport, c.Now), Timeout: c.Timeout}, nil
}
