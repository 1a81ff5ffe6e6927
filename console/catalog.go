package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

func (h *console) catalogs(a huma.API) {
	put := operation("put-catalog", http.MethodPut, "/api/v1/catalog", Publish, "Put a catalog in force, as batchctl render writes it",
		http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusRequestTimeout, http.StatusServiceUnavailable)
	put.Description = "A catalog that is empty, or has less than half of the jobs of the one in force, is refused unless force is true: " +
		"runs of jobs that are not in the catalog get no machine. The same content again changes nothing."
	// The body has no schema here, so that huma leaves it alone: it is read as
	// a stream, and catalog.Read is stricter than any schema.
	put.RequestBody = &huma.RequestBody{Required: true, Description: "catalog.json", Content: map[string]*huma.MediaType{"application/json": {}}}
	put.DefaultStatus = http.StatusCreated
	put.Responses = map[string]*huma.Response{
		"200": {
			Description: "It is in force already",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.CatalogPut](), true, ""),
			}},
		},
		"201": {Description: "It is in force now"},
	}
	huma.Register(a, put, h.putCatalog)
	huma.Register(a, operation("get-catalog", http.MethodGet, "/api/v1/catalog", Read, "The catalog in force",
		http.StatusNotFound, http.StatusServiceUnavailable), h.getCatalog)
}

type putCatalogInput struct {
	Force bool `query:"force" doc:"take it though it is empty or has less than half of the jobs"`
	body  io.Reader
}

// Resolve implements huma.Resolver: it leaves the body to be read later.
func (in *putCatalogInput) Resolve(ctx huma.Context) []error {
	in.body = ctx.BodyReader()
	// Where deadlines are not supported the server's own must do.
	_ = ctx.SetReadDeadline(time.Now().Add(catalogTime))
	return nil
}

type putCatalogOutput struct {
	Status int
	Body   api.CatalogPut
}

func (h *console) putCatalog(ctx context.Context, in *putCatalogInput) (*putCatalogOutput, error) {
	body := &bounded{r: in.body, left: h.MaxCatalog}
	c, err := catalog.Read(body)
	switch {
	case body.over:
		return nil, huma.Error413RequestEntityTooLarge(fmt.Sprintf("the catalog is larger than %d bytes, which is the limit here", h.MaxCatalog))
	case body.late:
		return nil, huma.NewError(http.StatusRequestTimeout, fmt.Sprintf("the catalog did not arrive within %s", catalogTime))
	case err != nil:
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	h.putting.Lock() // so that what is compared with is what is replaced; provisioners that share a store do not see each other here
	defer h.putting.Unlock()
	old, version, _, _, err := h.Catalogs.Catalog(ctx)
	if err != nil && !isNotFound(err) {
		return nil, h.broken(ctx, err)
	}
	if why := shrunk(len(old.Jobs), len(c.Jobs)); why != "" && !in.Force {
		return nil, huma.Error409Conflict(why)
	}
	now, err := h.Catalogs.PutCatalog(ctx, c, callerOf(ctx).Name, h.Now())
	if err != nil {
		return nil, h.broken(ctx, err)
	}
	out := &putCatalogOutput{Status: http.StatusOK, Body: compare(old.Jobs, c.Jobs)}
	if now != version {
		out.Status = http.StatusCreated
	}
	out.Body.Version = now
	return out, nil
}

// shrunk says why a catalog is more likely a mistake than meant, or "". A
// tree that was rendered for one cluster only would take the machines of all
// others.
func shrunk(old, jobs int) string {
	const force = "; if that is meant, put it with force (batchctl catalog push --force)"
	switch {
	case jobs == 0:
		return fmt.Sprintf("the catalog has no job, and the one in force has %d%s", old, force)
	case 2*jobs < old:
		return fmt.Sprintf("the catalog has %d jobs, and the one in force has %d: more than half would get no machines any more%s", jobs, old, force)
	}
	return ""
}

// compare counts what a catalog changes.
func compare(old, jobs []catalog.Job) api.CatalogPut {
	before := make(map[string]*catalog.Job, len(old))
	for i := range old {
		before[old[i].Path] = &old[i]
	}
	out := api.CatalogPut{Jobs: len(jobs)}
	for i := range jobs {
		was, known := before[jobs[i].Path]
		switch {
		case !known:
			out.Added++
		case !reflect.DeepEqual(*was, jobs[i]):
			out.Changed++
		}
	}
	out.Removed = len(old) - (len(jobs) - out.Added)
	return out
}

// bounded reads so many bytes, and notes why it did not read on.
type bounded struct {
	r          io.Reader
	left       int64
	over, late bool
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.over = true
		return 0, errors.New("too large")
	}
	var timeout interface{ Timeout() bool }
	b.late = errors.As(err, &timeout) && timeout.Timeout()
	return n, err
}

type getCatalogInput struct {
	Full bool `query:"full" doc:"with all jobs"`
}

type catalogOutput struct{ Body api.CatalogInfo }

func (h *console) getCatalog(ctx context.Context, in *getCatalogInput) (*catalogOutput, error) {
	if !in.Full {
		info, err := h.known.get(ctx, h.Catalogs)
		return &catalogOutput{info}, h.noCatalog(ctx, err)
	}
	c, version, at, by, err := h.Catalogs.Catalog(ctx)
	return &catalogOutput{api.CatalogInfo{Version: version, Jobs: len(c.Jobs), At: at, By: by, Catalog: &c}}, h.noCatalog(ctx, err)
}

func (h *console) noCatalog(ctx context.Context, err error) error {
	switch {
	case isNotFound(err):
		return huma.Error404NotFound("there is no catalog yet; batchctl catalog push FILE puts one")
	case err != nil:
		return h.broken(ctx, err)
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, nodes.ErrNotFound) }

// catalogCache remembers what is said of the catalog in force: to read all of
// a large one takes a while.
type catalogCache struct {
	mu   sync.Mutex
	info api.CatalogInfo
}

func (c *catalogCache) get(ctx context.Context, s Catalogs) (api.CatalogInfo, error) {
	version, err := s.CatalogVersion(ctx)
	if err != nil {
		return api.CatalogInfo{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if version != 0 && c.info.Version == version {
		return c.info, nil
	}
	read, version, at, by, err := s.Catalog(ctx)
	if err != nil {
		return api.CatalogInfo{}, err
	}
	c.info = api.CatalogInfo{Version: version, Jobs: len(read.Jobs), At: at, By: by}
	return c.info, nil
}
