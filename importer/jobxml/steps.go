package jobxml

import (
	"strconv"
	"strings"
)

// parameters reads the parameters that a batch can have; others (passwords,
// files, runs, what plugins add) stay in Rest.
func (r *reader) parameters(e *Element) {
	if e == nil {
		return
	}
	for _, p := range e.Kids {
		types := map[string]string{"hudson.model.StringParameterDefinition": "string", "hudson.model.BooleanParameterDefinition": "boolean",
			"hudson.model.TextParameterDefinition": "text", "hudson.model.ChoiceParameterDefinition": "choice"}
		typ, known := types[p.Name]
		if !known || p.find("name") == nil {
			continue
		}
		q := Parameter{Type: typ, Name: p.take("name"), Description: p.take("description"), Default: p.takeRaw("defaultValue")}
		p.ignore(map[string]string{"trim": "true"})
		p.ignore(map[string]string{"trim": "false"})
		if choices := p.find("choices"); choices != nil {
			q.Choices = texts(choices)
			choices.takeAll()
		}
		if typ == "boolean" && q.Default != "true" {
			q.Default = "false"
		}
		r.job.Parameters = append(r.job.Parameters, q)
	}
}

// texts lists the strings below an element. The list of a choice is written
// in several forms, according to who made it.
func texts(e *Element) []string {
	var out []string
	for _, kid := range e.Kids {
		if kid.Name == "string" {
			out = append(out, kid.Text)
		} else {
			out = append(out, texts(kid)...)
		}
	}
	return out
}

func (r *reader) wrappers() {
	e := r.root.find("buildWrappers")
	if e == nil {
		return
	}
	for _, w := range e.Kids {
		switch w.Name {
		case "hudson.plugins.build__timeout.BuildTimeoutWrapper":
			r.timeout(w)
		case "org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper":
			r.bindings(w.find("bindings"))
		case "EnvInjectBuildWrapper":
			r.inject(w)
		case "hudson.plugins.timestamper.TimestamperBuildWrapper", "hudson.plugins.ansicolor.AnsiColorBuildWrapper":
			// How the log looks; batchctl's jobs have their times anyway.
			w.takeAll()
		}
	}
}

// timeout reads the plain kind of time limit. One that goes by the load or
// the silence of a build is something else.
func (r *reader) timeout(w *Element) {
	strategy := w.find("strategy")
	if strategy == nil || !strings.HasSuffix(strategy.Class, ".AbsoluteTimeOutStrategy") {
		return
	}
	minutes, err := strconv.Atoi(strategy.find("timeoutMinutes").textOf())
	if err != nil || minutes < 1 {
		return
	}
	r.job.Timeout = minutes
	strategy.takeAll()
	operations := w.find("operationList")
	if operations != nil && len(operations.Kids) <= 1 && (len(operations.Kids) == 0 || strings.HasSuffix(operations.Kids[0].Name, ".AbortOperation")) {
		operations.takeAll()
		w.taken = len(w.Kids) == 2
	}
}

func (e *Element) textOf() string {
	if e == nil {
		return ""
	}
	return e.Text
}

func (r *reader) bindings(e *Element) {
	if e == nil {
		return
	}
	for _, b := range e.Kids {
		sort := b.Name[strings.LastIndexByte(b.Name, '.')+1:]
		got := Binding{ID: b.find("credentialsId").textOf(), Variable: b.find("variable").textOf()}
		switch sort {
		case "StringBinding":
			got.Type = "string"
		case "FileBinding":
			got.Type = "file"
		case "UsernamePasswordMultiBinding":
			got.Type, got.Variable, got.Password = "username-password", b.find("usernameVariable").textOf(), b.find("passwordVariable").textOf()
		}
		if got.Type == "" || got.ID == "" || got.Variable == "" {
			continue // stays in Rest
		}
		b.takeAll()
		r.job.Bindings = append(r.job.Bindings, got)
	}
}

// builders reads the shell steps. Others stay in Rest, and are named, as a
// job without them is another job.
func (r *reader) builders() {
	e := r.root.find("builders")
	if e == nil {
		return
	}
	for _, b := range e.Kids {
		if b.Name != "hudson.tasks.Shell" {
			r.job.OtherSteps = append(r.job.OtherSteps, b.Name)
			continue
		}
		r.job.Steps = append(r.job.Steps, b.takeRaw("command"))
		b.ignore(map[string]string{"configuredLocalRules": "", "unstableReturn": ""})
	}
}

func (r *reader) publishers() {
	e := r.root.find("publishers")
	if e == nil {
		return
	}
	for _, p := range e.Kids {
		switch p.Name {
		case "hudson.tasks.ArtifactArchiver":
			r.job.Files = append(r.job.Files, names(p.take("artifacts"))...)
			// A batch's files are kept whatever its result, and need not be
			// there; batchctl knows no other way.
			p.ignore(map[string]string{"allowEmptyArchive": "true", "onlyIfSuccessful": "false", "fingerprint": "false",
				"defaultExcludes": "true", "caseSensitive": "true", "followSymlinks": "false", "latestOnly": "false"})
		case "hudson.tasks.BuildTrigger":
			r.job.Downstream = append(r.job.Downstream, names(p.take("childProjects"))...)
			if t := p.find("threshold"); t != nil && t.find("name").textOf() == "SUCCESS" {
				t.takeAll()
			}
		}
	}
}

func (r *reader) axes() {
	e := r.root.find("axes")
	if e == nil {
		return
	}
	for _, a := range e.Kids {
		sort := a.Name[strings.LastIndexByte(a.Name, '.')+1:]
		if sort != "TextAxis" && sort != "LabelAxis" && sort != "DefaultAxis" || a.find("name") == nil {
			r.job.OtherAxes = append(r.job.OtherAxes, sort)
			continue
		}
		axis := Axis{Name: a.take("name"), Labels: sort == "LabelAxis"}
		if values := a.find("values"); values != nil {
			axis.Values = texts(values)
			values.takeAll()
		}
		if len(axis.Values) > 0 {
			r.job.Axes = append(r.job.Axes, axis)
		}
	}
}
