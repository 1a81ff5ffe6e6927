package dsl

import (
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// references are the variables that a batch's texts refer to.
type references struct {
	outer  []string // not set by the batch itself: parameters, secrets, what Jenkins or the node sets
	inArgs []string // used in what the JVM is given
}

// references finds the variables that the batch refers to, each list in the
// order of the first use. Most batches have none, and cost nothing here.
func (w *writer) references(b *batches.Batch) references {
	var r references
	for i := range b.Env {
		w.field("spec.env", i)
		for _, p := range w.pieces(b.Env[i].Value) {
			r.outside(p, b.Env[i].Name, b.Env)
		}
	}
	for i := range b.Args {
		w.field("spec.args", i)
		r.argument(w.pieces(b.Args[i]), b.Env)
	}
	for i := range b.Java.Properties {
		w.field("spec.java.properties", i)
		r.argument(w.pieces(b.Java.Properties[i].Value), b.Env)
	}
	return r
}

// argument notes the references of something that the JVM is given.
func (r *references) argument(pieces []batches.Piece, env []batches.Variable) {
	for _, p := range pieces {
		if p.Ref && !slices.Contains(r.inArgs, p.Text) {
			r.inArgs = append(r.inArgs, p.Text)
		}
		r.outside(p, "", env)
	}
}

// outside notes a reference that the value of the variable self holds, if it
// is to a variable that the batch does not set itself.
func (r *references) outside(p batches.Piece, self string, env []batches.Variable) {
	if !p.Ref || slices.Contains(r.outer, p.Text) {
		return
	}
	for i := range env {
		if env[i].Name == p.Text && p.Text != self {
			return
		}
	}
	r.outer = append(r.outer, p.Text)
}

// pieces splits a text at its references.
func (w *writer) pieces(text string) []batches.Piece {
	if !strings.Contains(text, "${") {
		return nil
	}
	p, err := batches.Pieces(text)
	if err != nil {
		w.fail("%v", err)
	}
	return p
}

// exports writes the batch's environment, each variable behind those that its
// value refers to. A variable that refers to itself means the one outside:
// PATH: "/opt/tool/bin:${PATH}".
func (w *writer) exports(env []batches.Variable) {
	var waiting []*batches.Variable
	for i := range env {
		v := &env[i]
		w.field("spec.env", i)
		if !isName(v.Name) || reserved(v.Name) {
			w.fail("%q cannot be a variable's name: it is the job's own, or no name", v.Name)
			return
		}
		if strings.Contains(v.Value, "${") {
			waiting = append(waiting, v)
		} else {
			w.export(v)
		}
	}
	for len(waiting) > 0 {
		i := slices.IndexFunc(waiting, func(v *batches.Variable) bool { return !w.waits(v, waiting) })
		if i < 0 {
			w.field("spec.env", -1)
			w.fail("%s refers to itself through others; break the circle", waiting[0].Name)
			return
		}
		w.export(waiting[i])
		waiting = slices.Delete(waiting, i, i+1)
	}
}

// waits reports whether v refers to another variable that is yet to be
// written.
func (w *writer) waits(v *batches.Variable, waiting []*batches.Variable) bool {
	for _, p := range w.pieces(v.Value) {
		for _, other := range waiting {
			if p.Ref && other != v && other.Name == p.Text {
				return true
			}
		}
	}
	return false
}

// export writes one variable.
func (w *writer) export(v *batches.Variable) {
	w.raw("export ")
	w.raw(v.Name)
	w.raw(`="`)
	w.referring(inQuotes, v.Value, "${")
	w.raw(shellQuote)
}

// referring writes a text whose references the shell expands; open begins a
// reference.
func (w *writer) referring(t *table, text, open string) {
	if !strings.Contains(text, "${") {
		w.text(t, text)
		return
	}
	for _, p := range w.pieces(text) {
		if !p.Ref {
			w.text(t, p.Text)
			continue
		}
		w.raw(open)
		w.raw(p.Text)
		w.raw("}")
	}
}

// reserved reports whether a variable of that name would meet one of ours.
func reserved(name string) bool {
	switch name {
	case "BATCH_EXIT_CODE", artifactUser, artifactPassword:
		return true
	}
	return strings.HasPrefix(name, "batch_")
}

// isName reports whether s can name an environment variable. Names stand in
// code as they are, so this is checked here again.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
