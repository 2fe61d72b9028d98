// Package httpapi serves eGRID data over HTTP: an [http.Handler] over any
// [egrid.Querier].
//
//	api := httpapi.New(cache.New(store, nil), nil)
//	server := httpapi.NewServer("127.0.0.1:4000", api, nil)
//	err := server.ListenAndServe()
//
// The handler can be mounted under a prefix with [http.StripPrefix]; links in
// answers then carry the prefix.
//
// # Guarantees
//
// Every request is a span of the trace that its header traceparent names, or of a
// new one ([Traces]); what is logged of it has their ids.
//
// Parameters that an operation does not know, and values that cannot be, are
// refused with every fault named; nothing is ignored. A list never exceeds its
// limit, and walking links.next yields every row once. CSV and NDJSON answers
// are streamed in constant memory and are complete: the trailer X-Row-Count
// says how many rows were sent, and an answer that cannot be finished breaks
// the connection instead of ending politely.
//
// Every data answer has an ETag made of what is published and what was asked,
// except /errors and /runs, which nobody keeps.
// Encoded JSON answers are kept by the same pair, so a repeated request costs
// one look at the catalogue; stand a cache in front of a store whose catalogue
// is not cheap. The handler is safe for concurrent use and starts no goroutine
// that outlives a request.
//
// # Errors
//
// Answers to errors are application/problem+json (RFC 9457). [egrid.ErrInvalid]
// is 400, [egrid.ErrNotFound] 404, [egrid.ErrConflict] 409, [egrid.ErrStale] 410,
// [egrid.ErrClosed] and an exceeded deadline 503. Anything else is 500 without detail, and logged
// with the request id. Who is not known is 401, who may not 403, who asks too
// often 429, and what is too long 413 or 414.
//
// # See also
//
// Package cache, package auth for tokens and API keys, and package dashboard for
// a page over this API.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Options configures the handler. The zero value of every field means its
// default.
type Options struct {
	// Version of the service, told in the OpenAPI document. Default "dev".
	Version string
	// Logger takes access logs and the causes of 500s. Records have trace_id and
	// span_id, as of [Traces]. Default none.
	Logger *slog.Logger
	// Checks are what readiness depends on besides the querier. Default none.
	Checks []ReadinessCheck
	// MaxBodyBytes bounds request bodies. Default 1 MiB.
	MaxBodyBytes int64
	// MaxCachedBytes bounds the encoded answers that are kept. Default 16 MiB,
	// negative keeps none.
	MaxCachedBytes int
	// Observe is called behind every request: for metrics. Default none.
	Observe func(Observation)
	// Failures adds the path /errors, which shows what went wrong on the way of
	// data into the store. Messages may name internal addresses and files: set
	// it where those who can reach the API may read them. Default none, and
	// then there is no such path.
	Failures driver.FailureLog
	// Runs adds the paths below /runs: loads that are started, followed and, when
	// they are held, decided on. Changing something needs [ScopeWrite]. Messages
	// may name internal files, as those of Failures. Default none.
	Runs driver.Runner
	// AllowedOrigins are the pages of other origins that may call the API from a
	// browser, as [AllowOrigins] takes them. Default none.
	AllowedOrigins []string
	// Authenticate tells who makes a request. Default none: then reading is open
	// to everybody, and what needs another scope is refused to all.
	Authenticate Authenticator
	// RequireAuth closes reading to those who have not [ScopeRead], except for
	// probes and the OpenAPI document. Default false.
	RequireAuth bool
	// RateLimit bounds how often a client may ask, as [RateLimit] does. Default
	// nil, no bound.
	RateLimit *RateLimitOptions
	// TrustedProxies are believed in what they say of the client's address, as
	// [TrustProxies] does. Default none.
	TrustedProxies []netip.Prefix
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

// Observation is what metrics need to know of a request.
type Observation struct {
	Route    string // as in the OpenAPI document, e.g. /plants/{id}; empty when none matched
	Method   string
	Status   int
	Bytes    int64
	Duration time.Duration
	Cached   bool // answered from the encoded answers kept
}

type api struct {
	q         egrid.Querier
	o         Options
	router    *mux.Router
	huma      huma.API
	responses *responses
	totals    *totals
}

// New returns a handler of the API over q, which it borrows.
func New(q egrid.Querier, o *Options) http.Handler {
	a := &api{q: q, totals: &totals{}}
	if o != nil {
		a.o = *o
	}
	if a.o.Version == "" {
		a.o.Version = "dev"
	}
	if a.o.MaxBodyBytes == 0 {
		a.o.MaxBodyBytes = 1 << 20
	}
	if a.o.MaxCachedBytes == 0 {
		a.o.MaxCachedBytes = 16 << 20
	}
	a.o.Logger = trace.Logger(a.o.Logger)
	a.responses = newResponses(a.o.MaxCachedBytes)
	a.router = mux.NewRouter().UseEncodedPath().SkipClean(true)
	a.router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem(r, http.StatusNotFound, "there is no such path; /openapi.json lists them"))
	})
	a.router.MethodNotAllowedHandler = http.HandlerFunc(a.refuseMethod)
	a.huma = humamux.New(a.router, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "eGRID API", Version: a.o.Version,
				Description: "Plants, generators and regions of EPA's eGRID, by data year and release. The figures in examples are generated.",
			},
			Tags:       documentTags(),
			Servers:    []*huma.Server{{URL: "./"}},
			Components: a.securityComponents(),
		},
		Formats: huma.DefaultFormats,
	})
	a.plantOperations()
	a.levelOperations()
	a.storeOperations()
	a.failureOperations()
	a.runOperations()
	a.documentOperations()

	var h http.Handler = http.HandlerFunc(a.serveCached)
	h = a.answerOptions(h)
	h = answerHead(h)
	h = LimitBody(h, a.o.MaxBodyBytes)
	h = LimitURL(h, maxURLBytes, maxURLParameters)
	h = a.admit(h)
	if a.o.RateLimit != nil {
		h = RateLimit(h, a.o.RateLimit) // those who are not admitted count too
	}
	h = identify(h, a.o.Authenticate)
	h = AllowOrigins(h, a.o.AllowedOrigins)
	h = SecurityHeaders(h)
	h = Recover(h, a.o.Logger)
	h = Observe(h, a.o.Logger, a.o.Observe)
	h = TrustProxies(h, a.o.TrustedProxies)
	return Traces(RequestIDs(h))
}
