package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
	"github.com/batchctl/batchctl/jenkins"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

func TestCheckAllWell(t *testing.T) {
	w := newWorld(t)
	printed, failed := w.check()
	want := `ok    configuration: DIR/provisioner.yaml
ok    key file: DIR/key is not there yet; the first start makes it
ok    store: DIR/state.db: its tables are up to date; written and read back
ok    catalog: DIR/catalog.json: 1 job
ok    controller live: Jenkins 2.579 at JENKINS as provisioner
ok    controller live: Job/Read: live-1/settlement/daily can be read
ok    controller live: Agent/Create: may make nodes
ok    controller live: Agent/Connect: may read the secret by which a machine becomes a node
ok    controller live: Agent/Configure: may take the label from a node
ok    controller live: Agent/Disconnect: may take nodes offline
ok    controller live: Agent/Delete: may delete nodes
ok    cloud here: 0 machines in DIR/machines
ok    cloud here: java is Java 21
ok    pool standard: 1 job, 1 place
`
	if got := lines(printed, "ok"); got != want || failed > 0 {
		t.Errorf("got\n%s\nwant\n%s", printed, want)
	}
	if len(w.Nodes()) > 0 {
		t.Errorf("a node is left: %v", w.Nodes())
	}
	if _, err := os.Stat(filepath.Join(w.dir, "key")); err == nil {
		t.Error("the check made the key")
	}
}

// A permission that is missing is named, with the way to grant it, and what
// hangs on it is not claimed.
func TestCheckPermissions(t *testing.T) {
	const grant = "      grant %s (%s) to provisioner in Manage Jenkins > Security\n"
	for lacking, test := range map[string]struct {
		want string
		left int // nodes
	}{
		jenkinstest.OverallRead: {"FAIL  controller live: Overall/Read: user provisioner lacks the permission\n" +
			"      grant hudson.model.Hudson.Read to provisioner in Manage Jenkins > Security\n", 0},
		jenkinstest.AgentCreate: {"FAIL  controller live: Agent/Create: user provisioner may not make nodes\n" +
			fmt.Sprintf(grant, "Agent/Create", jenkinstest.AgentCreate) +
			"warn  controller live: Agent/Connect, Agent/Configure, Agent/Disconnect and Agent/Delete were not tried, as there is no node to try them on\n", 0},
		jenkinstest.AgentConnect: {"FAIL  controller live: Agent/Connect: user provisioner may not read the secret by which a machine becomes a node\n" +
			fmt.Sprintf(grant, "Agent/Connect", jenkinstest.AgentConnect), 0},
		jenkinstest.AgentConfigure: {"warn  controller live: Agent/Configure: without it a node keeps its label while its run is on it, and is taken offline a look after that has left; in between another attempt of the run can come to a machine that has been used, and where Jenkins is killed just after the run has begun, its program can be started twice at once\n" +
			fmt.Sprintf(grant, "Agent/Configure", jenkinstest.AgentConfigure), 0},
		jenkinstest.AgentDisconnect: {"FAIL  controller live: Agent/Disconnect: user provisioner may not take nodes offline\n" +
			fmt.Sprintf(grant, "Agent/Disconnect", jenkinstest.AgentDisconnect), 0},
		jenkinstest.AgentDelete: {"FAIL  controller live: Agent/Delete: user provisioner may not delete nodes\n" +
			fmt.Sprintf(grant, "Agent/Delete", jenkinstest.AgentDelete) +
			"warn  controller live: the node check-here-NAME is still there\n      delete it by hand: JENKINS/computer/check-here-NAME\n", 1},
		jenkinstest.JobRead: {"warn  controller live: Job/Read: the catalog's job live-1/settlement/daily is not seen: either it is not there, or provisioner lacks the permission; Jenkins does not tell which\n" +
			fmt.Sprintf(grant, "Job/Read", jenkinstest.JobRead) + "      if it has it, run the seed job, which makes the jobs of the catalog\n", 0},
	} {
		t.Run(lacking, func(t *testing.T) {
			w := newWorld(t)
			w.AddUser("provisioner", slices.DeleteFunc(slices.Clone(jenkinstest.ProvisionerPermissions), func(p string) bool { return p == lacking })...)
			printed, failed := w.check()
			if got := lines(printed, "FAIL", "warn"); !strings.Contains(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if want := strings.Count(test.want, "FAIL"); failed != want {
				t.Errorf("%d checks failed, not %d:\n%s", failed, want, printed)
			}
			if n := len(w.Nodes()); n != test.left {
				t.Errorf("%d nodes are left, not %d", n, test.left)
			}
		})
	}
}

// What may be wrong besides, each said in a line and with a way out.
func TestCheckTroubles(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*world)
		want    []string
	}{
		"wrong token": {func(w *world) { w.file("tok", 0o600, "not this one") }, []string{
			"FAIL  controller live: Jenkins does not take the token of user provisioner\n      make a new API token on the user's Security page, and write it into DIR/tok\n"}},
		"Jenkins is down": {func(w *world) { w.url = "http://127.0.0.1:1" }, []string{
			"FAIL  controller live: no answer from JENKINS: dial tcp", "connection refused\n      is Jenkins running, is the url right, and may this host connect to it?\n"}},
		"Jenkins starts": {func(w *world) {
			w.Fail(func(string, string) jenkinstest.Fault { return jenkinstest.Error503 })
		}, []string{"FAIL  controller live: no answer from JENKINS: Jenkins is getting ready to work"}},
		"login page": {func(w *world) {
			w.Fail(func(string, string) jenkinstest.Fault { return jenkinstest.LoginPage })
		}, []string{"FAIL  controller live: JENKINS does not answer as a Jenkins", "a proxy or a login page before Jenkins must let calls with a user and an API token through\n"}},
		"wrong path": {func(w *world) { w.config = strings.Replace(w.config, "JENKINS", "JENKINS/ci", 1) }, []string{
			"FAIL  controller live: JENKINS/ci does not answer as a Jenkins: not found", "url must be the root of the controller, with its path prefix\n"}},
		"old Jenkins": {func(w *world) {
			w.tamper = func(r *http.Response) { r.Header.Set("X-Jenkins", "2.504.1") }
		}, []string{"warn  controller live: Jenkins 2.504.1 is older than 2.541"}},
		"clock ahead": {func(w *world) {
			w.tamper = func(r *http.Response) {
				r.Header.Set("Date", time.Now().Add(10*time.Second).UTC().Format(http.TimeFormat))
			}
		}, []string{"warn  controller live: its clock is 9s ahead of this host's|warn  controller live: its clock is 10s ahead of this host's"}},
		"clock behind": {func(w *world) {
			w.tamper = func(r *http.Response) {
				r.Header.Set("Date", time.Now().Add(-10*time.Second).UTC().Format(http.TimeFormat))
			}
		}, []string{"warn  controller live: its clock is 9s behind this host's|warn  controller live: its clock is 10s behind this host's"}},
		"configuration": {func(w *world) { w.config = strings.Replace(w.config, "pools:", "pool:", 1) }, []string{
			"FAIL  configuration: 2 problems\n      DIR/provisioner.yaml:1:1: pools: is missing\n      DIR/provisioner.yaml:6:1: pool: unknown key\n          did you mean pools?\n", "\n0 ok, 0 warnings, 1 failed\n"}},
		"no place for the store": {func(w *world) { w.config = strings.Replace(w.config, "state.db", "none/state.db", 1) }, []string{
			"FAIL  store: ", "the directory has to be there and this user has to be allowed to write in it"}},
		"no place for the key": {func(w *world) { w.config = strings.Replace(w.config, "key_file: key", "key_file: none/key", 1) }, []string{
			"FAIL  key file: DIR/none/key is not there yet, and the first start cannot make it:", "make its directory, and let the provisioner's user write there\n"}},
		"another job": {func(w *world) {
			w.jobs(aJob("live-1/settlement/hourly"))
		}, []string{"warn  controller live: Job/Read: the catalog's job live-1/settlement/hourly is not seen"}},
		"broken catalog": {func(w *world) { w.file("catalog.json", 0o644, "{") }, []string{"FAIL  catalog: DIR/catalog.json: "}},
		"no catalog": {func(w *world) { w.config = strings.Replace(w.config, "catalog: catalog.json\n", "", 1) }, []string{
			"warn  catalog: none has been pushed yet", "warn  controller live: Job/Read: no job is seen outside of folders"}},
		"no place for machines": {func(w *world) {
			w.file("machines", 0o600, "not a directory")
		}, []string{"FAIL  cloud here: ", "dir must be a directory in which the provisioner's user may write\n"}},
		"no java": {func(w *world) { w.config += "bootstrap: {java: /none/java}\n" }, []string{
			"FAIL  cloud here: java (/none/java, in the machines' PATH DIR:/usr/bin:/bin) is not there, or cannot be run\n      install a JRE, or name the java of one with bootstrap.java\n"}},
		"old java": {func(w *world) { w.file("java", 0o700, "#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n") }, []string{
			"warn  cloud here: java is Java 8, and Jenkins' policy asks for 21 or later on agents of these controllers"}},
		"odd java": {func(w *world) { w.file("java", 0o700, "#!/bin/sh\necho broken; exit 3\n") }, []string{
			"FAIL  cloud here: java (java, in the machines' PATH DIR:/usr/bin:/bin) does not say its version: broken (exit status 3)\n"}},
		"unknown pool": {func(w *world) {
			j := aJob("live-1/settlement/daily")
			j.Node.Pool = "standart"
			w.jobs(j)
		}, []string{"FAIL  pool standart: it is not in the configuration, and 1 job asks for it; live-1/settlement/daily first\n      did you mean standard?\n"}},
		"unknown controller": {func(w *world) {
			j := aJob("live-1/settlement/daily")
			j.Controller = "test"
			w.jobs(j)
		}, []string{"warn  catalog: 1 job on the controller test, which is not in the configuration; live-1/settlement/daily first\n      there are: live\n"}},
		"other processor": {func(w *world) {
			j := aJob("live-1/settlement/daily")
			j.Node.Arch = map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
			w.jobs(j)
		}, []string{"FAIL  pool standard: live-1/settlement/daily needs "}},
		"a giant": {func(w *world) {
			j := aJob("live-1/settlement/daily")
			j.Node.CPU = 10000
			w.jobs(j)
		}, []string{"warn  pool standard: live-1/settlement/daily asks for 10000 cpu, ", "its runs are started, and share what there is\n"}},
		"small spares": {func(w *world) {
			w.config = strings.Replace(w.config, "cloud: here}]", "cloud: here}], spares: {count: 1, cpu: 1, memory: 64Mi, disk: 1Gi, arch: "+runtime.GOARCH+"}", 1)
			large := aJob("live-1/settlement/large")
			large.Node.Disk = 9 << 30
			w.jobs(aJob("live-1/settlement/daily"), large)
		}, []string{"note  pool standard: its spares (1 cpu, 64Mi, disk 1Gi, " + runtime.GOARCH + ") fit 1 of 2 jobs; live-1/settlement/large needs 1 cpu, 1Mi, disk 9Gi, " + runtime.GOARCH + "\n"}},
		"useless spares": {func(w *world) {
			w.config = strings.Replace(w.config, "cloud: here}]", "cloud: here}], spares: {count: 1, cpu: 1, memory: 64Mi, disk: 1Gi, arch: "+runtime.GOARCH+"}", 1)
			large := aJob("live-1/settlement/daily")
			large.Node.Disk = 9 << 30
			w.jobs(large)
		}, []string{"warn  pool standard: its spares (", "give spares what the jobs ask for, or keep none\n"}},
		"nobody at machines_url": {func(w *world) { w.config += "machines_url: http://127.0.0.1:1\n" }, []string{
			"warn  machines_url: nothing answers at http://127.0.0.1:1: dial tcp", "check again while provisioner serve runs; machines call in there\n"}},
		"another at machines_url": {func(w *world) { w.config += "machines_url: JENKINS\n" }, []string{
			"warn  machines_url: JENKINS/healthz answers 403 Forbidden, and a provisioner would answer 200\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			printed, failed := w.check()
			for _, want := range test.want {
				if !slices.ContainsFunc(strings.Split(want, "|"), func(w string) bool { return strings.Contains(printed, w) }) {
					t.Errorf("got\n%s\nwant %q", printed, want)
				}
			}
			if fails := strings.HasPrefix(test.want[0], "FAIL"); fails != (failed > 0) {
				t.Errorf("%d checks failed:\n%s", failed, printed)
			}
			if len(w.Nodes()) > 0 {
				t.Error("a node is left")
			}
		})
	}
}

// The node is deleted also when Jenkins breaks connections: each call in turn
// loses its request, or its reply.
func TestCheckLeavesNoNode(t *testing.T) {
	for _, fault := range []jenkinstest.Fault{jenkinstest.DropRequest, jenkinstest.DropReply} {
		for _, call := range []string{"doCreateItem", "jenkins-agent.jnlp", "config.xml", "changeOfflineCause", "doDelete"} {
			w := newWorld(t)
			var struck atomic.Bool // requests come side by side
			w.Fail(func(_, path string) jenkinstest.Fault {
				if !strings.HasSuffix(path, call) || !struck.CompareAndSwap(false, true) {
					return jenkinstest.NoFault
				}
				return fault
			})
			printed, _ := w.check()
			if !struck.Load() || len(w.Nodes()) > 0 {
				t.Errorf("%s, fault %d: nodes are left: %v\n%s", call, fault, w.Nodes(), printed)
			}
		}
	}
}

// The check tells of a running Jenkins that the administrator may do all, and
// leaves it as it was.
func TestCheckRunningJenkins(t *testing.T) {
	lab := testenv.RunningJenkins(t)
	w := newWorld(t)
	w.url = lab.URL
	w.file("tok", 0o600, lab.Token)
	w.config = strings.NewReplacer("user: provisioner", "user: "+lab.User, "catalog: catalog.json\n", "").Replace(w.config)
	nodesOf := func() (names []string) {
		client, err := jenkins.New(jenkins.Config{URL: lab.URL, User: lab.User, Token: lab.Token})
		if err != nil {
			t.Fatal(err)
		}
		look, err := client.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range look.Nodes {
			if strings.HasPrefix(n.Name, "check-here-") {
				names = append(names, n.Name)
			}
		}
		return names
	}
	printed, failed := w.check()
	for _, p := range []permission{agentCreate, agentConnect, agentConfigure, agentDisconnect, agentDelete} {
		if !strings.Contains(printed, "ok    controller live: "+p.name) {
			t.Errorf("no word of %s", p.name)
		}
	}
	if failed > 0 || strings.Contains(printed, lab.Token) || len(nodesOf()) > 0 {
		t.Errorf("%d failed, nodes %v\n%s", failed, nodesOf(), printed)
	}
	w.file("tok", 0o600, "wrong")
	if printed, failed := w.check(); failed != 1 || !strings.Contains(printed, "does not take the token of user "+lab.User) {
		t.Error(printed)
	}
}

func TestMinorOf(t *testing.T) {
	want := map[string]int{"2.541.3": 541, "2.579": 579, "2.555.1-rc1": 555, "3.1": -1, "": -1, "2": -1, "2.x": -1}
	got := map[string]int{}
	for version := range want {
		n, ok := minorOf(version)
		if !ok {
			n = -1
		}
		got[version] = n
	}
	if !maps.Equal(got, want) {
		t.Error(got)
	}
}

// A token that goes to another host without encryption is worth a word.
func TestCheckEncrypted(t *testing.T) {
	for url, want := range map[string]string{"https://jenkins.example/": "", "http://127.0.0.1:8080/": "", "http://[::1]:8080/": "", "http://localhost/": "", "http://jenkins.example/": "warn  controller live: the token goes to Jenkins without encryption"} {
		var out bytes.Buffer
		(&controllerCheck{checker: &checker{out: &out}, thing: "controller live", cfg: Controller{URL: url}}).encrypted()
		if got, _, _ := strings.Cut(out.String(), "\n"); got != want {
			t.Errorf("%s: %q", url, got)
		}
	}
}

// The store may be PostgreSQL, with the password in a file of its own.
func TestCheckPostgreSQL(t *testing.T) {
	u, err := url.Parse(testenv.PostgreSQL(t))
	if err != nil {
		t.Fatal(err)
	}
	password, has := u.User.Password()
	if !has {
		password = "none is asked for"
	}
	u.User = url.User(u.User.Username())
	w := newWorld(t)
	w.file("pw", 0o600, password)
	w.config = strings.Replace(w.config, "sqlite:state.db", u.String()+"\nstore_password_file: pw", 1)
	printed, failed := w.check()
	if failed > 0 || !strings.Contains(printed, "ok    store: PostgreSQL database test_") || strings.Contains(printed, password) {
		t.Error(printed)
	}
}
