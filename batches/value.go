package batches

import "iter"

// kind is the type of a value.
type kind uint8

const (
	nullKind kind = iota
	boolKind
	intKind
	floatKind
	stringKind
	listKind
	mapKind
)

// kindNames are written with their article, as messages need them.
var kindNames = [...]string{"null", "a boolean", "an integer", "a number", "a string", "a list", "a map"}

func (k kind) String() string { return kindNames[k] }

// value is a node of a document. Values are never changed once they are
// made: merging and expanding make new ones that share what stays.
type value struct {
	kind     kind
	override bool // set by an entry of overrides
	appended bool // item of a list under a key with a plus sign
	expands  bool // it, or a value in it, holds a reference {{…}}
	broken   bool // of no use, for a reason that has been reported
	line     int32
	col      int32
	file     *File
	text     string    // of a scalar, without quotes
	kids     []entry   // of a list or a map
	over     *value    // what this value took the place of, in a lower layer
	parts    []part    // of a string with references; nil for others
	from     *expanded // how the text came about, if it was expanded
}

// entry is a member of a map, or an item of a list (without a key).
type entry struct {
	key  string
	line int32 // of the key
	col  int32
	plus bool // written as key+
	val  *value
}

// place is where a value stands.
func (v *value) place() Place { return Place{v.file.Path, int(v.line), int(v.col)} }

// keyPlace is where the key of an entry stands. A key and its value always
// come from one file.
func (e *entry) place() Place { return Place{e.val.file.Path, int(e.line), int(e.col)} }

// get returns the member of a map, or nil. A removed member (null) counts as
// not there.
func (v *value) get(key string) *value {
	if v == nil || v.kind != mapKind {
		return nil
	}
	for i := range v.kids {
		if v.kids[i].key == key {
			if kid := v.kids[i].val; kid.kind != nullKind {
				return kid
			}
			return nil
		}
	}
	return nil
}

// str returns the text of a scalar, or "" for anything else.
func (v *value) str() string {
	if v == nil || v.kind >= listKind || v.kind == nullKind {
		return ""
	}
	return v.text
}

// scalar reports whether a value is a single one.
func (v *value) scalar() bool { return v != nil && v.kind > nullKind && v.kind < listKind }

// list returns the items of a list; a scalar counts as a list of one, so that
// fields which take one or many need no second path.
func (v *value) list() []*value {
	switch {
	case v == nil || v.kind == nullKind || v.kind == mapKind:
		return nil
	case v.kind != listKind:
		return []*value{v}
	}
	items := make([]*value, len(v.kids))
	for i := range v.kids {
		items[i] = v.kids[i].val
	}
	return items
}

// strings returns the texts of a list of scalars, or of one scalar.
func (v *value) strings() []string {
	if v == nil || v.kind == listKind && len(v.kids) == 0 {
		return nil
	}
	if v.kind != listKind {
		if !v.scalar() {
			return nil
		}
		return []string{v.text}
	}
	texts := make([]string, len(v.kids))
	for i := range v.kids {
		texts[i] = v.kids[i].val.str()
	}
	return texts
}

// entries returns the entries of a map, with the removed ones.
func (v *value) entries() []entry {
	if v == nil || v.kind != mapKind {
		return nil
	}
	return v.kids
}

// members yields the entries of a map, without the removed ones.
func (v *value) members() iter.Seq2[string, *value] {
	return func(yield func(string, *value) bool) {
		if v == nil || v.kind != mapKind {
			return
		}
		for i := range v.kids {
			if e := &v.kids[i]; e.val.kind != nullKind && !yield(e.key, e.val) {
				return
			}
		}
	}
}
