package dsl

import (
	"errors"
	"fmt"
	"strings"
)

// SeedOptions describe the seed job: the Jenkins job that renders the tree
// and applies what comes out. Name, Repository and RunAs must be there.
type SeedOptions struct {
	Name        string   // full name of the seed job in Jenkins, such as payments/seed; its folder must exist
	Repository  string   // URL of the git repository that holds the tree
	Branch      string   // "" = main
	Credentials string   // Jenkins credentials id for Repository; "" = none
	Tree        string   // directory of the tree in the repository; "" = its top
	ScriptPath  string   // path of the Jenkinsfile in the repository; "" = Jenkinsfile
	RunAs       string   // id of the Jenkins user that the seed job runs as; must not be an administrator
	NodeLabel   string   // label of a node that has batchctl; "" = any node
	Clusters    []string // render these clusters only, where each controller has its own seed job; none = all
	Removed     string   // what becomes of jobs that left the tree: disable or delete; "" = disable
	Poll        string   // cron line for asking the repository for changes; "" = H/5 * * * *

	// ProvisionerURL is where the catalog is sent with a PUT; "" = nowhere.
	ProvisionerURL string
	// ProvisionerToken is the Jenkins credentials id (secret text) of the
	// bearer token for it; needed with ProvisionerURL.
	ProvisionerToken string
}

// withDefaults fills in what may be left out, or says what is missing.
func (o SeedOptions) withDefaults() (SeedOptions, error) {
	switch {
	case o.Name == "":
		return o, errors.New("seed: the job has no name; give its full name, such as payments/seed")
	case o.Repository == "":
		return o, errors.New("seed: no repository; give the URL that holds the tree")
	case o.RunAs == "":
		return o, errors.New("seed: no user to run as; without one Jenkins wants a person to approve each change, so make a user for the seed job and name it")
	case o.ProvisionerURL != "" && o.ProvisionerToken == "":
		return o, errors.New("seed: no credentials for the provisioner; give the id of a secret text in Jenkins that holds its token")
	}
	switch o.Removed {
	case "":
		o.Removed = "disable"
	case "disable", "delete":
	default:
		return o, fmt.Errorf("seed: removed jobs: %q is neither disable nor delete", o.Removed)
	}
	for field, value := range map[*string]string{&o.Branch: "main", &o.Tree: ".", &o.ScriptPath: "Jenkinsfile", &o.Poll: "H/5 * * * *"} {
		if *field == "" {
			*field = value
		}
	}
	for _, text := range append([]string{
		o.Name, o.Repository, o.Branch, o.Credentials, o.Tree, o.ScriptPath, o.RunAs, o.NodeLabel, o.Poll, o.ProvisionerURL, o.ProvisionerToken,
	}, o.Clusters...) {
		if _, err := Literal(text); err != nil {
			return o, fmt.Errorf("seed: %q: %w", text, err)
		}
	}
	return o, nil
}

// permissions is what each form of the seed job begins with. A person's text
// never stands in a comment: Groovy decodes \u000a there too.
var permissions = []string{
	"What it takes to run without anybody approving scripts:",
	"1. The Authorize Project plugin, and under Manage Jenkins, Security, Access",
	"   Control for Builds the entry \"Per-project configurable Build",
	"   Authorization\" with \"Run as Specific User\" enabled.",
	"2. The property of this job that names the user to run as. Only an",
	"   administrator, or that user, may save a job that has it. Job DSL in its",
	"   sandbox cannot set it.",
	"3. That user, who is no administrator, with no more than",
	"   everywhere:                Overall/Read, Agent/Build",
	"   on the root folder:        Job/Read, Job/Create, Job/Configure,",
	"                              and Job/Delete to delete removed jobs",
	"   The root folder and its permissions are made by hand. It is never",
	"   rendered, so the seed job cannot lock itself out.",
	"4. The plugins Job DSL, Folders, Pipeline, Git, Credentials Binding, Matrix",
	"   Authorization (for permissions of folders); JUnit if there is to be a",
	"   report of problems.",
	"5. batchctl, curl and git on the node that it runs on.",
}

// comment returns lines as a comment, each behind the given mark.
func comment(mark string, lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(mark+" "+line, " ") + "\n")
	}
	return b.String()
}

// SeedJenkinsfile returns the Jenkinsfile of the seed job, for ScriptPath in
// the repository: it validates and publishes the report, renders, applies the
// Job DSL in the sandbox, and sends the catalog to the provisioner. It
// returns an error if an option is missing or cannot be written.
func SeedJenkinsfile(o SeedOptions) (string, error) {
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(comment("//", "Jenkinsfile of the seed job: from the tree to the jobs. Made by batchctl seed.", ""))
	b.WriteString(comment("//", permissions...))
	b.WriteString("node(" + quoted(o.NodeLabel) + ") {\n")
	b.WriteString("  checkout(scm)\n")
	b.WriteString("  def problems = sh(returnStatus: true, label: 'validate', script: " + quoted(
		"batchctl -C "+shellQuoted(o.Tree)+" validate -o junit >batchctl-validate.xml") + ")\n")
	b.WriteString(`  try {
    junit(testResults: 'batchctl-validate.xml')
  } catch (NoSuchMethodError e) { // without the JUnit plugin the report is kept as a file
    archiveArtifacts(artifacts: 'batchctl-validate.xml')
  }
  if (problems != 0) {
    error('the tree has problems, so nothing was changed; batchctl validate says above which')
  }
`)
	render := "batchctl -C " + shellQuoted(o.Tree) + " render --out " + seedOut
	for _, cluster := range o.Clusters {
		render += " --cluster " + shellQuoted(cluster)
	}
	b.WriteString("  sh(label: 'render', script: " + quoted(render) + ")\n")
	b.WriteString(`  // Folders first: the order inside one pattern is not said.
  jobDsl(targets: '` + seedOut + `/folders.groovy\n` + seedOut + `/jobs_*.groovy', sandbox: true, lookupStrategy: 'JENKINS_ROOT',
    removedJobAction: '` + strings.ToUpper(o.Removed) + `', removedViewAction: 'IGNORE', removedConfigFilesAction: 'IGNORE',
    failOnMissingPlugin: true, failOnSeedCollision: true, unstableOnDeprecation: true)
`)
	b.WriteString(pushCatalog(o))
	b.WriteString("}\n")
	return b.String(), nil
}

// seedOut is where the seed job renders to, in its workspace.
const seedOut = "batchctl-out"

// pushCatalog returns the step that sends the catalog. The token goes to curl
// over its standard input, and so stands in no process's arguments.
func pushCatalog(o SeedOptions) string {
	if o.ProvisionerURL == "" {
		return ""
	}
	return "  withCredentials([string(credentialsId: " + quoted(o.ProvisionerToken) + ", variable: 'PROVISIONER_TOKEN')]) {\n" +
		"    sh(label: 'catalog to the provisioner', script: ['#!/bin/sh -eu\\n',\n" +
		`      'printf "Authorization: Bearer %s\\n" "$PROVISIONER_TOKEN" |\n',` + "\n" +
		`      'curl -qfsS --retry 3 --connect-timeout 30 -H @- -H "Content-Type: application/json" -T ` + seedOut + `/catalog.json \\\n',` + "\n" +
		"      " + quoted("-- "+shellQuoted(o.ProvisionerURL)+"\n") + "].join(''))\n  }\n"
}

// quoted returns a short text as a literal of Groovy. The text was checked.
func quoted(s string) string {
	literal, err := Literal(s)
	if err != nil {
		panic(err)
	}
	return literal
}

// shellQuoted returns a text as a word of a POSIX shell.
func shellQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if escaped, ok := shellEscapes[s[i]]; ok {
			b.WriteString(escaped)
		} else {
			b.WriteByte(s[i])
		}
	}
	b.WriteByte('"')
	return b.String()
}
