package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// rest says that something of a cloud is left alone for a while: the whole
// cloud, a place, what a place has for one need, or all offers with a scope.
type rest struct {
	until time.Time // zero: it is not
	tries int       // how often in a row
	class Class
	why   string
}

func restOfCloud(cloud string) string           { return "cloud " + cloud }
func restOfLimit(cloud string) string           { return "limit of cloud " + cloud }
func restOfPlace(place string) string           { return "place " + place }
func restOfNeed(place string, need Need) string { return "place " + place + " with " + need.String() }
func restOfScope(cloud, scope string) string    { return "scope " + cloud + "/" + scope }

// limitPause is how long it is not tried again whether a limit of the
// configuration leaves room.
const limitPause = 3 * time.Second

// resting returns the one of the rests that lasts longest; the zero rest
// where all are over. The caller holds r.mu.
func (r *Reconciler) resting(now time.Time, keys ...string) rest {
	var longest rest
	for _, key := range keys {
		if at := r.rests[key]; at.until.After(now) && at.until.After(longest.until) {
			longest = at
		}
	}
	return longest
}

// offer returns the first offer of a place that is not at rest. Where there
// is none, the place is left alone for that need, and its leases look at the
// next place of their pool.
func (r *Reconciler) offer(ctx context.Context, key groupKey) (Offer, bool) {
	p := key.place
	offers, err := r.Clouds[p.Cloud].Driver.Offers(ctx, p.Name, key.need)
	if ctx.Err() != nil {
		return Offer{}, false
	}
	now := r.Now()
	switch class := ClassOf(err); {
	case err == nil && len(offers) == 0:
		r.restUntil(restOfNeed(p.Name, key.need), rest{until: now.Add(5 * time.Minute), class: Configuration, why: "it has no machine with " + key.need.String()})
		return Offer{}, false
	case class == Configuration || class == Throttled:
		r.rest(p.Cloud, p.Name, err)
		return Offer{}, false
	case err != nil:
		r.Metrics.failed("cloud", p.Cloud, "offers")
		r.restUntil(restOfNeed(p.Name, key.need), rest{until: now.Add(5 * time.Second), why: err.Error()})
		return Offer{}, false
	}
	soonest := rest{class: Configuration}
	var whys []string
	for _, o := range offers {
		at := r.offerRest(p.Cloud, o, now)
		if at.until.IsZero() {
			return o, true
		}
		if soonest.until.IsZero() || at.until.Before(soonest.until) {
			soonest.until = at.until
		}
		if at.class != Configuration {
			soonest.class = at.class // then waiting helps
		}
		if !slices.Contains(whys, at.why) {
			whys = append(whys, at.why)
		}
	}
	const most = 3
	if len(whys) > most {
		whys = append(whys[:most], fmt.Sprintf("and %d more", len(whys)-most))
	}
	soonest.why = strings.Join(whys, "; ")
	r.restUntil(restOfNeed(p.Name, key.need), soonest)
	return Offer{}, false
}

// offerRest returns the longest rest of an offer's scopes.
func (r *Reconciler) offerRest(cloud string, o Offer, now time.Time) rest {
	keys := make([]string, len(o.Scopes))
	for i, scope := range o.Scopes {
		keys[i] = restOfScope(cloud, scope)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resting(now, keys...)
}

func (r *Reconciler) restUntil(key string, at rest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rests[key] = at
}

// rest leaves alone for a while what an error of a cloud is about. It rests
// longer each time, until it was not in trouble for as long as it may rest.
func (r *Reconciler) rest(cloud, place string, err error) {
	var e *CloudError
	errors.As(err, &e)
	class, key := ClassOf(err), restOfPlace(place)
	first, limit := 30*time.Second, 5*time.Minute
	switch {
	case class == Throttled:
		key, first, limit = restOfCloud(cloud), time.Second, time.Minute
	case e != nil && e.Scope != "":
		key = restOfScope(cloud, e.Scope)
	}
	if class == Configuration {
		first, limit = 5*time.Minute, 30*time.Minute
		r.Log.Error("a place cannot work as it is configured", "cloud", cloud, "place", place, "error", err)
	}
	now := r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.rests[key]
	if class != Throttled && now.Before(at.until) {
		return // the same trouble, met by several at once
	}
	if now.Sub(at.until) > limit {
		at.tries = 0
	}
	at.until = now.Add(backoff(at.tries, first, limit))
	at.tries, at.class, at.why = at.tries+1, class, err.Error()
	r.rests[key] = at
}

// calm forgets that a cloud was asked too often, as it has taken an order. A
// place or an offer that was short keeps its record: some clouds accept first
// and find no room later.
func (r *Reconciler) calm(o Order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.rests, restOfCloud(o.Cloud))
}

// where names what an order asks, for people.
func (o *Order) where() string {
	if o.Offer.Name == "" {
		return o.Place
	}
	return o.Place + " (" + o.Offer.Name + ")"
}

// backoff doubles from first to limit.
func backoff(tries int, first, limit time.Duration) time.Duration {
	return min(first<<min(tries, 16), limit)
}
