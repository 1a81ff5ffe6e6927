// Package depcheck holds the rules of which package may import which.
package depcheck

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
)

const module = "github.com/batchctl/batchctl/"

// allowed says for each package what it may import of this module. Tests may
// import internal/testenv and internal/benchtree besides.
var allowed = map[string][]string{
	"batches":                   {"jvm"},
	"batches/internal/genzones": {},
	"batches/judge":             {},
	"batches/migrate":           {"batches", "batches/yamledit", "jvm"},
	"batches/treetest":          {},
	"batches/yamledit":          {},
	"catalog":                   {},
	"cmd/batchctl": {"batches", "batches/judge", "batches/migrate", "batches/yamledit", "catalog", "console/api", "dsl", "internal/gittree",
		"internal/journal", "internal/killpoint", "factor", "importer", "importer/jobxml", "jenkins", "jvm"},
	"cmd/provisioner": {"catalog", "console", "console/api", "internal/strictyaml", "jenkins", "jenkins/jenkinstest",
		"nodes", "nodes/bootstrap", "nodes/ec2", "nodes/local", "nodes/openstack", "store"},
	"console":                       {"catalog", "console/api", "nodes"},
	"console/api":                   {"catalog"},
	"dsl":                           {"batches", "catalog"},
	"internal/bench":                {"internal/benchtree"},
	"internal/bench/openstack":      {"internal/testenv", "nodes", "nodes/openstack", "nodes/openstack/openstacktest"},
	"internal/bench/clouds":         {"catalog", "internal/testenv", "jenkins/jenkinstest", "nodes", "nodes/ec2", "nodes/ec2/ec2test", "nodes/openstack", "nodes/openstack/openstacktest", "store"},
	"internal/bench/provisioner":    {"catalog", "jenkins", "jenkins/jenkinstest", "nodes", "nodes/nodetest", "store"},
	"internal/benchtree":            {},
	"internal/depcheck":             {},
	"internal/gittree":              {},
	"internal/journal":              {"internal/killpoint"},
	"internal/killpoint":            {},
	"internal/killpoint/killtest":   {"internal/killpoint"},
	"internal/strictyaml":           {},
	"internal/testenv":              {},
	"jenkins":                       {},
	"jenkins/jenkinstest":           {"internal/testenv", "jenkins"},
	"jvm":                           {},
	"jvm/internal/gentable":         {"internal/testenv", "jvm/internal/realjvm"},
	"jvm/internal/realjvm":          {"internal/testenv"},
	"nodes":                         {"catalog", "jenkins"},
	"nodes/bootstrap":               {"nodes"},
	"nodes/ec2":                     {"nodes"},
	"nodes/ec2/ec2test":             {},
	"nodes/local":                   {"nodes"},
	"nodes/nodetest":                {"catalog", "nodes"},
	"nodes/openstack":               {"nodes"},
	"nodes/openstack/openstacktest": {},
	"store":                         {"catalog", "nodes"},
	"factor":                        {"batches", "internal/yamldoc"},
	"importer":                      {"batches", "importer/groovy", "importer/javastart", "importer/jobxml", "internal/yamldoc", "jvm"},
	"importer/groovy":               {},
	"importer/javastart":            {},
	"importer/jobxml":               {},
	"internal/bench/change":         {"batches", "factor", "internal/benchtree", "internal/legacy"},
	"internal/legacy":               {},
	"internal/legacy/write":         {"internal/legacy"},
	"internal/yamldoc":              {},
}

func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = testenv.Root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg := strings.TrimPrefix(words[0], module)
		may, known := allowed[pkg]
		if !known {
			t.Errorf("%s is new: say here what it may import", pkg)
			continue
		}
		seen++
		for _, imported := range words[1:] {
			if name, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(may, name) {
				t.Errorf("%s imports %s, and may import only %v of this module", pkg, name, may)
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages are there, but the rules know %d", seen, len(allowed))
	}
}
