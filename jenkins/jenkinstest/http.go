package jenkinstest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A request is one request as its handlers need it.
type request struct {
	*http.Request
	w    http.ResponseWriter
	user *user
	path []string // behind the prefix, decoded
	root string   // URL of Jenkins, with a trailing slash
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault := s.faultOf(r); fault != NoFault {
		if w = s.strike(fault, w, r); w == nil {
			return
		}
		defer panic(http.ErrAbortHandler) // DropReply
	}
	if s.serveAgent(w, r) {
		return
	}
	defer s.lock()()
	if s.down != 0 {
		s.unavailable(w)
		return
	}
	s.serve(w, r)
}

// serve checks who asks for what, and finds the handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), s.prefix)
	if !ok {
		http.NotFound(w, r)
		return
	}
	u, needsCrumb := s.authenticate(r)
	if u == nil {
		// Jetty's page: no header of Jenkins.
		page(w, http.StatusUnauthorized, "Error 401 Unauthorized", "")
		return
	}
	q := &request{Request: r, w: w, user: u, root: s.root(r)}
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		name, err := url.PathUnescape(part)
		if err != nil || strings.Contains(name, "/") {
			q.refuse(http.StatusBadRequest, "")
			return
		}
		q.path = append(q.path, name)
	}
	w.Header().Set("X-Jenkins", "2.579")
	w.Header().Set("X-Jenkins-Session", s.session)
	if r.Method == http.MethodPost && needsCrumb && (s.crumb(r) == "" || r.Header.Get("Jenkins-Crumb") != s.crumb(r)) {
		page(w, http.StatusForbidden, "No valid crumb was included in the request", "")
		return
	}
	if s.open(q) {
		return
	}
	if !q.allowed(OverallRead) {
		return
	}
	s.route(q)
}

// open serves what needs no permission.
func (s *Server) open(q *request) bool {
	switch strings.Join(q.path, "/") {
	case "login":
		page(q.w, http.StatusOK, "Sign in - Jenkins", "")
	case "whoAmI/api/json":
		s.json(q, "", s.whoAmI)
	case "jnlpJars/agent.jar":
		q.w.Header().Set("Content-Type", "application/java-archive")
		q.w.Write([]byte("PK\x03\x04 no agent is in here: see RunAgent"))
	default:
		return false
	}
	return true
}

// route serves what needs Overall/Read at least.
func (s *Server) route(q *request) {
	switch q.path[0] {
	case "queue":
		s.routeQueue(q)
	case "computer":
		s.routeComputer(q)
	case "job":
		s.routeJob(q)
	case "quietDown", "cancelQuietDown":
		if q.post() && q.allowed(Administer) {
			s.quieting = q.path[0] == "quietDown"
			s.stir()
			q.redirect("")
		}
	default:
		switch strings.Join(q.path, "/") {
		case "api/json":
			s.json(q, "quietingDown,jobs[name,url,color]", s.folder(s.folders[""], "", "hudson.model.Hudson"))
		case "me/api/json":
			s.json(q, "", s.me)
		case "crumbIssuer/api/json":
			s.giveCrumb(q)
		default:
			q.refuse(http.StatusNotFound, "")
		}
	}
}

// root returns the URL that Jenkins has for itself, with a trailing slash.
func (s *Server) root(r *http.Request) string {
	if s.rootURL != "" {
		return strings.TrimRight(s.rootURL, "/") + "/"
	}
	return "http://" + r.Host + s.prefix + "/"
}

// allowed says whether the user has a permission, and answers if not.
func (q *request) allowed(permission string) bool {
	if q.user.may(permission) {
		return true
	}
	q.w.Header().Set("X-You-Are-Authenticated-As", q.user.name)
	q.w.Header().Set("X-Required-Permission", permission)
	page(q.w, http.StatusForbidden, fmt.Sprintf("%s is missing the %s permission", q.user.name, permission), "")
	return false
}

// post says whether this is a POST, and answers if not.
func (q *request) post() bool {
	if q.Method != http.MethodPost {
		q.refuse(http.StatusMethodNotAllowed, "")
		return false
	}
	return true
}

// redirect is how Jenkins says that a POST is done.
func (q *request) redirect(path string) {
	u, _ := url.Parse(q.root) // of ours
	q.w.Header().Set("Location", u.Path+path)
	q.w.WriteHeader(http.StatusFound)
}

// refuse answers with a status and Jenkins' long error page; message is what
// X-Error says.
func (q *request) refuse(status int, message string) {
	if message != "" {
		q.w.Header().Set("X-Error", message)
	}
	page(q.w, status, "Oops! "+message, errorPage)
}

// json answers with what write writes of a tree; without one, of all.
func (s *Server) json(q *request, all string, write func(*request, tree) []byte) {
	text := q.URL.Query().Get("tree")
	if text == "" {
		text = all
	}
	t, ok := s.parsedTree(text)
	if !ok {
		q.refuse(http.StatusInternalServerError, "")
		return
	}
	body := write(q, t)
	q.w.Header().Set("Content-Type", "application/json;charset=utf-8")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	q.w.Write(body)
}

// errorPage is as long as Jenkins' pages are.
var errorPage = strings.Repeat(`<link rel="stylesheet" href="/static/250ec23b/jsbundles/styles.css" type="text/css">`+"\n", 256)

const startingPage = "<p>Please wait while Jenkins is getting ready to work</p>"

// page answers with HTML.
func page(w http.ResponseWriter, status int, title, text string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><h1>" + title + "</h1>" + text + "</body></html>"))
}
