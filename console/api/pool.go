package api

import (
	"time"

	"github.com/batchctl/batchctl/catalog"
)

// Pools is all pools, sorted by name.
type Pools struct {
	Pools []Pool `json:"pools" nullable:"false"`
}

// Pool is an ordered list of places where a machine may be made, and what is
// there now.
type Pool struct {
	Name       string         `json:"name"`
	Configured bool           `json:"configured" doc:"false: it is not in the configuration any more, and gets no new machines"`
	Limit      int            `json:"limit,omitempty" doc:"machines at once; absent: no limit"`
	Machines   int            `json:"machines" doc:"leases that may have a machine in a cloud, as the limit counts them"`
	States     map[string]int `json:"states" doc:"live leases by state"`
	Spares     int            `json:"spares" doc:"machines that are kept booted"`
	SparesNow  int            `json:"spares_ready" doc:"spares that have booted"`
	Ahead      bool           `json:"ahead" doc:"machines of scheduled runs are made ahead"`
	Lead       float64        `json:"lead_seconds,omitempty" doc:"how long ahead; absent where it is not known"`
	Places     []Place        `json:"places" nullable:"false" doc:"the first that has room is taken"`
	Drained    *Drain         `json:"drained,omitempty"`
}

// Place is where a machine can be made.
type Place struct {
	Name  string `json:"name"`
	Cloud string `json:"cloud"`
}

// Drain says that a pool gets no new machines, and who wanted it so.
type Drain struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// DrainRequest asks that a pool get no new machines.
type DrainRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"shown to everyone whose run waits"`
}

// CatalogInfo is the catalog in force.
type CatalogInfo struct {
	Version int64            `json:"version" doc:"grows with each change"`
	Jobs    int              `json:"jobs"`
	At      time.Time        `json:"at" doc:"when it was put"`
	By      string           `json:"by" doc:"who put it"`
	Catalog *catalog.Catalog `json:"catalog,omitempty" doc:"where full was asked for"`
}

// CatalogPut is the answer to a catalog that was put.
type CatalogPut struct {
	Version int64 `json:"version"`
	Jobs    int   `json:"jobs"`
	Added   int   `json:"added"`
	Removed int   `json:"removed"`
	Changed int   `json:"changed"`
}

// Readiness says whether the provisioner can do its work.
type Readiness struct {
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks" nullable:"false"`
}

// Check is one thing that has to be so.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty" doc:"what is wrong, or what was found"`
}

// Alive is the answer of a process that runs.
type Alive struct {
	Status  string `json:"status"`
	Version string `json:"version,omitempty"`
}
