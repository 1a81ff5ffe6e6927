package treetest

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// Tree is a tree in memory.
type Tree struct {
	Files map[string]string
	Links map[string]string // symbolic links with their targets
}

// Draw draws a tree of up to eighteen jobs on three clusters in two phases, and
// of one configuration.
func Draw(t *rapid.T) Tree {
	d := &drawer{t: t}
	tree := Tree{Files: map[string]string{"batchctl.yaml": "apiVersion: batchctl/v1\n"}, Links: map[string]string{}}
	put := func(name string, doc node) {
		if len(doc.keys) > 0 {
			tree.Files[name] = write(t, doc)
		}
	}
	put("global.yaml", d.global())
	for _, c := range clusters {
		doc := mapOf("phase", text(strings.Split(c, "-")[0]))
		d.layer(&doc)
		put("clusters/"+c+".yaml", doc)
	}
	for _, name := range []string{"phases/live", "app-types/batch", "app-types/nightly", "app-groups/pay", "app-groups/report"} {
		doc := node{kind: 'm'}
		if name == "app-types/nightly" {
			doc = mapOf("description", text("by night"))
		}
		d.layer(&doc)
		put(name+".yaml", doc)
	}
	for _, name := range leaves {
		put("apps/"+name+".yaml", d.leaf(name))
	}
	put("apps/api/web.yaml", d.config())
	if d.one(4) {
		tree.Files["shared/close.yaml"] = tree.Files["apps/report/close.yaml"]
		delete(tree.Files, "apps/report/close.yaml")
		tree.Links["apps/report/close.yaml"] = "../../shared/close.yaml"
	}
	return tree
}

// String shows a tree's files.
func (t Tree) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(keys(t.Files)) {
		b.WriteString("-- " + name + " --\n" + strings.ReplaceAll(t.Files[name], "\r\n", "\\r\n"))
	}
	for name, target := range t.Links {
		b.WriteString("-- " + name + " -> " + target + "\n")
	}
	return b.String()
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

var (
	clusters = []string{"live-1", "live-2", "dev-1"}
	leaves   = []string{"pay/settle", "pay/refund", "pay/capture", "report/nightly", "report/close"}
)

type drawer struct{ t *rapid.T }

func (d *drawer) one(n int) bool { return rapid.IntRange(0, n-1).Draw(d.t, "some") == n-1 }

func (d *drawer) pick(from ...string) string { return rapid.SampledFrom(from).Draw(d.t, "pick") }

// some draws a few of these, in their order.
func (d *drawer) some(from ...string) []string {
	mask := rapid.IntRange(0, 1<<len(from)-1).Draw(d.t, "some")
	var out []string
	for i, s := range from {
		if mask&(1<<i) != 0 {
			out = append(out, s)
		}
	}
	return out
}

// global sets all that a batch needs, and all variables.
func (d *drawer) global() node {
	vars := mapOf("SIZE", text("1g"), "TIME", text(d.pick("1h", "\"2h\"", "\"{{OPT:-3h}}\"")), "GC", text("-XX:+TraceClassLoading"), "DEEP", text(d.pick("-Xss1m", "\"-Xss{{SS}}\"", "\"{{GC}}\"")),
		"SS", text("1m"), "CPU", text("2"), "JAVA", text("11"), "CS", text("UTF-8"), "timeout", text(d.pick("1h", "\"{{TIME}}\"")))
	spec := mapOf("timeout", text("1h"), "artifact", mapOf("url", text(`"https://x/{{app}}.jar"`), "sha256", text(`"`+strings.Repeat("a", 64)+`"`)),
		"java", mapOf("version", text(d.pick("11", "\"{{JAVA}}\"")), "heap", text("\"{{SIZE}}\""), "options", list("-Xss1m", "-XX:+UseConcMarkSweepGC", `"-Xloggc:gc-{{app}}.log"`)))
	doc := mapOf("deploy", list("live-1", "live-2"), "metadata", mapOf("owner", text("\"team-{{group}}\"")), "vars", vars, "spec", spec)
	d.overrides(&doc)
	return doc
}

// layer adds what any layer may say.
func (d *drawer) layer(doc *node) {
	d.part(doc, 3)
	if d.one(6) {
		kinds := node{kind: 'm'}
		for _, k := range d.some("Batch", "Config") {
			part := node{kind: 'm'}
			d.part(&part, 2)
			kinds.add(k, part)
		}
		doc.add("kinds", kinds)
	}
	d.overrides(doc)
}

// part adds vars, a spec and an owner, one layer in so many.
func (d *drawer) part(doc *node, in int) {
	if d.one(4 * in) {
		doc.add("metadata", mapOf("owner", text(d.pick("us", "\"{{group}}-{{phase}}\"", "\"{{app}}\""))))
	}
	if d.one(in) {
		doc.add("vars", d.vars())
	}
	if d.one(in) {
		doc.add("spec", d.spec())
	}
}

func (d *drawer) vars() node {
	n := node{kind: 'm'}
	for _, name := range d.some("SIZE", "TIME", "GC", "SS", "CPU", "OPT", "CS") {
		n.add(name, text(map[string]string{"SIZE": "2g", "TIME": "4h", "GC": "-XX:+UseCodeCacheFlushing", "SS": "3m", "CPU": "4", "OPT": "5h", "CS": "EUC-KR"}[name]))
	}
	return n
}

// fields are what a spec may hold, with the ways in which it is said.
var fields = map[string][]string{
	"timeout":     {"2h", `"2h"`, "'90m'", `"{{TIME}}"`, `"{{OPT:-7h}}"`, `"{{timeout}}"`, "null"},
	"concurrency": {"forbid", "allow", "null"},
	"disabled":    {"true", "false"},
	"args":        {"[]", `["", "a\tb", "\"\""]`, `["--a={{app}}", "--b, c", plain]`, `[--a, "--on={{phase}}-{{cluster}}"]`},
}

func (d *drawer) spec() node {
	n := node{kind: 'm'}
	for _, key := range d.some("timeout", "concurrency", "disabled", "args") {
		n.add(key, text(d.pick(fields[key]...)))
	}
	if d.one(3) {
		env := node{kind: 'm'}
		for _, key := range d.some("T", "HEAP", "SIZE", "LANG") {
			env.add(key, text(d.pick(map[string][]string{"T": {"x", `""`, `"two\nlines"`, `"a {{timeout}}"`, "null"}, "HEAP": {`"{{java.heap}}"`, `"1"`}, "SIZE": {`"{{SIZE}}"`, `"{{SIZE}} {{OPT:-}}"`}, "LANG": {"ko_KR.eucKR", "C.UTF-8", "null"}}[key]...)))
		}
		n.add("env", env)
	}
	if d.one(3) {
		n.add("node", d.node())
	}
	if d.one(4) {
		n.add("retry", mapOf("attempts", text(d.pick("2", "3"))))
	}
	if d.one(2) {
		n.add("java", d.java())
	}
	return n
}

func (d *drawer) node() node {
	n := node{kind: 'm'}
	for _, key := range d.some("cpu", "pool", "hold_on_failure") {
		n.add(key, text(d.pick(map[string][]string{"cpu": {"2", `"{{CPU}}"`, "null"}, "pool": {"large", `"{{cluster}}"`}, "hold_on_failure": {"2h", `"2h"`}}[key]...)))
	}
	return n
}

func (d *drawer) java() node {
	n := node{kind: 'm'}
	options := []string{"-Xss1m", "-Xint", `"{{GC}}"`, `"{{DEEP}}"`, `"-Dapp={{app}}"`, `"-Dv={{java.version}}"`, "'-Dx=a, b'", `"-Dp={{port 10000 20000}}"`, "-XX:+PrintGCDetails"}
	switch rapid.IntRange(0, 4).Draw(d.t, "options") {
	case 0:
		n.add("options", list(d.some(options...)...))
	case 1, 2:
		n.add("options+", list(d.some(options[1:]...)...))
	}
	if d.one(3) {
		p := node{kind: 'm'}
		for _, key := range d.some("file.encoding", "stdout.encoding", "a.b", "a.b.c", "a") {
			p.add(key, text(d.pick(map[string][]string{"file.encoding": {"UTF-8", `"{{CS}}"`}, "stdout.encoding": {"UTF-8", "null"}, "a.b": {"1", "2.50", "null"}, "a.b.c": {"'0'", `"1"`, "x"}, "a": {"true", "false"}}[key]...)))
		}
		n.add("properties", p)
	}
	if d.one(4) {
		n.add("agents", mapOf("pinpoint", text(d.pick("{}", "{config: /etc/p.conf}", "{enabled: false}", "null"))))
	}
	if d.one(4) {
		n.add("heap", text(d.pick("3g", `"3g"`, `"{{SIZE}}"`)))
	}
	if d.one(6) {
		n.add("version", text(d.pick("11", `"{{JAVA}}"`)))
	}
	return n
}

// overrides adds entries for some jobs, of any kind of condition.
func (d *drawer) overrides(doc *node) {
	if !d.one(5) {
		return
	}
	all := node{kind: 'l'}
	for range rapid.IntRange(1, 2).Draw(d.t, "overrides") {
		when := node{kind: 'm'}
		for _, key := range d.some("cluster", "group", "app", "type", "kind", "phase") {
			when.add(key, text(d.pick(conditions[key]...)))
		}
		set := node{kind: 'm'}
		d.part(&set, 1)
		if len(when.keys) > 0 && len(set.keys) > 0 {
			all.list = append(all.list, mapOf("when", when, "set", set))
		}
	}
	if len(all.list) > 0 {
		doc.add("overrides", all)
	}
}

var conditions = map[string][]string{
	"cluster": {"live-1", "[live-1, dev-1]", `"live-*"`, `"!live-2"`, `["live-*", "!live-1"]`},
	"group":   {"pay", "[pay, report]", `"!report"`},
	"app":     {"settle", "[nightly, refund]", `"*e*"`, `["!close", "!settle"]`},
	"type":    {"batch", "nightly", `"*"`},
	"kind":    {"Batch", "[Batch, Config]"},
	"phase":   {"live", `"*"`, "dev"},
}

// leaf is a batch.
func (d *drawer) leaf(name string) node {
	group, app, _ := strings.Cut(name, "/")
	meta := mapOf("name", text(app))
	if group == "report" && d.one(2) {
		meta.add("type", text("nightly"))
	}
	deploy := d.pick("", "", "[live-1, live-2]", "live-2", `["*"]`, "[dev-1, live-1]", `"live-*"`)
	if strings.HasPrefix(strings.Trim(deploy, `["`), "live") && d.one(2) {
		meta.add("phases", text("[live]"))
	}
	doc := mapOf("apiVersion", text("batchctl/v1"), "kind", text("Batch"), "metadata", meta)
	if deploy != "" {
		doc.add("deploy", text(deploy))
	}
	if d.one(4) {
		doc.add("vars", d.vars())
	}
	if d.one(2) {
		doc.add("spec", d.spec())
	}
	d.overrides(&doc)
	return doc
}

// config is a document of another kind, which inherits what batches do.
func (d *drawer) config() node {
	spec := mapOf("url", text(fmt.Sprintf("%q", "https://{{cluster}}.example")))
	if d.one(2) {
		spec.add("timeout", text(d.pick("9s", `"{{TIME}}"`)))
	}
	return mapOf("apiVersion", text("batchctl/v1"), "kind", text("Config"), "metadata", mapOf("name", text("web")), "deploy", text(d.pick("live-1", `["*"]`)), "spec", spec)
}
