package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/batches"
	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

// builder makes the spec of one batch.
type builder struct {
	*imported
	maker   *maker
	variant *variant
	spec    *yaml.Node
	env     []variable
}

// variable is a variable of the run's environment.
type variable struct{ name, value string }

// settle finishes what is the same for all batches of a job. It runs for all
// jobs at once, when all of them have their names.
func (m *maker) settle(j *imported) {
	j.timezone(m.options.Timezone)
	if j.job.Timeout == 0 {
		j.finding("no-timeout", "it had no time limit; batchctl ends a run after 24h, unless spec.timeout says otherwise", "")
	}
	if j.job.UpstreamLevel != "" && j.job.UpstreamLevel != "SUCCESS" {
		j.keep("threshold", "it also started after runs that were "+j.job.UpstreamLevel+"; now only after good ones", "")
	}
}

// build makes the spec of a batch, in the order of the reference. Values that
// a batch cannot hold are taken out again, and kept as comments.
func (m *maker) build(j *imported, v *variant) *yaml.Node {
	b := &builder{imported: j, maker: m, variant: v, spec: yamldoc.Map()}
	b.schedule()
	if j.job.Disabled {
		b.set(yamldoc.Bool(true), "disabled")
	}
	b.java()
	b.artifact()
	if args := j.program.start.Args; len(args) > 0 {
		b.set(b.texts(args), "args")
	}
	b.scripts()
	b.parameters()
	b.environment()
	if j.job.Timeout > 0 {
		b.set(yamldoc.Text(minutes(j.job.Timeout)), "timeout")
	}
	concurrency := "forbid"
	if j.job.Concurrent {
		concurrency = "allow"
	}
	b.set(yamldoc.Text(concurrency), "concurrency")
	b.after()
	b.node()
	b.keepOf()
	return b.spec
}

// set puts a value into the spec, if batches can hold it.
func (b *builder) set(value *yaml.Node, path ...string) {
	if err := check(value, path); err != nil {
		name := strings.Join(path, ".")
		if slices.Contains([]string{"java", "artifact", "args", "scripts"}, path[0]) {
			// Without it the batch would run something else.
			b.report.Reason = fmt.Sprintf("a batch cannot hold its %s: %v", name, err)
			return
		}
		b.keep("refused", "a batch cannot hold a value of "+path[0], fmt.Sprintf("kept: %s: %s (%v)", name, jobxml.Redact(path[len(path)-1], brief(value)), err))
		return
	}
	yamldoc.Set(b.spec, value, path...)
}

// check asks the schema of batches about a value and all in it.
func check(n *yaml.Node, path []string) error {
	switch n.Kind {
	case yaml.ScalarNode:
		return batches.CheckValue(strings.ReplaceAll(n.Value, "{{{{", "{{"), path...)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if err := check(item, append(path[:len(path):len(path)], "[]")); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if err := check(n.Content[i+1], append(path[:len(path):len(path)], n.Content[i].Value)); err != nil {
				return err
			}
		}
	}
	return nil
}

// brief is a value on one line.
func brief(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var parts []string
	for i, kid := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		text := brief(kid)
		if n.Kind == yaml.MappingNode {
			text = n.Content[i-1].Value + ": " + jobxml.Redact(n.Content[i-1].Value, text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// text is a string of the spec. Two braces would begin a reference in a tree.
func text(s string) *yaml.Node { return yamldoc.Text(strings.ReplaceAll(s, "{{", "{{{{")) }

func (b *builder) texts(list []string) *yaml.Node {
	out := yamldoc.List()
	for _, s := range list {
		out.Content = append(out.Content, text(b.axesIn(s)))
	}
	return out
}

// axesIn puts the values of a matrix's axes in the place of their names.
func (b *builder) axesIn(s string) string {
	for _, a := range b.variant.axes {
		s = strings.ReplaceAll(s, "${"+a[0]+"}", a[1])
	}
	return s
}

// minutes writes a time limit as people do.
func minutes(n int) string {
	if n%60 == 0 {
		return strconv.Itoa(n/60) + "h"
	}
	return strconv.Itoa(n) + "m"
}

// scripts makes scripts of the steps around java, and of what its own script
// does around it.
func (b *builder) scripts() {
	start, program := b.program.start, b.program
	before, after := yamldoc.List(), yamldoc.List()
	add := func(list *yaml.Node, name, run string) {
		if run == "" {
			return
		}
		m := yamldoc.Map()
		yamldoc.Set(m, yamldoc.Text(name), "name")
		yamldoc.Set(m, text(strings.TrimRight(run, "\n")+"\n"), "run")
		b.secretsIn(run)
		list.Content = append(list.Content, m)
	}
	for _, s := range program.before {
		add(before, s.name, s.text)
	}
	add(before, "prepare", start.Before)
	add(after, "finish", start.After)
	for _, s := range program.after {
		add(after, s.name, s.text)
	}
	if len(before.Content) > 0 {
		b.set(before, "scripts", "before")
	}
	if len(after.Content) > 0 {
		b.set(after, "scripts", "after")
	}
}

func (b *builder) parameters() {
	out := yamldoc.List()
	var names []string
	for _, p := range b.job.Parameters {
		m := yamldoc.Map()
		yamldoc.Set(m, yamldoc.Text(p.Name), "name")
		typ := p.Type
		if typ == "string" && strings.Contains(p.Default, "\n") {
			typ = "text"
		}
		yamldoc.Set(m, yamldoc.Text(typ), "type")
		choices := distinct(p.Choices)
		switch {
		case typ == "boolean":
			yamldoc.Set(m, yamldoc.Bool(p.Default == "true"), "default")
		case typ == "choice":
			yamldoc.Set(m, b.texts(choices), "choices")
		default:
			yamldoc.Set(m, text(p.Default), "default")
		}
		if p.Description != "" {
			yamldoc.Set(m, text(p.Description), "description")
		}
		err := check(m, []string{"parameters", "[]"})
		if err == nil && typ == "choice" && len(choices) == 0 {
			err = fmt.Errorf("it has no choices")
		}
		if err == nil && slices.Contains(names, p.Name) {
			err = fmt.Errorf("there is a parameter of that name already")
		}
		if err != nil {
			b.keep("refused", "a batch cannot hold a value of parameters", fmt.Sprintf("kept: parameter %s: %s (%v)", p.Name, brief(m), err))
			continue
		}
		b.secretInPlain(p.Name, p.Default)
		names = append(names, p.Name)
		out.Content = append(out.Content, m)
	}
	if len(out.Content) > 0 {
		yamldoc.Set(b.spec, out, "parameters")
	}
}

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// memory is what a machine needs for a heap: a quarter more for what a JVM
// has besides it, and half a gigabyte for the rest, in whole gigabytes.
func memory(heap int64) string {
	const gi = 1 << 30
	return strconv.FormatInt(max(2, (heap+heap/4+gi/2+gi-1)/gi), 10) + "Gi"
}

// node makes a pool of the label, and the memory of the heap. An expression
// of labels is no pool.
func (b *builder) node() {
	label := b.job.Label
	for i, a := range b.job.Axes {
		if a.Labels {
			label = b.variant.axes[i][1]
		}
	}
	switch {
	case strings.ContainsAny(label, "&|!()<> "):
		b.keep("label", "its agents are chosen by an expression; choose a pool, as spec.node.pool", "kept: label: "+label)
	case label != "":
		b.set(yamldoc.Text(strings.ToLower(label)), "node", "pool")
	}
	if heap := yamldoc.Get(b.spec, "java", "heap"); heap != nil {
		bytes, _ := batches.ParseHeap(heap.Value)
		b.set(yamldoc.Text(memory(bytes)), "node", "memory")
	}
}

func (b *builder) keepOf() {
	if n := b.job.KeepBuilds; n > 0 {
		b.set(yamldoc.Int(n), "keep", "builds")
	}
	if n := b.job.KeepDays; n > 0 {
		b.set(yamldoc.Int(n), "keep", "days")
	}
	if len(b.job.Files) > 0 {
		b.set(b.texts(distinct(b.job.Files)), "keep", "files")
	}
}
