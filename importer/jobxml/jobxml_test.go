package jobxml_test

import (
	"strings"
	"testing"

	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/legacy"
)

func read(t testing.TB, text string) *jobxml.Job {
	t.Helper()
	root, err := jobxml.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	job, err := jobxml.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func TestLegacyRest(t *testing.T) {
	seen := map[string]int{}
	for _, c := range legacy.Jobs(400) {
		for _, k := range read(t, c.XML).Rest {
			seen[k.Path+" = "+k.Text]++
		}
	}
	for k, n := range seen {
		t.Log(n, k)
		if !strings.HasPrefix(k, "publishers/hudson.tasks.Mailer = ") {
			t.Errorf("not understood: %s", k)
		}
	}
	if len(seen) == 0 {
		t.Error("no mail was kept")
	}
}
