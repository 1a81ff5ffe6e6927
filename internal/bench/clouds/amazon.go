package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

const (
	region = "us-east-1"
	image  = "ami-12c6146b" // one that moto knows
)

// amazon is an EC2 with faults, and the same without.
type amazon struct {
	model   *ec2test.Server
	url     string // of the model
	past    string // of moto itself
	subnets []string
	end     io.Closer // of the server, which ends when this is closed
}

// newAmazon starts an EC2 server, which ends with this process.
func newAmazon() (*amazon, error) {
	if out, err := exec.Command("scripts/moto.sh", "install").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	cmd := exec.Command("scripts/moto.sh", "serve")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("scripts/moto.sh serve: %w", err)
	}
	a := &amazon{past: strings.TrimSpace(line), end: stdin}
	a.model = ec2test.New(a.past)
	if a.url, err = listen(a.model); err != nil {
		return nil, err
	}
	subnets, err := a.model.Subnets(region)
	if err != nil {
		return nil, err
	}
	for _, zone := range []string{"a", "b", "c"} {
		a.subnets = append(a.subnets, subnets[region+zone])
	}
	return a, nil
}

// yaml is this cloud in the configuration of a provisioner.
func (a *amazon) yaml(batch, limit int, every time.Duration) string {
	return fmt.Sprintf(`  aws:
    driver: ec2
    region: %s
    endpoint: %s
    batch: %d
    limit: %d
    cache_dir: cache
    every: %s
    places: {aws-use1: {subnets: [%s], instance_types: [m7i.*, m6i.*], images: {amd64: {id: %s}}}}
`, region, a.url, batch, limit, every, strings.Join(a.subnets, ", "), image)
}

// driver is the owner's, past the model.
func (a *amazon) driver() (nodes.Driver, error) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if err := os.Setenv(name, "bench"); err != nil {
			return nil, err
		}
	}
	return ec2.New(context.Background(), ec2.Config{Owner: owner, Region: region, Endpoint: a.past,
		Places: map[string]ec2.Place{"aws-use1": {Subnets: a.subnets, Images: map[string]ec2.Image{"amd64": {ID: image}}}}})
}

// left says what is there of ours that costs money.
func (a *amazon) left(ctx context.Context, d nodes.Driver) (string, error) {
	vms, err := d.List(ctx)
	if err != nil {
		return "", err
	}
	n := map[string]int{}
	for what, action := range map[string][2]string{"volumes": {"DescribeVolumes", "volumeSet"}, "interfaces": {"DescribeNetworkInterfaces", "networkInterfaceSet"}} {
		first, err := a.model.Do(region, url.Values{"Action": {action[0]}, "Filter.1.Name": {"tag:batchctl:owner"}, "Filter.1.Value.1": {owner}})
		if err != nil {
			return "", err
		}
		if first(action[1], "item") != "" || first(action[1], "item", strings.TrimSuffix(action[1], "Set")+"Id") != "" {
			n[what] = 1
		}
	}
	return fmt.Sprintf("%d machines, volumes left: %v, interfaces left: %v", len(vms), n["volumes"] > 0, n["interfaces"] > 0), nil
}
