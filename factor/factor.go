// Package factor is the cure for copying: it takes a flat tree, in which each
// batch says everything itself, and lifts what jobs have in common into the
// layers, so that the text shrinks and every effective value stays the same.
//
// The way goes in four steps:
//
//	read      jobs and all their values, from the tree (table.go)
//	template  names of the job's own in its values → {{app}}, {{group}}, …;
//	          lists that differ in a piece → variables (coordinate.go, list.go)
//	place     each value to the layers where it costs the least text (place.go)
//	write     layers and leaves, as a person would (write.go)
//
// None of them is trusted: in the end the new tree is resolved, and compared
// with the old one by every value of every job (same.go).
//
// Read first Factor, then (*placer).plan.
package factor

import (
	"fmt"
	"io/fs"

	"github.com/batchctl/batchctl/batches"
)

// A File is a file of the new tree.
type File struct {
	Path string // slash-separated, below the tree
	Text []byte
}

// A Result is the new tree.
type Result struct {
	Files  []File // those that change, sorted by path; the others stay as they are
	Jobs   int
	Leaves int
	Before int // bytes of YAML in the old tree
	After  int // and in the new one
	Lifted []Lifted
	Odd    []Odd
}

// over is the new tree, as it would be on the disk.
func (r *Result) over(fsys fs.FS) *batches.Tree {
	files := make(map[string][]byte, len(r.Files))
	for _, f := range r.Files {
		files[f.Path] = f.Text
	}
	return batches.Load(batches.NewOverlay(fsys, files, nil))
}

// Lifted says where a value went that many jobs had each by itself.
type Lifted struct {
	File string `json:"file"` // of the layer
	Path string `json:"path"` // spec.java.heap, or vars.XMS
	Jobs int    `json:"jobs"` // that the layer is for
}

// NotFlatError says that a tree is no flat one.
type NotFlatError struct{ Why string }

func (e *NotFlatError) Error() string {
	return e.Why + "; factor takes a flat tree, as batchctl import writes it"
}

// FaultyError says that a tree has errors that make it doubtful what its jobs
// are.
type FaultyError struct{ Problems []batches.Problem }

func (e *FaultyError) Error() string {
	p := e.Problems[0]
	return fmt.Sprintf("%s: %s; factor needs to know what every job says (batchctl validate lists all)", p.Place, p.Message)
}

// Factor makes a tree with layers of a flat one. The same tree gives the same
// result. It returns a *NotFlatError or a *FaultyError for a tree that it
// does not take. It reads files more than once: they must not change meanwhile
// (see batches.Snapshot).
func Factor(fsys fs.FS) (*Result, error) {
	tree := batches.Load(fsys)
	docs, faults := tree.Effective()
	if len(faults) > 0 {
		return nil, &FaultyError{faults}
	}
	if why := tree.NotFlat(); why != "" {
		return nil, &NotFlatError{why}
	}
	if len(docs) == 0 {
		return nil, &NotFlatError{"the tree has no jobs"}
	}
	t := newTable(docs)
	frames, err := readFrames(fsys, t)
	if err != nil {
		return nil, err
	}
	odd := findOdd(t)
	useCoordinates(t)
	p := &placer{table: t}
	useVariables(p)
	w := &writer{fsys: fsys, table: t, frames: frames, placer: p}
	r, err := w.write()
	if err != nil {
		return nil, err
	}
	r.Jobs, r.Leaves, r.Odd = len(t.jobs), len(t.leaves), odd
	return r, verify(tree, docs, r.over(fsys))
}
