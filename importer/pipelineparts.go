package importer

import (
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/importer/groovy"
	"github.com/batchctl/batchctl/importer/jobxml"
)

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

// block takes in a block whose steps run once. What it sets holds in it only.
func (p *pipeline) block(c *groovy.Call, line int) error {
	label, dir := p.label, p.dir
	switch {
	case c.Name == "node" && !p.node(c):
		return &groovy.Error{Line: line, Reason: "the label of its node is no plain text"}
	case c.Name == "dir" && !p.one(c, func(s string) { p.dir = s }), c.Name == "dir" && (!strings.HasPrefix(p.dir, "/") || strings.Contains(p.dir, "'")):
		return &groovy.Error{Line: line, Reason: "its steps run in a directory of the workspace (dir), and a batch has no workspace"}
	case c.Name == "withCredentials" && !p.credentials(c):
		return &groovy.Error{Line: line, Reason: "withCredentials binds something else than a text, a file, or a user and a password; see spec.secrets for what there is"}
	}
	err := p.statements(c.Body)
	p.label, p.dir = label, dir
	return err
}

// tools takes in the JDK of a Declarative Pipeline.
func (p *pipeline) tools(c *groovy.Call) {
	for i := range c.Body {
		if t := &c.Body[i].Call; t.Name != "jdk" || !p.one(t, func(s string) { p.job.JDK = s }) {
			p.keep("pipeline-step", "a tool of the Pipeline is left out, and kept as a comment: "+t.Name, "pipeline: tools "+t.Text)
		}
	}
}

func (p *pipeline) node(c *groovy.Call) bool {
	if len(c.Args) == 0 && len(c.Named) == 0 {
		return true
	}
	return p.one(c, func(s string) { p.label = s })
}

func (p *pipeline) agent(c *groovy.Call) error {
	for _, s := range c.Body {
		switch {
		case s.Call.Name == "label" && p.one(&s.Call, func(l string) { p.label = l }):
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
