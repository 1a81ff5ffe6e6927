package batches

import "strconv"

// fieldPath is where a value stands in a document. It is a chain of steps
// rather than a text, because a text is needed only when something is wrong;
// and a walk over a document goes down one branch at a time, so a step keeps
// the one below it for the next branch. A path is good until its walk goes on.
type fieldPath struct {
	up    *fieldPath // nil for the document itself
	down  *fieldPath
	key   string // of a map's member; empty for an item of a list
	index int    // of an item
}

// newPath returns the path of the document itself, or of what stands below
// these keys.
func newPath(keys ...string) *fieldPath {
	p := &fieldPath{}
	for _, k := range keys {
		p = p.member(k)
	}
	return p
}

// member is the path of a map's member.
func (p *fieldPath) member(key string) *fieldPath {
	p.step()
	p.down.key = key
	return p.down
}

// item is the path of a list's item.
func (p *fieldPath) item(index int) *fieldPath {
	p.step()
	p.down.key, p.down.index = "", index
	return p.down
}

// entry is the path of the i-th entry of a list or map.
func (p *fieldPath) entry(e *entry, i int) *fieldPath {
	if e.key == "" {
		return p.item(i)
	}
	return p.member(e.key)
}

func (p *fieldPath) step() {
	if p.down == nil {
		p.down = &fieldPath{up: p}
	}
}

// String writes a path as messages show it: spec.java.options[2].
func (p *fieldPath) String() string {
	switch {
	case p == nil || p.up == nil:
		return ""
	case p.key == "":
		return p.up.String() + "[" + strconv.Itoa(p.index) + "]"
	case p.up.up == nil:
		return p.key
	}
	return p.up.String() + "." + p.key
}
