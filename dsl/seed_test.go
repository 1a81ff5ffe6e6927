package dsl_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/dsl"
)

func seedOptions() dsl.SeedOptions {
	return dsl.SeedOptions{
		Name: "payments/seed", Repository: "https://git.example/payments.git", Credentials: "git", Tree: "payments", RunAs: "seeder",
		ProvisionerURL: "https://provisioner.example/api/v1/catalog", ProvisionerToken: "provisioner-token",
	}
}

// hostileSeed has a hostile text in every option.
func hostileSeed(text string) dsl.SeedOptions {
	return dsl.SeedOptions{
		Name: text + "n", Repository: text + "r", Branch: text, Credentials: text, Tree: text, ScriptPath: text, RunAs: text + "u", NodeLabel: text,
		Clusters: []string{text, text}, Poll: text, ProvisionerURL: text, ProvisionerToken: text + "t",
	}
}

func TestSeedGolden(t *testing.T) {
	jenkinsfile, err := dsl.SeedJenkinsfile(seedOptions())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "seed.Jenkinsfile.golden", jenkinsfile)
	config, err := dsl.SeedXML(seedOptions())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "seed.xml.golden", config)
	jcasc, err := dsl.SeedJCasC(seedOptions())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "seed.yaml.golden", jcasc)
}

func TestSeedRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(o *dsl.SeedOptions)
		want   string
	}{
		{func(o *dsl.SeedOptions) { o.Name = "" }, "seed: the job has no name"},
		{func(o *dsl.SeedOptions) { o.Repository = "" }, "seed: no repository"},
		{func(o *dsl.SeedOptions) { o.RunAs = "" }, "seed: no user to run as"},
		{func(o *dsl.SeedOptions) { o.ProvisionerToken = "" }, "seed: no credentials for the provisioner"},
		{func(o *dsl.SeedOptions) { o.Removed = "burn" }, `"burn" is neither disable nor delete`},
		{func(o *dsl.SeedOptions) { o.Tree = "a\x00b" }, "U+0000 cannot be stored by Jenkins"},
	} {
		o := seedOptions()
		c.change(&o)
		for _, f := range []func(dsl.SeedOptions) (string, error){dsl.SeedJenkinsfile, dsl.SeedXML, dsl.SeedJCasC} {
			if _, err := f(o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		}
	}
}

// The seed job's Pipeline: nothing is applied when the tree has problems, and
// without the JUnit plugin (evaluate.groovy has none) the report is a file.
func TestSeedSteps(t *testing.T) {
	text, err := dsl.SeedJenkinsfile(seedOptions())
	if err != nil {
		t.Fatal(err)
	}
	o := seedOptions()
	o.ProvisionerURL, o.Removed = "", "delete"
	less, err := dsl.SeedJenkinsfile(o)
	if err != nil {
		t.Fatal(err)
	}
	runs := evaluate[ran](t, []task{{Kind: "pipeline", Text: text}, {Kind: "pipeline", Text: text, Outcomes: []any{1}}, {Kind: "pipeline", Text: less}})
	want := []string{
		"node checkout sh archiveArtifacts sh jobDsl withCredentials sh end withCredentials end node",
		"node checkout sh archiveArtifacts",
		"node checkout sh archiveArtifacts sh jobDsl end node",
	}
	for i, r := range runs {
		same(t, "steps", strings.Join(r.steps(), " "), want[i])
	}
	same(t, "result", runs[1].Result, "error: the tree has problems, so nothing was changed; batchctl validate says above which")
	for i, removed := range map[int]string{0: "DISABLE", 2: "DELETE"} {
		for _, e := range runs[i].Events {
			if e.Step != "jobDsl" {
				continue
			}
			want := map[string]any{
				"targets": "batchctl-out/folders.groovy\nbatchctl-out/jobs_*.groovy", "sandbox": true, "lookupStrategy": "JENKINS_ROOT",
				"removedJobAction": removed, "removedViewAction": "IGNORE", "removedConfigFilesAction": "IGNORE",
				"failOnMissingPlugin": true, "failOnSeedCollision": true, "unstableOnDeprecation": true,
			}
			if diff := cmp.Diff(want, e.Argument); diff != "" {
				t.Errorf("jobDsl (-want +got):\n%s", diff)
			}
		}
	}
}

// The token reaches the provisioner, and stands in no process's arguments.
func TestSeedPushesCatalog(t *testing.T) {
	const token = `t'o"k\en`
	o := seedOptions()
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, argv := range processes(t) {
			if strings.Contains(argv, token) {
				t.Errorf("the token stands in the arguments of a process: %q", argv)
			}
		}
		got <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + r.Header.Get("Content-Type") + " " + string(body)
	}))
	defer server.Close()
	o.ProvisionerURL = server.URL + "/a $(b)'\"/catalog"
	o.ProvisionerURL = strings.ReplaceAll(o.ProvisionerURL, " ", "%20")
	text, err := dsl.SeedJenkinsfile(o)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{dir: t.TempDir(), env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "PROVISIONER_TOKEN=" + token}}
	if err := os.MkdirAll(filepath.Join(n.dir, "batchctl-out"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.dir, "batchctl-out", "catalog.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs := evaluate[ran](t, []task{{Kind: "pipeline", Text: text}})
	if code, out := n.run(t, runs[0].scripts()["catalog to the provisioner"]); code != 0 || out != "" {
		t.Fatalf("exit code %d: %s", code, out)
	}
	same(t, "request", <-got, `PUT /a $(b)'"/catalog Bearer `+token+` application/json {}`)
}

// Whatever the options hold, each form says just that, and no more.
func TestSeedQuotes(t *testing.T) {
	var pipelines, jobs []task
	var options []dsl.SeedOptions
	for _, text := range hostile(300) {
		if strings.Contains(text, "\r") {
			continue // an XML document has no lone carriage return
		}
		o := hostileSeed(text)
		options = append(options, o)
		jenkinsfile, err := dsl.SeedJenkinsfile(o)
		if err != nil {
			t.Fatal(err)
		}
		pipelines = append(pipelines, task{Kind: "pipeline", Text: jenkinsfile})
		config, err := dsl.SeedXML(o)
		if err != nil {
			t.Fatal(err)
		}
		var e element
		if err := xml.Unmarshal([]byte(config), &e); err != nil {
			t.Fatalf("%q: %v\n%s", text, err, config)
		}
		same(t, "user in XML", e.text("properties", "org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty", "strategy", "userid"), o.RunAs)
		same(t, "repository in XML", e.text("definition", "scm", "userRemoteConfigs", "hudson.plugins.git.UserRemoteConfig", "url"), o.Repository)
		jcasc, err := dsl.SeedJCasC(o)
		if err != nil {
			t.Fatal(err)
		}
		var y struct{ Jobs []struct{ Script string } }
		if err := yaml.Unmarshal([]byte(jcasc), &y); err != nil {
			t.Fatalf("%q: %v\n%s", text, err, jcasc)
		}
		script := strings.ReplaceAll(y.Jobs[0].Script, "^${", "\x00")
		if strings.Contains(script, "${") {
			t.Errorf("%q is replaced by Configuration as Code", text)
		}
		jobs = append(jobs, task{Kind: "dsl", Text: strings.ReplaceAll(script, "\x00", "${")})
	}
	words := &node{dir: t.TempDir(), env: []string{"PATH=" + t.TempDir() + ":/usr/bin:/bin"}}
	tool := filepath.Join(strings.TrimPrefix(strings.Split(words.env[0], ":")[0], "PATH="), "batchctl")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\nprintf '<%s>' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i, r := range evaluate[ran](t, pipelines) {
		o := options[i]
		tree := o.Tree
		if tree == "" {
			tree = "."
		}
		code, out := words.run(t, "#!/bin/sh\n"+r.scripts()["render"])
		if want := "<-C><" + tree + "><render><--out><batchctl-out><--cluster><" + o.Clusters[0] + "><--cluster><" + o.Clusters[0] + ">"; code != 0 || out != want {
			t.Errorf("render: exit code %d, %q, want %q", code, out, want)
		}
	}
	for i, calls := range evaluate[[]call](t, jobs) {
		same(t, "name in JCasC", calls[0].Args[0].(string), options[i].Name)
		same(t, "repository in JCasC", calls[0].arg(t, "definition", "cpsScm", "scm", "git", "remote", "url").(string), options[i].Repository)
	}
}
