package importer

import (
	"regexp"
	"strings"

	"github.com/batchctl/batchctl/importer/jobxml"
)

// secretInPlain reports a password that stands in the job for all to read. It
// comes along: without it the program would not run.
func (j *imported) secretInPlain(name, value string) {
	if value == "" || strings.HasPrefix(value, "$") || strings.Contains(value, "${") {
		return
	}
	if jobxml.SecretName(name) && value != jobxml.Hidden {
		j.secretFound(name)
	}
	for _, found := range secretText[0].FindAllStringSubmatch(value, -1) {
		j.secretNamed(found) // jdbc:…?password=x
	}
	if jobxml.URLPassword(value) {
		j.secretFound("the password in a URL")
	}
}

func (j *imported) secretNamed(found []string) {
	if isSecret(found) {
		j.secretFound(strings.TrimLeft(found[1], "-"))
	}
}

// isSecret reports whether a match of secretText is a secret: no variable that
// holds one, and no other name, as in the summary of an element.
func isSecret(found []string) bool {
	return jobxml.SecretName(found[1]) && found[3] != jobxml.Hidden && !strings.HasPrefix(found[3], "$") && !strings.HasSuffix(found[3], ":")
}

// withoutSecrets is a text for a report or a comment, which nobody needs to run
// anything.
func withoutSecrets(text string) string {
	for _, form := range secretText {
		text = form.ReplaceAllStringFunc(text, func(match string) string {
			if found := form.FindStringSubmatch(match); isSecret(found) {
				return found[1] + found[2] + jobxml.Hidden
			}
			return match
		})
	}
	return jobxml.Redact("", text)
}

func (j *imported) secretFound(name string) {
	j.finding("secret", "a secret stands in it in plain text; make a credential of it, before this is committed", name)
}

// secretArgs looks at arguments: --password=x, and --password x.
func (j *imported) secretArgs(args []string) {
	for i, a := range args {
		name, value, ok := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if !ok && strings.HasPrefix(a, "-") && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			value = args[i+1]
		}
		if !ok && value == "" {
			name, value = "", a
		}
		j.secretInPlain(name, value)
	}
}

// secretsOf looks through a document that is kept whole.
func (j *imported) secretsOf(e *jobxml.Element) {
	if e == nil {
		return
	}
	if jobxml.Redact(e.Name, e.Text) != jobxml.Hidden {
		j.secretsIn(jobxml.Redact("", e.Raw))
	}
	for _, kid := range e.Kids {
		j.secretsOf(kid)
	}
}

// secretText are the ways in which a script, or any text, hands a secret on:
// the name, and the value.
var secretText = []*regexp.Regexp{
	regexp.MustCompile(`(` + secretWord + `)(["']?\s*[=:]\s*["']?)([^\s"';,)&]+)`),
	regexp.MustCompile(`(--?` + secretWord + `)(\s+["']?)([^\s"'-][^\s"']*)`),
}

const secretWord = `[\w.-]*(?i:passw|passphrase|secret|token|api_?key|privatekey|pwd|pw)[\w.-]*`

// curlUser is the user and the password of curl and wget.
var curlUser = regexp.MustCompile(`\bcurl\b[^\n]*\s(-u|--user)[ =]?["']?[^\s"':$]+:[^\s"'$]`)

// secretsIn looks for secrets in a text whose form is not known.
func (j *imported) secretsIn(text string) {
	for _, form := range secretText {
		for _, found := range form.FindAllStringSubmatch(text, -1) {
			j.secretNamed(found)
		}
	}
	if curlUser.MatchString(text) {
		j.secretFound("the password of curl")
	}
	if jobxml.URLPassword(text) {
		j.secretFound("the password in a URL")
	}
}
