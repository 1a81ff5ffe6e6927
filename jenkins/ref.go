package jenkins

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A Ref names a run, or with Number 0 a job.
type Ref struct {
	Job    string // full name: a/b/c, not encoded
	Number int    // Jenkins' build number, from 1; 0: no number yet
}

// String returns a/b/c#12, or a/b/c where there is no number.
func (r Ref) String() string {
	if r.Number == 0 {
		return r.Job
	}
	return r.Job + "#" + strconv.Itoa(r.Number)
}

// path returns the URL path of the job or run.
func (r Ref) path() (string, error) {
	if r.Number < 0 {
		return "", fmt.Errorf("run %s: a build number is not negative", r)
	}
	var b strings.Builder
	for part := range strings.SplitSeq(r.Job, "/") {
		segment, err := segment(part)
		if err != nil {
			return "", fmt.Errorf("job %q: %w", r.Job, err)
		}
		b.WriteString("/job/" + segment)
	}
	if r.Number > 0 {
		b.WriteString("/" + strconv.Itoa(r.Number))
	}
	return b.String(), nil
}

// redirect is where Jenkins sends a browser after a change of the run, not
// encoded.
func (r Ref) redirect() string {
	return "/job/" + strings.ReplaceAll(r.Job, "/", "/job/") + "/" + strconv.Itoa(r.Number) + "/"
}

// nodePath returns the URL path of a node.
func nodePath(name string) (string, error) {
	s, err := segment(name)
	if err != nil {
		return "", fmt.Errorf("node %q: %w", name, err)
	}
	return "/computer/" + s, nil
}

// segment escapes one segment of a path. A name that a server would take for
// another path is refused: DeleteNode("..") must not reach anything.
func segment(name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return "", fmt.Errorf("%q is no name", name)
	}
	return url.PathEscape(name), nil
}

// parseRef reads the URL of a job or a run. For what Jenkins has in its queue
// and on its executors it is relative to the controller (a waiting node step:
// job/a/job/b%20c/12/) or absolute (a job that has not started:
// https://host/prefix/job/a/). It says false for what is neither.
func parseRef(raw string) (Ref, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return Ref{}, false
	}
	path := strings.Trim(u.EscapedPath(), "/")
	if u.IsAbs() && !strings.HasPrefix(path, "job/") {
		// The prefix is that of Jenkins' own URL, which need not be ours.
		_, rest, found := strings.Cut(path, "/job/")
		if !found {
			return Ref{}, false
		}
		path = "job/" + rest
	}
	parts := strings.Split(path, "/")
	var names []string
	for len(parts) >= 2 && parts[0] == "job" {
		name, err := url.PathUnescape(parts[1])
		if err != nil || name == "" {
			return Ref{}, false
		}
		names, parts = append(names, name), parts[2:]
	}
	ref := Ref{Job: strings.Join(names, "/")}
	switch {
	case len(names) == 0 || len(parts) > 1:
		return Ref{}, false
	case len(parts) == 0:
		return ref, true
	}
	ref.Number, err = strconv.Atoi(parts[0])
	return ref, err == nil && ref.Number > 0
}
