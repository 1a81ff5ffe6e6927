package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// placed is a unit with its path in its file.
type placed struct {
	*unit
	at yamledit.Path
}

// edit makes the edits in place. Places are of the text as it was, so all of
// them are found first; and lists are edited from their end.
func (p *plan) edit(units []*unit) error {
	var all []placed
	for _, u := range units {
		if u.old.Layer() == batches.Rollout {
			return fromRollout(u.place)
		}
		f, err := p.open(u.place.File)
		if err != nil {
			return err
		}
		at, ok := f.PathAt(u.place.Line, u.place.Col)
		if !ok {
			return fmt.Errorf("%s: the value cannot be found in the text", u.place)
		}
		all = append(all, placed{u, at})
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(strings.Compare(a.place.File, b.place.File), b.place.Line-a.place.Line, b.place.Col-a.place.Col)
	})
	for _, u := range all {
		if err := u.apply(p.files[u.place.File]); err != nil {
			return fmt.Errorf("%s: %w; change it by hand", u.place, err)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(strings.Compare(a.place.File, b.place.File), a.place.Line-b.place.Line, a.place.Col-b.place.Col)
	})
	for _, u := range all {
		why := "the one job that inherits it is selected"
		switch n := len(u.wants); {
		case u.others > 0:
			why = fmt.Sprintf("%d of the %d jobs that inherit it are selected; the others are pinned", n, n+u.others)
		case n > 1:
			why = fmt.Sprintf("all %d jobs that inherit it are selected", n)
		}
		p.choices = append(p.choices, Choice{u.place, u.what(), why, len(u.wants), true})
	}
	return nil
}

func fromRollout(place batches.Place) error {
	return fmt.Errorf("%s: the value comes from this rollout; finish it or undo it first", place)
}

// what describes an edit in place.
func (u *unit) what() string {
	o := u.op
	switch {
	case o.beside != "":
		return fmt.Sprintf("%s: %s beside %s", o.beside, shown(textOf(o.value)), u.path)
	case o.remove:
		return fmt.Sprintf("%s: %s removed", u.path, shown(u.old.Raw()))
	case o.set:
		return fmt.Sprintf("%s: %s → %s", u.path, shown(u.old.Raw()), shown(textOf(o.value)))
	case len(o.put) == 0:
		return fmt.Sprintf("%s: −%s", u.path, u.old.Raw())
	}
	text := ""
	if !slices.Contains(o.put, u.old.Raw()) {
		text = "−" + u.old.Raw() + "  "
	}
	for _, put := range o.put {
		if put != u.old.Raw() {
			text += "+" + put + "  "
		}
	}
	return u.path + ": " + strings.TrimSpace(text)
}

func (u *placed) apply(f *yamledit.File) error {
	o := u.op
	switch {
	case o.beside != "":
		return f.Set(u.at[:len(u.at)-1].Key(o.beside), o.value)
	case o.remove:
		return removeWith(f, u.at)
	case o.set:
		return f.Set(u.at, o.value)
	}
	list, index := u.at[:len(u.at)-1], u.at[len(u.at)-1].Index
	if len(o.put) == 0 {
		if err := f.Remove(u.at); err != nil {
			return err
		}
		if _, _, left := f.Has(list); left == 0 && strings.HasSuffix(list[len(list)-1].Key, "+") {
			return removeWith(f, list) // nothing is left to append
		}
		return nil
	}
	if o.put[0] != u.old.Raw() {
		if err := f.Set(u.at, likeOld(u.old, o.put[0])); err != nil {
			return err
		}
	}
	for i, put := range o.put[1:] {
		if err := f.Insert(list, index+1+i, put); err != nil {
			return err
		}
	}
	return nil
}

// removeWith removes a value, and what held nothing but it: an empty map says
// nothing. The topmost one stays, since a file without any would be empty; and
// so does an agent, which is loaded without settings too.
func removeWith(f *yamledit.File, at yamledit.Path) error {
	for len(at) > 2 && at[len(at)-2].Key != "" && at[len(at)-3].Key != "agents" {
		if _, list, n := f.Has(at[:len(at)-1]); list || n != 1 {
			break
		}
		at = at[:len(at)-1]
	}
	return f.Remove(at)
}

// likeOld is a text as a number where the old value was one.
func likeOld(old batches.Value, text string) yamledit.Value {
	if old.Number() {
		return Scalar(text)
	}
	return text
}
