package nodetest

import (
	"context"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/batchctl/batchctl/nodes"
)

// fill gives every field of a struct a value of its own, so that a field that
// is not kept, or kept as another, is seen. A new kind of field fails here.
func fill(t *testing.T, v any) {
	t.Helper()
	n := 0
	var each func(v reflect.Value, name string)
	each = func(v reflect.Value, name string) {
		if n++; v.Type() == reflect.TypeFor[time.Time]() {
			// Neither UTC nor whole: the reading comes from a machine in Seoul.
			at := start.Add(time.Duration(n)*time.Hour + 123456789)
			v.Set(reflect.ValueOf(at.In(time.FixedZone("KST", 9*60*60))))
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(name + " 정산 'quoted' \"twice\" \\ \n <&> \u2028 %s ? $1")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int, reflect.Int64:
			v.SetInt(int64(n) << 33)
		case reflect.Float64:
			v.SetFloat(float64(n) + 0.1)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			for i := range v.Len() {
				each(v.Index(i), name)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				each(v.Field(i), v.Type().Field(i).Name)
			}
		default:
			t.Fatalf("field %s has a kind that this test does not know", name)
		}
	}
	each(reflect.ValueOf(v).Elem(), "")
}

func testLeaseFields(t *testing.T, s nodes.Store) {
	var l nodes.Lease
	fill(t, &l)
	l.ID, l.State = "a", nodes.Busy
	want := nodes.StoredLease(l)
	if want.Due.Nanosecond() != 123456000 || want.Due.Location() != time.UTC || !want.Due.Equal(l.Due.Truncate(time.Microsecond)) {
		t.Errorf("%v is kept as %v, want it in UTC and to the microsecond", l.Due, want.Due)
	}

	added := mustAdd(t, s, l)
	want.State, want.Version = nodes.Wanted, 1
	wantEqual(t, added, want, "the lease that Add returns")
	wantLeases(t, s, want)

	zero := mustUpdate(t, s, nodes.Lease{ID: "a", Version: 1, State: nodes.Gone})
	wantEqual(t, zero, nodes.Lease{ID: "a", Version: 2, State: nodes.Gone}, "a lease of which nothing is set")
	l.Version = 2
	want.State, want.Version = nodes.Busy, 3
	wantEqual(t, mustUpdate(t, s, l), want, "the lease that Update returns")
	wantLeases(t, s, want)
	history, err := s.History(t.Context(), l.Key())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, history, []nodes.Lease{want}, "history")

	l.Version = 3
	o := nodes.Order{ID: l.Order, Cloud: l.Cloud, Place: l.Place}
	placed, _ := mustPlace(t, s, o, []nodes.Lease{l}, nodes.Limits{})
	want.State, want.Version, want.Index = nodes.Launching, 4, 0
	wantEqual(t, placed, []nodes.Lease{want}, "the lease that Place returns")
	wantLeases(t, s, want)
}

func testOrderFields(t *testing.T, s nodes.Store) {
	var o nodes.Order
	fill(t, &o)
	l := ordered(mustAdd(t, s, newLease("a", 1)), o)
	mustPlace(t, s, o, []nodes.Lease{l}, nodes.Limits{})
	got, err := s.Order(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := nodes.StoredOrder(o)
	want.Count = 1
	wantEqual(t, got, want, "the order")
	if got.UserData != "" {
		t.Error("the user data of an order, which holds a secret, was stored")
	}
}

// What is not text is stored as text, the same way in every store, and a key
// that is not text is found again.
func testText(t *testing.T, s nodes.Store) {
	for i, c := range []struct{ given, kept string }{
		{"nul \x00 inside", "nul \uFFFD inside"},
		{"broken \xff\xfe utf-8", "broken \uFFFD utf-8"},
		{"half of 정: \xec\xa0", "half of 정: \uFFFD"},
		{"'; DROP TABLE leases; --", "'; DROP TABLE leases; --"},
		{`{"json": "\u0000 \ud800"}`, `{"json": "\u0000 \ud800"}`},
		{"한글 \U0001F600 \u202E", "한글 \U0001F600 \u202E"},
	} {
		l := newLease("id "+c.given, i)
		l.Job, l.Reason, l.Pool, l.VM, l.Cloud = c.given, c.given, c.given, c.given, c.given
		l.Online = after(i)
		got := mustAdd(t, s, l)
		if got.Reason != c.kept || got.ID != "id "+c.kept || !utf8.ValidString(got.Job) {
			t.Errorf("%q is kept as %q, %q", c.given, got.ID, got.Reason)
		}
		h, err := s.History(t.Context(), l.Key())
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, h, []nodes.Lease{got}, "history of "+c.kept)
		wantEqual(t, len(timeline(t, s, l.ID)), 1, "entries in the timeline of "+c.kept)
		if boots, err := s.Boots(t.Context(), c.given, 5); err != nil || len(boots) != 1 {
			t.Errorf("boots of pool %q: %v, %v", c.given, boots, err)
		}
		l.Version = 1
		o := newOrder("order " + c.given)
		l = ordered(l, o)
		placed, _ := mustPlace(t, s, o, []nodes.Lease{l}, nodes.Limits{Pool: map[string]int{c.kept: 1}})
		wantEqual(t, len(placed), 1, "placed leases")
		if _, err := s.Order(t.Context(), o.ID); err != nil {
			t.Error(err)
		}
		mustPass(t, s, placed[0], nodes.Gone)
	}
	wantLeases(t, s)
}

// A call whose context has ended says so and changes nothing.
func testCancelled(t *testing.T, s nodes.Store) {
	l := mustAdd(t, s, newLease("a", 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := newOrder("o")
	for what, call := range map[string]func() error{
		"Leases":  func() error { _, err := s.Leases(ctx); return err },
		"Add":     func() error { _, err := s.Add(ctx, newLease("b", 2)); return err },
		"Update":  func() error { _, err := s.Update(ctx, to(l, nodes.Busy)); return err },
		"Place":   func() error { _, _, err := s.Place(ctx, o, []nodes.Lease{ordered(l, o)}, nodes.Limits{}); return err },
		"Order":   func() error { _, err := s.Order(ctx, "o"); return err },
		"History": func() error { _, err := s.History(ctx, l.Key()); return err },
		"Boots":   func() error { _, err := s.Boots(ctx, "standard", 1); return err },
	} {
		wantError(t, call(), context.Canceled, what)
	}
	wantLeases(t, s, l)
	wantOrder(t, s, "o", 0)
	mustUpdate(t, s, to(l, nodes.Busy))
}
