package jenkins_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchctl/batchctl/jenkins"
)

// TestJobNames: jobs in folders, an empty folder, and a folder deeper than
// one call sees.
func TestJobNames(t *testing.T) {
	deep := strings.Repeat("f/", 8)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := `{"jobs":[{"fullName":"a"},{"fullName":"b","jobs":[{"fullName":"b/c"},{"fullName":"b/empty","jobs":[]}]},` +
			strings.Repeat(`{"fullName":"f","jobs":[`, 8) + fmt.Sprintf(`{"fullName":"%sg"},{"fullName":"%sj"}`, deep, deep) + strings.Repeat("]}", 8) + `]}`
		switch strings.TrimPrefix(r.URL.Path, "/ci") {
		case strings.Repeat("/job/f", 8) + "/job/g/api/json":
			body = `{"fullName":"` + deep + `g","jobs":[{"fullName":"` + deep + `g/x"}]}`
		case strings.Repeat("/job/f", 8) + "/job/j/api/json":
			body = `{"fullName":"` + deep + `j"}`
		case "/api/json":
		default:
			t.Errorf("asked for %s", r.URL.Path)
			body = `{"jobs":[]}`
		}
		answer(http.StatusOK, "application/json", body)(w, r)
	})
	got, err := c.JobNames(context.Background(), "")
	if diff := cmp.Diff([]string{"a", "b/c", deep + "g/x", deep + "j"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestListItems: what Job/Read shows of each job and folder comes in the same
// call, and so does the folder itself.
func TestListItems(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if tree := r.URL.Query().Get("tree"); !strings.HasPrefix(tree, "fullName,description,disabled,nextBuildNumber,jobs[fullName,description,disabled,nextBuildNumber,jobs[") {
			t.Errorf("asked for %s", tree)
		}
		answer(http.StatusOK, "application/json", `{"_class":"com.cloudbees.hudson.plugins.folder.Folder","fullName":"a","description":"top","jobs":[
			{"_class":"com.cloudbees.hudson.plugins.folder.Folder","fullName":"a/b","description":"z","jobs":[
			{"_class":"org.jenkinsci.plugins.workflow.job.WorkflowJob","fullName":"a/b/c","description":"x\r\ny","disabled":true,"nextBuildNumber":7},
			{"_class":"hudson.model.FreeStyleProject","fullName":"a/b/d","description":null,"disabled":false,"nextBuildNumber":1}]}]}`)(w, r)
	})
	got, err := c.ListItems(context.Background(), "a")
	want := []jenkins.Listed{{Name: "a", Kind: "Folder", Folder: true, Description: "top"}, {Name: "a/b", Kind: "Folder", Folder: true, Description: "z"},
		{Name: "a/b/c", Kind: "WorkflowJob", Description: "x\r\ny", Disabled: true, Next: 7}, {Name: "a/b/d", Kind: "FreeStyleProject", Next: 1}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestJobNamesEnds: an answer that goes on for ever is an error.
func TestJobNamesEnds(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		one := `{"fullName":"` + strings.Repeat("f/", strings.Count(r.URL.Path, "/job/")+9) + `f"}`
		answer(http.StatusOK, "application/json", strings.Repeat(`{"jobs":[`, 9)+one+strings.Repeat("]}", 9))(w, r)
	})
	if _, err := c.JobNames(context.Background(), ""); err == nil || !strings.Contains(err.Error(), "more than 64 deep") {
		t.Error(err)
	}
}

func TestJobConfig(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.EscapedPath() != "/ci/job/a/job/b%20c/config.xml" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		answer(http.StatusOK, "application/xml", "<project/>")(w, r)
	})
	if text, err := c.JobConfig(context.Background(), "a/b c"); string(text) != "<project/>" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	page := serve(t, answer(http.StatusOK, "text/html; charset=utf-8", "<html><body>Please sign in</body></html>"))
	if text, err := page.JobConfig(context.Background(), "a"); !errors.Is(err, jenkins.ErrGarbage) || !strings.Contains(fmt.Sprint(err), "It says: Please sign in") {
		t.Errorf("a login page is %q, %v", text, err)
	}
	if _, err := c.JobConfig(context.Background(), "a/../b"); err == nil {
		t.Error("a name that leads elsewhere was asked for")
	}
	no := serve(t, answer(http.StatusForbidden, "text/html", "x", "X-Required-Permission", "hudson.model.Item.ExtendedRead"))
	if _, err := no.JobConfig(context.Background(), "a"); !errors.Is(err, jenkins.ErrForbidden) {
		t.Error(err)
	}
	if _, err := no.JobNames(context.Background(), "a"); !errors.Is(err, jenkins.ErrForbidden) {
		t.Error(err)
	}
}

func TestReplayPage(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.EscapedPath() != "/ci/job/a/job/b/7/replay/" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		answer(http.StatusOK, "text/html", `<textarea name="_.mainScript">node { }</textarea>`)(w, r)
	})
	if page, err := c.ReplayPage(context.Background(), "a/b", 7); err != nil || !strings.Contains(string(page), "node { }") {
		t.Errorf("%q, %v", page, err)
	}
	for name, c := range map[string]struct {
		status int
		page   string
		want   error
	}{
		"no page":           {http.StatusNotFound, "Oops", jenkins.ErrNotFound},
		"may only build":    {http.StatusOK, `<form action="rebuild" name="rebuild">`, jenkins.ErrNotFound},
		"login page":        {http.StatusOK, "<title>Sign in</title><form action=\"login\">", jenkins.ErrGarbage},
		"nothing":           {http.StatusOK, "", jenkins.ErrGarbage},
		"cut off before it": {http.StatusOK, "<html><textarea", jenkins.ErrGarbage},
	} {
		_, err := serve(t, answer(c.status, "text/html", c.page)).ReplayPage(context.Background(), "a/b", 7)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), `read the script of build 7 of "a/b"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
