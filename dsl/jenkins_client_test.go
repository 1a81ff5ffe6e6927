package dsl_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/batchctl/batchctl/internal/testenv"
)

// A jenkins is the running Jenkins, as far as these tests talk to it.
type jenkins struct {
	testing.TB
	testenv.Jenkins
}

// do sends a request and returns the status, a header and the body.
func (j *jenkins) do(method, path, contentType, body string) (*http.Response, string) {
	j.Helper()
	req, err := http.NewRequest(method, j.URL+path, strings.NewReader(body))
	if err != nil {
		j.Fatal(err)
	}
	req.SetBasicAuth(j.User, j.Token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	client := http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		j.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		j.Fatal(err)
	}
	return res, string(text)
}

// get returns a page.
func (j *jenkins) get(path string) string {
	j.Helper()
	res, body := j.do("GET", path, "", "")
	if res.StatusCode != http.StatusOK {
		j.Fatalf("GET %s: %s", path, res.Status)
	}
	return body
}

// post sends a form or a document, and wants it taken.
func (j *jenkins) post(path, contentType, body string) *http.Response {
	j.Helper()
	res, text := j.do("POST", path, contentType, body)
	if res.StatusCode >= 400 {
		j.Fatalf("POST %s: %s %s\n%.1000s", path, res.Status, res.Header.Get("X-Error"), text)
	}
	return res
}

// form sends a form.
func (j *jenkins) form(path string, values url.Values) *http.Response {
	j.Helper()
	return j.post(path, "application/x-www-form-urlencoded", values.Encode())
}

// create makes an item in a folder; the top is "".
func (j *jenkins) create(folder, name, config string) {
	j.Helper()
	j.post(itemPath(folder)+"/createItem?name="+url.QueryEscape(name), "application/xml", config)
}

// itemPath returns the URL path of an item by its full name.
func itemPath(fullName string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(fullName, "/") {
		if part != "" {
			b.WriteString("/job/" + url.PathEscape(part))
		}
	}
	return b.String()
}

// until asks again and again until done says so.
func (j *jenkins) until(what string, limit time.Duration, done func() bool) {
	j.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			j.Fatalf("%s: not within %v", what, limit)
		case <-tick.C:
		}
	}
}

// A build is what Jenkins says of a run.
type build struct {
	Number   int
	Building bool
	Result   string
	log      string
}

// start starts a job and returns the number of its run, which it waits for.
func (j *jenkins) start(fullName string, parameters url.Values) int {
	j.Helper()
	var head struct{ NextBuildNumber int }
	j.json(itemPath(fullName)+"/api/json?tree=nextBuildNumber", &head)
	verb := "/build?delay=0sec"
	if parameters != nil {
		verb = "/buildWithParameters?delay=0sec"
	}
	j.form(itemPath(fullName)+verb, parameters)
	j.until(fullName+" starts", time.Minute, func() bool {
		res, _ := j.do("GET", fmt.Sprintf("%s/%d/api/json?tree=number", itemPath(fullName), head.NextBuildNumber), "", "")
		return res.StatusCode == http.StatusOK
	})
	return head.NextBuildNumber
}

// end waits for the end of a run.
func (j *jenkins) end(fullName string, number int) build {
	j.Helper()
	var b build
	path := fmt.Sprintf("%s/%d", itemPath(fullName), number)
	j.until(fullName+" ends", 5*time.Minute, func() bool {
		j.json(path+"/api/json?tree=number,building,result", &b)
		return !b.Building
	})
	b.log = j.get(path + "/consoleText")
	return b
}

func (j *jenkins) json(path string, into any) {
	j.Helper()
	if err := json.Unmarshal([]byte(j.get(path)), into); err != nil {
		j.Fatalf("GET %s: %v", path, err)
	}
}

// An element is an element of an XML document.
type element struct {
	XMLName  xml.Name
	Class    string    `xml:"class,attr"`
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// at returns the first element that the path leads to.
func (e *element) at(path ...string) *element {
	if e == nil || len(path) == 0 {
		return e
	}
	for i := range e.Children {
		if e.Children[i].XMLName.Local == path[0] {
			return e.Children[i].at(path[1:]...)
		}
	}
	return nil
}

// text returns the text of the element that the path leads to, "" for none.
func (e *element) text(path ...string) string {
	if found := e.at(path...); found != nil {
		return found.Text
	}
	return ""
}

// config reads a config.xml. Jenkins writes XML 1.1, which Go's decoder
// refuses by its header only.
func (j *jenkins) config(fullName string) *element {
	j.Helper()
	text := j.get(itemPath(fullName) + "/config.xml")
	text = strings.Replace(strings.Replace(text, "version='1.1'", "version='1.0'", 1), `version="1.1"`, `version="1.0"`, 1)
	var e element
	if err := xml.Unmarshal([]byte(text), &e); err != nil {
		j.Fatalf("config.xml of %s: %v", fullName, err)
	}
	return &e
}

// escapeXML escapes a text for an XML document.
func escapeXML(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err)
	}
	return b.String()
}
