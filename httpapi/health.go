package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Health is the answer of the probes.
type Health struct {
	Status string        `json:"status" enum:"ok,unavailable"`
	Checks []CheckResult `json:"checks"`
}

// CheckResult is the state of one dependency. Why it does not work is in the
// log, not in the answer.
type CheckResult struct {
	Name    string  `json:"name"`
	Status  string  `json:"status" enum:"ok,unavailable"`
	Latency float64 `json:"latency_seconds"`
}

// checkTimeout bounds a readiness check.
const checkTimeout = 2 * time.Second

// Liveness answers that the process runs: for /healthz.
func Liveness(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, Health{Status: "ok", Checks: []CheckResult{}})
}

// Readiness answers whether everything works that a service depends on, with
// the time that each check took: 200 or 503, for /readyz. The log, which may be
// nil, is told why something does not. [New] has both probes already; this is
// for services without the API.
func Readiness(log *slog.Logger, checks ...ReadinessCheck) http.HandlerFunc {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		health := Health{Status: "ok", Checks: make([]CheckResult, len(checks))}
		errs := make([]error, len(checks))
		var wg sync.WaitGroup
		for i, c := range checks {
			wg.Go(func() {
				begin := time.Now()
				errs[i] = safely(ctx, c.Check)
				health.Checks[i] = CheckResult{Name: c.Name, Status: "ok", Latency: time.Since(begin).Seconds()}
			})
		}
		wg.Wait()
		status := http.StatusOK
		for i, err := range errs {
			if err != nil {
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
