package batches

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var compared = map[string]string{
	"batchctl.yaml":        "apiVersion: batchctl/v1\n",
	"global.yaml":          "vars: {SIZE: 1g}\ndeploy: [live-1]\nspec:\n  timeout: 1h\n  java:\n    version: 11\n    heap: \"{{SIZE}}\"\n    options: [-Xss1m, \"-Xlog:gc:file={{app}}-{{SIZE}}.log\"]\n  artifact: {url: \"https://x/a.jar\", sha256: \"" + strings.Repeat("a", 64) + "\"}\n",
	"clusters/live-1.yaml": "phase: live\n",
	"clusters/live-2.yaml": "phase: live\n",
	"apps/g/a.yaml":        "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\nspec: {node: {cpu: 2}}\n",
	"apps/g/b.yaml":        "apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: b}\nspec: {timeout: 2h}\n",
}

// treeOf loads files, some of them changed: path, text, path, text …; an empty
// text takes a file away.
func treeOf(base map[string]string, changes ...string) *Tree {
	files := map[string][]byte{}
	for name, text := range base {
		files[name] = []byte(text)
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(files, changes[i])
			continue
		}
		files[changes[i]] = []byte(changes[i+1])
	}
	return Load(NewOverlay(nil, files, nil))
}

// grouped renders a comparison as the tests have it.
func grouped(c *Comparison) string {
	var b strings.Builder
	for _, g := range c.Grouped() {
		fmt.Fprintf(&b, "%s: %s %q → %q", strings.Join(g.Jobs, " "), g.Path, g.Old, g.New)
		for _, s := range g.Gone {
			b.WriteString(" −" + s)
		}
		for _, s := range g.Came {
			b.WriteString(" +" + s)
		}
		for _, u := range g.Uses {
			fmt.Fprintf(&b, " (%s %s → %s)", u.Name, u.Old, u.New)
		}
		if len(g.Places) > 0 {
			fmt.Fprintf(&b, " at %s", g.Places[0])
		}
		b.WriteString("\n")
	}
	for _, j := range c.New {
		b.WriteString("new " + j + "\n")
	}
	for _, j := range c.Gone {
		b.WriteString("gone " + j + "\n")
	}
	for _, s := range c.Skipped {
		b.WriteString("skipped " + s.Job + ": " + s.Why + "\n")
	}
	fmt.Fprintf(&b, "%d unchanged\n", c.Unchanged)
	return b.String()
}

func TestCompare(t *testing.T) {
	global := compared["global.yaml"]
	for _, test := range []struct {
		name    string
		changes []string
		want    string
	}{
		{"nothing", nil, "2 unchanged\n"},
		{"one edit for all", []string{"global.yaml", strings.Replace(global, "11", "21", 1)},
			"live-1/g/a live-1/g/b: spec.java.version \"11\" → \"21\" at global.yaml:6:14\n0 unchanged\n"},
		{"only those who inherit", []string{"global.yaml", strings.Replace(global, "1h", "3h", 1)},
			"live-1/g/a: spec.timeout \"1h\" → \"3h\" at global.yaml:4:12\n1 unchanged\n"},
		{"an edit without effect", []string{"apps/g/b.yaml", compared["apps/g/b.yaml"] + "# a comment\n", "global.yaml", "# x\n" + global}, "2 unchanged\n"},
		{"items of a list", []string{"global.yaml", strings.Replace(global, "-Xss1m", "-Xss2m, -Xint", 1)},
			"live-1/g/a live-1/g/b: spec.java.options \"[-Xss1m, -Xlog:gc:file={{app}}-{{SIZE}}.log]\" → \"[-Xss2m, -Xint, -Xlog:gc:file={{app}}-{{SIZE}}.log]\" −-Xss1m +-Xss2m +-Xint at global.yaml:8:15\n0 unchanged\n"},
		{"the order of a list", []string{"global.yaml", strings.Replace(global, "[-Xss1m, \"-Xlog:gc:file={{app}}-{{SIZE}}.log\"]", "[\"-Xlog:gc:file={{app}}-{{SIZE}}.log\", -Xss1m]", 1)},
			"live-1/g/a live-1/g/b: spec.java.options \"[-Xss1m, -Xlog:gc:file={{app}}-{{SIZE}}.log]\" → \"[-Xlog:gc:file={{app}}-{{SIZE}}.log, -Xss1m]\" at global.yaml:8:14\n0 unchanged\n"},
		{"the order of a list, and a variable in it", []string{"global.yaml", strings.Replace(strings.Replace(global, "[-Xss1m, \"-Xlog:gc:file={{app}}-{{SIZE}}.log\"]", "[\"-Xlog:gc:file={{app}}-{{SIZE}}.log\", -Xss1m]", 1), "SIZE: 1g", "SIZE: 2g", 1)},
			"live-1/g/a live-1/g/b: spec.java.heap \"1g\" → \"2g\" at global.yaml:1:14\n" +
				"live-1/g/a live-1/g/b: spec.java.options \"-Xlog:gc:file={{app}}-{{SIZE}}.log\" → \"-Xlog:gc:file={{app}}-{{SIZE}}.log\" (SIZE 1g → 2g) at global.yaml:1:14\n" +
				"live-1/g/a live-1/g/b: spec.java.options \"[-Xss1m, -Xlog:gc:file={{app}}-{{SIZE}}.log]\" → \"[-Xlog:gc:file={{app}}-{{SIZE}}.log, -Xss1m]\" at global.yaml:8:14\n0 unchanged\n"},
		{"an agent without settings", []string{"apps/g/a.yaml", compared["apps/g/a.yaml"][:len(compared["apps/g/a.yaml"])-2] + ", java: {agents: {pinpoint: {config: null}}}}\n"},
			"live-1/g/a: spec.java.agents.pinpoint \"\" → \"{}\" at apps/g/a.yaml:4:50\n1 unchanged\n"},
		{"a variable", []string{"global.yaml", strings.Replace(global, "SIZE: 1g", "SIZE: 2g", 1)},
			"live-1/g/a live-1/g/b: spec.java.heap \"1g\" → \"2g\" at global.yaml:1:14\n" +
				"live-1/g/a live-1/g/b: spec.java.options \"-Xlog:gc:file={{app}}-{{SIZE}}.log\" → \"-Xlog:gc:file={{app}}-{{SIZE}}.log\" (SIZE 1g → 2g) at global.yaml:1:14\n0 unchanged\n"},
		{"removed by null", []string{"apps/g/a.yaml", strings.Replace(compared["apps/g/a.yaml"], "{node", "{timeout: null, node", 1)},
			"live-1/g/a: spec.timeout \"1h\" → \"\" at apps/g/a.yaml:4:17\n1 unchanged\n"},
		{"jobs come and go", []string{"apps/g/b.yaml", "", "apps/g/a.yaml", compared["apps/g/a.yaml"] + "deploy: [live-1, live-2]\n"},
			"new live-2/g/a\ngone live-1/g/b\n1 unchanged\n"},
		{"what cannot be read", []string{"apps/g/b.yaml", "a: ["}, "skipped apps/g/b.yaml: apps/g/b.yaml:2:1: this is not YAML"},
		{"a job of another controller", []string{"clusters/live-1.yaml", "phase: live\njenkins: {controller: other}\n"},
			"live-1/g/a live-1/g/b: jenkins.controller \"main\" → \"other\"\n0 unchanged\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := grouped(Compare(treeOf(compared), treeOf(compared, test.changes...)))
			if strings.HasPrefix(test.want, "skipped") {
				if !strings.HasPrefix(got, "skipped apps/g/b.yaml: apps/g/b.yaml:") || !strings.HasSuffix(got, "1 unchanged\n") {
					t.Errorf("got %s", got)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCompareBearsTheOldTree: a fault in the old tree hides only the jobs that
// it breaks.
func TestCompareBearsTheOldTree(t *testing.T) {
	old := treeOf(compared, "apps/g/b.yaml", compared["apps/g/b.yaml"]+"vars: {X: \"{{NOWHERE}}\"}\n", "apps/g/a.yaml", strings.Replace(compared["apps/g/a.yaml"], "cpu: 2", "cpu: \"{{NOWHERE}}\"", 1))
	c := Compare(old, treeOf(compared))
	if len(c.Skipped) != 1 || c.Skipped[0].Job != "live-1/g/a" || !strings.HasPrefix(c.Skipped[0].Why, "in the old tree: apps/g/a.yaml:4:") || c.Unchanged != 1 {
		t.Errorf("%+v", c)
	}
}
