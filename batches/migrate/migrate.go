package migrate

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"

	"github.com/batchctl/batchctl/batches"
)

// Result is what a migration comes to. Nothing has been written yet.
type Result struct {
	Files      map[string][]byte   // files that change, with their new text; nil: the file goes
	Read       map[string][]byte   // what these files held when they were read; not there: a new file
	Choices    []Choice            // what is edited, and why there
	Undecided  []Undecided         // what only a person can decide
	Notes      []Undecided         // what works and is worth knowing
	Selected   int                 // jobs that the steps were asked to change
	Comparison *batches.Comparison // what changes for the jobs

	left map[string]bool // jobs that are left out
}

// Choice is one edit and the reason for it.
type Choice struct {
	Place   batches.Place // in the tree before its step
	What    string        // spec.java.version: 11 → 21
	Why     string        // all 119 jobs that inherit it are selected
	Jobs    int
	InPlace bool // the value that stands there is edited; else the file gets something new
}

// Undecided is something about one job that is left to a person.
type Undecided struct {
	Job   string
	Place batches.Place // of the value
	What  string        // the value
	Why   string
}

// Run works out what the steps, one after the other, make of a tree. A job with
// something undecided in one of them is left out of all; it is for the caller to
// write the rest or nothing.
func Run(fsys fs.FS, steps []Step) (*Result, error) {
	left := map[string]bool{}
	var undecided []Undecided
	for {
		r, err := runWithout(fsys, steps, left)
		if err != nil {
			return nil, err
		}
		undecided = append(undecided, r.Undecided...)
		known := len(left)
		for _, u := range r.Undecided {
			left[u.Job] = true
		}
		if len(steps) == 1 || len(left) == known {
			r.Undecided = undecided
			return r, nil
		}
	}
}

// runWithout makes the steps, and leaves some jobs as they are.
func runWithout(fsys fs.FS, steps []Step, left map[string]bool) (*Result, error) {
	r := &Result{Files: map[string][]byte{}, Read: map[string][]byte{}, left: left}
	for _, s := range steps {
		if err := r.step(fsys, s); err != nil {
			return nil, err
		}
	}
	if len(steps) > 1 || r.Comparison == nil {
		r.Comparison = batches.Compare(batches.Load(fsys), batches.Load(r.overlay(fsys)))
	}
	for name, text := range r.Files {
		if bytes.Equal(r.Read[name], text) {
			delete(r.Files, name) // a later step took an earlier one back
		}
	}
	return r, nil
}

func (r *Result) overlay(fsys fs.FS) fs.FS {
	if len(r.Files) == 0 {
		return fsys
	}
	return batches.NewOverlay(fsys, r.Files, nil)
}

// attempts are the ways in which a step is tried, from the nicest text to the
// surest: a way that would reach other jobs is found out by verify.
var attempts = []struct {
	pin, variables, inPlace, leaves bool
}{{true, true, true, false}, {false, true, true, false}, {false, false, true, false}, {}, {leaves: true}}

// step makes one step.
func (r *Result) step(fsys fs.FS, s Step) error {
	current := r.overlay(fsys)
	docs, err := resolved(current)
	if err != nil {
		return err
	}
	chosen, err := s.Selection.choose(docs)
	if err != nil {
		return err
	}
	r.Selected += len(chosen)
	chosen = slices.DeleteFunc(chosen, func(d *batches.Document) bool { return r.left[d.Path] })
	var wants []want
	for _, d := range chosen {
		w, undecided, notes := s.Change.wants(d)
		r.Notes = append(r.Notes, notes...)
		if len(undecided) > 0 {
			r.Undecided = append(r.Undecided, undecided...)
			continue
		}
		wants = append(wants, w...)
	}
	if len(wants) == 0 {
		return nil
	}
	return r.attempt(current, s, docs, chosen, wants)
}

// resolved returns all documents of a tree. One that a layer's error may keep
// values from, or that cannot be resolved itself, is an error: nobody can tell
// then what a change reaches.
func resolved(fsys fs.FS) ([]*batches.Document, error) {
	tree := batches.Load(fsys)
	if faults := tree.Faults(); len(faults) > 0 {
		return nil, fmt.Errorf("%s; put that right first, since jobs may lack what the file says (batchctl validate shows all)", faults[0])
	}
	docs, skipped := tree.Documents()
	if len(skipped) > 0 {
		return nil, fmt.Errorf("%s cannot be resolved, so nobody can tell whether a change reaches it: %s (batchctl validate shows all)", skipped[0].Job, skipped[0].Why)
	}
	return docs, nil
}

// attempt tries the ways in their order.
func (r *Result) attempt(current fs.FS, s Step, docs, chosen []*batches.Document, wants []want) error {
	var last error
	for _, a := range attempts {
		p := plan{fsys: current, docs: docs, chosen: chosen, pin: a.pin, variables: a.variables, inPlace: a.inPlace, leaves: a.leaves, description: s.description(), within: s.Within}
		files, choices, err := p.run(wants)
		if err == nil {
			r.Comparison, err = verify(current, files, wants)
		}
		if err != nil {
			last = err
			continue
		}
		for name, text := range files {
			if _, known := r.Files[name]; !known {
				r.Read[name] = p.read[name]
			}
			r.Files[name] = text
		}
		r.Choices = append(r.Choices, choices...)
		return nil
	}
	return fmt.Errorf("%w; nothing was written", last)
}

// UndecidedJobs lists the jobs that something was left undecided of.
func (r *Result) UndecidedJobs() []string {
	var jobs []string
	for _, u := range r.Undecided {
		jobs = append(jobs, u.Job)
	}
	slices.Sort(jobs)
	return slices.Compact(jobs)
}
