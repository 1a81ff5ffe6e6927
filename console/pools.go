package console

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

func (h *console) pools(a huma.API) {
	huma.Register(a, operation("list-pools", http.MethodGet, "/api/v1/pools", Read, "All pools, with what is in them now",
		http.StatusServiceUnavailable), h.listPools)
	huma.Register(a, hasBody(operation("drain-pool", http.MethodPost, "/api/v1/pools/{name}/drain", Operate, "Have a pool get no new machines",
		http.StatusNotFound, http.StatusServiceUnavailable)), h.drain)
	huma.Register(a, operation("resume-pool", http.MethodPost, "/api/v1/pools/{name}/resume", Operate, "End a drain; a pool that is not drained stays as it is",
		http.StatusNotFound, http.StatusServiceUnavailable), h.resume)
}

type poolsOutput struct{ Body api.Pools }

func (h *console) listPools(ctx context.Context, _ *struct{}) (*poolsOutput, error) {
	pools, err := h.allPools(ctx)
	if err != nil {
		return nil, err
	}
	out := &poolsOutput{Body: api.Pools{Pools: []api.Pool{}}}
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		out.Body.Pools = append(out.Body.Pools, *pools[name])
	}
	return out, nil
}

// allPools returns the configured pools, and those that are not configured
// any more but have leases or are drained.
func (h *console) allPools(ctx context.Context) (map[string]*api.Pool, error) {
	drained, err := h.Settings.Drained(ctx)
	if err != nil {
		return nil, h.broken(ctx, err)
	}
	pools := map[string]*api.Pool{}
	pool := func(name string) *api.Pool {
		if pools[name] == nil {
			pools[name] = &api.Pool{Name: name, States: map[string]int{}, Places: []api.Place{}}
		}
		return pools[name]
	}
	for name, p := range h.Pools {
		out := pool(name)
		out.Configured, out.Limit, out.Spares, out.Ahead = true, p.Limit, p.Spares, p.Ahead
		for _, place := range p.Places {
			out.Places = append(out.Places, api.Place{Name: place.Name, Cloud: place.Cloud})
		}
		if lead, known := h.Lead(ctx, name); known && p.Ahead {
			out.Lead = lead.Seconds()
		}
	}
	for _, l := range h.Live() {
		out := pool(l.Pool)
		out.States[string(l.State)]++
		if l.State.Outside() {
			out.Machines++
		}
		if l.Spare() && l.State == nodes.Ready {
			out.SparesNow++
		}
	}
	for name, d := range drained {
		pool(name).Drained = &api.Drain{By: d.By, Reason: d.Reason, At: d.At}
	}
	return pools, nil
}

// onePool returns a pool, or the answer that there is none.
func (h *console) onePool(ctx context.Context, name string) (*api.Pool, error) {
	pools, err := h.allPools(ctx)
	if err != nil {
		return nil, err
	}
	if p, known := pools[name]; known {
		return p, nil
	}
	return nil, huma.Error404NotFound(fmt.Sprintf("no pool %s%s", shortPath(name), orNearest(nearest(name, maps.Keys(pools)))))
}

// poolName names a pool in a path.
type poolName struct {
	Name string `path:"name" maxLength:"100"`
}

type drainInput struct {
	Name string `path:"name" maxLength:"100"`
	Body api.DrainRequest
}

type poolOutput struct{ Body api.Pool }

func (h *console) drain(ctx context.Context, in *drainInput) (*poolOutput, error) {
	if _, err := h.onePool(ctx, in.Name); err != nil {
		return nil, err
	}
	if err := h.Settings.Drain(ctx, in.Name, callerOf(ctx).Name, in.Body.Reason, h.Now()); err != nil {
		return nil, h.broken(ctx, err)
	}
	return h.poolAfter(ctx, in.Name)
}

func (h *console) resume(ctx context.Context, in *poolName) (*poolOutput, error) {
	p, err := h.onePool(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if err := h.Settings.Resume(ctx, in.Name); err != nil {
		return nil, h.broken(ctx, err)
	}
	p.Drained = nil // a pool that was nothing but drained is not there any more
	return &poolOutput{*p}, nil
}

func (h *console) poolAfter(ctx context.Context, name string) (*poolOutput, error) {
	p, err := h.onePool(ctx, name)
	if err != nil {
		return nil, err
	}
	return &poolOutput{*p}, nil
}
