package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/danielgtaylor/huma/v2"

	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

// leases adds what is asked about leases; hold.go changes them.
func (h *console) leases(a huma.API) {
	huma.Register(a, operation("list-leases", http.MethodGet, "/api/v1/leases", Read, "Live leases, oldest first"), h.listLeases)
	huma.Register(a, operation("get-lease", http.MethodGet, "/api/v1/leases/{id}", Read, "One lease, also one that is gone, with its timeline",
		http.StatusNotFound, http.StatusServiceUnavailable), h.getLease)
	huma.Register(a, hasBody(operation("hold-lease", http.MethodPost, "/api/v1/leases/{id}/hold", Operate, "Keep a machine for a look after its run",
		http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable)), h.hold)
	huma.Register(a, operation("release-lease", http.MethodPost, "/api/v1/leases/{id}/release", Operate, "End a hold; a build that runs is never cut off",
		http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable), h.release)
}

type listLeasesInput struct {
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many of them a page has at most"`
	Cursor string   `query:"cursor" maxLength:"200" doc:"next of the page before"`
	State  []string `query:"state" enum:"wanted,launching,booting,ready,busy,releasing" doc:"states, separated by commas"`
	Pool   string   `query:"pool" maxLength:"100"`
	Cloud  string   `query:"cloud" maxLength:"100"`
	Team   string   `query:"team" maxLength:"100"`
	Job    string   `query:"job" maxLength:"300" doc:"a job's path, or a glob over paths such as live-*/settlement/**"`
}

func (in *listLeasesInput) has(l *nodes.Lease) bool {
	return (len(in.State) == 0 || slices.Contains(in.State, string(l.State))) &&
		(in.Pool == "" || in.Pool == l.Pool) && (in.Cloud == "" || in.Cloud == l.Cloud) &&
		(in.Team == "" || in.Team == l.Team) && (in.Job == "" || in.Job == l.Job || doublestar.MatchUnvalidated(in.Job, l.Job))
}

type leasePage struct{ Body api.LeasePage }

func (h *console) listLeases(_ context.Context, in *listLeasesInput) (*leasePage, error) {
	created, id, err := position(in.Cursor)
	if err == nil {
		err = checkGlob(in.Job)
	}
	if err != nil {
		return nil, err
	}
	out := &leasePage{Body: api.LeasePage{Leases: []api.Lease{}}}
	now := h.Now()
	var last *nodes.Lease
	leases := h.Live()
	for i := range leases {
		l := &leases[i]
		if !in.has(l) {
			continue
		}
		out.Body.Total++
		switch behind := l.Created.Compare(created); {
		case in.Cursor != "" && (behind < 0 || behind == 0 && l.ID <= id):
		case len(out.Body.Leases) < in.Limit:
			out.Body.Leases = append(out.Body.Leases, lease(l, now))
			last = l
		default:
			out.Body.Next = cursorOf(last)
		}
	}
	return out, nil
}

// leaseID names a lease in a path.
type leaseID struct {
	ID string `path:"id" maxLength:"100"`
}

type leaseDetail struct{ Body api.LeaseDetail }

func (h *console) getLease(ctx context.Context, in *leaseID) (*leaseDetail, error) {
	l, err := h.findLease(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	d, err := h.detail(ctx, &l, map[string]float64{})
	if err != nil {
		return nil, err
	}
	return &leaseDetail{d}, nil
}

// findLease returns a lease, or the answer that it is not there.
func (h *console) findLease(ctx context.Context, id string) (nodes.Lease, error) {
	l, err := h.Records.Lease(ctx, id)
	if errors.Is(err, nodes.ErrNotFound) {
		near := nearest(id, func(yield func(string) bool) {
			for _, l := range h.Live() {
				if !yield(l.ID) {
					return
				}
			}
		})
		return l, huma.Error404NotFound(fmt.Sprintf("no lease %s%s", shortPath(id), orNearest(near)))
	}
	if err != nil {
		return l, h.broken(ctx, err)
	}
	return l, nil
}

// detail returns a lease with its timeline. Boots remembers what is usual in
// which pool.
func (h *console) detail(ctx context.Context, l *nodes.Lease, boots map[string]float64) (api.LeaseDetail, error) {
	events, err := h.Records.Timeline(ctx, l.ID)
	if err != nil {
		return api.LeaseDetail{}, h.broken(ctx, err)
	}
	if _, known := boots[l.Pool]; !known {
		took, err := h.Records.Boots(ctx, l.Pool, usualOf)
		if err != nil {
			return api.LeaseDetail{}, h.broken(ctx, err)
		}
		boots[l.Pool] = usual(took)
	}
	return api.LeaseDetail{Lease: lease(l, h.Now()), Timeline: timeline(events), UsualBoot: boots[l.Pool]}, nil
}

// usualOf is how many boots are looked at to say what is usual.
const usualOf = 50
