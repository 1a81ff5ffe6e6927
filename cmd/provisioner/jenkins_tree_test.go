package main

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/testenv"
)

// artifactUser and artifactPassword are what the repository of artifacts asks
// for; the jobs have them from Jenkins.
const artifactUser, artifactPassword = "reader", `p"a\s's`

// programs builds batchctl and provisioner as they are shipped.
func programs(t testing.TB) (bin string) {
	t.Helper()
	bin = t.TempDir()
	command(t, testenv.Root(), nil, "go", "build", "-o", bin, "./cmd/batchctl", "./cmd/provisioner")
	return bin
}

// command runs a program that has to succeed, and returns what it printed.
func command(t testing.TB, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if env != nil {
		cmd.Env = env
	}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, said.String())
	}
	return string(out)
}

// An example is a copy of examples/payments in a git repository.
type example struct {
	dir   string // the repository, with the tree at its top
	gates string // a file here of an app's name lets its runs go on
	url   string // of the repository
}

// newExample copies the example, to be applied below the folder root.
func newExample(t testing.TB, root string) *example {
	t.Helper()
	served := t.TempDir()
	e := &example{dir: filepath.Join(served, "payments"), gates: t.TempDir()}
	if err := os.CopyFS(e.dir, os.DirFS(filepath.Join(testenv.Root(), "examples", "payments"))); err != nil {
		t.Fatal(err)
	}
	overrides, err := os.ReadFile("testdata/jenkins_example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	url, sum := artifact(t)
	text := strings.NewReplacer("@ARTIFACT@", url, "@SHA256@", sum, "@GATES@", e.gates).Replace(string(overrides))
	edit(t, filepath.Join(e.dir, "batchctl.yaml"), func(s string) string { return strings.Replace(s, "root: payments", "root: "+root, 1) })
	edit(t, filepath.Join(e.dir, "global.yaml"), func(s string) string { return s + text })
	e.serve(t, served)
	return e
}

// edit changes a file, and wants the change to be one.
func edit(t testing.TB, file string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(text))
	if changed == string(text) {
		t.Fatalf("%s has nothing to change", file)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// artifact serves a program that prints what it was given, to those who have
// the password. It returns the program's URL and sha256.
func artifact(t testing.TB) (url, sum string) {
	t.Helper()
	jar := filepath.Join(t.TempDir(), "show.jar")
	command(t, testenv.Root(), nil, testenv.JVM(t, 11), "-XX:+UseSerialGC", "-cp", testenv.Groovy(t), "groovy.ui.GroovyMain", "dsl/testdata/program.groovy", jar)
	content, err := os.ReadFile(jar)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(content)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != artifactUser || password != artifactPassword {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(content) // who has gone asks again
	}))
	t.Cleanup(server.Close)
	return server.URL + "/show.jar", hex.EncodeToString(hash[:])
}

// serve serves the tree as a git repository over HTTP.
func (e *example) serve(t testing.TB, served string) {
	t.Helper()
	backend := strings.TrimSpace(command(t, e.dir, nil, "git", "--exec-path"))
	server := httptest.NewServer(&cgi.Handler{Path: filepath.Join(backend, "git-http-backend"), Env: []string{"GIT_PROJECT_ROOT=" + served, "GIT_HTTP_EXPORT_ALL=1"}})
	t.Cleanup(server.Close)
	e.url = server.URL + "/payments/.git"
}

// commit puts everything into the repository.
func (e *example) commit(t testing.TB) {
	t.Helper()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + e.gates}
	for _, args := range []string{"init --quiet --initial-branch main", "add .", "-c user.name=test -c user.email=test@example.com commit --quiet --message tree"} {
		command(t, e.dir, env, "git", strings.Fields(args)...)
	}
}

// open lets the runs of an app go on.
func (e *example) open(t testing.TB, app string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(e.gates, app), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

var credentialIDs = regexp.MustCompile(`(string|usernamePassword|file)\(credentialsId: \\'([^'\\]+)\\'`)

// storeCredentials stores what the secrets of the rendered jobs name.
func (j *controller) storeCredentials(groovy string) {
	j.Helper()
	done := map[string]bool{}
	for _, found := range credentialIDs.FindAllStringSubmatch(groovy, -1) {
		kind, id := found[1], found[2]
		if done[id] {
			continue
		}
		done[id] = true
		fields := "<id>" + html.EscapeString(id) + "</id>"
		switch kind {
		case "string":
			j.credential("org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl", fields+"<secret>secret of "+id+"</secret>")
		case "file":
			j.credential("org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl", fields+"<fileName>f</fileName><secretBytes>eA==</secretBytes>")
		default:
			j.credential("com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl",
				fields+"<username>"+artifactUser+"</username><password>"+html.EscapeString(artifactPassword)+"</password>")
		}
	}
	if !done["repo-reader"] {
		j.Fatal("the rendered jobs fetch their artifacts without credentials")
	}
}

// seed makes the seed job as batchctl prints it, and a node of its own that
// has batchctl and is no machine of the provisioner, and runs it.
func (j *controller) seed(e *example, bin, provisionerURL, token string) {
	j.Helper()
	batchctl := func(format string) string {
		return command(j, e.dir, nil, filepath.Join(bin, "batchctl"), "seed", "-o", format, "--run-as", j.User, "--repository", e.url,
			"--label", j.root, "--provisioner", provisionerURL, "--provisioner-token", "provisioner-token")
	}
	if err := os.WriteFile(filepath.Join(e.dir, "Jenkinsfile"), []byte(batchctl("jenkinsfile")), 0o600); err != nil {
		j.Fatal(err)
	}
	e.commit(j)
	j.credential("org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl", "<id>provisioner-token</id><secret>"+token+"</secret>")
	j.create(j.root, "seed", batchctl("xml"))
	stop := j.agent(j.root+"-seed", j.root, []string{"PATH=" + bin + ":/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"})
	defer stop()
	j.start("seed", nil)
	var b build
	until(j, "the seed job has ended", seedLimit, func() bool {
		status, _, err := j.do("GET", jobPath(j.root+"/seed")+"/1/api/json", "", "")
		if err != nil || status != http.StatusOK {
			return false
		}
		j.json(jobPath(j.root+"/seed")+"/1/api/json?tree=building,result", &b)
		return !b.Building
	})
	if b.Result != "SUCCESS" {
		j.Fatalf("the seed job ended with %s:\n%.5000s", b.Result, j.log(j.root+"/seed", 1))
	}
}

// agent makes a node and connects an agent to it. The caller stops it.
func (j *controller) agent(name, label string, env []string) (stop func()) {
	j.Helper()
	secret := filepath.Join(j.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(j.node(name, label)), 0o600); err != nil {
		j.Fatal(err)
	}
	cmd := exec.Command(testenv.JVM(j, 21), "-jar", j.agentJar(), "-url", j.URL, "-name", name, "-secret", "@"+secret, "-webSocket", "-workDir", j.TempDir())
	cmd.Env, cmd.Dir = env, j.TempDir()
	if err := cmd.Start(); err != nil {
		j.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	stop = func() { _ = cmd.Process.Kill(); <-exited }
	j.Cleanup(stop)
	j.online(name, exited)
	return stop
}
