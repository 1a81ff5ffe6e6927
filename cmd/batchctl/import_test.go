package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/internal/legacy"
	"github.com/batchctl/batchctl/internal/testenv"
)

// call runs the program in this process.
func call(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

// TestImportFromURL imports from a server that answers as Jenkins does.
func TestImportFromURL(t *testing.T) {
	const shell = "<project><builders><hudson.tasks.Shell><command>java -jar /a.jar</command></hudson.tasks.Shell></builders></project>"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, token, _ := r.BasicAuth(); user != "me" || token != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch r.URL.Path {
		case "/api/json":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"jobs":[{"fullName":"live-1","jobs":[{"fullName":"live-1/pay","jobs":[{"fullName":"live-1/pay/a b"},{"fullName":"live-1/pay/c"},{"fullName":"live-1/pay/gone"}]}]}]}`)
		case "/job/live-1/job/pay/job/a b/config.xml", "/job/live-1/job/pay/job/c/config.xml":
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprint(w, "<?xml version='1.1' encoding='UTF-8'?>\n"+shell)
		case "/job/live-1/job/pay/job/gone/config.xml": // deleted after the list
			w.WriteHeader(http.StatusNotFound)
		case "/job/dark/api/json":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"jobs":[{"fullName":"dark/x"}]}`)
		case "/job/empty/api/json":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"jobs":[]}`)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	t.Setenv("JENKINS_USER", "me")
	t.Setenv("JENKINS_TOKEN", "secret")
	out := filepath.Join(t.TempDir(), "tree")
	code, _, stderr := call("import", "--from", server.URL, "--out", out)
	if code != 0 || !strings.Contains(stderr, "2 batches of 2 jobs") {
		t.Fatal(code, stderr)
	}
	for _, name := range []string{"a-b", "c"} {
		if _, err := os.Stat(filepath.Join(out, "apps", "pay", name+".yaml")); err != nil {
			t.Error(err)
		}
	}
	for folder, want := range map[string]string{"dark": "Job/ExtendedRead", "empty": "shows no jobs to this user", "none": "none"} {
		code, _, stderr := call("import", "--from", server.URL, "--folder", folder, "--out", out+folder)
		if _, err := os.Stat(out + folder); code != 1 || !strings.Contains(stderr, want) || err == nil {
			t.Errorf("%s: %d %s", folder, code, stderr)
		}
	}
}

// TestImportFromJenkins imports jobs of the old Jenkins from a running one,
// in which they have been made, and compares with those of the directory.
func TestImportFromJenkins(t *testing.T) {
	j := testenv.RunningJenkins(t)
	post := func(path, body string) {
		t.Helper()
		req, err := http.NewRequest("POST", j.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(j.User, j.Token)
		req.Header.Set("Content-Type", "application/xml")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode >= 400 {
			t.Fatalf("POST %s: %s %s", path, res.Status, res.Header.Get("X-Error"))
		}
	}
	const folderXML = "<com.cloudbees.hudson.plugins.folder.Folder/>"
	top := fmt.Sprintf("import-test-%d", os.Getpid())
	post("/createItem?name="+top, folderXML)
	defer post("/job/"+top+"/doDelete", "")
	post("/job/"+top+"/createItem?name=pay", folderXML)
	home := t.TempDir()
	made := 0
	for _, c := range legacy.Jobs(60) {
		// This Jenkins has no matrix jobs, and no timestamper.
		if strings.Contains(c.XML, "<matrix-project") {
			continue
		}
		made++
		name := c.Name[strings.LastIndexByte(c.Name, '/')+1:] + fmt.Sprintf("-%d", made)
		post("/job/"+top+"/job/pay/createItem?name="+url.QueryEscape(name), c.XML)
		dir := filepath.Join(home, "jobs", top, "jobs", "pay", "jobs", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.xml"), []byte(c.XML), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	parent := t.TempDir()
	a, b := filepath.Join(parent, "a"), filepath.Join(parent, "b")
	code, _, stderr := call("import", "--from", j.URL, "--folder", top, "--out", a, "-o", "json")
	if code != 0 || !strings.Contains(stderr, fmt.Sprintf("of %d jobs", made)) {
		t.Fatal(code, stderr)
	}
	if code, _, stderr := call("import", "--from", home, "--out", b, "-o", "json"); code != 0 {
		t.Fatal(stderr)
	}
	// It has no build-timeout plugin either, and drops what is that plugin's.
	if out, err := exec.Command("diff", "-r", "-x", "not-imported", "-I", "^ *timeout: ", a, b).CombinedOutput(); err != nil {
		t.Errorf("from Jenkins comes another tree than from its files:\n%.4000s", out)
	}
}

// TestGeneral: a table of thousands of jobs has each reason once.
func TestGeneral(t *testing.T) {
	for reason, want := range map[string]string{
		"line 7 of the script: the start of java holds --d=$(date +%F (x)), which is worked out when it runs, or which nothing sets": "the start of java holds a value that is worked out when it runs, or which nothing sets",
		"line 2 of the script: java reads its input from somewhere (<<EOF\nx (y)\nEOF)":                                              "java reads its input from somewhere",
		"line 1 of the pipeline: it holds a loop (for); batchctl reads plain steps":                                                  "it holds a loop; batchctl reads plain steps",
		"no shell can read it: 3:1: `foo(` must be followed by `)`":                                                                  "no shell can read it",
		"line 4 of the script: target/a.jar is made in the job's workspace, or":                                                      "its jar is made in the job's workspace, or",
		"it starts no java": "it starts no java",
	} {
		if got := general(reason); got != want {
			t.Errorf("%q: %q", reason, got)
		}
	}
}
