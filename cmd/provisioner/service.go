package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/batchctl/batchctl/catalog"
	"github.com/batchctl/batchctl/console"
	"github.com/batchctl/batchctl/nodes"
	"github.com/batchctl/batchctl/nodes/bootstrap"
	"github.com/batchctl/batchctl/store"
)

// parts is what a provisioner is put together from.
type parts struct {
	nodes       nodes.Config        // without Store, Metrics, UserData and Drained, which the service adds
	storeURL    string              //
	listen      string              // address of the API and of bootstrap
	tls         *tls.Config         // nil: plain HTTP
	bootstrap   bootstrap.Params    // URL as machines reach it; Token and Life are set for each order
	userData    map[string]userData // by cloud
	catalogFile string              // read at start and when it changes; empty: the catalog is pushed
	retention   time.Duration       // of leases that are gone; 0: for ever
	tokens      []console.Token     // who may call the API
	pools       map[string]nodes.Pool
}

// service is a provisioner that runs.
type service struct {
	parts
	db         *store.DB
	metrics    *prometheus.Registry
	reconciler *nodes.Reconciler
	listener   net.Listener
	server     *http.Server
	catalogAt  atomic.Int64                      // version of the catalog in use; 0: none
	drained    atomic.Pointer[map[string]string] // by pool, with the reason
	read       fileStamp                         // of the catalog's file as it was stored last
	log        *slog.Logger
}

// fileStamp tells versions of a file apart.
type fileStamp struct {
	at   time.Time
	size int64
}

// newService opens the store and the address, and makes the reconciler; it
// does nothing outside yet.
func newService(ctx context.Context, p parts) (*service, error) {
	db, err := store.Open(ctx, p.storeURL)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", p.listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", p.listen, err), db.Close())
	}
	if p.tls != nil {
		listener = tls.NewListener(listener, p.tls)
	}
	s := &service{parts: p, db: db, listener: listener, metrics: prometheus.NewRegistry(), log: p.nodes.Log}
	s.drained.Store(&map[string]string{})
	c := p.nodes
	c.Store, c.Metrics = db, nodes.NewMetrics(s.metrics)
	c.Drained = func() map[string]string { return *s.drained.Load() }
	c.UserData = s.render
	s.reconciler = nodes.New(c)
	mux := http.NewServeMux()
	mux.Handle(bootstrap.Path, bootstrap.Handler(s.reconciler, s.log, bootstrap.Options{Changed: s.reconciler.Changed}))
	mux.Handle("/", s.api())
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	return s, nil
}

// userData makes what machines of one cloud run when they start.
type userData func(bootstrap.Params) (string, error)

// localData is the script itself. A local machine is a process group, and
// ends with it.
func localData(p bootstrap.Params) (string, error) {
	p.User, p.PowerOff = "", "kill -s KILL 0"
	return bootstrap.Script(p)
}

// cloudInit is for images with cloud-init, on which identify says which
// machine it is.
func cloudInit(identify string) userData {
	return func(p bootstrap.Params) (string, error) {
		p.Identify = identify
		script, err := bootstrap.Script(p)
		if err != nil {
			return "", err
		}
		return bootstrap.CloudConfig(script)
	}
}

// render makes what the machines of an order run when they start.
func (s *service) render(o nodes.Order, token string) (string, error) {
	p := s.bootstrap
	p.Token, p.Life = token, o.Expires.Sub(o.Stored)
	return s.userData[o.Cloud](p)
}

// run serves until ctx ends. Machines, leases and nodes are left as they are:
// the next start finds them again.
func (s *service) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.server.BaseContext = func(net.Listener) context.Context { return ctx }
	var all sync.WaitGroup
	failed := make(chan error, 1)
	all.Go(func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
			cancel()
		}
	})
	s.refresh(ctx)
	all.Go(func() { every(ctx, time.Second, func() { s.refresh(ctx) }) })
	all.Go(func() { every(ctx, time.Hour, func() { s.prune(ctx) }) })
	all.Go(func() { s.reconciler.Run(ctx) })
	<-ctx.Done()
	quick, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	err := s.server.Shutdown(quick)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	all.Wait()
	err = errors.Join(err, s.db.Close())
	select {
	case first := <-failed:
		return errors.Join(first, err)
	default:
		return err
	}
}

// every calls f each d until ctx ends.
func every(ctx context.Context, d time.Duration, f func()) {
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f()
		}
	}
}

// refresh takes over what was changed in the store: the catalog, and which
// pools are drained. Another provisioner of the same store may have done it.
func (s *service) refresh(ctx context.Context) {
	err := errors.Join(s.readCatalogFile(ctx), s.refreshCatalog(ctx))
	drained, drainErr := s.db.Drained(ctx)
	if drainErr == nil {
		reasons := make(map[string]string, len(drained))
		for pool, d := range drained {
			reasons[pool] = fmt.Sprintf("by %s: %s", d.By, d.Reason)
		}
		s.drained.Store(&reasons)
	}
	if err = errors.Join(err, drainErr); err != nil && ctx.Err() == nil {
		s.log.Error("catalog and settings cannot be refreshed; the last ones stay in use", "error", err)
	}
}

func (s *service) refreshCatalog(ctx context.Context) error {
	version, err := s.db.CatalogVersion(ctx)
	if err != nil || version == s.catalogAt.Load() {
		return err
	}
	c, version, _, by, err := s.db.Catalog(ctx)
	if err != nil {
		return err
	}
	s.reconciler.SetCatalog(c)
	s.catalogAt.Store(version)
	s.log.Info("catalog in use", "version", version, "jobs", len(c.Jobs), "by", by)
	return nil
}

// readCatalogFile stores the catalog of the configured file. An equal one
// changes nothing.
func (s *service) readCatalogFile(ctx context.Context) error {
	if s.catalogFile == "" {
		return nil
	}
	info, err := os.Stat(s.catalogFile)
	if err != nil {
		return err
	}
	stamp := fileStamp{info.ModTime(), info.Size()}
	if stamp == s.read {
		return nil
	}
	f, err := os.Open(s.catalogFile)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := catalog.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", s.catalogFile, err)
	}
	if _, err := s.db.PutCatalog(ctx, c, "the file "+s.catalogFile, s.now()); err != nil {
		return err
	}
	s.read = stamp
	return nil
}

func (s *service) now() time.Time {
	if s.nodes.Now != nil {
		return s.nodes.Now()
	}
	return time.Now()
}

// prune forgets leases that have been gone for longer than the retention.
func (s *service) prune(ctx context.Context) {
	if s.retention == 0 {
		return
	}
	n, err := s.db.Prune(ctx, s.now().Add(-s.retention))
	if err != nil && ctx.Err() == nil {
		s.log.Error("old leases cannot be forgotten", "error", err)
	} else if n > 0 {
		s.log.Info("old leases forgotten", "leases", n)
	}
}
