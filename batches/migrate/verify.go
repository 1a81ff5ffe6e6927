package migrate

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// verify resolves the tree with the changed files and compares: the values that
// were wanted are there, nothing else changed but what refers to them, and no
// new error came up.
func verify(fsys fs.FS, files map[string][]byte, wants []want) (*batches.Comparison, error) {
	before, after := batches.Load(fsys), batches.Load(batches.NewOverlay(fsys, files, nil))
	wanted := map[string]map[string]bool{}
	for _, w := range wants {
		if wanted[w.doc.Path] == nil {
			wanted[w.doc.Path] = map[string]bool{}
		}
		wanted[w.doc.Path][w.path()] = true
	}
	c := batches.Compare(before, after)
	if err := sideEffects(c, wanted); err != nil {
		return nil, err
	}
	docs, _ := after.Documents()
	for i := range wants {
		if err := reached(&wants[i], docs); err != nil {
			return nil, err
		}
	}
	return c, newErrors(before, after)
}

// sideEffects reports what changes and was not asked for.
func sideEffects(c *batches.Comparison, wanted map[string]map[string]bool) error {
	switch {
	case len(c.Faults) > 0:
		return fmt.Errorf("there would be an error: %s", withHint(c.Faults[0]))
	case len(c.Skipped) > 0:
		return fmt.Errorf("%s could no longer be resolved: %s", c.Skipped[0].Job, c.Skipped[0].Why)
	case len(c.New)+len(c.Gone) > 0:
		return fmt.Errorf("%s would come or go", append(c.New, c.Gone...)[0])
	}
	for _, j := range c.Jobs {
		for _, f := range j.Fields {
			if !within(f.Path, wanted[j.Job]) && !follows(&f, wanted[j.Job]) {
				return fmt.Errorf("%s would change, which nobody asked for: %s", j.Job, f.Path)
			}
		}
	}
	return nil
}

// within reports whether a value is one that was to change, or stands in one.
func within(path string, wanted map[string]bool) bool {
	for w := range wanted {
		if rest, ok := strings.CutPrefix(path, w); ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}

// follows reports whether a value changes only because it refers to fields or
// variables that were to change.
func follows(f *batches.FieldChange, wanted map[string]bool) bool {
	for _, u := range f.Uses {
		if !wanted[u.Name] && !wanted["spec."+u.Name] && !wanted["vars."+u.Name] {
			return false
		}
	}
	return len(f.Uses) > 0 && f.Old != nil && f.New != nil && f.Old.Raw == f.New.Raw
}

// reached reports a want that did not come true.
func reached(w *want, docs []*batches.Document) error {
	i, ok := slices.BinarySearchFunc(docs, w.doc.Path, func(d *batches.Document, path string) int { return strings.Compare(d.Path, path) })
	if !ok {
		return fmt.Errorf("%s would be gone", w.doc.Path)
	}
	got := docs[i].Value(w.keys...)
	want, raw := w.expect()
	text := got.Text()
	if raw {
		text = got.Raw()
	}
	if w.unset && got.Exists() || !w.unset && (!got.Exists() || text != want) {
		return fmt.Errorf("%s: %s would be %s, not %s", w.doc.Path, w.path(), text, want)
	}
	return nil
}

// newErrors reports the errors that the old tree does not have, in any file: an
// old one may have moved with the value that it is about.
func newErrors(before, after *batches.Tree) error {
	problems := after.Resolve().Problems
	if batches.Errors(problems) == 0 {
		return nil
	}
	known := map[string]bool{}
	for _, p := range before.Resolve().Problems {
		known[p.Rule+p.Message] = true
	}
	problems = slices.DeleteFunc(problems, func(p batches.Problem) bool {
		return p.Severity != batches.Error || known[p.Rule+p.Message]
	})
	if len(problems) == 0 {
		return nil
	}
	text := withHint(problems[0])
	if n := len(problems); n > 1 {
		return fmt.Errorf("there would be %d errors, the first: %s", n, text)
	}
	return fmt.Errorf("there would be an error: %s", text)
}

func withHint(p batches.Problem) string {
	if p.Hint == "" {
		return p.String()
	}
	return p.String() + " (" + p.Hint + ")"
}
