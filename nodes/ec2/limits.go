package ec2

import (
	"context"
	"fmt"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"github.com/batchctl/batchctl/nodes"
)

// bucket is a token bucket of EC2: how much it holds, and how much comes back
// each second.
type bucket struct {
	size   int
	refill float64
}

// EC2's buckets, for each account and region, as documented ("Request
// throttling for the Amazon EC2 API"). Each action has one of its own, and
// RunInstances and TerminateInstances have another one for instances.
var (
	callBuckets = map[string]bucket{
		"RunInstances":           {5, 2},
		"TerminateInstances":     {100, 5},
		"DeleteVolume":           {100, 5},
		"DeleteNetworkInterface": {100, 5},
	}
	instanceBuckets = map[string]bucket{
		"RunInstances":       {1000, 2},
		"TerminateInstances": {1000, 20},
	}
	others = bucket{100, 20} // Describe…; the driver makes no list without a filter, which has a smaller one
)

// margin is how much of EC2's buckets is used: others in the account call too,
// and its clock is not ours.
const margin = 0.9

// maxWait is how long a call waits for its turn before it is given up.
const maxWait = 20 * time.Second

// Limits bounds how often the API of one account and region is called, a
// little below what EC2 takes. It may be used by several drivers at once.
type Limits struct {
	mu   sync.Mutex
	rate map[string]*rate.Limiter // by action, and by action and " instances"
	now  func() time.Time
}

// NewLimits returns limits that nobody has used yet.
func NewLimits() *Limits { return &Limits{rate: map[string]*rate.Limiter{}, now: time.Now} }

// attach puts the limits before every call of a client, and so also before
// each page of a list.
func (l *Limits) attach(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("batchctlLimits",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if err := l.wait(ctx, awsmiddleware.GetOperationName(ctx), in.Parameters); err != nil {
				return middleware.InitializeOutput{}, middleware.Metadata{}, err
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
}

// wait waits until an action may be called. Where that takes too long it says
// Throttled, which is what EC2 would say.
func (l *Limits) wait(ctx context.Context, action string, parameters any) error {
	b, ok := callBuckets[action]
	if !ok {
		b = others
	}
	if err := l.take(ctx, action, b, 1); err != nil {
		return err
	}
	if b, ok := instanceBuckets[action]; ok {
		return l.take(ctx, action+" instances", b, instances(parameters))
	}
	return nil
}

// instances returns how many instances a call is about.
func instances(parameters any) int {
	switch in := parameters.(type) {
	case *ec2.RunInstancesInput:
		if in.MaxCount != nil {
			return int(*in.MaxCount)
		}
	case *ec2.TerminateInstancesInput:
		return len(in.InstanceIds)
	}
	return 1
}

func (l *Limits) take(ctx context.Context, name string, b bucket, n int) error {
	limiter := l.limiter(name, b)
	now := l.now()
	// More than the bucket holds is taken as all that it holds: EC2 has to
	// decide about such a call.
	r := limiter.ReserveN(now, min(n, limiter.Burst()))
	d := r.DelayFrom(now)
	if d == 0 {
		return nil
	}
	if d > maxWait {
		r.CancelAt(now)
		return &nodes.CloudError{Class: nodes.Throttled, Err: fmt.Errorf(
			"%s: the next one may go to EC2 in %s, more often it would be refused", name, d.Round(time.Second))}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		r.CancelAt(l.now())
		return ctx.Err()
	}
}

func (l *Limits) limiter(name string, b bucket) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate[name] == nil {
		size := max(1, int(float64(b.size)*margin))
		if b.size >= 1000 {
			size = b.size // an order of 1,000 machines is one call, and EC2 takes it when its bucket is full
		}
		l.rate[name] = rate.NewLimiter(rate.Limit(b.refill*margin), size)
	}
	return l.rate[name]
}
