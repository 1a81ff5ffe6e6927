package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
	"github.com/batchctl/batchctl/jvm"
)

// Step is one change of some jobs.
type Step struct {
	Selection Selection
	Change    Change
	Reason    string // for people, written into overrides; "" = what the change says
	Within    string // an app group whose own files alone may be edited; "" = any file
}

func (s *Step) description() string {
	if s.Reason != "" {
		return s.Reason
	}
	return s.Change.String()
}

// Change is what a step wants of a job.
type Change interface {
	// wants says what is to become of a job's values. With something undecided
	// the job stays as it is.
	wants(d *batches.Document) (w []want, undecided, notes []Undecided)
	String() string
}

// want is what one value of one job is to become.
type want struct {
	doc   *batches.Document
	keys  []string      // spec, java, version
	old   batches.Value // may be missing
	unset bool
	value yamledit.Value // unless unset or a list that is changed by its items
	text  string         // what Document.Value is to say then
	items []item         // of a list that is changed by its items
	own   bool           // it is to change where it is written, and not a variable that it consists of
	near  batches.Value  // for a new value: the one beside which it belongs; may be missing

	appended []string // of a list of which nothing else changes: what comes at its end
	pin      bool     // it stays as it is where others change
}

// item is what becomes of one item of a list.
type item struct {
	old      batches.Value
	put      []string // texts with their references
	texts    []string // what these are for the job; nil: not known
	changed  bool
	variable bool // the old one is a variable and nothing else, and what it holds is what changes
}

// itemOf puts together what becomes of an item as it was written and as it is
// for the job. Where only the second changes, a reference makes it what it is;
// why says so when that is more than one variable.
func itemOf(v batches.Value, raw, text []string) (i item, why string) {
	changed, changedText := !slices.Equal(raw, []string{v.Raw()}), !slices.Equal(text, []string{v.Text()})
	if changed == changedText && len(raw) == len(text) {
		return item{old: v, put: raw, texts: text, changed: changed}, ""
	}
	name, val, alone := v.Variable()
	if alone && !strings.Contains(strings.Join(text, ""), "{{") {
		return item{old: v, put: text, texts: text, changed: true, variable: len(text) == 1}, ""
	}
	from, at := "a reference", v.Place()
	if alone {
		from, at = "the variable "+name, val.Place()
	}
	return item{old: v, put: []string{v.Raw()}}, fmt.Sprintf("it comes from %s and must change there (%s)", from, at)
}

// list returns the texts of the whole list as it is to be.
func (w *want) list() []string {
	var out []string
	for _, i := range w.items {
		out = append(out, i.put...)
	}
	return out
}

// written is the new value as it is written, with its references.
func (w *want) written() string {
	if w.items != nil {
		return batches.FlowList(w.list())
	}
	return w.text
}

func (w *want) path() string { return strings.Join(w.keys, ".") }

// Set gives a value to every job: a single value, or a list as a whole.
type Set struct {
	Keys  []string
	Value yamledit.Value
}

func (s Set) String() string {
	return "set " + strings.Join(s.Keys, ".") + " to " + shown(textOf(s.Value))
}

func (s Set) wants(d *batches.Document) ([]want, []Undecided, []Undecided) {
	old := d.Value(s.Keys...)
	if says(old, s.Value) {
		return nil, nil, nil
	}
	return []want{{doc: d, keys: s.Keys, old: old, value: s.Value, text: textOf(s.Value)}}, nil, nil
}

// says reports whether a value is one already: what is written with references,
// if it is written so.
func says(old batches.Value, v yamledit.Value) bool {
	list, ok := v.(yamledit.List)
	if ok || old.List() || old.Map() {
		return ok && old.List() && slices.EqualFunc(old.Items(), list, says)
	}
	text := textOf(v)
	if strings.Contains(text, "{{") {
		return old.Raw() == text
	}
	return old.Exists() && old.Text() == text
}

// textOf is a single value as Value.Text gives it; a list on one line.
func textOf(v yamledit.Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case yamledit.List:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = textOf(item)
		}
		return batches.FlowList(items)
	}
	return fmt.Sprint(v)
}

// shown is a text as people see it: an empty one, and one with line breaks, in
// quotes.
func shown(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(batches.FlowList([]string{text}), "["), "]")
}

// Unset takes a value away from every job.
type Unset struct{ Keys []string }

func (u Unset) String() string { return "unset " + strings.Join(u.Keys, ".") }

func (u Unset) wants(d *batches.Document) ([]want, []Undecided, []Undecided) {
	old := d.Value(u.Keys...)
	if !old.Exists() {
		return nil, nil, nil
	}
	return []want{{doc: d, keys: u.Keys, old: old, unset: true}}, nil, nil
}

// AddOption gives an option of the JVM to every job that lacks it, at the end of
// its options.
type AddOption struct{ Option string }

func (a AddOption) String() string { return "add option " + a.Option }

func (a AddOption) wants(d *batches.Document) (wants []want, undecided, notes []Undecided) {
	w := want{doc: d, keys: optionKeys, old: d.Value(optionKeys...)}
	for _, v := range w.old.Items() {
		switch {
		case v.Text() == a.Option || v.Raw() == a.Option:
			return nil, nil, nil
		case jvm.OptionName(v.Text()) == jvm.OptionName(a.Option):
			return nil, []Undecided{{d.Path, v.Place(), v.Text(), "it says another thing than " + a.Option + "; take these jobs out, or use batchctl migrate replace-value"}}, nil
		}
		w.items = append(w.items, item{old: v, put: []string{v.Raw()}, texts: []string{v.Text()}})
	}
	w.add([]string{a.Option})
	return []want{w}, nil, nil
}

// RemoveOption takes an option of the JVM away, whatever value it has.
type RemoveOption struct{ Name string }

func (r RemoveOption) String() string { return "remove option " + r.Name }

func (r RemoveOption) wants(d *batches.Document) ([]want, []Undecided, []Undecided) {
	return changeItems(d, optionKeys, func(text string) []string {
		if text == r.Name || strings.HasPrefix(text, r.Name+"=") || strings.HasPrefix(text, r.Name+":") {
			return nil
		}
		return []string{text}
	})
}

var optionKeys = []string{"spec", "java", "options"}

// RenameOption gives an option of the JVM another name; what stands behind an =
// or a : stays.
type RenameOption struct{ From, To string }

func (r RenameOption) String() string { return "rename option " + r.From + " to " + r.To }

func (r RenameOption) wants(d *batches.Document) ([]want, []Undecided, []Undecided) {
	return changeItems(d, optionKeys, func(text string) []string {
		rest, ok := strings.CutPrefix(text, r.From)
		if !ok || rest != "" && rest[0] != '=' && rest[0] != ':' {
			return []string{text}
		}
		return []string{r.To + rest}
	})
}

// ReplaceValue changes a value, or an item of a list, where it is a certain
// one, as written or as it is for the job.
type ReplaceValue struct {
	Keys     []string
	From, To string
}

func (r ReplaceValue) String() string {
	return "replace " + r.From + " by " + r.To + " in " + strings.Join(r.Keys, ".")
}

func (r ReplaceValue) wants(d *batches.Document) ([]want, []Undecided, []Undecided) {
	old := d.Value(r.Keys...)
	switch {
	case old.List():
		return changeItems(d, r.Keys, func(text string) []string {
			if text == r.From {
				text = r.To
			}
			return []string{text}
		})
	case !old.Exists() || old.Map() || old.Raw() != r.From && old.Text() != r.From:
		return nil, nil, nil
	}
	var value yamledit.Value = r.To
	if old.Numeric() {
		value = Scalar(r.To)
	}
	return []want{{doc: d, keys: r.Keys, old: old, value: value, text: textOf(value), own: old.Text() != r.From}}, nil, nil
}

// changeItems changes single items of a list, as they are written and as they
// are for the job.
func changeItems(d *batches.Document, keys []string, change func(text string) []string) (wants []want, undecided, notes []Undecided) {
	w := want{doc: d, keys: keys, old: d.Value(keys...)}
	for _, v := range w.old.Items() {
		written := []string{v.Raw()}
		if put := change(v.Raw()); !slices.Equal(put, written) {
			w.items = append(w.items, item{old: v, put: put, changed: true})
			continue
		}
		i, why := itemOf(v, written, change(v.Text()))
		if why != "" {
			undecided = append(undecided, Undecided{d.Path, v.Place(), v.Text(), why})
		}
		w.items = append(w.items, i)
	}
	if !slices.ContainsFunc(w.items, func(i item) bool { return i.changed }) {
		return nil, undecided, nil
	}
	return []want{w}, undecided, nil
}
