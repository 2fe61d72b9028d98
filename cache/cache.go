// Package cache answers from memory what a [driver.Scanner] would have to read:
// it is itself a Scanner, and stands in front of any other.
//
//	db := store.New(cache.New(backend, nil))
//	page, err := db.Rows(ctx, egrid.RowQuery{Level: egrid.GEN})
//
// It keeps columns of snapshots, and the answers of plans. A query whose columns
// fit Options.ColumnBytes is executed in memory; the first one that needs a
// column reads it. Any other goes to the Scanner behind.
//
// Start with [New]; [Options] bounds its memory, adds a second level and observes hits and
// misses for metrics.
//
// # Guarantees
//
// A plan names snapshots, which never change, and is kept under its key. So
// nothing is ever invalidated: a publish, a restore, a failover or a replica that
// lags makes plans of other snapshots. What is kept of snapshots that nobody asks
// for any more makes room in time.
//
// What is planned against is a catalogue at most Options.CatalogTTL old: an
// answer is at most that much behind what other processes publish.
// [Cache.Refresh] ends the use of the older catalogue.
//
// Equal plans that come at once are executed once. The work goes on as long as
// one of the callers waits for it; a caller that gives up fails alone.
//
// Options.Shared adds a second level that several processes share. A plan waits
// Options.SharedTimeout for it at most, and never when it was lately away.
//
// Answers are shared between callers. A Cache is safe for concurrent use and
// needs no closing. Its goroutines end with their work, those that write to the
// second level a second later at most.
//
// # Errors
//
// Those of the Scanner behind it, which are never kept. Those of the second
// level are logged, and make misses.
//
// # See also
//
// Package rediscache is a second level.
package cache

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Options bounds a cache. The zero value of every field means its default.
type Options struct {
	// CatalogTTL is for how long a catalogue is used before the next is asked
	// for; default 1 second, -1 asks for every query.
	CatalogTTL time.Duration
	// ColumnBytes is how much memory columns of snapshots take at most; default
	// 64 MiB, -1 keeps none.
	ColumnBytes int64
	// Logger is told when Shared goes away and when it is back; default none.
	Logger *slog.Logger
	// MaxBytes is how much memory answers take at most; default 16 MiB, -1 keeps
	// none.
	MaxBytes int64
	// MaxEntries is how many answers are kept; default 4,096.
	MaxEntries int
	// MaxRows is up to how many rows an answer is kept; default 1,000. Exports
	// have more, and are asked for once.
	MaxRows int
	// Namespace sets apart what is kept in Shared: processes with equal
	// namespaces share answers. Programs that may answer differently, such as
	// versions of one, have different ones.
	Namespace string
	// Observe is called with the result of every Scan, on the caller's
	// goroutine: for metrics. Default none.
	Observe func(Result)
	// Shared is the second level; default none. The Cache borrows it.
	Shared SharedLevel
	// SharedMaxBytes is how large a value in Shared may be; default 1 MiB.
	SharedMaxBytes int
	// SharedTimeout is how long a plan waits for Shared; default 50 ms.
	SharedTimeout time.Duration
	// SharedTTL is how long Shared keeps an answer; default 1 hour.
	SharedTTL time.Duration
	// TTL is how long an answer is kept; default 10 minutes, -1 is forever. It
	// frees memory: answers do not become wrong with age.
	TTL time.Duration
}

// Result says how a plan was answered.
type Result string

// The results.
const (
	Hit       Result = "hit"        // kept from before
	Computed  Result = "computed"   // executed in memory, on kept columns
	RemoteHit Result = "remote_hit" // kept in Options.Shared, often by another process
	Miss      Result = "miss"       // asked of the Scanner behind, for the answer or for columns
	Joined    Result = "joined"     // waited for another caller's equal plan
	Failed    Result = "error"      // the Scanner behind failed, or the caller gave up
)

// Stats counts what a cache did since it was made.
type Stats struct {
	Hits, Computed, RemoteHits, Misses, Joined, Errors int64

	Entries     int   // answers kept now
	Bytes       int64 // of these answers
	Columns     int   // columns kept now
	ColumnBytes int64 // of these columns

	// Every answer that the Scanner behind gave is written to Options.Shared, or
	// left out: too large, or while Shared is busy or away.
	Written, LeftOut int64
}

// Cache is a [driver.Scanner] that answers from memory for another.
type Cache struct {
	behind  driver.Scanner
	o       Options
	second  *second  // nil when there is none
	columns *columns // nil when none are kept

	counts [6]atomic.Int64 // by place in results

	mu      sync.Mutex
	answers *simplelru.LRU[string, answer]
	bytes   int64
	flights map[string]*flight[answered]

	catalog       *egrid.Catalog // nil when the next query asks
	catalogUntil  time.Time
	catalogFlight *flight[egrid.Catalog]
}

var results = [...]Result{Hit, Computed, RemoteHit, Miss, Joined, Failed}

var _ driver.Scanner = (*Cache)(nil)

type answer struct {
	batch *egrid.Batch
	until time.Time // zero is forever
	bytes int64
}

// answered is an answer and how it was come by.
type answered struct {
	batch  *egrid.Batch
	result Result
}

// New returns an empty cache of s. It borrows s, whose owner closes it.
func New(s driver.Scanner, o *Options) *Cache {
	c := &Cache{behind: s, flights: map[string]*flight[answered]{}}
	if o != nil {
		c.o = *o
	}
	setDefault(&c.o.MaxEntries, 4096)
	setDefault(&c.o.MaxBytes, 16<<20)
	setDefault(&c.o.MaxRows, 1000)
	setDefault(&c.o.TTL, 10*time.Minute)
	setDefault(&c.o.CatalogTTL, time.Second)
	setDefault(&c.o.ColumnBytes, 64<<20)
	if c.o.Shared != nil {
		c.second = newSecond(&c.o)
	}
	if c.o.ColumnBytes > 0 {
		c.columns = newColumns(s, c.o.ColumnBytes)
	}
	c.answers, _ = simplelru.NewLRU(max(c.o.MaxEntries, 1), func(_ string, a answer) { c.bytes -= a.bytes }) // the size is positive
	return c
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Refresh makes the next query ask for the catalogue. A host that publishes
// calls it afterwards, so that its own readers see the publish at once.
func (c *Cache) Refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A catalogue that is being asked for may be from before the publish.
	c.catalog, c.catalogFlight = nil, nil
}

// Warm reads the columns of what is asked most, the newest snapshot of each
// level, the smallest first and up to half of Options.ColumnBytes, so that the
// first queries need not wait for them. Without it columns are read when a query
// needs them. Errors: those of the Scanner behind, and of a ctx that ends; what was
// read until then is kept.
func (c *Cache) Warm(ctx context.Context) error {
	if c.columns == nil {
		return nil
	}
	catalog, err := c.Catalog(ctx)
	if err != nil {
		return err
	}
	return c.columns.warm(ctx, catalog)
}

// Stats returns the counts so far.
func (c *Cache) Stats() Stats {
	s := Stats{
		Hits: c.counts[0].Load(), Computed: c.counts[1].Load(), RemoteHits: c.counts[2].Load(),
		Misses: c.counts[3].Load(), Joined: c.counts[4].Load(), Errors: c.counts[5].Load(),
	}
	if c.second != nil {
		s.Written, s.LeftOut = c.second.written.Load(), c.second.leftOut.Load()
	}
	if c.columns != nil {
		s.Columns, s.ColumnBytes = c.columns.size()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Entries, s.Bytes = c.answers.Len(), c.bytes
	return s
}

// Catalog implements [driver.Scanner]; the answer is at most Options.CatalogTTL
// old.
func (c *Cache) Catalog(ctx context.Context) (egrid.Catalog, error) {
	c.mu.Lock()
	if c.catalog != nil && time.Now().Before(c.catalogUntil) {
		defer c.mu.Unlock()
		return *c.catalog, nil
	}
	f := c.catalogFlight
	if f == nil {
		asked := time.Now()
		f = start(ctx, c.behind.Catalog, func(f *flight[egrid.Catalog]) { c.keepCatalog(f, asked) })
		c.catalogFlight = f
	}
	f.waiting++
	c.mu.Unlock()
	return wait(ctx, &c.mu, f, func() {
		if c.catalogFlight == f {
			c.catalogFlight = nil
		}
	})
}

// keepCatalog keeps a catalogue, unless Refresh was called since it was asked
// for.
func (c *Cache) keepCatalog(f *flight[egrid.Catalog], asked time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalogFlight != f {
		return // refreshed, or nobody waits for it
	}
	c.catalogFlight = nil
	if f.err == nil && f.panicked == nil {
		c.catalog, c.catalogUntil = &f.value, asked.Add(c.o.CatalogTTL)
		if c.columns != nil {
			c.columns.retain(f.value)
		}
	}
}

// Scan implements [driver.Scanner].
func (c *Cache) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	if p.Limit == 0 && !p.Count && len(p.Measures) == 0 || p.Limit > c.o.MaxRows+1 {
		return c.stream(ctx, p)
	}
	return func(yield func(*egrid.Batch, error) bool) {
		a, err := c.lookup(ctx, p)
		if err != nil {
			a.result = Failed
		}
		c.count(ctx, a.result)
		if err != nil {
			yield(nil, err)
		} else if a.batch.Len() > 0 {
			yield(a.batch, nil)
		}
	}
}

// count counts a result, and tells whoever observes.
func (c *Cache) count(ctx context.Context, r Result) {
	for i, result := range results {
		if r == result {
			c.counts[i].Add(1)
		}
	}
	if c.o.Observe != nil {
		c.o.Observe(r)
	}
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		t.add(r)
	}
}

// stream answers a plan of many rows, and keeps nothing of the answer.
func (c *Cache) stream(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		answer, result, err := c.execute(ctx, p)
		if err != nil {
			c.count(ctx, Failed)
			yield(nil, err)
			return
		}
		c.count(ctx, result)
		if c.second != nil && result == Miss {
			c.second.leftOut.Add(1)
		}
		answer(yield)
	}
}

// execute answers a plan from columns where they fit, else from the Scanner
// behind.
func (c *Cache) execute(ctx context.Context, p *driver.Plan) (iter.Seq2[*egrid.Batch, error], Result, error) {
	if c.columns != nil {
		answer, read, err := c.columns.scan(ctx, p)
		switch {
		case err != nil:
			return nil, Failed, err
		case answer != nil && read:
			return answer, Miss, nil
		case answer != nil:
			return answer, Computed, nil
		}
	}
	return c.behind.Scan(ctx, p), Miss, nil
}

// lookup returns a kept answer, joins an equal plan, or executes this one.
func (c *Cache) lookup(ctx context.Context, p *driver.Plan) (answered, error) {
	if err := ctx.Err(); err != nil {
		return answered{}, err
	}
	key := string(p.Key())
	c.mu.Lock()
	if a, ok := c.answers.Get(key); ok {
		if a.until.IsZero() || time.Now().Before(a.until) {
			c.mu.Unlock()
			return answered{a.batch, Hit}, nil
		}
		c.answers.Remove(key)
	}
	f := c.flights[key]
	leads := f == nil
	if leads {
		f = start(ctx, func(ctx context.Context) (answered, error) { return c.answer(ctx, p, key) }, func(f *flight[answered]) { c.land(key, f) })
		c.flights[key] = f
	}
	f.waiting++
	c.mu.Unlock()
	a, err := wait(ctx, &c.mu, f, func() {
		if c.flights[key] == f {
			delete(c.flights, key)
		}
	})
	if !leads {
		a.result = Joined
	}
	return a, err
}

// answer executes a plan whose columns are in memory. Else it asks the second
// level, executes the plan if need be, and gives the second level what it did not
// have.
func (c *Cache) answer(ctx context.Context, p *driver.Plan, key string) (answered, error) {
	if c.second != nil && !(c.columns != nil && c.columns.have(p)) {
		if b, ok := c.second.get(ctx, key, p.Output); ok {
			return answered{b, RemoteHit}, nil
		}
		if err := ctx.Err(); err != nil {
			return answered{}, err // nobody waits any more
		}
	}
	parts, result, err := c.execute(ctx, p)
	if err != nil {
		return answered{}, err
	}
	var batches []*egrid.Batch
	for b, err := range parts {
		if err != nil {
			return answered{}, err
		}
		batches = append(batches, b)
	}
	b := egrid.Concat(p.Output, batches...)
	if c.second != nil && result == Miss {
		c.second.offer(key, b)
	}
	return answered{b, result}, nil
}

// land keeps the answer of a flight.
func (c *Cache) land(key string, f *flight[answered]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] == f {
		delete(c.flights, key)
	}
	if f.err != nil || f.panicked != nil {
		return
	}
	a := answer{batch: f.value.batch, bytes: int64(len(key)) + f.value.batch.Bytes()}
	if a.batch.Len() > c.o.MaxRows+1 || a.bytes > c.o.MaxBytes {
		return
	}
	if c.o.TTL > 0 {
		a.until = time.Now().Add(c.o.TTL)
	}
	c.answers.Remove(key)
	c.answers.Add(key, a)
	for c.bytes += a.bytes; c.bytes > c.o.MaxBytes; {
		c.answers.RemoveOldest()
	}
}

// Trace counts how the plans of one context were answered.
type Trace struct{ hits, others atomic.Int64 }

type traceKey struct{}

// WithTrace returns a context whose plans are counted in the trace, e.g. to
// tell a client whether its answer came from memory.
func WithTrace(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{}
	return context.WithValue(ctx, traceKey{}, t), t
}

func (t *Trace) add(r Result) {
	if r == Hit || r == RemoteHit || r == Computed {
		t.hits.Add(1)
	} else {
		t.others.Add(1)
	}
}

// Hits returns the plans answered from memory, or from the second level.
func (t *Trace) Hits() int64 { return t.hits.Load() }

// Misses returns the plans that had to be asked, or waited for.
func (t *Trace) Misses() int64 { return t.others.Load() }
