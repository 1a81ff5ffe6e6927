package openstack

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
)

// An order is sent by whoever holds its claim. Nova has no idempotency token,
// and several provisioners may have one store and repeat each other's orders.
// What Nova does have, for every user, is one thing whose name is unique and
// that costs nothing: the key pair, unique for its user in the database. So a
// claim is a key pair with the order's name, and of many who ask at once one
// gets it.
//
//   - Who gets it looks for the order's servers, after that, and only where
//     there are none does it create. Then it lets the claim go.
//   - A create whose outcome is not known keeps its claim: the request may
//     still be on its way. It is believed to have had no effect when all of
//     the servers are not there Settle after the claim was made. That is
//     measured by the cloud's clock: Nova says when it made the pair, and
//     Keystone what time it was at the login. Where they do not, it is measured
//     by the clock of whoever waits, from when it first saw the claim. The
//     claim then passes on by its next number, which again one gets.
//   - Whoever holds a claim for longer than half of Settle before its create
//     could be sent does not send it.
//   - Who does not get it looks: servers that are there in full are the
//     answer, anything else is not known yet.
//
// What remains: a create that takes effect later than Settle after it was
// sent, when its sender is gone. Then the order has more servers than it asks
// for; of those with one number the first made counts, for everyone. The other
// has our tag and no lease: it calls in, is refused, and is swept.
//
// The key in the pair is 32 bytes of chance in the form of a public key, by
// which a holder knows its claim again. No private half of it exists.

// errClaimed says that an order may be on its way.
var errClaimed = errors.New("this order was sent before, and not all of its servers are there yet; it is not sent again until it is certain that they will not come")

// claims is what is known in this process of claims.
type claims struct {
	mu    sync.Mutex
	busy  map[string]bool       // orders that a call of this process is at work on
	mine  map[string]claimState // by name
	first map[string]time.Time  // when a key was first seen
}

// seenKept is how long it is known when a key was first seen.
const seenKept = 24 * time.Hour

// begin reports whether no other call of this process is at work on an order;
// end lets the next one begin.
func (c *claims) begin(order string) (end func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[order] {
		return nil, false
	}
	c.busy[order] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.busy, order)
	}, true
}

type claimState struct {
	key  string
	sent bool // the create has left, and its outcome is not known
}

// errLate says that a create was not sent.
var errLate = errors.New("its turn to be sent came too late, so it was not; it is tried again")

// late reports whether a create may not be sent any more under a claim:
// others may soon believe that it had no effect.
func (d *Driver) late(h *held) bool { return d.cfg.Now().Sub(h.since) > d.cfg.Settle/2 }

// held is a claim that was got.
type held struct {
	order string
	since time.Time // not after it was got
	names []string  // of its own and of those that it took the place of
}

func (h *held) name() string { return h.names[len(h.names)-1] }

// claimPrefix is what the names of an owner's claims begin with.
func (d *Driver) claimPrefix() string { return "batchctl-claim " + d.cfg.Owner + " " }

// mostClaims bounds how often a claim passes on: each time takes Settle.
const mostClaims = 20

// claim gets the claim of an order. Where another has it that is errClaimed,
// and what is returned names all that there are.
func (d *Driver) claim(ctx context.Context, s *session, order string) (*held, error) {
	h := &held{order: order, since: d.cfg.Now(), names: []string{d.claimName(order, 0)}}
	if got, err := d.tryClaim(ctx, s, h.name()); got || err != nil {
		return h, err
	}
	last, err := d.lastClaim(ctx, s, h)
	if err != nil {
		return h, err
	}
	key, age, err := lookAt(ctx, s, h.name(), d.cfg.Now())
	if statusOf(err) == http.StatusNotFound {
		return h, errClaimed // it was just let go
	}
	if err != nil {
		return h, open(err)
	}
	ours, err := d.claims.judge(h.name(), key, age, d.cfg.Now(), d.cfg.Settle)
	if ours || err != nil {
		return h, err
	}
	if last+1 == mostClaims {
		return h, fmt.Errorf("%w; its claim has passed on %d times: see why creates get no reply, or delete the key pairs %q", errClaimed, mostClaims, h.names[0]+"…")
	}
	h.names = append(h.names, d.claimName(order, last+1))
	got, err := d.tryClaim(ctx, s, h.name())
	if err == nil && !got {
		err = errClaimed // another was faster
	}
	return h, err
}

func (d *Driver) claimName(order string, number int) string {
	if number == 0 {
		return d.claimPrefix() + order
	}
	return fmt.Sprintf("%s%s %d", d.claimPrefix(), order, number)
}

// lastClaim returns the number of the newest claim of an order, and fills in
// the names of all. Only the newest counts: whoever made it has found the one
// before to be old.
func (d *Driver) lastClaim(ctx context.Context, s *session, h *held) (last int, err error) {
	all, err := keyPairs(ctx, s)
	if err != nil {
		return 0, open(err)
	}
	there := map[string]bool{}
	for _, k := range all {
		there[k.Name] = true
	}
	for number := range mostClaims {
		if name := d.claimName(h.order, number); number > 0 && there[name] {
			h.names, last = append(h.names, name), number
		}
	}
	return last, nil
}

// keyPairs returns all key pairs of the user.
func keyPairs(ctx context.Context, s *session) ([]keypairs.KeyPair, error) {
	pages, err := keypairs.List(s.compute, keypairs.ListOpts{}).AllPages(ctx)
	if err != nil {
		return nil, classify(err)
	}
	return keypairs.ExtractKeyPairs(pages)
}

// tryClaim makes a claim, unless there is one of that name.
func (d *Driver) tryClaim(ctx context.Context, s *session, name string) (got bool, err error) {
	_, err = keypairs.Create(ctx, s.compute, keypairs.CreateOpts{Name: name, PublicKey: d.claims.key(name)}).Extract()
	if err = classify(err); statusOf(err) == http.StatusConflict {
		return false, nil
	}
	return err == nil, open(err)
}

// lookAt returns the key of a claim, and how old it is by the cloud's clock; 0
// where that is not known.
func lookAt(ctx context.Context, s *session, name string, local time.Time) (key string, age time.Duration, err error) {
	var there struct {
		KeyPair struct {
			PublicKey string `json:"public_key"`
			Created   string `json:"created_at"` // in UTC, without a zone
		} `json:"keypair"`
	}
	if err := keypairs.Get(ctx, s.compute, name, nil).ExtractInto(&there); err != nil {
		return "", 0, classify(err)
	}
	created, err := time.Parse("2006-01-02T15:04:05.999999", strings.TrimSuffix(there.KeyPair.Created, "Z"))
	if now, known := s.now(local); err == nil && known {
		age = max(0, now.Sub(created))
	}
	return strings.TrimSpace(there.KeyPair.PublicKey), age, nil
}

// judge says what a claim that is there means: it is ours, from a try before
// whose reply was lost; or it is so old that it means nothing; or it counts.
func (c *claims) judge(name, key string, age time.Duration, now time.Time, settle time.Duration) (ours bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine, known := c.mine[name]
	if known && mine.key == key && !mine.sent {
		return true, nil
	}
	for k, first := range c.first {
		if now.Sub(first) > max(seenKept, settle) {
			delete(c.first, k)
		}
	}
	// Of our own it is known when its create left; another's is as old as the
	// cloud says, though it may have been seen here for the first time just now.
	first, seen := c.first[key]
	if made := now.Add(-age); !seen || mine.key != key && made.Before(first) {
		first = made
		c.first[key] = first
	}
	if now.Sub(first) < settle {
		return false, errClaimed
	}
	return false, nil
}

// key returns the key that this process claims a name with.
func (c *claims) key(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state, known := c.mine[name]; known && !state.sent {
		return state.key
	}
	state := claimState{key: newKey()}
	c.mine[name] = state
	return state.key
}

// sent notes that the create of a claim has left, or that it had no effect.
func (c *claims) sent(h *held, yes bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.mine[h.name()]
	state.sent = yes
	c.mine[h.name()] = state
	c.first[state.key] = now
}

// newKey returns 32 random bytes as a public key.
func newKey() string {
	const kind = "ssh-ed25519"
	blob := append([]byte{0, 0, 0, byte(len(kind))}, kind...)
	blob = append(blob, 0, 0, 0, 32)
	var chance [32]byte
	_, _ = rand.Read(chance[:]) // never fails
	return kind + " " + base64.StdEncoding.EncodeToString(append(blob, chance[:]...)) + " batchctl-claim"
}

// release lets a claim go, and those that it took the place of. One that
// stays costs little: it is found to be old, or swept.
func (d *Driver) release(ctx context.Context, s *session, h *held) {
	for _, name := range h.names {
		err := classify(keypairs.Delete(ctx, s.compute, name, nil).ExtractErr())
		if err == nil || statusOf(err) == http.StatusNotFound {
			d.claims.forget(name)
		}
	}
}

func (c *claims) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.first, c.mine[name].key)
	delete(c.mine, name)
}

// settles is how many times Settle a claim is kept that nobody lets go.
const settles = 10

// ancient reports whether a claim can be let go for good.
func (c *claims) ancient(key string, now time.Time, settle time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, seen := c.first[key]
	if !seen {
		c.first[key] = now
	}
	return seen && now.Sub(first) > settles*settle
}
