// Package telemetry makes Prometheus metrics of what the packages tell those
// who observe them, and sends spans to a collector of OpenTelemetry.
//
//	m := telemetry.New()
//	api := httpapi.New(store.New(m.Scanner(backend)), &httpapi.Options{Observe: m.Request})
//	mux.Handle("/metrics", m.Handler())
//
// # Guarantees
//
// The names are those that users rely on; docs/operations.md lists them. A
// label has a bounded number of values: a route is the pattern, not the path.
// All methods are safe for concurrent use.
//
// # Errors
//
// What cannot be measured when it is asked for, as the depth of a queue whose
// broker is away, is missing from the answer; the rest is there.
//
// # See also
//
// The Observe options of packages httpapi, cache, queue and etl.
package telemetry

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
)

// Metrics are those of one program.
type Metrics struct {
	registry *prometheus.Registry

	requests     *prometheus.CounterVec
	requestTime  *prometheus.HistogramVec
	cached       *prometheus.CounterVec
	queryTime    *prometheus.HistogramVec
	runs         *prometheus.CounterVec
	rows         *prometheus.CounterVec
	stageTime    *prometheus.HistogramVec
	messages     *prometheus.CounterVec
	errorsByKind *prometheus.CounterVec
	missed       *prometheus.CounterVec
	disks        disks
}

// New returns metrics without any value.
func New() *Metrics {
	fast := prometheus.ExponentialBuckets(0.0005, 4, 9) // half a millisecond to half a minute
	slow := prometheus.ExponentialBuckets(0.01, 4, 9)   // up to eleven minutes
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	m := &Metrics{
		registry:     prometheus.NewRegistry(),
		requests:     counter("egrid_http_requests_total", "Requests answered.", "route", "method", "status"),
		requestTime:  histogram("egrid_http_request_duration_seconds", "Time from a request's header to the end of its answer.", fast, "route"),
		cached:       counter("egrid_cache_requests_total", "Queries by how the cache answered them.", "result"),
		queryTime:    histogram("egrid_store_query_duration_seconds", "Time that the store took for a query.", fast, "query"),
		runs:         counter("egrid_etl_runs_total", "Runs by how they ended.", "result"),
		rows:         counter("egrid_etl_rows_total", "Rows of finished runs, by what became of them.", "level", "result"),
		stageTime:    histogram("egrid_etl_stage_duration_seconds", "Time that a stage of a run took.", slow, "stage"),
		messages:     counter("egrid_queue_messages_total", "Deliveries by how they ended.", "queue", "result"),
		errorsByKind: counter("egrid_errors_total", "What went wrong, by kind.", "kind"),
		missed:       counter("egrid_schedule_missed_total", "Due times of the schedule without a run: because no process was there, or the run before was still going on (busy).", "reason"),
	}
	// Prometheus sees no increase in a counter that was not there before.
	for _, result := range []string{runFinished, runFailed} {
		m.runs.WithLabelValues(result)
	}
	for _, result := range []cache.Result{cache.Hit, cache.Computed, cache.RemoteHit, cache.Miss, cache.Joined, cache.Failed} {
		m.cached.WithLabelValues(string(result))
	}
	for _, kind := range etl.FailureKinds() {
		m.errorsByKind.WithLabelValues(kind)
	}
	m.registry.MustRegister(m.requests, m.requestTime, m.cached, m.queryTime, m.runs, m.rows, m.stageTime, m.messages, m.errorsByKind, m.missed, &m.disks,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with all metrics in Prometheus' form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Request counts an answered request.
func (m *Metrics) Request(o middleware.Observation) {
	route := o.Route
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, method(o.Method), strconv.Itoa(o.Status)).Inc()
	m.requestTime.WithLabelValues(route).Observe(o.Duration.Seconds())
}

// method bounds the label: a client may send any word.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// Cached counts a query that the cache answered.
func (m *Metrics) Cached(r cache.Result) { m.cached.WithLabelValues(string(r)).Inc() }

// Delivered counts a delivery.
func (m *Metrics) Delivered(e queue.Event) {
	m.messages.WithLabelValues(e.Queue, string(e.Outcome)).Inc()
}

// Failed counts something that went wrong.
func (m *Metrics) Failed(kind string) { m.errorsByKind.WithLabelValues(kind).Inc() }

// Stage measures a stage of a run.
func (m *Metrics) Stage(e etl.Event) {
	m.stageTime.WithLabelValues(e.Stage).Observe(e.Elapsed.Seconds())
}

// How runs end.
const (
	runFinished = "finished" // whatever became of its sheets
	runFailed   = "failed"
)

// Missed counts due times that no run was made for.
func (m *Metrics) Missed(missed etl.Missed) {
	reason := "absent"
	if missed.Busy {
		reason = "busy"
	}
	m.missed.WithLabelValues(reason).Add(float64(missed.Count))
}

// Run counts a run, and the rows of one that finished.
func (m *Metrics) Run(r *etl.Report, err error) {
	if err != nil {
		m.runs.WithLabelValues(runFailed).Inc()
		return
	}
	m.runs.WithLabelValues(runFinished).Inc()
	for _, f := range r.Files {
		for i := range f.Sheets {
			s := &f.Sheets[i]
			m.rows.WithLabelValues(string(s.Level), "read").Add(float64(s.Read))
			m.rows.WithLabelValues(string(s.Level), "loaded").Add(float64(s.Loaded))
			m.rows.WithLabelValues(string(s.Level), "rejected").Add(float64(s.Rejected))
		}
	}
}

// Scanner measures the queries of a store.
func (m *Metrics) Scanner(s driver.Scanner) driver.Scanner { return measured{s, m.queryTime} }

type measured struct {
	driver.Scanner
	time *prometheus.HistogramVec
}

func (s measured) observe(query string, began time.Time) {
	s.time.WithLabelValues(query).Observe(time.Since(began).Seconds())
}

func (s measured) Catalog(ctx context.Context) (_ egrid.Catalog, err error) {
	defer s.observe("catalog", time.Now())
	ctx, end := trace.Step(ctx, "store catalog", trace.Internal)
	defer func() { end(err) }()
	return s.Scanner.Catalog(ctx)
}

// Scan measures until the last batch was taken.
func (s measured) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	query := "rows"
	switch {
	case p.Count:
		query = "count"
	case len(p.Measures) > 0:
		query = "groups"
	}
	return func(yield func(*egrid.Batch, error) bool) {
		defer s.observe(query, time.Now())
		ctx, end := trace.Step(ctx, "store "+query, trace.Internal)
		var failure error
		defer func() { end(failure) }()
		for b, err := range s.Scanner.Scan(ctx, p) {
			failure = err
			if !yield(b, err) {
				return
			}
		}
	}
}
