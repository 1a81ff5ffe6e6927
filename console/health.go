package console

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/batchctl/batchctl/console/api"
)

// health adds what those ask that watch the process. It needs no token.
func (h *console) health(a huma.API) {
	alive := operation("healthz", http.MethodGet, "/healthz", "", "The process is alive")
	huma.Register(a, alive, h.alive)
	ready := operation("readyz", http.MethodGet, "/readyz", "", "Whether the provisioner can do its work, and what keeps it from that")
	ready.Responses = map[string]*huma.Response{"503": {Description: "It cannot", Content: map[string]*huma.MediaType{"application/json": {
		Schema: a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Readiness](), true, ""),
	}}}}
	huma.Register(a, ready, h.ready)
}

type aliveOutput struct{ Body api.Alive }

func (h *console) alive(context.Context, *struct{}) (*aliveOutput, error) {
	return &aliveOutput{api.Alive{Status: "alive", Version: h.Version}}, nil
}

type readyOutput struct {
	Status int
	Body   api.Readiness
}

func (h *console) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	out := &readyOutput{Status: http.StatusOK, Body: api.Readiness{Ready: true, Checks: []api.Check{}}}
	for _, check := range h.Ready(ctx) {
		out.Body.Checks = append(out.Body.Checks, check)
		if !check.OK {
			out.Status, out.Body.Ready = http.StatusServiceUnavailable, false
		}
	}
	return out, nil
}
