package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// hostileTree has a job on each of two clusters, and a configuration.
var hostileTree = map[string]string{
	"batchctl.yaml":        "apiVersion: batchctl/v1\n",
	"global.yaml":          "vars: {SIZE: 1g}\ndeploy: [live-1, live-2]\nspec:\n  timeout: 1h\n",
	"clusters/live-1.yaml": "phase: live\n", "clusters/live-2.yaml": "phase: live\n",
	"apps/pay/a.yaml":   "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\nspec:\n  java: {version: 11, heap: \"{{SIZE}}\", options: [-Xss1m]}\n  artifact: {url: \"https://x/a.jar\", sha256: \"" + strings.Repeat("a", 64) + "\"}\n",
	"apps/pay/web.yaml": "apiVersion: batchctl/v1\nkind: Config\nmetadata: {name: web}\nspec: {a: b}\n",
}

const hostileRollout = `apiVersion: batchctl/v1
kind: Rollout
metadata: {name: r}
select: ["*/pay/*"]
change: {set: {spec.timeout: 9h}}
steps: [{ring: live, percent: 50}, {ring: live, percent: 100}]
step: 2
changes: [{set: {spec: {timeout: 9h}}}]
order: [{ring: live, jobs: [live-1/pay/a, live-2/pay/a]}]
history: [{step: 1, at: "2026-11-26T01:00:00Z", by: Ada}]
`

// bad is what nobody means to write, and somebody does.
var bad = []string{
	"", " ", "\x00", "a\x00b", "\xff\xfe", "\u2028", "\ufeff", "~", "null", "-1", "0", "99999999999999999999", "1e999", ".inf", ".nan", "0x1f", "true", "[", "[]", "[[a]]", "{}", "{a: b}", "*a", "&a x", "&a [*a]", "!!int x",
	"!x y", "a: b", "a\n---\nb", "%YAML 9.9\n---\na", "- x", "{{", "{{X}}", "{{SIZE}}", "{{SIZE:-", "{{port 1 2}}", "{{port 9 1}}", "{{{{", "${", "/", "..", "../x", "/etc/passwd", "**", "[a", "{a", "!", "!!", "\\", "a,b", "=", "spec", "spec.", ".", "..a", "spec..x",
	"spec.timeout", "timeout", "timeout=2h", "spec.java", "spec.java.options", "spec.java.options+", "spec.java.options[0]", "spec.java.options.0", "spec.java.properties.", "spec.java.properties.a.b.c", "vars.", "vars.SIZE", "vars.app", "metadata.name", "metadata.type", "metadata.phases", "kind", "deploy", "overrides",
	"live-1/pay/a", "*/pay/*", "live-1/pay/web", "no/such/job", "HEAD", "--", "-Xss1m", "-X", "-", strings.Repeat("[", 10000), strings.Repeat("a", 5000), "x: &a [1,1]\ny: &b [*a,*a]",
}

func hostile(t *rapid.T) string {
	s := rapid.SampledFrom(bad).Draw(t, "bad")
	switch rapid.IntRange(0, 5).Draw(t, "with") {
	case 0:
		s += rapid.SampledFrom(bad).Draw(t, "bad")
	case 1:
		s += "=" + rapid.SampledFrom(bad).Draw(t, "bad")
	case 2:
		s = "spec.timeout=" + s
	case 3:
		s = rapid.String().Draw(t, "text")
	}
	return s
}

// edited is a file with some of its pieces exchanged for others.
func edited(t *rapid.T, text string, pieces ...string) string {
	for range rapid.IntRange(0, 3).Draw(t, "edits") {
		text = strings.Replace(text, rapid.SampledFrom(pieces).Draw(t, "piece"), hostile(t), 1)
	}
	return text
}

var hostileVerbs = [][]string{
	{"migrate", "set"}, {"migrate", "unset"}, {"migrate", "add-option", "--"}, {"migrate", "remove-option", "--"}, {"migrate", "rename-option", "--"}, {"migrate", "replace-value"},
	{"migrate", "apply", "STEPS"}, {"migrate", "jvm"}, {"rollout", "start"}, {"rollout", "start", "new", "--rings", "live", "--set"}, {"rollout", "start", "new", "--rings", "live", "--migration", "STEPS"},
	{"rollout", "advance", "r", "--force", "x"}, {"rollout", "advance", "r"}, {"rollout", "pause", "r"}, {"rollout", "finish", "r"}, {"rollout", "undo", "r"}, {"rollout", "undo"}, {"rollout", "status", "r"}, {"diff"}, {"diff", "OTHER"},
}

const hostileSteps = "apiVersion: batchctl/v1\nkind: Migration\ndescription: d\nsteps:\n- set: {spec.timeout: 9h}\n  select: [\"*/pay/a\"]\n  percent: 50\n- unset: retry\n- add-option: -Xint\n- rename-option: {from: -Xint, to: -Xcomp}\n- jvm: {from: 11, to: 21}\n"

// TestHostileArguments: whatever the arguments and the files say, there is no
// panic; who ends with an error says why, and has written nothing.
func TestHostileArguments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "hostile-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		files := maps.Clone(hostileTree)
		if rapid.Bool().Draw(t, "rollout") {
			files["rollouts/r.yaml"] = edited(t, hostileRollout, "r}", "*/pay/*", "spec.timeout", "9h", "live", "50", "100", "step: 2", "2", "{set: {spec: {timeout: 9h}}}", "live-1/pay/a", "live-2/pay/a", "\"2026-11-26T01:00:00Z\"", "history", "steps")
		}
		files["OTHER/batchctl.yaml"] = edited(t, files["batchctl.yaml"], "batchctl/v1")
		files["OTHER/global.yaml"] = edited(t, files["global.yaml"], "1g", "1h", "SIZE", "live-1")
		files["STEPS"] = edited(t, hostileSteps, "9h", "spec.timeout", "*/pay/a", "50", "retry", "-Xint", "-Xcomp", "11", "21", "steps", "d\n")
		for name, text := range files {
			name = filepath.Join(dir, name)
			_ = os.MkdirAll(filepath.Dir(name), 0o755)
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		args := []string{"-C", dir}
		for _, arg := range rapid.SampledFrom(hostileVerbs).Draw(t, "verb") {
			if arg == "STEPS" || arg == "OTHER" {
				arg = filepath.Join(dir, arg)
			}
			args = append(args, arg)
		}
		for range rapid.IntRange(0, 2).Draw(t, "arguments") {
			args = append(args, hostile(t))
		}
		if rapid.IntRange(0, 2).Draw(t, "flag") == 0 && args[len(args)-1] != "--set" {
			flag := rapid.SampledFrom([]string{"--select", "--percent", "--commit-per", "--rings", "--steps", "--first", "--description", "--evidence", "--builds", "-o"}).Draw(t, "flag")
			args = slices.Insert(args, min(4, len(args)), flag, hostile(t))
		}
		before := filesOf(t, dir)
		code, _, stderr := call(args...)
		if code != 0 && strings.TrimSpace(stderr) == "" {
			t.Fatalf("%q ends with %d and says nothing", args, code)
		}
		if strings.Contains(stderr, "runtime error") || strings.Contains(stderr, "panic") || strings.Contains(stderr, "%!(") {
			t.Fatalf("%q: %s", args, stderr)
		}
		after := filesOf(t, dir)
		if (code != 0 || args[2] == "diff") && !maps.Equal(before, after) {
			t.Fatalf("%q ends with %d and has written: %s\n%q", args, code, stderr, after)
		}
	})
}

func filesOf(t *rapid.T, dir string) map[string]string {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
