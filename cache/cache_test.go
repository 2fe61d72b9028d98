package cache_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/cache/cachetest"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// counting is a scanner that counts its plans: each row of the n-th answer is n.
// Its one snapshot is named by content.
type counting struct {
	catalogs, queries atomic.Int64
	revision          atomic.Int64
	content           atomic.Int64
	rows              int
	fail              error
	block             chan struct{} // plans wait for it, when set
	ended             atomic.Int64  // plans whose context ended while blocked
}

var schema = func() *egrid.Schema {
	f, _ := egrid.Lookup(egrid.GEN, "GENNTAN")
	s, err := egrid.NewSchema(f)
	if err != nil {
		panic(err)
	}
	return s
}()

func (c *counting) Catalog(context.Context) (egrid.Catalog, error) {
	c.catalogs.Add(1)
	catalog := egrid.Catalog{Revision: c.revision.Load(), Snapshots: []egrid.Snapshot{{
		ID: egrid.SnapshotID(fmt.Sprint("content", c.content.Load())), Level: egrid.GEN, Year: 1999, Status: egrid.Published, Schema: schema, Rows: 1 << 40,
	}}}
	driver.Seal(&catalog)
	return catalog, nil
}

func (c *counting) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		n := c.queries.Add(1)
		if c.block != nil {
			select {
			case <-c.block:
			case <-ctx.Done():
				c.ended.Add(1)
				yield(nil, ctx.Err())
				return
			}
		}
		if c.fail != nil {
			yield(nil, c.fail)
			return
		}
		b := egrid.NewBuilder(p.Output, 1999)
		for i := range max(c.rows, 1) {
			b.Number(p.Output.Index(egrid.NetGeneration), float64(n))
			b.EndRow(int64(i+1), 0)
		}
		yield(b.Batch(), nil)
	}
}

// query asks for generators, and returns the number of the plan that answered.
func query(ctx context.Context, s driver.Scanner, limit int) (int64, error) {
	page, err := store.New(s).Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Limit: limit, Columns: []egrid.Column{egrid.NetGeneration}})
	if err != nil {
		return 0, err
	}
	n, _ := page.Row(0).Float(egrid.NetGeneration)
	return int64(n), nil
}

func ask(t *testing.T, s driver.Scanner, limit int) int64 {
	t.Helper()
	n, err := query(t.Context(), s, limit)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestHits(t *testing.T) {
	behind := &counting{}
	var observed []cache.Result
	c := cache.New(behind, &cache.Options{Observe: func(r cache.Result) { observed = append(observed, r) }})
	ctx, trace := cache.WithTrace(t.Context())
	for range 3 {
		if n, err := query(ctx, c, 0); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	}
	ask(t, c, egrid.DefaultLimit) // the same, spelt out
	ask(t, c, 7)
	count := egrid.GroupQuery{Level: egrid.GEN, Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}}}
	if _, err := store.New(c).Groups(t.Context(), count); err != nil {
		t.Fatal(err)
	}
	if n := behind.queries.Load(); n != 3 {
		t.Errorf("asked %d times; want 3", n)
	}
	got := c.Stats()
	if got.Bytes == 0 {
		t.Error("answers take no memory")
	}
	got.Bytes = 0
	if want := (cache.Stats{Hits: 3, Misses: 3, Entries: 3}); got != want {
		t.Errorf("got %+v; want %+v", got, want)
	}
	if trace.Hits() != 2 || trace.Misses() != 1 {
		t.Errorf("trace: %d hits, %d misses", trace.Hits(), trace.Misses())
	}
	if got := fmt.Sprint(observed); got != "[miss hit hit hit miss miss]" {
		t.Error(got)
	}
}

func TestTTL(t *testing.T) {
	tests := []struct {
		ttl   time.Duration
		after time.Duration
		want  int64
	}{
		{0, 9 * time.Minute, 1},
		{0, 10 * time.Minute, 2},
		{time.Second, 999 * time.Millisecond, 1},
		{time.Second, time.Second, 2},
		{-1, 1000 * time.Hour, 1},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			behind := &counting{}
			c := cache.New(behind, &cache.Options{TTL: test.ttl})
			ask(t, c, 1)
			time.Sleep(test.after)
			ask(t, c, 1)
			if n := behind.queries.Load(); n != test.want {
				t.Errorf("TTL %s: asked %d times within %s; want %d", test.ttl, n, test.after, test.want)
			}
		})
	}
}

// A publish of another process is seen when the catalogue is older than its TTL.
func TestCatalogTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := &counting{}
		c := cache.New(behind, nil)
		ask(t, c, 1)
		behind.content.Store(1)
		time.Sleep(999 * time.Millisecond)
		if n := ask(t, c, 1); n != 1 {
			t.Errorf("plan %d answered: the publish came early", n)
		}
		time.Sleep(time.Millisecond)
		if n := ask(t, c, 1); n != 2 {
			t.Errorf("plan %d answered after the catalogue's time; want 2", n)
		}
		if n := behind.catalogs.Load(); n != 2 {
			t.Errorf("%d catalogues asked; want 2", n)
		}
	})
}

func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := &counting{}
		c := cache.New(behind, &cache.Options{CatalogTTL: time.Hour})
		ask(t, c, 1)
		behind.content.Store(1)
		c.Refresh()
		if n := ask(t, c, 1); n != 2 {
			t.Errorf("plan %d answered after a refresh; want 2", n)
		}
	})
}

// A store that is restored from a backup counts its revisions again, with other
// content behind them. What was kept of the content that is gone does not answer,
// and what is back answers as before.
func TestRestoredStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := &counting{}
		c := cache.New(behind, nil)
		publish := func(revision, content int64) int64 {
			behind.revision.Store(revision)
			behind.content.Store(content)
			time.Sleep(time.Second)
			return ask(t, c, 1)
		}
		a, b := publish(1, 1), publish(2, 2)
		if n := publish(1, 1); n != a {
			t.Errorf("plan %d answers for what was restored; want %d", n, a)
		}
		if n := publish(2, 3); n == b || n == a {
			t.Errorf("plan %d answers for revision 2 of other content", n)
		}
	})
}

func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := &counting{block: make(chan struct{})}
		c := cache.New(behind, nil)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if n, err := query(t.Context(), c, 0); err != nil || n != 1 {
					t.Error(n, err)
				}
			})
		}
		synctest.Wait()
		close(behind.block)
		wg.Wait()
		if got := c.Stats(); got.Misses != 1 || got.Joined != 49 || got.Entries != 1 {
			t.Errorf("got %+v; want a miss, and 49 that joined it", got)
		}
	})
}

func TestLeaderGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := &counting{block: make(chan struct{})}
		c := cache.New(behind, nil)
		first, giveUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := query(first, c, 0); !errors.Is(err, context.Canceled) {
				t.Errorf("leader: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := query(t.Context(), c, 0); err != nil {
				t.Errorf("follower: %v", err)
			}
		})
		synctest.Wait()
		giveUp()
		synctest.Wait()
		close(behind.block)
		wg.Wait()
		if n := behind.queries.Load(); n != 1 {
			t.Errorf("asked %d times; want 1", n)
		}
	})
}

func TestAllGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := &counting{block: make(chan struct{})}
		c := cache.New(behind, nil)
		ctx, giveUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = query(ctx, c, 0) })
		}
		synctest.Wait()
		giveUp()
		wg.Wait()
		synctest.Wait()
		if behind.ended.Load() != 1 {
			t.Error("the query goes on with nobody waiting")
		}
		close(behind.block)
		if n := ask(t, c, egrid.DefaultLimit); n != 2 {
			t.Errorf("joined an abandoned plan: %d", n)
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	behind := &counting{fail: egrid.ErrNotFound}
	c := cache.New(behind, nil)
	for range 2 {
		if _, err := query(t.Context(), c, 0); !errors.Is(err, egrid.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s != (cache.Stats{Errors: 2}) || behind.queries.Load() != 2 {
		t.Errorf("%+v", s)
	}
}

type panicking struct{ counting }

func (*panicking) Scan(context.Context, *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	panic("broken")
}

func TestPanicReachesTheCaller(t *testing.T) {
	t.Parallel()
	c := cache.New(&panicking{}, nil)
	defer func() {
		if recover() == nil {
			t.Error("the panic is lost")
		}
	}()
	_, _ = query(t.Context(), c, 0)
}

func TestBounds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		o       cache.Options
		rows    int
		queries int
		entries int
	}{
		{"entries", cache.Options{MaxEntries: 3}, 1, 10, 3},
		{"bytes", cache.Options{MaxBytes: 1500}, 10, 10, 2},
		{"one large page", cache.Options{MaxRows: 5}, 7, 4, 0},
		{"larger than all", cache.Options{MaxBytes: 5}, 10, 10, 0},
		{"none", cache.Options{MaxBytes: -1}, 1, 3, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := cache.New(&counting{rows: test.rows}, &test.o)
			for i := range test.queries {
				ask(t, c, i+1)
			}
			if s := c.Stats(); s.Entries != test.entries || s.Bytes > max(test.o.MaxBytes, 16<<20) || (s.Bytes == 0) != (s.Entries == 0) {
				t.Errorf("%+v; want %d entries", s, test.entries)
			}
		})
	}
}

// Readers and publishers at once: a reader never sees content older than what it
// saw before.
func TestContentGoesForward(t *testing.T) {
	behind := &counting{}
	c := cache.New(behind, &cache.Options{CatalogTTL: time.Nanosecond, MaxEntries: 4})
	db := store.New(c)
	var wg sync.WaitGroup
	for r := range 4 {
		wg.Go(func() {
			last := int64(0)
			for i := range 500 {
				page, err := db.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 1 + (i+r)%8})
				if err != nil || page.Revision < last {
					t.Errorf("revision %d after %d, %v", page.Revision, last, err)
					return
				}
				last = page.Revision
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			behind.content.Add(1)
			behind.revision.Add(1)
			c.Refresh()
		}
	})
	wg.Wait()
}

// Any plan is answered from columns that fit the budget, as the store answers it.
func TestColumns(t *testing.T) {
	backend := cachetest.SampleStore(t)
	db := store.New(backend)
	for name, test := range map[string]struct {
		budget int64
		behind bool // whether every plan needs the store
	}{"default": {0, false}, "none": {-1, true}, "too few": {1000, true}} {
		t.Run(name, func(t *testing.T) {
			c := cache.New(backend, &cache.Options{ColumnBytes: test.budget, MaxBytes: -1})
			cached := store.New(c)
			for i := range 40 {
				q := egrid.RowQuery{
					Level: egrid.PLNT, Limit: 1 + i, Count: true, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: i%2 == 0}},
					Filters: []egrid.Filter{egrid.Where(egrid.NameplateCapacity, egrid.Gt, fmt.Sprint(i))},
				}
				want, err := db.Rows(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				got, err := cached.Rows(t.Context(), q)
				if err != nil || got.String() != want.String() || got.Total != want.Total || got.Next != want.Next {
					t.Fatalf("got %v of %d, %v; want %v of %d", got.Batch, got.Total, err, want.Batch, want.Total)
				}
				// Groups that differ in order, limit and filters on groups are made once.
				g := egrid.GroupQuery{
					Level: egrid.PLNT, By: []egrid.Column{egrid.State}, Limit: 1 + i, Count: true, Sort: q.Sort,
					Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}},
					Having:   []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Gt, fmt.Sprint(1000*i))},
				}
				if i%3 == 0 {
					g.Filters = []egrid.Filter{egrid.Where(egrid.State, egrid.Ne, "TX")}
				}
				if want, err = db.Groups(t.Context(), g); err != nil {
					t.Fatal(err)
				}
				got, err = cached.Groups(t.Context(), g)
				if err != nil || got.String() != want.String() || got.Total != want.Total || got.Next != want.Next {
					t.Fatalf("got groups %v of %d, %v; want %v of %d", got.Batch, got.Total, err, want.Batch, want.Total)
				}
			}
			s := c.Stats()
			if s.Errors > 0 || (s.Computed == 0) != test.behind || s.ColumnBytes > 64<<20 || (s.Columns == 0) != test.behind {
				t.Errorf("%+v", s)
			}
			if !test.behind && s.Misses > 3 {
				t.Errorf("%d plans needed the store; want those alone that met a column first", s.Misses)
			}
		})
	}
}

// What was read ahead answers the first queries of the newest snapshots.
func TestWarm(t *testing.T) {
	t.Parallel()
	backend := cachetest.SampleStore(t)
	for name, test := range map[string]struct {
		budget int64
		warm   bool
	}{"default": {0, true}, "none": {-1, false}, "too few": {10, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cache.New(backend, &cache.Options{ColumnBytes: test.budget})
			if err := c.Warm(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := c.Stats()
			if (s.Columns > 0) != test.warm || s.ColumnBytes > 32<<20 {
				t.Errorf("%+v", s)
			}
			page, err := store.New(c).Rows(t.Context(), egrid.RowQuery{Level: egrid.PLNT, Search: "a", Sort: []egrid.Sort{{Column: egrid.PlantName}}})
			if err != nil || page.Len() == 0 {
				t.Fatalf("%d rows, %v", page.Len(), err)
			}
			if s = c.Stats(); (s.Computed == 1) != test.warm || (s.Misses == 0) != test.warm {
				t.Errorf("the first query: %+v", s)
			}
		})
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := cache.New(backend, nil).Warm(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context ended: %v", err)
	}
	away := errors.New("the store is away")
	if err := cache.New(&counting{fail: away}, &cache.Options{ColumnBytes: 1 << 60}).Warm(t.Context()); !errors.Is(err, away) {
		t.Errorf("a store that fails: %v", err)
	}
}

// Columns of snapshots that were pruned are dropped with the next catalogue.
func TestColumnsOfPrunedSnapshots(t *testing.T) {
	backend := cachetest.SampleStore(t)
	c := cache.New(backend, &cache.Options{CatalogTTL: -1, MaxBytes: -1})
	largest := egrid.RowQuery{Level: egrid.PLNT, Sort: []egrid.Sort{{Column: egrid.NetGeneration}}, Limit: 1}
	page, err := store.New(c).Rows(t.Context(), largest)
	if err != nil || c.Stats().Columns == 0 {
		t.Fatalf("%+v, %v", c.Stats(), err)
	}
	if _, err := store.New(c).Groups(t.Context(), egrid.GroupQuery{Level: egrid.PLNT, By: []egrid.Column{egrid.State}, Measures: []egrid.Measure{{Func: egrid.Count, As: "rows"}}}); err != nil {
		t.Fatal(err)
	}
	old := page.Snapshots[0]
	plant, err := store.New(backend).Rows(t.Context(), egrid.RowQuery{Level: egrid.PLNT, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	cachetest.Replace(t, backend, &old, plant.Batch)
	if _, err := backend.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.New(c).At(old.ID).Rows(t.Context(), largest); !errors.Is(err, egrid.ErrStale) {
		t.Errorf("reading what was pruned: %v; want ErrStale", err)
	}
	if s := c.Stats(); s.Columns != 0 || s.ColumnBytes != 0 {
		t.Errorf("%+v: columns of a pruned snapshot stay", s)
	}
}

func BenchmarkHit(b *testing.B) {
	c := cache.New(&counting{rows: 100}, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := query(b.Context(), c, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleNew() {
	ctx := context.Background()
	backend := memstore.New()
	defer backend.Close()
	file := strings.NewReader("YEAR,PSTATABB,PNAME,ORISPL,PLNGENAN\n2023,AZ,Palo Verde,6008,31522590\n")
	if _, err := store.Load(ctx, backend, file, nil); err != nil {
		fmt.Println(err)
	}
	c := cache.New(backend, nil)
	db := store.New(c)
	for limit := range 3 {
		if _, err := db.Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Limit: 1 + limit}); err != nil {
			fmt.Println(err)
		}
	}
	stats := c.Stats()
	fmt.Println(stats.Misses, "plan read columns,", stats.Computed, "were computed on them")
	// Output: 1 plan read columns, 2 were computed on them
}
