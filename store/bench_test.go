package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/batchctl/batchctl/nodes"
)

// benchLease returns a lease with the fields that a usual one has.
func benchLease(id string, n int) nodes.Lease {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	return nodes.Lease{
		ID: id, State: nodes.Wanted, Reason: "the run waits in the queue of live-1", Created: at, Since: at, Changed: at,
		Controller: "live-1", Job: fmt.Sprintf("live-1/settlement/batch-%d", n%2000), FullName: "payments/live-1/settlement/batch",
		Label: "b-0123456789abcdef-123", Number: n, Started: at.UnixMilli(), Attempt: 1, Team: "settlement-team", Queued: at, Seen: at,
		Pool: "standard", Need: nodes.Need{CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "amd64"}, Life: 7200,
	}
}

// populate stores leases in one transaction: live ones, and others that are
// gone.
func populate(b *testing.B, db *DB, live, gone int) {
	b.Helper()
	err := db.write(b.Context(), func(tx tx) error {
		for n := range live + gone {
			l := benchLease(fmt.Sprintf("old-%d", n), n)
			l.State, l.Online, l.VM, l.Cloud, l.Place = nodes.Busy, l.Created.Add(time.Minute), fmt.Sprintf("i-%d", n), "ec2", "ec2/a"
			if n < gone {
				l.State = nodes.Gone
			}
			l.Version = 1
			if err := tx.add(&l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.writer.Exec("ANALYZE"); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStore has 1,000 leases that live and 100,000 that are gone.
func BenchmarkStore(b *testing.B) {
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			db := open(b, d.fresh(b)(b))
			populate(b, db, 1000, 100_000)
			b.Run("Leases", func(b *testing.B) { benchLeases(b, db) })
			b.Run("AddPlaceUpdate", func(b *testing.B) { benchLife(b, db) })
			b.Run("Place1000", func(b *testing.B) { benchPlace(b, db, 1000) })
			b.Run("RunsByGlob", func(b *testing.B) { benchRuns(b, db) })
		})
	}
}

func benchLeases(b *testing.B, db *DB) {
	for b.Loop() {
		if leases, err := db.Leases(b.Context()); err != nil || len(leases) < 1000 {
			b.Fatal(len(leases), err)
		}
	}
}

// serial numbers the leases and orders of all benchmarks of the process.
var serial = 1_000_000

// benchLife is three calls: a lease is added, placed and gone.
func benchLife(b *testing.B, db *DB) {
	lim := nodes.Limits{Pool: map[string]int{"standard": 5000}, Cloud: map[string]int{"ec2": 5000}, Team: map[string]int{"settlement-team": 5000}}
	for b.Loop() {
		serial++
		l, err := db.Add(b.Context(), benchLease(fmt.Sprint(serial), serial))
		if err != nil {
			b.Fatal(err)
		}
		o := nodes.Order{ID: "o" + l.ID, Cloud: "ec2", Place: "ec2/a"}
		l.Order, l.Cloud, l.Place, l.Reason = o.ID, o.Cloud, o.Place, "ordered"
		placed, _, err := db.Place(b.Context(), o, []nodes.Lease{l}, lim)
		if err != nil || len(placed) != 1 {
			b.Fatal(placed, err)
		}
		l = placed[0]
		l.State, l.Reason = nodes.Gone, "done"
		if _, err := db.Update(b.Context(), l); err != nil {
			b.Fatal(err)
		}
	}
}

// benchPlace is one order for many leases.
func benchPlace(b *testing.B, db *DB, n int) {
	for b.Loop() {
		b.StopTimer()
		serial++
		o := nodes.Order{ID: fmt.Sprint("big-", serial), Cloud: "ec2", Place: "ec2/a"}
		leases := make([]nodes.Lease, n)
		err := db.write(b.Context(), func(tx tx) error {
			for i := range leases {
				serial++
				leases[i] = benchLease(fmt.Sprint(serial), serial)
				leases[i].Version = 1
				if err := tx.add(&leases[i]); err != nil {
					return err
				}
				leases[i].Order, leases[i].Cloud, leases[i].Place, leases[i].Reason = o.ID, o.Cloud, o.Place, "ordered"
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		placed, _, err := db.Place(b.Context(), o, leases, nodes.Limits{Pool: map[string]int{"standard": 1 << 30}})
		if err != nil || len(placed) != n {
			b.Fatal(len(placed), err)
		}
		b.StopTimer()
		err = db.write(b.Context(), func(tx tx) error {
			for _, l := range placed {
				l.State, l.Version = nodes.Gone, l.Version+1
				if err := tx.put(&l, nodes.Launching, l.Reason); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// benchRuns looks through all leases for one job.
func benchRuns(b *testing.B, db *DB) {
	for b.Loop() {
		if leases, err := db.Runs(b.Context(), nodes.RunsFilter{Job: "*/*/batch-77", Limit: 1000}); err != nil || len(leases) < 50 {
			b.Fatal(len(leases), err)
		}
	}
}
