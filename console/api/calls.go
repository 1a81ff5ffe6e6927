package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Ready returns whether the provisioner is ready, and its time.
func (c *Client) Ready(ctx context.Context) (Readiness, time.Time, error) {
	var out Readiness
	a, err := c.call(ctx, http.MethodGet, []string{"readyz"}, nil, nil, &out, http.StatusServiceUnavailable)
	return out, a.date, err
}

// LeaseFilter says which live leases are asked for. What is empty asks for
// all.
type LeaseFilter struct {
	States            []string
	Pool, Cloud, Team string
	Job               string // glob
	Limit             int    // of a page; 0: 100
	Cursor            string
}

// Leases returns a page of the live leases, oldest first.
func (c *Client) Leases(ctx context.Context, f LeaseFilter) (LeasePage, error) {
	q := query{"state": strings.Join(f.States, ","), "pool": f.Pool, "cloud": f.Cloud, "team": f.Team, "job": f.Job, "cursor": f.Cursor}
	var out LeasePage
	_, err := c.call(ctx, http.MethodGet, v1("leases"), q.with("limit", f.Limit), nil, &out)
	return out, err
}

// AllLeases returns what Leases does, of all pages.
func (c *Client) AllLeases(ctx context.Context, f LeaseFilter) ([]Lease, error) {
	f.Limit = 1000
	var all []Lease
	for {
		page, err := c.Leases(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Leases...)
		if page.Next == "" {
			return all, nil
		}
		if page.Next == f.Cursor {
			return nil, errors.New("the provisioner gives the same page again and again")
		}
		f.Cursor = page.Next
	}
}

// Lease returns a lease, also one that is gone, with its timeline.
func (c *Client) Lease(ctx context.Context, id string) (LeaseDetail, error) {
	var out LeaseDetail
	_, err := c.call(ctx, http.MethodGet, v1("leases", id), nil, nil, &out)
	return out, err
}

// Hold has a machine kept for a look after its run.
func (c *Client) Hold(ctx context.Context, id string, h HoldRequest) (Hold, error) {
	var out Hold
	_, err := c.call(ctx, http.MethodPost, v1("leases", id, "hold"), nil, h, &out)
	return out, err
}

// Release ends a hold.
func (c *Client) Release(ctx context.Context, id string) (Lease, error) {
	var out Lease
	_, err := c.call(ctx, http.MethodPost, v1("leases", id, "release"), nil, nil, &out)
	return out, err
}

// RunFilter says which runs are asked for.
type RunFilter struct {
	Job    string // a job's path or a glob; empty: every job
	Limit  int    // of a page; 0: 100
	Cursor string
}

// Runs returns a page of the runs there were, newest first.
func (c *Client) Runs(ctx context.Context, f RunFilter) (RunPage, error) {
	q := query{"job": f.Job, "cursor": f.Cursor}
	var out RunPage
	_, err := c.call(ctx, http.MethodGet, v1("runs"), q.with("limit", f.Limit), nil, &out)
	return out, err
}

// Run returns everything about one run of a job, cluster/group/batch. Number
// 0 asks for its newest.
func (c *Client) Run(ctx context.Context, job string, number int) (Run, error) {
	which := "latest"
	if number > 0 {
		which = strconv.Itoa(number)
	}
	var out Run
	_, err := c.call(ctx, http.MethodGet, append(append(v1("runs"), strings.Split(job, "/")...), which), nil, nil, &out)
	return out, err
}

// Pools returns all pools.
func (c *Client) Pools(ctx context.Context) (Pools, error) {
	var out Pools
	_, err := c.call(ctx, http.MethodGet, v1("pools"), nil, nil, &out)
	return out, err
}

// Drain has a pool get no new machines.
func (c *Client) Drain(ctx context.Context, pool, reason string) (Pool, error) {
	var out Pool
	_, err := c.call(ctx, http.MethodPost, v1("pools", pool, "drain"), nil, DrainRequest{reason}, &out)
	return out, err
}

// Resume ends a drain.
func (c *Client) Resume(ctx context.Context, pool string) (Pool, error) {
	var out Pool
	_, err := c.call(ctx, http.MethodPost, v1("pools", pool, "resume"), nil, nil, &out)
	return out, err
}

// Catalog returns the catalog in force; full: with its jobs.
func (c *Client) Catalog(ctx context.Context, full bool) (CatalogInfo, error) {
	q := query{}
	if full {
		q["full"] = "true"
	}
	ctx, cancel := context.WithTimeout(ctx, timeoutPush)
	defer cancel()
	var out CatalogInfo
	_, err := c.send(ctx, http.MethodGet, v1("catalog"), q.with("", 0), nil, maxCatalog, &out)
	return out, err
}

// PutCatalog puts a catalog in force, and reports whether that changed
// anything. Force has one taken that is empty or lost most jobs.
func (c *Client) PutCatalog(ctx context.Context, text io.Reader, force bool) (put CatalogPut, changed bool, err error) {
	q := query{}
	if force {
		q["force"] = "true"
	}
	ctx, cancel := context.WithTimeout(ctx, timeoutPush)
	defer cancel()
	a, err := c.send(ctx, http.MethodPut, v1("catalog"), q.with("", 0), text, maxAnswer, &put)
	return put, a.status == http.StatusCreated, err
}

func v1(path ...string) []string { return append([]string{"api", "v1"}, path...) }

// query is parameters of which those without a value are left out.
type query map[string]string

func (q query) with(name string, n int) url.Values {
	v := url.Values{}
	for k, text := range q {
		if text != "" {
			v.Set(k, text)
		}
	}
	if n > 0 {
		v.Set(name, strconv.Itoa(n))
	}
	return v
}
