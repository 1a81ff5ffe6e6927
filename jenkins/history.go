package jenkins

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"
)

// A Build is a run of a job with its number.
type Build struct {
	Number int
	Run
}

// History returns the newest builds of a job that Jenkins still has, the newest
// first, so many at the most. A job that Jenkins does not have is an error that
// wraps ErrNotFound.
func (c *Client) History(ctx context.Context, job string, most int) ([]Build, error) {
	op := fmt.Sprintf("list builds of %q", job)
	path, err := (Ref{Job: job}).path()
	if err != nil {
		return nil, c.invalid(op, err)
	}
	var list struct {
		Builds *[]struct {
			Number              int
			Building            *bool
			InProgress          *bool
			Result              string
			Timestamp, Duration int64 // milliseconds
		}
	}
	tree := fmt.Sprintf("builds[number,building,inProgress,result,timestamp,duration]{0,%d}", most)
	if _, err := c.get(ctx, op, path, tree, &list); err != nil {
		return nil, err
	}
	if list.Builds == nil {
		return nil, c.lacks(op, "builds")
	}
	var runs []Build
	for _, b := range *list.Builds {
		if b.Building == nil {
			return nil, c.lacks(op, "building")
		}
		runs = append(runs, Build{b.Number, Run{
			Building: *b.Building || b.InProgress != nil && *b.InProgress, Result: b.Result,
			Started: time.UnixMilli(b.Timestamp), Duration: time.Duration(b.Duration) * time.Millisecond,
		}})
	}
	return runs, nil
}

// ReplayPage returns the page of a Pipeline's build that shows the script that
// it ran, which is nowhere else. ErrNotFound, too, where the user lacks
// Run/Replay, the build is none of a Pipeline, or its job is disabled: then
// there is no such page, or for who may build the job one without the script
// (workflow-cps: ReplayAction and its index.jelly).
func (c *Client) ReplayPage(ctx context.Context, job string, number int) ([]byte, error) {
	op := fmt.Sprintf("read the script of build %d of %q", number, job)
	path, err := (Ref{Job: job, Number: number}).path()
	if err != nil {
		return nil, c.invalid(op, err)
	}
	ctx, cancel := c.limit(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"/replay/", nil)
	if err != nil {
		return nil, c.invalid(op, err)
	}
	a, e := c.exchange(req)
	switch {
	case e != nil:
	case a.status != http.StatusOK:
		e = c.errorOf(a)
	case bytes.Contains(a.body, []byte(`"_.mainScript"`)): // the field with the script
	case bytes.Contains(a.body, []byte(`action="rebuild"`)):
		e = &Error{URL: c.base, user: c.user, Status: a.status, Err: ErrNotFound, Message: "the page has no script for this user"}
	default:
		e = c.garbage(a, "wanted the page with the script, got a login page or a proxy's? It says: "+a.message())
	}
	if e != nil {
		e.Op = op
		return nil, e
	}
	return a.body, nil
}
