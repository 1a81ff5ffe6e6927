package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/batchctl/batchctl/internal/testenv"
)

// table renders what all JVMs answered. The form is explained in its head.
func table(jvms []*jvm) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`# What real JVMs answer; made by internal/gentable, explained in docs/jvm-table.md. Do not edit.
# name	type	range	state on each JVM. A type or a range that changed stands as "first 21:later".
`)
	for i, j := range jvms {
		fmt.Fprintf(&b, "jvm\t%d\t%s\n", testenv.JVMs[i], j.release)
	}
	for _, o := range options() {
		row(&b, o.spelling, o.form, "", states(jvms, func(j *jvm) string { return j.options[o.spelling] }))
	}
	words(&b, "tag:", jvms, func(j *jvm) map[string]bool { return j.tags })
	words(&b, "decorator:", jvms, func(j *jvm) map[string]bool { return j.decorate })
	flagRows(&b, jvms)
	if b.Len() > 400_000 {
		return nil, fmt.Errorf("the table has %d bytes, and it may have 400,000", b.Len())
	}
	return b.Bytes(), nil
}

func row(b *bytes.Buffer, name, typ, span string, states []string) {
	fmt.Fprintf(b, "%s\t%s\t%s\t%s\n", name, typ, span, strings.Join(states, "\t"))
}

func states(jvms []*jvm, of func(*jvm) string) []string {
	cells := make([]string, len(jvms))
	for i, j := range jvms {
		if cells[i] = of(j); cells[i] == "" {
			cells[i] = "-"
		}
	}
	return cells
}

func words(b *bytes.Buffer, prefix string, jvms []*jvm, of func(*jvm) map[string]bool) {
	all := map[string]bool{}
	for _, j := range jvms {
		maps.Copy(all, of(j))
	}
	for _, word := range slices.Sorted(maps.Keys(all)) {
		row(b, prefix+word, "", "", states(jvms, func(j *jvm) string {
			if of(j)[word] {
				return "ok"
			}
			return "-"
		}))
	}
}

func flagRows(b *bytes.Buffer, jvms []*jvm) {
	names := map[string]bool{}
	for _, name := range jdk8Names() {
		names[name] = true
	}
	for _, j := range jvms {
		for name := range j.states {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		typ := changes(jvms, func(j *jvm) (string, bool) { f, ok := j.flags[name]; return f.typ, ok })
		span := changes(jvms, func(j *jvm) (string, bool) { f, ok := j.flags[name]; return f.span, ok })
		row(b, name, typ, span, states(jvms, func(j *jvm) string { return j.states[name] }))
	}
}

// changes renders a value over the releases: "uintx", or "uintx 21:uint" where
// it changed with 21.
func changes(jvms []*jvm, of func(*jvm) (string, bool)) string {
	var parts []string
	last := ""
	for i, j := range jvms {
		value, ok := of(j)
		if !ok || (len(parts) > 0 && value == last) {
			continue
		}
		last = value
		if len(parts) > 0 {
			value = fmt.Sprintf("%d:%s", testenv.JVMs[i], value)
		}
		parts = append(parts, value)
	}
	return strings.TrimRight(strings.Join(parts, " "), " ")
}
