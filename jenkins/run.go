package jenkins

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Run is the state of one run.
type Run struct {
	// Building is false when the run is over, its post-build steps included:
	// Jenkins' building or inProgress. It stays true for ever for a run that
	// a crash of the controller lost.
	Building bool
	Result   string        // SUCCESS, UNSTABLE, FAILURE, NOT_BUILT or ABORTED, the last also for a run whose node was lost; "": none yet
	Started  time.Time     // by Jenkins' clock, to the millisecond; tells the runs of two lives of one job apart
	Duration time.Duration // 0 while the run is building
}

// Run returns the state of a run. ErrNotFound: there is no such run, or the
// user may not see it.
func (c *Client) Run(ctx context.Context, ref Ref) (Run, error) {
	op := fmt.Sprintf("read run %s", ref)
	path, err := c.runPath(op, ref)
	if err != nil {
		return Run{}, err
	}
	var run struct {
		Building, InProgress *bool
		Result               string
		Timestamp, Duration  int64
	}
	if _, err := c.get(ctx, op, path, "building,inProgress,result,timestamp,duration", &run); err != nil {
		return Run{}, err
	}
	if run.Building == nil {
		return Run{}, c.lacks(op, "building")
	}
	return Run{
		// A freestyle run is for a moment building:false, inProgress:true.
		Building: *run.Building || run.InProgress != nil && *run.InProgress,
		Result:   run.Result, Started: time.UnixMilli(run.Timestamp), Duration: time.Duration(run.Duration) * time.Millisecond,
	}, nil
}

// A Job is a job of a folder.
type Job struct {
	Name         string // full name
	Next         int    // number that the job's next run will have; a run has its number from its start, not from its trigger
	Buildable    bool   // false: disabled
	InQueue      bool   // a run waits to be started, without a number yet
	Last         int    // number of the last run that is kept; 0: none
	LastBuilding bool   // the last run has not ended
}

// Jobs returns the jobs that are direct children of a folder, in one call;
// "" is the top. Folders in it are left out.
func (c *Client) Jobs(ctx context.Context, folder string) ([]Job, error) {
	op := fmt.Sprintf("list jobs of folder %q", folder)
	path := ""
	if folder != "" {
		var err error
		if path, err = (Ref{Job: folder}).path(); err != nil {
			return nil, c.invalid(op, err)
		}
	}
	var list struct {
		Jobs *[]struct {
			FullName           string
			NextBuildNumber    int
			Buildable, InQueue bool
			LastBuild          *struct {
				Number   int
				Building bool
			}
		}
	}
	if _, err := c.get(ctx, op, path, "jobs[fullName,nextBuildNumber,buildable,inQueue,lastBuild[number,building]]", &list); err != nil {
		return nil, err
	}
	if list.Jobs == nil {
		return nil, c.lacks(op, "jobs")
	}
	jobs := make([]Job, 0, len(*list.Jobs))
	for _, item := range *list.Jobs {
		if item.NextBuildNumber == 0 {
			continue // a folder
		}
		job := Job{Name: item.FullName, Next: item.NextBuildNumber, Buildable: item.Buildable, InQueue: item.InQueue}
		if item.LastBuild != nil {
			job.Last, job.LastBuilding = item.LastBuild.Number, item.LastBuild.Building
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// Building returns the runs that have not ended of the jobs that are direct
// children of a folder, among the last 50 of each job, in one call; "" is the
// top. It makes Jenkins read builds from its disk, so it is not for polling.
func (c *Client) Building(ctx context.Context, folder string) ([]Ref, error) {
	op := fmt.Sprintf("list running builds of folder %q", folder)
	path := ""
	if folder != "" {
		var err error
		if path, err = (Ref{Job: folder}).path(); err != nil {
			return nil, c.invalid(op, err)
		}
	}
	var list struct {
		Jobs *[]struct {
			FullName string
			Builds   []struct {
				Number   int
				Building bool
			}
		}
	}
	if _, err := c.get(ctx, op, path, "jobs[fullName,builds[number,building]{0,50}]", &list); err != nil {
		return nil, err
	}
	if list.Jobs == nil {
		return nil, c.lacks(op, "jobs")
	}
	var refs []Ref
	for _, job := range *list.Jobs {
		for _, build := range job.Builds {
			if build.Building {
				refs = append(refs, Ref{Job: job.FullName, Number: build.Number})
			}
		}
	}
	return refs, nil
}

// Stop aborts a run as a person would who presses its stop button. It returns
// before the run has ended, mostly 0.6 s, and 20 s where its agent does not
// answer: wait until Run says so. It needs Job/Cancel. Stopping a run that has
// ended does nothing.
func (c *Client) Stop(ctx context.Context, ref Ref) error {
	op := fmt.Sprintf("stop run %s", ref)
	path, err := c.runPath(op, ref)
	if err != nil {
		return err
	}
	return c.post(ctx, op, path+"/stop", nil, ref.redirect())
}

// Describe sets a run's description, which stands on its page. It needs
// Run/Update.
func (c *Client) Describe(ctx context.Context, ref Ref, text string) error {
	op := fmt.Sprintf("describe run %s", ref)
	path, err := c.runPath(op, ref)
	if err != nil {
		return err
	}
	return c.post(ctx, op, path+"/submitDescription", url.Values{"description": {text}}, ref.redirect())
}

// Cancel takes an item out of the queue. A run that waits for a node ends
// ABORTED by it; but inside a retry step that counts as one try, and the run
// asks again under a new id, 0.3 s later: to end a run for certain use Stop.
// ErrNotFound: the item is not in the queue (any more), or the
// user may not see it. It needs Job/Cancel.
func (c *Client) Cancel(ctx context.Context, id int64) error {
	op := fmt.Sprintf("cancel queue item %d", id)
	err := c.post(ctx, op, "/queue/cancelItem?id="+strconv.FormatInt(id, 10), nil, "")
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Status {
	case http.StatusUnprocessableEntity:
		e.Err, e.Permission = ErrForbidden, "hudson.model.Item.Cancel"
	case http.StatusInternalServerError:
		// That is how Jenkins says that the item has left the queue, and so
		// does any other mishap: ask.
		if left, ask := c.left(ctx, op, id); ask != nil {
			return ask
		} else if left {
			return &Error{URL: c.base, user: c.user, Op: op, Status: e.Status, Err: ErrNotFound, Message: "it has left the queue"}
		}
	}
	return err
}

// left says whether a queue item has left the queue: it is a LeftItem for
// five minutes, then unknown.
func (c *Client) left(ctx context.Context, op string, id int64) (bool, error) {
	var item struct {
		Class string `json:"_class"`
	}
	_, err := c.get(ctx, op, "/queue/item/"+strconv.FormatInt(id, 10), "cancelled", &item)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return item.Class == "hudson.model.Queue$LeftItem", err
}

// runPath returns the path of a run that has a number.
func (c *Client) runPath(op string, ref Ref) (string, error) {
	path, err := ref.path()
	if err == nil && ref.Number == 0 {
		err = fmt.Errorf("job %q: a run without a number", ref.Job)
	}
	if err != nil {
		return "", c.invalid(op, err)
	}
	return path, nil
}

// invalid is the error of a name that cannot be in Jenkins.
func (c *Client) invalid(op string, err error) error {
	return &Error{URL: c.base, user: c.user, Op: op, Err: err}
}
