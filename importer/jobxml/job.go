package jobxml

import (
	"fmt"
	"strconv"
	"strings"
)

// Form is the sort of a job.
type Form string

// The forms that Read knows.
const (
	Freestyle Form = "freestyle"
	Pipeline  Form = "pipeline"
	Matrix    Form = "matrix"
)

// A Job is what Read understands of a job.
type Job struct {
	Form          Form
	Description   string
	Disabled      bool
	Concurrent    bool     // runs may stand beside each other
	Label         string   // expression of labels; "" = any agent
	JDK           string   // name of the JDK, as set up in Jenkins; "" = the agent's
	Cron          string   // spec of the timer: lines, comments, TZ=
	Upstream      []string // full or relative names of the jobs that start it when they end
	UpstreamLevel string   // SUCCESS, UNSTABLE or FAILURE: the worst result that still starts it
	Downstream    []string // names of the jobs that it starts
	Parameters    []Parameter
	Bindings      []Binding
	Env           string // lines NAME=value of the EnvInject plugin
	Timeout       int    // minutes; 0 = none
	KeepDays      int    // 0 = no limit
	KeepBuilds    int    // 0 = no limit
	Files         []string
	Steps         []string // texts of the shell steps, in order
	OtherSteps    []string // elements of steps that are no shell; they are in Rest too
	Script        string   // of a pipeline
	Axes          []Axis
	OtherAxes     []string // names of axes whose values are not known; they are in Rest too
	Filter        string   // which combinations of the axes run; in Rest too
	Sequential    bool     // the combinations run one after the other; in Rest too
	Rest          []Kept   // what was not understood, in the order of the document
}

// Parameter is a parameter of a job.
type Parameter struct {
	Name, Type  string // Type as batches have it: string, boolean, choice, text
	Default     string
	Description string
	Choices     []string
}

// Binding is a credential that a run gets in its environment.
type Binding struct {
	Type     string // string, file or username-password
	ID       string // of the credential
	Variable string // for username-password: that of the user
	Password string // for username-password: that of the password
}

// Axis is an axis of a matrix job.
type Axis struct {
	Name   string
	Values []string
	Labels bool // the values are labels of agents
}

// NotJobError says that a document is no job: a folder, a view, a node.
type NotJobError struct {
	Root   string // its element
	Folder bool
}

func (e *NotJobError) Error() string {
	if e.Folder {
		return "is a folder"
	}
	return fmt.Sprintf("is <%s>, which is no freestyle, pipeline or matrix job", e.Root)
}

// Read makes a Job of a document. It marks the elements of root that it
// understands, so a tree is to be read once.
func Read(root *Element) (*Job, error) {
	forms := map[string]Form{"project": Freestyle, "flow-definition": Pipeline, "matrix-project": Matrix,
		"hudson.model.FreeStyleProject": Freestyle, "hudson.matrix.MatrixProject": Matrix}
	form, known := forms[root.Name]
	if !known {
		return nil, &NotJobError{Root: printable(root.Name), Folder: strings.HasSuffix(root.Name, ".Folder") || strings.HasSuffix(root.Name, ".OrganizationFolder")}
	}
	r := reader{root: root, job: &Job{Form: form}}
	r.frame()
	r.properties()
	r.triggers(root.find("triggers"))
	r.wrappers()
	r.builders()
	r.publishers()
	r.axes()
	root.rest("", &r.job.Rest)
	return r.job, nil
}

type reader struct {
	root *Element
	job  *Job
}

// frame reads what stands directly in the root.
func (r *reader) frame() {
	j, root := r.job, r.root
	j.Description = root.takeRaw("description")
	j.Disabled = root.take("disabled") == "true"
	j.JDK = root.take("jdk")
	if j.JDK == "(System)" {
		j.JDK = ""
	}
	// A label says nothing while the job may roam.
	j.Label = root.take("assignedNode")
	if root.take("canRoam") == "true" {
		j.Label = ""
	}
	j.Concurrent = j.Form == Pipeline
	if c := root.find("concurrentBuild"); c != nil {
		j.Concurrent = root.take("concurrentBuild") == "true"
	}
	if scm := root.find("scm"); scm != nil && scm.Class == "hudson.scm.NullSCM" {
		scm.takeAll()
	}
	root.ignore(map[string]string{"actions": "", "keepDependencies": "false", "blockBuildWhenDownstreamBuilding": "false",
		"blockBuildWhenUpstreamBuilding": "false", "scmCheckoutRetryCount": "0", "quietPeriod": "", "displayName": "", "authToken": "", "combinationFilter": ""})
	j.Filter = root.find("combinationFilter").textOf()
	j.Sequential = root.find("executionStrategy", "runSequentially").textOf() == "true"
	r.discarder(root.find("logRotator"))
	if d := root.find("definition"); d != nil && strings.HasSuffix(d.Class, ".CpsFlowDefinition") {
		j.Script = d.takeRaw("script")
		d.takeAll()
	}
	if e := root.find("executionStrategy"); e != nil && e.find("runSequentially") != nil && e.find("runSequentially").Text == "false" {
		e.takeAll()
	}
}

func (r *reader) properties() {
	props := r.root.find("properties")
	if props == nil {
		return
	}
	for _, p := range props.Kids {
		switch p.Name {
		case "jenkins.model.BuildDiscarderProperty":
			r.discarder(p.find("strategy"))
		case "hudson.model.ParametersDefinitionProperty":
			r.parameters(p.find("parameterDefinitions"))
		case "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty":
			r.job.Concurrent = false
			if p.take("abortPrevious") != "true" {
				p.takeAll()
			}
		case "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty":
			r.triggers(p.find("triggers"))
		case "EnvInjectJobProperty":
			r.inject(p)
		}
	}
}

// discarder reads how long builds are kept. -1 and nothing mean no limit.
func (r *reader) discarder(e *Element) {
	if e == nil {
		return
	}
	number := func(name string) int {
		n, err := strconv.Atoi(e.take(name))
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	r.job.KeepDays, r.job.KeepBuilds = number("daysToKeep"), number("numToKeep")
	e.ignore(map[string]string{"artifactDaysToKeep": "-1", "artifactNumToKeep": "-1", "removeLastBuild": "false"})
	if len(e.Kids) > 0 && !hasUntaken(e) {
		e.taken = true
	}
}

func hasUntaken(e *Element) bool {
	for _, kid := range e.Kids {
		if kid.untaken() {
			return true
		}
	}
	return false
}

// inject reads the variables of the EnvInject plugin that stand in the job
// itself; files and scripts of it stay in Rest.
func (r *reader) inject(e *Element) {
	e.ignore(map[string]string{"on": "true", "keepJenkinsSystemVariables": "true", "keepBuildVariables": "true", "overrideBuildParameters": "false"})
	info := e.find("info")
	if text := info.takeRaw("propertiesContent"); text != "" {
		r.job.Env = strings.TrimPrefix(r.job.Env+"\n"+text, "\n")
	}
	if info != nil {
		info.ignore(map[string]string{"secureGroovyScript": "", "loadFilesFromMaster": "false"})
		if g := info.find("secureGroovyScript"); g != nil && g.find("script") != nil && g.find("script").Text == "" {
			g.takeAll()
		}
	}
}

func (r *reader) triggers(e *Element) {
	if e == nil {
		return
	}
	for _, t := range e.Kids {
		switch t.Name {
		case "hudson.triggers.TimerTrigger":
			r.job.Cron = strings.TrimPrefix(r.job.Cron+"\n"+t.takeRaw("spec"), "\n")
		case "jenkins.triggers.ReverseBuildTrigger":
			t.ignore(map[string]string{"spec": ""})
			r.job.Upstream = append(r.job.Upstream, names(t.take("upstreamProjects"))...)
			r.job.UpstreamLevel = t.take("threshold", "name")
			t.find("threshold").takeAll()
		}
	}
}

// names splits a list of jobs as people write it.
func names(text string) []string {
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}
