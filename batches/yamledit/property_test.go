package yamledit

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// TestChangeIsExact: over random text and a random change, parse(edit(text))
// is change(parse(text)), and every byte outside the edited ranges is what it
// was. change itself refuses an edit that says anything else, so what is left
// to see is that it refuses nothing it should do.
func TestChangeIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := document(t)
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("the generator wrote no YAML: %v\n%s", err, text)
		}
		f, err := Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		before, err := modelOf(f.root.yaml)
		if err != nil {
			t.Fatal(err)
		}
		p := rapid.SampledFrom(places(doc.Content[0], nil)).Draw(t, "path")
		splices, want := someChange(t, f, p, before)
		if splices == nil {
			return
		}
		got, err := apply([]byte(text), splices)
		if err != nil {
			t.Fatal(err)
		}
		after := mustModel(t, got)
		if !after.equal(want) {
			t.Fatalf("%s of\n%s\nbecame\n%s", p, text, got)
		}
		outside(t, text, string(got), splices)
	})
}

func mustModel(t *rapid.T, text []byte) model {
	doc, err := decode(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	m, err := modelOf(doc)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// someChange plans a change at or below a path.
func someChange(t *rapid.T, f *File, p Path, before model) ([]splice, model) {
	var splices []splice
	var want model
	var err, err2 error
	switch rapid.IntRange(0, 4).Draw(t, "change") {
	case 0:
		v := someValue(t, 0)
		splices, err = f.planSet(p, v)
		want, err2 = before.set(p, v)
	case 1:
		splices, err = f.planRemove(p)
		want, err2 = before.remove(p)
	case 2:
		q := p[:rapid.IntRange(0, len(p)).Draw(t, "up")]
		v := someValue(t, 0)
		q = q.Key("added").Key("below")
		splices, err = f.planSet(q, v)
		want, err2 = before.set(q, v)
	default:
		_, list, n := f.Has(p)
		if !list {
			return nil, want
		}
		v, i := someValue(t, 0), rapid.IntRange(0, n).Draw(t, "index")
		splices, err = f.planInsert(p, i, v)
		want, err2 = before.insert(p, i, v)
	}
	if (err != nil) != (err2 != nil) {
		t.Fatalf("%s: the text says %v, the model %v\n%s", p, err, err2, f.text)
	}
	if err != nil {
		return nil, want
	}
	return splices, want
}

// outside fails the test if a byte outside the splices changed: what stands
// between them must follow one another in the new text.
func outside(t *rapid.T, old, text string, splices []splice) {
	keep := bytes.Repeat([]byte{1}, len(old))
	for _, s := range splices {
		for i := s.from; i < s.to; i++ {
			keep[i] = 0
		}
	}
	for _, s := range splices {
		if s.from == s.to && strings.Count(s.text, "\n") > 40 {
			t.Fatalf("a splice of %d lines", strings.Count(s.text, "\n"))
		}
	}
	at := 0
	for i := 0; i < len(old); i++ {
		if keep[i] == 0 {
			continue
		}
		j := strings.IndexByte(text[at:], old[i])
		if j < 0 {
			t.Fatalf("byte %d of\n%s\nis gone from\n%s", i, old, text)
		}
		at += j + 1
	}
}

// TestSharedIsRefused: what an alias brings to other places cannot be changed
// in one of them.
func TestSharedIsRefused(t *testing.T) {
	const text = "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  d: 2\n"
	for _, p := range []Path{Keys("a", "k"), Keys("b", "k"), Keys("c", "k"), Keys("a")} {
		f, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Set(p, 5); !errors.Is(err, ErrShared) {
			t.Errorf("%s: %v", p, err)
		}
		if string(f.Bytes()) != text {
			t.Errorf("%s: the text changed: %q", p, f.Bytes())
		}
	}
}
