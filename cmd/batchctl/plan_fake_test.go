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

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/dsl"
)

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

// serveFolder lists what stands below a folder, all in one level.
func serveFolder(w http.ResponseWriter, folder string, configs map[string]string) {
	type item struct {
		Class           string `json:"_class"`
		FullName        string `json:"fullName"`
		Description     string `json:"description"`
		Disabled        bool   `json:"disabled"`
		NextBuildNumber int    `json:"nextBuildNumber"`
		Jobs            []item `json:"jobs,omitzero"`
	}
	list := []item{}
	for name, config := range configs {
		if folder != "" && !strings.HasPrefix(name, folder+"/") {
			continue
		}
		_, description, _ := strings.Cut(config, "<description>")
		description, _, _ = strings.Cut(description, "</description>")
		i := item{"org.jenkinsci.plugins.workflow.job.WorkflowJob", name, html.UnescapeString(description), strings.Contains(config, "<disabled>true"), 13, nil}
		switch {
		case strings.Contains(config, folderElement):
			i.Class, i.Jobs = folderElement, []item{}
		case strings.HasPrefix(config, "<project"):
			i.Class = "hudson.model.FreeStyleProject"
		}
		list = append(list, i)
	}
	if len(list) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	slices.SortFunc(list, func(a, b item) int { return strings.Compare(a.FullName, b.FullName) })
	w.Header().Set("Content-Type", "application/json")
	must(json.NewEncoder(w).Encode(item{Class: folderElement, FullName: folder, Jobs: list}))
}

const folderElement = "com.cloudbees.hudson.plugins.folder.Folder"

// folderConfigOf is the config.xml of a rendered folder, with credentials that
// somebody has put into it.
func folderConfigOf(f batches.Folder) string {
	var b strings.Builder
	b.WriteString("<" + folderElement + "><description>")
	must(xml.EscapeText(&b, []byte(f.Description)))
	b.WriteString("</description><properties><" + credentialsProperty + "/><" + matrixProperty + `><inheritanceStrategy class="` + inherits + `"/>`)
	for _, p := range f.Permissions {
		kind := "USER:"
		if p.Group {
			kind = "GROUP:"
		}
		for _, name := range p.Allow {
			b.WriteString("<permission>" + kind + strings.Replace(name, "Job/", "hudson.model.Item.", 1) + ":" + p.Name + "</permission>")
		}
	}
	return b.String() + "</" + matrixProperty + "></properties></" + folderElement + ">"
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

// applied has the config.xml of all jobs and folders of a tree.
func applied(dir string) map[string]string {
	out := map[string]string{}
	result := batches.Load(batches.Dir(dir)).Resolve()
	for _, j := range result.Jobs() {
		out[dsl.FullName(j.Jenkins, j.Path)] = configOf(j)
	}
	for _, f := range result.Folders {
		out[dsl.FullName(f.Jenkins, f.Path)] = folderConfigOf(f)
	}
	return out
}

// applyTo DIR writes the config.xml of all jobs and folders of the tree, as the seed job
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
