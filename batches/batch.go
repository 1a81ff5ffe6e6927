package batches

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var batchKind = &leafKind{
	name:   "Batch",
	doc:    "A batch: a program that Jenkins starts, each run on a machine of its own.",
	spec:   batchSpec,
	finish: finishBatch,
	empty:  func(p *fieldPath) bool { return p.up != nil && p.up.key == "agents" }, // it is loaded, without settings
}

// Jobs returns the jobs of a tree that have no error, sorted by path.
func (r *Result) Jobs() []*Job { return madeOf[*Job](r) }

// finishBatch decodes a checked document and checks what its fields must
// agree on. It runs for documents with faults too, so that all of them are
// reported; such a batch is not used.
func finishBatch(r *resolver, l *leaf) {
	spec, meta := l.doc.get("spec"), l.doc.get("metadata")
	b := &Batch{
		Name:        l.names.app,
		Owner:       meta.get("owner").str(),
		Description: meta.get("description").str(),
		Disabled:    spec.get("disabled").str() == "true",
		Args:        spec.get("args").strings(),
		Env:         variables(spec.get("env")),
		Timeout:     durationOr(spec.get("timeout"), 24*time.Hour),
		Concurrency: cmp.Or(spec.get("concurrency").str(), "forbid"),
		Java:        decodeJava(spec.get("java")),
		Artifact:    decodeArtifact(spec.get("artifact")),
		Before:      decodeScripts(spec.get("scripts").get("before"), &l.names),
		After:       decodeScripts(spec.get("scripts").get("after"), &l.names),
		Parameters:  decodeParameters(spec.get("parameters")),
		Secrets:     decodeSecrets(spec.get("secrets")),
		Retry:       decodeRetry(spec.get("retry")),
		Node:        decodeNode(spec.get("node")),
		Keep:        decodeKeep(spec.get("keep")),
	}
	b.Schedule = decodeSchedule(spec.get("schedule"), l.names.path)
	c := batchChecker{resolver: r, leaf: l, spec: spec, batch: b}
	c.run()
	l.after = spec.get("after").list()
	l.made = &Job{Path: l.names.path, Cluster: l.names.cluster, Phase: l.names.phase, Type: l.names.typ,
		Group: l.names.group, Jenkins: r.jenkins(l.names.cluster), Batch: b}
}

func decodeSchedule(v *value, path string) *Schedule {
	lines := v.get("cron").strings()
	if len(lines) == 0 {
		return nil
	}
	s := &Schedule{Timezone: v.get("timezone").str()}
	for _, line := range lines {
		if plain, err := ParseCron(line, path); err == nil {
			s.Cron = append(s.Cron, plain)
		}
	}
	return s
}

func decodeJava(v *value) Java {
	return Java{
		Version:    number(v.get("version")),
		Home:       v.get("home").str(),
		Heap:       v.get("heap").str(),
		Options:    v.get("options").strings(),
		Properties: variables(v.get("properties")),
		Agents:     decodeAgents(v.get("agents")),
		Main:       v.get("main").str(),
		Jar:        v.get("jar").str(),
		Classpath:  v.get("classpath").strings(),
	}
}

func decodeAgents(v *value) []Agent {
	var out []Agent
	for name, a := range v.members() {
		if a.str() == "false" || a.get("enabled").str() == "false" {
			continue
		}
		out = append(out, Agent{Name: name, Jar: a.get("jar").str(), Port: number(a.get("port")),
			Config: a.get("config").str(), Options: a.get("options").str()})
	}
	slices.SortFunc(out, func(a, b Agent) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func decodeArtifact(v *value) Artifact {
	return Artifact{URL: v.get("url").str(), SHA256: strings.ToLower(v.get("sha256").str()),
		Unpack: v.get("unpack").str() == "true", Credentials: v.get("credentials").str()}
}

func decodeScripts(v *value, names *coordinates) []Script {
	var out []Script
	for _, s := range v.list() {
		if names.match(conditionsOf(s.get("when"))) {
			out = append(out, Script{Name: s.get("name").str(), Run: s.get("run").str()})
		}
	}
	return out
}

func decodeParameters(v *value) []Parameter {
	var out []Parameter
	for _, item := range v.list() {
		p := Parameter{Name: item.get("name").str(), Type: cmp.Or(item.get("type").str(), "string"),
			Default: item.get("default").str(), Description: item.get("description").str(), Choices: item.get("choices").strings()}
		switch {
		case p.Type == "boolean" && p.Default == "":
			p.Default = "false"
		case p.Type == "choice" && len(p.Choices) > 0:
			p.Default = cmp.Or(p.Default, p.Choices[0])
			// Jenkins takes the first choice as the default.
			if at := slices.Index(p.Choices, p.Default); at > 0 {
				p.Choices = slices.Insert(slices.Delete(slices.Clone(p.Choices), at, at+1), 0, p.Default)
			}
		}
		out = append(out, p)
	}
	return out
}

func decodeSecrets(v *value) []Secret {
	var out []Secret
	for name, s := range v.members() {
		out = append(out, Secret{Name: name, ID: cmp.Or(s.str(), s.get("id").str()), Type: cmp.Or(s.get("type").str(), "string")})
	}
	slices.SortFunc(out, func(a, b Secret) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func decodeRetry(v *value) Retry {
	r := Retry{Attempts: max(1, number(v.get("attempts"))), On: v.get("on").strings()}
	if r.On == nil {
		r.On = []string{"node-lost"}
	}
	return r
}

func decodeNode(v *value) Node {
	return Node{
		Pool:          cmp.Or(v.get("pool").str(), "standard"),
		CPU:           max(1, number(v.get("cpu"))),
		Memory:        sizeOr(v.get("memory"), 2<<30),
		Disk:          sizeOr(v.get("disk"), 20<<30),
		Arch:          cmp.Or(v.get("arch").str(), "amd64"),
		HoldOnFailure: durationOr(v.get("hold_on_failure"), 0),
	}
}

func decodeKeep(v *value) Keep {
	return Keep{Builds: cmp.Or(number(v.get("builds")), 50), Days: number(v.get("days")), Files: v.get("files").strings()}
}

// number returns an integer that has been checked, or 0.
func number(v *value) int {
	if v == nil {
		return 0
	}
	n, _ := strconv.Atoi(v.str())
	return n
}

func durationOr(v *value, def time.Duration) time.Duration {
	if v == nil {
		return def
	}
	if d, err := ParseDuration(v.str()); err == nil {
		return d
	}
	return def
}

func sizeOr(v *value, def int64) int64 {
	if v == nil {
		return def
	}
	if n, err := ParseSize(v.str()); err == nil {
		return n
	}
	return def
}

// variables decodes a map of single values, sorted by name.
func variables(v *value) []Variable {
	var out []Variable
	for name, val := range v.members() {
		out = append(out, Variable{name, val.str()})
	}
	slices.SortFunc(out, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	return out
}
