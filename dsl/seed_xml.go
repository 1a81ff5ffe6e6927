package dsl

import (
	"encoding/xml"
	"strings"
)

// What Jenkins calls the things that make a job run as a certain user.
const (
	runAsProperty = "org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty"
	runAsUser     = "org.jenkinsci.plugins.authorizeproject.strategy.SpecificUsersAuthorizationStrategy"
)

// xmlElement is an element of a Jenkins configuration: with text or children.
type xmlElement struct {
	XMLName  xml.Name
	Class    string       `xml:"class,attr,omitempty"`
	Text     string       `xml:",chardata"`
	Children []xmlElement `xml:",any"`
}

// tag returns an element with children, tagText one with a text.
func tag(name string, children ...xmlElement) xmlElement {
	return xmlElement{XMLName: xml.Name{Local: name}, Children: children}
}

func tagText(name, text string) xmlElement {
	return xmlElement{XMLName: xml.Name{Local: name}, Text: text}
}

// of gives an element a class.
func (e xmlElement) of(class string) xmlElement {
	e.Class = class
	return e
}

// SeedXML returns the seed job as a config.xml, for an administrator to POST
// to createItem. It returns an error if an option is missing or cannot be
// written.
func SeedXML(o SeedOptions) (string, error) {
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	remote := tag("hudson.plugins.git.UserRemoteConfig", tagText("url", o.Repository))
	if o.Credentials != "" {
		remote.Children = append(remote.Children, tagText("credentialsId", o.Credentials))
	}
	job := tag("flow-definition",
		tagText("description", seedDescription),
		tag("properties",
			tag("org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty", tagText("abortPrevious", "false")),
			tag(runAsProperty, tag("strategy", tagText("userid", o.RunAs)).of(runAsUser)),
			tag("org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty",
				tag("triggers", tag("hudson.triggers.SCMTrigger", tagText("spec", o.Poll)))),
		),
		tag("definition",
			tag("scm",
				tagText("configVersion", "2"),
				tag("userRemoteConfigs", remote),
				tag("branches", tag("hudson.plugins.git.BranchSpec", tagText("name", "*/"+o.Branch))),
			).of("hudson.plugins.git.GitSCM"),
			tagText("scriptPath", o.ScriptPath),
			tagText("lightweight", "true"),
		).of("org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition"),
	)
	body, err := xml.MarshalIndent(job, "", "  ")
	if err != nil {
		return "", err
	}
	head := append([]string{
		"The seed job, made by batchctl seed. An administrator creates it by",
		"  curl -u ADMIN -X POST -T seed.xml -H 'Content-Type: application/xml' \\",
		"    'https://JENKINS/job/FOLDER/createItem?name=NAME'",
		"and gives an API token as the password.",
		"",
	}, permissions...)
	return xml.Header + "<!--\n" + strings.Join(head, "\n") + "\n-->\n" + string(body) + "\n", nil
}

const seedDescription = "Renders the tree with batchctl and applies it to the folders and jobs below. Changes made to them by hand are put back."
