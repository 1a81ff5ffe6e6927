package treetest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// node is a value to be written: a text as it stands in YAML, a list or a map.
type node struct {
	text string
	list []node
	keys []string // of a map
	vals []node
	kind byte // of 't', 'l' and 'm'
}

func text(s string) node { return node{text: s, kind: 't'} }

func list(items ...string) node {
	n := node{kind: 'l'}
	for _, s := range items {
		n.list = append(n.list, text(s))
	}
	return n
}

func mapOf(pairs ...any) node {
	n := node{kind: 'm'}
	for i := 0; i < len(pairs); i += 2 {
		n.add(pairs[i].(string), pairs[i+1].(node))
	}
	return n
}

// add puts a member into a map. An empty map, which would say nothing, is left
// out.
func (n *node) add(key string, v node) {
	if v.kind == 'm' && len(v.keys) == 0 {
		return
	}
	n.keys, n.vals = append(n.keys, key), append(n.vals, v)
}

// writer writes one file in a style of its own.
type writer struct {
	t       *rapid.T
	b       strings.Builder
	eol     string
	step    int               // columns of indentation
	dash    int               // columns that dashes stand further in than their key
	odd     int               // one line in so many has a comment or an empty line about it
	anchors map[string]string // of single values, by their texts
	maps    map[string][]node // anchored, by their keys
}

// write is a document as text.
func write(t *rapid.T, doc node) string {
	w := &writer{t: t, anchors: map[string]string{}, maps: map[string][]node{}}
	style := rapid.IntRange(0, 63).Draw(t, "style")
	w.eol = []string{"\n", "\n", "\n", "\r\n"}[style%4]
	w.step = []int{2, 4}[style/4%2]
	w.dash = []int{0, 2}[style/8%2]
	w.odd = []int{4, 1000}[style/16%2]
	if style/32 == 1 {
		w.b.WriteString("# The top of the file." + w.eol + w.eol)
	}
	w.members(doc, 0)
	return w.b.String()
}

func (w *writer) one(n int) bool { return rapid.IntRange(0, n-1).Draw(w.t, "style") == n-1 }

func (w *writer) pad(indent int) { w.b.WriteString(strings.Repeat(" ", indent)) }

func (w *writer) lineEnd() {
	if w.odd < 10 && w.one(w.odd) {
		w.b.WriteString("  # so it is")
	}
	w.b.WriteString(w.eol)
}

func (w *writer) above(indent int) {
	if w.odd < 10 && w.one(2*w.odd) {
		w.b.WriteString(w.eol)
		w.pad(indent)
		w.b.WriteString("# About what follows: {a: [b]}" + w.eol)
	}
}

func (w *writer) members(m node, indent int) {
	for i, key := range m.keys {
		w.above(indent)
		w.pad(indent)
		w.b.WriteString(key + ":")
		w.value(key, m.vals[i], indent)
	}
}

// value writes what stands behind a colon.
func (w *writer) value(key string, v node, indent int) {
	if v.kind == 'm' && shared[key] {
		if !w.alias(key, v) {
			w.anchored(key, v, indent)
		}
		return
	}
	switch {
	case v.kind == 't':
		w.b.WriteString(" " + w.scalar(key, v.text))
		w.lineEnd()
	case v.kind == 'm' && len(v.keys) > 0 && !w.flows(v, indent):
		w.lineEnd()
		w.members(v, indent+w.step)
	case v.kind == 'l' && len(v.list) > 0 && !w.flows(v, indent):
		w.lineEnd()
		w.items(v, indent+w.dash)
	default:
		w.b.WriteString(" " + flow(v))
		w.lineEnd()
	}
}

func (w *writer) items(v node, indent int) {
	for _, item := range v.list {
		w.above(indent)
		w.pad(indent)
		w.b.WriteString("-")
		if item.kind == 'm' {
			w.b.WriteString(strings.Repeat(" ", w.step-1))
			inner := *w
			inner.b = strings.Builder{}
			inner.odd = 1000 // a comment above the first key would stand behind the dash
			inner.members(item, indent+w.step)
			w.b.WriteString(strings.TrimLeft(inner.b.String(), " "))
			continue
		}
		w.b.WriteString(" " + flow(item))
		w.lineEnd()
	}
}

// flows decides whether a collection stands on one line.
func (w *writer) flows(v node, indent int) bool { return indent > 0 && w.one(3) }

// shared are the maps that may be anchored.
var shared = map[string]bool{"node": true, "retry": true}

// anchored writes a map that later ones may refer to.
func (w *writer) anchored(key string, v node, indent int) {
	if w.one(3) {
		w.b.WriteString(fmt.Sprintf(" &%s%d", key, len(w.maps[key])))
		w.maps[key] = append(w.maps[key], v)
	}
	if w.one(2) {
		w.b.WriteString(" " + flow(v))
		w.lineEnd()
		return
	}
	w.lineEnd()
	w.members(v, indent+w.step)
}

// alias writes a map as an alias of one that stands above, or as a merge key
// with its own members behind.
func (w *writer) alias(key string, v node) bool {
	if len(w.maps[key]) == 0 || !w.one(2) {
		return false
	}
	last := len(w.maps[key]) - 1
	text := fmt.Sprintf("*%s%d", key, last)
	if flow(w.maps[key][last]) != flow(v) {
		text = "{<<: " + text + ", " + strings.TrimPrefix(flow(v), "{")
	}
	w.b.WriteString(" " + text)
	w.lineEnd()
	return true
}

// scalar writes a single value, some of them with an anchor or as its alias.
func (w *writer) scalar(key, s string) string {
	if key != "timeout" && key != "hold_on_failure" {
		return s
	}
	if name := w.anchors[s]; name != "" && w.one(3) {
		return "*" + name
	}
	if w.anchors[s] == "" && w.one(6) {
		w.anchors[s] = fmt.Sprintf("s%d", len(w.anchors))
		return "&" + w.anchors[s] + " " + s
	}
	return s
}

func flow(v node) string {
	var parts []string
	switch v.kind {
	case 't':
		return v.text
	case 'l':
		for _, item := range v.list {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	for i, key := range v.keys {
		parts = append(parts, key+": "+flow(v.vals[i]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
