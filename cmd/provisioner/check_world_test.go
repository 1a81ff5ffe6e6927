package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins/jenkinstest"
)

// world is a Jenkins and a directory with a configuration that is right.
type world struct {
	*testing.T
	*jenkinstest.Server
	dir, url string
	config   string
	tamper   func(*http.Response) // what a proxy before Jenkins changes
}

const rightConfig = `owner: here
store: sqlite:state.db
key_file: key
controllers: {live: {url: "JENKINS", user: provisioner, token_file: tok}}
clouds: {here: {driver: local, dir: machines, path: "DIR:/usr/bin:/bin"}}
pools: {standard: {places: [{name: here-1, cloud: here}]}}
catalog: catalog.json
`

func newWorld(t *testing.T) *world {
	w := &world{T: t, Server: jenkinstest.New(time.Now), dir: t.TempDir(), config: rightConfig, tamper: func(*http.Response) {}}
	w.AddUser("provisioner", jenkinstest.ProvisionerPermissions...)
	job := aJob("live-1/settlement/daily")
	w.PutJob(job.FullName(), jenkinstest.JobSpec{})
	w.file("tok", 0o600, jenkinstest.Token("provisioner"))
	w.file("java", 0o700, "#!/bin/sh\necho 'openjdk version \"21.0.9\" 2025-10-21' >&2\n")
	w.jobs(job)
	jenkins := httptest.NewServer(w.Server)
	t.Cleanup(jenkins.Close)
	to, err := url.Parse(jenkins.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of connections that the test breaks
	proxy.ModifyResponse = func(r *http.Response) error { w.tamper(r); return nil }
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	w.url = front.URL
	return w
}

func aJob(path string) catalog.Job {
	return catalog.Job{
		Path: path, Cluster: "live-1", Controller: "live", Folder: filepath.Dir(path), Token: catalog.Token(path),
		Node: catalog.Node{Pool: "standard", CPU: 1, Memory: 1 << 20, Disk: 1 << 30, Arch: runtime.GOARCH}, Retry: catalog.Retry{Attempts: 1},
	}
}

func (w *world) file(name string, mode os.FileMode, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), mode); err != nil {
		w.Fatal(err)
	}
}

// jobs writes the catalog.
func (w *world) jobs(jobs ...catalog.Job) {
	w.Helper()
	text, err := json.Marshal(catalog.Catalog{Version: catalog.Version, Jobs: jobs})
	if err != nil {
		w.Fatal(err)
	}
	w.file("catalog.json", 0o644, string(text))
}

// check runs the check, and returns what it printed with names that stay the
// same, and how many checks failed.
func (w *world) check() (string, int) {
	w.Helper()
	text := strings.NewReplacer("JENKINS", w.url, "DIR", w.dir).Replace(w.config)
	w.file("provisioner.yaml", 0o644, text)
	var out bytes.Buffer
	c := &checker{out: &out}
	c.all(w.Context(), filepath.Join(w.dir, "provisioner.yaml"))
	printed := strings.NewReplacer(w.url, "JENKINS", w.dir, "DIR").Replace(out.String())
	if strings.Contains(printed, jenkinstest.Token("provisioner")) {
		w.Errorf("the token is shown:\n%s", printed)
	}
	return regexp.MustCompile(`check-here-[a-z0-9]{8}`).ReplaceAllString(printed, "check-here-NAME"), c.failed
}

// lines returns the lines with a mark, each with its hints.
func lines(printed string, marks ...string) string {
	var out strings.Builder
	in := false
	for line := range strings.Lines(printed) {
		if mark, _, _ := strings.Cut(line, " "); mark != "" {
			in = slices.Contains(marks, mark)
		}
		if in {
			out.WriteString(line)
		}
	}
	return out.String()
}
