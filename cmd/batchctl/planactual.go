package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/dsl"
	"github.com/batchctl/batchctl/importer/jobxml"
)

// concurrencyProperty is the element that forbids runs beside each other.
const concurrencyProperty = "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty"

// actual is what a job is in Jenkins, in the terms of what is declared.
type actual struct {
	fields dsl.Declared
	digest dsl.Digest // of what was declared when the job was rendered
	sealed bool       // it has a digest
	ours   bool
	token  string // of the job that the Pipeline was rendered for, "" for none
}

// actualOf reads a config.xml. What it compares are settings, whatever form,
// order and defaults a save by Jenkins has written them in.
func actualOf(text []byte, fullName string) (*actual, error) {
	root, err := jobxml.Parse(text)
	if err != nil {
		return nil, err
	}
	// What runs leave in a job is no setting of it.
	root.Kids = slices.DeleteFunc(root.Kids, func(e *jobxml.Element) bool { return e.Name == "actions" })
	job, err := jobxml.Read(root)
	var other *jobxml.NotJobError
	if errors.As(err, &other) {
		return &actual{fields: dsl.Declared{dsl.Other: other.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	a := &actual{ours: dsl.Ours(job.Script, fullName), token: dsl.RenderedFor(job.Script)}
	script, digest, sealed := dsl.CutDigest(job.Script, fullName)
	a.digest, a.sealed = digest, sealed
	a.fields = dsl.Declared{
		dsl.Description: job.Description, dsl.Disabled: fmt.Sprint(job.Disabled), dsl.Concurrency: concurrencyOf(root, job),
		dsl.Schedule: strings.TrimSpace(job.Cron), dsl.After: strings.Join(job.Upstream, ","),
		dsl.Keep: dsl.KeepText(job.KeepDays, job.KeepBuilds), dsl.Sandbox: "false",
	}
	a.fields.SetScript(script)
	if len(job.Upstream) > 0 && job.UpstreamLevel != "" && job.UpstreamLevel != "SUCCESS" {
		a.fields[dsl.After] += " also when it is " + job.UpstreamLevel
	}
	if e := below(root, "definition", "sandbox"); e != nil {
		a.fields[dsl.Sandbox] = e.Text
	}
	parameters := make([]string, len(job.Parameters))
	for i, p := range job.Parameters {
		parameters[i] = dsl.ParameterText(p.Type, p.Name, p.Default, p.Description, p.Choices)
	}
	a.fields[dsl.Parameters] = strings.Join(parameters, "\n")
	a.fields[dsl.Other] = otherSettings(job)
	return a, nil
}

func concurrencyOf(root *jobxml.Element, job *jobxml.Job) string {
	switch e := below(root, "properties", concurrencyProperty, "abortPrevious"); {
	case job.Concurrent:
		return "allow"
	case e != nil && e.Text == "true":
		return "replace"
	}
	return "forbid"
}

// otherSettings lists what the tree never sets.
func otherSettings(job *jobxml.Job) string {
	var out []string
	if job.Form != jobxml.Pipeline {
		out = append(out, "a "+string(job.Form)+" job")
	}
	for _, r := range job.Rest {
		name := r.Path[strings.LastIndexByte(r.Path, '/')+1:]
		out = append(out, strings.TrimSuffix(name[strings.LastIndexByte(name, '.')+1:]+" "+r.Text, " "))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// below returns the element that the path leads to, or nil.
func below(e *jobxml.Element, path ...string) *jobxml.Element {
	for _, name := range path {
		i := slices.IndexFunc(e.Kids, func(kid *jobxml.Element) bool { return kid.Name == name })
		if i < 0 {
			return nil
		}
		e = e.Kids[i]
	}
	return e
}
