package ec2

import (
	"context"
	"sync"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// memo keeps what EC2 has answered for a while, so that an order needs no
// call of its own to know it. The zero memo is empty.
type memo[V any] struct {
	mu   sync.Mutex
	kept map[string]*kept[V]
}

type kept[V any] struct {
	busy  chan struct{} // holds one while somebody asks
	value V
	at    time.Time // zero: never
}

// get returns what is kept of key, and asks where that is older than age. Of
// those that want the same at once only one asks. Where the cloud cannot be
// asked, what it said before still holds; not so where it says that there is
// no such thing.
func (m *memo[V]) get(ctx context.Context, key string, now time.Time, age time.Duration, ask func(context.Context) (V, error)) (V, error) {
	m.mu.Lock()
	if m.kept == nil {
		m.kept = map[string]*kept[V]{}
	}
	k := m.kept[key]
	if k == nil {
		k = &kept[V]{busy: make(chan struct{}, 1)}
		m.kept[key] = k
	}
	m.mu.Unlock()

	var none V
	select {
	case k.busy <- struct{}{}:
		defer func() { <-k.busy }()
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if !k.at.IsZero() && now.Sub(k.at) < age {
		return k.value, nil
	}
	v, err := ask(ctx)
	switch {
	case err == nil:
		k.value, k.at = v, now
		return v, nil
	case !k.at.IsZero() && ctx.Err() == nil && nodes.ClassOf(err) != nodes.Configuration:
		return k.value, nil
	}
	return none, err
}

// forget has everything asked anew.
func (m *memo[V]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = nil
}
