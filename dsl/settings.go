package dsl

import (
	"bytes"
	"strings"
	"time"
)

// A reader takes settings of the tree out of a Pipeline of this package: of
// what was rendered, and of what somebody made of it in Jenkins. Each becomes
// a line of its field, and what no setting explains is left over. Lines that
// are the same in every Pipeline, and lines that only repeat a setting, are
// passed over: Declared has the whole Pipeline too, so no edit gets lost.
type reader struct {
	fields [numDeclared][]byte
	left   []byte   // lines that are none of ours
	given  []string // parameters that are passed on
	buffer []byte   // the shell text at hand
	behind *reader  // of the after-scripts
}

// reset makes a reader ready for another Pipeline.
func (r *reader) reset() {
	for i := range r.fields {
		r.fields[i] = r.fields[i][:0]
	}
	r.left, r.given = r.left[:0], r.given[:0]
}

// line adds a line to a field.
func (r *reader) line(field int, texts ...string) {
	b := r.fields[field]
	if len(b) > 0 {
		b = append(b, '\n')
	}
	for _, t := range texts {
		b = appendOneLine(b, t)
	}
	r.fields[field] = b
}

func (r *reader) leave(line string) { r.left = append(append(r.left, line...), '\n') }

// appendOneLine appends a text with its line feeds written as \n.
func appendOneLine(dst []byte, s string) []byte {
	for {
		i := strings.IndexAny(s, "\n\r")
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		if s[i] == '\n' {
			dst = append(dst, `\n`...)
		} else {
			dst = append(dst, `\r`...)
		}
		s = s[i+1:]
	}
}

// linesOf are the lines of constants of this package, as the Pipeline has
// them.
func linesOf(constants ...string) map[string]bool {
	out := map[string]bool{"}": true}
	for _, c := range constants {
		for l := range strings.Lines(string(unquoted(nil, []byte(c)))) {
			out[strings.TrimSuffix(l, "\n")] = true
		}
	}
	return out
}

// alwaysCode are the lines of code that say nothing of a setting.
var alwaysCode = linesOf(scriptBegin, scriptBad, inScript.constant("if (code == '') {\n"), scriptTry, scriptCatch, scriptAfter, scriptAfterEnd,
	scriptKeepEnd, scriptThrow, scriptCode, scriptBadEnd)

const (
	shellFollows = ", script: ["
	retryOn      = ", conditions: [agent(), nonresumable()]) {"
	archives     = "archiveArtifacts(allowEmptyArchive: true, excludes: '.batch/**', artifacts: '"
)

// read reads a Pipeline.
func (r *reader) read(script string) {
	const none, given, secrets = 0, 1, 2
	block := none
	for rest := script; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		switch {
		case strings.HasPrefix(line, "timeout(time: ") && strings.HasPrefix(rest, "code = sh("):
			r.line(Timeout, inWords(strings.TrimSuffix(line[len("timeout(time: "):], ", unit: 'SECONDS') {")))
		case line == "withEnv([":
			block = given
		case line == "withCredentials([":
			block = secrets
		case line == "]) {" && block != none:
			block = none
		case block == given:
			r.passedOn(line)
		case block == secrets:
			r.secret(line)
		case strings.HasSuffix(line, shellFollows):
			if !alwaysCode[line] {
				r.leave(line) // has the batch's name
			}
			rest = r.literal(rest, alwaysCode[line])
		case alwaysCode[line]:
		case strings.HasPrefix(line, "retry(count: ") && strings.HasSuffix(line, retryOn):
			r.line(Retry, "attempts ", line[len("retry(count: "):len(line)-len(retryOn)])
		case strings.HasPrefix(line, archives) && strings.HasSuffix(line, "')"):
			for glob := range strings.SplitSeq(unliteral(line[len(archives):len(line)-2]), ",") {
				r.line(Files, glob)
			}
		default:
			r.leave(line)
		}
	}
}

// inWords writes seconds as the tree has durations: 2h, 1h30m.
func inWords(seconds string) string {
	d, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return seconds
	}
	text := d.String()
	if cut, found := strings.CutSuffix(text, "m0s"); found {
		text = cut + "m"
	}
	if cut, found := strings.CutSuffix(text, "h0m"); found {
		text = cut + "h"
	}
	return text
}

// passedOn reads 'NAME=' + params.NAME,
func (r *reader) passedOn(line string) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(line, "'"), "=' + params.")
	if name != "" && strings.TrimSuffix(rest, ",") == name {
		r.given = append(r.given, name)
		return
	}
	r.leave(line)
}

// secret reads METHOD(credentialsId: 'ID', variable: 'NAME'), and its like.
func (r *reader) secret(line string) {
	method, rest, ok := strings.Cut(line, "(credentialsId: '")
	if !ok {
		r.leave(line)
		return
	}
	id, rest := endOfLiteral(rest)
	if name, found := strings.CutPrefix(rest, ", variable: '"); found {
		r.line(Secrets, strings.TrimSuffix(name, "'),"), " ", method, " ", id)
		return
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(rest, ", usernameVariable: '"), "_USR'")
	if name+"_USR" == artifactUser {
		r.line(Artifact, "credentials ", id)
		return
	}
	r.line(Secrets, name, " username-password ", id)
}

// literal reads the shell text in the list of literals that text begins with,
// and returns what stands behind its line.
func (r *reader) literal(text string, after bool) (rest string) {
	r.buffer, rest = appendLiterals(r.buffer[:0], text)
	_, rest, _ = strings.Cut(rest, "\n")
	if !after {
		r.shell(string(r.buffer))
		return rest
	}
	if r.behind == nil {
		r.behind = new(reader)
	}
	b := r.behind
	b.reset()
	b.given = append(b.given, r.given...)
	b.shell(string(r.buffer))
	r.fields[Scripts] = joined(r.fields[Scripts], b.fields[Scripts])
	// The after-scripts have the program's environment and Java.
	if !bytes.Equal(b.fields[Env], r.fields[Env]) {
		r.line(Env, "after-scripts=", string(b.fields[Env]))
	}
	if java := b.fields[Java]; !bytes.HasPrefix(r.fields[Java], java) {
		r.line(Java, "options of the after-scripts: ", string(java))
	}
	r.left = append(r.left, b.left...)
	return rest
}

// joined joins lines with others.
func joined(a, b []byte) []byte {
	if len(a) > 0 && len(b) > 0 {
		a = append(a, '\n')
	}
	return append(a, b...)
}
