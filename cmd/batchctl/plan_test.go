package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/internal/benchtree"
)

// savedXML is what a Jenkins had of a job after it had saved it, uiXML
// the same in the form of a save in the user interface: another order, CRLF,
// logRotator, what runs leave behind.
const (
	savedXML = "testdata/plan/saved.xml"
	uiXML    = "testdata/plan/ui.xml"
	savedJob = "live-1/settlement/daily-settlement"
)

// All forms of one job are the same job, and its digest that of its fields.
func TestActualOf(t *testing.T) {
	saved, err := actualOf([]byte(read(t, savedXML)), savedJob)
	if err != nil {
		t.Fatal(err)
	}
	ui, err := actualOf([]byte(read(t, uiXML)), savedJob)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(saved.fields, ui.fields); diff != "" {
		t.Errorf("a save has changed the job (-saved +saved in the UI):\n%s", diff)
	}
	if !saved.sealed || !saved.ours || saved.digest != saved.fields.Digest() {
		t.Errorf("sealed %v, ours %v, digest %s of a job with %s", saved.sealed, saved.ours, saved.digest, saved.fields.Digest())
	}
	saved.fields[dsl.Script] = ""
	want := dsl.Declared{
		dsl.Description: "Settles yesterday's payments\n\nOwner: settlement-team", dsl.Disabled: "false", dsl.Concurrency: "forbid",
		dsl.Schedule: "TZ=Asia/Seoul\n15 2 * * *", dsl.After: "/payments/live-1/capture/daily-capture",
		dsl.Parameters: "string RUN_DATE = \"\" (Business date, yyyyMMdd; empty means yesterday)\nboolean DRY_RUN = \"false\" (Work everything out, book nothing)",
		dsl.Keep:       "400 days, 400 builds", dsl.Sandbox: "true", dsl.Timeout: "2h", dsl.Retry: "attempts 2", dsl.Java: saved.fields[dsl.Java],
		dsl.Args: "--job=daily-settlement\n--date=${RUN_DATE}\n--chunk=5000\n--dry-run=${DRY_RUN}",
		dsl.Artifact: "credentials repo-reader\nurl https://repo.example/releases/settlement-batch/8.2.1/settlement-batch-8.2.1.jar\n" +
			"sha256 f29f14dbbd3d2fb5474b465b14bb2ccdd48adff0fb12809863325b45b6d3f6cb",
		dsl.Env: "LANG=C.UTF-8\nTZ=Asia/Seoul", dsl.Secrets: "DB_PASSWORD string settlement-db\nLEDGER_TOKEN string ledger-api-settlement",
		dsl.Scripts: saved.fields[dsl.Scripts], dsl.Files: "gc-*.log*\n*.hprof",
	}
	if diff := cmp.Diff(want, saved.fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// Each edit of a config.xml is an edit of its field, and of no other.
func TestActualOfEdited(t *testing.T) {
	text := read(t, savedXML)
	for _, c := range []struct {
		field    int
		old, new string
	}{
		{dsl.Description, "Settles", "Unsettles"},
		{dsl.Disabled, "<disabled>false", "<disabled>true"},
		{dsl.Concurrency, "<abortPrevious>false", "<abortPrevious>true"},
		{dsl.Schedule, "15 2 * * *", "15 3 * * *"},
		{dsl.After, "daily-capture<", "other<"},
		{dsl.After, "<name>SUCCESS", "<name>FAILURE"},
		{dsl.Parameters, "<name>DRY_RUN", "<name>WET_RUN"},
		{dsl.Parameters, "<defaultValue>false", "<defaultValue>true"},
		{dsl.Keep, "<numToKeep>400", "<numToKeep>4"},
		{dsl.Retry, "retry(count: 2", "retry(count: 3"},
		{dsl.Timeout, "timeout(time: 7200", "timeout(time: 21600"},
		{dsl.Java, "-Xmx12g", "-Xmx24g"},
		{dsl.Args, "--chunk=5000", "--chunk=1"},
		{dsl.Artifact, "url = &quot;https://", "url = &quot;http://"},
		{dsl.Secrets, "settlement-db", "another-db"},
		{dsl.Scripts, "word=FAILED", "word=fine"},
		{dsl.Files, "*.hprof", "*.txt"},
		{dsl.Script, "set -eu", "set -u"},
		{dsl.Sandbox, "<sandbox>true", "<sandbox>false"},
		{dsl.Other, "<keepDependencies>", "<quietPeriod>7</quietPeriod><keepDependencies>"},
		{dsl.Other, "</properties>", "<org.x.ThrottleProperty><max>2</max></org.x.ThrottleProperty></properties>"},
	} {
		if !strings.Contains(text, c.old) {
			t.Fatalf("no %s in %s", c.old, savedXML)
		}
		a, err := actualOf([]byte(strings.Replace(text, c.old, c.new, 1)), savedJob)
		if err != nil {
			t.Fatal(err)
		}
		now := a.fields.Digest()
		for i := range now {
			inScript := i == dsl.Script && c.field >= dsl.Timeout
			if (now[i] != a.digest[i]) != (i == c.field || inScript) {
				t.Errorf("%s → %s: %s is %q", c.old, c.new, dsl.DeclaredNames[i], a.fields[i])
			}
		}
	}
	if a, err := actualOf([]byte("<project><builders/></project>"), savedJob); err != nil || a.ours || a.fields[dsl.Other] != "a freestyle job" {
		t.Errorf("a freestyle job is %+v, %v", a, err)
	}
}

// Plan asks for all jobs in one list and a config.xml each, and all are as
// declared.
func TestPlanManyJobs(t *testing.T) {
	dir := t.TempDir()
	if err := benchtree.Write(dir, 1000); err != nil {
		t.Fatal(err)
	}
	configs := applied(dir)
	names := slices.Sorted(func(yield func(string) bool) {
		for name, config := range configs {
			if !strings.Contains(config, folderElement) && !yield(name) {
				return
			}
		}
	})
	server, asked := fakeJenkins(t, configs)
	defer server.Close()
	t.Setenv("JENKINS_URL", server.URL)
	r := planned(t, dir)
	if r.Declared != len(names) || r.FolderCounts.Declared != len(configs)-len(names) || len(r.Jobs)+len(r.Folders) > 0 {
		t.Fatalf("of %d jobs %d are as declared, and %d folders; %+v", len(names), r.Declared, r.FolderCounts.Declared, r.Jobs[:min(len(r.Jobs), 2)])
	}
	if got := int(asked.Load()); got > len(configs)+10 {
		t.Errorf("%d calls for %d jobs", got, len(configs))
	}
	delete(configs, names[0])
	configs[names[1]] += forbidden
	if r := planned(t, dir); r.Create != 1 || r.NotSeen != 1 || r.Declared != len(names)-2 {
		t.Errorf("one less and one that may not be read: %d to create, %d not seen, %d as declared", r.Create, r.NotSeen, r.Declared)
	}
}

// What many jobs have alike stands there once and first; what was done by hand
// never does.
func TestFold(t *testing.T) {
	var r planReport
	for n := range folded {
		path := fmt.Sprintf("live-1/g/j%02d", n)
		alike := []planField{{Field: "java.version", Action: "change", Jenkins: "11", Tree: "21"}, {Field: "timeout", Action: "drift", Jenkins: "1h", Tree: "2h"}}
		if n == 3 {
			alike[0].Tree = "25"
		}
		r.addJob(planItem{Path: path, Jenkins: path, Actions: []string{"change", "drift", "not seen"}, Fields: alike, Note: "not for you"})
		r.addFolder(planItem{Path: path, Jenkins: path, Actions: []string{"not seen"}, Note: "not for you"})
	}
	var out strings.Builder
	if err := writePlan(&out, &r); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 2+2*folded+2 || !strings.HasPrefix(lines[0], "? 10 folders") || !strings.HasSuffix(lines[0], "not for you (live-1/g/j00/ and 9 more)") ||
		lines[1] != "? 10 jobs       not for you (live-1/g/j00 and 9 more)" || strings.Count(out.String(), "11 → 21") != 9 || strings.Count(out.String(), "2h → 1h") != 10 {
		t.Errorf("%d lines:\n%s", len(lines), out.String())
	}
}

// An answer that is none ends plan with an error: it is no empty Jenkins.
func TestPlanErrors(t *testing.T) {
	dir := t.TempDir()
	if err := benchtree.Write(dir, 3); err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{"api/json": 500, "config.xml": 503} {
		good, _ := fakeJenkins(t, applied(dir))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, path) {
				w.WriteHeader(status)
				return
			}
			good.Config.Handler.ServeHTTP(w, r)
		}))
		t.Setenv("JENKINS_URL", server.URL)
		if code, stdout, stderr := call("-C", dir, "plan"); code != exitError || stdout != "" || !strings.Contains(stderr, fmt.Sprint(status)) {
			t.Errorf("%d for %s: ended with %d, %s%s", status, path, code, stdout, stderr)
		}
		server.Close()
		good.Close()
	}
}
