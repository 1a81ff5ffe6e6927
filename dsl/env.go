package dsl

import (
	"slices"
	"strings"

	"github.com/batchctl/batchctl/batches"
)

// references are the variables that a batch's texts refer to.
type references struct {
	outer  []string // set neither by env nor by a parameter: secrets, what Jenkins or the node sets
	inArgs []string // used in what the JVM is given
}

// references finds the variables that the batch refers to, each list in the
// order of the first use. Most batches have none, and cost nothing here.
func (w *writer) references(b *batches.Batch) references {
	var r references
	for i := range b.Env {
		w.field("spec.env", i)
		r.note(w.pieces(b.Env[i].Value), b, nil)
	}
	for i := range b.Args {
		w.field("spec.args", i)
		r.note(w.pieces(b.Args[i]), b, &r.inArgs)
	}
	for i := range b.Java.Properties {
		w.field("spec.java.properties", i)
		r.note(w.pieces(b.Java.Properties[i].Value), b, &r.inArgs)
	}
	return r
}

// note adds the references among pieces to outer, if the batch does not set
// the variable itself, and to also.
func (r *references) note(pieces []batches.Piece, b *batches.Batch, also *[]string) {
	for _, p := range pieces {
		if !p.Ref {
			continue
		}
		if also != nil && !slices.Contains(*also, p.Text) {
			*also = append(*also, p.Text)
		}
		own := isEnv(b, p.Text) || slices.ContainsFunc(b.Parameters, func(v batches.Parameter) bool { return v.Name == p.Text })
		if !own && !slices.Contains(r.outer, p.Text) {
			r.outer = append(r.outer, p.Text)
		}
	}
}

// isEnv reports whether the batch sets a variable in its env.
func isEnv(b *batches.Batch, name string) bool {
	return slices.ContainsFunc(b.Env, func(v batches.Variable) bool { return v.Name == name })
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

// exports writes the batch's environment. Its variables have no order, so none
// can refer to another; one that refers to itself means the one outside:
// PATH: "/opt/tool/bin:${PATH}".
func (w *writer) exports(b *batches.Batch) {
	for i := range b.Env {
		v := &b.Env[i]
		w.field("spec.env", i)
		if !isName(v.Name) || reserved(v.Name) {
			w.fail("%q cannot be a variable's name: it is the job's own, or no name", v.Name)
			return
		}
		for _, p := range w.pieces(v.Value) {
			if p.Ref && p.Text != v.Name && isEnv(b, p.Text) {
				w.fail("%s refers to %s, which is in env too, and these have no order", v.Name, p.Text)
			}
		}
		w.raw("export ")
		w.raw(v.Name)
		w.raw(`="`)
		w.referring(inQuotes, v.Value, "${")
		w.raw(shellQuote)
	}
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
