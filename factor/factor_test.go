package factor_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/factor"
	"github.com/batchctl/batchctl/importer"
	"github.com/batchctl/batchctl/internal/legacy"
)

type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"batchctl.yaml": {Data: []byte("apiVersion: batchctl/v1\n"), Mode: 0o644}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return fsys
}

// factored factors a tree, and fails unless all values stay the same.
func factored(t tb, old fstest.MapFS) (fstest.MapFS, *factor.Result) {
	t.Helper()
	r, err := factor.Factor(old)
	if err != nil {
		t.Fatal(err)
	}
	now := fstest.MapFS{}
	for name, f := range old {
		now[name] = f
	}
	for _, f := range r.Files {
		now[f.Path] = &fstest.MapFile{Data: f.Text, Mode: 0o644}
	}
	was, _ := batches.Load(old).Effective()
	is, faults := batches.Load(now).Effective()
	if len(faults) > 0 {
		t.Fatalf("%+v\n%s", faults, dump(now))
	}
	if err := factor.Same(was, is); err != nil {
		t.Fatalf("%v\n%s", err, dump(now))
	}
	return now, r
}

func dump(fsys fstest.MapFS) string {
	var b strings.Builder
	_ = fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, _ error) error {
		if !e.IsDir() {
			fmt.Fprintf(&b, "-- %s --\n%s", name, fsys[name].Data)
		}
		return nil
	})
	return b.String()
}

// TestExample has a small tree and all that becomes of it.
func TestExample(t *testing.T) {
	leaf := func(name, deploy, heap, xss, version, comment string) string {
		return comment + "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: " + name + ", description: of " + name + "}\ndeploy: [" + deploy + `]
spec:
  java:
    version: 11
    heap: ` + heap + `
    options: [-Xms` + heap + `, -XX:+UseG1GC, -XX:G1HeapRegionSize=8m, -XX:+AlwaysPreTouch, -XX:+HeapDumpOnOutOfMemoryError, -XX:HeapDumpPath=/var/log/heap, -Xss` + xss + `, "-Xlog:gc*:file=gc-` + name + `.log"]
    properties: {app: ` + name + `, text: "a {{{{ b"}
  artifact: {url: "file:///opt/` + version + `.jar", sha256: "0000000000000000000000000000000000000000000000000000000000000001"}
`
	}
	old := tree(map[string]string{
		"clusters/live-1.yaml":    "# the first\nphase: live",
		"clusters/staging-1.yaml": "phase: staging\n",
		"apps/pay/a-one.yaml":     leaf("a-one", "live-1", "2g", "1m", "pay-1.4", "# kept: mail\n"),
		"apps/pay/b-two.yaml":     leaf("b-two", "live-1", "2g", "2m", "pay-1.4", ""),
		"apps/pay/c-three.yaml":   leaf("c-three", "live-1", "4g", "1m", "pay-1.4", ""),
		"apps/fees/d-four.yaml":   leaf("d-four", "staging-1", "1g", "1m", "fees-2.0", ""),
		"apps/fees/e-five.yaml":   leaf("e-five", "staging-1", "1g", "1m", "fees-2.0", ""),
		"apps/fees/f-six.yaml":    strings.Replace(leaf("f-six", "staging-1", "1g", "1m", "fees-2.0", ""), "    properties", "    # hands off\n    properties", 1),
	})
	now, r := factored(t, old)
	want := map[string]string{
		"apps/pay/a-one.yaml":   "# kept: mail\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a-one, description: of a-one}\n",
		"apps/pay/b-two.yaml":   "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: b-two, description: of b-two}\nvars:\n  XSS: 2m\n",
		"apps/pay/c-three.yaml": "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: c-three, description: of c-three}\nspec:\n  java: {heap: 4g}\n",
		"apps/fees/f-six.yaml":  "# spec.java.properties: hands off\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: f-six, description: of f-six}\n",
		"clusters/live-1.yaml":  "# the first\nphase: live",
	}
	for name, text := range want {
		if diff := cmp.Diff(text, string(now[name].Data)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	global := string(now["global.yaml"].Data)
	for _, line := range []string{"- -Xms{{java.heap}}\n", "- -Xss{{XSS}}\n", "- -Xlog:gc*:file=gc-{{app}}.log\n", `app: "{{app}}"`, `text: "a {{{{ b"`, "XSS: 1m\n"} {
		if !strings.Contains(global, line) {
			t.Errorf("global.yaml has no %q:\n%s", line, global)
		}
	}
	if t.Failed() {
		t.Log(dump(now))
	}
	if r.Jobs != 6 || r.Leaves != 6 || r.After >= r.Before || len(r.Lifted) == 0 {
		t.Errorf("%+v", r)
	}
}

// imported is the tree that import makes of the old Jenkins.
func imported(t testing.TB, n int) fstest.MapFS {
	t.Helper()
	var sources []importer.Source
	for _, c := range legacy.Jobs(n) {
		sources = append(sources, importer.Source{Name: c.Name, From: c.Name, XML: []byte(c.XML)})
	}
	r, err := importer.Import(sources, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, f := range r.Files {
		fsys[f.Path] = &fstest.MapFile{Data: f.Text, Mode: 0o644}
	}
	return fsys
}

// TestLegacy factors the old Jenkins: the text shrinks, the one misspelling
// is found, and validate has nothing new to say.
func TestLegacy(t *testing.T) {
	old := imported(t, 600)
	now, r := factored(t, old)
	if r.After*100 > r.Before*15 {
		t.Errorf("%d bytes of %d are left: %.1f %%", r.After, r.Before, 100*float64(r.After)/float64(r.Before))
	}
	if len(r.Odd) == 0 || r.Odd[0].Value != legacy.Misspelt || r.Odd[0].Common != legacy.CorrectOption || !r.Odd[0].Near ||
		r.Odd[0].Count != 1 || r.Odd[0].Jobs[0] != legacy.MisspeltJob || r.Odd[0].Others < 300 {
		t.Errorf("%+v", r.Odd)
	}
	rules := func(fsys fs.FS) map[string]int {
		out := map[string]int{}
		for _, p := range batches.Load(fsys).Resolve().Problems {
			out[p.Rule]++
		}
		return out
	}
	before := rules(old)
	for rule, n := range rules(now) {
		if n > before[rule] {
			t.Errorf("there were %d problems %s, and now there are %d", before[rule], rule, n)
		}
	}
	_, again := factored(t, old)
	for i, f := range r.Files {
		if !bytes.Equal(f.Text, again.Files[i].Text) {
			t.Fatalf("%s differs when it is made a second time", f.Path)
		}
	}
}

// TestAnyTree: whatever a flat tree says, its values stay the same.
func TestAnyTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := map[string]string{"app-types/batch.yaml": "apiVersion: batchctl/v1\n", "app-types/nightly.yaml": "apiVersion: batchctl/v1\n"}
		clusters := []string{"live-1", "live-2", "dev-1"}
		for _, c := range clusters {
			files["clusters/"+c+".yaml"] = "phase: " + strings.TrimRight(c, "-12") + "\n"
		}
		word := rapid.SampledFrom([]string{"1g", "2g", "pay", "a", "live", "live-1", "{{{{x", "${A}", "true", "12", "a: b", "", "x y", "'q'", "yes", "한글", "pay-live-1-a"})
		spec := func(indent string) string {
			var b strings.Builder
			field := func(name, text string) {
				if rapid.IntRange(0, 3).Draw(t, name) > 0 {
					fmt.Fprintf(&b, "%s%s: %s\n", indent, name, text)
				}
			}
			text := func() string { return fmt.Sprintf("%q", word.Draw(t, "word")) }
			list := func() string {
				var items []string
				for range rapid.IntRange(0, 4).Draw(t, "items") {
					name := rapid.SampledFrom([]string{"", "-Xms", "-Xss", "-XX:A=", "--b=", "-XX:+C"}).Draw(t, "name")
					items = append(items, fmt.Sprintf("%q", name+word.Draw(t, "word")))
				}
				return "[" + strings.Join(items, ", ") + "]"
			}
			field("timeout", rapid.SampledFrom([]string{"1h", "2h"}).Draw(t, "timeout"))
			field("args", list())
			field("disabled", rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool"))
			field("env", "{A: "+text()+", B: "+text()+"}")
			java := []string{"version: 11"}
			for _, part := range []string{"heap: " + rapid.SampledFrom([]string{"1g", "2g"}).Draw(t, "heap"), "options: " + list(), "main: M"} {
				if rapid.Bool().Draw(t, "java") {
					java = append(java, part)
				}
			}
			field("java", "{"+strings.Join(java[rapid.IntRange(0, 1).Draw(t, "version"):], ", ")+"}")
			field("parameters", "[{name: P, default: "+text()+"}, {name: Q, default: "+text()+"}]")
			return b.String()
		}
		for i := range rapid.IntRange(1, 8).Draw(t, "leaves") {
			group, name := rapid.SampledFrom([]string{"pay", "a"}).Draw(t, "group"), fmt.Sprintf("a%d", i)
			on := clusters[:rapid.IntRange(1, 3).Draw(t, "clusters")]
			text := "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: " + name + ", owner: o" + fmt.Sprint(i%2) + ", type: " +
				rapid.SampledFrom([]string{"batch", "nightly"}).Draw(t, "type") + "}\ndeploy: [" + strings.Join(on, ", ") + "]\nspec:\n  concurrency: forbid\n" + spec("  ")
			if len(on) > 1 {
				text += "overrides:\n"
				for _, c := range on {
					text += "  - when: {cluster: " + c + "}\n    set:\n      spec:\n        retry: {attempts: 2}\n" + spec("        ")
				}
			}
			files["apps/"+group+"/"+name+".yaml"] = text
		}
		old := tree(files)
		if _, faults := batches.Load(old).Effective(); len(faults) > 0 {
			t.Fatalf("the test's own tree: %+v\n%s", faults, dump(old))
		}
		factored(t, old)
	})
}

// batch writes a leaf with some values of spec.
func batch(name, deploy, spec string) string {
	return "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: " + name + "}\ndeploy: [" + deploy + "]\nspec:\n" + spec
}

// TestLists: a leaf that only continues a list says just what it adds, unless
// its clusters inherit different ones.
func TestLists(t *testing.T) {
	files := map[string]string{"clusters/live-1.yaml": "phase: live\n", "clusters/dev-1.yaml": "phase: dev\n"}
	options := func(list string) string { return "  java: {options: [" + list + "]}\n" }
	short, long := "-XX:+UseG1GC, -XX:+AlwaysPreTouch", "-XX:+UseG1GC, -XX:+AlwaysPreTouch, -XX:+UseStringDeduplication"
	for i := range 6 {
		files[fmt.Sprintf("apps/g/live%d.yaml", i)] = batch(fmt.Sprintf("live%d", i), "live-1", options(long))
		files[fmt.Sprintf("apps/g/dev%d.yaml", i)] = batch(fmt.Sprintf("dev%d", i), "dev-1", options(short))
	}
	files["apps/g/more.yaml"] = batch("more", "live-1", options(long+", -XX:+UseCompressedOops"))
	files["apps/g/both.yaml"] = batch("both", "live-1, dev-1", options(long+", -XX:+UseCompressedOops"))
	now, _ := factored(t, tree(files))
	if text := string(now["apps/g/more.yaml"].Data); !strings.Contains(text, "options+: [\"-XX:+UseCompressedOops\"]") {
		t.Error(text)
	}
	if text := string(now["apps/g/live1.yaml"].Data); strings.Contains(text, "options") {
		t.Error(text)
	}
}

// TestRemoved: what a leaf does not have it takes away, a whole map at once
// only where nothing of it is left.
func TestRemoved(t *testing.T) {
	files := map[string]string{"clusters/c.yaml": "phase: live\n"}
	for i := range 9 {
		name := fmt.Sprintf("a%d", i)
		files["apps/g/"+name+".yaml"] = batch(name, "c", "  schedule: {cron: 1 2 * * *, timezone: Asia/Seoul}\n  keep: {builds: 5, days: 30}\n")
	}
	files["apps/g/b.yaml"] = batch("b", "c", "  keep: {days: 30}\n")
	now, _ := factored(t, tree(files))
	want := "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: b}\nspec:\n  schedule: null\n  keep: {builds: null}\n"
	if diff := cmp.Diff(want, string(now["apps/g/b.yaml"].Data)); diff != "" {
		t.Error(diff)
	}
}

// TestOwn: no layer says when batches run, or whether.
func TestOwn(t *testing.T) {
	files := map[string]string{"clusters/c.yaml": "phase: live\n"}
	for i := range 9 {
		name := fmt.Sprintf("a%d", i)
		files["apps/g/"+name+".yaml"] = batch(name, "c", "  schedule: {cron: 1 2 * * *, timezone: Asia/Seoul}\n  disabled: true\n  after: [first]\n")
	}
	files["apps/g/first.yaml"] = batch("first", "c", "  timeout: 1h\n")
	now, _ := factored(t, tree(files))
	want := "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a1}\nspec:\n  schedule: {cron: 1 2 * * *}\n  disabled: true\n  after: [first]\n"
	if diff := cmp.Diff(want, string(now["apps/g/a1.yaml"].Data)); diff != "" {
		t.Error(diff)
	}
}

// TestLayerKeepsItsText: what a layer has stays, byte for byte, and the new text
// begins on a line of its own.
func TestLayerKeepsItsText(t *testing.T) {
	for end, between := range map[string]string{"": "\n", "\n": "", "\r\n": "", "\n\n# end": "\n"} {
		files := map[string]string{"clusters/c.yaml": "phase: live\n", "global.yaml": "# Ours.\napiVersion: batchctl/v1" + end}
		for i := range 9 {
			name := fmt.Sprintf("a%d", i)
			files["apps/g/"+name+".yaml"] = batch(name, "c", "  timeout: 1h\n")
		}
		now, _ := factored(t, tree(files))
		rest, kept := strings.CutPrefix(string(now["global.yaml"].Data), files["global.yaml"]+between)
		if !kept || !strings.HasPrefix(rest, "deploy: [c]\nspec:\n") {
			t.Errorf("after %q: %q", end, now["global.yaml"].Data)
		}
	}
}

// TestLeafIsLive: of two values a leaf says the one of its larger cluster.
func TestLeafIsLive(t *testing.T) {
	files := map[string]string{"clusters/live-1.yaml": "phase: live\n", "clusters/dev-1.yaml": "phase: dev\n"}
	for i := range 6 {
		files[fmt.Sprintf("apps/g/live%d.yaml", i)] = batch(fmt.Sprintf("live%d", i), "live-1", "  timeout: 1h\n")
	}
	files["apps/g/both.yaml"] = batch("both", "dev-1, live-1", "  schedule: {timezone: Asia/Seoul}\n") + `overrides:
  - when: {cluster: [dev-1]}
    set: {spec: {schedule: {cron: 0 13 * * 1-5}}}
  - when: {cluster: [live-1]}
    set: {spec: {schedule: {cron: 0 1 * * *}}}
`
	now, _ := factored(t, tree(files))
	want := `spec:
  schedule: {cron: 0 1 * * *, timezone: Asia/Seoul}
  timeout: null
overrides:
  - when: {cluster: [dev-1]}
    set:
      spec: {schedule: {cron: 0 13 * * 1-5}}
`
	if text := string(now["apps/g/both.yaml"].Data); !strings.HasSuffix(text, want) {
		t.Error(text)
	}
}

// TestWholeWords: a name within a word is not the job's name.
func TestWholeWords(t *testing.T) {
	files := map[string]string{"clusters/c.yaml": "phase: live\n"}
	for i := range 9 {
		group := []string{"pay", "fees", "due"}[i%3]
		name := fmt.Sprintf("a%d", i)
		files["apps/"+group+"/"+name+".yaml"] = batch(name, "c", "  env: {A: re"+group+", B: re-"+group+".s}\n")
	}
	now, _ := factored(t, tree(files))
	if text := string(now["global.yaml"].Data); strings.Contains(text, "re{{group}},") || !strings.Contains(text, "B: \"re-{{group}}.s\"") && !strings.Contains(text, "B: re-{{group}}.s") {
		t.Error(text)
	}
}

// TestComments: none is lost, wherever it stands.
func TestComments(t *testing.T) {
	files := map[string]string{"clusters/c.yaml": "phase: live\n",
		"apps/g/a.yaml": "# one\n# two\n\n# three\n" + strings.Replace(batch("a", "c", "  # four\n  timeout: 1h # five\n  args:\n    - x # six\n"), "kind:", "# seven\nkind:", 1) + "# eight\n"}
	now, _ := factored(t, tree(files))
	for _, word := range []string{"one", "two", "three", "four", "five", "six", "seven", "eight"} {
		if text := string(now["apps/g/a.yaml"].Data); strings.Count(text, word) != 1 {
			t.Errorf("%s: %s", word, text)
		}
	}
}

func TestRefused(t *testing.T) {
	leaf := "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: [c]\nspec: {timeout: 1h}\n"
	base := map[string]string{"clusters/c.yaml": "phase: live\n", "apps/g/a.yaml": leaf}
	tests := []struct{ file, text, want string }{
		{"global.yaml", "spec: {timeout: 1h}\n", "global.yaml:1:7: spec: the layer sets values already; factor takes a flat tree, as batchctl import writes it"},
		{"clusters/c.yaml", "phase: live\nmetadata: {owner: x}\n", "clusters/c.yaml:2:11: metadata: the layer sets values already"},
		{"apps/g/a.yaml", leaf + "vars: {A: 1}\n", "apps/g/a.yaml:6:7: vars: the leaf has variables already"},
		{"apps/g/a.yaml", strings.Replace(leaf, "1h", `"{{app}}"`, 1), "apps/g/a.yaml:5:17: the leaf refers to something"},
		{"apps/g/a.yaml", strings.Replace(leaf, "Batch", "Config", 1), "it is of kind Config, and factor is for batches"},
		{"apps/g/a.yaml", strings.Replace(leaf, "[c]", "[d]", 1), "apps/g/a.yaml:4:10: there is no cluster d; factor needs to know what every job says"},
		{"apps/g/a.yaml", strings.Replace(leaf, "1h", "012", 1), "apps/g/a.yaml:5:17: 012 is not a plain decimal number"},
		{"apps/g/a.yaml", "a: [", "factor needs to know"},
	}
	for _, tt := range tests {
		files := tree(base)
		files[tt.file] = &fstest.MapFile{Data: []byte(tt.text), Mode: 0o644}
		_, err := factor.Factor(files)
		var flat *factor.NotFlatError
		var faulty *factor.FaultyError
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, &flat) && !errors.As(err, &faulty) {
			t.Errorf("%s: %v, and want %s", tt.file, err, tt.want)
		}
	}
	if _, err := factor.Factor(tree(nil)); err == nil {
		t.Error("a tree without jobs was factored")
	}
}

// TestSame: every kind of difference is one.
func TestSame(t *testing.T) {
	leaf := "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: [c]\nspec: {timeout: 1h, args: [a, b], disabled: true}\n"
	load := func(text string) []batches.Effective {
		docs, _ := batches.Load(tree(map[string]string{"clusters/c.yaml": "phase: live\n", "clusters/d.yaml": "phase: live\n", "apps/g/a.yaml": text})).Effective()
		return docs
	}
	old := load(leaf)
	if err := factor.Same(old, load(leaf+"\n# a comment\n")); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{{"1h", "60m"}, {"a, b", "b, a"}, {"[a, b]", "[a]"}, {"disabled: true", `disabled: "true"`}, {", disabled: true", ""},
		{"timeout: 1h", "timeout: 1h, concurrency: allow"}, {"[c]", "[d]"}, {"[c]", "[c, d]"}} {
		if err := factor.Same(old, load(strings.Replace(leaf, change[0], change[1], 1))); err == nil {
			t.Errorf("%s instead of %s is taken for the same", change[1], change[0])
		}
	}
}

// TestOdd: what is near is found, and what differs in a number is not.
func TestOdd(t *testing.T) {
	files := map[string]string{"clusters/c.yaml": "phase: live\n"}
	for i := range 100 {
		profile, option, timeout := "live", "-XX:+UseG1GC", "1h"
		switch i {
		case 7:
			profile = "lvie"
		case 8:
			option = "-XX:+UseG1CG"
		case 9:
			timeout = "2h"
		}
		name := fmt.Sprintf("a%02d", i)
		files["apps/g/"+name+".yaml"] = fmt.Sprintf("apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: %s}\ndeploy: [c]\nspec: {timeout: %s, java: {options: [%s, -Xss%dm], properties: {spring.profile%s: %s}}}\n",
			name, timeout, option, 1+i/99, map[bool]string{true: "", false: "s"}[i == 10], profile)
	}
	_, r := factored(t, tree(files))
	var got []string
	for _, o := range r.Odd {
		got = append(got, fmt.Sprintf("%s %s %d %s %d %v", o.Path, o.Value, o.Count, o.Common, o.Others, o.Near))
	}
	want := []string{"spec.java.options -XX:+UseG1CG 1 -XX:+UseG1GC 99 true", "spec.java.properties spring.profile 1 spring.profiles 99 true",
		"spec.java.properties.spring.profiles lvie 1 live 98 true", "spec.timeout 2h 1 1h 99 false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
