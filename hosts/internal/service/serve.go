package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/cache/rediscache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
	egridstore "github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
	"github.com/egrid-analytics/egrid-go/httpapi/mcp"
)

// API is the API over the cached store, with its metrics.
func API(ctx context.Context, store driver.Store, m *telemetry.Metrics, o httpapi.Options) *http.ServeMux {
	return CachedAPI(ctx, store, m, o, cache.Options{})
}

// warmTime is how long a service reads ahead at most before it listens.
const warmTime = time.Second

// CachedAPI is API with a cache of these options, which it has Observe from. A
// second level that can be asked for a sign of life is told as a dependency that
// the service works without. What is asked most is read ahead, for at most a
// second.
func CachedAPI(ctx context.Context, store driver.Store, m *telemetry.Metrics, o httpapi.Options, c cache.Options) *http.ServeMux {
	c.Observe = m.Cached
	o.Exports = append(o.Exports, parquetfile.Export())
	o.Observe, o.Failures = m.Request, store
	o.MCP = func(api http.Handler) http.Handler {
		return mcp.NewHandler(api, &mcp.Options{Version: o.Version, Logger: o.Logger})
	}
	if shared, ok := c.Shared.(interface{ Ping(context.Context) error }); ok {
		o.Checks = append(o.Checks, httpapi.ReadinessCheck{Name: "redis", Check: shared.Ping, Optional: true})
	}
	kept := cache.New(m.Scanner(store.Scanner), &c)
	warming, stop := context.WithTimeout(ctx, warmTime)
	defer stop()
	if err := kept.Warm(warming); err != nil && o.Logger != nil {
		o.Logger.Debug("not all was read ahead; the rest is read when it is asked for", "error", err)
	}
	if o.Runs != nil {
		o.Runs = fresh(o.Runs, kept.Refresh)
	}
	if store.History != nil {
		o.History = freshHistory{store.History, kept.Refresh}
	}
	mux := http.NewServeMux()
	metrics := http.NewServeMux() // which refuses other methods; beside / they would be the API's
	metrics.Handle("GET /metrics", m.Handler())
	mux.Handle("/metrics", metrics)
	mux.Handle("/", httpapi.New(egridstore.New(kept), &o))
	return mux
}

// LimitMemory has the garbage collector work harder than it otherwise would
// where the heap nears 128 MiB, so that an API stays below the 256 MB that it is
// made for: SQLite's pages and the program itself come on top. Below that it works
// less: each time it looks at the stack of every connection. GOMEMLIMIT and GOGC go
// before it.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(128 << 20)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// OpenSharedCache gives a cache the second level of a URL, none if that is
// empty. Only processes of one build share answers. The caller closes it.
func OpenSharedCache(url string, log *slog.Logger) (o cache.Options, closing func() error, err error) {
	if url == "" {
		return cache.Options{}, func() error { return nil }, nil
	}
	level, err := rediscache.Open(url, nil)
	if err != nil {
		return cache.Options{}, nil, err
	}
	build := Version()
	return cache.Options{Shared: level, Namespace: build.Version + " " + build.Commit, Logger: log}, level.Close, nil
}

// Page puts the dashboard in front of what mux serves. Nil options are the
// defaults.
func Page(mux *http.ServeMux, o *dashboard.Options) {
	page := dashboard.New(o)
	mux.Handle("/{$}", page)
	mux.Handle("/assets/", page)
}

// drain is how long requests may go on after the server was told to stop.
const drain = 15 * time.Second

// Serving are the flags of how a service is reached.
type Serving struct {
	TLSCert   string `help:"File with the certificate chain (PEM), for https. It is read again when it changes." type:"path" placeholder:"FILE"`
	TLSKey    string `help:"File with the certificate's private key (PEM)." type:"path" placeholder:"FILE"`
	PprofAddr string `help:"Address of profiles (pprof), on the loopback interface. Default: none." placeholder:"HOST:PORT"`
}

// Listen takes an address to serve on. Errors: [egrid.ErrInvalid] for one that cannot
// be, and for a port that is taken, or not one's to take, an error that says so.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		return nil, fmt.Errorf("%w: address %q is not HOST:PORT, as 127.0.0.1:4000 or :4000", egrid.ErrInvalid, addr)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	var name *net.DNSError
	var address *net.AddrError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken: another program listens there, an egrid perhaps; give another --addr, or port 0 for any that is free", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s is not to be had without rights of an administrator; give a port from 1024 on", addr)
	case errors.As(err, &name), errors.As(err, &address), errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%w: %s is no address of this computer; give 127.0.0.1:PORT, or :PORT for all of its addresses", egrid.ErrInvalid, addr)
	}
	return listener, err
}

// ServeOptions say how to serve. The zero value of every field means its
// default.
type ServeOptions struct {
	Serving
	Logger   *slog.Logger     // default none
	Ready    func(url string) // called once the server listens
	Listener net.Listener     // of [Listen], which Serve closes; default one on the address
}

// Serve serves until ctx ends, then finishes the requests at hand.
func Serve(ctx context.Context, addr string, h http.Handler, o *ServeOptions) error {
	if o == nil {
		o = &ServeOptions{}
	}
	if o.Logger == nil {
		with := *o
		with.Logger = slog.New(slog.DiscardHandler)
		o = &with
	}
	server, scheme, err := o.newServer(addr, h)
	if err != nil {
		return err
	}
	within := context.WithoutCancel(ctx) // requests at hand go on when ctx ends
	server.BaseContext = func(net.Listener) context.Context { return within }
	listener := o.Listener
	if listener == nil {
		if listener, err = Listen(ctx, addr); err != nil {
			return err
		}
	}
	stopProfiles, err := o.serveProfiles(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopProfiles()
	failed := make(chan error, 1)
	go func() {
		if scheme == "https" {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()
	if o.Ready != nil {
		o.Ready(scheme + "://" + listener.Addr().String())
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err = server.Shutdown(stopping)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(err, server.Close())
	}
	return err
}

func (o *ServeOptions) newServer(addr string, h http.Handler) (server *http.Server, scheme string, err error) {
	if o.TLSCert == "" && o.TLSKey == "" {
		return httpapi.NewServer(addr, h, &httpapi.ServerOptions{Logger: o.Logger}), "http", nil
	}
	c, err := openCertificate(o.TLSCert, o.TLSKey, o.Logger)
	if err != nil {
		return nil, "", err
	}
	server = httpapi.NewServer(addr, onlyTLS(h), &httpapi.ServerOptions{Logger: o.Logger})
	server.TLSConfig = c.config()
	return server, "https", nil
}

// serveProfiles serves profiles until the returned function is called.
func (o *ServeOptions) serveProfiles(ctx context.Context) (stop func(), err error) {
	if o.PprofAddr == "" {
		return func() {}, nil
	}
	listener, err := listenForProfiles(ctx, o.PprofAddr)
	if err != nil {
		return nil, err
	}
	server := httpapi.NewServer("", profiles(), &httpapi.ServerOptions{Logger: o.Logger})
	o.Logger.Info("profiles", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // until it is closed
	}()
	return func() { _ = server.Close(); <-ended }, nil
}
