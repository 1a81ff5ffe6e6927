package dsl

import (
	"fmt"

	"github.com/batchctl/batchctl/batches"
)

// AppendFolders appends the Job DSL of folders to dst, in their order:
// parents have to stand before their children. The company's root folder is
// never among them: a folder block replaces all that a folder has, also the
// permissions with which the seed job came in. An error names the folder and
// the field.
func AppendFolders(dst []byte, folders []batches.Folder) ([]byte, error) {
	w := writer{dst: dst}
	for i := range folders {
		f := &folders[i]
		w.folder(f)
		if w.err != nil {
			return dst, fmt.Errorf("%s: %w", f.Path, w.err)
		}
	}
	return w.dst, nil
}

// folder writes a folder block.
func (w *writer) folder(f *batches.Folder) {
	w.field("path", -1)
	if f.Path == "" {
		w.fail("the root folder belongs to the company and is not rendered")
	}
	w.raw("folder(")
	w.fullName(f.Jenkins, f.Path)
	w.raw(") {\n")
	if f.Description != "" {
		w.field("description", -1)
		w.raw("  description(")
		w.literal(f.Description)
		w.raw(")\n")
	}
	if len(f.Permissions) > 0 {
		w.raw("  properties {\n    authorizationMatrix {\n      entries {\n")
		for i := range f.Permissions {
			w.field("permissions", i)
			w.permission(&f.Permissions[i])
		}
		w.raw("      }\n      inheritanceStrategy { inheriting() }\n    }\n  }\n")
	}
	w.raw("}\n")
}

// permission writes an entry of a folder's authorization matrix.
func (w *writer) permission(p *batches.Permission) {
	kind := "        user {\n"
	if p.Group {
		kind = "        group {\n"
	}
	w.raw(kind)
	w.raw("          name(")
	w.literal(p.Name)
	w.raw(")\n          permissions([")
	for i, name := range p.Allow {
		if i > 0 {
			w.raw(", ")
		}
		w.literal(name)
	}
	w.raw("])\n        }\n")
}
