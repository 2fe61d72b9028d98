// Package httpapi serves eGRID data over HTTP: an [http.Handler] over a
// [store.DB].
//
//	api := httpapi.New(store.New(cache.New(scanner, nil)), nil)
//	server := httpapi.NewServer("127.0.0.1:4000", api, nil)
//	err := server.ListenAndServe()
//
// Start with [New] and [Options]: Authenticate and RequireAuth for who may ask, RateLimit,
// AllowedOrigins for pages elsewhere (CORS), Observe for metrics, Runs for loads by order,
// Exports for Parquet. [NewServer] bounds slow and greedy clients.
//
// The handler can be mounted under a prefix with [http.StripPrefix]; links in
// answers then carry the prefix.
//
// # Guarantees
//
// Every request is a span of the trace that its header traceparent names, or of a
// new one ([middleware.Traces]); what is logged of it has their ids.
//
// Parameters that an operation does not know, and values that cannot be, are
// refused with every fault named; nothing is ignored. A list never exceeds its
// limit, and walking links.next yields every row once. Answers in all formats but
// JSON are streamed in constant memory and are complete: the trailer X-Row-Count
// says how many rows were sent, and an answer that cannot be finished breaks
// the connection instead of ending politely.
//
// An answer is of one state of the data, whatever is published meanwhile: the
// catalogue is asked for once in a request. Cursors go on in the data that they
// are from. At a permanent address (links.permanent, the parameter snapshot) an
// answer stays the same until its snapshots are pruned.
//
// Every data answer has an ETag made of the identity of what is published and of
// what was asked, except /errors and /runs, which nobody keeps. Encoded JSON
// answers are kept by the same pair, so a repeated request costs one look at the
// catalogue; stand a cache in front of a store whose catalogue is not cheap. The
// handler is safe for concurrent use and starts no goroutine that outlives a
// request.
//
// # Errors
//
// Answers to errors are application/problem+json (RFC 9457). [egrid.ErrInvalid]
// is 400, [egrid.ErrNotFound] 404, [egrid.ErrConflict] 409, [egrid.ErrStale] (a
// snapshot that was pruned) 410, [egrid.ErrClosed], [egrid.ErrUnavailable] and an
// exceeded deadline 503.
// Anything else is 500 without detail, and logged with the request id.
// Unauthenticated is 401, a missing scope 403, rate limited 429, and what is too
// long 413 or 414.
//
// # See also
//
// Package wire has the JSON types, package client asks for them, package
// middleware has what New puts around the API, for services beside it. Package
// cache, package auth for tokens and API keys, and package dashboard for a page
// over this API.
package httpapi

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/shapes"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Options configures the handler. The zero value of every field means its
// default.
type Options struct {
	// Version of the service, told in the OpenAPI document. Default "dev".
	Version string
	// Logger takes access logs and the causes of 500s. Records have trace_id and
	// span_id, as of [middleware.Traces]. Default none.
	Logger *slog.Logger
	// Exports are formats of lists besides JSON, CSV, NDJSON, GeoJSON, XLSX and
	// the data package, such as parquetfile.Export(). Default none.
	Exports []export.Format
	// Checks are what readiness depends on besides the store. Default none.
	Checks []ReadinessCheck
	// MaxBodyBytes bounds request bodies. Default 1 MiB.
	MaxBodyBytes int64
	// MaxTableBytes bounds tables of sites, which are answered as they are read. Default
	// 256 MiB.
	MaxTableBytes int64
	// MaxCachedBytes bounds the encoded answers that are kept. Default 16 MiB,
	// negative keeps none.
	MaxCachedBytes int
	// Observe is called behind every request: for metrics. Default none.
	Observe func(middleware.Observation)
	// Failures adds the path /errors, which shows what went wrong on the way of
	// data into the store. Messages may name internal addresses and files: set
	// it where those who can reach the API may read them. Default none, and
	// then there is no such path.
	Failures driver.FailureLog
	// Runs adds the paths below /runs: loads that are started and followed and, when
	// it is a [driver.Decider] too, decided on when they are held. Changing something needs [middleware.ScopeWrite]. Messages
	// may name internal files, as those of Failures. Default none.
	Runs driver.Runner
	// History adds POST /snapshots/{id}/restore, which makes what was published before
	// the answer again and needs [middleware.ScopeWrite]. Default none.
	History driver.History
	// MCP adds the path /mcp: what POST is answered by there, made of the API without what
	// stands around it, whose limits, credentials and headers it shares. Package mcp has
	// it: mcp.Handler, for tools of language models. Default none, and then there is no
	// such path.
	MCP func(api http.Handler) http.Handler
	// Shapes are the outlines of subregions, which place the sites of an inventory by
	// their coordinates. Default none: then coordinates place no site.
	Shapes *shapes.Set
	// AllowedOrigins are the pages of other origins that may call the API from a
	// browser, as [middleware.AllowOrigins] takes them. Default none.
	AllowedOrigins []string
	// Authenticate tells who makes a request. Default none: then reading is open
	// to everybody, and what needs another scope is refused to all.
	Authenticate middleware.Authenticator
	// Challenge is the WWW-Authenticate of a 401 for an Authenticate of your own, as
	// `Basic realm="grid"`, for which browsers ask for name and password. Default Bearer,
	// for tokens, as package auth takes them.
	Challenge string
	// RequireAuth closes reading to those who have not [middleware.ScopeRead], except for
	// probes and the OpenAPI document. Default false.
	RequireAuth bool
	// RateLimit bounds how often a client may ask, as [middleware.RateLimit] does. Default
	// nil, no bound.
	RateLimit *middleware.RateLimitOptions
	// TrustedProxies are believed in what they say of the client's address, as
	// [middleware.TrustProxies] does. Default none.
	TrustedProxies []netip.Prefix
}

type api struct {
	db        *store.DB
	o         Options
	router    *mux.Router
	huma      huma.API
	responses *responses

	answers      *calc.Answers
	certificates *keeper[calc.Certificate]
	differences  differences
	gwps         gwps
	formats      []format
}

// What New allows of a URL. Cursors are of 8 KiB at most.
const (
	maxURLBytes      = 16 << 10
	maxURLParameters = 100
)

// New returns a handler of the API over db, which it borrows.
func New(db *store.DB, o *Options) http.Handler {
	a := &api{db: store.New(&totals{Scanner: db})}
	if o != nil {
		a.o = *o
	}
	if a.o.Version == "" {
		a.o.Version = "dev"
	}
	if a.o.MaxBodyBytes == 0 {
		a.o.MaxBodyBytes = 1 << 20
	}
	if a.o.MaxTableBytes == 0 {
		a.o.MaxTableBytes = 256 << 20
	}
	if a.o.MaxCachedBytes == 0 {
		a.o.MaxCachedBytes = 16 << 20
	}
	a.o.Logger = trace.Logger(a.o.Logger)
	a.responses = newResponses(a.o.MaxCachedBytes)
	a.answers = calc.NewAnswers(nil)
	a.certificates = newKeeper[calc.Certificate](maxCertificates)
	a.differences = newDifferences()
	a.formats = allFormats(&a.o)
	a.router = mux.NewRouter().UseEncodedPath().SkipClean(true)
	a.router.NotFoundHandler = http.HandlerFunc(a.noSuchPath)
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
	a.documentTypes()
	a.contentsOperations()
	a.plantOperations()
	a.levelOperations()
	a.factorOperations()
	a.reconciliationOperation()
	a.storeOperations()
	a.healthOperations()
	a.failureOperations()
	a.runOperations()
	a.documentOperations()
	a.mountMCP()

	return a.around(http.HandlerFunc(a.serveCached))
}

// mountMCP adds what asks the API by another protocol. Its questions are parts of one
// request, which alone is observed.
func (a *api) mountMCP() {
	if a.o.MCP == nil {
		return
	}
	const path = "/mcp"
	within := middleware.Observe(http.HandlerFunc(a.serveCached), nil, func(middleware.Observation) {})
	h := a.o.MCP(within)
	a.router.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		middleware.SetRoute(r, path)
		h.ServeHTTP(w, r)
	}).Methods(http.MethodPost)
}

// around puts the middleware around the API, from the inside to the outside: the
// last line is the first to see a request.
//
//   - Options, HEAD and the limits need nobody to be known, and stand next to what
//     they guard.
//   - RateLimit counts by the caller, so Identify is outside of it; it counts those
//     whom Admit refuses, so Admit is within.
//   - SecurityHeaders and AllowOrigins are outside of all that refuses, because their
//     headers belong on refusals, too.
//   - Observe is outside of Recover, because it logs the 500 of a panic, and within
//     TrustProxies, RequestIDs and Traces, because it logs what they found.
func (a *api) around(h http.Handler) http.Handler {
	h = a.answerOptions(h)
	h = middleware.Head(h)
	h = a.limitBody(h)
	h = middleware.LimitURL(h, maxURLBytes, maxURLParameters)
	h = middleware.Admit(h, a.o.RequireAuth, isOpen, a.o.Logger)
	if a.o.RateLimit != nil {
		h = middleware.RateLimit(h, a.o.RateLimit)
	}
	h = middleware.Identify(h, a.o.Authenticate, a.o.Challenge)
	h = middleware.AllowOrigins(h, a.o.AllowedOrigins)
	h = middleware.SecurityHeaders(h)
	h = middleware.Recover(h, a.o.Logger)
	h = middleware.Observe(h, a.o.Logger, a.o.Observe)
	h = middleware.TrustProxies(h, a.o.TrustedProxies)
	return middleware.Traces(middleware.RequestIDs(h))
}

// limitBody bounds bodies: tables that are answered as they are read may be longer.
func (a *api) limitBody(h http.Handler) http.Handler {
	short, long := middleware.LimitBody(h, a.o.MaxBodyBytes), middleware.LimitBody(h, a.o.MaxTableBytes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == inventoryPath {
			long.ServeHTTP(w, r)
			return
		}
		short.ServeHTTP(w, r)
	})
}

// isOpen reports whether a path is for everybody even where reading is not:
// probes, and what the API is.
func isOpen(path string) bool {
	return middleware.IsProbe(path) || path == "/openapi.json" || path == "/openapi.yaml" || path == "/api" || strings.HasPrefix(path, "/api/")
}
