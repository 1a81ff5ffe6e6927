package dsl_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/internal/testenv"
)

// The seed job itself, as its config.xml makes it: from a git repository to jobs and a catalog at the provisioner,
// with nobody asked to approve a script.
func TestJenkinsRunsSeedJob(t *testing.T) {
	j, root := newJenkins(t)
	job := small()
	job.Jenkins.Root = root
	var cat bytes.Buffer
	if err := catalog.Write(&cat, dsl.Catalog([]*batches.Job{job})); err != nil {
		t.Fatal(err)
	}
	pushed := make(chan string, 1)
	provisioner := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		pushed <- r.Method + " " + r.Header.Get("Authorization") + " " + string(body)
	}))
	defer provisioner.Close()
	j.secret(root, "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl", "<id>token</id><secret>t0ken</secret>")

	options := dsl.SeedOptions{
		Name: root + "/seed", Branch: "main", Tree: "the tree", ScriptPath: "ci/Jenkinsfile", RunAs: j.User, NodeLabel: root,
		ProvisionerURL: provisioner.URL + "/catalog", ProvisionerToken: "token",
	}
	tools := standIn(t, map[string]string{
		"folders.groovy": string(folders(t, job)), "jobs_0000.groovy": render(t, job)[0], "catalog.json": cat.String(),
	})
	options.Repository = repository(t, &options)
	config, err := dsl.SeedXML(options)
	if err != nil {
		t.Fatal(err)
	}
	j.create(root, "seed", config)
	j.agent(t, root, root, append(newNode(t, "LC_ALL=C.UTF-8").env, "PATH="+tools+":/usr/local/bin:/usr/bin:/bin"))

	b := j.end(root+"/seed", j.start(root+"/seed", nil))
	if b.Result != "SUCCESS" || !strings.Contains(b.log, "\nRunning as "+j.User+"\n") {
		t.Fatalf("%s: %s", b.Result, b.log)
	}
	same(t, "catalog", <-pushed, "PUT Bearer t0ken "+cat.String())
	same(t, "sandbox", j.config(root+"/"+job.Path).text("definition", "sandbox"), "true")
	spec := j.config(root+"/seed").text("properties", "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty", "triggers", "hudson.triggers.SCMTrigger", "spec")
	same(t, "poll", spec, "H/5 * * * *")
}

// Configuration as Code knows all that the YAML holds. Nothing is applied:
// that would change the Jenkins for all.
func TestJenkinsKnowsJCasC(t *testing.T) {
	j := &jenkins{t, testenv.RunningJenkins(t)}
	text, err := dsl.SeedJCasC(seedOptions())
	if err != nil {
		t.Fatal(err)
	}
	res, body := j.do("POST", "/configuration-as-code/check", "application/yaml", text)
	if res.StatusCode == http.StatusNotFound {
		testenv.Missing(t, "Configuration as Code in the running Jenkins")
	}
	if res.StatusCode != http.StatusOK || strings.TrimSpace(body) != "[]" {
		t.Errorf("%s: %.2000s", res.Status, body)
	}
}

func folders(t testing.TB, job *batches.Job) []byte {
	t.Helper()
	text, err := dsl.AppendFolders(nil, []batches.Folder{{Path: job.Cluster, Jenkins: job.Jenkins}, {Path: job.Cluster + "/" + job.Group, Jenkins: job.Jenkins}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// standIn makes a directory with a batchctl that writes the given files, as
// render does, and a good report.
func standIn(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		write(name, text, 0o600)
	}
	write("batchctl", `#!/bin/sh
set -eu
[ "$1 $2" = "-C the tree" ] && [ -f "the tree/batchctl.yaml" ]
case $3 in
validate) echo '<testsuite name="batchctl" tests="1"><testcase name="the tree"/></testsuite>' ;;
render) mkdir -p "$5" && cp '`+dir+`'/*.groovy '`+dir+`/catalog.json' "$5" ;;
esac
`, 0o700)
	return dir
}

// repository serves a git repository with a tree and its Jenkinsfile over
// HTTP, and returns its URL.
func repository(t *testing.T, o *dsl.SeedOptions) string {
	t.Helper()
	backend, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		testenv.Missing(t, "git")
	}
	dir := t.TempDir()
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(backend)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(server.Close)
	at, err := url.JoinPath(server.URL, "payments.git/.git")
	if err != nil {
		t.Fatal(err)
	}
	filled := *o
	filled.Repository = at
	jenkinsfile, err := dsl.SeedJenkinsfile(filled)
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "payments.git")
	for name, text := range map[string]string{o.ScriptPath: jenkinsfile, filepath.Join(o.Tree, "batchctl.yaml"): "{}\n"} {
		file := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "--quiet", "--initial-branch", "main"}, {"add", "."}, {"-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "tree"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = work
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return at
}
