package jenkinstest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// The Jenkins that JENKINS_URL names keeps the contract, with real agents.
// The test takes six minutes, five of which one run waits for its lost node.
func TestControllerRunning(t *testing.T) {
	config := testenv.RunningJenkins(t)
	jenkinstest.TestController(t, func(t testing.TB) jenkinstest.Lab {
		lab := &running{TB: t, Jenkins: config, own: "contract-" + strings.ToLower(rand.Text()[:8]) + "-", java: testenv.JVM(t, 21)}
		t.Cleanup(lab.clear)
		return lab
	})
}

// A running lab is a part of a real Jenkins.
type running struct {
	testing.TB
	testenv.Jenkins
	own, java string
	made      bool // the folder
	jobs      map[string]bool
}

func (l *running) Config() jenkins.Config {
	return jenkins.Config{URL: l.URL, User: l.User, Token: l.Token}
}

func (l *running) Own(base string) string { return l.own + base }

// do sends a request, and returns its status and body.
func (l *running) do(method, path, contentType, body string) (int, string) {
	l.Helper()
	req, err := http.NewRequest(method, l.URL+path, strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	req.SetBasicAuth(l.User, l.Token)
	req.Header.Set("Content-Type", contentType)
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		l.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		l.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// post sends a document or nothing, and wants it taken.
func (l *running) post(path, document string) {
	l.Helper()
	contentType := "application/x-www-form-urlencoded"
	if document != "" {
		contentType = "application/xml"
	}
	if status, body := l.do("POST", path, contentType, document); status >= 400 {
		l.Fatalf("POST %s: %d %.500s", path, status, body)
	}
}

func (l *running) path(fullName string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(fullName, "/") {
		b.WriteString("/job/" + url.PathEscape(part))
	}
	return b.String()
}

func (l *running) PutJob(fullName string, job jenkinstest.LabJob) {
	l.Helper()
	folder, name, _ := strings.Cut(fullName, "/")
	if !l.made {
		l.made, l.jobs = true, map[string]bool{}
		l.post("/createItem?name="+url.QueryEscape(folder), `<com.cloudbees.hudson.plugins.folder.Folder/>`)
	}
	script := fmt.Sprintf("node('%s' + currentBuild.number) { sh 'sleep %d; echo woke' }", job.Label, job.Seconds)
	if job.Retries > 0 {
		script = fmt.Sprintf("retry(count: %d, conditions: [agent(), nonresumable()]) { %s }", job.Retries, script)
	}
	script = job.Comment + "\n" + script
	properties := ""
	if job.ForbidConcurrent {
		properties = `<org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty/>`
	}
	document := `<flow-definition><properties>` + properties + `</properties><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>` +
		script + `</script><sandbox>true</sandbox></definition></flow-definition>`
	if l.jobs[fullName] {
		l.post(l.path(fullName)+"/config.xml", document)
		return
	}
	l.jobs[fullName] = true
	l.post(l.path(folder)+"/createItem?name="+url.QueryEscape(name), document)
}

func (l *running) DeleteJob(fullName string) {
	l.Helper()
	l.post(l.path(fullName)+"/doDelete", "")
	delete(l.jobs, fullName)
}

func (l *running) DeleteBuild(ref jenkins.Ref) {
	l.Helper()
	l.post(fmt.Sprintf("%s/%d/doDelete", l.path(ref.Job), ref.Number), "")
}

func (l *running) Trigger(fullName string, quiet time.Duration) {
	l.Helper()
	l.post(fmt.Sprintf("%s/build?delay=%dsec", l.path(fullName), int(quiet.Seconds())), "")
}

func (l *running) Begun(ref jenkins.Ref) {
	l.Helper()
	l.Until(ref.String()+" has begun", time.Minute, func() bool {
		_, log := l.do("GET", fmt.Sprintf("%s/%d/consoleText", l.path(ref.Job), ref.Number), "", "")
		return strings.Contains(log, "+ sleep")
	})
}

// agent starts the process of an agent; its output goes into a file.
func (l *running) agent(node, secret string) (*exec.Cmd, string) {
	l.Helper()
	dir := l.TempDir()
	jar, secretFile := filepath.Join(dir, "agent.jar"), filepath.Join(dir, "secret")
	status, text := l.do("GET", "/jnlpJars/agent.jar", "", "")
	if status != http.StatusOK {
		l.Fatalf("agent.jar: %d", status)
	}
	for file, content := range map[string]string{jar: text, secretFile: secret} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			l.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		l.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(l.java, "-Xmx96m", "-XX:TieredStopAtLevel=1", "-jar", jar, "-url", l.URL, "-name", node, "-secret", "@"+secretFile, "-webSocket", "-workDir", dir)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if l.Failed() {
			text, _ := os.ReadFile(log.Name())
			l.Logf("the agent of %s says: %s", node, text)
		}
	})
	return cmd, log.Name()
}

func (l *running) Connect(node, secret string) func() {
	l.Helper()
	cmd, _ := l.agent(node, secret)
	return func() { cmd.Process.Kill(); cmd.Wait() }
}

// Refused waits for the agent's own words: it says so each time it has tried.
func (l *running) Refused(node, secret string) {
	l.Helper()
	cmd, log := l.agent(node, secret)
	defer func() { cmd.Process.Kill(); cmd.Wait() }() // else it takes the next chance
	l.Until(node+": the agent is refused", time.Minute, func() bool {
		text, err := os.ReadFile(log)
		if err != nil {
			l.Fatal(err)
		}
		if strings.Contains(string(text), "INFO: Connected") {
			l.Fatalf("%s: an agent was let in", node)
		}
		return strings.Contains(string(text), "Handshake error") || strings.Contains(string(text), "before retry")
	})
}

func (l *running) Until(what string, limit time.Duration, done func() bool) {
	l.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			l.Fatalf("%s: not within %v", what, limit)
		case <-tick.C:
		}
	}
}

// clear removes all that the lab made: its runs are stopped first, else their
// nodes would linger.
func (l *running) clear() {
	client, err := jenkins.New(l.Config())
	if err != nil {
		l.Fatal(err)
	}
	ctx := context.Background() // the test's own has ended
	if l.made {
		l.post(l.path(l.Own("folder"))+"/doDelete", "")
	}
	look, err := client.Look(ctx)
	if err != nil {
		l.Fatal(err)
	}
	for _, node := range look.Nodes {
		if strings.HasPrefix(node.Name, l.own) {
			if err := client.DeleteNode(ctx, node.Name); err != nil {
				l.Error(err)
			}
		}
	}
}
