// Package cachetest holds what tests of caches share: the suite that every
// second level passes, one in memory, and a mix of queries as an API gets them.
//
//	func TestShared(t *testing.T) {
//		cachetest.RunShared(t, func(t *testing.T) cache.SharedLevel { return cachetest.NewMemory() })
//	}
//
// # Guarantees
//
// Equal seeds make equal mixes. The suite asks for a level several times, and
// does not mind what it holds from before.
//
// # Errors
//
// The suite reports through testing.T. A mix returns those of the querier.
//
// # See also
//
// Package egridtest, whose suites RunShared runs through the level.
package cachetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// RunShared runs the suite of second levels. open returns a level that works,
// new or not; what it opened is open's to close when the test ends.
func RunShared(t *testing.T, open func(t *testing.T) cache.SharedLevel) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, cache.SharedLevel)
	}{
		{"KeepsValues", testKeepsValues},
		{"SecondReplica", testSecondReplica},
		{"Publish", testPublish},
		{"TwoStores", testTwoStores},
		{"Namespaces", testNamespaces},
		{"Exact", testExact},
		{"Garbage", testGarbage},
		{"TooLarge", testTooLarge},
		{"Mix", testMix},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, apart{open(t), rand.Text()}) })
	}
	t.Run("Store", func(t *testing.T) {
		egridtest.RunStore(t, func(t *testing.T) driver.Store { return newTwin(t, apart{open(t), rand.Text()}).Driver() })
	})
	t.Run("Differential", func(t *testing.T) {
		egridtest.RunDifferential(t, func(t *testing.T) driver.Store { return newTwin(t, apart{open(t), rand.Text()}).Driver() })
	})
}

// apart keeps a test from what others have put into the same server: equal data
// have equal keys.
type apart struct {
	cache.SharedLevel
	prefix string
}

func (a apart) Get(ctx context.Context, key string) ([]byte, error) {
	return a.SharedLevel.Get(ctx, a.prefix+key)
}

func (a apart) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return a.SharedLevel.Set(ctx, a.prefix+key, value, ttl)
}

func testKeepsValues(t *testing.T, level cache.SharedLevel) {
	ctx := t.Context()
	key := fmt.Sprint("egrid:test:", time.Now().UnixNano())
	if value, err := level.Get(ctx, key); value != nil || err != nil {
		t.Errorf("before: %q, %v", value, err)
	}
	for _, want := range []string{"a", "\x00\xff\r\n", string(make([]byte, 1<<20))} {
		if err := level.Set(ctx, key, []byte(want), time.Minute); err != nil {
			t.Fatal(err)
		}
		if value, err := level.Get(ctx, key); string(value) != want || err != nil {
			t.Errorf("got %d bytes, %v; want %d", len(value), err, len(want))
		}
	}
	if err := level.Set(ctx, key+":", []byte("a"), 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a value outlives its time", func() bool {
		value, err := level.Get(ctx, key+":")
		return value == nil && err == nil
	})
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := level.Get(ended, key); err == nil {
		t.Error("it goes on when its context has ended")
	}
}

func testSecondReplica(t *testing.T, level cache.SharedLevel) {
	backend := loaded(t, "a")
	var observed []cache.Result
	observe := func(r cache.Result) { observed = append(observed, r) }
	a, b := replica(backend, level, nil), replica(backend, level, &cache.Options{Observe: observe})
	query := egrid.RowQuery{Level: egrid.PLNT, Count: true}
	want := rows(t, a, query)
	settle(t, a)
	ctx, trace := cache.WithTrace(t.Context())
	for range 2 {
		got, err := store.New(b).Rows(ctx, query)
		if err != nil || !same(got, want) {
			t.Errorf("the second replica answers differently: %v", err)
		}
	}
	if s := b.Stats(); s.RemoteHits != 1 || s.Hits != 1 || s.Misses != 0 {
		t.Errorf("%+v; want a hit in each level", s)
	}
	if trace.Hits() != 2 || trace.Misses() != 0 || fmt.Sprint(observed) != "[remote_hit hit]" {
		t.Errorf("trace: %d hits, %d misses; observed %v", trace.Hits(), trace.Misses(), observed)
	}
}

// A publish is never answered by what was kept before it, in any replica.
func testPublish(t *testing.T, level cache.SharedLevel) {
	backend := loaded(t, "a")
	query := egrid.RowQuery{Level: egrid.PLNT}
	for i := range 5 {
		a, b := replica(backend, level, nil), replica(backend, level, nil)
		for range 2 {
			for _, q := range []*cache.Cache{a, b} {
				want := rows(t, backend, query)
				if got := rows(t, q, query); !same(got, want) {
					t.Errorf("publish %d: revision %d; want %d", i, got.Revision, want.Revision)
				}
				settle(t, q)
			}
			load(t, backend, fmt.Sprint(i, a.Stats().Misses))
		}
	}
}

func testTwoStores(t *testing.T, level cache.SharedLevel) {
	query := egrid.RowQuery{Level: egrid.PLNT}
	for _, name := range []string{"a", "b", "c"} {
		backend := loaded(t, name)
		c := replica(backend, level, nil)
		if got := rows(t, c, query).Row(0).Text(egrid.PlantName); got != name {
			t.Errorf("store %s answers with plant %s", name, got)
		}
		settle(t, c)
	}
}

func testNamespaces(t *testing.T, level cache.SharedLevel) {
	backend := loaded(t, "a")
	for _, test := range []struct {
		namespace string
		hits      int64
	}{{"1.0", 0}, {"1.1", 0}, {"", 0}, {"1.0", 1}, {"", 1}} {
		c := replica(backend, level, &cache.Options{Namespace: test.namespace})
		rows(t, c, egrid.RowQuery{Level: egrid.PLNT})
		settle(t, c)
		if s := c.Stats(); s.RemoteHits != test.hits {
			t.Errorf("namespace %q: %+v; want %d remote hits", test.namespace, s, test.hits)
		}
	}
}

func testExact(t *testing.T, level cache.SharedLevel) {
	backend := exact(t)
	a, b := replica(backend, level, nil), replica(backend, level, nil)
	want := rows(t, a, egrid.RowQuery{Level: egrid.GEN})
	settle(t, a)
	got := rows(t, b, egrid.RowQuery{Level: egrid.GEN})
	if b.Stats().RemoteHits != 1 {
		t.Fatalf("%+v: not shared", b.Stats())
	}
	if !same(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for i, v := range got.Row(0).Values() {
		if w := want.Row(0).At(i); v != w { // bit by bit
			t.Errorf("value %d: %#v; want %#v", i, v, w)
		}
	}
}

// Whatever stands in place of an answer is a miss.
func testGarbage(t *testing.T, level cache.SharedLevel) {
	backend := loaded(t, "a")
	recorder := &recorder{SharedLevel: level}
	a := replica(backend, recorder, nil)
	query := egrid.RowQuery{Level: egrid.PLNT}
	want := rows(t, a, query)
	settle(t, a) // its key is the first
	rows(t, a, egrid.RowQuery{Level: egrid.PLNT, Limit: 7})
	settle(t, a)
	if len(recorder.keys) != 2 {
		t.Fatalf("%d keys", len(recorder.keys))
	}
	good, err := level.Get(t.Context(), recorder.keys[0])
	if err != nil || len(good) == 0 {
		t.Fatal(err)
	}
	other, err := level.Get(t.Context(), recorder.keys[1])
	if err != nil {
		t.Fatal(err)
	}
	older := append([]byte{0}, good[1:]...)
	values := [][]byte{{}, {1}, []byte("garbage"), good[:len(good)-1], append(good[:len(good):len(good)], 0), older, other}
	for i := range good {
		if i%7 == 0 {
			flipped := append([]byte{}, good...)
			flipped[i] ^= 0x10
			values = append(values, flipped)
		}
	}
	for i, value := range values {
		if err := level.Set(t.Context(), recorder.keys[0], value, time.Minute); err != nil {
			t.Fatal(err)
		}
		c := replica(backend, level, nil)
		if got := rows(t, c, query); !same(got, want) || c.Stats().Misses != 1 {
			t.Errorf("value %d: %+v", i, c.Stats())
		}
		settle(t, c)
	}
	c := replica(backend, level, nil)
	if rows(t, c, query); c.Stats().RemoteHits != 1 {
		t.Errorf("%+v: a good answer has not replaced the garbage", c.Stats())
	}
}

func testTooLarge(t *testing.T, level cache.SharedLevel) {
	backend := loaded(t, "a")
	for _, test := range []struct {
		o     cache.Options
		limit int
	}{
		{cache.Options{SharedMaxBytes: 10}, 100},
		{cache.Options{SharedMaxBytes: 10}, 7},
	} {
		c := replica(backend, level, &test.o)
		rows(t, c, egrid.RowQuery{Level: egrid.PLNT, Limit: test.limit})
		settle(t, c)
		if s := c.Stats(); s.LeftOut != 1 || s.Written != 0 {
			t.Errorf("%+v: %+v; want one left out", test.o, s)
		}
	}
}

// testMix has four replicas answer one mix of queries, each cold at first.
func testMix(t *testing.T, level cache.SharedLevel) {
	backend := SampleStore(t)
	var replicas []*cache.Cache
	for range 4 {
		replicas = append(replicas, replica(backend, level, nil))
	}
	mix := NewMix(t, 1, backend)
	for i := range 3000 {
		if err := mix.Ask(t.Context(), replicas[i%len(replicas)]); err != nil {
			t.Fatal(err)
		}
	}
	var sum cache.Stats
	for _, c := range replicas {
		s := c.Stats()
		sum.Hits, sum.RemoteHits, sum.Misses = sum.Hits+s.Hits, sum.RemoteHits+s.RemoteHits, sum.Misses+s.Misses
		sum.Computed += s.Computed
	}
	rate := HitRate(sum)
	t.Logf("%.1f %% hits: %d local, %d remote, %d misses", 100*rate, sum.Hits, sum.RemoteHits, sum.Misses)
	if rate < 0.8 || sum.RemoteHits == 0 {
		t.Errorf("%.1f %% hits, %d of them remote; want 80 %%", 100*rate, sum.RemoteHits)
	}
}

// HitRate is the part of the plans that were answered from memory or from the
// second level.
func HitRate(s cache.Stats) float64 {
	hits := float64(s.Hits + s.Computed + s.RemoteHits)
	return hits / (hits + float64(s.Misses+s.Joined+s.Errors))
}

// replica is a cache that sees every publish, keeps no columns, and waits for the
// level as long as a busy machine takes.
func replica(s driver.Scanner, level cache.SharedLevel, o *cache.Options) *cache.Cache {
	var with cache.Options
	if o != nil {
		with = *o
	}
	with.Shared, with.CatalogTTL, with.SharedTimeout = level, -1, 5*time.Second
	with.ColumnBytes = -1
	return cache.New(s, &with)
}

// settle waits until every answer is written or left out.
func settle(t testing.TB, c *cache.Cache) {
	t.Helper()
	eventually(t, "answers are neither written nor left out", func() bool {
		s := c.Stats()
		return s.Written+s.LeftOut >= s.Misses
	})
}

func eventually(t testing.TB, otherwise string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(otherwise)
		}
	}
}

// same compares pages by what they say.
func same(a, b egrid.RowPage) bool {
	if a.Next != b.Next || a.Total != b.Total || a.Revision != b.Revision || a.Len() != b.Len() || !slices.Equal(a.Schema().Columns(), b.Schema().Columns()) {
		return false
	}
	for i := range a.Len() {
		x, y := a.Row(i), b.Row(i)
		if !slices.Equal(x.Values(), y.Values()) || x.Number() != y.Number() || x.Year() != y.Year() {
			return false
		}
	}
	return true
}

func rows(t testing.TB, s driver.Scanner, query egrid.RowQuery) egrid.RowPage {
	t.Helper()
	page, err := store.New(s).Rows(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// loaded is a store with 30 plants, the first of a name.
func loaded(t testing.TB, name string) *memstore.Store {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	load(t, backend, name)
	return backend
}

func load(t testing.TB, l driver.Loader, name string) {
	t.Helper()
	text := "PSTATABB,PNAME,ORISPL,PLNGENAN\n"
	for i := range 30 {
		text += fmt.Sprintf("TX,%s,%d,%d.5\n", name, i+1, i*1000)
		name = fmt.Sprint("Plant ", i+2)
	}
	publish(t, l, "PLNT23.csv", text)
}

// exact is a store with values that are easily lost.
func exact(t testing.TB) *memstore.Store {
	t.Helper()
	values := []egrid.Value{
		egrid.TextOf("\x00\x01, \"quoted\"\r\n"), egrid.TextOf("NA"), egrid.TextOf("é"), egrid.FlagOf(true), egrid.FlagOf(false),
		egrid.IntegerOf(math.MaxInt64), egrid.IntegerOf(math.MinInt64), egrid.IntegerOf(1<<53 + 1), egrid.IntegerOf(0), egrid.IntegerOf(-1),
		egrid.NumberOf(0), egrid.NumberOf(0.1), egrid.NumberOf(math.MaxFloat64), egrid.NumberOf(math.SmallestNonzeroFloat64), egrid.NumberOf(-1 << 53),
		{},
	}
	var fields []egrid.Field
	for i, v := range values {
		typ := v.Type()
		if typ == "" {
			typ = egrid.Text
		}
		fields = append(fields, egrid.Field{Level: egrid.GEN, Column: egrid.Column(fmt.Sprint("Own header é ", i)), Type: typ})
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	builder := egrid.NewBuilder(schema, 2023)
	for _, number := range []int64{1, math.MaxInt64} {
		if err := builder.Row(values); err != nil {
			t.Fatal(err)
		}
		builder.EndRow(number, 0)
	}
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	spec := driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "exact.csv", SHA256: "exact"}}
	publishChunk(t, backend, spec, builder.Batch())
	return backend
}

// recorder remembers the keys that are written, in their order.
type recorder struct {
	cache.SharedLevel
	mu   sync.Mutex
	keys []string
}

func (r *recorder) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = append(r.keys, key)
	return r.SharedLevel.Set(ctx, key, value, ttl)
}

// twin is a store behind two replicas. It answers as the second one does, from
// what the first one kept, and fails where they differ.
type twin struct {
	*memstore.Store
	t    testing.TB
	a, b *cache.Cache
}

func newTwin(t testing.TB, level cache.SharedLevel) *twin {
	w := &twin{Store: memstore.New(), t: t}
	w.a, w.b = replica(w.Store, level, nil), replica(w.Store, level, nil)
	t.Cleanup(func() {
		if a, b := w.a.Stats(), w.b.Stats(); a.Misses > 20 && (a.LeftOut > a.Misses/20 || b.RemoteHits < a.Written*9/10) {
			t.Errorf("first replica %+v\nsecond replica %+v: too little is shared", a, b)
		}
	})
	return w
}

// Driver returns the store in all of its roles, behind the replicas.
func (w *twin) Driver() driver.Store {
	s := w.Store.Driver()
	s.Scanner = w
	return s
}

func (w *twin) Catalog(ctx context.Context) (egrid.Catalog, error) { return w.b.Catalog(ctx) }

func (w *twin) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	if p.Limit == 0 && !p.Count {
		return w.b.Scan(ctx, p) // nothing is kept of answers that stream
	}
	return func(yield func(*egrid.Batch, error) bool) {
		a, errA := collect(w.a.Scan(ctx, p), p)
		settle(w.t, w.a)
		b, errB := collect(w.b.Scan(ctx, p), p)
		if errB == nil && errA == nil && !same(egrid.RowPage{Batch: a}, egrid.RowPage{Batch: b}) {
			w.t.Errorf("the replicas differ:\n%v\n%v", a, b)
		}
		yield(b, errB)
	}
}

func collect(batches iter.Seq2[*egrid.Batch, error], p *driver.Plan) (*egrid.Batch, error) {
	var all []*egrid.Batch
	for b, err := range batches {
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return egrid.Concat(p.Output, all...), nil
}

// Memory is a second level in memory, for tests. The zero value is of no use:
// see NewMemory.
type Memory struct {
	mu     sync.Mutex
	values map[string]memory
	fault  func(ctx context.Context) error
}

type memory struct {
	value []byte
	until time.Time
}

// NewMemory returns an empty level.
func NewMemory() *Memory { return &Memory{values: map[string]memory{}} }

// Break makes every call return what fault does, which may wait; nil mends it.
func (m *Memory) Break(fault func(ctx context.Context) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

// Hang is a fault: no call returns before its context ends.
func Hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// ErrAway is what Away returns.
var ErrAway = errors.New("the level is away")

// Away is a fault: every call fails.
func Away(context.Context) error { return ErrAway }

func (m *Memory) broken(ctx context.Context) error {
	m.mu.Lock()
	fault := m.fault
	m.mu.Unlock()
	if err := ctx.Err(); err != nil || fault == nil {
		return err
	}
	return fault(ctx)
}

// Get implements [cache.SharedLevel].
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	if err := m.broken(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v := m.values[key]; time.Now().Before(v.until) {
		return v.value, nil
	}
	delete(m.values, key)
	return nil, nil
}

// Set implements [cache.SharedLevel].
func (m *Memory) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := m.broken(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = memory{value, time.Now().Add(ttl)}
	return nil
}
