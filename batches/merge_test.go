package batches

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// value parses a fragment of YAML (or JSON) for a test.
func testValue(t testing.TB, text string) *value {
	t.Helper()
	var ps problems
	v := parse(&File{Path: "test.yaml"}, []byte(text), &ps)
	if v == nil || len(ps) > 0 {
		t.Fatalf("%s: %v", text, ps)
	}
	return v
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The cases are those of RFC 7386, appendix A, that have a map at the top, as
// every document has.
func TestMergeRFC7386(t *testing.T) {
	for _, test := range []struct{ low, high, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		var ps problems
		got := asJSON(t, merge(testValue(t, test.low), testValue(t, test.high), newPath(), &ps).plain())
		if got != test.want || len(ps) > 0 {
			t.Errorf("%s + %s: got %s, want %s; problems %v", test.low, test.high, got, test.want, ps)
		}
	}
}

func TestMergeAppend(t *testing.T) {
	for _, test := range []struct{ low, high, want string }{
		{`{a: [1]}`, `{a+: [2, 3]}`, `{"a":[1,2,3]}`},
		{`{}`, `{a+: [2]}`, `{"a":[2]}`},
		{`{a: null}`, `{a+: [2]}`, `{"a":[2]}`},
		{`{a: {b: [1], c: 1}}`, `{a: {b+: [2]}}`, `{"a":{"b":[1,2],"c":1}}`},
		{`{a: {b: 1}}`, `{a+: {c: 2}}`, `{"a":{"b":1,"c":2}}`},
		{`{}`, `{a: {b: {c+: [1]}}}`, `{"a":{"b":{"c":[1]}}}`},
	} {
		var ps problems
		got := asJSON(t, merge(testValue(t, test.low), testValue(t, test.high), newPath(), &ps).plain())
		if got != test.want || len(ps) > 0 {
			t.Errorf("%s + %s: got %s, want %s; problems %v", test.low, test.high, got, test.want, ps)
		}
	}
}

// patch is RFC 7386's own algorithm, over plain values.
func patch(target, change any) any {
	changes, ok := change.(map[string]any)
	if !ok {
		return change
	}
	out := map[string]any{}
	if old, ok := target.(map[string]any); ok {
		for k, v := range old {
			out[k] = v
		}
	}
	for k, v := range changes {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = patch(out[k], v)
		}
	}
	return out
}

// anyMapOf draws a map of maps, lists and single values, nulls among them.
func anyMapOf(depth int) *rapid.Generator[map[string]any] {
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.IntRange(0, 3), func(i int) any { return i }),
		rapid.Map(rapid.SliceOfN(rapid.IntRange(0, 3), 0, 2), func(l []int) any {
			items := []any{}
			for _, i := range l {
				items = append(items, i)
			}
			return items
		}))
	values := leaf
	if depth > 0 {
		values = rapid.OneOf(leaf, rapid.Map(anyMapOf(depth-1), func(m map[string]any) any { return m }))
	}
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), values, 0, 3)
}

// Three layers, merged one by one, are what RFC 7386 says; and merging never
// changes a layer that others share.
func TestMergeIsJSONMergePatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var want any = map[string]any{}
		var got *value
		var ps problems
		var layers []*value
		var before []string
		for range 3 {
			m := anyMapOf(3).Draw(rt, "layer")
			v := testValue(t, asJSON(t, m))
			layers, before = append(layers, v), append(before, fmt.Sprint(v.display()))
			want = patch(want, m)
			got = merge(got, v, newPath(), &ps)
		}
		if diff := cmp.Diff(asJSON(t, want), asJSON(t, got.plain())); diff != "" {
			rt.Fatal(diff)
		}
		for i, v := range layers {
			if v.display() != before[i] {
				rt.Fatalf("layer %d was changed by a merge: %s, before %s", i, v.display(), before[i])
			}
		}
	})
}
