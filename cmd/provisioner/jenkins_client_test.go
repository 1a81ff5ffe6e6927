package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/jenkins"
)

// A controller is the running Jenkins, with a folder of the test's own in it.
type controller struct {
	testing.TB
	testenv.Jenkins
	root   string          // the folder, and the owner of the machines
	client *jenkins.Client // of the given user, who may do what the tests need
}

// newController makes the folder, which is deleted when the test ends.
func newController(t testing.TB) *controller {
	t.Helper()
	j := &controller{TB: t, Jenkins: testenv.RunningJenkins(t), root: "acceptance-" + strings.ToLower(rand.Text()[:8])}
	var err error
	if j.client, err = jenkins.New(jenkins.Config{URL: j.URL, User: j.User, Token: j.Token}); err != nil {
		t.Fatal(err)
	}
	j.create("", j.root, `<com.cloudbees.hudson.plugins.folder.Folder><description>made by a test of batchctl, which deletes it</description></com.cloudbees.hudson.plugins.folder.Folder>`)
	t.Cleanup(func() { j.form(jobPath(j.root)+"/doDelete", nil) })
	return j
}

// do sends a request and returns the status and the body.
func (j *controller) do(method, path, contentType, body string) (int, string, error) {
	req, err := http.NewRequest(method, j.URL+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.SetBasicAuth(j.User, j.Token)
	req.Header.Set("Content-Type", contentType)
	client := http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// get returns a page.
func (j *controller) get(path string) string {
	j.Helper()
	status, body, err := j.do("GET", path, "", "")
	if err != nil || status != http.StatusOK {
		j.Fatalf("GET %s: %d %v", path, status, err)
	}
	return body
}

// json reads a page into a value.
func (j *controller) json(path string, into any) {
	j.Helper()
	if err := json.Unmarshal([]byte(j.get(path)), into); err != nil {
		j.Fatalf("GET %s: %v", path, err)
	}
}

// post sends a document and wants it taken.
func (j *controller) post(path, contentType, body string) string {
	j.Helper()
	status, text, err := j.do("POST", path, contentType, body)
	if err != nil || status >= 400 {
		j.Fatalf("POST %s: %d %v\n%.1000s", path, status, err, text)
	}
	return text
}

func (j *controller) form(path string, values url.Values) string {
	j.Helper()
	return j.post(path, "application/x-www-form-urlencoded", values.Encode())
}

// create makes an item in a folder; the top is "".
func (j *controller) create(folder, name, config string) {
	j.Helper()
	j.post(jobPath(folder)+"/createItem?name="+url.QueryEscape(name), "application/xml", config)
}

// credential stores a credential in the test's folder.
func (j *controller) credential(class, fields string) {
	j.Helper()
	j.post(jobPath(j.root)+"/credentials/store/folder/domain/_/createCredentials", "application/xml",
		fmt.Sprintf("<%s><scope>GLOBAL</scope>%s</%s>", class, fields, class))
}

// jobPath returns the URL path of an item by its full name.
func jobPath(fullName string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(fullName, "/") {
		if part != "" {
			b.WriteString("/job/" + url.PathEscape(part))
		}
	}
	return b.String()
}

// until looks again and again until what is wanted holds.
func until(t testing.TB, what string, limit time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("it does not hold within %v that %s", limit, what)
		case <-tick.C:
		}
	}
}

// userScript makes a user with the permissions that docs ask for, and no
// more. Only the controller's own users and a matrix can be given any from
// outside; elsewhere it prints nothing.
const userScript = `import hudson.security.*
def j = jenkins.model.Jenkins.get()
if (!(j.securityRealm instanceof HudsonPrivateSecurityRealm && j.authorizationStrategy instanceof GlobalMatrixAuthorizationStrategy)) return
def u = j.securityRealm.createAccount('NAME', UUID.randomUUID().toString())
def property = u.getProperty(jenkins.security.ApiTokenProperty) ?: new jenkins.security.ApiTokenProperty()
u.addProperty(property)
def token = property.generateNewToken('test').plainValue
u.save()
def c = hudson.model.Computer
[jenkins.model.Jenkins.READ, hudson.model.Item.READ, hudson.model.Item.CANCEL, hudson.model.Run.UPDATE, c.CREATE, c.CONFIGURE, c.CONNECT, c.DISCONNECT, c.DELETE].each {
  j.authorizationStrategy.add(it, org.jenkinsci.plugins.matrixauth.PermissionEntry.user('NAME'))
}
j.save()
print 'token=' + token`

// goneScript takes that user away, and what it was permitted.
const goneScript = `def j = jenkins.model.Jenkins.get()
def strategy = j.authorizationStrategy.class.getDeclaredConstructor().newInstance()
j.authorizationStrategy.grantedPermissionEntries.each { permission, entries -> entries.each { if (it.sid != 'NAME') strategy.add(permission, it) } }
j.authorizationStrategy = strategy
j.save()
hudson.model.User.getById('NAME', false)?.delete()`

// provisionerUser returns a user of least privilege and its token, or the
// given user where this Jenkins lets none be made.
func (j *controller) provisionerUser() (user, token string) {
	j.Helper()
	named := func(script string) url.Values {
		return url.Values{"script": {strings.ReplaceAll(script, "NAME", j.root)}}
	}
	_, said, err := j.do("POST", "/scriptText", "application/x-www-form-urlencoded", named(userScript).Encode())
	found := regexp.MustCompile(`token=([0-9a-f]+)`).FindStringSubmatch(said)
	if err != nil || found == nil {
		j.Logf("no user can be made here, so the given one must do: %v %.300s", err, said)
		return j.User, j.Token
	}
	j.Cleanup(func() { j.form("/scriptText", named(goneScript)) })
	return j.root, found[1]
}

// A build is what Jenkins says of a run.
type build struct {
	Job      string `json:"-"` // path
	Number   int
	Building bool
	Result   string
}

// item is a folder or a job.
type item struct {
	Name    string
	Jobs    []item
	InQueue bool
	Builds  []build
}

// builds returns all builds of the rendered jobs, and whether a job waits in
// the queue.
func (j *controller) builds() (all []build, queued bool) {
	j.Helper()
	var root item
	const job = "name,inQueue,builds[number,building,result]"
	j.json(jobPath(j.root)+"/api/json?tree=jobs[name,jobs[name,jobs["+job+"]]]", &root)
	for _, cluster := range root.Jobs {
		for _, group := range cluster.Jobs {
			for _, job := range group.Jobs {
				queued = queued || job.InQueue
				for _, b := range job.Builds {
					b.Job = cluster.Name + "/" + group.Name + "/" + job.Name
					all = append(all, b)
				}
			}
		}
	}
	return all, queued
}

// start starts a job of the tree by hand.
func (j *controller) start(job string, parameters url.Values) {
	j.Helper()
	var has struct {
		Property []struct {
			ParameterDefinitions []struct{ Name string }
		}
	}
	j.json(jobPath(j.root+"/"+job)+"/api/json?tree=property[parameterDefinitions[name]]", &has)
	verb := "/build?delay=0sec"
	for _, p := range has.Property {
		if len(p.ParameterDefinitions) > 0 {
			verb = "/buildWithParameters?delay=0sec"
		}
	}
	j.form(jobPath(j.root+"/"+job)+verb, parameters)
}

// log returns what a run has written.
func (j *controller) log(fullName string, number int) string {
	j.Helper()
	return j.get(fmt.Sprintf("%s/%d/consoleText", jobPath(fullName), number))
}

// agentJar fetches the agent that Jenkins gives to its machines.
func (j *controller) agentJar() string {
	j.Helper()
	file := filepath.Join(j.TempDir(), "agent.jar")
	if err := os.WriteFile(file, []byte(j.get("/jnlpJars/agent.jar")), 0o600); err != nil {
		j.Fatal(err)
	}
	return file
}

// node makes a node and returns its secret. The node goes when the test ends.
func (j *controller) node(name, label string) string {
	j.Helper()
	err := j.client.CreateNode(j.Context(), jenkins.NodeSpec{Name: name, Description: "made by a test of batchctl, which deletes it", Label: label, RemoteFS: "agent"})
	if err != nil {
		j.Fatal(err)
	}
	j.Cleanup(func() { _, _, _ = j.do("POST", "/computer/"+name+"/doDelete", "", "") })
	secret, err := j.client.Secret(j.Context(), name)
	if err != nil {
		j.Fatal(err)
	}
	return secret
}

// online waits until a node's agent is connected.
func (j *controller) online(name string, exited <-chan struct{}) {
	j.Helper()
	until(j, name+" is online", time.Minute, func() bool {
		select {
		case <-exited:
			j.Fatalf("the agent of %s has ended", name)
		default:
		}
		var computer struct{ Offline bool }
		j.json("/computer/"+name+"/api/json?tree=offline", &computer)
		return !computer.Offline
	})
}
