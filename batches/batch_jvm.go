package batches

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/batchctl/batchctl/jvm"
)

// linted remembers what Lint said: thousands of jobs inherit the same options.
var linted sync.Map // string → []jvm.Finding

func lint(c jvm.Command) []jvm.Finding {
	key := make([]byte, 0, 256)
	for _, n := range []int64{int64(c.Version), c.Heap, c.Memory} {
		key = append(strconv.AppendInt(key, n, 10), ' ')
	}
	for _, o := range c.Options {
		// The length keeps options apart whatever they hold.
		key = append(strconv.AppendInt(key, int64(len(o)), 10), ' ')
		key = append(key, o...)
	}
	if known, ok := linted.Load(string(key)); ok {
		return known.([]jvm.Finding)
	}
	found := jvm.Lint(c)
	linted.Store(string(key), found)
	return found
}

// memory is the node's memory, or 0 where it is faulty.
func (c *batchChecker) memory() int64 {
	if v := c.spec.get("node").get("memory"); v != nil {
		n, _ := ParseSize(v.text)
		return n
	}
	return c.batch.Node.Memory
}

// jvm lints what the job gives its JVM, in the order in which the JVM reads
// it: heap, options, properties.
func (c *batchChecker) jvm() {
	java := c.spec.get("java")
	given := java.get("options")
	if given != nil && given.kind != listKind {
		return // reported by the schema
	}
	options := given.list()
	places := make([]*value, 0, len(options)+len(c.batch.Java.Properties))
	command := jvm.Command{Version: c.batch.Java.Version, Memory: c.memory(), Options: make([]string, 0, cap(places))}
	for _, v := range options {
		if v.kind != stringKind || v.broken {
			// What follows means something else without it.
			return
		}
		places = append(places, v)
		command.Options = append(command.Options, v.text)
	}
	for _, p := range c.batch.Java.Properties {
		v := java.get("properties").get(p.Name)
		places = append(places, v)
		command.Options = append(command.Options, "-D"+p.Name+"="+p.Value)
	}
	heap := java.get("heap")
	if heap != nil && !heap.broken {
		command.Heap, _ = ParseHeap(heap.text)
	}
	for _, f := range lint(command) {
		v, path := heap, "spec.java.heap"
		if f.Option >= 0 {
			v, path = places[f.Option], fmt.Sprintf("spec.java.options[%d]", f.Option)
			if at := f.Option - len(options); at >= 0 {
				path = "spec.java.properties." + c.batch.Java.Properties[at].Name
			}
		}
		p := Problem{Place: v.place(), Path: path, Rule: "jvm/" + f.Rule, Message: f.Message, Hint: f.Hint,
			subject: v.text, variant: fmt.Sprintf("JVM %d", command.Version)}
		if f.Severity == jvm.Warning {
			p.Severity = Warning
		}
		other := heap
		if f.Other >= 0 {
			other = places[f.Other]
		}
		if f.Other != jvm.NoOption && other != nil {
			p.Others = []Place{other.place()}
			p.Message += " (the other is " + other.place().String() + ")"
		}
		c.leaf.ps.add(p)
	}
}
