package nodes

import (
	"context"
	"sync"
	"time"
)

// work runs effects beside the passes: at most one for a key at a time, and a
// bounded number for each cloud and controller.
type work struct {
	inline bool // run everything at once, in the caller's goroutine
	mu     *sync.Mutex
	keys   map[string]int
	slots  map[string]chan struct{}
	all    *sync.WaitGroup
}

func newWork() work {
	return work{mu: &sync.Mutex{}, keys: map[string]int{}, slots: map[string]chan struct{}{}, all: &sync.WaitGroup{}}
}

// bound sets how many effects may run at once in a place.
func (w *work) bound(place string, n int) { w.slots[place] = make(chan struct{}, n) }

// busy reports whether an effect for the key has not ended yet.
func (w *work) busy(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys[key] > 0
}

// do runs f for the keys, unless one of them is busy.
func (w *work) do(ctx context.Context, place string, f func(context.Context), keys ...string) bool {
	w.mu.Lock()
	for _, key := range keys {
		if w.keys[key] > 0 {
			w.mu.Unlock()
			return false
		}
	}
	for _, key := range keys {
		w.keys[key]++
	}
	w.mu.Unlock()
	end := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, key := range keys {
			delete(w.keys, key)
		}
	}
	if w.inline {
		f(ctx)
		end()
		return true
	}
	w.all.Go(func() {
		defer end()
		select {
		case w.slots[place] <- struct{}{}:
			defer func() { <-w.slots[place] }()
			f(ctx)
		case <-ctx.Done():
		}
	})
	return true
}

// wait returns when everything has ended.
func (w *work) wait() { w.all.Wait() }

// pause says when an effect may be repeated.
type pause struct {
	until time.Time
	tries int
}

// rested reports whether the effect named key may be tried now, and begins
// its next pause: an effect shows in a look a while after it was made, so it
// is repeated only when it did not show for long.
func (r *Reconciler) rested(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, now := r.pauses[key], r.Now()
	if now.Before(p.until) {
		return false
	}
	p.until = now.Add(min(r.Timing.Repeat<<min(p.tries, 3), time.Minute))
	p.tries++
	r.pauses[key] = p
	return true
}

// hurry shortens the pause of an effect that was not had: it is tried again
// after a second, and then ever later.
func (r *Reconciler) hurry(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pauses[key]
	p.until = r.Now().Add(backoff(p.tries-1, time.Second, time.Minute))
	r.pauses[key] = p
}
