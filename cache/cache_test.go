package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
)

// counting is a querier of n rows per answer that counts its queries.
type counting struct {
	catalogs, queries atomic.Int64
	revision          atomic.Int64
	rows              int
	fail              error
	block             chan struct{} // queries wait for it, when set
	ended             atomic.Int64  // queries whose context ended while blocked
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
	return egrid.Catalog{Revision: c.revision.Load()}, nil
}

func (c *counting) Rows(ctx context.Context, _ egrid.RowQuery) (egrid.RowPage, error) {
	n := c.queries.Add(1)
	if c.block != nil {
		select {
		case <-c.block:
		case <-ctx.Done():
			c.ended.Add(1)
			return egrid.RowPage{}, ctx.Err()
		}
	}
	page := egrid.RowPage{Schema: schema, Revision: c.revision.Load(), Total: n}
	for range c.rows {
		page.Rows = append(page.Rows, egrid.Row{Schema: schema, Values: []egrid.Value{egrid.IntegerOf(n)}})
	}
	return page, c.fail
}

func (c *counting) Groups(ctx context.Context, _ egrid.GroupQuery) (egrid.RowPage, error) {
	return c.Rows(ctx, egrid.RowQuery{})
}

func ask(t *testing.T, q egrid.Querier, limit int) egrid.RowPage {
	t.Helper()
	page, err := q.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestHits(t *testing.T) {
	t.Parallel()
	behind := &counting{rows: 1}
	var observed []cache.Result
	c := cache.New(behind, &cache.Options{Observe: func(r cache.Result) { observed = append(observed, r) }})
	ctx, trace := cache.WithTrace(t.Context())
	for range 3 {
		if page, err := c.Rows(ctx, egrid.RowQuery{Level: egrid.GEN}); err != nil || page.Total != 1 {
			t.Fatal(page.Total, err)
		}
	}
	ask(t, c, egrid.DefaultLimit) // the same, spelt out
	ask(t, c, 7)
	if _, err := c.Groups(t.Context(), egrid.GroupQuery{Level: egrid.GEN}); err != nil {
		t.Fatal(err)
	}
	if n := behind.queries.Load(); n != 3 {
		t.Errorf("asked %d times; want 3", n)
	}
	want := cache.Stats{Hits: 3, Misses: 3, Entries: 3, Cells: 6}
	if got := c.Stats(); got != want {
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
		behind.revision.Store(1)
		time.Sleep(999 * time.Millisecond)
		if page := ask(t, c, 1); page.Revision != 0 {
			t.Errorf("revision %d came early", page.Revision)
		}
		time.Sleep(time.Millisecond)
		if page := ask(t, c, 1); page.Revision != 1 {
			t.Errorf("revision %d after the catalogue's time; want 1", page.Revision)
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
		behind.revision.Store(1)
		c.Refresh()
		if page := ask(t, c, 1); page.Revision != 1 {
			t.Errorf("revision %d after a refresh; want 1", page.Revision)
		}
	})
}

// An answer with a newer revision than the catalogue's ends the catalogue.
func TestNewerAnswerEndsCatalog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := &counting{}
		c := cache.New(behind, &cache.Options{CatalogTTL: time.Hour})
		ask(t, c, 1)
		behind.revision.Store(1)
		if page := ask(t, c, 2); page.Revision != 1 {
			t.Fatalf("revision %d", page.Revision)
		}
		if page := ask(t, c, 1); page.Revision != 1 {
			t.Errorf("revision %d after revision 1 was seen", page.Revision)
		}
		if page := ask(t, c, 2); page.Revision != 1 || behind.queries.Load() != 3 {
			t.Errorf("the newer answer was not kept: %d queries", behind.queries.Load())
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
				if page, err := c.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN}); err != nil || page.Total != 1 {
					t.Error(page.Total, err)
				}
			})
		}
		synctest.Wait()
		close(behind.block)
		wg.Wait()
		want := cache.Stats{Misses: 1, Shared: 49, Entries: 1, Cells: 1}
		if got := c.Stats(); got != want {
			t.Errorf("got %+v; want %+v", got, want)
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
			if _, err := c.Rows(first, egrid.RowQuery{Level: egrid.GEN}); !errors.Is(err, context.Canceled) {
				t.Errorf("leader: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := c.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN}); err != nil {
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
			wg.Go(func() { _, _ = c.Rows(ctx, egrid.RowQuery{Level: egrid.GEN}) })
		}
		synctest.Wait()
		giveUp()
		wg.Wait()
		synctest.Wait()
		if behind.ended.Load() != 1 {
			t.Error("the query goes on with nobody waiting")
		}
		close(behind.block)
		if page := ask(t, c, egrid.DefaultLimit); page.Total != 2 {
			t.Errorf("joined an abandoned query: %d", page.Total)
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	behind := &counting{fail: egrid.ErrNotFound}
	c := cache.New(behind, nil)
	for range 2 {
		if _, err := c.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN}); !errors.Is(err, egrid.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s != (cache.Stats{Errors: 2}) || behind.queries.Load() != 2 {
		t.Errorf("%+v", s)
	}
}

type panicking struct{ counting }

func (*panicking) Rows(context.Context, egrid.RowQuery) (egrid.RowPage, error) { panic("broken") }

func TestPanicReachesTheCaller(t *testing.T) {
	t.Parallel()
	c := cache.New(&panicking{}, nil)
	defer func() {
		if recover() == nil {
			t.Error("the panic is lost")
		}
	}()
	_, _ = c.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN})
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
		{"cells", cache.Options{MaxCells: 25}, 10, 10, 2},
		{"one large page", cache.Options{MaxPageRows: 5}, 6, 10, 0},
		{"larger than all", cache.Options{MaxCells: 5}, 10, 10, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := cache.New(&counting{rows: test.rows}, &test.o)
			for i := range test.queries {
				ask(t, c, i+1)
			}
			s := c.Stats()
			if s.Entries != test.entries || s.Cells != test.entries*(test.rows+1) {
				t.Errorf("%+v; want %d entries", s, test.entries)
			}
		})
	}
}

// Readers and publishers at once: a reader never sees a revision older than
// one it saw before.
func TestRevisionsGoForward(t *testing.T) {
	t.Parallel()
	behind := &counting{rows: 1}
	c := cache.New(behind, &cache.Options{CatalogTTL: time.Nanosecond, MaxEntries: 4})
	var wg sync.WaitGroup
	for r := range 4 {
		wg.Go(func() {
			last := int64(0)
			for i := range 500 {
				page, err := c.Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 1 + (i+r)%8})
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
			behind.revision.Add(1)
			c.Refresh()
		}
	})
	wg.Wait()
}

func BenchmarkHit(b *testing.B) {
	c := cache.New(&counting{rows: 100}, nil)
	query := egrid.RowQuery{Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where("state", egrid.Eq, "TX")}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Rows(b.Context(), query); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleNew() {
	store := memstore.New()
	defer store.Close()
	q := cache.New(store, nil)
	for range 3 {
		if _, err := q.Rows(context.Background(), egrid.RowQuery{Level: egrid.GEN}); err != nil {
			fmt.Println(err)
		}
	}
	stats := q.Stats()
	fmt.Println(stats.Hits, "hits,", stats.Misses, "miss")
	// Output: 2 hits, 1 miss
}
