package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// owner marks the machines of these benchmarks.
const owner = "bench"

// theKey is what bootstrap tokens are made from.
const theKey = "a key of 32 characters, or more."

// site is a Jenkins with jobs, and a provisioner that is started and killed.
type site struct {
	dir     string
	jenkins *jenkinstest.Server
	catalog catalog.Catalog
	url     string // of Jenkins
	listen  string // of the provisioner
	process *exec.Cmd
	kills   int
}

// newSite makes a Jenkins with jobs whose runs take so long.
func newSite(jobs int, take time.Duration) (*site, error) {
	dir, err := os.MkdirTemp("", "bench-clouds-")
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, jenkins: jenkinstest.New(time.Now)}
	s.jenkins.AddUser("provisioner", jenkinstest.ProvisionerPermissions...)
	for i := range jobs {
		path := fmt.Sprintf("live-1/group-%d/job-%d", i%10, i)
		j := catalog.Job{
			Path: path, Cluster: "live-1", Controller: "main", Folder: path[:strings.LastIndexByte(path, '/')], Token: catalog.Token(path),
			Timeout: 36000, Concurrency: "allow", Retry: catalog.Retry{Attempts: 1}, Owner: "team",
			Node: catalog.Node{Pool: "standard", CPU: 1, Memory: 512 << 20, Disk: 1 << 30, Arch: "amd64"},
		}
		s.catalog.Jobs = append(s.catalog.Jobs, j)
		s.jenkins.PutJob(j.FullName(), jenkinstest.JobSpec{
			Label:    func(n int) string { return catalog.Label(j.Token, n) },
			Duration: func(int, int) time.Duration { return take },
		})
	}
	jenkins, err := listen(s.jenkins)
	if err != nil {
		return nil, err
	}
	s.url = jenkins
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.listen = free.Addr().String()
	return s, free.Close()
}

// listen serves on a free port until the process ends.
func listen(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(l, h) }()
	return "http://" + l.Addr().String(), nil
}

// configure writes all files of a provisioner. clouds is YAML from the key
// clouds on.
func (s *site) configure(clouds string) error {
	f, err := os.Create(filepath.Join(s.dir, "catalog.json"))
	if err != nil {
		return err
	}
	if err := catalog.Write(f, s.catalog); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	text := fmt.Sprintf(`owner: %s
store: sqlite:state.db
listen: %s
key_file: key
catalog: catalog.json
controllers: {main: {url: %q, user: provisioner, token_file: jenkins}}
timing: {orphan: 20s, visible: 20s}
%s`, owner, s.listen, s.url, clouds)
	for name, text := range map[string]string{"provisioner.yaml": text, "key": theKey, "jenkins": jenkinstest.Token("provisioner"), "password": ""} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// start starts the provisioner.
func (s *site) start() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.process = exec.Command("bin/provisioner", "serve", "--config", filepath.Join(s.dir, "provisioner.yaml"))
	s.process.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_EC2_METADATA_DISABLED=true")
	s.process.Stderr = log
	return s.process.Start()
}

// kill ends the provisioner as a power cut would.
func (s *site) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.kills++
}

// trigger starts so many runs.
func (s *site) trigger(runs int) {
	for i := range runs {
		s.jenkins.Trigger(s.catalog.Jobs[i%len(s.catalog.Jobs)].FullName())
	}
}

// ended counts the runs that have ended.
func (s *site) ended() int {
	n := 0
	for _, run := range s.jenkins.Runs() {
		if !run.Building {
			n++
		}
	}
	return n
}

// tokenOf returns the bootstrap token of an order's machines, which the
// provisioner makes so (docs/decisions/0033).
func tokenOf(order string) string {
	mac := hmac.New(sha256.New, []byte(theKey))
	mac.Write([]byte("bootstrap token of order " + order))
	return order + "-" + hex.EncodeToString(mac.Sum(nil))
}
