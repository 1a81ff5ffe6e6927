package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/jenkins"
)

// controllerCheck is the check of one Jenkins.
type controllerCheck struct {
	*checker
	thing  string // what lines begin with
	cfg    Controller
	client *jenkins.Client
	clock  *clock
}

// controller checks one Jenkins; what stands on something that is not there
// is not tried.
func (c *checker) controller(ctx context.Context, name string, cfg Controller) {
	k := &controllerCheck{checker: c, thing: "controller " + name, cfg: cfg}
	token, err := ReadSecret(cfg.TokenFile)
	if err != nil {
		c.fail(k.thing, err.Error())
		return
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	k.clock = &clock{RoundTripper: transport}
	k.client, err = jenkins.New(jenkins.Config{URL: cfg.URL, User: cfg.User, Token: token.Reveal(), Transport: k.clock, Timeout: callTime})
	if err != nil {
		c.fail(k.thing, err.Error())
		return
	}
	if !k.whoami(ctx) || !k.look(ctx) {
		return
	}
	k.skew()
	k.encrypted()
	k.jobRead(ctx, firstJob(c.jobs, name))
	k.node(ctx, c.cfg.Owner)
	k.note(k.thing, fmt.Sprintf("Job/Cancel and Run/Update cannot be tried without a run; give them to %s too: with them a run that can get no machine is ended, and told why", cfg.User))
}

// firstJob returns a job that the controller must have, or nil.
func firstJob(c *catalog.Catalog, controller string) *catalog.Job {
	if c == nil {
		return nil
	}
	for i := range c.Jobs {
		if c.Jobs[i].Controller == controller {
			return &c.Jobs[i]
		}
	}
	return nil
}

func (k *controllerCheck) whoami(ctx context.Context) bool {
	name, err := k.client.Whoami(ctx)
	switch {
	case err != nil:
		k.trouble("who we are", err)
		return false
	case name == jenkins.Anonymous:
		k.fail(k.thing, "Jenkins takes us for anonymous, though a user and a token were sent",
			"something on the way takes the Authorization header out: let the proxy before Jenkins hand it on")
		return false
	case !strings.EqualFold(name, k.cfg.User):
		k.warn(k.thing, fmt.Sprintf("Jenkins knows the user %s as %s", k.cfg.User, name), "grant permissions to "+name)
	}
	return true
}

// Releases of Jenkins that matter here: the oldest that the client is tried
// with, and the first for which Jenkins' policy asks for Java 21 on agents;
// those before ask for 17. Whether an agent.jar runs with less is its own
// affair: Java 17 starts some that are newer. So what follows is a warning.
const (
	oldestMinor = 541
	java21Minor = 545
)

func (k *controllerCheck) look(ctx context.Context) bool {
	look, err := k.client.Look(ctx)
	if err != nil {
		k.trouble("Overall/Read", err)
		return false
	}
	k.ok(k.thing, fmt.Sprintf("Jenkins %s at %s as %s", look.Version, k.cfg.URL, k.cfg.User))
	minor, known := minorOf(look.Version)
	switch {
	case !known:
		k.warn(k.thing, fmt.Sprintf("the version %q of this Jenkins says nothing to us", look.Version), fmt.Sprintf("the provisioner is made for Jenkins 2.%d and later", oldestMinor))
	case minor < oldestMinor:
		k.warn(k.thing, fmt.Sprintf("Jenkins %s is older than 2.%d, and the provisioner has not been tried with it", look.Version, oldestMinor), "update Jenkins, or try a run before you count on it")
	}
	k.java = max(k.java, 17)
	if minor >= java21Minor {
		k.java = max(k.java, 21)
	}
	if look.QuietingDown {
		k.warn(k.thing, "Jenkins is about to shut down and starts no runs")
	}
	return true
}

// minorOf returns the second number of a version of Jenkins: 541 of 2.541.3.
func minorOf(version string) (int, bool) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 || parts[0] != "2" {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	return n, err == nil
}

// encrypted warns where the token goes over the network for all to read.
func (k *controllerCheck) encrypted() {
	if u, err := url.Parse(k.cfg.URL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		k.warn(k.thing, "the token goes to Jenkins without encryption", "give the https:// address of this Jenkins, if it has one")
	}
}

// jobRead sees whether jobs can be read. Jenkins does not tell a job that is
// not there from one that may not be seen.
func (k *controllerCheck) jobRead(ctx context.Context, job *catalog.Job) {
	const thing = "Job/Read"
	folder, want := "", ""
	if job != nil {
		folder, want = job.Folder, job.FullName()
	}
	jobs, err := k.client.Jobs(ctx, folder)
	if err != nil && !errors.Is(err, jenkins.ErrNotFound) {
		k.trouble(thing, err)
		return
	}
	for _, j := range jobs {
		if want == "" || j.Name == want {
			k.ok(k.thing, thing+": "+j.Name+" can be read")
			return
		}
	}
	missing := "no job is seen outside of folders"
	if want != "" {
		missing = fmt.Sprintf("the catalog's job %s is not seen", want)
	}
	k.warn(k.thing, fmt.Sprintf("%s: %s: either it is not there, or %s lacks the permission; Jenkins does not tell which", thing, missing, k.cfg.User),
		k.grant(permission{thing, "hudson.model.Item.Read"}), "if it has it, run the seed job, which makes the jobs of the catalog")
}

// permission is one of Jenkins', with the name on the security page and the
// ID in errors.
type permission struct{ name, id string }

func (k *controllerCheck) grant(p permission) string {
	return fmt.Sprintf("grant %s (%s) to %s in Manage Jenkins > Security", p.name, p.id, k.cfg.User)
}

// trouble tells of a call that was not answered as it should.
func (k *controllerCheck) trouble(what string, err error) {
	e, ok := errors.AsType[*jenkins.Error](err)
	if !ok {
		k.fail(k.thing, err.Error())
		return
	}
	switch {
	case errors.Is(err, jenkins.ErrUnauthorized):
		k.fail(k.thing, "Jenkins does not take the token of user "+k.cfg.User,
			"make a new API token on the user's Security page, and write it into "+k.cfg.TokenFile, "if Jenkins is just starting, wait and check again")
	case errors.Is(err, jenkins.ErrUnavailable):
		k.fail(k.thing, fmt.Sprintf("no answer from %s: %s", e.URL, e.Message), "is Jenkins running, is the url right, and may this host connect to it?")
	case errors.Is(err, jenkins.ErrForbidden) && e.Permission != "":
		k.fail(k.thing, fmt.Sprintf("%s: user %s lacks the permission", what, k.cfg.User), fmt.Sprintf("grant %s to %s in Manage Jenkins > Security", e.Permission, k.cfg.User))
	case errors.Is(err, jenkins.ErrGarbage), errors.Is(err, jenkins.ErrNotFound):
		k.fail(k.thing, fmt.Sprintf("%s does not answer as a Jenkins: %s %s", e.URL, e.Err, e.Message),
			"url must be the root of the controller, with its path prefix",
			"a proxy or a login page before Jenkins must let calls with a user and an API token through")
	default:
		k.fail(k.thing, fmt.Sprintf("%s: %v", what, err))
	}
}
