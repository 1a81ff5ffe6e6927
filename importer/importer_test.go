package importer_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer"
	"github.com/batchctl/batchctl/internal/legacy"
)

// project is a freestyle job: its shell step, and what else stands in it.
func project(name, shell, more string) importer.Source {
	return source(name, "<project>"+more+"<builders><hudson.tasks.Shell><command>"+escape(shell)+"</command></hudson.tasks.Shell></builders></project>")
}

func source(name, text string) importer.Source {
	return importer.Source{Name: name, From: name + ".xml", XML: []byte("<?xml version='1.1' encoding='UTF-8'?>\n" + text)}
}

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err)
	}
	return b.String()
}

func run(t testing.TB, o importer.Options, sources ...importer.Source) *importer.Result {
	t.Helper()
	r, err := importer.Import(sources, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func file(t testing.TB, r *importer.Result, path string) string {
	t.Helper()
	for _, f := range r.Files {
		if f.Path == path {
			return string(f.Text)
		}
	}
	var have []string
	for _, f := range r.Files {
		have = append(have, f.Path)
	}
	t.Fatalf("there is no %s, only %v; report %+v", path, have, r.Report)
	return ""
}

func tree(r *importer.Result) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range r.Files {
		fsys[f.Path] = &fstest.MapFile{Data: f.Text, Mode: 0o644}
	}
	return fsys
}

// jobs are the jobs of a tree that must have no errors.
func jobs(t testing.TB, r *importer.Result) map[string]*batches.Job {
	t.Helper()
	result := batches.Load(tree(r)).Resolve()
	for _, p := range result.Problems {
		if p.Severity == batches.Error {
			t.Errorf("%s: %s: %s", p.Place, p.Path, p.Message)
		}
	}
	out := map[string]*batches.Job{}
	for _, j := range result.Jobs() {
		out[j.Path] = j
	}
	return out
}

const sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestEverything has a job with all that import understands, and the batch
// that it becomes.
func TestEverything(t *testing.T) {
	all := project("live-1/pay/nightly", `export TZ=UTC
java -Xmx2g -Xms1g -Dspring.profiles.active=live -jar /opt/pay.jar --date=$RUN_DATE '{{x}}'
`, `<description>Pays &lt;b&gt;out&lt;/b&gt;</description><disabled>true</disabled><assignedNode>Big</assignedNode><canRoam>false</canRoam>
<jdk>JDK 17</jdk><concurrentBuild>true</concurrentBuild>
<logRotator><daysToKeep>30</daysToKeep><numToKeep>-1</numToKeep><artifactDaysToKeep>-1</artifactDaysToKeep></logRotator>
<properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>RUN_DATE</name><description>day</description><defaultValue>x</defaultValue></hudson.model.StringParameterDefinition>
<hudson.model.ChoiceParameterDefinition><name>MODE</name><choices class="java.util.Arrays$ArrayList"><a class="string-array"><string>a</string><string>b</string><string>a</string></a></choices></hudson.model.ChoiceParameterDefinition>
<hudson.model.PasswordParameterDefinition><name>PW</name><defaultValue>{AQAAABAAAAAQ}</defaultValue></hudson.model.PasswordParameterDefinition>
</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>
<triggers><hudson.triggers.TimerTrigger><spec>TZ=Asia/Seoul
# at night
H 2 * * *
@weekly</spec></hudson.triggers.TimerTrigger><jenkins.triggers.ReverseBuildTrigger><spec></spec><upstreamProjects>first, ../other/third, gone</upstreamProjects><threshold><name>UNSTABLE</name></threshold></jenkins.triggers.ReverseBuildTrigger></triggers>
<buildWrappers><hudson.plugins.build__timeout.BuildTimeoutWrapper><strategy class="hudson.plugins.build_timeout.impl.AbsoluteTimeOutStrategy"><timeoutMinutes>90</timeoutMinutes></strategy><operationList/></hudson.plugins.build__timeout.BuildTimeoutWrapper>
<org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper><bindings>
<org.jenkinsci.plugins.credentialsbinding.impl.UsernamePasswordMultiBinding><credentialsId>db</credentialsId><usernameVariable>DB_USER</usernameVariable><passwordVariable>DB_PW</passwordVariable></org.jenkinsci.plugins.credentialsbinding.impl.UsernamePasswordMultiBinding>
<org.jenkinsci.plugins.credentialsbinding.impl.FileBinding><credentialsId>f</credentialsId><variable>KEY</variable></org.jenkinsci.plugins.credentialsbinding.impl.FileBinding>
</bindings></org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper>
<EnvInjectBuildWrapper><info><propertiesContent>A=1
# no
B=2</propertiesContent></info></EnvInjectBuildWrapper></buildWrappers>
<publishers><hudson.tasks.ArtifactArchiver><artifacts>a.csv, b/**</artifacts></hudson.tasks.ArtifactArchiver></publishers>`)
	r := run(t, importer.Options{Checksums: map[string]string{"/opt/pay.jar": sum}, Repository: "https://repo.example/x/"},
		all, project("live-1/pay/first", "java -jar /opt/a.jar", ""), project("live-1/other/third", "java -jar /opt/a.jar", ""))
	want := `# kept: properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions/hudson.model.PasswordParameterDefinition: name: PW; defaultValue: ********
# schedule: at night
# it also started after runs that were UNSTABLE; now only after good ones
# kept: started by gone
apiVersion: batchctl/v1
kind: Batch
metadata:
  name: nightly
  description: Pays <b>out</b>
deploy:
  - live-1
spec:
  schedule:
    cron:
      - H 2 * * *
      - '@weekly'
    timezone: Asia/Seoul
  disabled: true
  java:
    version: 17
    heap: 2g
    options:
      - -Xms1g
    properties:
      spring.profiles.active: live
  artifact:
    url: https://repo.example/x/pay.jar
    sha256: ` + sum + `
  args:
    - --date=${RUN_DATE}
    - "{{{{x}}"
  parameters:
    - name: RUN_DATE
      type: string
      default: x
      description: day
    - name: MODE
      type: choice
      choices:
        - a
        - b
  secrets:
    DB:
      id: db
      type: username-password
    KEY:
      id: f
      type: file
  env:
    DB_USER: ${DB_USR}
    DB_PW: ${DB_PSW}
    A: "1"
    B: "2"
    TZ: UTC
  timeout: 90m
  concurrency: allow
  after:
    - first
    - other/third
  node:
    pool: big
    memory: 3Gi
  keep:
    days: 30
    files:
      - a.csv
      - b/**
`
	if got := file(t, r, "apps/pay/nightly.yaml"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if j := jobs(t, r)["live-1/pay/nightly"]; j.Batch.Args[1] != "{{x}}" || len(j.Batch.Upstream) != 2 || j.Phase != "live" {
		t.Errorf("%+v", j.Batch)
	}
	if strings.Contains(want, "AQAA") {
		t.Error("an encrypted secret came along")
	}
}

func pipelineJob(name, script string) importer.Source {
	return source(name, `<flow-definition><properties><org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty><triggers><hudson.triggers.TimerTrigger><spec>@daily</spec></hudson.triggers.TimerTrigger></triggers></org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty></properties><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>`+escape(script)+`</script></definition></flow-definition>`)
}

func TestPipeline(t *testing.T) {
	r := run(t, importer.Options{}, pipelineJob("a/b/scripted", `
def HOME = '/opt'
properties([disableConcurrentBuilds(), parameters([string(name: 'D', defaultValue: 'x'), choice(name: 'C', choices: ['p', 'q'])])])
node('big') {
  timeout(time: 2, unit: 'HOURS') {
    withCredentials([string(credentialsId: 'id', variable: 'TOKEN')]) {
      withEnv(["LANG=ko"]) {
        sh "mkdir -p out"
        sh """java -jar ${HOME}/a.jar --d=${params.D} --c=$C"""
        sh 'echo done'
      }
    }
  }
  archiveArtifacts artifacts: 'out/*', allowEmptyArchive: true
  mail to: 'a@b', subject: 'x'
}
`), pipelineJob("a/b/declared", `pipeline {
  agent { label 'small' }
  options { buildDiscarder(logRotator(numToKeepStr: '7')); timeout(30) }
  environment { A = 'b'
    PW = credentials('pw') }
  stages { stage('x') { steps { sh 'java -jar /opt/b.jar "$A"' } } }
  post { failure { mail to: 'c@d' } }
}`))
	all := jobs(t, r)
	s, d := all["a/b/scripted"].Batch, all["a/b/declared"].Batch
	got := fmt.Sprintln(s.Args, s.Artifact.URL, s.Timeout, s.Concurrency, s.Secrets, s.Env, s.Node.Pool, s.Keep.Files, len(s.Parameters), s.Before, s.After, s.Schedule != nil)
	want := "[--d=${D} --c=${C}] file:///opt/a.jar 2h0m0s forbid [{TOKEN id string}] [{LANG ko}] big [out/*] 2 [{step-1 set +u\nmkdir -p out\n}] [{step-3 set +u\n[ \"$BATCH_EXIT_CODE\" -eq 0 ] || exit 0\necho done\n}] true\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = fmt.Sprintln(d.Args, d.Timeout, d.Concurrency, d.Secrets, d.Env, d.Node.Pool, d.Keep.Builds)
	if want := "[${A}] 30m0s allow [{PW pw string}] [{A b}] small 7\n"; got != want {
		// ${A} in args is the run's variable, whose value env gives.
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if text := file(t, r, "apps/b/declared.yaml"); !strings.Contains(text, "# pipeline: post { failure { mail to: 'c@d' } }\n") {
		t.Errorf("what was left out is not kept:\n%s", text)
	}
	if text := file(t, r, "apps/b/scripted.yaml"); !strings.Contains(text, "# pipeline: mail to: 'a@b', subject: 'x'\n") {
		t.Errorf("what was left out is not kept:\n%s", text)
	}
}

func TestMatrix(t *testing.T) {
	r := run(t, importer.Options{}, source("live-1/pay/all", `<matrix-project><axes><hudson.matrix.TextAxis><name>REGION</name><values><string>kr</string><string>jp</string></values></hudson.matrix.TextAxis>
<hudson.matrix.LabelAxis><name>label</name><values><string>big</string></values></hudson.matrix.LabelAxis></axes><combinationFilter/><executionStrategy><runSequentially>true</runSequentially></executionStrategy>
<builders><hudson.tasks.Shell><command>java -jar /a.jar --r=$REGION</command></hudson.tasks.Shell></builders></matrix-project>`),
		project("live-1/pay/next", "java -jar /a.jar", `<triggers><jenkins.triggers.ReverseBuildTrigger><upstreamProjects>all</upstreamProjects></jenkins.triggers.ReverseBuildTrigger></triggers>`))
	all := jobs(t, r)
	kr, next := all["live-1/pay/all-kr-big"], all["live-1/pay/next"]
	if len(all) != 3 || fmt.Sprintln(kr.Batch.Args, kr.Batch.Env, kr.Batch.Node.Pool) != "[--r=kr] [{REGION kr} {label big}] big\n" {
		t.Errorf("%v %+v", all, kr)
	}
	if fmt.Sprint(next.Batch.Upstream) != "[live-1/pay/all-jp-big live-1/pay/all-kr-big]" {
		t.Error(next.Batch.Upstream)
	}
	if !slices.ContainsFunc(r.Report[0].Findings, func(f importer.Finding) bool { return f.Rule == "sequential" }) {
		t.Errorf("%+v", r.Report[0])
	}
}

// TestNames: folders and names that are no names of a tree, and two that
// become one.
func TestNames(t *testing.T) {
	s := "java -jar /a.jar"
	r := run(t, importer.Options{Phases: map[string]string{"main": "live"}}, project("정산/일 마감", s, ""), project("A b/C (d)", s, ""), project("a_b/x", s, ""), project("top", s, ""),
		project("Prod-2/x/y/z", s, ""), project("A b/c-d", s, ""), project("live-1/g/same", s, ""), project("live-2/g/same", s, ""))
	var paths []string
	for path := range jobs(t, r) {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	want := "[live-1/g/same live-2/g/same main/a-b/c-d main/a-b/c-d-2 main/a_b/x main/jeongsan/il-magam main/jobs/top prod-2/x-y/z]"
	if got := fmt.Sprint(paths); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if text := file(t, r, "apps/jeongsan/il-magam.yaml"); !strings.HasPrefix(text, "# was 정산/일 마감\n") {
		t.Error(text)
	}
	if file(t, r, "clusters/main.yaml") != "apiVersion: batchctl/v1\nphase: live\n" || file(t, r, "clusters/prod-2.yaml") != "apiVersion: batchctl/v1\nphase: prod\n" {
		t.Error("phases")
	}
	for _, j := range r.Report {
		folderless := strings.HasPrefix(j.Batches[0], "main/")
		if has(j, "cluster", "") != folderless || has(j, "renamed", "was "+j.Job) != slices.Contains([]string{"정산/일 마감", "A b/C (d)", "A b/c-d", "Prod-2/x/y/z"}, j.Job) {
			t.Errorf("%+v", j)
		}
	}
	one := run(t, importer.Options{Cluster: "c"}, project("Prod/x/y", s, ""))
	file(t, one, "apps/prod-x/y.yaml")
}

// TestNotImported: such a job is kept whole, without its secrets.
func TestNotImported(t *testing.T) {
	r := run(t, importer.Options{}, project("live-1/ops/backup", "rsync a b", "<authToken>hunter2</authToken><x><password>{AQAAABAAAAAQ}</password></x>"),
		source("live-1/ops/git", `<flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition"/></flow-definition>`),
		source("live-1/ops/loop", `<flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>for (x in y) { }</script></definition></flow-definition>`),
		pipelineJob("live-1/ops/quoted", "properties([parameters([string(name: 'D')])])\nnode { sh \"java -jar /a.jar '${params.D}'\" }"),
		pipelineJob("live-1/ops/gate", "node { input 'go?'\n sh 'java -jar /a.jar' }"),
		source("live-1/ops/mvn", "<maven2-moduleset/>"), source("live-1/ops", "<com.cloudbees.hudson.plugins.folder.Folder/>"))
	want := map[string]string{"backup": "it starts no java", "git": "its Pipeline is not in the job", "loop": "line 1 of the pipeline: it holds a loop", "gate": "line 1 of the pipeline: the Pipeline depends on the step input", "quoted": "line 2 of the pipeline: ${params.D} stands in single quotes of the shell", "mvn": "is no freestyle, pipeline or matrix job"}
	if len(r.Report) != 6 {
		t.Errorf("%+v", r.Report)
	}
	for _, j := range r.Report {
		name := strings.TrimPrefix(j.Job, "live-1/ops/")
		if !strings.Contains(j.Reason, want[name]) || len(j.Batches) > 0 {
			t.Errorf("%s: %+v", name, j)
		}
		text := file(t, r, "not-imported/live-1/ops/"+name+".xml")
		if strings.Contains(text, "hunter2") || strings.Contains(text, "AQAA") || !strings.Contains(text, "<!-- ") {
			t.Error(text)
		}
	}
	if text := file(t, r, "not-imported/live-1/ops/backup.xml"); !strings.Contains(text, "rsync a b") {
		t.Error(text)
	}
}

// TestFindings: what a person has to know is in the report.
func TestFindings(t *testing.T) {
	tests := []struct{ shell, more, want string }{
		{"java -XX:G1HeapRegionSiez=8m -jar /a.jar", "", "jvm/unknown-option"},
		{"java -jar /a.jar", "", "checksum"},
		{"java -jar /a.jar", "", "java"},
		{"java -jar /a.jar", "", "no-timeout"},
		{"/jdk1.8.0_292/bin/java -jar /a.jar", "", "java"},
		{"java -Ddb.password=hunter2 -jar /a.jar", "", "secret"},
		{"java -jar /a.jar", "<properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions><hudson.model.StringParameterDefinition><name>DB_PASSWORD</name><defaultValue>x</defaultValue></hudson.model.StringParameterDefinition></parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>", "secret"},
		{"java -jar /a.jar", "<triggers><hudson.triggers.TimerTrigger><spec>@daily</spec></hudson.triggers.TimerTrigger></triggers>", "timezone"},
		{"java -jar /a.jar", "<assignedNode>a &amp;&amp; b</assignedNode>", "label"},
		{"java -jar /a.jar", "<scm class=\"hudson.plugins.git.GitSCM\"><url>x</url></scm>", "kept"},
		{"java -Xmx1g -Xmx2g -jar /a.jar", "", "twice"},
		{"java -Xmx999999999 -Xmx2g -jar /a.jar", "", "checksum"},
		{"export PS4=x\njava -jar /a.jar", "", "refused"},
		{"export JAVA_TOOL_OPTIONS=-Xmx1g\njava -jar /a.jar", "", "java-env"},
		{"java -jar /a.jar &", "", "background"},
		{"java -jar /a.jar", "<triggers><hudson.triggers.TimerTrigger><spec>99 * * * *</spec></hudson.triggers.TimerTrigger></triggers>", "no-schedule"},
	}
	for _, tt := range tests {
		r := run(t, importer.Options{}, project("live-1/pay/a", tt.shell, tt.more))
		if !slices.ContainsFunc(r.Report[0].Findings, func(f importer.Finding) bool { return f.Rule == tt.want && f.What != "" }) {
			t.Errorf("%q %s: %+v; want %s", tt.shell, tt.more, r.Report[0], tt.want)
		}
		if tt.want == "jvm/unknown-option" {
			continue
		}
		// Of two heaps the JVM takes the last, and the batch has only that.
		if b := jobs(t, r)["live-1/pay/a"].Batch; len(b.Java.Options) > 0 {
			t.Errorf("%q: options %v", tt.shell, b.Java.Options)
		}
	}
}

// TestEnvironment: a name is one thing only, and variables refer to nothing
// that has no order.
func TestEnvironment(t *testing.T) {
	r := run(t, importer.Options{}, project("live-1/pay/a", "export C=$B MODE=x\njava -jar /a.jar $C", `<properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>MODE</name></hudson.model.StringParameterDefinition>
<hudson.model.StringParameterDefinition><name>TOKEN</name></hudson.model.StringParameterDefinition>
<hudson.model.StringParameterDefinition><name>DAY</name></hudson.model.StringParameterDefinition>
</parameterDefinitions></hudson.model.ParametersDefinitionProperty>
<EnvInjectJobProperty><info><propertiesContent>A=/opt
B=$A/x/${DAY}/$NO/${NOR}/$$</propertiesContent></info><on>true</on></EnvInjectJobProperty></properties>
<buildWrappers><org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper><bindings><org.jenkinsci.plugins.credentialsbinding.impl.StringBinding><credentialsId>t</credentialsId><variable>TOKEN</variable></org.jenkinsci.plugins.credentialsbinding.impl.StringBinding></bindings></org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper></buildWrappers>`))
	b := jobs(t, r)["live-1/pay/a"].Batch
	got := fmt.Sprintln(b.Env, b.Args, b.Secrets, len(b.Parameters), b.Parameters[0].Name)
	want := "[{A /opt} {B /opt/x/${DAY}/$NO/$${NOR}/$$} {C /opt/x/${DAY}/$NO/$${NOR}/$$} {MODE x}] [${B}] [{TOKEN t string}] 1 DAY\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

// TestCannotHold: a job whose program a batch cannot hold is none.
func TestCannotHold(t *testing.T) {
	r := run(t, importer.Options{}, project("live-1/pay/a", "java -jar /a.jar '"+strings.Repeat("x", 70_000)+"'", ""))
	if !strings.Contains(r.Report[0].Reason, "a batch cannot hold its args: this text has 70000 bytes") || r.Batches != 0 {
		t.Errorf("%+v", r.Report[0])
	}
	file(t, r, "not-imported/live-1/pay/a.xml")
}

func TestBroken(t *testing.T) {
	_, err := importer.Import([]importer.Source{source("b", "<project>"), source("a", "<!DOCTYPE x><project/>"), project("c", "java -jar /a.jar", "")}, importer.Options{})
	var broken *importer.BrokenError
	if !errors.As(err, &broken) || len(broken.Problems) != 2 || !strings.HasPrefix(broken.Problems[0], "a.xml: line 2: holds a document type") {
		t.Errorf("%v", err)
	}
	_, err = importer.Import([]importer.Source{source("a", "<project/>"), source("a", "<project/>")}, importer.Options{})
	if !errors.As(err, &broken) {
		t.Errorf("one name twice: %v", err)
	}
}

// TestLegacy imports the old Jenkins: every job that starts a JVM is a batch,
// all of it loads, and only what no JVM 11 takes is an error.
func TestLegacy(t *testing.T) {
	var sources []importer.Source
	for _, c := range legacy.Jobs(800) {
		sources = append(sources, importer.Source{Name: c.Name, From: c.Name, XML: []byte(c.XML)})
	}
	r := run(t, importer.Options{}, sources...)
	slices.Reverse(sources)
	again := run(t, importer.Options{}, sources...)
	for i, f := range r.Files {
		if again.Files[i].Path != f.Path || !bytes.Equal(again.Files[i].Text, f.Text) {
			t.Fatalf("%s differs in a second import of the same jobs", f.Path)
		}
	}
	for _, j := range r.Report {
		if stranger := strings.Contains(j.Job, "/operations/"); stranger != (j.Reason != "") {
			t.Errorf("%s: %q", j.Job, j.Reason)
		}
	}
	result := batches.Load(tree(r)).Resolve()
	if result.Placed["Batch"] != r.Batches || r.Batches < 800 {
		t.Errorf("%d batches, %d of them in the tree", r.Batches, result.Placed["Batch"])
	}
	misspelt := 0
	for _, p := range result.Problems {
		if p.Severity == batches.Error && !strings.HasPrefix(p.Rule, "jvm/") {
			t.Errorf("%s: %s: %s", p.Place, p.Path, p.Message)
		}
		if strings.Contains(p.Message, legacy.Misspelt) {
			misspelt++
		}
	}
	if misspelt != 1 {
		t.Errorf("the misspelt option is in %d jobs", misspelt)
	}
}
