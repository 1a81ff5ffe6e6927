// Package console is the provisioner's HTTP API: what leases, runs and pools
// there are, and the few things that people and seed jobs may ask for. Its
// types are in console/api.
//
// Read Config and New first, then token.go, which says who may do what, then
// one file for each kind of thing.
//
// # Server
//
// New returns a handler without a server. The server around it should set
// ReadHeaderTimeout (10 s), IdleTimeout (2 min) and MaxHeaderBytes (64 KB),
// and neither ReadTimeout nor WriteTimeout: a large catalog takes longer than
// any other request, and each operation bounds its body and the time for it.
// Tokens must not travel in the clear: TLS ends at the server or at a proxy
// on the same machine.
package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/console/api"
	"github.com/batchctl/batchctl/nodes"
)

// Records is what the console reads and changes of leases. store.DB has it.
type Records interface {
	// Runs returns the leases of runs, gone ones too, newest first.
	Runs(ctx context.Context, f nodes.RunsFilter) ([]nodes.Lease, error)
	// Timeline returns the entries of a lease's timeline, oldest first.
	Timeline(ctx context.Context, lease string) ([]nodes.Event, error)
	LeaseStore
}

// LeaseStore is the part of nodes.Store that the console needs, with the
// contract that stands there.
type LeaseStore interface {
	Lease(ctx context.Context, id string) (nodes.Lease, error)
	Update(ctx context.Context, l nodes.Lease) (nodes.Lease, error)
	History(ctx context.Context, k nodes.RunKey) ([]nodes.Lease, error)
	Boots(ctx context.Context, pool string, n int) ([]time.Duration, error)
}

// Settings keeps which pools are drained. store.DB has it.
type Settings interface {
	// Drain notes that a pool gets no new machines; the last word counts.
	Drain(ctx context.Context, pool, by, reason string, at time.Time) error
	// Resume ends that; a pool that is not drained is no error.
	Resume(ctx context.Context, pool string) error
	// Drained returns the drained pools by name.
	Drained(ctx context.Context) (map[string]nodes.Drain, error)
}

// Catalogs keeps the catalog. store.DB has it.
type Catalogs interface {
	// PutCatalog stores a catalog as the one in force and returns its version;
	// the same content as before keeps its version.
	PutCatalog(ctx context.Context, c catalog.Catalog, by string, at time.Time) (version int64, err error)
	// Catalog returns the catalog in force, or nodes.ErrNotFound.
	Catalog(ctx context.Context) (c catalog.Catalog, version int64, at time.Time, by string, err error)
	// CatalogVersion returns the version in force, 0 for none, and is cheap.
	CatalogVersion(ctx context.Context) (int64, error)
}

// Config is what a console works with. What has no other word is required.
type Config struct {
	Records  Records
	Settings Settings
	Catalogs Catalogs

	Live        func() []nodes.Lease                                         // leases that are not gone, by Created, then ID; the result is not changed
	Pools       map[string]nodes.Pool                                        // as configured
	Controllers []string                                                     // names of the controllers, as configured
	Lead        func(ctx context.Context, pool string) (time.Duration, bool) // how long ahead machines of a pool are made; nil: not known
	Ready       func(ctx context.Context) []api.Check                        // what has to be so for the provisioner to do its work; called with a deadline
	Metrics     http.Handler                                                 // of /metrics; nil: there is none
	Tokens      []Token                                                      // who may do what; none: nobody may do anything
	Version     string                                                       // of the program; may be empty
	MaxCatalog  int64                                                        // bytes that a catalog may have; 0: 64 MB, and at most 256 MB
	Log         *slog.Logger                                                 // also gets an entry for each change and each refusal, with the token's name
	Now         func() time.Time                                             // nil: time.Now
}

// Bounds of a request.
const (
	bodyLimit       = 16 << 10 // but for catalogs
	bodyTime        = 10 * time.Second
	catalogLimit    = 64 << 20
	catalogLimitMax = 256 << 20
	catalogTime     = 5 * time.Minute
	readyTime       = 5 * time.Second
)

// console answers the requests.
type console struct {
	Config
	putting sync.Mutex // one catalog is compared and put at a time
	known   catalogCache
}

// New returns the handler of the API. It panics if the API itself is wrong,
// which does not depend on the Config.
func New(c Config) http.Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Lead == nil {
		c.Lead = func(context.Context, string) (time.Duration, bool) { return 0, false }
	}
	if c.MaxCatalog == 0 {
		c.MaxCatalog = catalogLimit
	}
	c.MaxCatalog = min(c.MaxCatalog, catalogLimitMax)
	h := &console{Config: c}
	mux := http.NewServeMux()
	a := humago.New(mux, description(c.Version))
	a.UseMiddleware(h.authorize)
	h.health(a)
	h.leases(a)
	h.runs(a)
	h.pools(a)
	h.catalogs(a)
	serveOpenAPI(mux, a.OpenAPI())
	if c.Metrics != nil {
		mux.Handle("GET /metrics", c.Metrics)
	}
	return h.guard(h.authenticate(route(mux)))
}

// description is what the API says of itself.
func description(version string) huma.Config {
	if version == "" {
		version = "development"
	}
	jsonOnly := huma.Format{
		Marshal: func(w io.Writer, v any) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			return enc.Encode(v)
		},
		Unmarshal: json.Unmarshal,
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "provisioner", Version: version,
				Description: "Machines for runs of batches. Errors are problem details (RFC 9457); their detail is for people. " +
					"The roles of tokens are read, operate (read, and hold, release, drain, resume) and publish (read, and put the catalog).",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					scheme: {Type: "http", Scheme: "bearer", Description: "a token that has the role named"},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": jsonOnly, "json": jsonOnly},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{explain},
	}
}

// operation describes one operation of the API, with the statuses of its
// errors beyond those that every operation may answer with.
func operation(id, method, path string, need Role, summary string, statuses ...int) huma.Operation {
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		MaxBodyBytes: bodyLimit, BodyReadTimeout: bodyTime,
		Errors: append(statuses, http.StatusUnprocessableEntity, http.StatusInternalServerError),
	}
	if need != "" {
		op.Security = []map[string][]string{{scheme: {string(need)}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	return op
}

// hasBody adds what may be wrong with the body of a request.
func hasBody(op huma.Operation) huma.Operation {
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestTimeout,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	return op
}

// serveOpenAPI serves the description of the API, which is made once.
func serveOpenAPI(mux *http.ServeMux, doc *huma.OpenAPI) {
	asJSON, err := json.Marshal(doc)
	if err == nil {
		var asYAML []byte
		if asYAML, err = doc.YAML(); err == nil {
			mux.Handle("GET /openapi.json", static("application/openapi+json", asJSON))
			mux.Handle("GET /openapi.yaml", static("application/openapi+yaml", asYAML))
			return
		}
	}
	panic(fmt.Sprintf("the API cannot be described: %v", err))
}

func static(contentType string, text []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(text) // a caller that has gone away needs no answer
	})
}
