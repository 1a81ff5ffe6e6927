package nodes

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// token returns the one-time token of an order's machines. It is made from
// the order's name and a key, so that the very same order can be sent again
// after a crash though the token itself is never stored.
func (r *Reconciler) token(order string) string {
	mac := hmac.New(sha256.New, r.Key)
	mac.Write([]byte("bootstrap token of order " + order))
	return order + "-" + hex.EncodeToString(mac.Sum(nil))
}

// hashOf is what is stored of a token or a claim.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// same compares two hashes in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// CallIn answers a machine that has booted. The first call of a machine binds
// its lease to the claim that came with it: from then on its token is of no
// use to anybody else. When the lease has a run and a node, the agent's
// secret is handed over, again and again to the same claim until the run is
// on the machine, as a reply may be lost.
//
// Its errors are ErrStranger, ErrSpent, ErrNotYet and ErrOver; any other says
// that the store or the controller could not be asked.
func (r *Reconciler) CallIn(ctx context.Context, c Call) (Handover, error) {
	order, _, _ := strings.Cut(c.Token, "-")
	hash, err := r.tokenHash(ctx, order)
	if err != nil {
		return Handover{}, err
	}
	if !same(hash, hashOf(c.Token)) || len(c.Claim) < 32 {
		return Handover{}, ErrStranger
	}
	l, err := r.caller(ctx, order, c)
	if err != nil {
		return Handover{}, err
	}
	if err := r.proven(&l, c); err != nil {
		return Handover{}, err
	}
	if l.Claim != "" && !same(l.Claim, hashOf(c.Claim)) {
		return Handover{}, ErrSpent
	}
	switch l.State {
	case Releasing, Gone:
		return Handover{}, ErrOver
	case Busy:
		return Handover{}, ErrSpent
	case Booting:
		now := r.Now()
		n := l
		n.Called, n.Claim = now, hashOf(c.Claim)
		n = n.to(Ready, now, fmt.Sprintf("the machine called in %s after it was asked for", now.Sub(l.Ordered).Round(100*time.Millisecond)))
		if l, err = r.update(ctx, l, n); err != nil {
			return Handover{}, retryable(err)
		}
	}
	if l.State != Ready || l.Spare() || l.NodeMade.IsZero() {
		return Handover{}, ErrNotYet
	}
	return r.handOver(ctx, l)
}

// proven returns nil when nothing speaks against the caller being the lease's
// machine.
func (r *Reconciler) proven(l *Lease, c Call) error {
	cloud := r.Clouds[l.Cloud]
	if !cloud.NAT && strangeAddress(l.Address, c.Address) {
		return fmt.Errorf("%w: the call comes from another address than the cloud's %s; where machines are behind NAT set nat: true for the cloud %s", ErrStranger, l.Address, l.Cloud)
	}
	if cloud.Prover != nil && l.Claim == "" {
		if err := cloud.Prover.Prove(c.Machine, []byte(c.Proof)); err != nil {
			return fmt.Errorf("%w: %w", ErrStranger, err)
		}
	}
	return nil
}

// strangeAddress reports whether a call for a machine comes from another
// address than the cloud gave it. Where one of the two is not an address, or
// the call came through a loopback proxy, nothing can be said.
func strangeAddress(machine, caller string) bool {
	m, err1 := netip.ParseAddr(machine)
	c, err2 := netip.ParseAddr(caller)
	return err1 == nil && err2 == nil && !c.IsLoopback() && m.Unmap() != c.Unmap()
}

// tokenHash returns the stored hash of an order's token.
func (r *Reconciler) tokenHash(ctx context.Context, order string) (string, error) {
	r.mu.Lock()
	hash, known := r.orders[order]
	r.mu.Unlock()
	if known {
		return hash, nil
	}
	o, err := r.Store.Order(ctx, order)
	if errors.Is(err, ErrNotFound) {
		return "", ErrStranger
	}
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.orders) > 10_000 {
		clear(r.orders)
	}
	r.orders[order] = o.Token
	return o.Token, nil
}

// caller returns the lease of the machine that calls. What the last pass read
// decides whether the store has to be asked: 1,000 spares that wait cost it
// nothing.
func (r *Reconciler) caller(ctx context.Context, order string, c Call) (Lease, error) {
	r.mu.Lock()
	var found *Lease
	pending := false
	for i := range r.leases {
		l := &r.leases[i]
		if l.Order != order {
			continue
		}
		if l.VM == c.Machine {
			found = l
		}
		pending = pending || l.VM == ""
	}
	r.mu.Unlock()
	if found == nil {
		return r.unknownCaller(ctx, order, pending)
	}
	if found.State == Ready && (found.Spare() || found.NodeMade.IsZero()) && same(found.Claim, hashOf(c.Claim)) {
		return Lease{}, ErrNotYet
	}
	return r.Store.Lease(ctx, found.ID)
}

// unknownCaller answers a machine that no lease has: the cloud's reply to its
// order may still be under way, or its lease is over.
func (r *Reconciler) unknownCaller(ctx context.Context, order string, pending bool) (Lease, error) {
	if pending {
		return Lease{}, ErrNotYet
	}
	o, err := r.Store.Order(ctx, order)
	if err != nil {
		return Lease{}, err
	}
	if r.Now().Sub(o.Stored) < time.Minute {
		return Lease{}, ErrNotYet
	}
	return Lease{}, ErrOver
}

// handOver fetches the agent's secret and returns it, after it was stored
// that it is handed over: from then on a build may be on the machine.
func (r *Reconciler) handOver(ctx context.Context, l Lease) (Handover, error) {
	v, known := r.controllers[l.Controller]
	if !known {
		return Handover{}, fmt.Errorf("the controller %s is not in the configuration", l.Controller)
	}
	r.mu.Lock()
	secret := r.secrets[l.ID]
	r.mu.Unlock()
	if secret == "" {
		var err error
		if secret, err = v.Client.Secret(ctx, l.ID); err != nil {
			return Handover{}, err
		}
	}
	if l.Handed.IsZero() {
		n := l
		n.Handed = r.Now()
		if _, err := r.update(ctx, l, n.because(n.Handed, "the machine is told which node it is")); err != nil {
			return Handover{}, retryable(err)
		}
	}
	r.mu.Lock()
	r.secrets[l.ID] = secret
	r.mu.Unlock()
	return Handover{Name: l.ID, Secret: secret, URL: v.AgentURL}, nil
}

// retryable has the machine call again where another was faster.
func retryable(err error) error {
	if isConflict(err) {
		return ErrNotYet
	}
	return err
}
