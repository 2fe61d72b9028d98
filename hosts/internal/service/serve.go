package service

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// API is the API over the cached store, with its metrics.
func API(store Store, m *telemetry.Metrics, o httpapi.Options) *http.ServeMux {
	o.Observe, o.Failures = m.Request, store
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.Handle("/", httpapi.New(cache.New(m.Querier(store), &cache.Options{Observe: m.Cached}), &o))
	return mux
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

// Serve serves until ctx ends, then finishes the requests at hand. ready is
// called with the URL once the server listens.
func Serve(ctx context.Context, addr string, h http.Handler, log *slog.Logger, ready func(url string)) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	server := httpapi.NewServer(addr, h, &httpapi.ServerOptions{Logger: log})
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if ready != nil {
		ready("http://" + listener.Addr().String())
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
