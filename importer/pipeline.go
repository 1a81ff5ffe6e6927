package importer

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/importer/groovy"
	"github.com/batchctl/batchctl/importer/jobxml"
)

// pipeline reads the Pipeline of a job into the fields that a freestyle job
// has, and its shell steps.
func (j *imported) pipeline() error {
	list, err := groovy.Parse(j.job.Script)
	if err != nil {
		return err
	}
	p := pipeline{imported: j, names: map[string]string{}}
	return p.statements(list)
}

type pipeline struct {
	*imported
	names map[string]string // variables with plain values
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

// step takes in one step, and what stands in its block.
func (p *pipeline) step(c *groovy.Call, line int) error {
	switch {
	case c.Name == "sh":
		return p.shell(c, line)
	case c.Name == "environment":
		return p.environment(c, line)
	case c.Name == "agent":
		return p.agent(c)
	case c.Name == "timeout" && p.timeout(c),
		c.Name == "node" && p.node(c),
		c.Name == "withCredentials" && p.credentials(c),
		c.Name == "withEnv" && p.withEnv(c),
		transparent[c.Name] && c.Block:
		return p.statements(c.Body)
	case p.setting(c):
		return nil
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
		return p.one(c, func(s string) { p.job.Cron = strings.TrimPrefix(p.job.Cron+"\n"+s, "\n") })
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
	p.steps = append(p.steps, step{strings.TrimSpace(text) + "\n", fmt.Sprintf("step-%d", len(p.steps)+1)})
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

func (p *pipeline) timeout(c *groovy.Call) bool {
	v := c.Arg("time")
	if v == nil && len(c.Args) == 1 {
		v = &c.Args[0]
	}
	text, _ := p.text(v)
	n, err := strconv.Atoi(text)
	unit := "MINUTES"
	if u, ok := p.text(c.Arg("unit")); ok {
		unit = u
	}
	minutes := map[string]int{"MINUTES": 1, "HOURS": 60, "DAYS": 1440}[unit]
	if err != nil || n < 1 || n > 100_000 || minutes == 0 {
		return false
	}
	p.job.Timeout = n * minutes
	return true
}

func (p *pipeline) node(c *groovy.Call) bool {
	if len(c.Args) == 0 && len(c.Named) == 0 {
		return true
	}
	return p.one(c, func(s string) { p.job.Label = s })
}

func (p *pipeline) agent(c *groovy.Call) error {
	for _, s := range c.Body {
		switch {
		case s.Call.Name == "label" && p.one(&s.Call, func(l string) { p.job.Label = l }):
		case s.Call.Name == "node" && s.Call.Block:
			if err := p.agent(&s.Call); err != nil {
				return err
			}
		default:
			p.keep("pipeline-step", "a setting of the Pipeline's agent is kept as a comment: "+s.Call.Name, "pipeline: agent "+s.Call.Text)
		}
	}
	return nil
}

func (p *pipeline) withEnv(c *groovy.Call) bool {
	if len(c.Args) != 1 || c.Args[0].Kind != groovy.List {
		return false
	}
	for i := range c.Args[0].Items {
		text, ok := p.text(&c.Args[0].Items[i])
		if !ok || !strings.Contains(text, "=") || strings.Contains(text, "\n") {
			return false
		}
		p.job.Env = strings.TrimPrefix(p.job.Env+"\n"+text, "\n")
	}
	return true
}

func (p *pipeline) environment(c *groovy.Call, line int) error {
	for i := range c.Body {
		s := &c.Body[i]
		if n := s.Set.Call; s.Name != "" && s.Set.Kind == groovy.Nested && n.Name == "credentials" {
			if p.one(n, func(id string) {
				p.job.Bindings = append(p.job.Bindings, jobxml.Binding{Type: "string", ID: id, Variable: s.Name})
			}) {
				p.finding("credential-type", "credentials() does not say what a credential holds; it is taken for a secret text", s.Name)
				continue
			}
		}
		value, ok := p.text(&s.Set)
		if s.Name == "" || !ok || strings.Contains(value, "\n") {
			return &groovy.Error{Line: line, Reason: "environment holds more than plain values"}
		}
		p.job.Env = strings.TrimPrefix(p.job.Env+"\n"+s.Name+"="+value, "\n")
	}
	return nil
}

func (p *pipeline) credentials(c *groovy.Call) bool {
	if len(c.Args) != 1 || c.Args[0].Kind != groovy.List {
		return false
	}
	for _, item := range c.Args[0].Items {
		if item.Kind != groovy.Nested {
			return false
		}
		arg := func(name string) string { s, _ := p.text(item.Call.Arg(name)); return s }
		b := jobxml.Binding{ID: arg("credentialsId"), Variable: arg("variable")}
		switch item.Call.Name {
		case "string":
			b.Type = "string"
		case "file":
			b.Type = "file"
		case "usernamePassword":
			b.Type, b.Variable, b.Password = "username-password", arg("usernameVariable"), arg("passwordVariable")
		}
		if b.Type == "" || b.ID == "" || b.Variable == "" {
			return false
		}
		p.job.Bindings = append(p.job.Bindings, b)
	}
	return true
}

func (p *pipeline) discarder(c *groovy.Call) bool {
	if len(c.Args) != 1 || c.Args[0].Kind != groovy.Nested || c.Args[0].Call.Name != "logRotator" {
		return false
	}
	for _, n := range c.Args[0].Call.Named {
		text, _ := p.text(&n.Value)
		number, err := strconv.Atoi(text)
		switch {
		case text == "":
		case err != nil:
			return false
		case n.Name == "numToKeepStr" || n.Name == "numToKeep":
			p.job.KeepBuilds = max(number, 0)
		case n.Name == "daysToKeepStr" || n.Name == "daysToKeep":
			p.job.KeepDays = max(number, 0)
		default:
			return false
		}
	}
	return true
}

// parameters takes in those of a Declarative Pipeline. Jenkins has put them
// into the job at its first run, so ones that are there already are the same.
func (p *pipeline) parameters(list []groovy.Statement) bool {
	types := map[string]string{"string": "string", "booleanParam": "boolean", "choice": "choice", "text": "text"}
	for i := range list {
		c := &list[i].Call
		name, _ := p.text(c.Arg("name"))
		if types[c.Name] == "" || name == "" {
			return false
		}
		q := jobxml.Parameter{Name: name, Type: types[c.Name]}
		q.Default, _ = p.text(c.Arg("defaultValue"))
		q.Description, _ = p.text(c.Arg("description"))
		if v := c.Arg("choices"); v != nil {
			for k := range v.Items {
				text, _ := p.text(&v.Items[k])
				q.Choices = append(q.Choices, text)
			}
		}
		known := false
		for _, have := range p.job.Parameters {
			known = known || have.Name == name
		}
		if !known {
			p.job.Parameters = append(p.job.Parameters, q)
		}
	}
	return true
}
