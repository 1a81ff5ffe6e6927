package nodes

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Event is one entry of a lease's timeline: what it came to, and why.
type Event struct {
	Lease  string    `json:"lease"`
	At     time.Time `json:"at"` // the lease's Changed
	State  State     `json:"state"`
	Reason string    `json:"reason"`
	Place  string    `json:"place,omitempty"` // where the machine was then, or was asked for
}

// Drain says that a pool gets no new machines, and who wanted it so.
type Drain struct {
	Pool   string    `json:"pool"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// RunsFilter says which runs are asked for. The zero value asks for all.
type RunsFilter struct {
	Job   string // a job's path or a glob over paths (doublestar); empty: every job
	Limit int    // at most so many; 0: no limit

	// Where to go on: Created and ID of the last lease that was given. With
	// Before alone, all leases that were created earlier.
	Before   time.Time
	BeforeID string
}

// StoredLease returns l as every Store keeps and returns it: times in UTC
// and to the microsecond, text as valid UTF-8 without NUL, each byte that is
// not so being U+FFFD. What a machine or a cloud says may hold any bytes, and
// must not keep a lease from being stored.
func StoredLease(l Lease) Lease {
	normalize(reflect.ValueOf(&l).Elem())
	return l
}

// StoredOrder returns o as every Store keeps it: see StoredLease. It is
// without its user data, which holds a secret.
func StoredOrder(o Order) Order {
	normalize(reflect.ValueOf(&o).Elem())
	o.UserData = ""
	return o
}

// StoredText returns s as every Store keeps it: see StoredLease.
func StoredText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// StoredTime returns t as every Store keeps it: see StoredLease.
func StoredTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// normalize brings the fields of a struct into the form in which they are kept.
func normalize(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			if old := f.String(); StoredText(old) != old {
				f.SetString(StoredText(old))
			}
		case reflect.Slice:
			if all, ok := f.Interface().([]string); ok {
				kept := slices.Clone(all) // the caller's own stays as it is
				for i := range kept {
					kept[i] = StoredText(kept[i])
				}
				f.Set(reflect.ValueOf(kept))
			}
		case reflect.Struct:
			if t, ok := f.Addr().Interface().(*time.Time); ok {
				*t = StoredTime(*t)
			} else {
				normalize(f)
			}
		}
	}
}

// Usage counts the machines that exist (State.Outside) by what Limits bounds.
type Usage struct {
	Pool, Cloud, Team map[string]int
}

// NewUsage returns a count of nothing.
func NewUsage() Usage {
	return Usage{make(map[string]int), make(map[string]int), make(map[string]int)}
}

// Add counts n more machines like that of l, or fewer where n is negative.
func (u Usage) Add(l *Lease, n int) {
	if l.State.Outside() {
		u.Pool[l.Pool] += n
		u.Cloud[l.Cloud] += n
		u.Team[l.Team] += n
	}
}

// Over returns the first limit that one more machine for l would exceed, as
// people read it, or "", and whether it is that of the lease's cloud.
func (u Usage) Over(l *Lease, lim Limits) (limit string, full bool) {
	for _, b := range []struct {
		kind, name string
		have, most map[string]int
	}{
		{"pool", l.Pool, u.Pool, lim.Pool},
		{"cloud", l.Cloud, u.Cloud, lim.Cloud},
		{"team", l.Team, u.Team, lim.Team},
	} {
		if most, ok := b.most[b.name]; ok && b.have[b.name] >= most {
			return fmt.Sprintf("limit of %s %s: %d of %d machines", b.kind, b.name, b.have[b.name], most), b.kind == "cloud"
		}
	}
	return "", false
}

// CheckPlace returns an error if a lease does not carry what Store.Place
// wants it to carry already. That is a fault of the caller.
func CheckPlace(o Order, leases []Lease) error {
	for i := range leases {
		if l := &leases[i]; l.Order != o.ID || l.Place != o.Place || l.Cloud != o.Cloud {
			return fmt.Errorf("lease %s is of order %q at %q in %q, not of order %q at %q in %q",
				l.ID, l.Order, l.Place, l.Cloud, o.ID, o.Place, o.Cloud)
		}
	}
	return nil
}
