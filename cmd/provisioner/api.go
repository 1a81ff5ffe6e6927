package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/console/api"
)

// api returns the handler of the HTTP API.
func (s *service) api() http.Handler {
	var controllers []string
	for name := range s.nodes.Controllers {
		controllers = append(controllers, name)
	}
	return console.New(console.Config{
		Records: s.db, Settings: s.db, Catalogs: s.db,
		Live: s.reconciler.Leases, Pools: s.pools, Controllers: controllers, Lead: s.reconciler.Lead, Ready: s.ready,
		Metrics: promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}),
		Tokens:  s.tokens, Version: version, Log: s.log, Now: s.now,
	})
}

// ready says of everything that the service needs whether it is there. It is
// told to anybody who asks, so it has no name of a host or an account in it.
func (s *service) ready(ctx context.Context) []api.Check {
	var checks []api.Check
	_, err := s.db.CatalogVersion(ctx)
	if err != nil {
		checks = append(checks, api.Check{Name: "store", Reason: "does not answer; the log says why"})
	} else {
		checks = append(checks, api.Check{Name: "store", OK: true})
	}
	if version := s.catalogAt.Load(); version == 0 {
		checks = append(checks, api.Check{Name: "catalog", Reason: "there is none yet; push one with batchctl catalog push"})
	} else {
		checks = append(checks, api.Check{Name: "catalog", OK: true, Reason: fmt.Sprintf("version %d", version)})
	}
	for _, l := range s.reconciler.Looks() {
		c := api.Check{Name: l.Kind + " " + l.Name, OK: l.OK && s.now().Sub(l.At) < stale}
		switch {
		case l.At.IsZero():
			c.Reason = "has not answered yet; the log says why"
		case !c.OK:
			c.Reason = fmt.Sprintf("answered last %s ago; the log says why", s.now().Sub(l.At).Round(time.Second))
		}
		checks = append(checks, c)
	}
	return checks
}
