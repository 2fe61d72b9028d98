package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// healthOperations serves the probes.
func (a *api) healthOperations() {
	a.probe("/healthz", "liveness", "Whether the service runs", Liveness)
	checks := append([]ReadinessCheck{{Name: "store", Check: func(ctx context.Context) error {
		_, err := a.db.Catalog(ctx)
		return err
	}}}, a.o.Checks...)
	a.probe("/readyz", "readiness", "Whether the service and what it depends on work", Readiness(a.o.Logger, checks...))
}

func (a *api) probe(path, id, summary string, h http.HandlerFunc) {
	content := map[string]*huma.MediaType{wire.TypeJSON: {Schema: a.schemaOf(typeOf[wire.Health]())}}
	documented := huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"health"},
		Responses: map[string]*huma.Response{
			"200": {Description: "It works.", Content: content},
			"503": {Description: "Something does not work.", Content: content},
		},
	}
	addExamples(&documented)
	huma.Register(a.huma, documented, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			middleware.SetRoute(r, path)
			h(w, r)
		}}, nil
	})
}

// ReadinessCheck is one dependency that has to work for the service to work.
type ReadinessCheck struct {
	Name  string
	Check func(context.Context) error // called at once with the others; its context ends after 2 seconds
	// Optional says that the service works without it, only worse: while it is
	// away the service is ready, and the check is told as degraded. Its context
	// ends after half a second.
	Optional bool
}

// Reason is an error of a check that whoever asks may read: it names no address
// and quotes no secret.
type Reason string

// Error returns the text.
func (r Reason) Error() string { return string(r) }

// checkTimeout bounds a readiness check, and optionalTimeout one of what a
// service works without, so that it does not keep those waiting who probe.
const (
	checkTimeout    = 2 * time.Second
	optionalTimeout = 500 * time.Millisecond
)

// Liveness answers that the process runs: for /healthz.
func Liveness(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, wire.Health{Status: "ok", Checks: []wire.CheckResult{}})
}

// Readiness answers whether everything works that a service depends on, with
// the time that each check took: 200 or 503, for /readyz. What is optional makes
// no 503. The log, which may be nil, is told why something else does not work.
// [New] has both probes already; this is for services without the API.
func Readiness(log *slog.Logger, checks ...ReadinessCheck) http.HandlerFunc {
	log = trace.Logger(log)
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		health := wire.Health{Status: "ok", Checks: make([]wire.CheckResult, len(checks))}
		errs := make([]error, len(checks))
		var wg sync.WaitGroup
		for i, c := range checks {
			wg.Go(func() {
				begin, ctx := time.Now(), ctx
				if c.Optional {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, optionalTimeout)
					defer cancel()
				}
				errs[i] = safely(ctx, c.Check)
				health.Checks[i] = wire.CheckResult{Name: c.Name, Status: "ok", Latency: wire.Number(time.Since(begin).Seconds())}
			})
		}
		wg.Wait()
		status := http.StatusOK
		for i, err := range errs {
			var reason Reason
			if errors.As(err, &reason) {
				health.Checks[i].Reason = string(reason)
			}
			switch {
			case err == nil:
			case checks[i].Optional:
				health.Checks[i].Status = "degraded"
			default:
				status, health.Status, health.Checks[i].Status = http.StatusServiceUnavailable, "unavailable", "unavailable"
				log.WarnContext(r.Context(), "not ready", "check", checks[i].Name, "error", err, "request_id", middleware.RequestID(r.Context()))
			}
		}
		writeJSON(w, status, health)
	}
}

// safely makes an error of a panic, which would end the process on a goroutine
// of its own.
func safely(ctx context.Context, check func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return check(ctx)
}
