package nodes

import (
	"errors"
	"time"
)

// Call is what a machine says when it has booted.
type Call struct {
	Token   string // the one-time token from its user data
	Machine string // the cloud's name of the machine, as it knows itself
	Claim   string // a random value the machine made at its start and keeps to itself
	Proof   string // a document by which the cloud says which machine this is; empty: none
	Address string // where the call came from
}

// Handover is what a machine needs to become its run's node.
type Handover struct {
	Name   string // of the Jenkins node: the lease's ID
	Secret string // the agent's secret; never logged
	URL    string // of the controller, as machines reach it
}

// Prover checks which machine a caller is. It is asked at the first call of
// each machine, so that of several machines that were ordered together, and
// share a token, none can call in as another.
type Prover interface {
	// Prove returns nil when proof says that the caller is the machine.
	Prove(machine string, proof []byte) error
}

// Errors of a call. An error that wraps ErrStranger says why, which is for the
// log alone.
var (
	ErrStranger = errors.New("token or machine unknown") // the caller is told nothing more, on purpose
	ErrSpent    = errors.New("the token was used by another caller")
	ErrNotYet   = errors.New("nothing to do for this machine yet")
	ErrOver     = errors.New("this machine is no longer wanted")
)

// bootstrapTime is how long a machine may take from its order to its run,
// beyond the deadlines of the states; it is part of the time after which the
// machine powers itself off.
const bootstrapTime = 10 * time.Minute
