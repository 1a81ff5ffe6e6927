package jenkins_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/jenkins"
)

// What one of several answers lacks is missed.
func TestLacks(t *testing.T) {
	const root, queue, nodes = `{"quietingDown":false}`, `{"items":[]}`, `{"computer":[]}`
	const kind = "application/json"
	look := func(kind string, bodies map[string]string) error {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(200, kind, bodies[r.URL.Path])(w, r) })
		_, err := c.Look(t.Context())
		return err
	}
	for name, bodies := range map[string][3]string{
		"no quietingDown": {`{}`, queue, nodes}, "no items": {root, `{"_class":"hudson.model.Queue"}`, nodes}, "null items": {root, `{"items":null}`, nodes},
		"no computer": {root, queue, `{}`}, "null computer": {root, queue, `{"computer":null}`},
	} {
		if err := look(kind, map[string]string{"/ci/api/json": bodies[0], "/ci/queue/api/json": bodies[1], "/ci/computer/api/json": bodies[2]}); !errors.Is(err, jenkins.ErrGarbage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	all := map[string]string{"/ci/api/json": root, "/ci/queue/api/json": queue, "/ci/computer/api/json": nodes}
	if err := look(kind, all); err != nil {
		t.Errorf("an empty controller: %v", err)
	}
	if err := look("text/html", all); !errors.Is(err, jenkins.ErrGarbage) {
		t.Errorf("what looks like JSON and is not called so: %v", err)
	}
	c := serve(t, answer(200, kind, `{"building":false,"inProgress":true,"result":"SUCCESS"}`))
	if run, err := c.Run(t.Context(), ref); err != nil || !run.Building {
		t.Errorf("a freestyle run behind its build step: %+v, %v", run, err)
	}
}

// Items of no job are left out, others are read whatever Jenkins' own URL is.
func TestQueueShapes(t *testing.T) {
	const item = `{"id":%d,"inQueueSince":1756000000000,"buildable":true,"task":{"_class":"x"%s}}`
	var items []string
	for i, url := range []string{
		`job/team/job/b%20c/123/`, `http://inside:8080/x/job/team/job/job/`, `/job/job/12/`, `job/team/job/12/`, `job/m/axis=1/3/`, `computer/x/`, `http://%zz`, ``,
	} {
		task := `,"url":"` + url + `"`
		if url == "" {
			task = ""
		}
		items = append(items, fmt.Sprintf(item, i, task))
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := map[string]string{"/ci/api/json": `{"quietingDown":false}`, "/ci/computer/api/json": `{"computer":[]}`, "/ci/queue/api/json": `{"items":[` + strings.Join(items, ",") + `]}`}[r.URL.Path]
		answer(200, "application/json", body)(w, r)
	})
	look, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range look.Queue {
		got = append(got, item.Ref.String())
	}
	if text := strings.Join(got, ", "); text != "team/b c#123, team/job, job#12, team/12" || !look.Queue[0].Since.Equal(time.UnixMilli(1756000000000)) {
		t.Errorf("the queue is %s: %+v", text, look.Queue)
	}
}

// The form of a new node is the one that Jenkins' own page sends.
func TestCreateForm(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		const want = `{"labelString":"b-1","launcher":{"$class":"hudson.slaves.JNLPLauncher"},"mode":"EXCLUSIVE","name":"n \u0026","nodeDescription":"d",` +
			`"nodeProperties":{"hudson-slaves-EnvironmentVariablesNodeProperty":{"env":[{"key":"A","value":"1"},{"key":"B","value":"2"}]},"stapler-class-bag":"true"},` +
			`"numExecutors":"1","remoteFS":"/w","retentionStrategy":{"$class":"hudson.slaves.RetentionStrategy$Always"}}`
		if got := r.FormValue("json"); got != want || r.FormValue("name") != "n &" || r.FormValue("type") != "hudson.slaves.DumbSlave" {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		answer(302, "text/html", "", "Location", "/ci/computer/")(w, r)
	})
	spec := jenkins.NodeSpec{Name: "n &", Description: "d", Label: "b-1", RemoteFS: "/w", Env: map[string]string{"B": "2", "A": "1"}}
	if err := c.CreateNode(t.Context(), spec); err != nil {
		t.Error(err)
	}
}
