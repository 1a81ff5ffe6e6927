package batches

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// scalar fills in a single value. Numbers must be written as JSON writes
// them: 012, 0x1f, 1_000 and .inf mean different things to different readers.
func (c *converter) scalar(v *value, n *yaml.Node, p *fieldPath) {
	v.text = n.Value
	switch n.Tag {
	case "!!null":
		v.kind, v.text = nullKind, ""
		if n.Value == "" {
			// Too easy to write by mistake, and it would silently remove
			// all that is inherited.
			v.broken = true
			c.emptyValue(n, p)
		}
	case "!!bool":
		v.kind = boolKind
		v.text = strings.ToLower(n.Value)
	case "!!int":
		v.kind = intKind
		v.broken = c.badNumber(n, p)
	case "!!float":
		v.kind = floatKind
		v.broken = c.badNumber(n, p)
	case "!!str", "!!timestamp":
		v.kind = stringKind
		if strings.Contains(n.Value, "{{") {
			c.references(v, n, p)
		}
	default:
		v.kind, v.broken = stringKind, true
		c.problem(n, p, "bad-tag", "the tag "+n.Tag+" has no meaning here", "delete it, or put the whole value into quotes")
	}
	if n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str" && !v.broken {
		v.broken = true
		c.problem(n, p, "bad-tag", "the tag "+n.Tag+" has no meaning here", "delete it")
	}
}

func (c *converter) references(v *value, n *yaml.Node, p *fieldPath) {
	parts, err := parseReferences(n.Value)
	if err != nil {
		hint := "write {{{{ for two plain braces"
		if strings.HasPrefix(strings.TrimPrefix(err.Error(), "{{"), "port ") {
			hint = ""
		}
		c.problem(n, p, "bad-reference", err.Error(), hint)
		v.broken = true
		return
	}
	v.parts, v.expands = parts, true
}

func (c *converter) emptyValue(n *yaml.Node, p *fieldPath) {
	hint := "write a value; or null, to remove what is inherited; or delete the key"
	if strings.Contains(p.key, " ") {
		hint = "a comma ends the text before it; put the text into quotes"
	}
	c.problem(n, p, "empty-value", "has no value", hint)
}

// badNumber reports a number that JSON would not take.
func (c *converter) badNumber(n *yaml.Node, p *fieldPath) bool {
	bad := !jsonNumber(n.Value)
	if bad {
		c.problem(n, p, "bad-number", n.Value+" is not a plain decimal number", fmt.Sprintf("write a plain number, or %q for text", n.Value))
	}
	return bad
}

// jsonNumber reports whether s is a number by the grammar of RFC 8259.
func jsonNumber(s string) bool {
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	s = strings.TrimPrefix(s, "-")
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' || !digits() {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if s = rest; !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = strings.TrimPrefix(strings.TrimPrefix(s[1:], "+"), "-")
		if !digits() {
			return false
		}
	}
	return s == ""
}

// checkBytes reports what no YAML parser need see: a file that is too large,
// or that is not UTF-8.
func checkBytes(f *File, data []byte, ps *problems) bool {
	switch {
	case f.Layer == Rollout && len(data) > maxRolloutSize:
		ps.inFile(f.Path, "too-large", "the rollout is larger than 16 MiB", "make one for each half of the jobs")
		return false
	case f.Layer != Rollout && len(data) > maxFileSize:
		ps.inFile(f.Path, "too-large", "the file is larger than 1 MiB", "split it")
		return false
	}
	if utf8.Valid(data) {
		return true
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	ps.add(Problem{
		Place:   Place{f.Path, 1 + bytes.Count(data[:at], []byte("\n")), 1 + utf8.RuneCount(data[start:at])},
		Rule:    "not-utf-8",
		Message: fmt.Sprintf("the byte 0x%02x is not UTF-8", data[at]),
		Hint:    "save the file as UTF-8",
	})
	return false
}
