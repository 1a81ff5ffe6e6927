package batches

import "slices"

// merge puts a higher layer over a lower one by the rules of JSON Merge Patch
// (RFC 7386): maps merge, everything else replaces, null removes. A key with
// a plus sign appends to a list instead of replacing it.
//
// A value that takes another's place remembers it. A removed member stays in
// its map as null, so that what removed it can be shown; get passes over it.
// low may be nil, and neither argument is changed.
func merge(low, high *value, p *fieldPath, ps *problems) *value {
	if high.kind != mapKind {
		return replace(low, high)
	}
	if low != nil && low.kind != mapKind {
		return replace(low, merge(nil, high, p, ps))
	}
	if low == nil && !hasPlus(high) {
		return high
	}
	out := *high
	out.kids = make([]entry, 0, len(high.kids)+4)
	if low != nil {
		out.kids = append(out.kids, low.kids...)
		out.expands = out.expands || low.expands
	}
	for i := range high.kids {
		e := high.kids[i]
		var under *value
		at := slices.IndexFunc(out.kids, func(o entry) bool { return o.key == e.key })
		if at >= 0 {
			under = out.kids[at].val
		}
		where := p.member(e.key)
		if e.plus && e.val.kind == listKind {
			e.val = appendList(under, e.val, where, ps)
		} else {
			e.val = merge(under, e.val, where, ps)
		}
		e.plus = false
		out.expands = out.expands || e.val.expands
		if at >= 0 {
			out.kids[at] = e
		} else {
			out.kids = append(out.kids, e)
		}
	}
	return &out
}

// replace gives high the place of low.
func replace(low, high *value) *value {
	if low == nil {
		return high
	}
	out := *high
	out.over = low
	return &out
}

// appendList adds the items of a key+ to the list below it.
func appendList(low, high *value, p *fieldPath, ps *problems) *value {
	if low == nil || low.kind == nullKind {
		return replace(low, high)
	}
	if low.kind != listKind {
		ps.add(Problem{Place: high.place(), Path: p.String(), Rule: "type-conflict", Others: []Place{low.place()},
			Message: p.key + "+ adds to a list, but " + p.key + " is " + low.kind.String() + " in " + low.place().String(),
			Hint:    "write " + p.key + " without the plus sign to replace it"})
		return high
	}
	out := *high
	out.over = low.over
	out.expands = low.expands || high.expands
	out.kids = slices.Concat(low.kids, high.kids)
	return &out
}

func hasPlus(v *value) bool {
	for i := range v.kids {
		if v.kids[i].plus || v.kids[i].val.kind == mapKind && hasPlus(v.kids[i].val) {
			return true
		}
	}
	return false
}

// conflicts reports every value below v that is of another type than the one
// whose place it took. It is for what has no schema; where there is one, the
// schema knows which types may stand for each other.
func conflicts(v *value, p *fieldPath, ps *problems) {
	if o := v.over; o != nil && conflict(o.kind, v.kind) && !o.broken && !v.broken && o.parts == nil && v.parts == nil {
		ps.add(Problem{Place: v.place(), Path: p.String(), Rule: "type-conflict", subject: "type-conflict", Others: []Place{o.place()},
			Message: "this is " + v.kind.String() + " here and " + o.kind.String() + " in " + o.place().String(),
			Hint:    conflictHint(o, v)})
	}
	for i := range v.kids {
		e := &v.kids[i]
		conflicts(e.val, p.entry(e, i), ps)
	}
}

func conflict(a, b kind) bool {
	number := func(k kind) bool { return k == intKind || k == floatKind }
	return a != b && a != nullKind && b != nullKind && !(number(a) && number(b))
}

// conflictHint says how to write the value in the type of the lower layer.
func conflictHint(low, high *value) string {
	if low.kind == stringKind && high.scalar() {
		return `write "` + high.text + `"`
	}
	return "give both the same type, or remove the lower one first with null"
}
