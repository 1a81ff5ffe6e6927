package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

const (
	chaosRuns  = 1000
	stackRoom  = 60  // servers that OpenStack's quota allows; the configuration says a few more
	amazonRoom = 200 // machines in EC2 at once
	killEvery  = 10 * time.Second
	faulty     = 0.05 // of replies are lost, and as many calls are answered with an error
)

// chaos runs 1,000 runs over both clouds while calls and replies are lost,
// and the provisioner is killed again and again.
func chaos(ctx context.Context) error {
	s, err := newSite(200, 8*time.Second)
	if err != nil {
		return err
	}
	a, err := newAmazon()
	if err != nil {
		return err
	}
	defer a.end.Close()
	dice := newDice()
	a.model.Behave(ec2test.Behaviour{Buckets: true, Pending: 2 * time.Second, Hidden: time.Second})
	a.model.Fail(func(ec2test.Call) *ec2test.Fault {
		switch p := dice.roll(); {
		case p < faulty:
			return &ec2test.Fault{After: true, Lose: true}
		case p < 2*faulty:
			return &ec2test.Fault{Status: 500, Code: "InternalError"}
		case p < 2*faulty+0.02:
			return &ec2test.Fault{Status: 503, Code: "RequestLimitExceeded"}
		}
		return nil
	})
	o, err := newStack(ctx, dice)
	if err != nil {
		return err
	}
	defer o.remove(ctx)
	amazonDriver, err := a.driver()
	if err != nil {
		return err
	}
	drivers := map[string]nodes.Driver{"aws": amazonDriver, "idc": o.driver}
	if err := s.configure("clouds:\n" + o.yaml() + a.yaml(20, amazonRoom, 3*time.Second) + "pools: {standard: {places: [{name: idc-seoul, cloud: idc}, {name: aws-use1, cloud: aws}]}}\n"); err != nil {
		return err
	}
	if err := o.password(s.dir); err != nil {
		return err
	}
	playing, stop := context.WithCancel(ctx)
	m := newMachines(s, drivers)
	played := make(chan struct{})
	go func() { m.play(playing); close(played) }()
	defer func() { stop(); <-played }()

	began := time.Now()
	s.trigger(chaosRuns)
	if err := s.start(); err != nil {
		return err
	}
	next := time.Now().Add(killEvery)
	for s.ended() < chaosRuns {
		if ctx.Err() != nil || time.Since(began) > 40*time.Minute {
			s.kill()
			return fmt.Errorf("after %s %d of %d runs have ended; see %s/log", time.Since(began).Round(time.Second), s.ended(), chaosRuns, s.dir)
		}
		if time.Now().After(next) {
			s.kill()
			if err := s.start(); err != nil {
				return err
			}
			next = time.Now().Add(killEvery)
		}
		pause(ctx, 200*time.Millisecond)
	}
	took := time.Since(began)
	err = s.settle(ctx, drivers, 10*time.Minute)
	s.kill()
	s.kills-- // this one is no part of it
	if err != nil {
		return err
	}
	return s.verdict(ctx, m, a, o, drivers, took)
}

// settle waits until the clouds have no machine and Jenkins no node.
func (s *site) settle(ctx context.Context, drivers map[string]nodes.Driver, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		var left []string
		for name, d := range drivers {
			vms, err := d.List(ctx)
			if err != nil {
				left = append(left, name+": "+err.Error())
			} else if len(vms) > 0 {
				left = append(left, fmt.Sprintf("%d in %s, %s first (%s)", len(vms), name, vms[0].ID, vms[0].Detail))
			}
		}
		if n := len(s.jenkins.Nodes()); n > 1 { // its own
			left = append(left, fmt.Sprintf("%d nodes", n))
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("after %s these are left: %s; see %s/log", limit, strings.Join(left, "; "), s.dir)
		}
		pause(ctx, time.Second)
	}
}

// verdict says what came of it, and is an error if anything is not as it must
// be.
func (s *site) verdict(ctx context.Context, m *machines, a *amazon, o *stack, drivers map[string]nodes.Driver, took time.Duration) error {
	var wrong []string
	used := map[string]string{}
	for _, run := range s.jenkins.Runs() {
		if run.Result != "SUCCESS" || len(run.Attempts) != 1 {
			wrong = append(wrong, fmt.Sprintf("%s ended as %s after %d attempts", run.Ref, run.Result, len(run.Attempts)))
		}
		for _, at := range run.Attempts {
			if other := used[at.Node]; other != "" {
				wrong = append(wrong, fmt.Sprintf("%s and %s were on one node", other, run.Ref))
			}
			used[at.Node] = run.Ref.String()
		}
	}
	made, orders, twice, err := s.ordered(ctx, m)
	if err != nil {
		return err
	}
	wrong = append(wrong, twice...)
	amazonLeft, err := a.left(ctx, drivers["aws"])
	if err != nil {
		return err
	}
	stackLeft, err := o.left(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("Chaos: %d runs over OpenStack (room for %d) and EC2, %.0f %% of replies lost, %.0f %% of calls failed, throttled, the provisioner killed %d times:\n",
		chaosRuns, stackRoom, faulty*100, faulty*100, s.kills)
	fmt.Printf("  all runs ended after %s; %d machines in %d orders; orders with more machines than were asked for: %d\n", took.Round(time.Second), made, orders, len(twice))
	fmt.Printf("  left in EC2: %s\n  left in OpenStack: %s\n", amazonLeft, stackLeft)
	if len(wrong) > 0 {
		return fmt.Errorf("this must not be: %s; see %s", strings.Join(wrong[:min(len(wrong), 10)], "; "), s.dir)
	}
	return os.RemoveAll(s.dir)
}
