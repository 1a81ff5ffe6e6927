package nodetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/batchctl/batchctl/nodes"
)

// TestStore checks that a nodes.Store keeps its contract. Open gives an empty
// store, for one subtest each. The store has to have Timeline of Records too.
func TestStore(t *testing.T, open func(t *testing.T) nodes.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s nodes.Store)
	}{
		{"Add", testAdd},
		{"AddRefuses", testAddRefuses},
		{"RunIsHeldOnce", testHolding},
		{"AttemptIsTakenForEver", testAttempt},
		{"StartedZeroNeverCollides", testNotStarted},
		{"SparesNeverCollide", testSpares},
		{"SpareIsBound", testBind},
		{"AddRace", testAddRace},
		{"Update", testUpdate},
		{"UpdateRace", testUpdateRace},
		{"MachineIsLentOnce", testMachine},
		{"TakenChangesNothing", testTakenChangesNothing},
		{"Leases", testLeases},
		{"History", testHistory},
		{"Boots", testBoots},
		{"Timeline", testTimeline},
		{"Place", testPlace},
		{"PlaceLimits", testPlaceLimits},
		{"PlaceWhatIsOutside", testPlaceOutside},
		{"PlaceInGivenOrder", testPlaceOrder},
		{"PlaceNext", testPlaceNext},
		{"PlaceStale", testPlaceStale},
		{"PlaceNothing", testPlaceNothing},
		{"PlaceRefuses", testPlaceRefuses},
		{"PlaceTimeline", testPlaceTimeline},
		{"PlaceMany", testPlaceMany},
		{"PlaceRace", testPlaceRace},
		{"PlaceAndUpdateRace", testPlaceUpdateRace},
		{"OrderNotFound", testOrderNotFound},
		{"EveryFieldOfALease", testLeaseFields},
		{"EveryFieldOfAnOrder", testOrderFields},
		{"Text", testText},
		{"Cancelled", testCancelled},
		{"CancelledMidway", testCancelledMidway},
		{"SameAsInMemory", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// start is when the leases of the suite are made.
var start = time.Date(2026, 3, 1, 2, 15, 0, 0, time.UTC)

// after returns a time n seconds after start.
func after(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }

// newLease returns a lease for the given run of the suite's job.
func newLease(id string, number int) nodes.Lease {
	return nodes.Lease{
		ID: id, State: nodes.Wanted, Reason: "run is queued", Created: start, Since: start, Changed: start,
		Controller: "seoul", Job: "live-1/settlement/daily", Number: number, Team: "settlement-team",
		Pool: "standard", Need: nodes.Need{CPU: 4, Memory: 16 << 30, Disk: 50 << 30, Arch: "amd64"},
	}
}

// newSpare returns a lease without a run.
func newSpare(id string) nodes.Lease {
	return nodes.Lease{ID: id, State: nodes.Wanted, Reason: "spare", Created: start, Since: start, Changed: start, Pool: "standard"}
}

// to returns a lease in another state.
func to(l nodes.Lease, s nodes.State) nodes.Lease {
	l.State, l.Reason = s, "came to "+string(s)
	l.Since = l.Since.Add(time.Second)
	l.Changed = l.Since
	return l
}

// ordered returns a lease as Place wants it.
func ordered(l nodes.Lease, o nodes.Order) nodes.Lease {
	l = to(l, nodes.Launching)
	l.Order, l.Cloud, l.Place, l.Ordered = o.ID, o.Cloud, o.Place, o.Stored
	return l
}

// newOrder returns an order at the suite's place.
func newOrder(id string) nodes.Order {
	return nodes.Order{ID: id, Cloud: "ec2", Place: "ec2/a", Count: 99, Stored: start}
}

func mustAdd(t *testing.T, s nodes.Store, l nodes.Lease) nodes.Lease {
	t.Helper()
	stored, err := s.Add(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func mustUpdate(t *testing.T, s nodes.Store, l nodes.Lease) nodes.Lease {
	t.Helper()
	stored, err := s.Update(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// mustPass brings a lease through the given states.
func mustPass(t *testing.T, s nodes.Store, l nodes.Lease, states ...nodes.State) nodes.Lease {
	t.Helper()
	for _, state := range states {
		l = mustUpdate(t, s, to(l, state))
	}
	return l
}

func mustPlace(t *testing.T, s nodes.Store, o nodes.Order, leases []nodes.Lease, lim nodes.Limits) ([]nodes.Lease, []nodes.Over) {
	t.Helper()
	placed, over, err := s.Place(t.Context(), o, leases, lim)
	if err != nil {
		t.Fatal(err)
	}
	return placed, over
}

// wantError checks the kind of an error.
func wantError(t *testing.T, err, want error, what string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want one that is %q", what, err, want)
	}
}

// wantEqual compares exactly: also the location of a time.
func wantEqual(t *testing.T, got, want any, what string) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	exact := cmp.Comparer(func(a, b time.Time) bool { return a == b })
	if diff := cmp.Diff(want, got, exact, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantLeases checks what Leases returns.
func wantLeases(t *testing.T, s nodes.Store, want ...nodes.Lease) {
	t.Helper()
	got, err := s.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, want, "leases")
}

// leaseIDs returns the IDs of leases, in their order.
func leaseIDs(leases []nodes.Lease) []string {
	var s []string
	for i := range leases {
		s = append(s, leases[i].ID)
	}
	return s
}

// timeline returns what a store keeps of a lease's life.
func timeline(t *testing.T, s nodes.Store, id string) []nodes.Event {
	t.Helper()
	events, err := s.(interface {
		Timeline(ctx context.Context, lease string) ([]nodes.Event, error)
	}).Timeline(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// together calls f n times at once and waits for all of them.
func together(n int, f func(i int)) {
	begin, end := make(chan struct{}), make(chan struct{})
	for i := range n {
		go func() {
			<-begin
			f(i)
			end <- struct{}{}
		}()
	}
	close(begin)
	for range n {
		<-end
	}
}

// name returns an ID with a number.
func name(prefix string, n int) string { return fmt.Sprintf("%s-%03d", prefix, n) }
