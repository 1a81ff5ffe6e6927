package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// TestEdges: what is rare in a tree, and was wrong once.
func TestEdges(t *testing.T) {
	global := shop["global.yaml"]
	settle := shop["apps/pay/settle.yaml"]
	nightly := Selection{Select: []string{"*/report/nightly"}}
	timeout := []string{"spec", "timeout"}
	for _, test := range []struct {
		name    string
		changes []string
		change  Change
		sel     Selection
		want    string
	}{
		{"an option for an empty list", []string{"apps/report/nightly.yml", shop["apps/report/nightly.yml"] + "spec: {java: {options: []}}\n"}, AddOption{"-Xbatch"}, nightly,
			"apps/report/nightly.yml\n+overrides:\n+  - description: add option -Xbatch\n+    when: {kind: Batch}\n+    set:\n+      spec:\n+        java:\n+          options+:\n+            - -Xbatch\n"},
		{"an option with a reference", nil, AddOption{"-Dat={{cluster}}"}, nightly,
			"apps/report/nightly.yml\n+spec:\n+  java:\n+    options+:\n+      - \"-Dat={{cluster}}\"\n"},
		{"a value that an override removes", []string{"app-groups/pay.yaml", "overrides:\n- when: {app: settle}\n  set: {spec: {timeout: null}}\n"}, Set{timeout, "9h"}, Selection{Select: []string{"*/pay/settle"}},
			"apps/pay/settle.yaml\n+overrides:\n+  - description: set spec.timeout to 9h\n+    when: {kind: Batch}\n+    set:\n+      spec:\n+        timeout: 9h\n"},
		{"a variable that has the name of the field, and that another field uses", []string{"global.yaml", strings.Replace(strings.Replace(global, "SIZE: 1g", "SIZE: 1g, timeout: 1h", 1), "timeout: 1h\n", "timeout: \"{{timeout}}\"\n  env: {T: \"{{timeout}}\"}\n", 1), "apps/pay/refund.yaml", strings.Replace(settle, "settle", "refund", 1)}, Set{timeout, "9h"}, Selection{},
			"global.yaml\n-  timeout: \"{{timeout}}\"\n+  timeout: \"9h\"\n"},
		{"a field that another one refers to, through a variable", []string{"global.yaml", strings.Replace(global, "timeout: 1h\n", "timeout: 1h\n  env: {H: \"{{java.heap}} {{SIZE}}\"}\n", 1)}, Set{[]string{"spec", "java", "heap"}, "9g"}, Selection{},
			"app-types/batch.yaml\n-    heap: \"{{SIZE}}\"\n+    heap: \"9g\"\n"},
		{"a number that comes from a variable, replaced in one batch", []string{"global.yaml", strings.Replace(strings.Replace(global, "SIZE: 1g", "SIZE: 1g, CPU: 2", 1), "timeout: 1h\n", "timeout: 1h\n  node: {cpu: \"{{CPU}}\"}\n", 1)}, ReplaceValue{[]string{"spec", "node", "cpu"}, "2", "3"}, nightly,
			"apps/report/nightly.yml\n+spec:\n+  node:\n+    cpu: 3\n"},
		{"a reference as it is written, and not what it refers to", []string{"app-types/batch.yaml", "vars: {TIME: 1h}\n" + shop["app-types/batch.yaml"], "global.yaml", strings.Replace(global, "timeout: 1h", "timeout: \"{{TIME}}\"", 1)}, ReplaceValue{timeout, "{{TIME}}", "9h"}, Selection{},
			"global.yaml\n-  timeout: \"{{TIME}}\"\n+  timeout: \"9h\"\n"},
		{"the only setting of an agent, which stays loaded", []string{"apps/report/nightly.yml", shop["apps/report/nightly.yml"] + "spec:\n  java:\n    agents:\n      pinpoint:\n        config: /etc/p\n"}, Unset{[]string{"spec", "java", "agents", "pinpoint", "config"}}, nightly,
			"apps/report/nightly.yml\n-      pinpoint:\n-        config: /etc/p\n+      pinpoint: {}\n"},
		{"a list with an empty text and a tab, as a whole", []string{"global.yaml", strings.Replace(global, "timeout: 1h\n", "timeout: 1h\n  args: [\"\", \"a\\tb\", c]\n", 1)}, ReplaceValue{[]string{"spec", "args"}, "c", "d"}, nightly,
			"apps/report/nightly.yml\n+spec:\n+  args:\n+    - \"\"\n+    - \"a\\tb\"\n+    - d\n"},
		{"an empty text", nil, Set{[]string{"spec", "env", "T"}, ""}, nightly, "apps/report/nightly.yml\n+spec:\n+  env:\n+    T: \"\"\n"},
		{"two items that look like one", []string{"apps/report/nightly.yml", shop["apps/report/nightly.yml"] + "spec: {args: [a, b]}\n"}, Set{[]string{"spec", "args"}, yamledit.List{"a, b"}}, nightly,
			"apps/report/nightly.yml\n-spec: {args: [a, b]}\n+spec: {args: [\"a, b\"]}\n"},
		{"an option that refers to the release that changes", []string{"app-types/batch.yaml", strings.Replace(shop["app-types/batch.yaml"], "-Xss1m", "\"-Dv={{java.version}}\"", 1), "app-groups/pay.yaml", "spec: {}\n"}, JVM{From: 11, To: 17}, Selection{},
			"app-types/batch.yaml\n-    version: 11 # for now\n+    version: 17 # for now\n-      - -XX:+UseConcMarkSweepGC\n-      - -Xloggc:gc-{{app}}.log\n+      - -XX:+UseG1GC\n+      - \"-Xlog:gc:file=gc-{{app}}.log:time,uptime,level,tags:filecount=5,filesize=10m\"\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := fsOf(shop, test.changes...)
			r := run(t, base, Step{Selection: test.sel, Change: test.change})
			if diff := cmp.Diff(test.want, lines(t, base, r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPrefixIsNoPart: a property is not a part of another one whose name begins
// like its own.
func TestPrefixIsNoPart(t *testing.T) {
	base := fsOf(shop, "app-groups/pay.yaml", "spec: {java: {properties: {a: x}}}\n")
	docs, _ := batches.Load(base).Documents()
	set := Set{[]string{"spec", "java", "properties", "a"}, "z"}
	w, _, _ := set.wants(docs[0])
	_, err := verify(base, map[string][]byte{"app-groups/pay.yaml": []byte("overrides: [{when: {cluster: live-1, app: refund}, set: {spec: {java: {properties: {a: z, a.b: z}}}}}]\nspec: {java: {properties: {a: x}}}\n")}, w)
	if err == nil || err.Error() != "live-1/pay/refund would change, which nobody asked for: spec.java.properties.a.b" {
		t.Error(err)
	}
}

// TestKnownErrorsDoNotSpread: an error that one job has already is still one for
// all others.
func TestKnownErrorsDoNotSpread(t *testing.T) {
	base := fsOf(shop, "apps/pay/settle.yaml", shop["apps/pay/settle.yaml"]+"spec: {timeout: soon}\n")
	_, err := Run(base, []Step{{Selection: Selection{Select: []string{"*/report/*"}}, Change: Set{[]string{"spec", "timeout"}, "soon"}}})
	if err == nil || !strings.Contains(err.Error(), `"soon" is no duration`) {
		t.Error(err)
	}
}

// TestUndecidedLeavesOutOfAllSteps: a job with a question is not changed half.
func TestUndecidedLeavesOutOfAllSteps(t *testing.T) {
	base := fsOf(shop, "apps/report/nightly.yml", shop["apps/report/nightly.yml"]+"spec: {java: {home: /opt/jdk11}}\n")
	r := run(t, base, Step{Change: Set{[]string{"spec", "timeout"}, "9h"}}, Step{Change: JVM{From: 11, To: 21}}, Step{Change: AddOption{"-Xbatch"}})
	if got := strings.Join(r.UndecidedJobs(), " "); got != "live-1/report/nightly live-2/report/nightly" || len(r.Undecided) != 2 {
		t.Errorf("undecided: %v", r.Undecided)
	}
	if len(r.Comparison.Jobs) != 4 {
		t.Errorf("%d jobs change", len(r.Comparison.Jobs))
	}
	for _, j := range r.Comparison.Jobs {
		if strings.HasSuffix(j.Job, "nightly") {
			t.Errorf("%s changes: %v", j.Job, j.Fields)
		}
	}
}

// TestGroupsWithLinks: a batch that a symbolic link leads to, in the tree or in
// another group, is like any other.
func TestGroupsWithLinks(t *testing.T) {
	files := map[string][]byte{"shared/extra.yaml": []byte(strings.Replace(shop["apps/pay/settle.yaml"], "settle", "extra", 1))}
	for name, text := range shop {
		files[name] = []byte(text)
	}
	base := batches.NewOverlay(nil, files, map[string]string{"apps/report/extra.yaml": "../../shared/extra.yaml", "apps/report/refund.yaml": "../pay/refund.yaml"})
	steps := []Step{{Change: Set{[]string{"spec", "timeout"}, "9h"}}}
	if _, err := RunGroups(base, steps); err == nil || !strings.Contains(err.Error(), "report has no app-groups/report.yaml; write one first") {
		t.Error(err)
	}
	files["app-groups/report.yaml"] = []byte("spec: {}\n")
	base = batches.NewOverlay(nil, files, map[string]string{"apps/report/extra.yaml": "../../shared/extra.yaml", "apps/report/refund.yaml": "../pay/refund.yaml"})
	groups, err := RunGroups(base, steps)
	if err != nil || len(groups) != 2 {
		t.Fatalf("%v %v", groups, err)
	}
	for _, g := range groups {
		if want := map[string]int{"pay": 4, "report": 6}[g.Name]; len(g.Result.Comparison.Jobs) != want {
			t.Errorf("%s: %d jobs change, not %d", g.Name, len(g.Result.Comparison.Jobs), want)
		}
	}
}

func TestParseValue(t *testing.T) {
	for text, want := range map[string]yamledit.Value{
		"True": true, "FALSE": false, "21": yamledit.Number("21"), `"21"`: "21", "yes": "yes", "2026-01-01": "2026-01-01", "[a, 1]": yamledit.List{"a", yamledit.Number("1")}, `""`: "",
	} {
		if got, err := ParseValue(text); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %#v %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "is no value", "a: b": "a map has members", "null": "migrate unset", "*a": "is no value", "[a, null]": "migrate unset", "a\n---\nb": "is no value", "&a [*a]": "no alias", "\x00": "is no value", "[": "is no value", "!x y": "no tag",
	} {
		if got, err := ParseValue(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %#v %v, want %s", text, got, err, want)
		}
	}
}
