package batches

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// kindSet is a set of kinds of value.
type kindSet uint8

func kinds(ks ...kind) kindSet {
	var set kindSet
	for _, k := range ks {
		set |= 1 << k
	}
	return set
}

func (set kindSet) has(k kind) bool { return set&(1<<k) != 0 }

// String lists the kinds: "a string or a list".
func (set kindSet) String() string {
	var names []string
	for k := nullKind; k <= mapKind; k++ {
		if set.has(k) {
			names = append(names, k.String())
		}
	}
	return strings.Join(names, " or ")
}

// schema describes what a value may be. From it come the checks, the JSON
// Schema for editors and the reference in docs/tree.md.
type schema struct {
	kinds    kindSet
	doc      string             // one sentence, for people
	fields   []field            // of a map with known keys
	values   *schema            // of the members of a map with free keys
	key      func(string) error // for free keys: what a key must be
	items    *schema            // of a list
	enum     []string           // for a string: all it may be
	min, max int64              // for an integer, when max > 0
	format   string             // for a string: the name of what check wants, for people
	pattern  string             // and the same as a regular expression, where one says it
	check    func(string) error
	example  string
	open     bool // for editors: other keys than the known ones may be right
}

// field is a known key of a map.
type field struct {
	name     string
	schema   *schema
	required bool
	def      string // what stands for a missing value, for people
}

// field returns the known key of that name, or nil.
func (s *schema) field(name string) *field {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	return nil
}

// names yields the known keys.
func (s *schema) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range s.fields {
			if !yield(s.fields[i].name) {
				return
			}
		}
	}
}

// checker checks a document against a schema.
type checker struct {
	root  *schema // for hints on keys that stand at the wrong level
	ps    *problems
	sound map[*value]bool // lists and maps that are known to have no fault
}

// value checks v and all below it.
func (c *checker) value(s *schema, v *value, p *fieldPath) {
	if v.broken || s.kinds == 0 || v.kind >= listKind && c.sound[v] {
		return
	}
	if !s.allows(v) {
		c.wrongType(s, v, p)
		return
	}
	if o := v.over; o != nil && conflict(o.kind, v.kind) && !s.kinds.has(o.kind) && o.parts == nil && v.from == nil {
		c.ps.add(Problem{Place: v.place(), Path: p.String(), Rule: "type-conflict", subject: "type-conflict", Others: []Place{o.place()},
			Message: "this is " + v.kind.String() + " here and " + o.kind.String() + " in " + o.place().String(),
			Hint:    "it must be " + s.kinds.String() + "; mend the other one"})
	}
	switch v.kind {
	case mapKind:
		c.members(s, v, p)
	case listKind:
		for i := range v.kids {
			c.value(s.items, v.kids[i].val, p.item(i))
		}
	default:
		c.scalar(s, v, p)
	}
}

// findSound returns the lists and maps below v that have no fault. Jobs that
// inherit them as they are need not check them again. One that holds
// references is another value once these are expanded, and is checked then.
func findSound(root, s *schema, v *value) map[*value]bool {
	sound := map[*value]bool{}
	var visit func(s *schema, v *value)
	visit = func(s *schema, v *value) {
		if s == nil || v.kind < listKind {
			return
		}
		var ps problems
		c := checker{root: root, ps: &ps}
		if c.value(s, v, newPath()); len(ps) == 0 {
			sound[v] = true
			return
		}
		for i := range v.kids {
			if v.kind == listKind {
				visit(s.items, v.kids[i].val)
			} else {
				visit(s.member(v.kids[i].key), v.kids[i].val)
			}
		}
	}
	visit(s, v)
	return sound
}

// allows reports whether a value is of an allowed kind. Text that came out of
// a reference may stand for a number or a boolean.
func (s *schema) allows(v *value) bool {
	if s.kinds.has(v.kind) {
		return true
	}
	if v.kind == intKind && s.kinds.has(floatKind) {
		return true
	}
	if v.from == nil {
		return false
	}
	switch {
	case v.kind == stringKind && s.kinds.has(intKind):
		_, err := strconv.ParseInt(v.text, 10, 64)
		return err == nil
	case v.kind == stringKind && s.kinds.has(boolKind):
		return v.text == "true" || v.text == "false"
	}
	return s.kinds.has(stringKind) && v.scalar()
}

func (c *checker) wrongType(s *schema, v *value, p *fieldPath) {
	prob := Problem{Place: v.place(), Path: p.String(), Rule: "wrong-type"}
	prob.Message = "this is " + v.kind.String() + ", and must be " + s.kinds.String()
	if v.from != nil {
		prob.Message = strconv.Quote(v.from.template.text) + " becomes " + strconv.Quote(v.text) + ", and must be " + s.kinds.String()
	}
	if v.from == nil {
		prob.Hint = s.rewrite(v)
	}
	if o := v.over; o != nil && conflict(o.kind, v.kind) && o.parts == nil {
		prob.Rule, prob.subject = "type-conflict", "type-conflict"
		prob.Message = "this is " + v.kind.String() + " here and " + o.kind.String() + " in " + o.place().String()
		prob.Others = []Place{o.place()}
		if prob.Hint == "" {
			prob.Hint = conflictHint(o, v)
		}
	}
	c.ps.add(prob)
}

// rewrite says how a value of the wrong type is to be written, or "".
func (s *schema) rewrite(v *value) string {
	fits := s.enum == nil && (s.check == nil || s.check(v.text) == nil)
	switch {
	case v.kind == stringKind && s.kinds.has(intKind) && jsonNumber(v.text):
		return "write " + v.text + " without quotes"
	case v.kind == stringKind && s.kinds.has(boolKind):
		return "write true or false, without quotes"
	case v.scalar() && s.kinds.has(stringKind) && fits:
		return `write "` + v.text + `"`
	case s.kinds == kinds(listKind) && strings.Contains(v.text, " "):
		return "write a list, with one item a line, each behind a dash"
	case v.scalar() && s.kinds == kinds(listKind) && s.items.kinds.has(v.kind):
		return "write [" + v.display() + "]"
	case v.kind == mapKind && s.kinds == kinds(listKind):
		return "write a list: a dash before each item"
	case s.example != "":
		return "write it like " + s.example
	}
	return ""
}

func (c *checker) members(s *schema, v *value, p *fieldPath) {
	for i := range v.kids {
		e := &v.kids[i]
		where := p.member(e.key)
		var inner *schema
		switch {
		case s.fields != nil:
			f := s.field(e.key)
			if f == nil && s.values == nil {
				c.unknownKey(s, e, where)
				continue
			}
			if f == nil {
				inner = s.values
			} else {
				inner = f.schema
			}
		case s.values != nil:
			if s.key != nil {
				if err := s.key(e.key); err != nil {
					c.ps.add(Problem{Place: e.place(), Path: where.String(), Rule: "bad-key", Message: err.Error()})
				}
			}
			inner = s.values
		default:
			continue // free-form
		}
		if e.val.kind != nullKind {
			c.value(inner, e.val, where)
		}
	}
	for i := range s.fields {
		if f := &s.fields[i]; f.required && v.get(f.name) == nil {
			c.missing(f, v, p.member(f.name))
		}
	}
}

func (c *checker) missing(f *field, v *value, p *fieldPath) {
	prob := Problem{Place: v.place(), Path: p.String(), Rule: "missing-key", Message: "is missing"}
	if f.schema.example != "" {
		prob.Hint = "such as " + f.name + ": " + f.schema.example
	}
	// A key that was removed is missed where it was removed.
	if e := find(v.kids, f.name); e != nil {
		prob.Place, prob.Message = e.place(), "is removed here, and a batch needs it"
	}
	c.ps.add(prob)
}

func (c *checker) unknownKey(s *schema, e *entry, p *fieldPath) {
	prob := Problem{Place: e.place(), Path: p.String(), Rule: "unknown-key", Message: "unknown key"}
	if f := s.holder(e.key); f != "" {
		prob.Hint = "put it under " + f
	} else if at := c.root.search(e.key, ""); at != "" && at != p.String() {
		prob.Hint = e.key + " belongs at " + at
	} else if near := nearest(e.key, s.names()); near != "" {
		prob.Hint = "did you mean " + near + "?"
	} else {
		prob.Hint = "known here: " + strings.Join(slices.Sorted(s.names()), ", ")
	}
	c.ps.add(prob)
}

// holder returns the known key under which another key belongs, or "".
func (s *schema) holder(key string) string {
	for i := range s.fields {
		if s.fields[i].schema.field(key) != nil {
			return s.fields[i].name
		}
	}
	return ""
}

// search looks for a key anywhere below a schema and returns its path.
func (s *schema) search(key, prefix string) string {
	if s == nil {
		return ""
	}
	for i := range s.fields {
		if s.fields[i].name == key {
			return prefix + key
		}
	}
	for i := range s.fields {
		if at := s.fields[i].schema.search(key, prefix+s.fields[i].name+"."); at != "" {
			return at
		}
	}
	return ""
}

func (c *checker) scalar(s *schema, v *value, p *fieldPath) {
	var prob Problem
	switch {
	case len(s.enum) > 0 && !slices.Contains(s.enum, v.text):
		prob.Rule = "unknown-value"
		prob.Message = strconv.Quote(v.text) + " is not one of " + strings.Join(s.enum, ", ")
		switch {
		case len(s.enum) == 1:
			prob.Message = strconv.Quote(v.text) + " is not " + s.enum[0]
		case v.kind == stringKind:
			prob.Hint = didYouMean(v.text, slices.Values(s.enum))
		default:
			prob.Message = v.text + " is not one of " + strings.Join(s.enum, ", ")
		}
	case s.max > 0 && (v.kind == intKind || v.from != nil):
		n, err := strconv.ParseInt(v.text, 10, 64)
		if err == nil && n >= s.min && n <= s.max {
			return
		}
		prob.Rule = "out-of-range"
		prob.Message = v.text + " is out of range; it goes from " + strconv.FormatInt(s.min, 10) + " to " + strconv.FormatInt(s.max, 10)
	case s.check != nil:
		err := s.check(v.text)
		if err == nil {
			return
		}
		prob.Rule = "bad-" + strings.ReplaceAll(s.format, " ", "-")
		prob.Message = err.Error()
	default:
		return
	}
	prob.Place, prob.Path = v.place(), p.String()
	c.ps.add(prob)
}
