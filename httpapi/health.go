package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Health is the answer of the probes.
type Health struct {
	Status string        `json:"status" enum:"ok,unavailable"`
	Checks []CheckResult `json:"checks"`
}

// CheckResult is the state of one dependency. Why it does not work is in the
// log, and in the answer where the check returned a [Reason].
type CheckResult struct {
	Name    string  `json:"name"`
	Status  string  `json:"status" enum:"ok,degraded,unavailable" doc:"degraded: it is away, and the service works without it."`
	Latency float64 `json:"latency_seconds"`
	Reason  string  `json:"reason,omitempty" doc:"Why it does not work, where that may be told."`
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
	writeJSON(w, http.StatusOK, Health{Status: "ok", Checks: []CheckResult{}})
}

// Readiness answers whether everything works that a service depends on, with
// the time that each check took: 200 or 503, for /readyz. What is optional makes
// no 503. The log, which may be nil, is told why something else does not work. [New] has both probes already; this is
// for services without the API.
func Readiness(log *slog.Logger, checks ...ReadinessCheck) http.HandlerFunc {
	log = trace.Logger(log)
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		health := Health{Status: "ok", Checks: make([]CheckResult, len(checks))}
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
				health.Checks[i] = CheckResult{Name: c.Name, Status: "ok", Latency: time.Since(begin).Seconds()}
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
				log.WarnContext(r.Context(), "not ready", "check", checks[i].Name, "error", err, "request_id", RequestID(r.Context()))
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
