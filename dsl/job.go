package dsl

import (
	"strconv"

	"github.com/batchctl/batchctl/batches"
)

// job writes a pipelineJob block. Of several forms that Job DSL has for a
// thing, the one is used that Jenkins writes itself when it saves a job.
func (w *writer) job(j *batches.Job) {
	b := j.Batch
	w.field("path", -1)
	w.raw("pipelineJob(")
	w.fullName(j.Jenkins, j.Path)
	w.raw(") {\n")
	w.description(b)
	if b.Disabled {
		w.raw("  disabled(true)\n")
	}
	w.properties(j)
	w.parameters(b.Parameters)
	w.raw("  definition {\n    cps {\n      script([\n")
	w.pipeline(j)
	w.raw("      ].join(''))\n      sandbox(true)\n    }\n  }\n}\n")
}

// fullName writes the full name of a job or folder.
func (w *writer) fullName(j batches.Jenkins, path string) {
	w.begin()
	w.raw("'")
	w.name(j, path)
	w.raw("'")
}

// name writes the full name of a job or folder inside a literal.
func (w *writer) name(j batches.Jenkins, path string) {
	if j.Root != "" {
		w.run(inGroovy, j.Root)
		w.raw("/")
	}
	w.run(inGroovy, path)
}

// description writes what people see on top of the job's page.
func (w *writer) description(b *batches.Batch) {
	text := descriptionOf(b)
	if text == "" {
		return
	}
	w.field("metadata", -1)
	w.raw("  description(")
	w.literal(text)
	w.raw(")\n")
}

func descriptionOf(b *batches.Batch) string {
	text := b.Description
	if b.Owner != "" {
		if text != "" {
			text += "\n\n"
		}
		text += "Owner: " + b.Owner
	}
	return text
}

// properties writes what Jenkins must know to start and keep runs.
func (w *writer) properties(j *batches.Job) {
	b := j.Batch
	kept := b.Keep.Builds > 0 || b.Keep.Days > 0
	w.raw("  properties {\n")
	switch b.Concurrency {
	case "forbid":
		w.raw("    disableConcurrentBuilds { abortPrevious(false) }\n")
	case "replace":
		w.raw("    disableConcurrentBuilds { abortPrevious(true) }\n")
	}
	if kept {
		w.raw("    buildDiscarder {\n      strategy {\n        logRotator {\n          daysToKeepStr('")
		w.count(b.Keep.Days)
		w.raw("')\n          numToKeepStr('")
		w.count(b.Keep.Builds)
		w.raw("')\n          artifactDaysToKeepStr('')\n          artifactNumToKeepStr('')\n        }\n      }\n    }\n")
	}
	w.triggers(j)
	w.raw("  }\n")
}

// count writes a limit; none is the empty text.
func (w *writer) count(n int) {
	if n > 0 {
		w.int(int64(n))
	}
}

// int writes a number.
func (w *writer) int(n int64) { w.dst = strconv.AppendInt(w.dst, n, 10) }

// triggers writes what starts the job. The schedule belongs here and not in
// the Pipeline, where Jenkins would know of it only after a first run.
//
// Every job has an upstream trigger, one without upstreams an empty one.
// Jenkins remembers which jobs start which, and forgets that only when such a
// trigger starts or stops (ReverseBuildTrigger.RunListenerImpl). A job without
// one, made after the job that waits for it, would start nothing.
func (w *writer) triggers(j *batches.Job) {
	b := j.Batch
	w.raw("    pipelineTriggers {\n      triggers {\n")
	if b.Schedule != nil {
		w.field("spec.schedule", -1)
		w.raw("        cron { spec('")
		if b.Schedule.Timezone != "" {
			w.raw("TZ=")
			w.run(inGroovy, b.Schedule.Timezone)
			w.raw(`\n`)
		}
		for i, line := range b.Schedule.Cron {
			if i > 0 {
				w.raw(`\n`)
			}
			w.run(inGroovy, line)
		}
		w.raw("') }\n")
	}
	w.field("spec.after", -1)
	w.raw("        upstream { upstreamProjects('")
	for i, path := range b.Upstream {
		if i > 0 {
			w.raw(",")
		}
		w.raw("/")
		w.name(j.Jenkins, path)
	}
	w.raw("') }\n")
	w.raw("      }\n    }\n")
}

// parameters writes what a person or a caller may set for one run.
func (w *writer) parameters(parameters []batches.Parameter) {
	if len(parameters) == 0 {
		return
	}
	w.raw("  parameters {\n")
	for i := range parameters {
		p := &parameters[i]
		w.field("spec.parameters", i)
		switch p.Type {
		case "string":
			w.parameter("stringParam", p)
			w.raw("      defaultValue(")
			w.literal(p.Default)
			w.raw(")\n      trim(false)\n")
		case "text":
			w.parameter("textParam", p)
			w.raw("      defaultValue(")
			w.literal(p.Default)
			w.raw(")\n      trim(false)\n")
		case "boolean":
			w.parameter("booleanParam", p)
			if p.Default == "true" {
				w.raw("      defaultValue(true)\n")
			} else {
				w.raw("      defaultValue(false)\n")
			}
		case "choice":
			w.parameter("choiceParam", p)
			w.choices(p)
		default:
			w.fail("type %q is none of string, boolean, choice and text", p.Type)
		}
		w.raw("    }\n")
	}
	w.raw("  }\n")
}

// parameter begins a parameter.
func (w *writer) parameter(method string, p *batches.Parameter) {
	w.raw("    ")
	w.raw(method)
	w.raw(" {\n      name(")
	w.literal(p.Name)
	w.raw(")\n")
	if p.Description != "" {
		w.raw("      description(")
		w.literal(p.Description)
		w.raw(")\n")
	}
}

// choices writes the values of a choice; the first is what Jenkins takes
// when nobody chooses.
func (w *writer) choices(p *batches.Parameter) {
	w.raw("      choices([")
	if p.Default != "" {
		w.literal(p.Default)
	}
	first := p.Default == ""
	for _, c := range p.Choices {
		if c == p.Default && p.Default != "" {
			continue
		}
		if !first {
			w.raw(", ")
		}
		first = false
		w.literal(c)
	}
	w.raw("])\n")
}
