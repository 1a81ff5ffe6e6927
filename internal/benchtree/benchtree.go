// Package benchtree makes trees of any size for benchmarks.
package benchtree

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// The names are those of the generator for Jenkins Job Builder, so that both
// tools get jobs of one kind and size.
var (
	teams = []string{"pay", "ord", "inv", "crm", "log", "set", "rpt", "dwh", "fds", "mkt"}
	verbs = []string{"settle", "export", "import", "purge", "notify", "reconcile", "aggregate", "sync"}
)

// Write writes a tree of n batches, each in a file of its own and on one
// cluster, so that there are n jobs. What Jenkins Job Builder has in its
// template stands in the layers; what it has in an entry stands in the batch.
func Write(dir string, n int) error {
	files := map[string]string{
		"batchctl.yaml":         "apiVersion: batchctl/v1\njenkins: {root: batches}\n",
		"clusters/live-1.yaml":  "apiVersion: batchctl/v1\nphase: live\n",
		"phases/live.yaml":      "apiVersion: batchctl/v1\nspec:\n  node: {memory: 16Gi}\n",
		"global.yaml":           "apiVersion: batchctl/v1\nvars: {REPOSITORY: https://repo.example}\nspec:\n  schedule: {timezone: Asia/Seoul}\n  keep: {days: 30, builds: 50}\n",
		"app-types/batch.yaml":  batchLayer,
		"phases/staging.yaml":   "apiVersion: batchctl/v1\nspec:\n  node: {memory: 8Gi}\n",
		"clusters/staging.yaml": "apiVersion: batchctl/v1\nphase: staging\n",
	}
	for _, team := range teams {
		files["app-groups/"+team+".yaml"] = fmt.Sprintf("apiVersion: batchctl/v1\nmetadata: {owner: %s-team}\nspec:\n  java:\n    properties: {team: %s}\n", team, team)
	}
	for i := range n {
		team, name, text := batch(i)
		files["apps/"+team+"/"+name+".yaml"] = text
	}
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const batchLayer = `apiVersion: batchctl/v1
spec:
  java:
    version: 21
    heap: "{{HEAP}}"
    options: ["-Xms{{HEAP}}", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError"]
    properties: {file.encoding: UTF-8}
  artifact: {url: "{{REPOSITORY}}/{{app}}/{{JAR}}"}
  args: ["--job={{MAIN}}", "--date=${RUN_DATE}"]
  parameters:
    - {name: RUN_DATE, type: string, default: "", description: "business date, yyyyMMdd"}
    - {name: DRY_RUN, type: boolean, default: false, description: do nothing}
    - {name: MODE, type: choice, choices: [normal, rerun, backfill], description: how to run}
  env: {TZ: Asia/Seoul}
`

// batch writes the i-th batch; it depends on i alone.
func batch(i int) (team, name, text string) {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	pick := func(names ...string) string { return names[r.IntN(len(names))] }
	team = teams[i%len(teams)]
	verb := pick(verbs...)
	name = fmt.Sprintf("%s-%05d", verb, i)
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: batchctl/v1\nkind: Batch\nmetadata:\n  name: %s\n", name)
	fmt.Fprintf(&b, "  description: Batch %d of team %s, %s of the day\n", i, team, verb)
	fmt.Fprintf(&b, "deploy: [live-1]\nvars:\n  HEAP: %s\n", pick("512m", "1g", "2g", "4g"))
	fmt.Fprintf(&b, "  JAR: %s-batch-1.%d.jar\n  MAIN: %sJob%d\nspec:\n", verb, r.IntN(20), verb, i)
	fmt.Fprintf(&b, "  schedule: {cron: \"H %d * * %s\"}\n", r.IntN(24), pick("*", "1-5", "0"))
	fmt.Fprintf(&b, "  artifact: {sha256: \"%x\"}\n", sha256.Sum256([]byte(name)))
	fmt.Fprintf(&b, "  timeout: %s\n  node: {pool: %s}\n", pick("10m", "30m", "60m", "120m"), pick("linux-small", "linux-big", "linux-db"))
	return team, name, b.String()
}
