// Package bootstrap is how a machine becomes the node of a run. Script is what
// the machine runs when it starts; Handler is where that calls in, shows the
// one-time token of its order, and is handed the name and the secret of its
// Jenkins node. The agent's secret is thereby never in user data, and neither
// token nor secret is ever in the arguments of a process.
//
// Read script.sh.tmpl first, then Handler.
package bootstrap

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// Path is where Handler expects to be, below the provisioner's URL.
const Path = "/bootstrap/v1/call"

// Params is what a script is made of. Identify and PowerOff are shell and are
// run as they stand; they come from the provisioner's configuration only.
type Params struct {
	URL   string        // of the provisioner, as machines reach it
	Token string        // the one-time token: 16 to 256 of [A-Za-z0-9_-]
	Life  time.Duration // after which the machine powers itself off

	Identify    string   // shell that sets the variables machine, the cloud's name of the machine, and proof (see nodes.Call); empty: $PROVISIONER_MACHINE
	CAFile      string   // certificates, on the machine, that the provisioner and the controller are checked with; empty: the system's
	Java        string   // runs the agent; empty: java
	JavaOptions []string // options for it
	Jar         string   // an agent.jar that the image may have, which is used as it is; else the controller's is fetched
	Cache       string   // a directory of the image that scripts/warm-agent.sh has made, so that the agent starts faster; empty: none
	User        string   // runs the agent, where the script is root; empty: the script's own user
	Dir         string   // where the agent works; empty: agent in $HOME
	PowerOff    string   // shell that ends the machine; empty: poweroff. For a local machine, which is a process group: kill -s KILL 0

	CallTimeout time.Duration // of one call, beyond Options.Hold; 0: 60 s
}

//go:embed script.sh.tmpl
var scriptText string

var scriptTemplate = template.Must(template.New("script.sh").Parse(scriptText))

var (
	tokenShape   = regexp.MustCompile(`^[A-Za-z0-9_-]{16,256}$`)
	claimShape   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	userShape    = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)
	proofShape   = regexp.MustCompile(`^[A-Za-z0-9+/=]*$`)
	machineShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
	urlShape     = regexp.MustCompile(`^https?://[A-Za-z0-9._~:/%@\[\]-]+$`)
)

const (
	defaultIdentify    = `machine=${PROVISIONER_MACHINE-}`
	defaultPowerOff    = "poweroff || poweroff -f"
	defaultCallTimeout = time.Minute
)

// Script returns a POSIX shell script for a machine's user data.
func Script(p Params) (string, error) {
	if !tokenShape.MatchString(p.Token) {
		return "", errors.New("write a bootstrap script: the token is not 16 to 256 letters, digits, dashes and underscores")
	}
	if _, err := url.Parse(p.URL); err != nil || !urlShape.MatchString(p.URL) {
		return "", fmt.Errorf("write a bootstrap script: the provisioner's URL %q is not a plain http or https address", p.URL)
	}
	if p.User != "" && !userShape.MatchString(p.User) {
		return "", fmt.Errorf("write a bootstrap script: %q is no name of a user", p.User)
	}
	if p.Life < time.Second {
		return "", fmt.Errorf("write a bootstrap script: a life of %v is over before it begins", p.Life)
	}
	values := map[string]any{
		"URL":      strings.TrimSuffix(p.URL, "/") + Path,
		"Token":    p.Token,
		"User":     p.User,
		"Life":     int64(p.Life / time.Second),
		"Timeout":  max(1, int64(cmp.Or(p.CallTimeout, defaultCallTimeout)/time.Second)),
		"Identify": cmp.Or(p.Identify, defaultIdentify),
		"PowerOff": cmp.Or(p.PowerOff, defaultPowerOff),
	}
	for name, text := range map[string]string{"CAFile": p.CAFile, "Java": cmp.Or(p.Java, "java"), "Jar": p.Jar, "Cache": p.Cache, "Dir": p.Dir} {
		quoted, err := quote(text)
		if err != nil {
			return "", fmt.Errorf("write a bootstrap script: %s: %w", name, err)
		}
		values[name] = quoted
	}
	var options []string
	for _, o := range p.JavaOptions {
		quoted, err := quote(o)
		if err != nil {
			return "", fmt.Errorf("write a bootstrap script: Java option %q: %w", o, err)
		}
		options = append(options, quoted+" ")
	}
	values["JavaOptions"] = strings.Join(options, "")
	var b strings.Builder
	if err := scriptTemplate.Execute(&b, values); err != nil {
		return "", fmt.Errorf("write a bootstrap script: %w", err)
	}
	script := b.String()
	if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "script"); err != nil {
		return "", fmt.Errorf("write a bootstrap script: it is no POSIX shell, see Identify and PowerOff: %w", err)
	}
	return script, nil
}

func quote(text string) (string, error) { return syntax.Quote(text, syntax.LangPOSIX) }
