package jobxml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/legacy"
)

func read(t testing.TB, text string) *jobxml.Job {
	t.Helper()
	root, err := jobxml.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	job, err := jobxml.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// TestRefused has documents that are no config.xml, or hostile.
func TestRefused(t *testing.T) {
	tests := map[string]string{
		"":                           "holds no element",
		"<project>":                  "line 1: is no XML",
		"<project></projekt>":        "line 1: is no XML",
		"<project/><project/>":       "line 1: has a second element",
		"<project/>x":                "line 1: has text outside of its element",
		"<project>\n&xxe;</project>": "line 2: holds an entity that XML does not define itself",
		"<!DOCTYPE a><project/>":     "line 1: holds a document type",
		"<?xml version='1.1'?>\n\n<!DOCTYPE a [<!ENTITY b \"c\">]>\n<project>&b;</project>": "line 3: holds a document type",
		"<?xml version='1.1' encoding='EUC-KR'?><project/>":                                 "another encoding than UTF-8",
		"<?xml version='1.1'":                       "declaration does not end",
		"<project>\xff</project>":                   "is not UTF-8",
		"<project>\x01</project>":                   "is no XML",
		strings.Repeat("<a>", 65):                   "more than 64 deep",
		"<a>" + strings.Repeat("<b/>", 100_000):     "more than 100000 elements",
		"<a>" + strings.Repeat(" ", jobxml.MaxSize): "has more than 4 MiB",
	}
	for text, want := range tests {
		if _, err := jobxml.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x00\x01\x1b") {
			t.Errorf("%.40q: %v; want %q", text, err, want)
		}
	}
}

func TestForms(t *testing.T) {
	for text, want := range map[string]jobxml.Form{"<project/>": jobxml.Freestyle, "<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition/>": jobxml.Pipeline,
		"\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><matrix-project/>": jobxml.Matrix, "<!-- a --><hudson.model.FreeStyleProject/>": jobxml.Freestyle} {
		if job := read(t, text); job.Form != want {
			t.Errorf("%q: %s", text, job.Form)
		}
	}
	for text, folder := range map[string]bool{"<com.cloudbees.hudson.plugins.folder.Folder/>": true, "<jenkins.branch.OrganizationFolder/>": true, "<maven2-moduleset/>": false, "<slave/>": false} {
		root, err := jobxml.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var not *jobxml.NotJobError
		if _, err := jobxml.Read(root); !errors.As(err, &not) || not.Folder != folder {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestRest: what is not understood is there in the end, with all it says, and
// what says nothing is not.
func TestRest(t *testing.T) {
	job := read(t, `<project>
<actions/><keepDependencies>true</keepDependencies><quietPeriod>9</quietPeriod><authToken>hunter2</authToken>
<scm class="hudson.plugins.git.GitSCM" plugin="git@5"><url>u</url><branches><b>m</b></branches></scm>
<blockBuildWhenUpstreamBuilding>true</blockBuildWhenUpstreamBuilding>
<properties><a.B><on>true</on></a.B><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>A</name><odd>x</odd></hudson.model.StringParameterDefinition>
<hudson.model.FileParameterDefinition><name>F</name></hudson.model.FileParameterDefinition></parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>
<triggers><hudson.triggers.SCMTrigger><spec>H * * * *</spec></hudson.triggers.SCMTrigger></triggers>
<builders><hudson.tasks.Maven><targets>x</targets></hudson.tasks.Maven><hudson.tasks.Shell><command>a</command><unstableReturn>3</unstableReturn></hudson.tasks.Shell></builders>
<publishers><hudson.tasks.ArtifactArchiver><artifacts>a</artifacts><fingerprint>true</fingerprint></hudson.tasks.ArtifactArchiver><p.Empty/></publishers>
<buildWrappers><hudson.plugins.build__timeout.BuildTimeoutWrapper><strategy class="x.NoActivityTimeOutStrategy"><timeoutSecondsString>3</timeoutSecondsString></strategy></hudson.plugins.build__timeout.BuildTimeoutWrapper>
<org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper><bindings><x.SSHUserPrivateKeyBinding><credentialsId>k</credentialsId></x.SSHUserPrivateKeyBinding></bindings></org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper></buildWrappers>
</project>`)
	want := []jobxml.Kept{
		{Path: "keepDependencies", Text: "true"}, {Path: "quietPeriod", Text: "9"}, {Path: "authToken", Text: "********"},
		{Path: "scm", Text: "class hudson.plugins.git.GitSCM; url: u; branches: {b: m}"},
		{Path: "blockBuildWhenUpstreamBuilding", Text: "true"},
		{Path: "properties/a.B", Text: "on: true"},
		{Path: "properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions/hudson.model.StringParameterDefinition", Text: "odd: x"},
		{Path: "properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions/hudson.model.FileParameterDefinition", Text: "name: F"},
		{Path: "triggers/hudson.triggers.SCMTrigger", Text: "spec: H * * * *"},
		{Path: "builders/hudson.tasks.Maven", Text: "targets: x"}, {Path: "builders/hudson.tasks.Shell", Text: "unstableReturn: 3"},
		{Path: "publishers/hudson.tasks.ArtifactArchiver", Text: "fingerprint: true"}, {Path: "publishers/p.Empty"},
		{Path: "buildWrappers/hudson.plugins.build__timeout.BuildTimeoutWrapper", Text: "strategy: {class x.NoActivityTimeOutStrategy; timeoutSecondsString: 3}"},
		{Path: "buildWrappers/org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper/bindings/x.SSHUserPrivateKeyBinding", Text: "credentialsId: k"},
	}
	if diff := cmp.Diff(want, job.Rest); diff != "" {
		t.Error(diff)
	}
	if len(job.OtherSteps) != 1 || len(job.Steps) != 1 {
		t.Errorf("%+v", job)
	}
}

// TestLegacy: of the old Jenkins all is understood but who gets mail.
func TestLegacy(t *testing.T) {
	mails := 0
	for _, c := range legacy.Jobs(400) {
		for _, k := range read(t, c.XML).Rest {
			if !strings.HasPrefix(k.Path, "publishers/hudson.tasks.Mailer") {
				t.Errorf("%s: not understood: %+v", c.Name, k)
			}
			mails++
		}
	}
	if mails == 0 {
		t.Error("no mail was kept")
	}
}

func TestRedact(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		hidden     bool
	}{{"x", "{AQAAABAAAAAQ=}", true}, {"dbPassword", "x", true}, {"API_TOKEN", "x", true}, {"secret", "", false}, {"credentialsId", "x", false}, {"tokenId", "x", false}, {"name", "{x}", false}} {
		if got := jobxml.Redact(tt.name, tt.text); (got == jobxml.Hidden) != tt.hidden {
			t.Errorf("%s %s: %s", tt.name, tt.text, got)
		}
	}
}

// TestWriteTo: what is written is read back as the same.
func TestWriteTo(t *testing.T) {
	const text = "<a class=\"x&amp;\"><b>1 &lt; 2\n &apos;</b><c></c><d><token>t</token></d></a>"
	root, err := jobxml.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	root.WriteTo(&b)
	again, err := jobxml.Parse([]byte(b.String()))
	if err != nil || again.Class != "x&" || again.Kids[0].Raw != "1 < 2\n '" || again.Kids[2].Kids[0].Text != jobxml.Hidden {
		t.Errorf("%v %s", err, b.String())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("<?xml version='1.1' encoding='UTF-8'?>\n<project><builders><hudson.tasks.Shell><command>a&#xd;</command></hudson.tasks.Shell></builders></project>"))
	f.Add([]byte("<!DOCTYPE a><matrix-project><axes><hudson.matrix.TextAxis><name>A</name><values><string>1</string></values></hudson.matrix.TextAxis></axes></matrix-project>"))
	for _, c := range legacy.Jobs(3) {
		f.Add([]byte(c.XML))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		root, err := jobxml.Parse(text)
		if err != nil {
			return
		}
		var b strings.Builder
		root.WriteTo(&b)
		if _, err := jobxml.Parse([]byte(b.String())); err != nil && !strings.Contains(err.Error(), "is no XML") {
			t.Fatalf("%v in what was written of %q: %q", err, text, b.String())
		}
		if job, err := jobxml.Read(root); err == nil && job == nil {
			t.Fatal("neither a job nor an error")
		}
	})
}
