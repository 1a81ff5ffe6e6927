package yamledit

import (
	"bytes"
	"testing"
)

// FuzzEdit edits whatever text YAML's parser takes, not only what a generator
// thinks of: an edit says exactly what was asked, or is refused and the text
// stays as it was. Nothing panics.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{
		"a: 1\n", "a: [1, {b: 'c'}]\r\nd: |+\r\n  e\r\n", "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n", "? a\n: - b\n  - ? c\n    : d # e\n", "%YAML 1.1\n---\na: !!str b\n...\n",
		"\ufeffa:\n- b\n-\n  c: \"d\\\n    e\"\n", "{a: , b: [,], ? c}\n", "? a\n:0-j    : d # e\n", "- |\n a\n- >-2\n   b\n\n- '\n\n  c'\n", "a:\n\t- b\n", "a: b: c\n", "\"a\" : x#y\nb: - # c\n", "a:   # one\n  # two\n  b: c\n\n\n  # three\nd: ~",
	} {
		f.Add([]byte(text), uint8(0), uint8(0), "v")
		f.Add([]byte(text), uint8(1), uint8(1), "- x: y")
		f.Add([]byte(text), uint8(2), uint8(2), "")
	}
	f.Fuzz(func(t *testing.T, text []byte, at, kind uint8, value string) {
		file, err := Parse(text)
		if err != nil || file.root == nil { // no YAML, or nothing in it
			return
		}
		before, err := modelOf(file.root.yaml)
		if err != nil {
			return
		}
		all := places(file.root.yaml, nil)
		if len(all) == 0 {
			return
		}
		p := all[int(at)%len(all)]
		var want model
		var wantErr error
		switch kind % 3 {
		case 0:
			err = file.Set(p, value)
			want, wantErr = before.set(p, value)
		case 1:
			err = file.Remove(p)
			want, wantErr = before.remove(p)
		default:
			err = file.Insert(p, 0, value)
			want, wantErr = before.insert(p, 0, value)
		}
		if err != nil {
			if !bytes.Equal(file.Bytes(), text) {
				t.Fatalf("%v, and the text of\n%q\nis\n%q", err, text, file.Bytes())
			}
			return
		}
		doc, err := decode(file.Bytes())
		if err != nil || wantErr != nil {
			t.Fatalf("%v, %v: %s of\n%q\nbecame\n%q", err, wantErr, p, text, file.Bytes())
		}
		after, err := modelOf(doc)
		if err != nil || !after.equal(want) {
			t.Fatalf("%v: %s of\n%q\nbecame\n%q", err, p, text, file.Bytes())
		}
	})
}
