package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// record is the memory of one order: which machines it stands for, and which
// of these have ended. It is written before anything else happens and stays
// when all have ended (in over/ instead of orders/), so that an order never
// makes a machine twice.
//
// What exists for machine i of order o, in the order in which it comes:
//
//	orders/o.json            the record
//	machines/o-i/            home, work, tmp, user-data
//	(a process)              waits for word from the driver, ends without it
//	machines/o-i/leader      which process that is
//	(the word)
//	machines/o-i/started     made by the process itself before it runs user-data
//
// Without started the user data has not run, and whoever repeats the order
// may start the machine; with it never again.
type record struct {
	Order   string    `json:"order"`
	Count   int       `json:"count"` // machines that the order stands for, indexes 0 to Count-1
	Ended   []int     `json:"ended"` // indexes of those that have ended
	Created time.Time `json:"created"`

	over bool // found in over/
}

// leader names the first process of a machine beyond doubt: a process ID
// alone is used again.
type leader struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // in clock ticks since the boot
	Boot  string `json:"boot"`
}

var machineName = regexp.MustCompile(`^([a-z0-9-]{1,40})-(0|[1-9][0-9]{0,5})$`)

func machineID(order string, index int) string { return order + "-" + strconv.Itoa(index) }

// splitID returns the order and index of a machine's ID.
func splitID(id string) (order string, index int, ok bool) {
	m := machineName.FindStringSubmatch(id)
	if m == nil {
		return "", 0, false
	}
	index, err := strconv.Atoi(m[2])
	return m[1], index, err == nil
}

// errUnreadable is a record whose content makes no sense. Its order is known
// by its name, what it stands for is not.
var errUnreadable = errors.New("the record is damaged")

// load reads the record of an order; nil if there is none.
func (d *Driver) load(order string) (*record, error) {
	for _, dir := range []string{"orders", "over"} {
		r, err := d.loadFrom(dir, order)
		if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	// A directory that was taken away is not one without orders.
	for _, dir := range []string{"orders", "over"} {
		if _, err := os.Stat(d.path(dir)); err != nil {
			return nil, fmt.Errorf("read the orders: %v", err)
		}
	}
	return nil, nil
}

func (d *Driver) loadFrom(dir, order string) (*record, error) {
	data, err := os.ReadFile(d.path(dir, order+".json"))
	if err != nil {
		return nil, fmt.Errorf("read order %s: %w", order, err)
	}
	r := record{over: dir == "over"}
	if err := json.Unmarshal(data, &r); err != nil || r.Order != order || r.Count < 1 || r.Count > 999999 || r.Created.IsZero() {
		return nil, fmt.Errorf("%s: %w", d.path(dir, order+".json"), errUnreadable)
	}
	return &r, nil
}

// save writes a record so that it is there whole after a crash, and moves it
// to over/ when all its machines have ended.
func (d *Driver) save(r *record) error {
	if err := d.write(d.path("orders", r.Order+".json"), r); err != nil {
		return fmt.Errorf("record order %s: %w", r.Order, err)
	}
	if len(r.Ended) < r.Count {
		return nil
	}
	return d.bury(r.Order)
}

// bury marks an order as over.
func (d *Driver) bury(order string) error {
	if err := os.Rename(d.path("orders", order+".json"), d.path("over", order+".json")); err != nil {
		return fmt.Errorf("mark order %s as over: %w", order, err)
	}
	return nil
}

// forget removes the record of an order of which nothing was made.
func (d *Driver) forget(r *record) error {
	if err := os.Remove(d.path("orders", r.Order+".json")); err != nil {
		return fmt.Errorf("forget order %s: %w", r.Order, err)
	}
	return nil
}

// write replaces a file by the JSON of v, durably.
func (d *Driver) write(path string, v any) (err error) {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(d.path("tmp"), "new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(append(data, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// leader reads which process the machine began with. A file that is missing
// or damaged names none, and the machine's mark in /proc has to do.
func (d *Driver) leader(id string) leader {
	var l leader
	data, err := os.ReadFile(d.path("machines", id, "leader"))
	if err != nil || json.Unmarshal(data, &l) != nil || l.Boot != d.boot {
		return leader{}
	}
	return l
}

// started reports whether the user data of a machine has been run.
func (d *Driver) started(id string) (bool, error) {
	_, err := os.Stat(d.path("machines", id, "started"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// names lists what a directory of the owner holds, without a suffix.
func (d *Driver) names(dir, suffix string) ([]string, error) {
	entries, err := os.ReadDir(d.path(dir))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok {
			names = append(names, name)
		}
	}
	return names, nil
}
