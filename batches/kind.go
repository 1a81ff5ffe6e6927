package batches

import (
	"strings"
	"sync"
)

// leafKind is a kind of leaf document. Everything up to the merged and
// expanded document is the same for all; a kind adds the shape of its spec
// and, where it has one, a Go form. A new kind is a file with one of these,
// and an entry in leafKinds.
type leafKind struct {
	name string
	doc  string
	spec *schema
	// finish checks what the schema cannot, and puts the document's Go form
	// into the result.
	finish func(r *resolver, l *leaf)
	// empty reports whether a map without members says something; one that is
	// not there is the same otherwise.
	empty func(p *fieldPath) bool

	once  sync.Once
	whole *schema // of a file
	full  *schema // of a file, with the spec in its place
}

func (k *leafKind) build() {
	k.once.Do(func() {
		k.whole = leafSchema(k)
		k.full = withSpecs(k.whole, k)
	})
}

// frame is the schema of a whole file of the kind.
func (k *leafKind) frame() *schema {
	k.build()
	return k.whole
}

// withSpec is the same with the spec in its place.
func (k *leafKind) withSpec() *schema {
	k.build()
	return k.full
}

var leafKinds = []*leafKind{batchKind, configKind}

// defaultType is the app type of documents that name none.
func (k *leafKind) defaultType() string { return strings.ToLower(k.name) }

// kindNamed returns the kind of that name, or nil.
func (t *Tree) kindNamed(name string) *leafKind {
	for _, k := range t.kinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (t *Tree) kindNames() []string {
	var names []string
	for _, k := range t.kinds {
		names = append(names, k.name)
	}
	return names
}
