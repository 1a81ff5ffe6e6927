package jobxml

import (
	"regexp"
	"strings"
)

// find returns the first element that the path leads to, or nil. It may be
// asked of a nil element.
func (e *Element) find(path ...string) *Element {
	for _, name := range path {
		if e == nil {
			return nil
		}
		var next *Element
		for _, kid := range e.Kids {
			if kid.Name == name {
				next = kid
				break
			}
		}
		e = next
	}
	return e
}

// take returns the text of the element that the path leads to and marks it as
// understood.
func (e *Element) take(path ...string) string {
	found := e.find(path...)
	if found == nil || len(found.Kids) > 0 {
		return ""
	}
	found.taken = true
	return found.Text
}

// takeRaw is take for a text whose white space counts.
func (e *Element) takeRaw(path ...string) string {
	if found := e.find(path...); found != nil && len(found.Kids) == 0 {
		found.taken = true
		return found.Raw
	}
	return ""
}

// takeAll marks an element and all below it.
func (e *Element) takeAll() {
	if e == nil {
		return
	}
	e.taken = true
	for _, kid := range e.Kids {
		kid.takeAll()
	}
}

// ignore marks elements that say what would be so without them as well.
func (e *Element) ignore(texts map[string]string) {
	for _, kid := range e.Kids {
		if text, ok := texts[kid.Name]; ok && len(kid.Kids) == 0 && (kid.Text == text || kid.Text == "") {
			kid.taken = true
		}
	}
}

// Kept is a setting that was not understood.
type Kept struct {
	Path string // elements from the root down: publishers/hudson.tasks.Mailer
	Text string // what it says, on one line: recipients: a@b; sendToIndividuals: false
}

// rest collects what is not taken. Elements that are direct children of a
// list such as builders are one setting each.
func (e *Element) rest(path string, out *[]Kept) {
	for _, kid := range e.Kids {
		at := strings.TrimPrefix(path+"/"+kid.Name, "/")
		switch {
		case kid.taken:
		case containers[kid.Name] && len(kid.Kids) > 0:
			kid.rest(at, out)
		case kid.untaken():
			*out = append(*out, Kept{Path: at, Text: kid.summary()})
		}
	}
}

// containers are the elements whose children are settings by themselves.
var containers = map[string]bool{"properties": true, "triggers": true, "builders": true, "publishers": true, "buildWrappers": true,
	"hudson.model.ParametersDefinitionProperty": true, "parameterDefinitions": true, "bindings": true, "axes": true,
	"org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper":          true,
	"org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty": true}

// untaken reports whether there is anything in an element that is not taken.
func (e *Element) untaken() bool {
	if e.taken {
		return false
	}
	if len(e.Kids) == 0 {
		// An empty element under a container is a plugin that is switched on.
		return e.Text != "" || e.Class != "" || strings.Contains(e.Name, ".")
	}
	for _, kid := range e.Kids {
		if kid.untaken() {
			return true
		}
	}
	return strings.Contains(e.Name, ".") && !e.anyTaken()
}

func (e *Element) anyTaken() bool {
	if e.taken {
		return true
	}
	for _, kid := range e.Kids {
		if kid.anyTaken() {
			return true
		}
	}
	return false
}

// summary writes an element on one line. Secrets are left out: what is kept
// goes into a repository.
func (e *Element) summary() string {
	var parts []string
	if e.Class != "" {
		parts = append(parts, "class "+e.Class)
	}
	if len(e.Kids) == 0 {
		if e.Text != "" {
			parts = append(parts, Redact(e.Name, e.Text))
		}
		return strings.Join(parts, "; ")
	}
	for _, kid := range e.Kids {
		if kid.taken {
			continue
		}
		inner := kid.summary()
		if e.hides(kid) {
			inner = Hidden
		}
		if len(kid.Kids) > 0 {
			inner = "{" + inner + "}"
		}
		parts = append(parts, strings.TrimSuffix(kid.Name+": "+inner, ": "))
	}
	return strings.Join(parts, "; ")
}

// Hidden stands in the place of a secret.
const Hidden = "********"

// Redact returns a text, or Hidden where it is a secret: one that Jenkins has
// encrypted ({AQAA…}), or what stands in an element or a variable whose name
// says so. Of a URL only the password is left out.
func Redact(name, text string) string {
	if strings.HasPrefix(text, "{AQ") && strings.HasSuffix(text, "}") || text != "" && SecretName(name) {
		return Hidden
	}
	return withoutPasswords(text)
}

// hides reports an element below this one that holds a secret, whatever its
// name: an old Jenkins has encrypted it in a way that looks like any text.
func (e *Element) hides(kid *Element) bool {
	return kid.Text != "" && kid.Name == "defaultValue" && strings.Contains(e.Name, "PasswordParameter")
}

// urlPassword is the password in a URL: https://user:password@host.
var urlPassword = regexp.MustCompile(`(://[^/\s:@'"]*:)[^/\s:@'"$]+@`)

// withoutPasswords hides the passwords of the URLs in a text.
func withoutPasswords(text string) string {
	return urlPassword.ReplaceAllString(text, "${1}"+Hidden+"@")
}

// URLPassword reports whether a URL in a text has a password.
func URLPassword(text string) bool { return withoutPasswords(text) != text }

// SecretName reports whether a name says that a secret is behind it.
// credentialsId and passwordVariable are none: they only name one.
func SecretName(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{"id", "variable", "file", "path"} {
		if strings.HasSuffix(name, end) {
			return false
		}
	}
	for _, word := range []string{"password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "privatekey", "pwd"} {
		if strings.Contains(name, word) {
			return name != "pwd" && name != "oldpwd" // the directory
		}
	}
	return name == "pw" || strings.HasSuffix(name, "_pw") || strings.HasSuffix(name, "-pw") || strings.HasSuffix(name, ".pw")
}
