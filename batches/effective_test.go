package batches_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/batchctl/batchctl/batches"
)

func effectiveTree(leaf string) fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }
	return fstest.MapFS{
		"batchctl.yaml":    file("apiVersion: batchctl/v1\n"),
		"global.yaml":      file("vars: {A: x}\nspec:\n  timeout: 1h\n  keep: {days: 3, builds: 5}\n  env: {B: 1, C: \"{{A}}\"}\n"),
		"clusters/c1.yaml": file("phase: live\n"),
		"clusters/c2.yaml": file("phase: dev\n"),
		"apps/g/a.yaml":    file(leaf),
	}
}

// TestEffective: layers, overrides, references and nulls, also where the
// batch itself is not complete.
func TestEffective(t *testing.T) {
	docs, faults := batches.Load(effectiveTree(`apiVersion: batchctl/v1
kind: Batch
metadata: {name: a, owner: o}
deploy: [c2, c1]
spec: {keep: null, args: ["{{cluster}}", {}], retry: {}}
overrides:
  - when: {phase: dev}
    set: {spec: {timeout: 2h}}
`)).Effective()
	if len(faults) > 0 || len(docs) != 2 {
		t.Fatalf("%+v %+v", docs, faults)
	}
	for i, want := range []string{
		"c1/g/a live batch Batch apps/g/a.yaml; metadata.name=a; metadata.owner=o; spec.timeout=1h; spec.env.B=1; spec.env.C=x; spec.args=[c1 ]",
		"c2/g/a dev batch Batch apps/g/a.yaml; metadata.name=a; metadata.owner=o; spec.timeout=2h; spec.env.B=1; spec.env.C=x; spec.args=[c2 ]",
	} {
		d := docs[i]
		got := strings.Join([]string{d.Path, d.Phase, d.Type, d.Kind, d.File}, " ")
		for _, v := range d.Values {
			text := v.Node.Value
			if len(v.Node.Content) > 0 {
				var items []string
				for _, n := range v.Node.Content {
					items = append(items, n.Value)
				}
				text = "[" + strings.Join(items, " ") + "]"
			}
			got += "; " + strings.Join(v.Path, ".") + "=" + text
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	_, faults = batches.Load(effectiveTree("apiVersion: batchctl/v1\nkind: Batch\nmetadata: {name: a}\ndeploy: [c1]\nspec: {timeout: \"{{NO}}\"}\n")).Effective()
	if len(faults) == 0 || !strings.Contains(faults[0].Message, "{{NO}} is not defined") {
		t.Errorf("%+v", faults)
	}
}

func TestCheckValue(t *testing.T) {
	for _, tt := range []struct {
		text string
		path string
		good bool
	}{
		{"2g", "java heap", true}, {"2", "java heap", false}, {"11", "java version", true}, {"12", "java version", false},
		{"x", "env LANG", true}, {"x", "env IFS", false}, {"x", "env 1", false}, {"${A}", "args []", true}, {"${A", "args []", false},
		{"a", "parameters [] name", true}, {"PATH", "parameters [] name", false}, {"x", "no", false}, {"x", "java no", false}, {"5", "keep builds", true}, {"0", "keep builds", false},
	} {
		if err := batches.CheckValue(tt.text, strings.Fields(tt.path)...); (err == nil) != tt.good {
			t.Errorf("%s at %s: %v", tt.text, tt.path, err)
		}
	}
	if !batches.RunVariable("WORKSPACE") || batches.RunVariable("NOTHING") {
		t.Error("RunVariable")
	}
}
