package dsl

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/batchctl/batchctl/batches"
)

// What is declared of a job, in the order of its digest. A change of this
// list gives every job another digest, and so a change in plan.
const (
	Description = iota
	Disabled
	Concurrency
	Schedule
	After
	Parameters
	Keep
	Sandbox
	Other // what the tree never sets
	Timeout
	Retry
	Java
	Args
	Artifact
	Env
	Secrets
	Scripts
	Files
	Script // the Pipeline as a whole, in which the nine before it stand
	numDeclared
)

// DeclaredNames are the names of the fields of Declared.
var DeclaredNames = [numDeclared]string{"description", "disabled", "concurrency", "schedule", "after", "parameters",
	"keep", "sandbox", "other settings", "timeout", "retry", "java", "args", "artifact", "env", "secrets", "scripts", "keep.files", "script"}

// Declared is what a job is declared to be in Jenkins: a text for each field,
// the same text for whatever form Jenkins stores the field in. LF ends lines.
type Declared [numDeclared]string

// Declare returns what the Job DSL of a job declares. An error names the job
// and the field.
func Declare(job *batches.Job) (Declared, error) {
	w := writer{}
	w.begin()
	w.pipeline(job)
	if w.err != nil {
		return Declared{}, fmt.Errorf("%s: %w", job.Path, w.err)
	}
	_, body := (&writer{dst: []byte("'")}).digestRoom(job)
	return declared(job, string(unquoted(nil, w.dst[body:]))), nil
}

// declared are the fields of a job whose Pipeline is known.
func declared(j *batches.Job, script string) Declared {
	b := j.Batch
	d := Declared{Description: lines(descriptionOf(b)), Disabled: strconv.FormatBool(b.Disabled), Concurrency: b.Concurrency,
		Keep: KeepText(b.Keep.Days, b.Keep.Builds), Sandbox: "true"}
	d.SetScript(script)
	if d[Concurrency] == "" {
		d[Concurrency] = "allow"
	}
	if s := b.Schedule; s != nil {
		d[Schedule] = strings.Join(s.Cron, "\n")
		if s.Timezone != "" {
			d[Schedule] = "TZ=" + s.Timezone + "\n" + d[Schedule]
		}
	}
	after := make([]string, len(b.Upstream))
	for i, path := range b.Upstream {
		after[i] = "/" + FullName(j.Jenkins, path)
	}
	d[After] = strings.Join(after, ",")
	parameters := make([]string, len(b.Parameters))
	for i := range b.Parameters {
		parameters[i] = parameterText(&b.Parameters[i])
	}
	d[Parameters] = strings.Join(parameters, "\n")
	return d
}

// SetScript sets the Pipeline, and the fields that stand in it.
func (d *Declared) SetScript(script string) {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	r.reset()
	r.read(script)
	for i := Timeout; i < Script; i++ {
		d[i] = string(r.fields[i])
	}
	d[Script] = script
}

// readers have buffers, as there are thousands of Pipelines.
var readers = sync.Pool{New: func() any { return new(reader) }}

// LeftOver returns the lines of a Pipeline that no field but Script explains.
func LeftOver(script string) string {
	var r reader
	r.read(script)
	return string(r.left)
}

// KeepText says how long builds are kept.
func KeepText(days, builds int) string {
	switch {
	case days > 0 && builds > 0:
		return fmt.Sprintf("%d days, %d builds", days, builds)
	case days > 0:
		return fmt.Sprintf("%d days", days)
	case builds > 0:
		return fmt.Sprintf("%d builds", builds)
	}
	return ""
}

// parameterText is a declared parameter in the words of ParameterText.
func parameterText(p *batches.Parameter) string {
	value, choices := p.Default, p.Choices
	switch {
	case p.Type == "boolean" && value != "true":
		value = "false"
	case p.Type == "choice" && value != "":
		choices = []string{value}
		for _, c := range p.Choices {
			if c != value {
				choices = append(choices, c)
			}
		}
	}
	return ParameterText(p.Type, p.Name, value, p.Description, choices)
}

// ParameterText says what a parameter is. White space around a description
// and around choices does not count: it is nothing that a person sees.
func ParameterText(typ, name, value, description string, choices []string) string {
	text := typ + " " + name
	if typ == "choice" {
		trimmed := make([]string, len(choices))
		for i, c := range choices {
			trimmed[i] = strings.TrimSpace(lines(c))
		}
		text += fmt.Sprintf(" %q", trimmed)
	} else {
		text += " = " + strconv.Quote(lines(value))
	}
	if description = strings.TrimSpace(lines(description)); description != "" {
		text += " (" + description + ")"
	}
	return text
}

// lines ends lines with LF, as a reader of XML sees them.
func lines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
