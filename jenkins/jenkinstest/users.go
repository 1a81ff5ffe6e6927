package jenkinstest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
)

// Ids of Jenkins' permissions, as X-Required-Permission has them.
const (
	OverallRead     = "hudson.model.Hudson.Read"
	Administer      = "hudson.model.Hudson.Administer" // all of them
	JobRead         = "hudson.model.Item.Read"
	JobBuild        = "hudson.model.Item.Build"
	JobCancel       = "hudson.model.Item.Cancel"
	RunUpdate       = "hudson.model.Run.Update"
	RunReplay       = "hudson.model.Run.Replay"
	AgentCreate     = "hudson.model.Computer.Create"
	AgentConfigure  = "hudson.model.Computer.Configure"
	AgentConnect    = "hudson.model.Computer.Connect"
	AgentDisconnect = "hudson.model.Computer.Disconnect"
	AgentDelete     = "hudson.model.Computer.Delete"
)

// agentExtendedRead reads a node's configuration.
const agentExtendedRead = "hudson.model.Computer.ExtendedRead"

// Admin is the user that every Server has; it may do all.
const Admin = "admin"

// ProvisionerPermissions is what the provisioner's user has, and no more. It
// can do without JobCancel, RunUpdate and AgentConfigure.
var ProvisionerPermissions = []string{
	OverallRead, JobRead, JobCancel, RunUpdate, AgentCreate, AgentConfigure, AgentConnect, AgentDisconnect, AgentDelete,
}

type user struct {
	name        string
	permissions []string
}

func (u *user) may(permission string) bool {
	return slices.Contains(u.permissions, permission) || slices.Contains(u.permissions, Administer)
}

// AddUser makes a user with permissions, or changes them.
func (s *Server) AddUser(name string, permissions ...string) {
	defer s.lock()()
	s.addUser(name, permissions...)
}

func (s *Server) addUser(name string, permissions ...string) {
	s.users[name] = &user{name, permissions}
}

// Token returns the API token of a user, Password its password. With the
// latter every POST needs a crumb.
func Token(user string) string { return "11" + digest("token of " + user)[:32] }

// Password returns the password of a user.
func Password(user string) string { return "password-" + digest("password of " + user)[:8] }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// anonymous is who gives no credentials.
var anonymous = &user{name: "anonymous"}

// authenticate returns the user of a request, nil for wrong credentials.
// Jenkins answers 401 to these even where anonymous may read.
func (s *Server) authenticate(r *http.Request) (u *user, needsCrumb bool) {
	name, given, ok := r.BasicAuth()
	if !ok {
		if r.Header.Get("Authorization") != "" {
			return nil, false
		}
		return anonymous, true
	}
	switch u := s.users[name]; {
	case u != nil && given == Token(name):
		return u, false
	case u != nil && given == Password(name):
		return u, true
	}
	return nil, false
}

// crumb is the value that a session must show with every POST.
func (s *Server) crumb(r *http.Request) string {
	if cookie, err := r.Cookie("JSESSIONID"); err == nil {
		return digest(s.session + cookie.Value)
	}
	return ""
}
