package batches

import (
	"bytes"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of one file. The first two are the product's: a rollout lists all its
// jobs. The others keep a small file from becoming a large tree (aliases of
// aliases), and a deep one from exhausting the stack.
const (
	maxFileSize    = 1 << 20
	maxRolloutSize = 16 << 20 // about 60,000 jobs
	maxAliased     = 10_000
	maxDepth       = 64
)

// parse turns the text of a file into a value. It returns nil when there is
// nothing to work with; what is wrong is in ps.
func parse(f *File, data []byte, ps *problems) *value {
	if !checkBytes(f, data, ps) {
		return nil
	}
	doc := decode(f, data, ps)
	if doc == nil {
		return nil
	}
	c := converter{file: f, ps: ps}
	v := c.convert(doc.Content[0], newPath(), 0)
	if c.failed {
		return nil
	}
	return v
}

// decode parses the one YAML document of a file.
func decode(f *File, data []byte, ps *problems) *yaml.Node {
	doc, err := unmarshal(data)
	if err != nil {
		syntaxProblem(f, data, err.Error(), ps)
		return nil
	}
	if doc.Kind == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
		ps.inFile(f.Path, "empty-file", "the file is empty", "write a document, or delete the file")
		return nil
	}
	if line := secondDocument(data); line > 0 {
		ps.add(Problem{Place: Place{f.Path, line, 1}, Rule: "several-documents",
			Message: "a second document begins here; one file holds one document", Hint: "move it into a file of its own"})
		return nil
	}
	return doc
}

// unmarshal guards against the library's panics: no input may stop batchctl
// with a stack trace.
func unmarshal(data []byte) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: this text stops the YAML parser: %v", r)
		}
	}()
	doc = new(yaml.Node)
	return doc, yaml.Unmarshal(data, doc)
}

// secondDocument returns the line at which a second document begins, or 0.
// Unmarshal reads the first document only, so this looks for the markers that
// can end it; markers inside a block scalar are always indented.
func secondDocument(data []byte) int {
	if !bytes.Contains(data, []byte("\n---")) && !bytes.Contains(data, []byte("\n...")) {
		return 0
	}
	text := string(data)
	content, line := false, 0
	for text != "" {
		line++
		row, rest, _ := strings.Cut(text, "\n")
		text = rest
		marker := strings.HasPrefix(row, "---") && (len(row) == 3 || strings.ContainsRune(" \t\r", rune(row[3])))
		trimmed := strings.TrimSpace(row)
		switch {
		case marker && content:
			return line
		case strings.HasPrefix(row, "...") && strings.TrimSpace(row[3:]) == "":
			// Only comments and blank lines may follow the end.
			for rest != "" {
				line++
				row, rest, _ = strings.Cut(rest, "\n")
				if t := strings.TrimSpace(row); t != "" && t[0] != '#' {
					return line
				}
			}
			return 0
		case marker:
			content = strings.TrimSpace(row[3:]) != ""
		case trimmed != "" && trimmed[0] != '#' && row[0] != '%':
			content = true
		}
	}
	return 0
}

// converter turns the nodes of one file into values.
type converter struct {
	file    *File
	ps      *problems
	aliased int          // values made from aliases so far
	open    []*yaml.Node // anchors being expanded, to see one inside itself
	failed  bool         // too large or too deep: nothing of the file is used
	free    []value      // made ahead, many at once
}

// value returns a new value. They are made in blocks: a file has dozens, and
// all of them live as long as the file's root.
func (c *converter) value(n *yaml.Node) *value {
	if len(c.free) == 0 {
		c.free = make([]value, 32)
	}
	v := &c.free[0]
	c.free = c.free[1:]
	v.file, v.line, v.col = c.file, int32(n.Line), int32(n.Column)
	return v
}

func (c *converter) problem(n *yaml.Node, p *fieldPath, rule, message, hint string) {
	c.ps.add(Problem{Place: Place{c.file.Path, n.Line, n.Column}, Path: p.String(), Rule: rule, Message: message, Hint: hint})
}

func (c *converter) convert(n *yaml.Node, p *fieldPath, depth int) *value {
	v := c.value(n)
	if depth > maxDepth {
		c.failed = true
		c.problem(n, p, "too-deep", fmt.Sprintf("more than %d levels deep", maxDepth), "")
		return v
	}
	if len(c.open) > 0 {
		if c.aliased++; c.aliased > maxAliased {
			if !c.failed {
				c.problem(c.open[0], nil, "alias-bomb", fmt.Sprintf("the aliases of this anchor grow to more than %d values", maxAliased), "write the values out, or move them into a lower layer")
			}
			c.failed = true
			return v
		}
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.alias(n, p, depth)
	case yaml.ScalarNode:
		c.scalar(v, n, p)
	case yaml.SequenceNode:
		v.kind = listKind
		v.kids = make([]entry, 0, len(n.Content))
		for i, item := range n.Content {
			kid := c.convert(item, p.item(i), depth+1)
			v.expands = v.expands || kid.expands
			v.kids = append(v.kids, entry{line: kid.line, col: kid.col, val: kid})
			if c.failed {
				break
			}
		}
	case yaml.MappingNode:
		v.kind = mapKind
		c.members(v, n, p, depth)
	}
	return v
}

func (c *converter) alias(n *yaml.Node, p *fieldPath, depth int) *value {
	for _, open := range c.open {
		if open == n.Alias {
			c.problem(n, p, "alias-in-itself", "the anchor "+n.Value+" holds itself", "")
			c.failed = true
			return c.value(n)
		}
	}
	c.open = append(c.open, n.Alias)
	v := c.convert(n.Alias, p, depth)
	c.open = c.open[:len(c.open)-1]
	return v
}

// members converts the entries of a map; keys merged in with << stand behind
// the map's own, which win.
func (c *converter) members(v *value, n *yaml.Node, p *fieldPath, depth int) {
	v.kids = make([]entry, 0, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !c.failed; i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.Tag == "!!merge" {
			merged = append(merged, val)
			continue
		}
		if k.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && k.Style&yaml.FlowStyle != 0 {
			c.problem(n, p, "unquoted-reference", "a reference stands here without quotes, which YAML takes for a map", `write it as "{{NAME}}"`)
			v.broken = true
			return
		}
		if k.Kind != yaml.ScalarNode || k.Tag != "!!str" && k.Tag != "!!int" || k.Value == "" {
			c.problem(k, p, "bad-key", "this key is no plain text", "put it into quotes")
			continue
		}
		e := entry{key: k.Value, line: int32(k.Line), col: int32(k.Column)}
		if name, plus := strings.CutSuffix(k.Value, "+"); plus && name != "" {
			e.key, e.plus = name, true
		}
		if twin := find(v.kids, e.key); twin != nil {
			c.duplicate(k, p.member(e.key), e, twin)
			continue
		}
		e.val = c.convert(val, p.member(e.key), depth+1)
		if e.val.kind == nullKind && e.val.broken {
			continue
		}
		if e.plus {
			c.appending(k, e, p.member(e.key))
		}
		v.expands = v.expands || e.val.expands
		v.kids = append(v.kids, e)
	}
	for _, m := range merged {
		c.mergeKey(v, m, p, depth)
	}
}

func (c *converter) duplicate(k *yaml.Node, at *fieldPath, e entry, twin *entry) {
	p := Problem{Place: Place{c.file.Path, k.Line, k.Column}, Path: at.String(), Rule: "duplicate-key", Others: []Place{twin.place()}}
	if e.plus != twin.plus {
		p.Message = fmt.Sprintf("%s and %s+ in one map; the other is in line %d", e.key, e.key, twin.line)
		p.Hint = "write one of the two"
	} else {
		p.Message = fmt.Sprintf("the key %s is here twice; the first is in line %d", k.Value, twin.line)
		p.Hint = "delete one of the two"
	}
	c.ps.add(p)
}

// appending checks and marks a value under key+.
func (c *converter) appending(k *yaml.Node, e entry, p *fieldPath) {
	switch e.val.kind {
	case listKind:
		for i := range e.val.kids {
			e.val.kids[i].val.appended = true
		}
	case mapKind:
	default:
		e.val.broken = true
		c.problem(k, p, "bad-append", fmt.Sprintf("%s+ adds to a list or a map, and this is %s", e.key, e.val.kind), "write "+e.key+" without the plus sign to replace the value")
	}
}

// mergeKey brings in what << names: a map, or a list of maps.
func (c *converter) mergeKey(v *value, n *yaml.Node, p *fieldPath, depth int) {
	m := c.convert(n, p, depth+1)
	for _, from := range append([]*value{m}, m.list()...) {
		if from.kind != mapKind {
			if from == m && m.kind == listKind {
				continue
			}
			c.problem(n, p, "bad-merge-key", "<< takes a map, or a list of maps, and this is "+from.kind.String(), "")
			return
		}
		for _, e := range from.kids {
			if find(v.kids, e.key) == nil {
				v.kids = append(v.kids, e)
				v.expands = v.expands || e.val.expands
			}
		}
	}
}

func find(kids []entry, key string) *entry {
	for i := range kids {
		if kids[i].key == key {
			return &kids[i]
		}
	}
	return nil
}
