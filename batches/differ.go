package batches

import (
	"slices"
)

// differ collects what differs between two documents.
type differ struct {
	kind   *leafKind
	fields []FieldChange
}

// frame compares what does not stand in the document itself.
func (d *differ) frame(path, old, new string) {
	if old != new {
		d.fields = append(d.fields, FieldChange{Path: path, Old: &Side{Text: old, Raw: old}, New: &Side{Text: new, Raw: new}})
	}
}

// value compares two values; nil is one that is not there. Maps are compared
// member by member, down to the single values and lists.
func (d *differ) value(old, new *value, p *fieldPath) {
	if old == new || new != nil && new.kind == nullKind && old == nil {
		return
	}
	var removed *value
	if new != nil && new.kind == nullKind {
		removed, new = new, nil
	}
	if (old == nil || old.kind == mapKind) && (new == nil || new.kind == mapKind) && !(emptyMap(old, new) && d.kind.empty(p)) {
		d.members(old, new, p)
		return
	}
	if same(old, new) {
		return
	}
	c := FieldChange{Path: p.String(), Old: sideOf(old), New: sideOf(new)}
	if old != nil && new != nil && old.kind == listKind && new.kind == listKind {
		d.list(c, old, new, p)
		return
	}
	if old != nil && new != nil && c.Old.Raw == c.New.Raw {
		c.Uses = changedUses(old, new)
	}
	c.At = madeAt(&c, removed)
	d.fields = append(d.fields, c)
}

// list compares two lists. Items whose text is the same and whose references
// are not are a change of their own: nobody edited the list for it.
func (d *differ) list(c FieldChange, old, new *value, p *fieldPath) {
	gone, came := items(old, new), items(new, old)
	gone = slices.DeleteFunc(gone, func(o *value) bool {
		at := slices.IndexFunc(came, func(n *value) bool { return n.raw() == o.raw() })
		if at < 0 {
			return false
		}
		f := FieldChange{Path: p.String(), Old: sideOf(o), New: sideOf(came[at]), Uses: changedUses(o, came[at])}
		f.At = madeAt(&f, nil)
		d.fields = append(d.fields, f)
		came = slices.Delete(came, at, at+1)
		return true
	})
	for _, v := range gone {
		c.Gone = append(c.Gone, *sideOf(v))
	}
	for _, v := range came {
		c.Came = append(c.Came, *sideOf(v))
	}
	if len(gone)+len(came) > 0 || !sameOrder(old, new) {
		c.At = madeAt(&c, nil)
		d.fields = append(d.fields, c)
	}
}

// sameOrder reports whether two lists are written alike, item by item: then they
// differ only by what references stand for.
func sameOrder(old, new *value) bool {
	return slices.EqualFunc(old.kids, new.kids, func(a, b entry) bool { return a.val.raw() == b.val.raw() })
}

// madeAt says where a change was made: where the value now stands, or what in
// it is new, or what removed it, or else where it stood.
func madeAt(c *FieldChange, removed *value) Place {
	switch {
	case len(c.Uses) > 0:
		return c.Uses[0].Place
	case len(c.Came) > 0:
		return c.Came[0].Place
	case len(c.Gone) > 0:
		return c.Gone[0].Place
	case c.New != nil:
		return c.New.Place
	case removed != nil:
		return removed.place()
	}
	return c.Old.Place
}

// emptyMap reports whether a map without members came or went: there is no
// member then to show it by.
func emptyMap(old, new *value) bool {
	return old == nil && count(new) == 0 || new == nil && count(old) == 0
}

func (d *differ) members(old, new *value, p *fieldPath) {
	for i := range old.entries() {
		e := &old.kids[i]
		var now *value
		if in := find(new.entries(), e.key); in != nil {
			now = in.val
		}
		d.value(present(e.val), now, p.member(e.key))
	}
	for i := range new.entries() {
		if e := &new.kids[i]; e.val.kind != nullKind && find(old.entries(), e.key) == nil {
			d.value(nil, e.val, p.member(e.key))
		}
	}
}

// present is a value, or nil for one that was removed.
func present(v *value) *value {
	if v.kind == nullKind {
		return nil
	}
	return v
}

// same reports whether two values say the same.
func same(a, b *value) bool {
	switch {
	case a == b:
		return true
	case a == nil || b == nil:
		return false
	case a.kind != b.kind || a.text != b.text:
		return false
	case a.kind == listKind:
		return slices.EqualFunc(a.kids, b.kids, func(x, y entry) bool { return same(x.val, y.val) })
	case a.kind == mapKind:
		return count(a) == count(b) && !slices.ContainsFunc(a.kids, func(e entry) bool {
			return e.val.kind != nullKind && !same(e.val, b.get(e.key))
		})
	}
	return true
}

func count(v *value) int {
	n := 0
	for range v.members() {
		n++
	}
	return n
}

// items returns the items of a list that another one does not have, or has
// less often.
func items(of, other *value) []*value {
	left := slices.Clone(other.kids)
	var out []*value
	for i := range of.kids {
		v := of.kids[i].val
		if at := slices.IndexFunc(left, func(e entry) bool { return same(e.val, v) }); at >= 0 {
			left = slices.Delete(left, at, at+1)
			continue
		}
		out = append(out, v)
	}
	return out
}

func sideOf(v *value) *Side {
	if v == nil {
		return nil
	}
	if v.kind == mapKind && count(v) == 0 {
		return &Side{v.place(), "{}", "{}"} // and not the nulls in it
	}
	return &Side{v.place(), v.display(), v.raw()}
}

// raw is a value on one line, as it was before its references were replaced.
func (v *value) raw() string {
	if v.from != nil {
		return v.from.template.text
	}
	if v.kind < listKind {
		return v.display()
	}
	out := *v
	out.kids = slices.Clone(v.kids)
	for i := range out.kids {
		kid := *out.kids[i].val
		kid.text, kid.kids = kid.raw(), nil
		if kid.kind >= listKind {
			kid.kind = stringKind
		}
		out.kids[i].val = &kid
	}
	return out.display()
}

// changedUses lists the variables and fields that make the difference between
// two values of the same template. Where one is itself made of others, and only
// these differ, they are listed in its place.
func changedUses(old, new *value) []UseChange {
	var out []UseChange
	if old.from != nil && new.from != nil {
		for i := range min(len(old.from.uses), len(new.from.uses)) {
			o, n := &old.from.uses[i], &new.from.uses[i]
			switch {
			case o.text == n.text:
			case o.sameTemplate(n):
				out = append(out, changedUses(o.val, n.val)...)
			default:
				c := UseChange{Name: n.name, Old: o.text, New: n.text}
				if n.val != nil {
					c.Place = n.val.place()
				}
				out = append(out, c)
			}
		}
	}
	for i := range min(len(old.kids), len(new.kids)) {
		out = append(out, changedUses(old.kids[i].val, new.kids[i].val)...)
	}
	var once []UseChange
	for _, c := range out {
		if !slices.ContainsFunc(once, func(o UseChange) bool { return o.Name == c.Name }) {
			once = append(once, c)
		}
	}
	return once
}

// sameTemplate reports whether two references stand for texts that are made of
// the same references.
func (u *use) sameTemplate(other *use) bool {
	return u.val != nil && other.val != nil && u.val.from != nil && other.val.from != nil && u.val.raw() == other.val.raw()
}
