package nodes

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Driver makes and destroys machines in one cloud, for one owner. Everything
// it makes bears the owner's exact tag from the first moment, and it neither
// lists nor touches a machine without it. Its methods may be called at the
// same time from several goroutines and from several processes.
//
// An error never means "there is nothing": a cloud that cannot be asked is
// not an empty cloud. nodetest.TestDriver holds what is said here.
type Driver interface {
	// Offers returns the ways in which a machine with need can be made at a
	// place, the one to be tried first at the front; none where the place has
	// no such machine at all. Everything that may change by itself (an image's
	// newest version, a price, the choice of a type) is settled here and
	// pinned in Offer.Spec, so that an order can be sent again unchanged
	// after a crash. It is asked for every order and may ask the cloud, so a
	// driver keeps what it has learnt for a while. An error of class
	// Configuration says that the place can never work as it is configured;
	// any other, that it is not known now.
	Offers(ctx context.Context, place string, need Need) ([]Offer, error)

	// Launch asks for o.Count equal machines and returns once the cloud has
	// accepted, without waiting for them to boot. It is repeatable: the same
	// o.ID gives the same machines, also after a lost reply, a crash or the
	// end of some of them, and never more. It may give fewer than asked: then
	// the rest could not be had, now or by repeating this order. The order of
	// the result is the same each time.
	//
	// An error of class NoCapacity, Quota or Configuration says that this
	// order made nothing, ever, and will make nothing unless it is sent again.
	// Throttled says that of this call alone: clouds refuse a call before they
	// look at its order. Any other error says that it is not known whether
	// the order took effect: only repeating it, or List, can tell.
	Launch(ctx context.Context, o Order) ([]VM, error)

	// Destroy ends machines, however far they have come. It is repeatable,
	// and a machine that is not there, or not the owner's, is no error. A
	// machine is gone when List no longer has it, not when Destroy returns.
	// Where some could not be destroyed it says so after having tried all.
	Destroy(ctx context.Context, ids ...string) error

	// List returns every machine with the owner's tag in any state but gone,
	// all of them or an error. What a machine has left behind and nothing uses
	// any more (a volume, an address) is listed too, as a VM with an ID of its
	// own in state VMEnding, until Destroy of that ID has taken it away; it may
	// be looked for less often than machines. A machine that was accepted and
	// then got no room is listed in VMEnding with an Err of class NoCapacity or
	// Quota until Destroy was called for it.
	List(ctx context.Context) ([]VM, error)
}

// Offer is one way to make a machine at a place.
type Offer struct {
	Name  string  `json:"name,omitempty"`  // for people: "m7g.xlarge, ap-northeast-2b, spot"; empty: the place has one way only
	Spec  string  `json:"spec,omitempty"`  // what Launch needs to know, in the driver's own words; no secret
	Price float64 `json:"price,omitempty"` // US dollars an hour; 0: not known

	// Scopes names what the offer depends on and may be short of: a type in a
	// zone, a subnet, a market. An error whose Scope is one of them is about
	// this offer too.
	Scopes []string `json:"scopes,omitempty"`
}

// Order is one request to a cloud for equal machines.
type Order struct {
	ID       string    `json:"id"` // the cloud's idempotency token: at most 40 of [a-z0-9-]
	Cloud    string    `json:"cloud"`
	Place    string    `json:"place"`
	Count    int       `json:"count"`
	Need     Need      `json:"need"`
	Offer    Offer     `json:"offer"` // one that Driver.Offers returned
	Stored   time.Time `json:"stored"`
	Expires  time.Time `json:"expires"` // when its machines power themselves off
	Token    string    `json:"token"`   // hash of the bootstrap token
	UserData string    `json:"-"`       // what the machine runs when it starts; holds the one-time token and is therefore not stored
}

// VM is one machine as its cloud describes it.
type VM struct {
	ID      string    // the cloud's own name
	Order   string    // the order that made it
	Address string    // may be empty
	State   VMState   //
	Created time.Time // by the cloud's clock; zero where the cloud does not say
	Detail  string    // type, zone and the like, for people
	Err     error     // in VMEnding: why, where the cloud says so; see CloudError
}

// VMState is what a cloud says of a machine.
type VMState string

// The states of a machine.
const (
	VMStarting VMState = "starting" // accepted, not running yet
	VMRunning  VMState = "running"
	VMEnding   VMState = "ending" // stopped, failed or being destroyed: it will not run again, but still is there
)

// Class says what an error of a cloud means for what is done next.
type Class string

// The classes of a cloud's errors. The zero Class is Unsure.
const (
	Unsure        Class = ""              // it is not known whether the request took effect
	NoCapacity    Class = "no capacity"   // this place has no such machine now; another may
	Quota         Class = "quota"         // the account may have no more here
	Throttled     Class = "throttled"     // asked too often; the whole cloud is left alone for a while
	Configuration Class = "configuration" // the request can never work as it is configured
)

// CloudError is an error of a cloud, with its class.
type CloudError struct {
	Class Class
	Scope string // which offers of the cloud it is about: those with this scope; empty: the whole place (Throttled: the whole cloud)
	Err   error  // what the cloud said
}

func (e *CloudError) Error() string {
	if e.Class == Unsure {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Class, e.Err)
}

func (e *CloudError) Unwrap() error { return e.Err }

// ClassOf returns the class of an error of a Driver. An error without one is
// Unsure: nothing may be concluded from it.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*CloudError](err); ok {
		return e.Class
	}
	return Unsure
}
