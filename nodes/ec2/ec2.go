// Package ec2 is the driver of Amazon EC2: a machine is an instance, an order
// is one call of RunInstances with the order's ID as client token.
//
// Read offers.go first (what may be ordered), then launch.go (why an order can
// be sent again, and what is done where EC2's token does not suffice), then
// list.go and destroy.go. errors_table.go says what each of EC2's error codes
// means for an order. docs/ec2.md is the page for those who set it up.
//
// In comments, "documented" is said of AWS' public documents; what is from
// other sources says so.
package ec2

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/batchctl/batchctl/nodes"
)

var _ nodes.Driver = (*Driver)(nil)

// The tags by which machines, volumes and interfaces are known again. Their
// values are compared exactly.
const (
	ownerTag = "batchctl:owner"
	orderTag = "batchctl:order"
	placeTag = "batchctl:place"
)

const (
	callTime  = 60 * time.Second // bounds one call; a large RunInstances takes many seconds
	tokenLife = 24 * time.Hour   // a client token is documented to be known that long after its machines' end
	knownLife = 2 * time.Hour    // how long ended machines are remembered here; EC2 shows them for about one
)

// pace says how long things are waited for.
type pace struct {
	settle       time.Duration // after which EC2 shows what it has made; documented only as "eventually"
	remains      time.Duration // between two looks for what machines have left behind
	refused      time.Duration // between two looks for refused machines where nothing points to one
	refusedAgain time.Duration // between two where something does
}

var usualPace = pace{settle: 30 * time.Second, remains: 5 * time.Minute, refused: time.Minute, refusedAgain: 2 * time.Second}

// Driver makes machines in one account and region for one owner. It is made
// by New.
type Driver struct {
	cfg    Config
	api    *ec2.Client
	ssm    *ssm.Client
	prices map[string]price
	certs  []*x509.Certificate

	now  func() time.Time
	pace pace
	born time.Time

	types     *typeTable
	images    memo[image]
	subnets   memo[[]subnet]
	templates memo[string]
	reserved  memo[[]reservation]

	mu      sync.Mutex
	orders  map[string]sighting // orders that this process has sent
	ours    map[string]known    // instances that are the owner's
	refused refusals
	remains remains
}

// New returns the driver. It reads the files that cfg names, and does not
// call EC2: what is wrong there, Check tells.
func New(ctx context.Context, cfg Config) (*Driver, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	prices, err := loadPrices(cfg.PriceFile)
	if err != nil {
		return nil, err
	}
	certs, err := readCerts(cfg.IdentityCerts)
	if err != nil {
		return nil, err
	}
	if cfg.Limits == nil {
		cfg.Limits = NewLimits()
	}
	d := &Driver{
		cfg: cfg, prices: prices, certs: certs, now: time.Now, pace: usualPace, born: time.Now(),
		orders: map[string]sighting{}, ours: map[string]known{},
	}
	d.types = &typeTable{dir: cfg.CacheDir, region: cfg.Region, now: func() time.Time { return d.now() }}
	return d, d.connect(ctx)
}

// connect makes the clients. The SDK's own repetitions are off: it would
// repeat what means "no capacity" and what has to be told at once, with waits
// of its own; here the reconciler repeats, by the class of the error.
func (d *Driver) connect(ctx context.Context) error {
	httpClient := awshttp.NewBuildableClient().WithTimeout(callTime).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 16 // orders go out side by side
	})
	options := []func(*config.LoadOptions) error{
		config.WithRegion(d.cfg.Region),
		config.WithHTTPClient(httpClient),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithLogger(logging.Nop{}), // what goes wrong is returned
		config.WithAPIOptions([]func(*middleware.Stack) error{d.cfg.Limits.attach, plainBody}),
	}
	if d.cfg.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(d.cfg.Profile))
	}
	if d.cfg.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(d.cfg.Endpoint))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return fmt.Errorf("ec2: the SDK's configuration: %w", err)
	}
	if d.cfg.AssumeRole != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c), d.cfg.AssumeRole, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "batchctl-" + d.cfg.Owner[:min(len(d.cfg.Owner), 50)]
			if d.cfg.ExternalID != "" {
				o.ExternalID = &d.cfg.ExternalID
			}
		})
		c.Credentials = aws.NewCredentialsCache(role)
	}
	d.api = ec2.NewFromConfig(c, func(o *ec2.Options) { o.APIOptions = append(o.APIOptions, onlyEC2) })
	d.ssm = ssm.NewFromConfig(c)
	return nil
}

// place returns a place of the configuration.
func (d *Driver) place(name string) (Place, error) {
	p, ok := d.cfg.Places[name]
	if !ok {
		return p, configuration("the place %s is not in the configuration", name)
	}
	return p, nil
}

// configuration returns an error of that class.
func configuration(format string, args ...any) error {
	return &nodes.CloudError{Class: nodes.Configuration, Err: fmt.Errorf(format, args...)}
}
