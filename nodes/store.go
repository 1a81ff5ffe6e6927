package nodes

import (
	"context"
	"errors"
	"time"
)

// Errors of a Store that say how things stand, and not that it is broken.
var (
	ErrConflict = errors.New("changed by another meanwhile") // the version is not the stored one
	ErrTaken    = errors.New("another lease has it")         // the place of a run, an attempt or a machine is taken
	ErrNotFound = errors.New("not found")                    // no such row
)

// Store keeps leases and orders. Every method is one transaction: it has
// happened whole and durably when it returns nil, and not at all when it
// returns one of the errors above. After another error it may have happened;
// the caller reads again. nodetest.TestStore holds what is said here.
//
// Each change of a lease's State or Reason leaves an entry in the lease's
// timeline, at the lease's Changed time, in the same transaction.
type Store interface {
	// Leases returns all leases that are not gone, sorted by Created, then ID.
	Leases(ctx context.Context) ([]Lease, error)

	// Add stores a new lease in state Wanted and returns it with Version 1.
	// It is ErrTaken when a lease of the same RunKey holds (State.Holds), or
	// when one of the same RunKey, Started and Attempt exists, however old
	// (where Started is not 0). Spares never collide.
	Add(ctx context.Context, l Lease) (Lease, error)

	// Update stores l if the stored version is l.Version, and returns it with
	// the next version; otherwise ErrConflict (also for a lease that is not
	// there). It is ErrTaken when another lease that is not gone has the same
	// Cloud and VM, or when the RunKey or attempt is taken as for Add.
	Update(ctx context.Context, l Lease) (Lease, error)

	// Place stores an order and sets State = Launching for its leases, which
	// carry the order's ID, place and cloud already, and what else is to be
	// said of them. Leases over a limit are left as they were and are returned
	// in over as they are stored, each with the limit that stopped it; who
	// stands first in leases is served first. Those that fit are numbered by
	// Index from 0, and the stored order's Count is their number; where none
	// fits no order is stored. A lease whose version is not the stored one is
	// left out silently. Leases that are launching already (for the next
	// place) count once.
	Place(ctx context.Context, o Order, leases []Lease, lim Limits) (placed []Lease, over []Over, err error)

	// Order returns a stored order, or ErrNotFound.
	Order(ctx context.Context, id string) (Order, error)

	// History returns all leases, gone ones too, of a run's key, oldest first.
	History(ctx context.Context, k RunKey) ([]Lease, error)

	// Lease returns one lease, also a gone one, or ErrNotFound.
	Lease(ctx context.Context, id string) (Lease, error)

	// Boots returns Lease.Boot of the n leases of a pool that came online last,
	// newest first.
	Boots(ctx context.Context, pool string, n int) ([]time.Duration, error)
}

// Limits bounds how many machines may exist at once (State.Outside). A name
// that is not in a map has no limit.
type Limits struct {
	Pool, Cloud, Team map[string]int
}

// Over says which limit kept a lease from being placed.
type Over struct {
	Lease Lease
	Full  bool   // it is that of the cloud, so another cloud may have room
	Limit string // as people read it: "limit of pool standard: 200 of 200 machines"
}
