package nodes

import (
	"io"
	"log/slog"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// Config is what a Reconciler works with.
type Config struct {
	Owner       string                // marks everything that is made; [a-z0-9-]
	Controllers map[string]Controller // by the name that the catalog uses
	Clouds      map[string]Cloud
	Pools       map[string]Pool
	Teams       map[string]int // how many machines a team may have at once; a team that is not named has no limit
	Timing      Timing

	// UserData returns what a machine of the order runs when it starts. The
	// token lets it call in, once.
	UserData func(o Order, token string) (string, error)
	Key      []byte // the secret from which tokens are made; the same in every provisioner of one store

	Store   Store
	Log     *slog.Logger
	Metrics *Metrics
	Now     func() time.Time         // nil: time.Now
	Random  io.Reader                // for names; nil: crypto/rand
	Drained func() map[string]string // pools that launch nothing, with the reason; nil: none
}

// Controller is one Jenkins.
type Controller struct {
	Client   *jenkins.Client
	AgentURL string        // where machines reach it
	Every    time.Duration // between two looks
	StopLost bool          // stop runs that Jenkins has lost; they never end by themselves
}

// Cloud is one account of one cloud.
type Cloud struct {
	Driver Driver
	Limit  int           // machines at once; 0: no limit
	Every  time.Duration // between two lists
	Calls  int           // calls at the same time
	Batch  int           // machines of one order at most; 0: no limit
	Prover Prover        // nil: machines need not prove which they are
	NAT    bool          // machines call in from another address than the cloud gives them
}

// Pool is an ordered list of places where a lease may be made.
type Pool struct {
	Name   string
	Places []Place       // the first that has room is taken
	Limit  int           // machines at once; 0: no limit
	Spares int           // machines that are kept booted for runs that nobody could foresee
	Spare  Need          // what a spare has; it fits a run that needs no more
	Ahead  bool          // make machines of scheduled runs ahead
	Lead   time.Duration // how long ahead, until boots of this pool have been measured
}

// Place is where a machine can be made.
type Place struct {
	Name  string // of one cloud; several pools may have it; drivers know what it stands for
	Cloud string
}
