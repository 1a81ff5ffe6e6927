package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/batchctl/batchctl/importer"
)

func timer(spec string) string {
	return "<triggers><hudson.triggers.TimerTrigger><spec>" + escape(spec) + "</spec></hudson.triggers.TimerTrigger></triggers>"
}

func has(j importer.Job, rule, text string) bool {
	return slices.ContainsFunc(j.Findings, func(f importer.Finding) bool { return f.Rule == rule && f.Text == text })
}

// TestTimers: which timers Jenkins takes, and which never started a run there,
// was tried with a real one; those start nothing now either.
func TestTimers(t *testing.T) {
	const none = "none"
	for _, tt := range []struct{ spec, want, rule, kept string }{
		{"TZ=Asia/Seoul\n0 1 * * *", "0 1 * * * in Asia/Seoul", "", ""},
		{"TZ=JST\n0 1 * * *", "0 1 * * * in Asia/Tokyo", "", ""},
		{"# at night\n0 1 * * *\n\n0 2 * * *", "0 1 * * *,0 2 * * * in Europe/Berlin", "comment", "schedule: at night"},
		{"0 1 * * *\n0 0 31 2 *", "0 1 * * * in Europe/Berlin", "refused", `kept: schedule: 0 0 31 2 * ("0 0 31 2 *" never comes: no month in it has such a day)`},
		{"0 1 * * *\nTZ=UTC\n0 2 * * *", none, "no-schedule", `kept: schedule: 0 1 * * * | TZ=UTC | 0 2 * * * ("TZ=UTC" has 1 fields; cron takes five: minute, hour, day of month, month, day of week)`},
		{"# at night\nTZ=UTC\n0 2 * * *", none, "no-schedule", `kept: schedule: # at night | TZ=UTC | 0 2 * * * ("TZ=UTC" has 1 fields; cron takes five: minute, hour, day of month, month, day of week)`},
		{"TZ=KST\n0 1 * * *", none, "no-schedule", `kept: schedule: TZ=KST | 0 1 * * * ("KST" is no time zone of the IANA database; write Asia/Seoul)`},
		{"0 1 * * *\n99 * * * *", none, "no-schedule", `kept: schedule: 0 1 * * * | 99 * * * * ("99 * * * *": minute: 99 is out of range; it goes from 0 to 59)`},
	} {
		r := run(t, importer.Options{Timezone: "Europe/Berlin"}, project("live-1/pay/a", "java -jar /a.jar", timer(tt.spec)))
		got := none
		if s := jobs(t, r)["live-1/pay/a"].Batch.Schedule; s != nil {
			got = fmt.Sprintf("%s in %s", strings.Join(s.Cron, ","), s.Timezone)
		}
		if got != tt.want {
			t.Errorf("%q: %s; want %s", tt.spec, got, tt.want)
		}
		if text := file(t, r, "apps/pay/a.yaml"); tt.rule != "" && (!has(r.Report[0], tt.rule, tt.kept) || !strings.Contains(text, "# "+tt.kept+"\n")) {
			t.Errorf("%q: %+v\n%s", tt.spec, r.Report[0].Findings, text)
		}
	}
}

// TestPipelineTimer: a timer that the script sets is not there twice, as the
// job has that of its last run.
func TestPipelineTimer(t *testing.T) {
	r := run(t, importer.Options{}, pipelineJob("live-1/pay/a", "pipeline { agent any\ntriggers { cron('TZ=Asia/Seoul\\n0 1 * * *') }\nstages { stage('x') { steps { sh 'java -jar /a.jar' } } } }"))
	if s := jobs(t, r)["live-1/pay/a"].Batch.Schedule; len(s.Cron) != 1 || s.Timezone != "Asia/Seoul" {
		t.Errorf("%+v", s)
	}
}

// TestNotOneBatch: jobs of which it is not known what they run become none.
func TestNotOneBatch(t *testing.T) {
	matrix := func(more string) importer.Source {
		return source("live-1/pay/a", "<matrix-project><axes><hudson.matrix.TextAxis><name>A</name><values><string>x</string></values></hudson.matrix.TextAxis>"+more+
			"<builders><hudson.tasks.Shell><command>java -jar /a.jar</command></hudson.tasks.Shell></builders></matrix-project>")
	}
	for want, s := range map[string]importer.Source{
		`it runs only some combinations of its axes, and import cannot work out which (A=="x")`: matrix(`</axes><combinationFilter>A=="x"</combinationFilter>`),
		"import does not know the values of its axes of the kind JDKAxis":                       matrix("<hudson.matrix.JDKAxis><name>jdk</name></hudson.matrix.JDKAxis></axes>"),
		`its steps run on several agents ("a", "b")`: pipelineJob("live-1/pay/a", `pipeline { agent none
stages { stage('x') { agent { label 'a' }
 steps { sh 'java -jar /a.jar' } }
stage('y') { agent { label 'b' }
 steps { sh 'echo' } } } }`),
		`its steps run on several agents ("a", "")`:                             pipelineJob("live-1/pay/a", "node('a') { sh 'java -jar /a.jar' }\nnode { sh 'echo' }"),
		"line 1 of the pipeline: its steps run in a directory of the workspace": pipelineJob("live-1/pay/a", "node { dir('x') { sh 'java -jar /a.jar' } }"),
		"line 1 of the pipeline: withCredentials binds something else":          pipelineJob("live-1/pay/a", "node { withCredentials([sshUserPrivateKey(credentialsId: 'k', keyFileVariable: 'K')]) { sh 'java -jar /a.jar' } }"),
		"line 1 of the pipeline: a block stands where a value would":            pipelineJob("live-1/pay/a", "parallel a: { sh 'java -jar /a.jar' }"),
		"a step after java needs the file that java's output went into (out.log)": source("live-1/pay/a", "<project><builders><hudson.tasks.Shell><command>java -jar /a.jar &gt;out.log 2&gt;&amp;1</command></hudson.tasks.Shell>"+
			"<hudson.tasks.Shell><command>! grep ERROR out.log</command></hudson.tasks.Shell></builders></project>"),
		"line 2 of the script: what comes after java needs the file that java's output went into (\"out.log\")": source("live-1/pay/a", "<project><builders><hudson.tasks.Shell><command>java -jar /a.jar | tee 'out.log'\n! grep ERROR \"out.log\"</command></hudson.tasks.Shell></builders></project>"),
		"it is a link": {Name: "live-1/pay/a", Skip: "it is a link"},
	} {
		r := run(t, importer.Options{}, s)
		if len(r.Report) != 1 || !strings.HasPrefix(r.Report[0].Reason, want) || r.Batches != 0 {
			t.Errorf("%+v; want %s", r.Report, want)
		}
	}
}

// TestPipelineParts: what blocks set holds in them, and reaches the batch.
func TestPipelineParts(t *testing.T) {
	r := run(t, importer.Options{}, pipelineJob("live-1/pay/a", `pipeline { agent any
tools { jdk 'jdk-17'
 maven 'm3' }
stages { stage('x') { agent { label 'big' }
 steps { dir('/opt') { sh 'java -jar a.jar' }
 sh 'echo done' } } } }`))
	b := jobs(t, r)["live-1/pay/a"].Batch
	if got := fmt.Sprintln(b.Node.Pool, b.Java.Version, b.Artifact.URL, b.After); got != "big 17 file:///opt/a.jar [{step-2 set +u\n[ \"$BATCH_EXIT_CODE\" -eq 0 ] || exit 0\necho done\n}]\n" {
		t.Error(got)
	}
	if text := file(t, r, "apps/pay/a.yaml"); !strings.Contains(text, "# pipeline: tools maven 'm3'\n") {
		t.Error(text)
	}
}

// TestCredentials: the variables of a user and a password never stand in the
// way of the credential's own name.
func TestCredentials(t *testing.T) {
	binding := func(id, user, password string) string {
		return "<x.UsernamePasswordMultiBinding><credentialsId>" + id + "</credentialsId><usernameVariable>" + user + "</usernameVariable><passwordVariable>" + password + "</passwordVariable></x.UsernamePasswordMultiBinding>"
	}
	r := run(t, importer.Options{}, project("live-1/pay/a", "java -jar /a.jar $USERNAME $PASSWORD $DB_USER $P $Q $U", "<buildWrappers><org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper><bindings>"+
		binding("ledger-db", "USERNAME", "PASSWORD")+binding("x", "DB_USER", "P")+binding("1-x.y", "U", "Q")+"</bindings></org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper></buildWrappers>"))
	b := jobs(t, r)["live-1/pay/a"].Batch
	got := fmt.Sprintln(b.Secrets, b.Env)
	want := "[{DB x username-password} {LEDGER_DB ledger-db username-password} {_1_X_Y 1-x.y username-password}] [{DB_USER ${DB_USR}} {P ${DB_PSW}} {PASSWORD ${LEDGER_DB_PSW}} {Q ${_1_X_Y_PSW}} {U ${_1_X_Y_USR}} {USERNAME ${LEDGER_DB_USR}}]\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

// TestExactNames: of names that become one, the one that need not change stays.
func TestExactNames(t *testing.T) {
	s := "java -jar /a.jar"
	r := run(t, importer.Options{}, project("Live-1/pay/daily", s, ""), project("live-1/pay/DAILY", s, ""), project("live-1/pay/daily", s, ""))
	for _, j := range r.Report {
		if j.Job == "live-1/pay/daily" && j.Batches[0] != j.Job || j.Job != "live-1/pay/daily" && j.Batches[0] == "live-1/pay/daily" {
			t.Errorf("%+v", j)
		}
	}
}

// TestJavaOf: where the release and the heap stand in odd places.
func TestJavaOf(t *testing.T) {
	for shell, want := range map[string]string{
		"export PATH=/opt/jdk-17/bin:$PATH\njava -jar /a.jar":                                "17 ",
		"JAVA_HOME=/opt/jdk-11\nPATH=/opt/jdk-21/bin:$JAVA_HOME/bin:$PATH\njava -jar /a.jar": "21 ",
		"export JAVA_HOME=/opt/jdk-21\nexport PATH=$JAVA_HOME/bin:$PATH\njava -jar /a.jar":   "21 ",
		"PATH=/opt/jdk-17/bin:$PATH\n/opt/jdk-21/bin/java -Xmx1073741824 -Xms1g -jar /a.jar": "21 1g",
		"java -Xmx2097152k -jar /a.jar":                                                      "11 2097152k",
		"java -Xmx15360000 -jar /a.jar":                                                      "11 15000k",
	} {
		b := jobs(t, run(t, importer.Options{}, project("live-1/pay/a", shell, "")))["live-1/pay/a"].Batch
		if got := fmt.Sprint(b.Java.Version, " ", b.Java.Heap); got != want {
			t.Errorf("%q: %s; want %s", shell, got, want)
		}
	}
}
