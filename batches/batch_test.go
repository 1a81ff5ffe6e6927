package batches

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// jobOf resolves a tree and returns one job, or fails with its problems.
func jobOf(t *testing.T, tree, path string) *Job {
	t.Helper()
	result := Load(testTree(tree)).Resolve()
	if n := Errors(result.Problems); n > 0 {
		t.Fatal(describe(result.Problems))
	}
	for _, j := range result.Jobs() {
		if j.Path == path {
			return j
		}
	}
	t.Fatalf("there is no job %s", path)
	return nil
}

// Every field of a batch, from its YAML to its Go form.
func TestDecode(t *testing.T) {
	got := jobOf(t, `
-- batchctl.yaml --
apiVersion: batchctl/v1
jenkins: {root: pay, controller: one}
-- clusters/live-1.yaml --
phase: live
jenkins: {controller: two}
-- apps/h/up.yaml --
apiVersion: batchctl/v1
kind: Batch
metadata: {name: up}
deploy: live-1
spec: {}
-- apps/g/zed.yaml --
apiVersion: batchctl/v1
kind: Batch
metadata: {name: zed}
deploy: live-1
spec: {}
-- apps/g/a.yaml --
apiVersion: batchctl/v1
kind: Batch
metadata: {name: a, owner: team, description: Does it}
deploy: [live-1]
spec:
  schedule: {cron: ["15 2 * * *", "@hourly"], timezone: UTC}
  disabled: true
  java:
    version: 17
    home: /opt/jdk
    heap: 1g
    options: [-Xss1m]
    properties: {b: 1, a: "x"}
    agents: {prometheus: {port: 9000}, pinpoint: true, opentelemetry: false, mine: {jar: /a.jar, options: o, config: /c, enabled: true}, off: {jar: /x.jar, enabled: false}}
    main: a.B
    classpath: [lib/*]
  artifact: {url: "https://repo.example/a.zip", sha256: ABCDEF0000000000000000000000000000000000000000000000000000000001, unpack: true, credentials: repo}
  args: [x, "${P}"]
  scripts:
    before:
      - {name: here, run: "true", when: {phase: live, cluster: ["live-*"]}}
      - {name: elsewhere, run: "true", when: {phase: staging}}
      - {name: not-here, run: "true", when: {cluster: "!live-1"}}
    after: [{name: always, run: "false"}]
  parameters:
    - {name: P}
    - {name: C, type: choice, choices: [x, y, z], default: y, description: choose}
    - {name: B, type: boolean, default: true}
    - {name: B2, type: boolean}
  env: {Z: "1", A: "2"}
  secrets: {S: s-id, F: {id: f-id, type: file}}
  timeout: 90m
  concurrency: replace
  retry: {attempts: 3, on: [node-lost]}
  after: [up, zed]
  node: {pool: large, cpu: 4, memory: 16Gi, disk: 50Gi, arch: arm64, hold_on_failure: 30m}
  keep: {builds: 7, days: 8, files: [out/*]}
`, "live-1/g/a")
	minute, err := ParseCron("@hourly", "live-1/g/a")
	if err != nil {
		t.Fatal(err)
	}
	want := &Job{Path: "live-1/g/a", Cluster: "live-1", Phase: "live", Type: "batch", Group: "g", Jenkins: Jenkins{Controller: "two", Root: "pay"},
		Batch: &Batch{
			Name: "a", Owner: "team", Description: "Does it", Disabled: true,
			Schedule: &Schedule{Cron: []string{"15 2 * * *", minute}, Timezone: "UTC"},
			Java: Java{Version: 17, Home: "/opt/jdk", Heap: "1g", Options: []string{"-Xss1m"}, Properties: []Variable{{"a", "x"}, {"b", "1"}},
				Agents: []Agent{{Name: "mine", Jar: "/a.jar", Options: "o", Config: "/c"}, {Name: "pinpoint"}, {Name: "prometheus", Port: 9000}},
				Main:   "a.B", Classpath: []string{"lib/*"}},
			Artifact: Artifact{URL: "https://repo.example/a.zip", SHA256: "abcdef0000000000000000000000000000000000000000000000000000000001", Unpack: true, Credentials: "repo"},
			Args:     []string{"x", "${P}"},
			Before:   []Script{{"here", "true"}},
			After:    []Script{{"always", "false"}},
			Parameters: []Parameter{{Name: "P", Type: "string"}, {Name: "C", Type: "choice", Default: "y", Description: "choose", Choices: []string{"y", "x", "z"}},
				{Name: "B", Type: "boolean", Default: "true"}, {Name: "B2", Type: "boolean", Default: "false"}},
			Env:         []Variable{{"A", "2"}, {"Z", "1"}},
			Secrets:     []Secret{{"F", "f-id", "file"}, {"S", "s-id", "string"}},
			Timeout:     90 * time.Minute,
			Concurrency: "replace",
			Retry:       Retry{3, []string{"node-lost"}},
			Upstream:    []string{"live-1/g/zed", "live-1/h/up"},
			Node:        Node{"large", 4, 16 << 30, 50 << 30, "arm64", 30 * time.Minute},
			Keep:        Keep{7, 8, []string{"out/*"}},
		}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What holds when a batch says nothing.
func TestDefaults(t *testing.T) {
	b := jobOf(t, "-- apps/g/a.yaml --\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: live-1\nspec: {}\n", "live-1/g/a").Batch
	want := &Batch{Name: "a", Timeout: 24 * time.Hour, Concurrency: "forbid", Retry: Retry{1, []string{"node-lost"}},
		Java: Java{Version: 21}, Artifact: b.Artifact, Node: Node{"standard", 1, 2 << 30, 20 << 30, "amd64", 0}, Keep: Keep{50, 0, nil}}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The order of the layers: each sets what the ones before it set, and the
// overrides come after all, those of the leaf last.
func TestLayerOrder(t *testing.T) {
	layer := func(name, more string) string {
		return "spec: {env: {GLOBAL: " + name + ", CLUSTER: " + name + ", PHASE: " + name + ", TYPE: " + name + ", GROUP: " + name + ", APP: " + name + "}}\n" + more
	}
	tree := "-- global.yaml --\n" + layer("global", "overrides: [{when: {app: a}, set: {spec: {env: {O1: global, O2: global, APP: override}}}}]\n") +
		"-- clusters/live-1.yaml --\nphase: live\nspec: {env: {CLUSTER: cluster, PHASE: cluster, TYPE: cluster, GROUP: cluster}}\n" +
		"-- phases/live.yaml --\nspec: {env: {PHASE: phase, TYPE: phase, GROUP: phase}}\nkinds: {Batch: {spec: {env: {KIND: batch}}}, Config: {spec: {env: {KIND: config}}}}\n" +
		"-- app-types/other.yaml --\nspec: {env: {TYPE: type, GROUP: type}, java: {version: 21}, artifact: {url: 'https://repo.example/a.jar', sha256: \"0000000000000000000000000000000000000000000000000000000000000001\"}}\n" +
		"-- app-groups/g.yaml --\nmetadata: {type: other}\nspec: {env: {GROUP: group}}\n" +
		"-- apps/g/a.yaml --\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: live-1\nspec: {env: {APP: app}}\noverrides: [{when: {cluster: live-1}, set: {spec: {env: {O2: app}}}}]\n"
	got := map[string]string{}
	for _, v := range jobOf(t, tree, "live-1/g/a").Batch.Env {
		got[v.Name] = v.Value
	}
	want := map[string]string{"GLOBAL": "global", "CLUSTER": "cluster", "PHASE": "phase", "TYPE": "type", "GROUP": "group", "KIND": "batch",
		"APP": "override", "O1": "global", "O2": "app"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a reference becomes, and of which type.
func TestReferences(t *testing.T) {
	c := configOf(t, `
  int: "{{INT}}"
  text: "x{{INT}}"
  bool: "{{BOOL}}"
  string: "{{STRING}}"
  default: "{{NONE:-5}}"
  empty: "{{EMPTY:-full}}"
  word: "{{NONE:-5a}}"
  nothing: "{{NONE:-}}"
  braces: "{{{{.State}} {{app}}"
  chain: "{{A}}"
  field: "{{spec.int}}-{{spec.chain}}"
vars: {INT: 7, BOOL: true, STRING: "7", EMPTY: "", A: "a{{B}}", B: "b{{INT}}"}
`)
	want := `{"bool":true,"braces":"{{.State}} api","chain":"ab7","default":5,"empty":"full","field":"7-ab7","int":7,"nothing":"","string":"7","text":"x7","word":"5a"}`
	if got := asJSON(t, c.doc.plain()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A port is the same in every run, within its range, and differs by job and
// by name.
func TestPort(t *testing.T) {
	r := portRange{low: 10000, high: 10009}
	seen := map[int]bool{}
	for i := range 300 {
		job := fmt.Sprintf("live-1/g/%d", i)
		p := r.pick(job)
		if p < r.low || p > r.high || p != r.pick(job) {
			t.Errorf("%s: %d", job, p)
		}
		seen[p] = true
	}
	if len(seen) != 10 {
		t.Errorf("of 10 ports only %d are used", len(seen))
	}
	if named := (&portRange{low: 1, high: 65535, name: "jmx"}); named.pick("a") == (&portRange{low: 1, high: 65535}).pick("a") {
		t.Error("a second port of a job is the same as the first")
	}
	if only := (&portRange{low: 5, high: 5}); only.pick("a") != 5 {
		t.Error("a range of one port")
	}
}

// Parts of a layer that are known to be sound are not checked again; what
// comes out of references must be, for every job.
func TestInheritedReferencesAreChecked(t *testing.T) {
	tree := "-- global.yaml --\nspec: {java: {options: [\"-Dx={{X}}\"]}, keep: {files: [\"{{X}}/*\"]}}\n" +
		"-- apps/g/a.yaml --\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: live-1\nvars: {X: \"a\\nb,c\"}\nspec: {}\n" +
		"-- apps/g/b.yaml --\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: b}\ndeploy: live-1\nvars: {X: fine}\nspec: {}\n"
	result := Load(testTree(tree)).Resolve()
	rules := map[string]int{}
	for _, p := range result.Problems {
		rules[p.Rule] += len(p.Jobs)
	}
	if rules["bad-line"] != 1 || rules["bad-glob"] != 1 || len(result.Jobs()) != 1 {
		t.Errorf("got %v\n%s", rules, describe(result.Problems))
	}
}

// Options are linted once for all jobs that have the same. Two lists that only
// look the same when they are put together are not.
func TestLintKey(t *testing.T) {
	leaf := func(name, options string) string {
		return "-- apps/g/" + name + ".yaml --\napiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: " + name + "}\ndeploy: live-1\nspec: {java: {options: " + options + "}}\n"
	}
	for _, tree := range []string{
		leaf("a", `["-Xss1m", "-XX:+Bogus"]`) + leaf("b", `["-Xss1m\0-XX:+Bogus"]`),
		leaf("a", `["-Xss1m\0-XX:+Bogus"]`) + leaf("b", `["-Xss1m", "-XX:+Bogus"]`),
		leaf("a", `["-Xss1m", "-XX:+Bogus"]`) + leaf("b", `["-Xss1m-XX:+Bogus"]`),
	} {
		result := Load(testTree(tree)).Resolve()
		unknown := 0
		for _, p := range result.Problems {
			if p.Rule == "jvm/unknown-option" {
				unknown++
			}
		}
		if unknown != 1 {
			t.Errorf("%d unknown options, want 1\n%s", unknown, describe(result.Problems))
		}
	}
}
