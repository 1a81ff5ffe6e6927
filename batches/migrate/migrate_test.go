package migrate

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/batches/yamledit"
)

// shop is a tree of two groups on two clusters: six jobs.
var shop = map[string]string{
	"batchctl.yaml":           "apiVersion: batchctl/v1\n",
	"global.yaml":             "# all of it\nvars: {SIZE: 1g}\ndeploy: [live-1, live-2]\nspec:\n  timeout: 1h\n  retry: {attempts: 2}\n  artifact: {url: \"https://x/{{app}}.jar\", sha256: \"" + strings.Repeat("a", 64) + "\"}\n",
	"clusters/live-1.yaml":    "phase: live\n",
	"clusters/live-2.yaml":    "phase: live\n",
	"app-types/batch.yaml":    "spec:\n  concurrency: forbid # for now\n  java:\n    version: 11 # for now\n    heap: \"{{SIZE}}\"\n    options:\n      - -Xss1m\n      # The collector.\n      - -XX:+UseConcMarkSweepGC\n      - -Xloggc:gc-{{app}}.log\n",
	"app-groups/pay.yaml":     "spec:\n  java:\n    options+: [-XX:+PrintGCDetails]\n",
	"apps/pay/settle.yaml":    "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: settle}\n",
	"apps/pay/refund.yaml":    "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: refund}\nspec:\n  timeout: 2h\n  java: {options+: [-Xint]}\n",
	"apps/report/nightly.yml": "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: nightly}\n",
}

// late is a batch whose list is set by an override, after all layers.
const late = "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: late}\noverrides:\n  - when: {cluster: live-1}\n    set: {spec: {java: {options: [-Xint]}}}\n"

func fsOf(files map[string]string, changes ...string) *batches.Overlay {
	all := map[string][]byte{}
	for name, text := range files {
		all[name] = []byte(text)
	}
	for i := 0; i < len(changes); i += 2 {
		all[changes[i]] = []byte(changes[i+1])
	}
	return batches.NewOverlay(nil, all, nil)
}

func run(t *testing.T, fsys *batches.Overlay, steps ...Step) *Result {
	t.Helper()
	r, err := Run(fsys, steps)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines shows what changed in the files: lines that went and came.
func lines(t *testing.T, base *batches.Overlay, r *Result) string {
	t.Helper()
	var b strings.Builder
	for _, name := range sortedNames(r.Files) {
		old := readOr(base, name)
		b.WriteString(name + "\n" + changedLines(old, string(r.Files[name])))
	}
	return b.String()
}

func TestSetChoosesThePlace(t *testing.T) {
	timeout := Set{Keys: []string{"spec", "timeout"}, Value: "3h"}
	concurrency := Set{Keys: []string{"spec", "concurrency"}, Value: "allow"}
	for _, test := range []struct {
		name   string
		change Change
		sel    Selection
		want   string
		why    string
	}{
		{"all that inherit it: where it stands", concurrency, Selection{},
			"app-types/batch.yaml\n-  concurrency: forbid # for now\n+  concurrency: allow # for now\n", "all 6 jobs that inherit it are selected"},
		{"each where it comes from", timeout, Selection{},
			"apps/pay/refund.yaml\n-  timeout: 2h\n+  timeout: 3h\nglobal.yaml\n-  timeout: 1h\n+  timeout: 3h\n", "all 4 jobs that inherit it are selected"},
		{"one batch: itself", timeout, Selection{Select: []string{"*/report/nightly"}},
			"apps/report/nightly.yml\n+spec:\n+  timeout: 3h\n", "in the batch itself: 2 of the 4 jobs that inherit global.yaml:5:12 are to change"},
		{"one batch on one cluster: its override", timeout, Selection{Select: []string{"live-1/report/nightly"}},
			"apps/report/nightly.yml\n+overrides:\n+  - description: set spec.timeout to 3h\n+    when: {cluster: live-1}\n+    set:\n+      spec:\n+        timeout: 3h\n", "override when {cluster: live-1}: 1 of the 4 jobs that inherit global.yaml:5:12 are to change"},
		{"one cluster: an override of the layer", concurrency, Selection{Select: []string{"live-1/**"}},
			"app-types/batch.yaml\n+overrides:\n+  - description: set spec.concurrency to allow\n+    when: {cluster: live-1}\n+    set:\n+      spec:\n+        concurrency: allow\n", "override when {cluster: live-1}: 3 of the 6 jobs that inherit app-types/batch.yaml:2:16 are to change"},
		{"a group", concurrency, Selection{Select: []string{"*/pay/*"}},
			"app-types/batch.yaml\n+overrides:\n+  - description: set spec.concurrency to allow\n+    when: {group: pay}\n+    set:\n+      spec:\n+        concurrency: allow\n", "override when {group: pay}: 4 of the 6 jobs that inherit app-types/batch.yaml:2:16 are to change"},
		{"a variable that all use", Set{Keys: []string{"spec", "java", "heap"}, Value: "2g"}, Selection{},
			"global.yaml\n-vars: {SIZE: 1g}\n+vars: {SIZE: 2g}\n", "all 6 jobs that inherit it are selected"},
		{"a new value for all", Set{Keys: []string{"spec", "node", "pool"}, Value: "big"}, Selection{},
			"app-types/batch.yaml\n+  node:\n+    pool: big\n", "in the layer that reaches just these: nothing sets it for 6 jobs"},
		{"a new value for a cluster", Set{Keys: []string{"spec", "node", "pool"}, Value: "big"}, Selection{Select: []string{"live-2/**", "!**/refund"}},
			"clusters/live-2.yaml\n+overrides:\n+  - description: set spec.node.pool to big\n+    when: {app: [nightly, settle]}\n+    set:\n+      spec:\n+        node:\n+          pool: big\n", "override when {app: [nightly, settle]}: nothing sets it for 2 jobs"},
		{"unset what nothing stands below", Unset{Keys: []string{"spec", "timeout"}}, Selection{Select: []string{"*/pay/refund"}},
			"apps/pay/refund.yaml\n-  timeout: 2h\n+  timeout: null\n", "all 2 jobs that inherit it are selected"},
		{"unset a map", Unset{Keys: []string{"spec", "retry"}}, Selection{},
			"global.yaml\n-  retry: {attempts: 2}\n", "all 6 jobs that inherit it are selected"},
		{"a variable", Set{Keys: []string{"vars", "SIZE"}, Value: "4g"}, Selection{},
			"global.yaml\n-vars: {SIZE: 1g}\n+vars: {SIZE: 4g}\n", "all 6 jobs that inherit it are selected"},
		{"unset for all", Unset{Keys: []string{"spec", "java", "heap"}}, Selection{},
			"app-types/batch.yaml\n-    heap: \"{{SIZE}}\"\n", "all 6 jobs that inherit it are selected"},
		{"rename an option", RenameOption{"-Xint", "-Xcomp"}, Selection{},
			"apps/pay/refund.yaml\n-  java: {options+: [-Xint]}\n+  java: {options+: [-Xcomp]}\n", "all 2 jobs that inherit it are selected"},
		{"rename an option with a value, in some jobs", RenameOption{"-Xloggc", "-Xlog:gc"}, Selection{Select: []string{"*/report/*"}}, "", ""},
		{"a value that refers to a variable", Set{Keys: []string{"spec", "timeout"}, Value: "{{TIME:-5h}}"}, Selection{Select: []string{"*/report/*"}},
			"apps/report/nightly.yml\n+spec:\n+  timeout: \"{{TIME:-5h}}\"\n", "in the batch itself: 2 of the 4 jobs that inherit global.yaml:5:12 are to change"},
		{"add an option", AddOption{"-XX:+ExitOnOutOfMemoryError"}, Selection{Select: []string{"*/report/*"}},
			"apps/report/nightly.yml\n+spec:\n+  java:\n+    options+:\n+      - -XX:+ExitOnOutOfMemoryError\n", "in the batch itself: it adds to the lists of 2 jobs"},
		{"add an option on a cluster, to different lists", AddOption{"-XX:+ExitOnOutOfMemoryError"}, Selection{Select: []string{"live-2/**"}},
			"clusters/live-2.yaml\n+overrides:\n+  - description: add option -XX:+ExitOnOutOfMemoryError\n+    when: {kind: Batch}\n+    set:\n+      spec:\n+        java:\n+          options+:\n+            - -XX:+ExitOnOutOfMemoryError\n", "override when {kind: Batch}: it adds to the lists of 3 jobs"},
		{"add an option, also where an override sets the list", AddOption{"-Xbatch"}, Selection{Select: []string{"live-1/**"}},
			"apps/report/late.yaml\n+  - description: add option -Xbatch\n+    when: {cluster: live-1}\n+    set:\n+      spec:\n+        java:\n+          options+:\n+            - -Xbatch\nclusters/live-1.yaml\n+overrides:\n+  - description: add option -Xbatch\n+    when: {kind: Batch}\n+    set:\n+      spec:\n+        java:\n+          options+:\n+            - -Xbatch\n", "override when {cluster: live-1}: what apps/report/late.yaml:6:34 holds reaches other values or jobs"},
		{"add an option for all, to different lists", AddOption{"-Xbatch"}, Selection{},
			"app-types/batch.yaml\n+overrides:\n+  - description: add option -Xbatch\n+    when: {kind: Batch}\n+    set:\n+      spec:\n+        java:\n+          options+:\n+            - -Xbatch\n", "override when {kind: Batch}: it adds to the lists of 6 jobs"},
		{"remove an option and its value", RemoveOption{"-Xloggc"}, Selection{},
			"app-types/batch.yaml\n-      - -Xloggc:gc-{{app}}.log\n", "all 6 jobs that inherit it are selected"},
		{"remove what stands alone", RemoveOption{"-XX:+PrintGCDetails"}, Selection{},
			"app-groups/pay.yaml\n-spec:\n-  java:\n-    options+: [-XX:+PrintGCDetails]\n+spec: {}\n", "all 4 jobs that inherit it are selected"},
		{"replace a value", ReplaceValue{[]string{"spec", "timeout"}, "1h", "90m"}, Selection{},
			"global.yaml\n-  timeout: 1h\n+  timeout: 90m\n", "all 4 jobs that inherit it are selected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := fsOf(shop, "apps/report/late.yaml", late)
			if !strings.Contains(test.want, "late.yaml") {
				base = fsOf(shop)
			}
			r := run(t, base, Step{Selection: test.sel, Change: test.change})
			if test.want == "" {
				if got := string(r.Files["apps/report/nightly.yml"]); !strings.Contains(got, "- \"-Xlog:gc:gc-{{app}}.log\"\n") || !strings.Contains(got, "- -XX:+UseConcMarkSweepGC") {
					t.Errorf("the whole list with the one change is wanted, and is\n%s", got)
				}
				return
			}
			if diff := cmp.Diff(test.want, lines(t, base, r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := r.Choices[len(r.Choices)-1].Why; got != test.why {
				t.Errorf("why: %q, want %q", got, test.why)
			}
		})
	}
}

// What is said of an option that stays, and gets others behind it, is these.
func TestSaysWhatComes(t *testing.T) {
	r := run(t, fsOf(shop, "app-groups/pay.yaml", "spec: {java: {options+: [-Dfile.encoding=MS949]}}\n"), Step{Change: JVM{From: 11, To: 21}})
	want := "spec.java.options: +-Dstdout.encoding=MS949  +-Dstderr.encoding=MS949"
	if !slices.ContainsFunc(r.Choices, func(c Choice) bool { return c.What == want }) {
		t.Errorf("nobody says %q: %+v", want, r.Choices)
	}
}

// TestTogether: what several layers set becomes one override where that is
// shorter, and only for those who are chosen.
func TestTogether(t *testing.T) {
	base := fsOf(shop, "app-groups/pay.yaml", "spec:\n  timeout: 3h\n", "app-groups/report.yaml", "spec:\n  timeout: 4h\n", "apps/pay/refund.yaml", strings.Replace(shop["apps/pay/settle.yaml"], "settle", "refund", 1)+"spec: {timeout: 5h}\n")
	for _, test := range []struct {
		name string
		sel  []string
		want string
	}{
		{"one override for two layers, which reaches a chosen job that has the value already", []string{"live-1/**"}, "clusters/live-1.yaml\n+overrides:\n+  - description: set spec.timeout to 5h\n+    when: {kind: Batch}\n+    set:\n+      spec:\n+        timeout: 5h\n"},
		{"but not a job that is not chosen", []string{"live-1/**", "!**/refund"}, "clusters/live-1.yaml\n+overrides:\n+  - description: set spec.timeout to 5h\n+    when: {app: [nightly, settle]}\n+    set:\n+      spec:\n+        timeout: 5h\n"},
		{"two are shorter", []string{"live-1/pay/settle", "live-2/report/nightly"},
			"apps/pay/settle.yaml\n+overrides:\n+  - description: set spec.timeout to 5h\n+    when: {cluster: live-1}\n+    set:\n+      spec:\n+        timeout: 5h\napps/report/nightly.yml\n+overrides:\n+  - description: set spec.timeout to 5h\n+    when: {cluster: live-2}\n+    set:\n+      spec:\n+        timeout: 5h\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := run(t, base, Step{Selection: Selection{Select: test.sel}, Change: Set{Keys: []string{"spec", "timeout"}, Value: "5h"}})
			if diff := cmp.Diff(test.want, lines(t, base, r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPins: where nearly all who inherit a value change, it is edited where it
// stands, and the others are kept as they are.
func TestPins(t *testing.T) {
	batchType := strings.Replace(shop["app-types/batch.yaml"], "    options:", "    properties: {file.encoding: UTF-8}\n    options:", 1)
	base := fsOf(shop, "app-types/batch.yaml", batchType, "app-groups/pay.yaml", "spec: {}\n", "apps/pay/refund.yaml", strings.Replace(shop["apps/pay/settle.yaml"], "settle", "refund", 1))
	left := Selection{Select: []string{"!live-1/report/nightly"}}
	head := "apps/report/nightly.yml\n+overrides:\n"
	entry := func(change, set string) string {
		return "+  - description: \"left out of: " + change + "\"\n+    when: {cluster: live-1}\n+    set:\n+      spec:\n" + set
	}
	for _, test := range []struct {
		name   string
		change Change
		sel    Selection
		want   string
	}{
		{"a value", Set{Keys: []string{"spec", "concurrency"}, Value: "allow"}, left,
			"app-types/batch.yaml\n-  concurrency: forbid # for now\n+  concurrency: allow # for now\n" + head + entry("set spec.concurrency to allow", "+        concurrency: forbid\n")},
		{"an item of a list", RemoveOption{"-Xss1m"}, left,
			"app-types/batch.yaml\n-      - -Xss1m\n" + head + entry("remove option -Xss1m", "+        java:\n+          options:\n+            - -Xss1m\n+            - -XX:+UseConcMarkSweepGC\n+            - \"-Xloggc:gc-{{app}}.log\"\n")},
		{"what comes beside a value", JVM{From: 11, To: 21}, left,
			"app-types/batch.yaml\n-    version: 11 # for now\n+    version: 21 # for now\n-    properties: {file.encoding: UTF-8}\n+    properties: {file.encoding: UTF-8, stdout.encoding: UTF-8, stderr.encoding: UTF-8}\n-      - -XX:+UseConcMarkSweepGC\n-      - -Xloggc:gc-{{app}}.log\n+      - -XX:+UseG1GC\n+      - \"-Xlog:gc:file=gc-{{app}}.log:time,uptime,level,tags:filecount=5,filesize=10m\"\n" +
				head + entry("Java 21 instead of 11", "+        java:\n+          version: 11\n+          options:\n+            - -Xss1m\n+            - -XX:+UseConcMarkSweepGC\n+            - \"-Xloggc:gc-{{app}}.log\"\n+          properties:\n+            stdout.encoding: null\n+            stderr.encoding: null\n")},
		{"what comes beside a value that another job has already", JVM{From: 11, To: 21}, Selection{},
			"app-types/batch.yaml\n-    version: 11 # for now\n+    version: 21 # for now\n-    properties: {file.encoding: UTF-8}\n+    properties: {file.encoding: UTF-8, stdout.encoding: UTF-8, stderr.encoding: UTF-8}\n-      - -XX:+UseConcMarkSweepGC\n-      - -Xloggc:gc-{{app}}.log\n+      - -XX:+UseG1GC\n+      - \"-Xlog:gc:file=gc-{{app}}.log:time,uptime,level,tags:filecount=5,filesize=10m\"\n"},
		{"not for a half", Set{Keys: []string{"spec", "concurrency"}, Value: "allow"}, Selection{Select: []string{"!live-1/**"}},
			"app-types/batch.yaml\n+overrides:\n+  - description: set spec.concurrency to allow\n+    when: {cluster: live-2}\n+    set:\n+      spec:\n+        concurrency: allow\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := base
			if test.sel.Select == nil { // it has gone ahead
				done := strings.Replace(shop["apps/pay/settle.yaml"], "settle", "done", 1) + "deploy: [live-1]\nspec:\n  java: {version: 21, options: [], properties: {stdout.encoding: UTF-16, stderr.encoding: UTF-16}}\n"
				base = fsOf(shop, "app-types/batch.yaml", batchType, "app-groups/pay.yaml", "spec: {}\n", "apps/pay/refund.yaml", strings.Replace(shop["apps/pay/settle.yaml"], "settle", "refund", 1), "apps/pay/done.yaml", done)
			}
			r := run(t, base, Step{Selection: test.sel, Change: test.change})
			if diff := cmp.Diff(test.want, lines(t, base, r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestOptionFromVariable: an option that is a variable and nothing else changes
// where the variable is set, if all jobs agree, or else in the list; one that is
// a part of a text is left to a person.
func TestOptionFromVariable(t *testing.T) {
	const batchType = "spec:\n  java:\n    version: 11\n    heap: 1g\n    options: [\"{{GC}}\", \"-Xss{{SIZE}}\"]\n"
	global := strings.Replace(shop["global.yaml"], "SIZE: 1g", "GC: -XX:+UseConcMarkSweepGC, SIZE: 1m", 1)
	pay := "vars: {GC: -XX:+UseParallelGC}\n"
	for _, test := range []struct {
		name   string
		change Change
		sel    Selection
		pay    string
		want   string
	}{
		{"where all use it", JVM{From: 11, To: 21}, Selection{}, "spec: {}\n",
			"app-types/batch.yaml\n-    version: 11\n+    version: 21\nglobal.yaml\n-vars: {GC: -XX:+UseConcMarkSweepGC, SIZE: 1m}\n+vars: {GC: -XX:+UseG1GC, SIZE: 1m}\n"},
		{"where the others have another one", JVM{From: 11, To: 21}, Selection{}, pay,
			"app-types/batch.yaml\n-    version: 11\n+    version: 21\nglobal.yaml\n-vars: {GC: -XX:+UseConcMarkSweepGC, SIZE: 1m}\n+vars: {GC: -XX:+UseG1GC, SIZE: 1m}\n"},
		{"in some of the jobs", RenameOption{"-XX:+UseConcMarkSweepGC", "-XX:+UseSerialGC"}, Selection{Select: []string{"*/report/*"}}, pay,
			"global.yaml\n-vars: {GC: -XX:+UseConcMarkSweepGC, SIZE: 1m}\n+vars: {GC: -XX:+UseSerialGC, SIZE: 1m}\n"},
		{"in one job of many", ReplaceValue{[]string{"spec", "java", "options"}, "-XX:+UseConcMarkSweepGC", "-XX:+UseSerialGC"}, Selection{Select: []string{"*/report/*"}}, "spec: {}\n",
			"apps/report/nightly.yml\n+spec:\n+  java:\n+    options:\n+      - -XX:+UseSerialGC\n+      - \"-Xss{{SIZE}}\"\n"},
		{"to another variable", ReplaceValue{[]string{"spec", "java", "options"}, "{{GC}}", "-Xmn{{SIZE}}"}, Selection{}, "spec: {}\n",
			"app-types/batch.yaml\n-    options: [\"{{GC}}\", \"-Xss{{SIZE}}\"]\n+    options: [\"-Xmn{{SIZE}}\", \"-Xss{{SIZE}}\"]\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := fsOf(shop, "app-types/batch.yaml", batchType, "app-groups/pay.yaml", test.pay, "global.yaml", global, "apps/pay/refund.yaml", strings.Replace(shop["apps/pay/settle.yaml"], "settle", "refund", 1))
			r := run(t, base, Step{Selection: test.sel, Change: test.change})
			if diff := cmp.Diff(test.want, lines(t, base, r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	r := run(t, fsOf(shop, "app-types/batch.yaml", batchType, "global.yaml", global), Step{Change: ReplaceValue{[]string{"spec", "java", "options"}, "-Xss1m", "-Xss2m"}})
	if len(r.Files) > 0 || len(r.Undecided) != 6 || r.Undecided[0].Why != "it comes from a reference and must change there (app-types/batch.yaml:5:25)" {
		t.Errorf("a part of a text: %v, %v", r.Files, r.Undecided)
	}
}

// TestAddOption: who has it stays as it is, and who has it with another value is
// left to a person.
func TestAddOption(t *testing.T) {
	base := fsOf(shop)
	if r := run(t, base, Step{Change: AddOption{"-Xss1m"}}); len(r.Files)+len(r.Undecided) > 0 {
		t.Errorf("all have it, and there are %v, %v", r.Files, r.Undecided)
	}
	r := run(t, base, Step{Change: AddOption{"-XX:-UseConcMarkSweepGC"}})
	if len(r.Files) > 0 || len(r.Undecided) != 6 || !strings.HasPrefix(r.Undecided[0].Why, "it says another thing than -XX:-UseConcMarkSweepGC") {
		t.Errorf("all have another one, and there are %v, %v", r.Files, r.Undecided)
	}
}

func TestParseSteps(t *testing.T) {
	const head = "apiVersion: batchctl/v1\nkind: Migration\nsteps:\n"
	steps, problems := ParseSteps("m.yaml", []byte(head+`
- set: {spec.timeout: 2h, node.cpu: 2, java.options: [-Xint, "{{X}}"], env.T: "", env.U: "a\nb"}
  select: ["a/**"]
- unset: retry
  percent: 5
  reason: because
- add-option: -Xint
- remove-option: -Xss1m
- rename-option: {from: -A, to: -B}
- replace-value: {path: node.cpu, from: 1, to: 2}
- jvm: {from: 11, to: 21, opens: {a/b/c: [--add-opens=x]}}
`), Selection{Select: []string{"b/**"}, Percent: 50})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	own, other := Selection{Select: []string{"a/**"}, Percent: 50}, Selection{Select: []string{"b/**"}, Percent: 50}
	spec := func(keys ...string) []string { return append([]string{"spec"}, keys...) }
	want := []Step{
		{own, Set{spec("timeout"), "2h"}, "", ""}, {own, Set{spec("node", "cpu"), yamledit.Number("2")}, "", ""},
		{own, Set{spec("java", "options"), yamledit.List{"-Xint", "{{X}}"}}, "", ""}, {own, Set{spec("env", "T"), ""}, "", ""}, {own, Set{spec("env", "U"), "a\nb"}, "", ""},
		{Selection{Select: []string{"b/**"}, Percent: 5}, Unset{spec("retry")}, "because", ""},
		{other, AddOption{"-Xint"}, "", ""}, {other, RemoveOption{"-Xss1m"}, "", ""}, {other, RenameOption{"-A", "-B"}, "", ""},
		{other, ReplaceValue{spec("node", "cpu"), "1", "2"}, "", ""},
		{other, JVM{11, 21, map[string][]string{"a/b/c": {"--add-opens=x"}}}, "", ""},
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for text, want := range map[string]string{
		"":                           "m.yaml:1:1: the file is empty",
		"kind: Migration\nsteps: []": "m.yaml:1:1: apiVersion: is missing",
		head + "- usnet: a":          "m.yaml:4:3: steps[0].usnet: unknown key",
		head + "- unset: spec":       `m.yaml:4:3: steps[0]: "spec" is a whole section; name a field of it, such as spec.node.pool`,
		head + "- unset: [a]":        "m.yaml:4:10: steps[0].unset: this is a list, and must be a string",
		head + "- {unset: a, jvm: {from: 11, to: 21}}": "m.yaml:4:3: steps[0]: it has unset and jvm; make a step of each",
		head + "- percent: 5":                          "m.yaml:4:3: steps[0]: it changes nothing; write one of set, unset, add-option, remove-option, rename-option, replace-value and jvm",
		head + "- {unset: a, percent: 0}":              "m.yaml:4:23: steps[0].percent: 0 is out of range; it goes from 1 to 100",
		head + "- jvm: {from: 21, to: 17}":             "m.yaml:4:3: steps[0]: a move goes from one of the Java releases 11, 17, 21, 25 to a later one",
		head + "- rename-option: {from: -A}":           "m.yaml:4:18: steps[0].rename-option.to: is missing",
		head + "- set: {a: null}":                      "m.yaml:4:12: steps[0].set.a: this is null",
		head + "- set: {a: {b: c}}":                    "m.yaml:4:12: steps[0].set.a: this is a map",
		head + "- set: {}":                             "m.yaml:1:1: steps: there is no step",
		"steps: [":                                     "m.yaml:1:1: this is not YAML",
	} {
		if steps, problems := ParseSteps("m.yaml", []byte(text), Selection{}); len(steps) > 0 || len(problems) == 0 || !strings.HasPrefix(problems[0].String(), want) {
			t.Errorf("%q: %v %v, want %s", text, steps, problems, want)
		}
	}
}

func TestJVM(t *testing.T) {
	base := fsOf(shop)
	r := run(t, base, Step{Change: JVM{From: 11, To: 21}})
	// The log of pay is another one than that of report: details.
	want := `app-groups/pay.yaml
-    options+: [-XX:+PrintGCDetails]
app-types/batch.yaml
`
	got := lines(t, base, r)
	if !strings.HasPrefix(got, want[:len("app-groups/pay.yaml\n")]) || !strings.Contains(got, "+    version: 21 # for now\n") || !strings.Contains(got, "+      - -XX:+UseG1GC\n") {
		t.Errorf("got\n%s", got)
	}
	docs, _ := batches.Load(r.overlay(base)).Documents()
	for _, d := range docs {
		options := d.Value("spec", "java", "options").Raw()
		log := "-Xlog:gc:file="
		if d.Group == "pay" {
			log = "-Xlog:gc*:file="
		}
		if !strings.Contains(options, log+"gc-{{app}}.log:time") || strings.Contains(options, "CMS") || strings.Contains(options, "Details") || strings.Contains(options, "ConcMark") {
			t.Errorf("%s: %s", d.Path, options)
		}
	}
	if len(r.Undecided) > 0 || r.Selected != 6 {
		t.Errorf("%d selected, undecided: %v", r.Selected, r.Undecided)
	}
	again, err := Run(r.overlay(base), []Step{{Change: JVM{From: 11, To: 21}}})
	if err != nil || len(again.Files) > 0 {
		t.Errorf("a second run changes %v, %v", again.Files, err)
	}
}

func TestJVMLeavesOutWhatItCannotDecide(t *testing.T) {
	refund := strings.Replace(shop["apps/pay/refund.yaml"], "-Xint", "--illegal-access=permit", 1)
	base := fsOf(shop, "apps/pay/refund.yaml", refund, "apps/report/nightly.yml", shop["apps/report/nightly.yml"]+"spec: {java: {home: /opt/jdk11}}\n")
	r := run(t, base, Step{Change: JVM{From: 11, To: 21}})
	if got := strings.Join(r.UndecidedJobs(), " "); got != "live-1/pay/refund live-1/report/nightly live-2/pay/refund live-2/report/nightly" {
		t.Errorf("undecided: %s", got)
	}
	for _, j := range r.Comparison.Jobs {
		if !strings.HasSuffix(j.Job, "/pay/settle") {
			t.Errorf("%s changes", j.Job)
		}
	}
	// With the word of a log it can: for those that have one.
	opens := "--add-opens=java.base/java.lang=ALL-UNNAMED"
	r = run(t, base, Step{Selection: Selection{Select: []string{"live-1/pay/*"}}, Change: JVM{From: 11, To: 21, Opens: map[string][]string{"live-1/pay/refund": {opens}}}})
	docs, _ := batches.Load(r.overlay(base)).Documents()
	for _, d := range docs {
		if has := strings.Contains(d.Value("spec", "java", "options").Raw(), opens); has != (d.Path == "live-1/pay/refund") {
			t.Errorf("%s has the opening: %v", d.Path, has)
		}
	}
}

// TestVariableUsedElsewhere: a variable is not edited when it would change
// something that nobody asked for.
func TestVariableUsedElsewhere(t *testing.T) {
	global := strings.Replace(shop["global.yaml"], "timeout: 1h", "env: {HEAP: \"{{SIZE}}\"}\n  timeout: 1h", 1)
	base := fsOf(shop, "global.yaml", global)
	r := run(t, base, Step{Change: Set{Keys: []string{"spec", "java", "heap"}, Value: "2g"}})
	want := "app-types/batch.yaml\n-    heap: \"{{SIZE}}\"\n+    heap: \"2g\"\n"
	if diff := cmp.Diff(want, lines(t, base, r)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestAnchorsFallBack: what an anchor shares with something else cannot be
// edited in place.
func TestAnchorsFallBack(t *testing.T) {
	layer := "spec:\n  timeout: &t 2h\n  retry: {attempts: 2}\n  node: {hold_on_failure: *t}\n"
	base := fsOf(shop, "app-groups/pay.yaml", layer, "apps/pay/refund.yaml", shop["apps/pay/settle.yaml"][:len("apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: ")]+"refund}\n")
	r := run(t, base, Step{Change: Set{Keys: []string{"spec", "timeout"}, Value: "3h"}, Selection: Selection{Select: []string{"*/pay/*"}}})
	if got := lines(t, base, r); !strings.Contains(got, "+overrides:\n") || strings.Contains(got, "-  timeout") {
		t.Errorf("got\n%s", got)
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name string
		step Step
		want string
		more []string
	}{
		{"no job", Step{Selection: Selection{Select: []string{"live-9/**"}}, Change: Unset{[]string{"spec", "timeout"}}}, "--select live-9/**: no job matches", nil},
		{"a value that is wrong", Step{Change: Set{Keys: []string{"spec", "timeout"}, Value: "soon"}}, `"soon" is no duration`, nil},
		{"an unknown key", Step{Change: Set{Keys: []string{"spec", "tiemout"}, Value: "1h"}}, "unknown key", nil},
		{"a broken tree", Step{Change: Unset{[]string{"spec", "timeout"}}}, "apps/pay/settle.yaml cannot be resolved", []string{"apps/pay/settle.yaml", "a: ["}},
		{"a needed value", Step{Change: Unset{[]string{"spec", "java", "version"}}}, "a batch needs it", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Run(fsOf(shop, test.more...), []Step{test.step})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v; want %q", err, test.want)
			}
		})
	}
}
