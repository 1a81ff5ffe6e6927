package legacy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/internal/legacy"
)

// TestJobs: the same number gives the same jobs, in all the forms, with the
// one misspelling, and each name once.
func TestJobs(t *testing.T) {
	jobs := legacy.Jobs(2000)
	if diff := cmp.Diff(jobs, legacy.Jobs(2000)); diff != "" {
		t.Error("a second time there are other jobs")
	}
	if len(jobs) != 2050 {
		t.Errorf("%d jobs", len(jobs))
	}
	names := map[string]bool{}
	misspelt, correct := 0, 0
	forms := map[string]int{"<project>": 0, "<matrix-project": 0, "<flow-definition": 0, "&#xd;": 0, "nohup": 0, "exec ": 0, "&lt;&lt;EOF": 0, "source ": 0,
		"# ": 0, "-XX:+UseConcMarkSweepGC": 0, "-Xloggc:": 0, "-XX:+PrintGCDateStamps": 0, "정산": 0, "<disabled>true": 0, "ReverseBuildTrigger": 0}
	for _, j := range jobs {
		if names[j.Name] {
			t.Errorf("%s is there twice", j.Name)
		}
		names[j.Name] = true
		if strings.Contains(j.XML, legacy.Misspelt) {
			misspelt++
			if j.Name != legacy.MisspeltJob {
				t.Errorf("%s is misspelt", j.Name)
			}
		}
		if strings.Contains(j.XML, legacy.CorrectOption) {
			correct++
		}
		if !strings.HasPrefix(j.XML, "<?xml version='1.1' encoding='UTF-8'?>\n<") {
			t.Errorf("%s begins otherwise than Jenkins writes it", j.Name)
		}
		for form := range forms {
			if strings.Contains(j.XML+j.Name, form) {
				forms[form]++
			}
		}
	}
	if misspelt != 1 || correct < 1000 {
		t.Errorf("%d misspelt, %d correct", misspelt, correct)
	}
	for form, n := range forms {
		if n < 5 {
			t.Errorf("%d jobs with %s", n, form)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if n, err := legacy.Write(dir, 40); n != 41 || err != nil {
		t.Fatal(n, err)
	}
	for _, file := range []string{"jobs/live-1/config.xml", "jobs/live-1/jobs/settlement/config.xml",
		"jobs/live-1/jobs/settlement/jobs/daily-settlement/config.xml", legacy.Checksums} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
}
