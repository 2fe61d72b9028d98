// Package client asks eGRID data of an API over HTTP, as package httpapi serves
// it. A [Client] is a [driver.Scanner], so package store asks it what it asks any
// store, and a cache can stand in front of it. What only the API has, the client
// asks for itself: charts, statistics, and loads, as a [driver.Runner] and a
// [driver.Decider].
//
//	c, err := client.New("https://grid.example/api", nil)
//	db := store.New(c)
//	page, err := db.Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Limit: 10})
//
// Start with [New] and store.New over it; [Options] has credentials, retries and limits.
//
// # Guarantees
//
// Answers are those of the store behind the API, in its own form: nothing is
// rounded, and rows carry their schema with types and units. A scan of any size
// streams in constant memory, and is of the snapshots that its plan names,
// whatever is published meanwhile.
//
// What an overloaded server (429), an unavailable one (502, 503, 504) or the
// network denies is asked again, at growing intervals with jitter or after the
// time that Retry-After gives, up to Options.Retries times and never beyond the
// context's deadline. A scan that breaks off goes on behind the rows that came.
// That is for questions. An order, as [Client.StartRun], is repeated only when it
// was refused by 429, because otherwise it may have been done.
//
// Requests carry the trace that their context belongs to, if there is one.
//
// Responses are read to a limit, connections are used again, redirects to other
// hosts are refused so that credentials stay with the server they are for. A
// Client is safe for concurrent use and needs no closing.
//
// # Errors
//
// What the server refuses is an [*Error]: with errors.Is an [egrid.ErrInvalid]
// for 400, [egrid.ErrNotFound] for 404, [egrid.ErrConflict] for 409,
// [egrid.ErrStale] for 410 and [egrid.ErrUnavailable] for 502, 503 and 504, as of any
// store: a server that shuts down is not told from one whose database is away, and
// the same may succeed later. What the network denies is the error of package
// net/http, an [egrid.ErrUnavailable] too where the server cannot be reached, and an
// ended context that of the context. Queries too long for a URL are an egrid.ErrInvalid.
//
// # See also
//
// Package httpapi is the server, package wire the JSON between them.
package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// Options configures a client. The zero value of every field means its default.
type Options struct {
	// HTTPClient sends the requests. The client works on a copy. Default: one
	// with connections of its own.
	HTTPClient *http.Client
	// Token is sent as a bearer token. Default none.
	Token string
	// TokenSource gives the bearer token of each attempt, in place of Token: for
	// tokens that expire. Default none.
	TokenSource func(context.Context) (string, error)
	// APIKey is sent in the header X-API-Key. Default none.
	APIKey string
	// UserAgent goes in front of the client's own name. Default none.
	UserAgent string
	// Timeout bounds one attempt, its body included; of a scan, which may take as
	// long as it needs, each batch. Default 1 minute, negative none.
	Timeout time.Duration
	// Retries is how often a request is repeated. Default 4, negative never.
	Retries int
	// Backoff is about how long the first repetition waits; each further one
	// waits twice as long. Default 250 milliseconds.
	Backoff time.Duration
	// MaxBackoff bounds every wait. A server that asks for a longer one is not
	// asked again. Default 30 seconds.
	MaxBackoff time.Duration
	// MaxResponseBytes bounds an answer, unpacked, but no scan. Default 64 MiB.
	MaxResponseBytes int64
}

// Client asks an API.
type Client struct {
	base *url.URL
	o    Options
	http *http.Client

	catalog atomic.Pointer[keptCatalog]
}

var (
	_ driver.Scanner = (*Client)(nil)
	_ driver.Runner  = (*Client)(nil)
	_ driver.Decider = (*Client)(nil)
)

// keptCatalog is the last catalogue, which the server confirms or replaces.
type keptCatalog struct {
	etag    string
	catalog egrid.Catalog
}

// New returns a client of the API at a URL, as https://grid.example/api. It
// asks nothing yet. Errors: [egrid.ErrInvalid] for what is no URL of HTTP.
func New(baseURL string, o *Options) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, fmt.Errorf("%w: the address of an API is http(s)://HOST[:PORT][/PATH], without name and password", egrid.ErrInvalid)
	}
	c := &Client{base: base}
	if o != nil {
		c.o = *o
	}
	setDefault(&c.o.Timeout, time.Minute)
	setDefault(&c.o.Retries, 4)
	setDefault(&c.o.Backoff, 250*time.Millisecond)
	setDefault(&c.o.MaxBackoff, 30*time.Second)
	setDefault(&c.o.MaxResponseBytes, 64<<20)
	c.o.UserAgent = strings.TrimSpace(c.o.UserAgent + " egrid-go")
	c.http = &http.Client{}
	if c.o.HTTPClient != nil {
		*c.http = *c.o.HTTPClient
	} else if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		own := shared.Clone()
		own.MaxIdleConnsPerHost = 16
		c.http.Transport = own
	}
	if c.http.CheckRedirect == nil {
		c.http.CheckRedirect = stayWithHost
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Catalog implements [driver.Scanner]. The server is asked whether the last
// catalogue is still the newest; callers must not change what is in it.
func (c *Client) Catalog(ctx context.Context) (egrid.Catalog, error) {
	kept := c.catalog.Load()
	header := http.Header{"Accept": {wire.TypeJSON}}
	if kept != nil && kept.etag != "" {
		header.Set("If-None-Match", kept.etag)
	}
	var answer struct{ Data *egrid.Catalog }
	a, err := c.get(ctx, "catalog", url.Values{"all": {"true"}, "schemas": {"true"}}, header)
	switch {
	case err != nil:
		return egrid.Catalog{}, err
	case a.status == http.StatusNotModified:
		return kept.catalog, nil
	}
	if err := a.decode(&answer); err != nil {
		return egrid.Catalog{}, err
	}
	if answer.Data == nil {
		return egrid.Catalog{}, errForeign(a.path, "no catalogue in it")
	}
	for i := range answer.Data.Snapshots {
		if answer.Data.Snapshots[i].Schema == nil {
			return egrid.Catalog{}, errForeign(a.path, "a snapshot without columns in it")
		}
	}
	c.catalog.Store(&keptCatalog{etag: a.header.Get("ETag"), catalog: *answer.Data})
	return *answer.Data, nil
}
