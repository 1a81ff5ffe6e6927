package factor

import (
	"strings"
	"testing"

	"github.com/batchctl/batchctl/batches"
)

// TestVerify: the check in the end sees what differs, also where the values are
// the same and only their place makes them wrong.
func TestVerify(t *testing.T) {
	const leaf = `apiVersion: batchctl/v1
kind: Batch
metadata: {name: a}
deploy: [c]
spec:
  java: {version: 11, heap: 1g}
  artifact: {url: "https://repo.example/a.jar", sha256: "0000000000000000000000000000000000000000000000000000000000000001"}
`
	load := func(files map[string]string) *batches.Tree {
		texts := map[string][]byte{"batchctl.yaml": []byte("apiVersion: batchctl/v1\n"), "clusters/c.yaml": []byte("phase: live\n")}
		for name, text := range files {
			texts[name] = []byte(text)
		}
		return batches.Load(batches.NewOverlay(nil, texts, nil))
	}
	check := func(files map[string]string) error {
		old := load(map[string]string{"apps/g/a.yaml": leaf})
		docs, _ := old.Effective()
		return verify(old, docs, load(files))
	}
	if err := check(map[string]string{"apps/g/a.yaml": leaf + "# more\n"}); err != nil {
		t.Error(err)
	}
	for what, files := range map[string]map[string]string{
		"another value":        {"apps/g/a.yaml": strings.Replace(leaf, "1g", "2g", 1)},
		"a leaf that is gone":  {},
		"a leaf with a fault":  {"apps/g/a.yaml": leaf + "deploy: [c]\n"},
		"an override too many": {"apps/g/a.yaml": leaf, "global.yaml": "overrides:\n  - when: {cluster: nowhere}\n    set: {spec: {java: {heap: 2g}}}\n", "apps/h/b.yaml": "x"},
	} {
		if err := check(files); err == nil || !strings.Contains(err.Error(), "nothing was written") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
