package main

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/batchctl/batchctl/internal/strictyaml"
	"github.com/batchctl/batchctl/jenkins"
)

// verifier checks what no tag of Config can say.
type verifier struct {
	doc      *strictyaml.Document
	problems strictyaml.Problems
}

func (v *verifier) add(path, message, hint string) {
	v.problems = append(v.problems, v.doc.Problem(path, message, hint))
}

func (v *verifier) config(c *Config) {
	v.store(c)
	v.addresses(c)
	v.tokens(c.Tokens)
	for _, name := range slices.Sorted(maps.Keys(c.Controllers)) {
		v.controller("controllers."+key(name), c.Controllers[name])
	}
	v.pools(c)
	for team, limit := range c.Teams {
		if limit < 0 {
			v.add("teams."+key(team), fmt.Sprintf("%d is no number of machines", limit), "0 gives the team none; take the name out for no limit")
		}
	}
}

// store checks the store's URL. Whatever is wrong with it, it is not shown:
// it may hold a password.
func (v *verifier) store(c *Config) {
	const want = "write sqlite:/var/lib/provisioner/state.db or postgres://USER@HOST/DATABASE"
	path, isSQLite := strings.CutPrefix(c.Store, "sqlite:")
	u, err := url.Parse(c.Store)
	switch {
	case isSQLite && path == "":
		v.add("store", "the URL has no path", want)
	case isSQLite && c.StorePasswordFile != "":
		v.add("store_password_file", "SQLite takes no password", "take the key out, or write a postgres:// URL as store")
	case isSQLite:
	case !strings.HasPrefix(c.Store, "postgres://") && !strings.HasPrefix(c.Store, "postgresql://"):
		v.add("store", "it begins neither with sqlite: nor with postgres://", want)
	case err != nil:
		v.add("store", "this postgres URL cannot be read", want)
	case hasPassword(u):
		v.add("store", "there is a password in the URL, and this file is no place for it", "put it into a file of its own, named by store_password_file, or into ~/.pgpass; and take it for known by all who could read this file")
	case c.StorePasswordFile != "" && u.User.Username() == "":
		v.add("store", "there is a password file, but no user in the URL", want)
	}
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	for option := range u.Query() {
		has = has || strings.Contains(strings.ToLower(option), "password")
	}
	return has
}

func (v *verifier) addresses(c *Config) {
	host, port, err := net.SplitHostPort(c.Listen)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		v.add("listen", fmt.Sprintf("%q is no address", c.Listen), "write HOST:PORT, such as 127.0.0.1:8780, or :8780 for all interfaces")
		return
	}
	if c.MachinesURL == "" {
		v.add("machines_url", fmt.Sprintf("is missing, and listen (%q) does not say how machines reach this host", host), "such as machines_url: https://provisioner.example:"+port)
		return
	}
	u := v.httpURL("machines_url", c.MachinesURL)
	if u != nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		v.add("machines_url", "machines get the secrets of their nodes from there, so it must be https unless the host is a loopback address", "set tls, or put a proxy with TLS before the provisioner, and write https://…")
	}
}

// httpURL checks a URL, and returns it where it is one. It is not shown: it
// may hold a password.
func (v *verifier) httpURL(path, text string) *url.URL {
	u, err := url.Parse(text)
	const want = "write one such as https://host.example:8780"
	switch {
	case err != nil:
		v.add(path, "this is no URL", want)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		v.add(path, "this is no http or https URL with a host", want)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		v.add(path, "the URL has a user, a query or a fragment in it", "give the scheme, the host, and a path where there is one")
	default:
		return u
	}
	return nil
}

func (v *verifier) tokens(tokens []Token) {
	first := map[string]int{}
	for i, t := range tokens {
		if j, twice := first[t.Name]; twice {
			at := fmt.Sprintf("tokens[%d].name", i)
			v.add(at, fmt.Sprintf("the name %s is that of tokens[%d] already, in line %d", t.Name, j, v.doc.At(fmt.Sprintf("tokens[%d].name", j)).Line), "give each token a name of its own")
			continue
		}
		first[t.Name] = i
	}
}

func (v *verifier) controller(path string, c Controller) {
	if v.httpURL(path+".url", c.URL) == nil {
		return
	}
	v.httpURL(path+".agent_url", c.AgentURL)
	// The URL is right by now: what New refuses is the user.
	if _, err := jenkins.New(jenkins.Config{URL: c.URL, User: c.User, Token: "in its file"}); err != nil {
		v.add(path+".user", err.Error(), "")
	}
}

func (v *verifier) pools(c *Config) {
	first := map[string]firstPlace{}
	for _, name := range slices.Sorted(maps.Keys(c.Pools)) {
		v.places("pools."+key(name)+".places", c.Pools[name].Places, c.Clouds, first)
	}
}

// firstPlace is where a place was named first.
type firstPlace struct{ at, cloud string }

// places checks an ordered list of places. A name stands for one place,
// whatever pool it is in.
func (v *verifier) places(list string, places []Place, clouds map[string]Cloud, first map[string]firstPlace) {
	here := map[string]bool{}
	for i, p := range places {
		at := fmt.Sprintf("%s[%d]", list, i)
		if cloud, known := clouds[p.Cloud]; !known {
			v.unknown(at+".cloud", "there is no cloud "+p.Cloud, p.Cloud, slices.Sorted(maps.Keys(clouds)))
		} else if names := cloud.placeNames(); names != nil && !slices.Contains(names, p.Name) {
			v.unknown(at+".name", "the cloud "+p.Cloud+" has no place "+p.Name, p.Name, names)
		}
		other, twice := first[p.Name]
		switch {
		case here[p.Name]:
			v.add(at+".name", fmt.Sprintf("the place %s stands in this pool already (%s)", p.Name, other.at), "take one of them out")
		case twice && other.cloud != p.Cloud:
			v.add(at+".name", fmt.Sprintf("the place %s is in the cloud %s in line %d (%s)", p.Name, other.cloud, v.doc.At(other.at+".name").Line, other.at), "a place is in one cloud; give this one another name")
		case !twice:
			first[p.Name] = firstPlace{at, p.Cloud}
		}
		here[p.Name] = true
	}
}

// unknown reports a name that is none of those there are.
func (v *verifier) unknown(path, message, name string, known []string) {
	hint := "there are: " + strings.Join(known, ", ")
	if near := strictyaml.Nearest(name, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	v.add(path, message, hint)
}

// key writes a name as paths of problems have it.
func key(name string) string { return strictyaml.Join("", name) }
