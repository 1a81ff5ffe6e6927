package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/local"
	"github.com/batchctl/batchctl/store"
)

// site is everything around a provisioner that runs as a process of its own:
// a Jenkins in this process, a catalog, a configuration, and machines.
type site struct {
	t       *testing.T
	dir     string
	jenkins *jenkinstest.Server
	url     string // of the provisioner
	owner   string
	store   string // its URL
	config  string // how the configuration names it
	process *exec.Cmd
	log     *logWatch
}

// asProvisioner is the variable by which TestMain knows that it is to be the
// provisioner.
const asProvisioner = "RUN_AS_PROVISIONER"

func newSite(t *testing.T, change func(*site)) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), owner: fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano()), log: &logWatch{news: make(chan struct{}, 1)}}
	s.store = "sqlite:" + filepath.Join(s.dir, "state.db")
	s.config = "store: " + s.store
	s.jenkins = jenkinstest.New(time.Now)
	s.jenkins.AddUser("provisioner", jenkinstest.ProvisionerPermissions...)
	s.write("jenkins-token", jenkinstest.Token("provisioner"))
	if change != nil {
		change(s)
	}
	server := httptest.NewServer(s.jenkins)
	t.Cleanup(server.Close)
	address := freeAddress(t)
	s.url = "http://" + address
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.writeMode("java", fmt.Sprintf("#!/bin/sh\nexec env %s=1 '%s' dev-agent \"$@\"\n", asProvisioner, self), 0o755)
	s.write("provisioner.yaml", fmt.Sprintf(`owner: %s
%s
listen: %s
key_file: %s/key
catalog: %s/catalog.json
controllers:
  main: {url: %s, user: provisioner, token_file: %s/jenkins-token, every: 100ms}
clouds:
  here: {driver: local, dir: %s/machines, every: 200ms}
pools:
  standard: {places: [{name: here-1, cloud: here}]}
timing: {repeat: 500ms}
bootstrap: {java: %s/java, java_options: []}
`, s.owner, s.config, address, s.dir, s.dir, server.URL, s.dir, s.dir, s.dir))
	t.Cleanup(s.end)
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *site) write(name, text string) { s.writeMode(name, text, 0o600) }

func (s *site) writeMode(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// jobs puts jobs into the catalog and into Jenkins. Their program waits until
// the file "go" is there.
func (s *site) jobs(names ...string) {
	s.t.Helper()
	var c catalog.Catalog
	for _, name := range names {
		j := catalog.Job{Path: "live-1/pay/" + name, Cluster: "live-1", Controller: "main", Folder: "live-1/pay", Token: catalog.Token("live-1/pay/" + name),
			Timeout: 600, Concurrency: "allow", Retry: catalog.Retry{Attempts: 1}, Node: catalog.Node{Pool: "standard", CPU: 1, Memory: 1 << 30, Disk: 1 << 30, Arch: "amd64"}}
		c.Jobs = append(c.Jobs, j)
		s.jenkins.PutJob(j.FullName(), jenkinstest.JobSpec{
			Label:  func(n int) string { return catalog.Label(j.Token, n) },
			Script: fmt.Sprintf("until [ -e '%s/go' ]; do sleep 0.05; done; echo settled", s.dir),
		})
	}
	var b bytes.Buffer
	if err := catalog.Write(&b, c); err != nil {
		s.t.Fatal(err)
	}
	s.write("catalog.json", b.String())
}

// letGo lets all programs end.
func (s *site) letGo() { s.write("go", "") }

// start starts the provisioner.
func (s *site) start() {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	s.process = exec.Command(self, "serve", "--config", filepath.Join(s.dir, "provisioner.yaml"))
	s.process.Env = append(os.Environ(), asProvisioner+"=1")
	pipe, err := s.process.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	go s.log.read(pipe)
}

// kill ends the provisioner with a signal, and waits for its end.
func (s *site) kill(signal syscall.Signal) {
	s.t.Helper()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(signal)
	err := s.process.Wait()
	if signal == syscall.SIGTERM && err != nil {
		s.t.Errorf("the provisioner ended with %v\n%s", err, s.log.text())
	}
	s.process = nil
}

// end takes away what a test has left, and fails it for that.
func (s *site) end() {
	s.kill(syscall.SIGKILL)
	d, err := local.New(local.Config{Dir: filepath.Join(s.dir, "machines"), Owner: s.owner})
	if err != nil {
		s.t.Error(err)
		return
	}
	vms, err := d.List(context.Background())
	if err != nil || len(vms) > 0 {
		s.t.Errorf("machines are left: %v, %v", vms, err)
	}
	for _, vm := range vms {
		_ = d.Destroy(context.Background(), vm.ID)
	}
	if s.t.Failed() {
		s.t.Log(s.log.text())
	}
}

// eventually waits until f is true; what says for what.
func (s *site) eventually(what string, f func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !f() {
		if time.Now().After(deadline) {
			s.t.Fatalf("still not so: %s\n%s", what, s.log.text())
		}
		s.jenkins.Settle()
		s.log.wait(50 * time.Millisecond)
	}
}

// says waits until the log has a new line with the text.
func (s *site) says(text string) {
	s.t.Helper()
	s.eventually("the log says "+text, func() bool { return s.log.has(text) })
}

// leases returns all leases there ever were.
func (s *site) leases() []nodes.Lease {
	s.t.Helper()
	db, err := store.Open(s.t.Context(), s.store)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	all, err := db.Runs(s.t.Context(), nodes.RunsFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// served checks that every run ended well, on a node of its own, and that
// nothing is left.
func (s *site) served(runs int) {
	s.t.Helper()
	s.eventually("all runs have ended", func() bool {
		all := s.jenkins.Runs()
		for _, run := range all {
			if run.Building {
				return false
			}
		}
		return len(all) == runs
	})
	used := map[string]string{}
	for _, run := range s.jenkins.Runs() {
		if run.Result != "SUCCESS" || len(run.Attempts) != 1 {
			s.t.Errorf("run %s: %s, attempts %+v", run.Ref, run.Result, run.Attempts)
			continue
		}
		node := run.Attempts[0].Node
		if other, twice := used[node]; twice {
			s.t.Errorf("node %s had %s and %s", node, other, run.Ref)
		}
		used[node] = run.Ref.String()
	}
	s.eventually("all leases are gone", func() bool {
		for _, l := range s.leases() {
			if l.State != nodes.Gone {
				return false
			}
		}
		return true
	})
	if left := s.jenkins.Nodes(); len(left) > 0 {
		s.t.Errorf("nodes are left: %+v", left)
	}
}

// ready returns what /readyz says.
func (s *site) ready() (ok bool, body string) {
	res, err := http.Get(s.url + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode == http.StatusOK, string(text)
}

// logWatch keeps the lines of a log.
type logWatch struct {
	mu    sync.Mutex
	lines []string
	seen  int // lines that has has seen
	news  chan struct{}
}

func (w *logWatch) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		w.mu.Lock()
		w.lines = append(w.lines, lines.Text())
		w.mu.Unlock()
		select {
		case w.news <- struct{}{}:
		default:
		}
	}
}

// has reports whether a line that it has not passed yet has the text, and
// passes it.
func (w *logWatch) has(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := w.seen; i < len(w.lines); i++ {
		if strings.Contains(w.lines[i], text) {
			w.seen = i + 1
			return true
		}
	}
	return false
}

func (w *logWatch) wait(d time.Duration) {
	select {
	case <-w.news:
	case <-time.After(d):
	}
}

func (w *logWatch) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines, "\n")
}
