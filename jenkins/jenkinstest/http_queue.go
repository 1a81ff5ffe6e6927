package jenkinstest

import (
	"net/http"
	"strconv"
)

func (s *Server) routeQueue(q *request) {
	switch {
	case len(q.path) == 3 && q.path[1] == "api":
		s.json(q, "items[id,inQueueSince,buildable,blocked,task]", s.queueJSON)
	case len(q.path) == 5 && q.path[1] == "item" && q.path[3] == "api":
		s.getItem(q, q.path[2])
	case len(q.path) == 2 && q.path[1] == "cancelItem":
		if q.post() {
			s.cancelItem(q, q.URL.Query().Get("id"))
		}
	default:
		q.refuse(http.StatusNotFound, "")
	}
}

// queueJSON lists the queue as Queue.getItems does: what waits, what is
// blocked, and what is buildable with the newest first. Items of jobs that
// the user may not read are left out without a word.
func (s *Server) queueJSON(q *request, t tree) []byte {
	e := &encoder{b: make([]byte, 0, 128+192*len(s.items))}
	e.open("hudson.model.Queue")
	if t.has("items") {
		e.begin("items")
		if q.user.may(JobRead) {
			for _, list := range [][]*item{s.waiting, s.blocked} {
				for _, it := range list {
					e.item(q, it, t["items"])
				}
			}
			for i := len(s.buildable) - 1; i >= 0; i-- {
				e.item(q, s.buildable[i], t["items"])
			}
		}
		e.end()
	}
	e.close()
	return e.b
}

var itemClass = [...]string{
	inQuietPeriod: "hudson.model.Queue$WaitingItem",
	isBlocked:     "hudson.model.Queue$BlockedItem",
	isBuildable:   "hudson.model.Queue$BuildableItem",
}

func (e *encoder) item(q *request, it *item, t tree) {
	e.next()
	e.open(itemClass[it.state])
	if t.has("blocked") {
		e.bool("blocked", it.state == isBlocked)
	}
	if t.has("buildable") {
		e.bool("buildable", it.state == isBuildable)
	}
	if t.has("id") {
		e.int("id", it.id)
	}
	if t.has("inQueueSince") {
		e.int("inQueueSince", it.since.UnixMilli())
	}
	if t.has("task") {
		e.key("task")
		e.open(it.class())
		if t["task"].has("url") {
			e.text("url", it.url(q.root))
		}
		e.close()
	}
	e.close()
}

// class is that of the item's task.
func (it *item) class() string {
	switch {
	case it.run != nil:
		return "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask"
	case it.job.freestyle:
		return "hudson.model.FreeStyleProject"
	}
	return "org.jenkinsci.plugins.workflow.job.WorkflowJob"
}

// url is relative for a run that waits for its node, absolute for a job that
// has not started.
func (it *item) url(root string) string {
	if it.run != nil {
		return it.job.path + strconv.Itoa(it.run.ref.Number) + "/"
	}
	return root + it.job.path
}

// getItem answers for one item, also for one that has left.
func (s *Server) getItem(q *request, text string) {
	id, _ := strconv.ParseInt(text, 10, 64)
	it, l := s.items[id], s.left[id]
	switch {
	case !q.user.may(JobRead) || it == nil && l == nil:
		q.refuse(http.StatusNotFound, "")
	case it != nil:
		s.json(q, "id,inQueueSince,buildable,blocked,task", func(q *request, t tree) []byte {
			e := &encoder{b: []byte{'['}} // item begins with next
			e.item(q, it, t)
			return e.b[1:]
		})
	default:
		s.json(q, "cancelled,executable[number,url]", l.json)
	}
}

func (l *leftItem) json(q *request, t tree) []byte {
	e := &encoder{}
	e.open("hudson.model.Queue$LeftItem")
	if t.has("cancelled") {
		e.bool("cancelled", l.cancelled)
	}
	if t.has("executable") {
		e.key("executable")
		if l.run == nil || l.cancelled {
			e.b = append(e.b, "null"...)
		} else {
			e.executable(q, l.run, t["executable"])
		}
	}
	e.close()
	return e.b
}

// executable writes a run as something that an executor runs.
func (e *encoder) executable(q *request, r *run, t tree) {
	e.open(r.executableClass())
	if t.has("number") {
		e.int("number", int64(r.ref.Number))
	}
	if t.has("url") {
		e.text("url", q.root+r.job.path+strconv.Itoa(r.ref.Number)+"/")
	}
	e.close()
}

func (r *run) executableClass() string {
	if r.job.freestyle {
		return "hudson.model.FreeStyleBuild"
	}
	return "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask$PlaceholderExecutable"
}

// cancelItem is Queue.doCancelItem.
func (s *Server) cancelItem(q *request, text string) {
	id, _ := strconv.ParseInt(text, 10, 64)
	it, l := s.items[id], s.left[id]
	switch {
	case !q.user.may(JobRead) || it == nil && l == nil:
		q.refuse(http.StatusNotFound, "Provided item id("+text+") not found")
	case !q.user.may(JobCancel):
		q.refuse(http.StatusUnprocessableEntity, "Item for id ("+text+") is not cancellable")
	case it == nil:
		q.refuse(http.StatusInternalServerError, "")
	default:
		s.cancel(it)
		q.w.WriteHeader(http.StatusNoContent)
	}
}
