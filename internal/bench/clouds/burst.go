package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/batchctl/batchctl/nodes/ec2/ec2test"
)

// burst queues runs at once, with EC2's own buckets.
func burst(ctx context.Context) error {
	const all, some = 1000, 60
	took, calls, err := launchAll(ctx, all, 100)
	if err != nil {
		return err
	}
	single, singleCalls, err := launchAll(ctx, some, 1)
	if err != nil {
		return err
	}
	const bucket, refill = 5, 2 // of RunInstances: calls at once, and a second
	fmt.Printf("EC2 with its own token buckets, runs queued at once:\n")
	fmt.Printf("  %d runs, 100 machines a call      all launched after %.1f s, in %d calls   (figure: <= 30 s)\n", all, took.Seconds(), calls)
	fmt.Printf("  %d runs, 1 machine a call           all launched after %.1f s, in %d calls; %d would take %d s at least\n", some, single.Seconds(), singleCalls, all, (all-bucket)/refill)
	return nil
}

// launchAll returns how long it takes from the trigger of so many runs until
// EC2 has accepted all machines, and how many calls that took.
func launchAll(ctx context.Context, runs, batch int) (took time.Duration, calls int, err error) {
	s, err := newSite(100, time.Hour)
	if err != nil {
		return 0, 0, err
	}
	a, err := newAmazon()
	if err != nil {
		return 0, 0, err
	}
	defer a.end.Close()
	a.model.Behave(ec2test.Behaviour{Buckets: true, Pending: 10 * time.Second})
	var mu sync.Mutex
	launched, last := 0, time.Time{}
	a.model.Room(func(ask ec2test.Ask) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		launched, last, calls = launched+ask.Count, time.Now(), calls+1
		return ask.Count, ""
	})
	if err := s.configure("clouds:\n" + a.yaml(batch, 0, 10*time.Second) + "pools: {standard: {places: [{name: aws-use1, cloud: aws}]}}\n"); err != nil {
		return 0, 0, err
	}
	if err := s.start(); err != nil {
		return 0, 0, err
	}
	defer s.kill()
	began := time.Now()
	s.trigger(runs)
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline) && ctx.Err() == nil; {
		mu.Lock()
		n, at := launched, last
		mu.Unlock()
		if n >= runs {
			return at.Sub(began), calls, nil
		}
		pause(ctx, 50*time.Millisecond)
	}
	return 0, 0, fmt.Errorf("only %d of %d machines were launched; see %s/log", launched, runs, s.dir)
}
