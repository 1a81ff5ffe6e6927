package jenkinstest

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jobPath returns the relative URL of a job.
func jobPath(fullName string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(fullName, "/") {
		b.WriteString("job/" + url.PathEscape(part) + "/")
	}
	return b.String()
}

// routeJob serves a folder, a job or a run. To who may not read jobs there
// are none.
func (s *Server) routeJob(q *request) {
	var names []string
	rest := q.path
	for len(rest) >= 2 && rest[0] == "job" {
		names, rest = append(names, rest[1]), rest[2:]
	}
	fullName := strings.Join(names, "/")
	j, f := s.jobs[fullName], s.folders[fullName]
	switch {
	case !q.user.may(JobRead) || j == nil && f == nil:
		q.refuse(http.StatusNotFound, "")
	case j == nil && strings.Join(rest, "/") == "api/json":
		s.json(q, "fullName,jobs[name,url,color]", s.folder(f, fullName, "com.cloudbees.hudson.plugins.folder.Folder"))
	case j == nil:
		q.refuse(http.StatusNotFound, "")
	default:
		s.routeOneJob(q, j, rest)
	}
}

func (s *Server) routeOneJob(q *request, j *job, rest []string) {
	what := strings.Join(rest, "/")
	switch what {
	case "api/json":
		s.json(q, "fullName,nextBuildNumber,buildable,inQueue,lastBuild,builds", func(q *request, t tree) []byte {
			e := &encoder{}
			e.job(q, j, t)
			return e.b
		})
		return
	case "build", "buildWithParameters":
		if q.post() && q.allowed(JobBuild) {
			s.build(q, j)
		}
		return
	}
	if len(rest) >= 2 {
		number, err := strconv.Atoi(rest[0])
		if r := j.runs[number]; err == nil && r != nil {
			s.routeRun(q, r, strings.Join(rest[1:], "/"))
			return
		}
	}
	q.refuse(http.StatusNotFound, "")
}

// build triggers a job.
func (s *Server) build(q *request, j *job) {
	quiet := DefaultQuietPeriod
	if s.quiet > 0 {
		quiet = s.quiet
	}
	if text := q.FormValue("delay"); text != "" {
		seconds, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSuffix(text, "sec"), "s"))
		if err != nil {
			q.refuse(http.StatusBadRequest, "")
			return
		}
		quiet = time.Duration(seconds) * time.Second
	}
	q.Form.Del("delay")
	id := s.trigger(j, quiet, q.Form.Encode())
	if id == 0 {
		q.refuse(http.StatusConflict, j.name+" is not buildable")
		return
	}
	q.w.Header().Set("Location", fmt.Sprintf("%squeue/item/%d/", q.root, id))
	q.w.WriteHeader(http.StatusCreated)
}

func (s *Server) routeRun(q *request, r *run, what string) {
	path := r.job.path + strconv.Itoa(r.ref.Number) + "/"
	switch what {
	case "api/json":
		s.json(q, "number,building,inProgress,result,timestamp,duration,description", r.json)
	case "stop":
		if q.post() && q.allowed(JobCancel) {
			s.abort(r)
			q.redirect(path)
		}
	case "submitDescription":
		if q.post() && q.allowed(RunUpdate) {
			r.text = q.FormValue("description")
			q.redirect(path)
		}
	case "consoleText":
		q.w.Header().Set("Content-Type", "text/plain;charset=utf-8")
		q.w.Write(r.log)
	case "replay":
		// Who may build but not replay sees the page without the script.
		switch {
		case r.job.freestyle || r.job.Disabled:
			q.refuse(http.StatusNotFound, "")
		case q.user.may(RunReplay):
			page(q.w, http.StatusOK, "Replay", `<form action="run"><textarea name="_.mainScript">`+html.EscapeString(r.pipeline)+"</textarea></form>")
		case q.user.may(JobBuild):
			page(q.w, http.StatusOK, "Rebuild", `<form action="rebuild"></form>`)
		default:
			q.refuse(http.StatusNotFound, "")
		}
	default:
		q.refuse(http.StatusNotFound, "")
	}
}

// json writes a run.
func (r *run) json(q *request, t tree) []byte {
	e := &encoder{}
	e.run(r, t)
	return e.b
}

func (e *encoder) run(r *run, t tree) {
	class := "org.jenkinsci.plugins.workflow.job.WorkflowRun"
	if r.job.freestyle {
		class = "hudson.model.FreeStyleBuild"
	}
	e.open(class)
	if t.has("building") {
		e.bool("building", r.building)
	}
	if t.has("description") {
		e.textOrNull("description", r.text)
	}
	if t.has("duration") {
		var d time.Duration
		if !r.building {
			d = r.ended.Sub(r.started)
		}
		e.int("duration", d.Milliseconds())
	}
	if t.has("number") {
		e.int("number", int64(r.ref.Number))
	}
	if t.has("result") {
		e.textOrNull("result", r.result)
	}
	if t.has("timestamp") {
		e.int("timestamp", r.started.UnixMilli())
	}
	if t.has("inProgress") {
		e.bool("inProgress", r.building)
	}
	e.close()
}

// folder writes a folder with its direct children.
func (s *Server) folder(f *folder, name, class string) func(*request, tree) []byte {
	return func(q *request, t tree) []byte {
		e := &encoder{}
		e.open(class)
		if t.has("fullName") && name != "" {
			e.text("fullName", name)
		}
		if t.has("jobs") {
			e.begin("jobs")
			if q.user.may(JobRead) {
				e.children(q, s, f, name, t["jobs"])
			}
			e.end()
		}
		if t.has("quietingDown") && name == "" {
			e.bool("quietingDown", s.quieting)
		}
		e.close()
		return e.b
	}
}

func (e *encoder) children(q *request, s *Server, f *folder, name string, t tree) {
	if name != "" {
		name += "/"
	}
	for _, child := range f.folders {
		e.next()
		e.open("com.cloudbees.hudson.plugins.folder.Folder")
		if t.has("fullName") {
			e.text("fullName", name+child)
		}
		e.close()
	}
	for _, child := range f.jobs {
		e.next()
		e.job(q, s.jobs[name+child], t)
	}
}

func (e *encoder) job(q *request, j *job, t tree) {
	class := "org.jenkinsci.plugins.workflow.job.WorkflowJob"
	if j.freestyle {
		class = "hudson.model.FreeStyleProject"
	}
	e.open(class)
	if t.has("builds") {
		e.begin("builds")
		for _, number := range slices.Backward(j.numbers) {
			e.next()
			e.run(j.runs[number], t["builds"])
		}
		e.end()
	}
	if t.has("fullName") {
		e.text("fullName", j.name)
	}
	if t.has("buildable") {
		e.bool("buildable", !j.Disabled)
	}
	if t.has("inQueue") {
		e.bool("inQueue", j.inQueue > 0)
	}
	if t.has("lastBuild") {
		e.key("lastBuild")
		if len(j.numbers) == 0 {
			e.b = append(e.b, "null"...)
		} else {
			e.run(j.runs[j.numbers[len(j.numbers)-1]], t["lastBuild"])
		}
	}
	if t.has("nextBuildNumber") {
		e.int("nextBuildNumber", int64(j.next))
	}
	e.close()
}

// whoAmI is Jenkins' /whoAmI, me its /me, which anonymous has not.
func (s *Server) whoAmI(q *request, _ tree) []byte {
	e := &encoder{}
	e.open("hudson.security.WhoAmI")
	e.bool("anonymous", q.user == anonymous)
	e.bool("authenticated", true)
	e.text("name", q.user.name)
	e.close()
	return e.b
}

func (s *Server) me(q *request, _ tree) []byte {
	e := &encoder{}
	e.open("hudson.model.User")
	e.text("id", q.user.name)
	e.text("fullName", q.user.name)
	e.close()
	return e.b
}

// giveCrumb gives a session and its crumb.
func (s *Server) giveCrumb(q *request) {
	s.seq++
	cookie := &http.Cookie{Name: "JSESSIONID", Value: digest(fmt.Sprint("cookie ", s.seq))[:24], Path: "/", HttpOnly: true}
	http.SetCookie(q.w, cookie)
	s.json(q, "", func(*request, tree) []byte {
		e := &encoder{}
		e.open("hudson.security.csrf.DefaultCrumbIssuer")
		e.text("crumb", digest(s.session+cookie.Value))
		e.text("crumbRequestField", "Jenkins-Crumb")
		e.close()
		return e.b
	})
}
