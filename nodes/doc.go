// Package nodes gives every run of a batch a machine of its own, and takes it
// away afterwards. It holds the leases, the rules by which a lease moves from
// wanted to gone, the reconciler that acts on those rules, and what it asks
// of a cloud (Driver) and of a database (Store).
//
// Read Lease first, then next, which decides what is to be done for one lease
// and does nothing itself, then Reconciler.Tick, which looks, asks next, and
// acts. docs/state_machine.md is drawn from the same table.
//
// Nothing here depends on having seen an event. Each look starts from what
// the clouds, Jenkins and the store say now, in this order; the store comes
// last, so that a machine seen in a cloud has its row by then.
package nodes
