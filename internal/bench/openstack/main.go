// Command openstack measures how fast the driver for OpenStack makes and ends
// machines, against a bare loop of the SDK that does nothing but create and
// delete, in the same run on the same real OpenStack
// (scripts/openstack/with.sh starts one).
//
// The loop sends one create for each server, some at a time. The driver gets
// orders as the reconciler sends them, as many at a time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/nodes/openstack/openstacktest"
)

var (
	machines = flag.Int("machines", 150, "how many are made in each round")
	group    = flag.Int("group", 10, "machines of an order")
	parallel = flag.Int("parallel", 4, "calls at a time")
	rounds   = flag.Int("rounds", 1, "how often both are measured, one after the other")
)

func main() {
	flag.Parse()
	if err := measure(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// figures are what one round took.
type figures struct{ accepted, running, gone time.Duration }

// best keeps the least of each: others may be using the machine.
func (f *figures) best(g figures) {
	if f.running == 0 {
		*f = g
		return
	}
	f.accepted, f.running, f.gone = min(f.accepted, g.accepted), min(f.running, g.running), min(f.gone, g.gone)
}

// maker makes machines and ends them. Each call returns when that is done.
type maker interface {
	create(ctx context.Context) error          // all are accepted
	running(ctx context.Context) (int, error)  // how many run
	destroy(ctx context.Context) (bool, error) // asks for the end of all; whether there are none
}

func measure(ctx context.Context) (err error) {
	found, err := testenv.FindOpenStack()
	if err != nil {
		return fmt.Errorf("no OpenStack runs here; start one with scripts/openstack/up.sh: %w", err)
	}
	cloud, err := openstacktest.Open(ctx, openstacktest.Account{AuthURL: found.AuthURL, Region: found.Region, User: found.User, Password: found.Password, Project: found.Project})
	if err != nil {
		return err
	}
	project, err := cloud.NewProject(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if gone := project.Remove(ctx); err == nil {
			err = gone
		}
	}()
	driver, err := newDriver(project)
	if err != nil {
		return err
	}
	loop, err := newLoop(ctx, project, driver)
	if err != nil {
		return err
	}
	var bare, ours figures
	for range *rounds {
		for _, one := range []struct {
			maker
			best *figures
		}{{loop, &bare}, {driver, &ours}} {
			f, err := round(ctx, one.maker)
			if err != nil {
				return err
			}
			one.best.best(f)
		}
	}
	left, err := loop.servers(ctx)
	if err != nil {
		return err
	}
	report(cloud.Microversion, bare, ours, len(left))
	return nil
}

// round makes all machines, waits until all run, and ends them.
func round(ctx context.Context, m maker) (f figures, err error) {
	start := time.Now()
	if err := m.create(ctx); err != nil {
		return f, err
	}
	f.accepted = time.Since(start)
	for n := 0; n < *machines; {
		if n, err = m.running(ctx); err != nil {
			return f, err
		}
		time.Sleep(time.Second)
	}
	f.running = time.Since(start)
	start = time.Now()
	for none := false; !none; {
		if none, err = m.destroy(ctx); err != nil {
			return f, err
		}
		time.Sleep(time.Second)
	}
	f.gone = time.Since(start)
	return f, nil
}

func report(microversion string, bare, ours figures, left int) {
	fmt.Printf("OpenStack, Nova %s: %d machines, orders of %d, %d calls at a time\n\n", microversion, *machines, *group, *parallel)
	fmt.Println("| | bare loop | driver | driver / loop |\n| --- | --- | --- | --- |")
	for _, row := range []struct {
		what       string
		bare, ours time.Duration
	}{
		{"all accepted", bare.accepted, ours.accepted}, {"all run", bare.running, ours.running}, {"all gone again", bare.gone, ours.gone},
	} {
		fmt.Printf("| %s | %.1f s | %.1f s | %.2f |\n", row.what, row.bare.Seconds(), row.ours.Seconds(), row.ours.Seconds()/row.bare.Seconds())
	}
	fmt.Printf("\nmachines left: %d\n", left)
}
