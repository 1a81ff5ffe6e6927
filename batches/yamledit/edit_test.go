package yamledit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const layer = `# yaml-language-server: $schema=x
apiVersion: batchctl/v1
spec:
  java:
    version: 11   # until the audit
    # GC first.
    options+:
      - -XX:+UseConcMarkSweepGC
      # The log.
      - '-Xloggc:gc.log'   # kept a week

      - -Xms{{HEAP}}
    properties: {a: "1", b: x}
  node: {pool: standard}
`

// TestEdits shows what becomes of a text a person wrote.
func TestEdits(t *testing.T) {
	options := Keys("spec", "java", "options+")
	tests := []struct {
		name string
		edit func(f *File) error
		want string // lines that went, behind -, and came, behind +
	}{
		{"a scalar keeps its comment", func(f *File) error { return f.Set(Keys("spec", "java", "version"), 21) },
			"-    version: 11   # until the audit\n+    version: 21   # until the audit\n"},
		{"a scalar keeps its quotes", func(f *File) error { return f.Set(options.Item(1), "-Xlog:gc") },
			"-      - '-Xloggc:gc.log'   # kept a week\n+      - '-Xlog:gc'   # kept a week\n"},
		{"a removed item takes its comment along", func(f *File) error { return f.Remove(options.Item(1)) },
			"-      # The log.\n-      - '-Xloggc:gc.log'   # kept a week\n"},
		{"a removed member too", func(f *File) error { return f.Remove(options) },
			"-    # GC first.\n-    options+:\n-      - -XX:+UseConcMarkSweepGC\n-      # The log.\n-      - '-Xloggc:gc.log'   # kept a week\n-\n-      - -Xms{{HEAP}}\n"},
		{"an item goes above the comment of the next", func(f *File) error { return f.Insert(options, 1, "-XX:+UseG1GC") },
			"+      - -XX:+UseG1GC\n"},
		{"items at the end, in quotes where they need them", func(f *File) error { return f.Insert(options, 3, "-Xmx{{HEAP}}", "yes") },
			"+      - \"-Xmx{{HEAP}}\"\n+      - \"yes\"\n"},
		{"in a map on one line", func(f *File) error { return f.Set(Keys("spec", "node", "cpu"), 4) },
			"-  node: {pool: standard}\n+  node: {pool: standard, cpu: 4}\n"},
		{"out of one", func(f *File) error { return f.Remove(Keys("spec", "java", "properties", "a")) },
			"-    properties: {a: \"1\", b: x}\n+    properties: {b: x}\n"},
		{"with the maps above it", func(f *File) error { return f.Set(Keys("vars", "X"), "a, b") },
			"+vars:\n+  X: a, b\n"},
		{"an override", func(f *File) error {
			return f.Set(Keys("overrides"), List{Map{{"when", Flow{Map{{"cluster", List{"live-1"}}}}}, {"set", Map{{"spec", Flow{Map{{"timeout", "2h"}}}}}}}})
		}, "+overrides:\n+  - when: {cluster: [live-1]}\n+    set:\n+      spec: {timeout: 2h}\n"},
	}
	for _, test := range tests {
		for _, eol := range []string{"\n", "\r\n"} {
			t.Run(test.name, func(t *testing.T) {
				old := strings.ReplaceAll(layer, "\n", eol)
				f, err := Parse([]byte(old))
				if err != nil {
					t.Fatal(err)
				}
				if err := test.edit(f); err != nil {
					t.Fatal(err)
				}
				got := string(f.Bytes())
				if strings.Count(got, "\n") != strings.Count(got, eol) {
					t.Errorf("line ends are mixed: %q", got)
				}
				if diff := cmp.Diff(strings.Split(test.want, "\n"), strings.Split(changed(layer, strings.ReplaceAll(got, "\r\n", "\n")), "\n")); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// changed lists the lines that differ; texts here differ in one place.
func changed(old, text string) string {
	a, b := strings.SplitAfter(old, "\n"), strings.SplitAfter(text, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var out strings.Builder
	for _, l := range a {
		out.WriteString("-" + l)
	}
	for _, l := range b {
		out.WriteString("+" + l)
	}
	return out.String()
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"a: \xff":      "not UTF-8",
		"a: 1\n---\nb": "a second document begins here",
		"a: 1\rb: 2":   "neither LF nor CRLF",
		"a: [":         "did not find",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
	f, err := Parse([]byte("a: [1]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{f.Set(Keys("a").Item(1), 2), f.Set(Keys("a", "b"), 2), f.Remove(Keys("b")), f.Insert(Keys("a"), 3, 1), f.Set(Keys("a"), 1.5), f.Set(nil, 1)} {
		if err == nil {
			t.Error("a change that cannot be made was made")
		}
	}
	if got := string(f.Bytes()); got != "a: [1]\n" {
		t.Errorf("a refused change left %q", got)
	}
}

func removed(t *testing.T, text, want string, keys ...string) {
	t.Helper()
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Remove(Keys(keys...)); err != nil || string(f.Bytes()) != want {
		t.Errorf("%q became %q, %v; want %q", text, f.Bytes(), err, want)
	}
}

// What stands below a text that keeps its empty lines would become part of it
// when the entry between them goes.
func TestRemovedBelowAKeptText(t *testing.T) {
	for text, want := range map[string]string{
		"a: |+\n  x\nb: 1\n\n \t\nc: 2\n": "a: |+\n  x\nc: 2\n",
		"a: |+\n  x\nb: 1\n\n  ":          "a: |+\n  x\n",
		"a: |-\n  x\nb: 1\n\nc: 2\n":      "a: |-\n  x\n\nc: 2\n",
	} {
		removed(t, text, want, "b")
	}
}

// In a map or list over several lines an entry goes with its line, where it has
// one for itself.
func TestRemovedFromFlowLines(t *testing.T) {
	for text, want := range map[string]string{
		"a: {\n  x: 1,\n  b: 2,\n  y: 3\n}\n":      "a: {\n  x: 1,\n  y: 3\n}\n",
		"a: {\n  x: 1,\n  b: 2 # last\n}\n":        "a: {\n  x: 1,\n}\n",
		"a: {\n  x: 1,\n  b: 2, y: 3\n}\n":         "a: {\n  x: 1,\n  y: 3\n}\n",
		"a: {\n  x: 1,\n  b: 2\n  , y: 3\n}\n":     "a: {\n  x: 1,\n  y: 3\n}\n",
		"a: {x: 1,\n  b: 2, # it\n  y: 3}\n":       "a: {x: 1,\n  y: 3}\n",
		"a: {\n  x: 1, b: 2,\n  # next\n  y: 3}\n": "a: {\n  x: 1,\n  # next\n  y: 3}\n",
	} {
		removed(t, text, want, "a", "b")
	}
}

// A colon in a list or map on one line is text only before what no reader takes
// for syntax.
func TestPlainInFlow(t *testing.T) {
	for text, flow := range map[string]bool{"-XX:+UseG1GC": true, "a:b": true, "a:/b": true, "a:(b)": false, "a:*b": false, "a:=b": false, "a,b": false} {
		if got := plainSafe(text, true); got != flow {
			t.Errorf("%q in flow: %v", text, got)
		}
		if !plainSafe(text, false) {
			t.Errorf("%q in a block is no plain text", text)
		}
	}
}

func TestOverlapIsAnError(t *testing.T) {
	if _, err := apply([]byte("abcdef"), []splice{{0, 3, "x"}, {2, 4, "y"}}); err == nil {
		t.Error("two splices that overlap were made")
	}
	got, err := apply([]byte("abcdef"), []splice{{4, 4, "2"}, {0, 3, "x"}, {4, 4, "3"}})
	if err != nil || string(got) != "xd23ef" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPathAt(t *testing.T) {
	f, err := Parse([]byte(layer))
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := f.PathAt(10, 9); !ok || p.String() != "spec.java.options+[1]" {
		t.Errorf("%s %v", p, ok)
	}
	if p, ok := f.PathAt(5, 14); !ok || p.String() != "spec.java.version" {
		t.Errorf("%s %v", p, ok)
	}
}
