package importer

import (
	"fmt"
	"strings"

	"github.com/batchctl/batchctl/importer/groovy"
)

// pipeline reads the Pipeline of a job into the fields that a freestyle job
// has, and its shell steps.
func (j *imported) pipeline() error {
	list, err := groovy.Parse(j.job.Script)
	if err != nil {
		return err
	}
	p := pipeline{imported: j, names: map[string]string{}}
	if err := p.statements(list); err != nil || len(j.steps) == 0 {
		return err
	}
	j.job.Label = j.steps[0].label
	for _, s := range j.steps {
		if s.label != j.job.Label {
			return fmt.Errorf("its steps run on several agents (%q, %q); make a batch of each part, the later one after the first", j.job.Label, s.label)
		}
	}
	return nil
}

type pipeline struct {
	*imported
	names map[string]string // variables with plain values
	label string            // of the agent that steps run on here
	dir   string            // the directory that they run in
	timed bool              // it sets its timer itself
}

func (p *pipeline) statements(list []groovy.Statement) error {
	for i := range list {
		s := &list[i]
		if s.Name != "" {
			value, plain := p.text(&s.Set)
			if !plain {
				return &groovy.Error{Line: s.Line, Reason: "the variable " + s.Name + " is more than a plain value"}
			}
			p.names[s.Name] = value
			continue
		}
		if err := p.step(&s.Call, s.Line); err != nil {
			return err
		}
	}
	return nil
}

// transparent are blocks that do nothing but stand around others, or that
// only concern how a log looks.
var transparent = map[string]bool{"pipeline": true, "stages": true, "stage": true, "steps": true, "timestamps": true, "ansiColor": true, "script": true, "options": true, "triggers": true, "wrap": true}

// decisive are steps without which the job would be another one.
var decisive = map[string]bool{"input": true, "build": true, "error": true, "load": true, "library": true, "unstash": true, "readFile": true}

// step takes in one step, and what stands in its block.
func (p *pipeline) step(c *groovy.Call, line int) error {
	switch {
	case c.Name == "sh":
		return p.shell(c, line)
	case c.Name == "environment":
		return p.environment(c, line)
	case c.Name == "agent":
		return p.agent(c)
	case c.Name == "tools":
		p.tools(c)
		return nil
	case c.Name == "timeout" && p.timeout(c), c.Name == "withEnv" && p.withEnv(c):
		return p.statements(c.Body)
	case c.Name == "node", c.Name == "dir", c.Name == "withCredentials", transparent[c.Name] && c.Block:
		return p.block(c, line)
	case p.setting(c):
		return nil
	case decisive[c.Name]:
		return &groovy.Error{Line: line, Reason: "the Pipeline depends on the step " + c.Name}
	case c.Name == "post":
	case c.Block:
		return &groovy.Error{Line: line, Reason: "what is in the block " + c.Name + " may run otherwise than once"}
	}
	p.keep("pipeline-step", "a step of the Pipeline is left out, and kept as a comment: "+c.Name, "pipeline: "+c.Text)
	return nil
}

// setting takes in what sets up the job and has no block of steps.
func (p *pipeline) setting(c *groovy.Call) bool {
	switch c.Name {
	case "timestamps", "ansiColor", "skipDefaultCheckout":
	case "disableConcurrentBuilds":
		p.job.Concurrent = false
	case "cron":
		return p.one(c, p.cron)
	case "archiveArtifacts":
		v := c.Arg("artifacts")
		if v == nil && len(c.Args) == 1 {
			v = &c.Args[0]
		}
		text, ok := p.text(v)
		for f := range strings.SplitSeq(text, ",") {
			if f = strings.TrimSpace(f); f != "" && ok {
				p.job.Files = append(p.job.Files, f)
			}
		}
		return ok
	case "buildDiscarder":
		return p.discarder(c)
	case "parameters":
		return p.parameters(c.Body)
	case "properties", "pipelineTriggers":
		return p.list(c)
	default:
		return false
	}
	return true
}

// cron takes in a timer. What the job had is that of its last run, which the
// next one sets anew.
func (p *pipeline) cron(spec string) {
	if !p.timed {
		p.job.Cron, p.timed = "", true
	}
	p.job.Cron = strings.TrimPrefix(p.job.Cron+"\n"+spec, "\n")
}

// one calls do with the only argument of a call.
func (p *pipeline) one(c *groovy.Call, do func(string)) bool {
	if len(c.Args) != 1 || len(c.Named) > 0 {
		return false
	}
	text, ok := p.text(&c.Args[0])
	if ok {
		do(text)
	}
	return ok
}

// list takes in properties([…]) and what stands in it.
func (p *pipeline) list(c *groovy.Call) bool {
	if len(c.Args) != 1 || c.Args[0].Kind != groovy.List {
		return false
	}
	for _, item := range c.Args[0].Items {
		switch {
		case item.Kind != groovy.Nested:
			return false
		case item.Call.Name == "parameters" && len(item.Call.Args) == 1 && item.Call.Args[0].Kind == groovy.List:
			var list []groovy.Statement
			for _, q := range item.Call.Args[0].Items {
				if q.Kind != groovy.Nested {
					return false
				}
				list = append(list, groovy.Statement{Call: *q.Call})
			}
			if !p.parameters(list) {
				return false
			}
		case !p.setting(item.Call):
			p.keep("pipeline-step", "a step of the Pipeline is left out, and kept as a comment: "+item.Call.Name, "pipeline: "+item.Call.Text)
		}
	}
	return true
}

// shell takes in an sh step.
func (p *pipeline) shell(c *groovy.Call, line int) error {
	v := c.Arg("script")
	if v == nil && len(c.Args) == 1 {
		v = &c.Args[0]
	}
	for _, n := range c.Named {
		if n.Name != "script" && n.Name != "label" && n.Name != "encoding" {
			return &groovy.Error{Line: line, Reason: "the Pipeline looks at what sh gives back (" + n.Name + ")"}
		}
	}
	if v == nil || v.Kind != groovy.Text {
		return &groovy.Error{Line: line, Reason: "the text of sh is more than a string"}
	}
	text, err := p.shellText(v, line)
	if err != nil {
		return err
	}
	if text = strings.TrimSpace(text) + "\n"; p.dir != "" {
		if strings.HasPrefix(text, "#!") {
			return &groovy.Error{Line: line, Reason: "the directory of a script that names its own shell is set around it (dir)"}
		}
		text = "cd '" + p.dir + "'\n" + text
	}
	p.steps = append(p.steps, step{text, fmt.Sprintf("step-%d", len(p.steps)+1), p.label})
	return nil
}

// shellText puts a shell's variables in the place of Groovy's. Groovy puts a
// value into the text, whatever quotes stand around it there; a shell does so
// only outside of single quotes.
func (p *pipeline) shellText(v *groovy.Value, line int) (string, error) {
	var b strings.Builder
	for _, part := range v.Parts {
		if !part.Ref {
			b.WriteString(part.Text)
			continue
		}
		if value, ok := p.names[part.Text]; ok {
			b.WriteString(value)
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(part.Text, "params."), "env.")
		if strings.Contains(name, ".") || !p.given(name) {
			return "", &groovy.Error{Line: line, Reason: "${" + part.Text + "} is no parameter and no variable with a plain value"}
		}
		text := b.String()
		if open := text[strings.LastIndexByte(text, '\n')+1:]; strings.Count(open, "'")%2 == 1 {
			return "", &groovy.Error{Line: line, Reason: "${" + part.Text + "} stands in single quotes of the shell"}
		}
		b.WriteString("${" + name + "}")
	}
	return b.String(), nil
}

// text is the plain text of a value, with variables that have one.
func (p *pipeline) text(v *groovy.Value) (string, bool) {
	if v == nil || v.Kind == groovy.List || v.Kind == groovy.Nested {
		return "", false
	}
	if v.Kind != groovy.Text {
		return v.Plain()
	}
	var b strings.Builder
	for _, part := range v.Parts {
		text := part.Text
		if part.Ref {
			value, ok := p.names[part.Text]
			if !ok {
				return "", false
			}
			text = value
		}
		b.WriteString(text)
	}
	return b.String(), true
}
