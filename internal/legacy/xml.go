package legacy

import (
	"fmt"
	"strconv"
	"strings"
)

// xmlHeader is how Jenkins begins every document since 2.105.
const xmlHeader = "<?xml version='1.1' encoding='UTF-8'?>\n"

const folderXML = xmlHeader + `<com.cloudbees.hudson.plugins.folder.Folder plugin="cloudbees-folder@6.1100.ve9eed61d16c4">
  <actions/>
  <properties/>
  <folderViews class="com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder">
    <views/>
  </folderViews>
  <healthMetrics/>
</com.cloudbees.hudson.plugins.folder.Folder>
`

// writer writes elements with the indentation of Jenkins.
type writer struct {
	strings.Builder
	depth int
}

func (w *writer) open(tag string) {
	w.line("<" + tag + ">")
	w.depth++
}

func (w *writer) close(tag string) {
	w.depth--
	w.line("</" + tag + ">")
}

func (w *writer) line(text string) { w.WriteString(strings.Repeat("  ", w.depth) + text + "\n") }

// text writes an element that holds text.
func (w *writer) text(tag, text string) {
	name, _, _ := strings.Cut(tag, " ")
	if text == "" {
		w.line("<" + tag + "></" + name + ">")
		return
	}
	w.line("<" + tag + ">" + escape.Replace(text) + "</" + name + ">")
}

// texts writes pairs of element and text.
func (w *writer) texts(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		w.text(pairs[i], pairs[i+1])
	}
}

// escape is what XStream escapes, which is more than XML asks for.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "\r", "&#xd;")

// xml is the job's config.xml.
func (c *copied) xml() string {
	w := &writer{}
	w.WriteString(xmlHeader)
	switch c.sort {
	case "pipeline":
		c.pipeline(w)
	case "matrix":
		c.project(w, "matrix-project", "matrix-project@1.25")
	default:
		c.project(w, "project", "")
	}
	return w.String()
}

func (c *copied) description() string {
	if c.every(4, 8) {
		return fmt.Sprintf("%s (%s)", c.batch.name, c.author.name)
	}
	return ""
}

func (c *copied) project(w *writer, root, plugin string) {
	if plugin == "" {
		w.open(root)
	} else {
		w.line("<" + root + ` plugin="` + plugin + `">`)
		w.depth++
	}
	w.line("<actions/>")
	w.texts("description", c.description(), "keepDependencies", "false")
	w.open("properties")
	c.discarder(w)
	c.parameters(w)
	w.close("properties")
	w.line(`<scm class="hudson.scm.NullSCM"/>`)
	w.texts("assignedNode", c.group.label, "canRoam", "false", "disabled", strconv.FormatBool(c.every(40, 9)),
		"blockBuildWhenDownstreamBuilding", "false", "blockBuildWhenUpstreamBuilding", "false")
	w.open("triggers")
	c.triggers(w)
	w.close("triggers")
	w.text("concurrentBuild", "false")
	if c.sort == "matrix" {
		w.open("axes")
		w.open("hudson.matrix.TextAxis")
		w.text("name", "REGION")
		w.open("values")
		w.texts("string", "kr", "string", "jp")
		w.close("values")
		w.close("hudson.matrix.TextAxis")
		w.close("axes")
	}
	w.open("builders")
	w.open("hudson.tasks.Shell")
	w.text("command", c.command())
	w.line("<configuredLocalRules/>")
	w.close("hudson.tasks.Shell")
	w.close("builders")
	c.publishers(w)
	c.wrappers(w)
	if c.sort == "matrix" {
		w.line(`<executionStrategy class="hudson.matrix.DefaultMatrixExecutionStrategyImpl">`)
		w.line("  <runSequentially>false</runSequentially>")
		w.line("</executionStrategy>")
	}
	w.close(root)
}

// command is the shell step. What was typed into a browser has its lines end
// with CR LF.
func (c *copied) command() string {
	text := c.author.shell(c)
	if c.sort == "matrix" {
		text = strings.Replace(text, "--date=", "--region=$REGION --date=", 1)
	}
	if c.every(10, 10) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

func (c *copied) discarder(w *writer) {
	w.open("jenkins.model.BuildDiscarderProperty")
	w.line(`<strategy class="hudson.tasks.LogRotator">`)
	w.depth++
	w.texts("daysToKeep", strconv.Itoa(c.group.keep), "numToKeep", "100", "artifactDaysToKeep", "-1", "artifactNumToKeep", "-1", "removeLastBuild", "false")
	w.close("strategy")
	w.close("jenkins.model.BuildDiscarderProperty")
}

func (c *copied) parameters(w *writer) {
	w.open("hudson.model.ParametersDefinitionProperty")
	w.open("parameterDefinitions")
	w.parameter("String", "RUN_DATE", "기준일 yyyyMMdd", "", "trim", "true")
	w.parameter("Boolean", "DRY_RUN", "do nothing, only say what would be done", "false")
	w.open("hudson.model.ChoiceParameterDefinition")
	w.texts("name", "MODE", "description", "how to run")
	w.line(`<choices class="java.util.Arrays$ArrayList">`)
	w.line(`  <a class="string-array">`)
	for _, choice := range []string{"normal", "rerun", "backfill"} {
		w.line("    <string>" + choice + "</string>")
	}
	w.line("  </a>")
	w.line("</choices>")
	w.close("hudson.model.ChoiceParameterDefinition")
	if c.every(50, 11) {
		w.parameter("Text", "MERCHANTS", "one a line", "1001\n1002")
	}
	w.close("parameterDefinitions")
	w.close("hudson.model.ParametersDefinitionProperty")
}

func (w *writer) parameter(sort, name, description, def string, more ...string) {
	tag := "hudson.model." + sort + "ParameterDefinition"
	w.open(tag)
	w.texts("name", name, "description", description, "defaultValue", def)
	w.texts(more...)
	w.close(tag)
}

func (c *copied) triggers(w *writer) {
	if spec := c.schedule(); spec != "" {
		w.open("hudson.triggers.TimerTrigger")
		w.text("spec", spec)
		w.close("hudson.triggers.TimerTrigger")
		return
	}
	w.open("jenkins.triggers.ReverseBuildTrigger")
	w.texts("spec", "", "upstreamProjects", "../"+c.group.after)
	w.open("threshold")
	w.texts("name", "SUCCESS", "ordinal", "0", "color", "BLUE", "completeBuild", "true")
	w.close("threshold")
	w.close("jenkins.triggers.ReverseBuildTrigger")
}

func (c *copied) publishers(w *writer) {
	if !c.every(2, 12) && c.group.mail == "" {
		w.line("<publishers/>")
		return
	}
	w.open("publishers")
	if c.every(2, 12) {
		w.open("hudson.tasks.ArtifactArchiver")
		w.texts("artifacts", "reports/*.csv", "allowEmptyArchive", "true", "onlyIfSuccessful", "false", "fingerprint", "false",
			"defaultExcludes", "true", "caseSensitive", "true", "followSymlinks", "false")
		w.close("hudson.tasks.ArtifactArchiver")
	}
	if c.group.mail != "" && c.phase == "live" {
		w.line(`<hudson.tasks.Mailer plugin="mailer@534.v1b_36f5864073">`)
		w.depth++
		w.texts("recipients", c.group.mail, "dontNotifyEveryUnstableBuild", "false", "sendToIndividuals", "false")
		w.close("hudson.tasks.Mailer")
	}
	w.close("publishers")
}

func (c *copied) wrappers(w *writer) {
	w.open("buildWrappers")
	w.line(`<hudson.plugins.build__timeout.BuildTimeoutWrapper plugin="build-timeout@1.38">`)
	w.line(`  <strategy class="hudson.plugins.build_timeout.impl.AbsoluteTimeOutStrategy">`)
	w.line(fmt.Sprintf("    <timeoutMinutes>%d</timeoutMinutes>", c.group.timeout))
	w.line("  </strategy>")
	w.line("  <operationList>")
	w.line("    <hudson.plugins.build__timeout.operations.AbortOperation/>")
	w.line("  </operationList>")
	w.line("</hudson.plugins.build__timeout.BuildTimeoutWrapper>")
	w.line(`<org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper plugin="credentials-binding@728.v902a_273b_8947">`)
	w.line("  <bindings>")
	w.line("    <org.jenkinsci.plugins.credentialsbinding.impl.StringBinding>")
	w.line("      <credentialsId>" + c.group.name + "-db</credentialsId>")
	w.line("      <variable>DB_PASSWORD</variable>")
	w.line("    </org.jenkinsci.plugins.credentialsbinding.impl.StringBinding>")
	w.line("  </bindings>")
	w.line("</org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper>")
	w.line(`<hudson.plugins.timestamper.TimestamperBuildWrapper plugin="timestamper@1.30"/>`)
	w.close("buildWrappers")
}

func (c *copied) pipeline(w *writer) {
	w.line(`<flow-definition plugin="workflow-job@1581.ve4b_d0db_fcb_b_b_">`)
	w.depth++
	w.line("<actions/>")
	w.texts("description", c.description(), "keepDependencies", "false")
	w.open("properties")
	w.line("<org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty/>")
	c.discarder(w)
	c.parameters(w)
	w.open("org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty")
	w.open("triggers")
	c.triggers(w)
	w.close("triggers")
	w.close("org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty")
	w.close("properties")
	w.line(`<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps@4350.vcc65d4958821">`)
	w.depth++
	w.texts("script", c.script(), "sandbox", "true")
	w.close("definition")
	w.line("<triggers/>")
	w.text("disabled", strconv.FormatBool(c.every(40, 9)))
	w.close("flow-definition")
}
