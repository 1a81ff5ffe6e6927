package dsl_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/internal/testenv"
)

// newJenkins returns the running Jenkins and the name of a new folder in it,
// which is deleted when the test ends.
func newJenkins(t *testing.T) (*jenkins, string) {
	t.Helper()
	j := &jenkins{t, testenv.RunningJenkins(t)}
	root := "batchctl-test-" + strings.ToLower(rand.Text()[:8])
	j.create("", root, `<com.cloudbees.hudson.plugins.folder.Folder><description>made by a test of batchctl, which deletes it</description></com.cloudbees.hudson.plugins.folder.Folder>`)
	t.Cleanup(func() { j.form(itemPath(root)+"/doDelete", nil) })
	return j, root
}

// permissions are those of every folder.
var permissions = []batches.Permission{
	{Name: "batchctl-test", Allow: []string{"Job/Build", "Job/Read"}}, {Name: "batchctl-test-운영", Group: true, Allow: []string{"Job/Read"}},
}

// seed applies rendered jobs, one a file in their order, with the seed job's
// own jobDsl step, and wants that to succeed.
func (j *jenkins) seed(root string, jobs ...*batches.Job) {
	j.Helper()
	var folders []batches.Folder
	for _, job := range jobs {
		job.Jenkins.Root = root
		for _, path := range []string{job.Cluster, job.Cluster + "/" + job.Group} {
			if !slices.ContainsFunc(folders, func(f batches.Folder) bool { return f.Path == path }) {
				folders = append(folders, batches.Folder{Path: path, Jenkins: job.Jenkins, Description: "the folder " + path, Permissions: permissions})
			}
		}
	}
	text, err := dsl.AppendFolders(nil, folders)
	if err != nil {
		j.Fatal(err)
	}
	files := "writeFile(file: 'batchctl-out/folders.groovy', text: " + literal(j, string(text)) + ")\n"
	for i, text := range render(j, jobs...) {
		files += fmt.Sprintf("writeFile(file: 'batchctl-out/jobs_%04d.groovy', text: %s)\n", i, literal(j, text))
	}
	o := seedOptions()
	o.ProvisionerURL = ""
	script, err := dsl.SeedJenkinsfile(o)
	if err != nil {
		j.Fatal(err)
	}
	_, step, _ := strings.Cut(script, "  jobDsl(")
	config := fmt.Sprintf(`<flow-definition><properties><org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty><strategy class="org.jenkinsci.plugins.authorizeproject.strategy.SpecificUsersAuthorizationStrategy"><userid>%s</userid></strategy></org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty></properties>
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>%s</script><sandbox>true</sandbox></definition></flow-definition>`,
		escapeXML(j.User), escapeXML("node {\n"+files+"jobDsl("+step))
	if res, _ := j.do("GET", itemPath(root+"/seed")+"/api/json", "", ""); res.StatusCode == http.StatusOK {
		j.post(itemPath(root+"/seed")+"/config.xml", "application/xml", config)
	} else {
		j.create(root, "seed", config)
	}
	if b := j.end(root+"/seed", j.start(root+"/seed", nil)); b.Result != "SUCCESS" {
		j.Fatalf("the seed job ended with %s:\n%.5000s", b.Result, b.log)
	}
}

func literal(t testing.TB, s string) string {
	t.Helper()
	l, err := dsl.Literal(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// What Jenkins says of each job is what was rendered, and what the catalog
// says.
func TestJenkinsTakesJobs(t *testing.T) {
	j, root := newJenkins(t)
	every := full()
	every.Batch.Parameters = []batches.Parameter{
		{Name: "S", Type: "string", Default: `it's "$x" ${y} \ <&>`, Description: "한국어 <b>&amp;"},
		{Name: "E", Type: "string"},
		{Name: "T", Type: "text", Default: "  two\nlines \n"},
		{Name: "B", Type: "boolean", Default: "true"},
		{Name: "N", Type: "boolean", Default: "false", Description: "not"},
		{Name: "C", Type: "choice", Default: "it's a", Choices: []string{"it's a", "b", ""}},
	}
	disabled := small()
	disabled.Batch.Disabled, disabled.Batch.Concurrency, disabled.Batch.Keep.Days = true, "replace", 3
	big := large()
	big.Path = "dev-1/capture/large"
	jobs := []*batches.Job{every, disabled, big}
	j.seed(root, jobs...)
	runs := evaluateJobs(t, render(t, jobs...))
	for i, c := range dsl.Catalog(jobs).Jobs {
		t.Run(c.Path, func(t *testing.T) {
			job := &jenkins{t, j.Jenkins}
			compareJob(t, job.config(c.Folder+c.Path[strings.LastIndex(c.Path, "/"):]), jobs[i].Batch, c, root)
			script := runs[i].Calls[0].arg(t, "definition", "cps", "script")
			folder := job.config(c.Folder)
			same(t, "folder", folder.text("description"), "the folder "+c.Path[:strings.LastIndex(c.Path, "/")])
			var allowed []string
			for _, e := range folder.at("properties", "com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty").Children {
				allowed = append(allowed, e.Text)
			}
			slices.Sort(allowed)
			want := []string{"", "GROUP:hudson.model.Item.Read:batchctl-test-운영", "USER:hudson.model.Item.Build:batchctl-test", "USER:hudson.model.Item.Read:batchctl-test"}
			if diff := cmp.Diff(want, allowed); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
			same(t, "script", job.config(root+"/"+c.Path).text("definition", "script"), script.(string))
		})
	}
}

func compareJob(t *testing.T, e *element, b *batches.Batch, c catalog.Job, root string) {
	t.Helper()
	description := b.Description
	if c.Owner != "" {
		description += "\n\nOwner: " + c.Owner
	}
	same(t, "description", e.text("description"), description)
	same(t, "disabled", e.text("disabled"), fmt.Sprint(c.Disabled))
	same(t, "sandbox", e.text("definition", "sandbox"), "true")
	const workflow = "org.jenkinsci.plugins.workflow.job.properties."
	want := map[string]string{"forbid": "false", "replace": "true", "allow": ""}[c.Concurrency]
	same(t, "abort previous", e.text("properties", workflow+"DisableConcurrentBuildsJobProperty", "abortPrevious"), want)
	triggers := e.at("properties", workflow+"PipelineTriggersJobProperty", "triggers")
	schedule := ""
	if c.Schedule != nil {
		schedule = "TZ=" + c.Schedule.Timezone + "\n" + strings.Join(c.Schedule.Cron, "\n")
	}
	same(t, "schedule", triggers.text("hudson.triggers.TimerTrigger", "spec"), schedule)
	var after []string
	for _, path := range c.After {
		after = append(after, "/"+root+"/"+path)
	}
	upstream := triggers.at("jenkins.triggers.ReverseBuildTrigger")
	same(t, "after", upstream.text("upstreamProjects"), strings.Join(after, ","))
	same(t, "threshold", upstream.text("threshold", "name"), "SUCCESS")
	for name, n := range map[string]int{"daysToKeep": b.Keep.Days, "numToKeep": b.Keep.Builds} {
		want := fmt.Sprint(n)
		if b.Keep.Days+b.Keep.Builds == 0 {
			want = ""
		} else if n == 0 {
			want = "-1"
		}
		same(t, name, e.text("properties", "jenkins.model.BuildDiscarderProperty", "strategy", name), want)
	}
	var got []batches.Parameter
	if list := e.at("properties", "hudson.model.ParametersDefinitionProperty", "parameterDefinitions"); list != nil {
		for i := range list.Children {
			got = append(got, parameter(&list.Children[i]))
		}
	}
	if diff := cmp.Diff(b.Parameters, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

// parameter reads a parameter of a job.
func parameter(e *element) batches.Parameter {
	p := batches.Parameter{Name: e.text("name"), Default: e.text("defaultValue"), Description: e.text("description")}
	p.Type, _ = strings.CutPrefix(strings.TrimSuffix(e.XMLName.Local, "ParameterDefinition"), "hudson.model.")
	p.Type = strings.ToLower(p.Type)
	if p.Type == "choice" {
		for _, c := range e.at("choices").Children {
			p.Choices = append(p.Choices, c.Text)
		}
		p.Default = p.Choices[0]
	}
	return p
}

// Jobs run for real, on an agent that carries the labels that the catalog
// says: values that a person and the credentials give arrive as they are, the
// exit code decides, after-scripts run behind an abort and behind a timeout,
// and the success of one job starts the next, also when the next was made in
// an earlier run of the seed job.
func TestJenkinsRunsJobs(t *testing.T) {
	j, root := newJenkins(t)
	jar := artifact(t, showJar(t), "show.jar")
	job := func(name string, change func(b *batches.Batch)) *batches.Job {
		b := &batches.Batch{Name: name, Java: batches.Java{Version: 21, Heap: "64m"}, Artifact: jar, Timeout: time.Minute, Retry: batches.Retry{Attempts: 2, On: []string{"node-lost"}}}
		change(b)
		return &batches.Job{Path: "live-1/group/" + name, Cluster: "live-1", Group: "group", Batch: b}
	}
	after := []batches.Script{{Name: "say", Run: `echo "after: <$BATCH_EXIT_CODE>"; mkdir -p out; echo x >out/after.txt`}}
	exact := job("exact", exactValues)
	downstream := job("a-downstream", func(b *batches.Batch) {
		b.Upstream = []string{"live-1/group/b-upstream"}
		b.Args = []string{"[${DAY}]"}
	})
	downstream.Batch.Parameters = []batches.Parameter{{Name: "DAY", Type: "string"}}
	upstream := job("b-upstream", func(b *batches.Batch) { b.Args = []string{"한국어"} })
	slow := func(b *batches.Batch) {
		b.Before, b.After = []batches.Script{{Name: "wait", Run: "echo waiting; exec sleep 600"}}, after
		b.Keep.Files = []string{"**"}
	}
	aborted, late := job("aborted", slow), job("late", slow)
	behind := job("aborted-behind", func(b *batches.Batch) {
		b.After = []batches.Script{{Name: "wait", Run: "echo waiting; exec sleep 600"}}
	})
	late.Batch.Timeout = time.Second
	big := large()
	big.Path, big.Cluster, big.Group, big.Batch.Artifact, big.Batch.Java.Version = "live-1/group/large", "live-1", "group", jar, 21
	jobs := []*batches.Job{exact, downstream, upstream, aborted, late, behind, big}
	j.seed(root, downstream) // its end is when Jenkins notes which jobs start which
	j.seed(root, jobs...)
	j.credentials(root)
	var labels []string
	for _, c := range dsl.Catalog(jobs).Jobs {
		labels = append(labels, catalog.Label(c.Token, 1))
	}
	j.agent(t, root, strings.Join(labels, " "), newNode(t, "LC_ALL=C.UTF-8").env)
	name := func(job *batches.Job) string { return root + "/" + job.Path }

	t.Run("exact values", func(t *testing.T) { checkExact(t, &jenkins{t, j.Jenkins}, name(exact)) })
	t.Run("upstream", func(t *testing.T) {
		j := &jenkins{t, j.Jenkins}
		if b := j.end(name(upstream), j.start(name(upstream), nil)); b.Result != "SUCCESS" {
			t.Fatalf("%s: %s", b.Result, b.log)
		}
		j.until("the downstream job has run", time.Minute, func() bool {
			res, _ := j.do("GET", itemPath(name(downstream))+"/1/api/json", "", "")
			return res.StatusCode == 200
		})
		b := j.end(name(downstream), 1)
		if b.Result != "SUCCESS" || !strings.Contains(b.log, "Started by upstream project") {
			t.Fatalf("%s: %s", b.Result, b.log)
		}
		same(t, "argument", readShown(t, b.log).args[0], "[]")
	})
	for _, cut := range []*batches.Job{aborted, late} {
		t.Run(cut.Batch.Name, func(t *testing.T) {
			j := &jenkins{t, j.Jenkins}
			number := j.start(name(cut), nil)
			if cut == aborted {
				j.until("the job waits", time.Minute, func() bool { return strings.Contains(j.get(itemPath(name(cut))+"/1/consoleText"), "waiting\n") })
				j.form(fmt.Sprintf("%s/%d/stop", itemPath(name(cut)), number), nil)
			}
			b := j.end(name(cut), number)
			if b.Result != "ABORTED" || !strings.Contains(b.log, "after: <aborted>\n") {
				t.Errorf("%s: %s", b.Result, b.log)
			}
			if diff := cmp.Diff([]string{"out/after.txt"}, j.artifacts(name(cut), number)); diff != "" {
				t.Errorf("kept files (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("aborted behind the program", func(t *testing.T) {
		j := &jenkins{t, j.Jenkins}
		number := j.start(name(behind), nil)
		j.until("the job waits", time.Minute, func() bool { return strings.Contains(j.get(itemPath(name(behind))+"/1/consoleText"), "waiting\n") })
		j.form(fmt.Sprintf("%s/%d/stop", itemPath(name(behind)), number), nil)
		if b := j.end(name(behind), number); b.Result != "ABORTED" || !strings.Contains(b.log, "the program ended well, but the after-scripts were cut off") {
			t.Errorf("%s: %s", b.Result, b.log)
		}
	})
	t.Run("large", func(t *testing.T) {
		j := &jenkins{t, j.Jenkins}
		b := j.end(name(big), j.start(name(big), nil))
		if b.Result != "SUCCESS" || !strings.Contains(b.log, "\nline 4999\n") || !strings.Contains(b.log, "\n150001\n") {
			t.Errorf("%s: %.3000s", b.Result, b.log)
		}
	})
}

// values are what a person and the credentials give in TestJenkinsRunsJobs.
var values = map[string]string{
	"TEXT":    "$PATH ${JOB_NAME} $BUILD_NUMBER $$ $${x} $(id) `id` \\ \\\\ ' \" '' \"\" # ! % * ? ~ & | ; < > ( ) { } [ ] \t한국어 😀\nEND\n\"\n",
	"LINE":    "-Xmx1g @file --x=\"y\" $RUN_DATE ${LINE} \\u0027",
	"SECRET":  `s3cr3t "$PATH" ${JOB_NAME} $$ \ ' %s`,
	"FTP_USR": `us\er`, "FTP_PSW": `p'a$$"ss\word`,
}

// exactValues makes a batch that uses them in every way.
func exactValues(b *batches.Batch) {
	b.Parameters = []batches.Parameter{{Name: "TEXT", Type: "text"}, {Name: "LINE", Type: "string"}, {Name: "DEFAULT", Type: "string", Default: "${JOB_NAME} $$"}, {Name: "YES", Type: "boolean", Default: "true"}}
	b.Secrets = []batches.Secret{{Name: "SECRET", ID: "secret", Type: "string"}, {Name: "FTP", ID: "ftp", Type: "username-password"}, {Name: "FILE", ID: "file", Type: "file"}}
	for _, name := range []string{"TEXT", "LINE", "SECRET", "FTP_USR", "FTP_PSW"} {
		b.Args = append(b.Args, "<${"+name+"}>")
	}
	b.Args = append(b.Args, "${DEFAULT}", "${YES}")
	b.Env = []batches.Variable{{Name: "IN_ENV", Value: "${LINE}"}}
	b.Before = []batches.Script{{Name: "file", Run: `mkdir out; cp "$FILE" out/file.txt; printf %s "$TEXT" >out/text.txt`}}
	b.After = []batches.Script{{Name: "say", Run: `echo "after: <$BATCH_EXIT_CODE>"`}}
	b.Keep.Files = []string{"out/*", "nothing/*"}
	b.Java.Options = []string{"-Dexit=3"}
}

// credentials stores what the secrets of exactValues name.
func (j *jenkins) credentials(root string) {
	j.Helper()
	j.secret(root, "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl", "<id>secret</id><secret>"+escapeXML(values["SECRET"])+"</secret>")
	j.secret(root, "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl", "<id>ftp</id><username>"+escapeXML(values["FTP_USR"])+"</username><password>"+escapeXML(values["FTP_PSW"])+"</password>")
	j.secret(root, "org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl", "<id>file</id><fileName>key.pem</fileName><secretBytes>"+base64.StdEncoding.EncodeToString([]byte("the key"))+"</secretBytes>")
}

// checkExact runs that batch.
func checkExact(t *testing.T, j *jenkins, name string) {
	number := j.start(name, url.Values{"TEXT": {values["TEXT"]}, "LINE": {values["LINE"]}})
	b := j.end(name, number)
	if b.Result != "FAILURE" || !strings.Contains(b.log, "ERROR: the program ended with exit code 3\n") || !strings.Contains(b.log, "after: <3>\n") {
		t.Errorf("%s: %s", b.Result, b.log)
	}
	// Jenkins hides secrets in the log, also inside other text, so of these
	// only the hidden form can be seen there.
	got := readShown(t, b.log)
	same(t, "text", got.args[0], "<"+values["TEXT"]+">")
	same(t, "line", got.args[1], "<"+values["LINE"]+">")
	same(t, "default", got.args[5], "${JOB_NAME} $$")
	same(t, "boolean", got.args[6], "true")
	same(t, "environment", got.env["IN_ENV"], values["LINE"])
	for i, name := range []string{"SECRET", "FTP_USR", "FTP_PSW"} {
		same(t, name, got.args[2+i], "<"+values[name]+">")
	}
	if diff := cmp.Diff([]string{"out/file.txt", "out/text.txt"}, j.artifacts(name, number)); diff != "" {
		t.Errorf("kept files (-want +got):\n%s", diff)
	}
	same(t, "secret file", j.get(fmt.Sprintf("%s/%d/artifact/out/file.txt", itemPath(name), number)), "the key")
	same(t, "text in a before-script", j.get(fmt.Sprintf("%s/%d/artifact/out/text.txt", itemPath(name), number)), values["TEXT"])
}

// artifacts returns the files that are kept of a run.
func (j *jenkins) artifacts(name string, number int) []string {
	j.Helper()
	var run struct {
		Artifacts []struct{ RelativePath string }
	}
	j.json(fmt.Sprintf("%s/%d/api/json?tree=artifacts[relativePath]", itemPath(name), number), &run)
	var files []string
	for _, a := range run.Artifacts {
		files = append(files, a.RelativePath)
	}
	slices.Sort(files)
	return files
}
