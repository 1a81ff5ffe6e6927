package yamldoc_test

import (
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/internal/yamldoc"
)

func TestEncode(t *testing.T) {
	m := yamldoc.Map()
	yamldoc.Set(m, yamldoc.Text("yes"), "a", "b")
	yamldoc.Set(m, yamldoc.Int(8), "a", "c")
	yamldoc.Set(m, yamldoc.Texts([]string{"x", "1", "a: b, {c}"}), "list")
	yamldoc.Set(m, yamldoc.Text("one\ntwo\n"), "text")
	yamldoc.Set(m, nil, "nothing")
	yamldoc.Set(m, yamldoc.Null(), "gone")
	yamldoc.Set(m, yamldoc.Bool(true), "a", "b")
	yamldoc.Delete(m, "absent")
	yamldoc.Compact(m, 80)
	got, err := yamldoc.Encode(m, "kept:\n  a", "")
	if err != nil {
		t.Fatal(err)
	}
	want := "# kept:   a\n#\na: {b: true, c: 8}\nlist: [x, \"1\", \"a: b, {c}\"]\ntext: |\n  one\n  two\ngone: null\n"
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	yamldoc.Delete(m, "a")
	if yamldoc.Get(m, "a", "b") != nil || yamldoc.Get(m, "text").Value != "one\ntwo\n" {
		t.Error("Delete or Get")
	}
}

// TestRoundTrip: whatever a text holds, reading the document gives it back,
// and a comment stays a comment.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-zA-Z0-9._ -]{1,8}`).Draw(t, "key")
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab 1:#{}[],'\"\n\\-?!&*%@`|>~가=.\t"))).Draw(t, "text")
		comment := rapid.String().Draw(t, "comment")
		m := yamldoc.Map()
		yamldoc.Set(m, yamldoc.Texts([]string{text, "x"}), key, "list")
		yamldoc.Compact(m, rapid.IntRange(0, 200).Draw(t, "width"))
		out, err := yamldoc.Encode(m, comment)
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]map[string][]string
		if err := yaml.Unmarshal(out, &back); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := back[key]["list"]; len(got) != 2 || got[0] != text {
			t.Fatalf("%q came back as %q from\n%s", text, got, out)
		}
	})
}
