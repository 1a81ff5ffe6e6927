package migrate

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
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
		if err := reached(&wants[i], docs, wanted[wants[i].doc.Path]); err != nil {
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
	keys := splitKnown(path)
	for i := range keys {
		if wanted[strings.Join(keys[:i+1], ".")] {
			return true
		}
	}
	return false
}

// follows reports whether a value changes only because it refers to fields or
// variables that were to change.
func follows(f *batches.FieldChange, wanted map[string]bool) bool {
	for _, u := range f.Uses {
		if !within(batches.ReferencePath(u.Name), wanted) {
			return false
		}
	}
	return len(f.Uses) > 0 && f.Old != nil && f.New != nil && f.Old.Raw == f.New.Raw
}

// reached reports a want that did not come true.
func reached(w *want, docs []*batches.Document, wanted map[string]bool) error {
	i, ok := slices.BinarySearchFunc(docs, w.doc.Path, func(d *batches.Document, path string) int { return strings.Compare(d.Path, path) })
	if !ok {
		return fmt.Errorf("%s would be gone", w.doc.Path)
	}
	got := docs[i].Value(w.keys...)
	switch {
	case w.unset && !got.Exists():
		return nil
	case w.unset:
		return fmt.Errorf("%s: %s would still be %s", w.doc.Path, w.path(), shown(got.Text()))
	case got.Exists() && w.came(got, wanted):
		return nil
	case !got.Exists():
		return fmt.Errorf("%s: %s would not be there", w.doc.Path, w.path())
	}
	return fmt.Errorf("%s: %s would be %s, not %s", w.doc.Path, w.path(), shown(got.Raw()), shown(w.written()))
}

// came reports whether a value is what was wanted: a list item by item.
func (w *want) came(got batches.Value, wanted map[string]bool) bool {
	list, whole := w.value.(yamledit.List)
	if w.items == nil && !whole {
		return expected{w.text, w.text, !strings.Contains(w.text, "{{")}.is(got, wanted)
	}
	var all []expected
	for _, v := range list {
		text := textOf(v)
		all = append(all, expected{text, text, !strings.Contains(text, "{{")})
	}
	for _, it := range w.items {
		for i, put := range it.put {
			e := expected{raw: put, known: it.texts != nil}
			if e.known {
				e.text = it.texts[i]
			}
			all = append(all, e)
		}
	}
	items := got.Items()
	for i := range items {
		if i < len(all) && !all[i].is(items[i], wanted) {
			return false
		}
	}
	return got.List() && len(items) == len(all)
}

// expected is what a single value is to say.
type expected struct {
	raw, text string
	known     bool // the text is; else references make it
}

// is reports whether a value says it. One that refers to what changes as well
// is known by its raw text.
func (e expected) is(got batches.Value, wanted map[string]bool) bool {
	if e.known && !slices.ContainsFunc(got.Refers(), func(path string) bool { return within(path, wanted) }) {
		return got.Text() == e.text
	}
	return got.Raw() == e.raw || e.known && got.Text() == e.text
}

// newErrors reports the errors that more jobs would have than have them now, in
// any file: an old one may have moved with the value that it is about.
func newErrors(before, after *batches.Tree) error {
	problems := after.Resolve().Problems
	if batches.Errors(problems) == 0 {
		return nil
	}
	more := map[string]int{}
	for _, p := range problems {
		more[p.Rule+p.Message] += max(len(p.Jobs), 1)
	}
	for _, p := range before.Resolve().Problems {
		more[p.Rule+p.Message] -= max(len(p.Jobs), 1)
	}
	problems = slices.DeleteFunc(problems, func(p batches.Problem) bool {
		return p.Severity != batches.Error || more[p.Rule+p.Message] <= 0
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
