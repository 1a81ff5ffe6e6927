package jenkinstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (s *Server) routeComputer(q *request) {
	switch {
	case len(q.path) == 3 && q.path[1] == "api":
		s.json(q, "computer[displayName,description,offline,temporarilyOffline,offlineCauseReason,idle,executors]", s.computersJSON)
	case len(q.path) == 2 && q.path[1] == "doCreateItem":
		if q.post() && q.allowed(AgentCreate) {
			s.doCreateItem(q)
		}
	case len(q.path) >= 3:
		s.routeNode(q, s.computers[q.path[1]], strings.Join(q.path[2:], "/"))
	default:
		q.refuse(http.StatusNotFound, "")
	}
}

func (s *Server) routeNode(q *request, c *computer, what string) {
	switch {
	case c == nil:
		q.refuse(http.StatusNotFound, "")
	case c.zombie && s.strict:
		q.refuse(http.StatusInternalServerError, "")
	case what == "api/json":
		s.json(q, "displayName,description,offline,temporarilyOffline,offlineCauseReason,idle,executors", func(q *request, t tree) []byte {
			e := &encoder{}
			e.computer(q, c, t)
			return e.b
		})
	case what == "config.xml" && !c.zombie:
		s.routeConfig(q, c)
	case what == "jenkins-agent.jnlp" && !c.zombie:
		if q.allowed(AgentConnect) {
			q.w.Header().Set("Content-Type", "application/x-java-jnlp-file")
			fmt.Fprintf(q.w, "<jnlp><application-desc><argument>%s</argument><argument>%s</argument></application-desc></jnlp>", secret(c.name), c.name)
		}
	case what == "changeOfflineCause":
		if q.post() && q.allowed(AgentDisconnect) {
			c.offline, c.reason = true, q.FormValue("offlineMessage")
			q.redirect("computer/" + url.PathEscape(c.name) + "/")
		}
	case what == "doDelete":
		if q.post() && q.allowed(AgentDelete) {
			s.deleteNode(c)
			q.redirect("computer/")
		}
	default:
		q.refuse(http.StatusNotFound, "")
	}
}

// doCreateItem reads the form of the "new node" page.
func (s *Server) doCreateItem(q *request) {
	var form struct {
		Name, NodeDescription, RemoteFS, LabelString string
		NodeProperties                               struct {
			Env struct {
				Env []struct{ Key, Value string }
			} `json:"hudson-slaves-EnvironmentVariablesNodeProperty"`
		}
	}
	name := q.FormValue("name")
	err := json.Unmarshal([]byte(q.FormValue("json")), &form)
	if err != nil || q.FormValue("type") != "hudson.slaves.DumbSlave" || len(name) > 255 {
		q.refuse(http.StatusInternalServerError, "")
		return
	}
	c := &computer{name: name, description: form.NodeDescription, remoteFS: form.RemoteFS, labels: strings.Fields(form.LabelString), env: map[string]string{}}
	for _, entry := range form.NodeProperties.Env.Env {
		c.env[entry.Key] = entry.Value
	}
	if problem := s.createNode(c); problem != "" {
		q.refuse(http.StatusBadRequest, problem)
		return
	}
	q.redirect("computer/")
}

func (s *Server) computersJSON(q *request, t tree) []byte {
	e := &encoder{b: make([]byte, 0, 512+384*len(s.names))}
	e.open("hudson.model.ComputerSet")
	if t.has("computer") {
		t := t["computer"]
		e.begin("computer")
		e.next()
		e.builtIn(t, s.active > 0)
		for _, name := range s.names {
			e.next()
			e.computer(q, s.computers[name], t)
		}
		e.end()
	}
	e.close()
	return e.b
}

// builtIn writes the built-in node, which has no executors here. It is busy
// while any Pipeline runs.
func (e *encoder) builtIn(t tree, busy bool) {
	e.open("hudson.model.Hudson$MasterComputer")
	e.state(t, "Built-In Node", "the Jenkins controller's built-in node", "", false, false, !busy)
	if t.has("executors") {
		e.begin("executors")
		e.end()
	}
	e.close()
}

func (e *encoder) computer(q *request, c *computer, t tree) {
	e.open("hudson.slaves.SlaveComputer")
	e.state(t, c.name, c.description, c.cause(), c.offline || !c.connected, c.offline, c.run == nil)
	if t.has("executors") {
		t := t["executors"]
		e.begin("executors")
		e.next()
		e.executor(q, c.run, t)
		e.end()
	}
	e.close()
}

// executor writes an executor, an object without a class.
func (e *encoder) executor(q *request, r *run, t tree) {
	e.b = append(e.b, '{')
	start := len(e.b)
	if t.has("currentExecutable") {
		e.key("currentExecutable")
		if r == nil || !q.user.may(JobRead) {
			e.b = append(e.b, "null"...)
		} else {
			e.executable(q, r, t["currentExecutable"])
		}
	}
	if t.has("idle") {
		e.bool("idle", r == nil)
	}
	e.close()
	if e.b[start] == ',' {
		e.b = slices.Delete(e.b, start, start+1)
	}
}

// state writes the fields that every computer has.
func (e *encoder) state(t tree, name, description, cause string, offline, temporarily, idle bool) {
	if t.has("description") {
		e.text("description", description)
	}
	if t.has("displayName") {
		e.text("displayName", name)
	}
	if t.has("idle") {
		e.bool("idle", idle)
	}
	if t.has("offline") {
		e.bool("offline", offline)
	}
	if t.has("offlineCause") {
		e.key("offlineCause")
		if cause == "" {
			e.b = append(e.b, "null"...)
		} else {
			e.open("hudson.slaves.OfflineCause$UserCause")
			e.close()
		}
	}
	if t.has("offlineCauseReason") {
		e.text("offlineCauseReason", cause)
	}
	if t.has("temporarilyOffline") {
		e.bool("temporarilyOffline", temporarily)
	}
}
