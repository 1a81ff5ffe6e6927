package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/internal/benchtree"
)

// savedXML is what a Jenkins had of a job after it had saved it, uiXML
// the same in the form of a save in the user interface: another order, CRLF,
// logRotator, what runs leave behind.
const (
	savedXML = "testdata/plan/saved.xml"
	uiXML    = "testdata/plan/ui.xml"
	savedJob = "live-1/settlement/daily-settlement"
)

// All forms of one job are the same job, and its digest that of its fields.
func TestActualOf(t *testing.T) {
	saved, err := actualOf([]byte(read(t, savedXML)), savedJob)
	if err != nil {
		t.Fatal(err)
	}
	ui, err := actualOf([]byte(read(t, uiXML)), savedJob)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(saved.fields, ui.fields); diff != "" {
		t.Errorf("a save has changed the job (-saved +saved in the UI):\n%s", diff)
	}
	if !saved.sealed || !saved.ours || saved.digest != saved.fields.Digest() {
		t.Errorf("sealed %v, ours %v, digest %s of a job with %s", saved.sealed, saved.ours, saved.digest, saved.fields.Digest())
	}
	saved.fields[dsl.Script] = ""
	want := dsl.Declared{
		dsl.Description: "Settles yesterday's payments\n\nOwner: settlement-team", dsl.Disabled: "false", dsl.Concurrency: "forbid",
		dsl.Schedule: "TZ=Asia/Seoul\n15 2 * * *", dsl.After: "/payments/live-1/capture/daily-capture",
		dsl.Parameters: "string RUN_DATE = \"\" (Business date, yyyyMMdd; empty means yesterday)\nboolean DRY_RUN = \"false\" (Work everything out, book nothing)",
		dsl.Keep:       "400 days, 400 builds", dsl.Sandbox: "true", dsl.Timeout: "2h", dsl.Retry: "attempts 2", dsl.Java: saved.fields[dsl.Java],
		dsl.Args: "--job=daily-settlement\n--date=${RUN_DATE}\n--chunk=5000\n--dry-run=${DRY_RUN}",
		dsl.Artifact: "credentials repo-reader\nurl https://repo.example/releases/settlement-batch/8.2.1/settlement-batch-8.2.1.jar\n" +
			"sha256 f29f14dbbd3d2fb5474b465b14bb2ccdd48adff0fb12809863325b45b6d3f6cb",
		dsl.Env: "LANG=C.UTF-8\nTZ=Asia/Seoul", dsl.Secrets: "DB_PASSWORD string settlement-db\nLEDGER_TOKEN string ledger-api-settlement",
		dsl.Scripts: saved.fields[dsl.Scripts], dsl.Files: "gc-*.log*\n*.hprof",
	}
	if diff := cmp.Diff(want, saved.fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// Each edit of a config.xml is an edit of its field, and of no other.
func TestActualOfEdited(t *testing.T) {
	text := read(t, savedXML)
	for _, c := range []struct {
		field    int
		old, new string
	}{
		{dsl.Description, "Settles", "Unsettles"},
		{dsl.Disabled, "<disabled>false", "<disabled>true"},
		{dsl.Concurrency, "<abortPrevious>false", "<abortPrevious>true"},
		{dsl.Schedule, "15 2 * * *", "15 3 * * *"},
		{dsl.After, "daily-capture<", "other<"},
		{dsl.After, "<name>SUCCESS", "<name>FAILURE"},
		{dsl.Parameters, "<name>DRY_RUN", "<name>WET_RUN"},
		{dsl.Parameters, "<defaultValue>false", "<defaultValue>true"},
		{dsl.Keep, "<numToKeep>400", "<numToKeep>4"},
		{dsl.Retry, "retry(count: 2", "retry(count: 3"},
		{dsl.Timeout, "timeout(time: 7200", "timeout(time: 21600"},
		{dsl.Java, "-Xmx12g", "-Xmx24g"},
		{dsl.Args, "--chunk=5000", "--chunk=1"},
		{dsl.Artifact, "url = &quot;https://", "url = &quot;http://"},
		{dsl.Secrets, "settlement-db", "another-db"},
		{dsl.Scripts, "word=FAILED", "word=fine"},
		{dsl.Files, "*.hprof", "*.txt"},
		{dsl.Script, "set -eu", "set -u"},
		{dsl.Sandbox, "<sandbox>true", "<sandbox>false"},
		{dsl.Other, "<keepDependencies>", "<quietPeriod>7</quietPeriod><keepDependencies>"},
		{dsl.Other, "</properties>", "<org.x.ThrottleProperty><max>2</max></org.x.ThrottleProperty></properties>"},
	} {
		if !strings.Contains(text, c.old) {
			t.Fatalf("no %s in %s", c.old, savedXML)
		}
		a, err := actualOf([]byte(strings.Replace(text, c.old, c.new, 1)), savedJob)
		if err != nil {
			t.Fatal(err)
		}
		now := a.fields.Digest()
		for i := range now {
			inScript := i == dsl.Script && c.field >= dsl.Timeout
			if (now[i] != a.digest[i]) != (i == c.field || inScript) {
				t.Errorf("%s → %s: %s is %q", c.old, c.new, dsl.DeclaredNames[i], a.fields[i])
			}
		}
	}
	if a, err := actualOf([]byte("<project><builders/></project>"), savedJob); err != nil || a.ours || a.fields[dsl.Other] != "a freestyle job" {
		t.Errorf("a freestyle job is %+v, %v", a, err)
	}
}

const forbidden = "<!-- not for this user -->"

// fakeJenkins answers as a Jenkins does that has jobs with these config.xml,
// by full name. One with the text forbidden may not be read. It takes no writes.
func fakeJenkins(t interface{ Errorf(string, ...any) }, configs map[string]string) (*httptest.Server, *atomic.Int64) {
	var asked atomic.Int64
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodGet {
			t.Errorf("plan sent a %s to %s", r.Method, r.URL)
		}
		name := strings.ReplaceAll(strings.TrimPrefix(r.URL.Path, "/job/"), "/job/", "/")
		if folder, ok := strings.CutSuffix(name, "/api/json"); ok {
			serveFolder(w, strings.TrimPrefix(folder, "/"), configs)
			return
		}
		config, there := configs[strings.TrimSuffix(name, "/config.xml")]
		switch {
		case !there:
			w.WriteHeader(http.StatusNotFound)
		case strings.Contains(config, forbidden):
			w.Header().Set("X-Required-Permission", "hudson.model.Item.Configure")
			w.WriteHeader(http.StatusForbidden)
		default:
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprint(w, config)
		}
	})), &asked
}

// serveFolder lists the jobs below a folder, all in one level.
func serveFolder(w http.ResponseWriter, folder string, configs map[string]string) {
	type job struct {
		FullName        string `json:"fullName"`
		Description     string `json:"description"`
		Disabled        bool   `json:"disabled"`
		NextBuildNumber int    `json:"nextBuildNumber"`
	}
	jobs := []job{}
	for name, config := range configs {
		if strings.HasPrefix(name, folder+"/") {
			_, description, _ := strings.Cut(config, "<description>")
			description, _, _ = strings.Cut(description, "</description>")
			jobs = append(jobs, job{name, html.UnescapeString(description), strings.Contains(config, "<disabled>true"), 13})
		}
	}
	if len(jobs) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	must(json.NewEncoder(w).Encode(map[string]any{"jobs": jobs}))
}

// configOf is the config.xml of a rendered job.
func configOf(j *batches.Job) string {
	d, err := dsl.Declare(j)
	must(err)
	x := func(i int) string {
		var b strings.Builder
		must(xml.EscapeText(&b, []byte(d[i])))
		return b.String()
	}
	config := "<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition><description>" + x(dsl.Description) + "</description><disabled>" + d[dsl.Disabled] + "</disabled><properties>"
	if d[dsl.Concurrency] != "allow" {
		config += fmt.Sprintf("<%s><abortPrevious>%v</abortPrevious></%[1]s>", concurrencyProperty, d[dsl.Concurrency] == "replace")
	}
	if k := j.Batch.Keep; k.Days+k.Builds > 0 {
		config += fmt.Sprintf("<jenkins.model.BuildDiscarderProperty><strategy><daysToKeep>%d</daysToKeep><numToKeep>%d</numToKeep></strategy></jenkins.model.BuildDiscarderProperty>", k.Days, k.Builds)
	}
	config += parametersOf(j.Batch.Parameters)
	config += "<org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty><triggers>"
	if d[dsl.Schedule] != "" {
		config += "<hudson.triggers.TimerTrigger><spec>" + x(dsl.Schedule) + "</spec></hudson.triggers.TimerTrigger>"
	}
	config += "<jenkins.triggers.ReverseBuildTrigger><spec/><upstreamProjects>" + x(dsl.After) + "</upstreamProjects></jenkins.triggers.ReverseBuildTrigger></triggers></org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty></properties>"
	digest := d.Digest().String()
	text, err := dsl.AppendJob(nil, j)
	must(err)
	_, line, _ := strings.Cut(string(text), "// batchctl digest ")
	if line[17:17+len(digest)] != digest {
		panic(j.Path + " cannot be written as config.xml here")
	}
	return config + `<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>// batchctl digest ` + line[:17+len(digest)] + "\n" + x(dsl.Script) + "</script><sandbox>true</sandbox></definition></flow-definition>"
}

// parametersOf is the element of parameters.
func parametersOf(list []batches.Parameter) string {
	var b strings.Builder
	b.WriteString("<hudson.model.ParametersDefinitionProperty><parameterDefinitions>")
	for _, p := range list {
		name := "hudson.model." + strings.ToUpper(p.Type[:1]) + p.Type[1:] + "ParameterDefinition"
		b.WriteString("<" + name)
		for i, text := range []string{p.Name, p.Description, p.Default} {
			b.WriteString([]string{"><name>", "</name><description>", "</description><defaultValue>"}[i])
			must(xml.EscapeText(&b, []byte(text)))
		}
		b.WriteString("</defaultValue><choices>")
		for _, c := range p.Choices { // the default of each stands first in the trees of these tests
			b.WriteString("<string>" + c + "</string>")
		}
		b.WriteString("</choices></" + name + ">")
	}
	b.WriteString("</parameterDefinitions></hudson.model.ParametersDefinitionProperty>")
	return b.String()
}

// applied has the config.xml of all jobs of a tree.
func applied(dir string) map[string]string {
	out := map[string]string{}
	for _, j := range batches.Load(batches.Dir(dir)).Resolve().Jobs() {
		out[dsl.FullName(j.Jenkins, j.Path)] = configOf(j)
	}
	return out
}

// applyTo DIR writes the config.xml of all jobs of the tree, as the seed job
// would leave them.
func applyTo(ts *testscript.TestScript, _ bool, args []string) {
	for name, config := range applied(ts.MkAbs(".")) {
		file := filepath.Join(ts.MkAbs(args[0]), name, "config.xml")
		ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
		ts.Check(os.WriteFile(file, []byte(config), 0o644))
	}
}

// serveJenkins DIR starts a Jenkins with the jobs of that directory, and sets
// JENKINS_URL. One with the text forbidden may not be read.
func serveJenkins(ts *testscript.TestScript, _ bool, args []string) {
	dir, configs := ts.MkAbs(args[0]), map[string]string{}
	ts.Check(filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, filepath.Dir(file))
		text, readErr := os.ReadFile(file)
		configs[name] = string(text)
		return errors.Join(err, readErr)
	}))
	server, _ := fakeJenkins(scriptErrors{ts}, configs)
	ts.Defer(server.Close)
	ts.Setenv("JENKINS_URL", server.URL)
}

// scriptErrors makes a server's errors a script's.
type scriptErrors struct{ *testscript.TestScript }

func (f scriptErrors) Errorf(format string, args ...any) { f.Fatalf(format, args...) }

// Plan asks for all jobs in one list and a config.xml each, and all are as
// declared.
func TestPlanManyJobs(t *testing.T) {
	dir := t.TempDir()
	if err := benchtree.Write(dir, 1000); err != nil {
		t.Fatal(err)
	}
	configs := applied(dir)
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range configs {
			if !yield(name) {
				return
			}
		}
	})
	server, asked := fakeJenkins(t, configs)
	defer server.Close()
	t.Setenv("JENKINS_URL", server.URL)
	r := planned(t, dir)
	if r.Declared != len(configs) || len(r.Jobs) > 0 {
		t.Fatalf("of %d jobs %d are as declared; %+v", len(configs), r.Declared, r.Jobs[:min(len(r.Jobs), 2)])
	}
	if got := int(asked.Load()); got > len(configs)+10 {
		t.Errorf("%d calls for %d jobs", got, len(configs))
	}
	delete(configs, names[0])
	configs[names[1]] += forbidden
	if r := planned(t, dir); r.Create != 1 || r.NotSeen != 1 || r.Declared != len(configs)-1 {
		t.Errorf("one less and one that may not be read: %d to create, %d not seen, %d as declared", r.Create, r.NotSeen, r.Declared)
	}
}

// An answer that is none ends plan with an error: it is no empty Jenkins.
func TestPlanErrors(t *testing.T) {
	dir := t.TempDir()
	if err := benchtree.Write(dir, 3); err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{"api/json": 500, "config.xml": 503} {
		good, _ := fakeJenkins(t, applied(dir))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, path) {
				w.WriteHeader(status)
				return
			}
			good.Config.Handler.ServeHTTP(w, r)
		}))
		t.Setenv("JENKINS_URL", server.URL)
		if code, stdout, stderr := call("-C", dir, "plan"); code != exitError || stdout != "" || !strings.Contains(stderr, fmt.Sprint(status)) {
			t.Errorf("%d for %s: ended with %d, %s%s", status, path, code, stdout, stderr)
		}
		server.Close()
		good.Close()
	}
}
