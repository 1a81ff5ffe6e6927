package console

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

func (h *console) runs(a huma.API) {
	huma.Register(a, operation("list-runs", http.MethodGet, "/api/v1/runs", Read, "What runs there were, newest first, with an entry for each attempt",
		http.StatusServiceUnavailable), h.listRuns)
	huma.Register(a, operation("get-run", http.MethodGet, "/api/v1/runs/{cluster}/{group}/{batch}/{number}", Read,
		"Everything about one run, or about the latest: every attempt with its timeline", http.StatusNotFound, http.StatusServiceUnavailable), h.getRun)
}

type listRunsInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many of them a page has at most"`
	Cursor string `query:"cursor" maxLength:"200" doc:"next of the page before"`
	Job    string `query:"job" maxLength:"300" doc:"a job's path, or a glob over paths such as live-*/settlement/**"`
}

type runPage struct{ Body api.RunPage }

func (h *console) listRuns(ctx context.Context, in *listRunsInput) (*runPage, error) {
	before, id, err := position(in.Cursor)
	if err == nil {
		err = checkGlob(in.Job)
	}
	if err != nil {
		return nil, err
	}
	// One more than asked for tells whether there is another page.
	leases, err := h.Records.Runs(ctx, nodes.RunsFilter{Job: in.Job, Limit: in.Limit + 1, Before: before, BeforeID: id})
	if err != nil {
		return nil, h.broken(ctx, err)
	}
	out := &runPage{}
	if len(leases) > in.Limit {
		leases = leases[:in.Limit]
		out.Body.Next = cursorOf(&leases[in.Limit-1])
	}
	out.Body.Runs = leasesOf(leases, h.Now())
	return out, nil
}

type getRunInput struct {
	Cluster string `path:"cluster" maxLength:"100"`
	Group   string `path:"group" maxLength:"100"`
	Batch   string `path:"batch" maxLength:"100"`
	Number  string `path:"number" pattern:"^([1-9][0-9]{0,9}|latest)$" patternDescription:"a build's number, or latest" doc:"a build's number, or latest"`
}

func (in *getRunInput) job() string { return in.Cluster + "/" + in.Group + "/" + in.Batch }

type runOutput struct{ Body api.Run }

func (h *console) getRun(ctx context.Context, in *getRunInput) (*runOutput, error) {
	// The newest runs say which is the latest, and which controllers have had
	// the job, one that is not configured any more too.
	newest, err := h.Records.Runs(ctx, nodes.RunsFilter{Job: in.job(), Limit: 100})
	if err != nil {
		return nil, h.broken(ctx, err)
	}
	newest = slices.DeleteFunc(newest, func(l nodes.Lease) bool { return l.Job != in.job() }) // a path may read like a glob
	number, err := strconv.Atoi(in.Number)
	if err != nil {
		number = latest(newest)
	}
	attempts, err := h.history(ctx, in.job(), number, newest)
	switch {
	case err != nil:
		return nil, h.broken(ctx, err)
	case len(attempts) == 0:
		return nil, h.unknownRun(ctx, in, newest)
	}
	out := &runOutput{Body: api.Run{Job: in.job(), Number: number}}
	boots := map[string]float64{}
	for _, life := range livesOf(attempts) {
		l := api.Life{Controller: life[0].Controller}
		if started := life[0].Started; started != 0 {
			l.Started = time.UnixMilli(started).UTC()
		}
		for i := range life {
			d, err := h.detail(ctx, &life[i], boots)
			if err != nil {
				return nil, err
			}
			l.Attempts = append(l.Attempts, d)
		}
		out.Body.Lives = append(out.Body.Lives, l)
	}
	return out, nil
}

// latest returns the number of the newest run, before one that is only
// expected; 0 where there is none.
func latest(newest []nodes.Lease) int {
	for i := range newest {
		if !newest[i].Early() {
			return newest[i].Number
		}
	}
	if len(newest) > 0 {
		return newest[0].Number
	}
	return 0
}

// history returns all leases of a build's number on every controller, oldest
// first.
func (h *console) history(ctx context.Context, job string, number int, newest []nodes.Lease) ([]nodes.Lease, error) {
	controllers := map[string]bool{}
	for _, name := range h.Controllers {
		controllers[name] = true
	}
	for i := range newest {
		controllers[newest[i].Controller] = true
	}
	var all []nodes.Lease
	for _, name := range slices.Sorted(maps.Keys(controllers)) {
		leases, err := h.Records.History(ctx, nodes.RunKey{Controller: name, Job: job, Number: number})
		if err != nil {
			return nil, err
		}
		all = append(all, leases...)
	}
	slices.SortStableFunc(all, func(a, b nodes.Lease) int { return a.Created.Compare(b.Created) })
	return all, nil
}

// livesOf separates the attempts of one number into the builds that had it,
// the newest build first.
func livesOf(attempts []nodes.Lease) [][]nodes.Lease {
	type build struct {
		controller string
		started    int64
	}
	byBuild := map[build][]nodes.Lease{}
	for _, l := range attempts {
		b := build{l.Controller, l.Started}
		byBuild[b] = append(byBuild[b], l)
	}
	return slices.SortedFunc(maps.Values(byBuild), func(a, b []nodes.Lease) int {
		if c := b[len(b)-1].Created.Compare(a[len(a)-1].Created); c != 0 {
			return c
		}
		return cmp.Compare(a[0].ID, b[0].ID)
	})
}

// unknownRun says that there is no such run, and what there is.
func (h *console) unknownRun(ctx context.Context, in *getRunInput, newest []nodes.Lease) error {
	run := in.job() + "#" + in.Number
	if in.Number == "latest" {
		run = in.job()
	}
	if len(newest) > 0 {
		return huma.Error404NotFound(fmt.Sprintf("no run %s is known; the newest of this job is #%d", shortPath(run), latest(newest)))
	}
	jobs, err := h.jobNames(ctx)
	if err != nil {
		return h.broken(ctx, err)
	}
	if jobs[in.job()] {
		return huma.Error404NotFound(fmt.Sprintf("the job %s is in the catalog, but no run of it is known", in.job()))
	}
	return huma.Error404NotFound(fmt.Sprintf("no run of a job %s is known%s", shortPath(in.job()), orNearest(nearest(in.job(), maps.Keys(jobs)))))
}

// jobNames returns the paths of the jobs in the catalog and of the latest runs.
func (h *console) jobNames(ctx context.Context) (map[string]bool, error) {
	c, _, _, _, err := h.Catalogs.Catalog(ctx)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	names := make(map[string]bool, len(c.Jobs))
	for i := range c.Jobs {
		names[c.Jobs[i].Path] = true
	}
	leases, err := h.Records.Runs(ctx, nodes.RunsFilter{Limit: 100})
	for i := range leases {
		names[leases[i].Job] = true
	}
	return names, err
}
