package importer

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/batchctl/batchctl/importer/jobxml"
	"github.com/batchctl/batchctl/internal/yamldoc"
)

// environment makes env and secrets. One name can be a parameter, an env or a
// secret: what the script sets is the stronger, and then the credential.
func (b *builder) environment() {
	b.secrets()
	for _, e := range envLines(b.job.Env) {
		b.variable(e.Name, b.injected(e.Value))
	}
	for _, e := range b.program.start.Env {
		switch e.Name {
		case "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS":
			b.keep("java-env", "options of the JVM stand in a variable that the JVM reads; put them under java.options", "kept: "+e.Name+"="+e.Value)
			continue
		}
		b.variable(e.Name, b.axesIn(e.Value))
	}
	for _, a := range b.variant.axes {
		b.variable(a[0], a[1])
	}
	b.untangle()
	secrets := yamldoc.Get(b.spec, "secrets")
	for _, e := range b.env {
		if yamldoc.Get(secrets, e.name) != nil {
			b.keep("refused", "a batch cannot hold a value of env", "kept: env "+e.name+": a credential is bound to that name")
			continue
		}
		b.onlyOne(e.name, "the script sets it itself")
		b.set(text(e.value), "env", e.name)
		b.secretInPlain(e.name, e.value)
	}
	if secrets != nil {
		for i := 0; i < len(secrets.Content); i += 2 {
			b.onlyOne(secrets.Content[i].Value, "a credential is bound to that name")
		}
	}
}

// onlyOne takes a parameter out whose name something stronger has.
func (b *builder) onlyOne(name, why string) {
	parameters := yamldoc.Get(b.spec, "parameters")
	if parameters == nil {
		return
	}
	parameters.Content = slices.DeleteFunc(parameters.Content, func(p *yaml.Node) bool {
		if yamldoc.Get(p, "name").Value != name {
			return false
		}
		b.keep("refused", "a batch cannot hold a value of parameters", "kept: parameter "+name+": "+why)
		return true
	})
	if len(parameters.Content) == 0 {
		yamldoc.Delete(b.spec, "parameters")
	}
}

// injected writes a value of the EnvInject plugin with ${NAME} for the
// variables that the run has. Others the plugin leaves as they are.
func (b *builder) injected(value string) string {
	var out strings.Builder
	for value != "" {
		at := strings.IndexByte(value, '$')
		if at < 0 {
			break
		}
		out.WriteString(value[:at])
		value = value[at+1:]
		end := 0
		name, braces := value, strings.HasPrefix(value, "{")
		if braces {
			name = value[1:]
		}
		for end < len(name) && (name[end] == '_' || name[end] >= '0' && name[end] <= '9' || name[end]|0x20 >= 'a' && name[end]|0x20 <= 'z') {
			end++
		}
		rest := name[end:]
		closed := !braces || strings.HasPrefix(rest, "}")
		switch {
		case end > 0 && closed && b.given(name[:end]):
			out.WriteString("${" + name[:end] + "}")
			value = strings.TrimPrefix(rest, "}")
			if !braces {
				value = rest
			}
		case braces:
			out.WriteString("$$")
		default:
			out.WriteString("$")
		}
	}
	return out.String() + value
}

// untangle puts the values of variables in the place of references to them:
// those of one env have no order.
func (b *builder) untangle() {
	for range b.env {
		for i := range b.env {
			for _, e := range b.env {
				if e.name != b.env[i].name && len(b.env[i].value) < 4096 {
					b.env[i].value = strings.ReplaceAll(b.env[i].value, "${"+e.name+"}", e.value)
				}
			}
		}
	}
}

func (b *builder) variable(name, value string) {
	if at := slices.IndexFunc(b.env, func(v variable) bool { return v.name == name }); at >= 0 {
		b.env[at].value = value
		return
	}
	b.env = append(b.env, variable{name, value})
}

// secrets makes secrets of the bindings. A user name and a password come in
// two variables, whose names batchctl makes of one; where the program wants
// others, env hands them on.
func (b *builder) secrets() {
	for _, s := range b.job.Bindings {
		if s.Type != "username-password" {
			if s.Type == "string" {
				b.set(yamldoc.Text(s.ID), "secrets", s.Variable)
				continue
			}
			b.set(b.secret(s.ID, s.Type), "secrets", s.Variable)
			continue
		}
		prefix := b.prefix(s)
		b.set(b.secret(s.ID, s.Type), "secrets", prefix)
		for _, pair := range []variable{{s.Variable, prefix + "_USR"}, {s.Password, prefix + "_PSW"}} {
			if pair.name != pair.value && pair.name != "" {
				b.variable(pair.name, "${"+pair.value+"}")
			}
		}
	}
}

// prefix is the name of a credential with a user and a password. Where the job
// has a variable of that name already, it is made of the credential's id.
func (b *builder) prefix(s jobxml.Binding) string {
	prefix := s.Variable
	if at := strings.LastIndexByte(prefix, '_'); at > 0 {
		prefix = prefix[:at]
	}
	taken := func(name string) bool {
		return name == s.Variable || name == s.Password || b.given(name) || yamldoc.Get(b.spec, "secrets", name) != nil
	}
	if !taken(prefix) {
		return prefix
	}
	name := strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(plainName(s.ID)))
	if name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	base := name
	for n := 2; taken(name); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

func (b *builder) secret(id, typ string) *yaml.Node {
	m := yamldoc.Map()
	yamldoc.Set(m, yamldoc.Text(id), "id")
	yamldoc.Set(m, yamldoc.Text(typ), "type")
	return m
}
