package dsl_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
)

// agent makes a node with a label and connects an agent to it, a process of
// this machine whose environment is env. Both go when the test ends. It
// returns the node's name.
func (j *jenkins) agent(t *testing.T, root, label string, env []string) string {
	t.Helper()
	name := root + "-node"
	description, err := json.Marshal(map[string]any{
		"name": name, "nodeDescription": "made by a test of batchctl, which deletes it", "numExecutors": "1", "remoteFS": t.TempDir(), "labelString": label,
		"mode": "EXCLUSIVE", "launcher": map[string]any{"$class": "hudson.slaves.JNLPLauncher"}, "retentionStrategy": map[string]any{"$class": "hudson.slaves.RetentionStrategy$Always"},
		"nodeProperties": map[string]any{"stapler-class-bag": "true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	j.form("/computer/doCreateItem", url.Values{"name": {name}, "type": {"hudson.slaves.DumbSlave"}, "json": {string(description)}})
	t.Cleanup(func() { j.form("/computer/"+name+"/doDelete", nil) })
	secret := regexp.MustCompile(`<argument>([0-9a-f]{64})</argument>`).FindStringSubmatch(j.get("/computer/" + name + "/jenkins-agent.jnlp"))
	if secret == nil {
		t.Fatal("Jenkins tells no secret for the node")
	}
	dir := t.TempDir()
	jar, secretFile := filepath.Join(dir, "agent.jar"), filepath.Join(dir, "secret")
	if err := os.WriteFile(jar, []byte(j.get("/jnlpJars/agent.jar")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secretFile, []byte(secret[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testenv.JVM(t, 21), "-jar", jar, "-url", j.URL, "-name", name, "-secret", "@"+secretFile, "-webSocket", "-workDir", dir)
	cmd.Env = env
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the agent says: %s", text)
		}
	})
	j.until("the agent is online", time.Minute, func() bool {
		var computer struct{ Offline bool }
		j.json("/computer/"+name+"/api/json?tree=offline", &computer)
		return !computer.Offline
	})
	return name
}

// secret stores a credential in a folder.
func (j *jenkins) secret(folder, class, fields string) {
	j.Helper()
	j.post(itemPath(folder)+"/credentials/store/folder/domain/_/createCredentials", "application/xml",
		fmt.Sprintf("<%s><scope>GLOBAL</scope>%s</%s>", class, fields, class))
}
