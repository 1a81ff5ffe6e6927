package batches

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"gopkg.in/yaml.v3"
)

// ConfigFormats lists the formats that Format knows.
func ConfigFormats() []string { return []string{"env", "properties", "json", "yaml"} }

// Format writes a configuration as env (for a shell or a unit file), Java
// properties, JSON or YAML. In env and properties, maps and lists become
// names: server.port is SERVER_PORT and server.port, the first of hosts is
// HOSTS_0 and hosts[0]. It returns an error for an unknown format, and for two
// values that would get one name.
func (c *Config) Format(format string) ([]byte, error) {
	switch format {
	case "json":
		out, err := json.MarshalIndent(c.doc.plain(), "", "  ")
		return append(out, '\n'), err
	case "yaml":
		return yaml.Marshal(c.doc.node())
	case "env", "properties":
		return c.lines(format)
	}
	return nil, fmt.Errorf("there is no format %q; the formats are %s", format, strings.Join(ConfigFormats(), ", "))
}

func (c *Config) lines(format string) ([]byte, error) {
	var lines []string
	taken := map[string]*value{}
	var clash error
	walkScalars(c.doc, newPath(), func(p *fieldPath, v *value) {
		name := p.String()
		line := propertyKey(name) + "=" + propertyValue(v.text)
		if format == "env" {
			name = environmentName(name)
			line = name + "=" + shellQuote(v.text)
		}
		if twin := taken[name]; twin != nil && clash == nil {
			clash = fmt.Errorf("%s: %s: becomes %s, and so does the value in %s; rename one of them, or use json or yaml", v.place(), p, name, twin.place())
		}
		taken[name] = v
		lines = append(lines, line+"\n")
	})
	slices.Sort(lines)
	return []byte(strings.Join(lines, "")), clash
}

// walkScalars calls f with every single value below v.
func walkScalars(v *value, p *fieldPath, f func(p *fieldPath, v *value)) {
	if v.scalar() {
		f(p, v)
		return
	}
	for i := range v.kids {
		e := &v.kids[i]
		if e.val.kind != nullKind {
			walkScalars(e.val, p.entry(e, i), f)
		}
	}
}

// environmentName turns a path into the name of a variable, as Spring Boot
// does: dashes go, everything else that a name cannot hold becomes _.
func environmentName(path string) string {
	var b strings.Builder
	for _, c := range strings.ToUpper(strings.ReplaceAll(path, "]", "")) {
		switch {
		case c == '-':
		case c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' && b.Len() > 0:
			b.WriteRune(c)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// shellQuote quotes a value so that sh reads exactly that value.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@%+-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// propertyKey and propertyValue escape text for a .properties file, by the
// rules of java.util.Properties.load.
func propertyKey(s string) string {
	return strings.NewReplacer(":", `\:`, "=", `\=`, " ", `\ `, "#", `\#`, "!", `\!`).Replace(propertyValue(s))
}

func propertyValue(s string) string {
	var b strings.Builder
	for i, c := range s {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == ' ' && i == 0:
			b.WriteString(`\ `)
		case c >= ' ' && c < 0x7f:
			b.WriteRune(c)
		default:
			for _, unit := range utf16.Encode([]rune{c}) {
				fmt.Fprintf(&b, `\u%04X`, unit)
			}
		}
	}
	return b.String()
}

// plain returns a value as encoding/json writes it.
func (v *value) plain() any {
	switch v.kind {
	case boolKind:
		return v.text == "true"
	case intKind, floatKind:
		return json.Number(v.text)
	case stringKind:
		return v.text
	case listKind:
		out := make([]any, len(v.kids))
		for i := range v.kids {
			out[i] = v.kids[i].val.plain()
		}
		return out
	case mapKind:
		out := map[string]any{}
		for name, kid := range v.members() {
			out[name] = kid.plain()
		}
		return out
	}
	return nil
}

// node returns a value as the YAML library writes it, in the tree's order.
func (v *value) node() *yaml.Node {
	switch v.kind {
	case listKind:
		out := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.kids {
			out.Content = append(out.Content, v.kids[i].val.node())
		}
		return out
	case mapKind:
		out := &yaml.Node{Kind: yaml.MappingNode}
		for name, kid := range v.members() {
			out.Content = append(out.Content, stringNode(name), kid.node())
		}
		return out
	case stringKind:
		return stringNode(v.text)
	}
	tags := map[kind]string{nullKind: "!!null", boolKind: "!!bool", intKind: "!!int", floatKind: "!!float"}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tags[v.kind], Value: v.text}
}

// stringNode writes a string with quotes wherever a reader of YAML 1.1 would
// take it for something else: yes, on, 16:30.
func stringNode(s string) *yaml.Node {
	out := &yaml.Node{}
	if err := out.Encode(s); err != nil || out.Tag != "!!str" {
		out.SetString(s)
	}
	return out
}
