package nodetest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/nodetest"
)

func TestMemStore(t *testing.T) {
	nodetest.TestStore(t, func(*testing.T) nodes.Store { return nodetest.NewMemStore() })
	nodetest.TestRecords(t, func(*testing.T) nodetest.Records { return nodetest.NewMemStore() })
}

// A clone has everything, and what is done to one is not done to the other.
func TestMemStoreClone(t *testing.T) {
	a := nodetest.NewMemStore()
	l, err := a.Add(t.Context(), nodes.Lease{ID: "a", Job: "j", Reason: "queued"})
	if err != nil {
		t.Fatal(err)
	}
	b := a.Clone()
	l.State = nodes.Busy
	if _, err := b.Update(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Add(t.Context(), nodes.Lease{ID: "b", Job: "j"}); err == nil {
		t.Error("the clone has forgotten that the run is held")
	}
	in, _ := a.Timeline(t.Context(), "a")
	out, _ := b.Timeline(t.Context(), "a")
	if len(in) != 1 || len(out) != 2 {
		t.Errorf("timelines %v and %v", in, out)
	}
	kept, err := a.Lease(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	l.State, l.Version = nodes.Wanted, 1
	if diff := cmp.Diff(l, kept); diff != "" {
		t.Errorf("the original has changed (-want +got):\n%s", diff)
	}
}

// BenchmarkMemStore does one life of a lease in six calls, with 1,000 others
// alive and all lives so far remembered.
func BenchmarkMemStore(b *testing.B) {
	s := nodetest.NewMemStore()
	ctx := b.Context()
	lease := func(i int) nodes.Lease {
		at := time.Unix(int64(i), 0)
		return nodes.Lease{ID: fmt.Sprintf("lease-%d", i), Created: at, Controller: "c", Job: "live/a/b", Number: i, Pool: "p", Cloud: "ec2", Place: "a"}
	}
	for i := range 1000 {
		if _, err := s.Add(ctx, lease(i)); err != nil {
			b.Fatal(err)
		}
	}
	n := 1000
	for b.Loop() {
		l := lease(n)
		n++
		o := nodes.Order{ID: "order of " + l.ID, Cloud: "ec2", Place: "a"}
		l.Order = o.ID
		l, err := s.Add(ctx, l)
		if err != nil {
			b.Fatal(err)
		}
		placed, _, err := s.Place(ctx, o, []nodes.Lease{l}, nodes.Limits{Pool: map[string]int{"p": 2000}})
		if err != nil {
			b.Fatal(err)
		}
		l = placed[0]
		for _, state := range []nodes.State{nodes.Booting, nodes.Busy, nodes.Releasing, nodes.Gone} {
			l.State = state
			if l, err = s.Update(ctx, l); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*6/b.Elapsed().Seconds(), "ops/s")
}
