package dsl

import (
	"slices"
	"strings"
)

// alwaysShell are the lines of shell text that say nothing of a setting.
var alwaysShell = func() map[string]bool {
	out := map[string]bool{}
	for _, c := range []string{shellBegin, shellLocale, shellOwnLang, shellOwnCtype, shellNeed, shellWorkDir, shellEscape, shellLogin, shellExec, shellAfterBegin, shellAfterExit,
		shellHome[len(inShell.constant("\"\n")):], shellFetch, inShell.constant("user = \"$batch_user:$batch_password\"\n"), shellArgsEnd} {
		text, _ := appendLiterals(nil, "'"+string(unquoted(nil, []byte(c)))+"']")
		for l := range strings.Lines(string(text)) {
			out[strings.TrimSuffix(l, "\n")] = true
		}
	}
	return out
}()

const (
	javaArgs  = "(umask 077; cat >.batch/java.args) <<END"
	noJava    = `[ -x "$JAVA_HOME/bin/java" ] || stop 243 "this node has no Java `
	startJava = `say "starting Java `
	checksum  = `[ "${batch_sum%% *}" = "`
)

// shell reads the shell text of a Pipeline.
func (r *reader) shell(text string) {
	version, script, passed := "", "", 0
	for rest := text; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		switch {
		case alwaysShell[line]:
		case line == javaArgs:
			rest = r.arguments(rest)
		case strings.HasPrefix(line, "export "):
			name, value, _ := strings.Cut(line[len("export "):], `="`)
			if passed < len(r.given) && name == r.given[passed] && value == "${"+name+`-}"` {
				passed++
				continue
			}
			value, rest = inQuoteMarks(value, rest)
			r.line(Env, name, "=", value)
		case strings.HasPrefix(line, `JAVA_HOME="`):
			if v, _, found := strings.Cut(strings.TrimPrefix(line, `JAVA_HOME="${JAVA_HOME_`), ":-/opt/jdk/"); found {
				version = v
				r.line(Java, "version ", v)
				continue
			}
			var home string
			home, rest = inQuoteMarks(line[len(`JAVA_HOME="`):], rest)
			r.line(Java, "home ", home)
		case strings.HasPrefix(line, noJava):
			if v, _, _ := strings.Cut(line[len(noJava):], " "); v != version {
				version = v
				r.line(Java, "version ", v)
			}
		case line == startJava+version+`"`:
		case strings.HasPrefix(line, `url = "`):
			r.line(Artifact, "url ", unfile(strings.TrimSuffix(line[len(`url = "`):], `"`)))
		case strings.HasPrefix(line, `output = "`):
			if path := strings.TrimSuffix(line[len(`output = "`):], `"`); path != ArtifactPath {
				r.line(Artifact, "unpack ", path)
			}
		case strings.HasPrefix(line, checksum):
			sum, _, _ := strings.Cut(line[len(checksum):], `"`)
			r.line(Artifact, "sha256 ", sum)
		case strings.HasPrefix(line, `say "before `), strings.HasPrefix(line, `say "after `):
			script = strings.TrimSuffix(line[len(`say "`):], `"`)
		case script != "" && strings.HasPrefix(line, "cat >.batch/"):
			rest = r.script(script, line, rest)
			script = ""
		case repeats(line):
		default:
			r.leave(line)
		}
	}
	for _, name := range r.given[passed:] {
		r.leave("parameter " + name + " is not exported")
	}
}

// repeats reports whether a line only follows from a setting that another one
// shows.
func repeats(line string) bool {
	return slices.ContainsFunc([]string{"need ", `say "fetching `, "batch_", "sh -eu .batch/", "unzip -qo .batch/", "tar -xzof .batch/"},
		func(begin string) bool { return strings.HasPrefix(line, begin) })
}

// script reads a script of the batch; head is "before 1 of 2: its name".
func (r *reader) script(head, cat, text string) (rest string) {
	when, _, _ := strings.Cut(head, " ")
	_, name, _ := strings.Cut(head, ": ")
	_, end, _ := strings.Cut(cat, `<<"`)
	end = strings.TrimSuffix(end, `"`)
	body, rest, found := strings.Cut(text, "\n"+end+"\n")
	if !found {
		body, rest = text, ""
	}
	r.line(Scripts, when, " ", unquote(name), ": ", body)
	return rest
}

// arguments reads the JVM's argument file.
func (r *reader) arguments(text string) (rest string) {
	const options, jar, classpath, class, args = 0, 1, 2, 3, 4
	first, at := true, options
	for rest = text; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if line == "END" {
			break
		}
		arg := unfile(strings.TrimSuffix(strings.TrimPrefix(line, `"`), `"`))
		switch {
		case at == jar:
			at = args
			if arg != ArtifactPath {
				r.line(Java, "jar ", arg)
			}
		case at == classpath:
			at = class
			if arg != ArtifactPath {
				r.line(Java, "classpath ", arg)
			}
		case at == class:
			at = args
			r.line(Java, "main ", arg)
		case at == args:
			if arg == "" {
				arg = `""` // or its line would be none
			}
			r.line(Args, arg)
		case arg == "-jar":
			at = jar
		case arg == "-cp":
			at = classpath
		case first && strings.HasPrefix(arg, "-Xmx"):
			r.line(Java, "heap ", arg[len("-Xmx"):])
		case strings.HasPrefix(arg, "-javaagent:"), strings.HasPrefix(arg, "-Dpinpoint."), strings.HasPrefix(arg, "-Dotel."):
			r.line(Java, "agents ", arg)
		case strings.HasPrefix(arg, "-D"):
			r.line(Java, "properties ", arg[len("-D"):])
		default:
			r.line(Java, "options ", arg)
		}
		first = false
	}
	return rest
}

// inQuoteMarks reads a text in "…" that may go over several lines.
func inQuoteMarks(line, text string) (value, rest string) {
	rest = text
	for !closed(line) && rest != "" {
		var next string
		next, rest, _ = strings.Cut(rest, "\n")
		line += "\n" + next
	}
	return unquote(strings.TrimSuffix(line, `"`)), rest
}

// closed reports whether a text ends with a quote that no backslash escapes.
func closed(s string) bool {
	body := strings.TrimSuffix(s, `"`)
	return body != s && (len(body)-len(strings.TrimRight(body, `\`)))%2 == 0
}

// unquote undoes shellEscapes.
func unquote(s string) string { return without(s, `\"$`+"`") }

// unfile undoes fileEscapes inside hereEscapes, but for escaped line ends, and
// has variables by the name that the tree has for them.
func unfile(s string) string {
	return strings.ReplaceAll(without(without(s, `\$`+"`"), `\"`), "${batch_", "${")
}

// without takes the backslash off these characters.
func without(s, escaped string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(escaped, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
