// Package cache keeps the answers of an [egrid.Querier]: it is itself a
// Querier, and stands in front of any other.
//
//	q := cache.New(store, nil)
//	page, err := q.Rows(ctx, egrid.RowQuery{Level: egrid.GEN})
//	fmt.Println(q.Stats().Hits)
//
// # Guarantees
//
// Answers are kept by revision and query. A publish makes a new revision, so
// there is nothing to invalidate: answers of the old one are not asked for
// again and make room in time.
//
// The revision is that of a catalogue which is at most Options.CatalogTTL old.
// So an answer is at most that much behind what other processes publish. It is
// not behind at all for what this process has seen: a newer revision in any
// answer, or a call of [Cache.Refresh], ends the use of the older catalogue.
//
// Equal queries that come at once are asked once. The query goes on as long as
// one of the callers waits for it; a caller that gives up fails alone.
//
// Options.Shared adds a second level that several processes share. Its keys
// are made of all that an answer depends on: the namespace, what is published,
// the revision and the query. So nothing in it is ever invalidated, and
// different stores may use the same one. A value comes back exactly as it was
// kept, or not at all. A query waits Options.SharedTimeout for it at most, and
// never when it was lately away: then the first level works alone.
//
// What is kept is bounded by entries and by cells; pages of exports pass by.
// Answers are shared between callers, who must not change them. A Cache is
// safe for concurrent use and needs no closing. Its goroutines end with their
// query, those that write to the second level a second later at most.
//
// # Errors
//
// Those of the Querier behind it, which are never kept. Those of the second
// level are logged, and make misses.
//
// # See also
//
// Package rediscache is a second level.
package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Options bounds a cache. The zero value of every field means its default.
type Options struct {
	// MaxEntries is how many answers are kept; default 4,096.
	MaxEntries int
	// MaxCells is how many cells all kept answers have together; default
	// 400,000. A cell takes 32 bytes and its text.
	MaxCells int
	// MaxPageRows is up to how many rows an answer is kept; default 1,000.
	// Exports read larger pages, once.
	MaxPageRows int
	// TTL is how long an answer is kept; default 10 minutes, negative is
	// forever. It frees memory: answers do not become wrong with age.
	TTL time.Duration
	// CatalogTTL is how long a catalogue is believed to be the newest; default
	// 1 second, negative asks for every query.
	CatalogTTL time.Duration
	// Observe is called with the result of every Rows and Groups query, on
	// the caller's goroutine: for metrics. Default none.
	Observe func(Result)

	// Shared is the second level; default none. The Cache borrows it.
	Shared SharedLevel
	// Namespace sets apart what is kept in Shared: processes with equal
	// namespaces share answers. Programs that may answer differently, such as
	// versions of one, have different ones.
	Namespace string
	// SharedTTL is how long Shared keeps an answer; default 1 hour.
	SharedTTL time.Duration
	// SharedTimeout is how long a query waits for Shared; default 50 ms.
	SharedTimeout time.Duration
	// SharedMaxBytes is how large a value in Shared may be; default 1 MiB.
	SharedMaxBytes int
	// Logger is told when Shared goes away and when it is back; default none.
	Logger *slog.Logger
}

// Result says how a query was answered.
type Result string

// The results.
const (
	Hit       Result = "hit"        // kept from before
	RemoteHit Result = "remote_hit" // kept in Options.Shared, often by another process
	Miss      Result = "miss"       // asked of the Querier behind
	Shared    Result = "shared"     // waited for another caller's query
	Failed    Result = "error"      // the Querier behind failed, or the caller gave up
)

// Stats counts what a cache did since it was made.
type Stats struct {
	Hits, RemoteHits, Misses, Shared, Errors int64

	Entries int // answers kept now
	Cells   int // cells of these answers

	// Every answer that is asked of the Querier behind is written to
	// Options.Shared, if there is one, or left out: too large, of a revision
	// that is not the catalogue's, or while Shared is busy or away.
	Written, LeftOut int64
}

// Cache is an [egrid.Querier] that keeps the answers of another.
type Cache struct {
	behind egrid.Querier
	o      Options

	second *second // nil when there is none

	hits, remoteHits, misses, shared, errors atomic.Int64

	mu      sync.Mutex
	answers *simplelru.LRU[string, answer]
	cells   int
	flights map[string]*flight[egrid.RowPage]

	catalog       *catalog // nil when there is none to believe
	catalogUntil  time.Time
	catalogFlight *flight[*catalog]
	newest        int64 // highest revision seen
}

var _ egrid.Querier = (*Cache)(nil)

type answer struct {
	page  egrid.RowPage
	until time.Time // zero is forever
	cells int
}

// New returns an empty cache of q. It borrows q, whose owner closes it.
func New(q egrid.Querier, o *Options) *Cache {
	c := &Cache{behind: q, flights: map[string]*flight[egrid.RowPage]{}}
	if o != nil {
		c.o = *o
	}
	setDefault(&c.o.MaxEntries, 4096)
	setDefault(&c.o.MaxCells, 400_000)
	setDefault(&c.o.MaxPageRows, 1000)
	setDefault(&c.o.TTL, 10*time.Minute)
	setDefault(&c.o.CatalogTTL, time.Second)
	if c.o.Shared != nil {
		c.second = newSecond(&c.o)
	}
	var err error
	if c.answers, err = simplelru.NewLRU(c.o.MaxEntries, func(_ string, a answer) { c.cells -= a.cells }); err != nil {
		panic("cache: Options.MaxEntries is negative")
	}
	return c
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Refresh makes the next query ask for the catalogue. A host that publishes
// calls it afterwards, so that its own readers see the publish at once.
func (c *Cache) Refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.catalog = nil
	// A catalogue that is being asked for may be from before the publish.
	c.catalogFlight = nil
}

// Stats returns the counts so far.
func (c *Cache) Stats() Stats {
	s := Stats{
		Hits: c.hits.Load(), RemoteHits: c.remoteHits.Load(), Misses: c.misses.Load(),
		Shared: c.shared.Load(), Errors: c.errors.Load(),
	}
	if c.second != nil {
		s.Written, s.LeftOut = c.second.written.Load(), c.second.leftOut.Load()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Entries, s.Cells = c.answers.Len(), c.cells
	return s
}

// Catalog implements [egrid.Querier]; the answer is at most
// Options.CatalogTTL old.
func (c *Cache) Catalog(ctx context.Context) (egrid.Catalog, error) {
	known, err := c.believe(ctx)
	if err != nil {
		return egrid.Catalog{}, err
	}
	return known.Catalog, nil
}

// believe returns the catalogue that is believed to be the newest.
func (c *Cache) believe(ctx context.Context) (*catalog, error) {
	c.mu.Lock()
	if c.catalog != nil && time.Now().Before(c.catalogUntil) {
		defer c.mu.Unlock()
		return c.catalog, nil
	}
	f := c.catalogFlight
	if f == nil {
		asked := time.Now()
		f = start(ctx, c.askCatalog, func(f *flight[*catalog]) { c.landCatalog(f, asked) })
		c.catalogFlight = f
	}
	f.waiting++
	c.mu.Unlock()
	return wait(ctx, c, f, func() {
		if c.catalogFlight == f {
			c.catalogFlight = nil
		}
	})
}

func (c *Cache) askCatalog(ctx context.Context) (*catalog, error) {
	answer, err := c.behind.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	if c.second == nil {
		return &catalog{Catalog: answer}, nil
	}
	return c.second.identify(answer), nil
}

// landCatalog keeps a catalogue unless a newer revision was seen meanwhile.
func (c *Cache) landCatalog(f *flight[*catalog], asked time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalogFlight != f {
		return // refreshed or abandoned
	}
	c.catalogFlight = nil
	if f.err != nil || f.panicked != nil || f.value.Revision < c.newest {
		return
	}
	c.newest = f.value.Revision
	c.catalog, c.catalogUntil = f.value, asked.Add(c.o.CatalogTTL)
}

// Rows implements [egrid.Querier].
func (c *Cache) Rows(ctx context.Context, q egrid.RowQuery) (egrid.RowPage, error) {
	if q.Limit == 0 {
		q.Limit = egrid.DefaultLimit
	}
	return c.query(ctx, question{"rows", q, q.Limit}, func(ctx context.Context) (egrid.RowPage, error) { return c.behind.Rows(ctx, q) })
}

// Groups implements [egrid.Querier].
func (c *Cache) Groups(ctx context.Context, q egrid.GroupQuery) (egrid.RowPage, error) {
	if q.Limit == 0 {
		q.Limit = egrid.DefaultLimit
	}
	return c.query(ctx, question{"groups", q, q.Limit}, func(ctx context.Context) (egrid.RowPage, error) { return c.behind.Groups(ctx, q) })
}

// question is a query of either kind.
type question struct {
	kind  string
	query any
	limit int
}

// asking is a question on its way to the Querier behind.
type asking func(context.Context) (egrid.RowPage, error)

func (c *Cache) query(ctx context.Context, q question, ask asking) (egrid.RowPage, error) {
	page, result, err := c.lookup(ctx, q, ask)
	if err != nil {
		result = Failed
	}
	switch result {
	case Hit:
		c.hits.Add(1)
	case RemoteHit:
		c.remoteHits.Add(1)
	case Miss:
		c.misses.Add(1)
	case Shared:
		c.shared.Add(1)
	case Failed:
		c.errors.Add(1)
	}
	if c.o.Observe != nil {
		c.o.Observe(result)
	}
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		t.add(result)
	}
	return page, err
}

func (c *Cache) lookup(ctx context.Context, q question, ask asking) (egrid.RowPage, Result, error) {
	if err := ctx.Err(); err != nil {
		return egrid.RowPage{}, Failed, err
	}
	text, err := json.Marshal(q.query)
	if err != nil {
		return egrid.RowPage{}, Failed, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
	}
	known, err := c.believe(ctx)
	if err != nil {
		return egrid.RowPage{}, Failed, err
	}
	query := q.kind + string(text)
	key := strconv.FormatInt(known.Revision, 10) + query

	c.mu.Lock()
	if a, ok := c.answers.Get(key); ok {
		if a.until.IsZero() || time.Now().Before(a.until) {
			c.mu.Unlock()
			return a.page, Hit, nil
		}
		c.answers.Remove(key)
	}
	leads, remote := false, false
	f := c.flights[key]
	if f == nil {
		leads = true
		if c.second != nil {
			key := ""
			if q.limit <= c.o.MaxPageRows {
				key = c.second.key(known, query)
			}
			ask = c.throughSecond(known, key, ask, &remote)
		}
		f = start(ctx, ask, func(f *flight[egrid.RowPage]) { c.land(key, query, f) })
		c.flights[key] = f
	}
	f.waiting++
	c.mu.Unlock()
	page, err := wait(ctx, c, f, func() {
		if c.flights[key] == f {
			delete(c.flights, key)
		}
	})
	switch {
	case err != nil:
		return page, Failed, err
	case !leads:
		return page, Shared, nil
	case remote:
		return page, RemoteHit, nil
	}
	return page, Miss, nil
}

// throughSecond asks the second level first, and gives it the answer that it
// does not have. Whether it had it is in remote when the query has ended.
func (c *Cache) throughSecond(known *catalog, key string, ask asking, remote *bool) asking {
	return func(ctx context.Context) (egrid.RowPage, error) {
		if page, ok := c.second.get(ctx, key, known); ok && !c.isOutdated(page.Revision) {
			*remote = true
			return page, nil
		}
		if err := ctx.Err(); err != nil {
			return egrid.RowPage{}, err // nobody waits any more
		}
		page, err := ask(ctx)
		if err == nil {
			c.second.offer(key, page, known)
		}
		return page, err
	}
}

// isOutdated reports whether a newer revision than this was seen.
func (c *Cache) isOutdated(revision int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return revision < c.newest
}

// land keeps an answer under the revision that gave it, which may be newer
// than the one it was asked for.
func (c *Cache) land(key, query string, f *flight[egrid.RowPage]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] == f {
		delete(c.flights, key)
	}
	if f.err != nil || f.panicked != nil {
		return
	}
	page := f.value
	if page.Revision > c.newest {
		c.newest = page.Revision
		c.catalog, c.catalogFlight = nil, nil // one that is on its way may be older, too
	}
	a := answer{page: page, cells: cells(&page)}
	if len(page.Rows) > c.o.MaxPageRows || a.cells > c.o.MaxCells {
		return
	}
	if c.o.TTL > 0 {
		a.until = time.Now().Add(c.o.TTL)
	}
	key = strconv.FormatInt(page.Revision, 10) + query
	c.answers.Remove(key)
	c.answers.Add(key, a)
	for c.cells += a.cells; c.cells > c.o.MaxCells; {
		c.answers.RemoveOldest()
	}
}

// cells is what a page counts towards Options.MaxCells.
func cells(page *egrid.RowPage) int {
	if page.Schema == nil {
		return 1
	}
	return 1 + len(page.Rows)*page.Schema.Len()
}

// Trace counts how the queries of one context were answered.
type Trace struct{ hits, others atomic.Int64 }

type traceKey struct{}

// WithTrace returns a context whose queries are counted in the trace, e.g. to
// tell a client whether its answer came from a cache.
func WithTrace(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{}
	return context.WithValue(ctx, traceKey{}, t), t
}

func (t *Trace) add(r Result) {
	if r == Hit || r == RemoteHit {
		t.hits.Add(1)
	} else {
		t.others.Add(1)
	}
}

// Hits returns the queries answered from what was kept, in either level.
func (t *Trace) Hits() int64 { return t.hits.Load() }

// Misses returns the queries that had to be asked, or waited for.
func (t *Trace) Misses() int64 { return t.others.Load() }
