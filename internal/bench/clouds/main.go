// Command clouds measures the service over clouds, with bin/provisioner as it
// is in earnest: how soon 1,000 runs have their machines in EC2, whose token
// buckets are enforced; and what is left, or made twice, when the clouds lose
// and refuse calls and the provisioner is killed every few seconds.
//
//	clouds burst    EC2 alone
//	clouds chaos    OpenStack, and EC2 when that is full
//
// The EC2 server is moto behind a model of what it lacks (nodes/ec2/ec2test),
// OpenStack is a real one (scripts/openstack), with a fake hypervisor: a
// goroutine calls in for each machine that runs. The Jenkins is that of the
// tests.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "burst":
		err = burst(ctx)
	case len(os.Args) == 2 && os.Args[1] == "chaos":
		err = chaos(ctx)
	default:
		err = fmt.Errorf("usage: clouds burst|chaos")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "clouds:", err)
		os.Exit(1)
	}
}
