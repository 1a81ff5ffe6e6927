package main

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/internal/testenv"
)

// liveJenkins is a running Jenkins with a folder for a test.
type liveJenkins struct {
	*testing.T
	testenv.Jenkins
	root string
}

func newLiveJenkins(t *testing.T) *liveJenkins {
	j := &liveJenkins{t, testenv.RunningJenkins(t), "batchctl-plan-" + strings.ToLower(rand.Text()[:8])}
	j.do("POST", "/createItem?name="+j.root, "<com.cloudbees.hudson.plugins.folder.Folder/>")
	t.Cleanup(func() { j.do("POST", "/job/"+j.root+"/doDelete", "") })
	return j
}

// do sends a request, and wants it taken.
func (j *liveJenkins) do(method, path, body string) string {
	j.Helper()
	req, err := http.NewRequest(method, j.URL+path, strings.NewReader(body))
	if err != nil {
		j.Fatal(err)
	}
	req.SetBasicAuth(j.User, j.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/xml")
	}
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		j.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil || res.StatusCode >= 400 {
		j.Fatalf("%s %s: %s %v %.2000s", method, path, res.Status, err, text)
	}
	return string(text)
}

// seed applies what render wrote, in one sandboxed script as the seed job.
func (j *liveJenkins) seed(out string) {
	j.Helper()
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(out, "*.groovy")) // folders before jobs
	if err != nil {
		j.Fatal(err)
	}
	for _, f := range files {
		all.WriteString(read(j.T, f))
	}
	script, err := dsl.Literal(all.String())
	if err != nil {
		j.Fatal(err)
	}
	var user, step strings.Builder
	must(xml.EscapeText(&user, []byte(j.User)))
	must(xml.EscapeText(&step, []byte("node { jobDsl(sandbox: true, scriptText: "+script+") }")))
	name := "seed-" + strings.ToLower(rand.Text()[:4])
	j.do("POST", "/job/"+j.root+"/createItem?name="+name, fmt.Sprintf(`<flow-definition><properties><org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty><strategy class="org.jenkinsci.plugins.authorizeproject.strategy.SpecificUsersAuthorizationStrategy"><userid>%s</userid></strategy></org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty></properties>
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>%s</script><sandbox>true</sandbox></definition></flow-definition>`, &user, &step))
	job := "/job/" + j.root + "/job/" + name
	j.do("POST", job+"/build?delay=0sec", "")
	j.ended(job)
}

// ended waits for the first build of a job, and wants it to succeed.
func (j *liveJenkins) ended(job string) {
	j.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last struct{ LastCompletedBuild *struct{ Result string } }
	for limit := time.After(2 * time.Minute); last.LastCompletedBuild == nil; {
		select {
		case <-limit:
			j.Fatalf("%s has not ended within two minutes", job)
		case <-tick.C:
		}
		if err := json.Unmarshal([]byte(j.do("GET", job+"/api/json?tree=lastCompletedBuild[result]", "")), &last); err != nil {
			j.Fatal(err)
		}
	}
	if last.LastCompletedBuild.Result != "SUCCESS" {
		j.Fatalf("%s: %s\n%.5000s", job, last.LastCompletedBuild.Result, j.do("GET", job+"/1/consoleText", ""))
	}
}

// wants runs plan with --exit-code, and looks for lines in what it says.
func (j *liveJenkins) wants(tree string, code int, lines ...string) {
	j.Helper()
	got, stdout, stderr := call("-C", tree, "plan", "--controller", "live", "--exit-code")
	if got != code {
		j.Errorf("plan ended with %d, not %d: %s", got, code, stderr)
	}
	for _, line := range lines {
		if !strings.Contains(stdout, line) {
			j.Errorf("plan does not say %q:\n%s", line, stdout)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// replaceIn changes a file of the tree.
func replaceIn(t *testing.T, file, old, text string) {
	t.Helper()
	before := read(t, file)
	if !strings.Contains(before, old) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(before, old, text)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPlanJenkins: what a Jenkins has of applied jobs and folders is as
// declared, also after it has saved them itself; an edit there is drift, and
// one of the tree a change.
func TestPlanJenkins(t *testing.T) {
	j := newLiveJenkins(t)
	tree, out := filepath.Join(t.TempDir(), "tree"), filepath.Join(t.TempDir(), "out")
	if err := os.CopyFS(tree, os.DirFS(filepath.Join(testenv.Root(), "examples", "payments"))); err != nil {
		t.Fatal(err)
	}
	replaceIn(t, filepath.Join(tree, "batchctl.yaml"), "root: payments", "root: "+j.root)
	total := planned(t, tree, "--controller", "live").Create
	if total == 0 {
		t.Fatal("nothing is to be created in an empty folder")
	}
	if code, _, stderr := call("-C", tree, "render", "--controller", "live", "--out", out); code != 0 {
		t.Fatal(stderr)
	}
	j.seed(out)
	j.wants(tree, 0, fmt.Sprintf("Plan: 0 to create, 0 to change, 0 drifted, 0 to remove, %d as declared.", total))
	for _, job := range pathsOf(t, tree) {
		path := "/job/" + j.root + "/job/" + strings.ReplaceAll(job, "/", "/job/")
		j.do("POST", path+"/disable", "")
		j.do("POST", path+"/enable", "") // saves it: another form of the same
	}
	// One of them is declared disabled, so that was an edit.
	j.wants(tree, 2, "! live-1/reporting/vat-return  disabled  drift: changed by hand in Jenkins, true → false", "1 drifted")
	j.do("POST", "/job/"+j.root+"/job/live-1/job/reporting/job/vat-return/disable", "")
	j.wants(tree, 0, fmt.Sprintf("%d as declared.", total))

	edited := "/job/" + j.root + "/job/live-1/job/settlement/job/daily-settlement/config.xml"
	config := j.do("GET", edited, "")
	if !strings.Contains(config, "15 2 * * *") {
		t.Fatalf("no schedule in %s", config)
	}
	j.do("POST", edited, strings.ReplaceAll(config, "15 2 * * *", "45 5 * * *"))
	j.wants(tree, 2, "! live-1/settlement/daily-settlement", "drift: changed by hand in Jenkins", "45 5 * * *; will be put back", "1 drifted")
	j.do("POST", edited, strings.ReplaceAll(config, "timeout(time: 7200", "timeout(time: 21600"))
	j.wants(tree, 2, "! live-1/settlement/daily-settlement", "timeout  drift: changed by hand in Jenkins, 2h → 6h; will be put back", "1 drifted")
	replaceIn(t, filepath.Join(tree, "apps", "settlement", "daily-settlement.yaml"), "CHUNK: 5000", "CHUNK: 6000")
	j.wants(tree, 2, "~ live-1/settlement/daily-settlement", "args     −--chunk=5000 +--chunk=6000", "timeout  drift: changed by hand in Jenkins, 2h → 6h; will be put back", "2 to change, 1 drifted")
	folder := "/job/" + j.root + "/job/live-1/job/settlement"
	config = j.do("GET", folder+"/config.xml", "")
	j.do("POST", folder+"/config.xml", strings.ReplaceAll(config, "GROUP:hudson.model.Item.Build:settlement-team", "USER:hudson.model.Item.Configure:mallory"))
	j.wants(tree, 2, "~ live-1/settlement/ ", "permissions  −user mallory Job/Configure +group settlement-team Job/Build", "folders: 1 to change")
	replaceIn(t, filepath.Join(tree, "apps", "settlement", "daily-settlement.yaml"), "Settles", "Really settles")
	j.wants(tree, 2, "~ live-1/settlement/daily-settlement", "! live-1/settlement/daily-settlement", "2 to change, 1 drifted")
}

// planned runs plan and returns what it says.
func planned(t *testing.T, tree string, args ...string) (r planReport) {
	t.Helper()
	_, stdout, stderr := call(append([]string{"-C", tree, "plan", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	return r
}

// pathsOf returns the paths of the tree's jobs.
func pathsOf(t *testing.T, tree string) []string {
	t.Helper()
	_, stdout, stderr := call("-C", tree, "list", "--controller", "live", "-o", "json")
	var list []struct{ Job string }
	if err := json.Unmarshal([]byte(stdout), &list); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	var out []string
	for _, l := range list {
		out = append(out, l.Job)
	}
	return out
}
