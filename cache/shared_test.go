package cache_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/cache/cachetest"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

func TestShared(t *testing.T) {
	t.Parallel()
	cachetest.RunShared(t, func(*testing.T) cache.SharedLevel { return cachetest.NewMemory() })
}

// calls counts the calls of a level.
type calls struct {
	*cachetest.Memory
	gets, sets atomic.Int64
}

func (c *calls) Get(ctx context.Context, key string) ([]byte, error) {
	c.gets.Add(1)
	return c.Memory.Get(ctx, key)
}

func (c *calls) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	c.sets.Add(1)
	return c.Memory.Set(ctx, key, value, ttl)
}

// One query waits for a level that hangs, those behind it do not; it is tried
// again more and more seldom, and is back soon after it has been mended.
func TestSharedFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(context.Context) error
		waits time.Duration
	}{
		"hangs": {cachetest.Hang, 50 * time.Millisecond},
		"fails": {cachetest.Away, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				level := &calls{Memory: cachetest.NewMemory()}
				var log bytes.Buffer
				c := cache.New(&counting{}, &cache.Options{Shared: level, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				limit := 0
				took := func() time.Duration {
					limit++
					began := time.Now()
					ask(t, c, limit)
					return time.Since(began)
				}
				took()
				level.Break(test.fault)
				if d := took(); d != test.waits {
					t.Errorf("the first query took %s; want %s", d, test.waits)
				}
				for range 20 {
					if d := took(); d != 0 {
						t.Errorf("a query took %s while the level is left alone", d)
					}
				}
				tries := level.gets.Load()
				for range 600 {
					time.Sleep(time.Second)
					if d := took(); d > test.waits {
						t.Errorf("a query took %s", d)
					}
				}
				if n := level.gets.Load() - tries; n < 30 || n > 130 {
					t.Errorf("tried %d times in ten minutes", n)
				}
				level.Break(nil)
				time.Sleep(15 * time.Second)
				took()
				before := level.gets.Load()
				took()
				synctest.Wait()
				if level.gets.Load() != before+1 {
					t.Error("still left alone after it was mended")
				}
				if n := strings.Count(log.String(), "level=WARN"); n != 2 { // reads and writes
					t.Errorf("told %d times:\n%s", n, log.String())
				}
				if n := strings.Count(log.String(), "level=INFO"); n != 2 {
					t.Errorf("told %d times that it is back:\n%s", n, log.String())
				}
			})
		})
	}
}

// However many queries come while it hangs, few writes are under way.
func TestSharedWritesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := &slowWrites{Memory: cachetest.NewMemory(), release: make(chan struct{})}
		c := cache.New(&counting{}, &cache.Options{Shared: level})
		for i := range 1000 {
			ask(t, c, i+1)
		}
		synctest.Wait()
		if n := level.most.Load(); n == 0 || n > 32 {
			t.Errorf("%d writes at once", n)
		}
		close(level.release)
		synctest.Wait()
		if s := c.Stats(); s.Written+s.LeftOut != 1000 || s.Written != level.most.Load() {
			t.Errorf("%+v", s)
		}
	})
}

type slowWrites struct {
	*cachetest.Memory
	release chan struct{}
	most    atomic.Int64
}

func (l *slowWrites) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	l.most.Add(1)
	<-l.release
	return l.Memory.Set(ctx, key, value, ttl)
}

func TestSharedTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := cachetest.NewMemory()
		behind := &counting{}
		for _, step := range []struct{ after, want int64 }{{0, 1}, {3599, 1}, {1, 2}} {
			time.Sleep(time.Duration(step.after) * time.Second)
			ask(t, cache.New(behind, &cache.Options{Shared: level}), 1)
			synctest.Wait()
			if n := behind.queries.Load(); n != step.want {
				t.Errorf("asked %d times; want %d", n, step.want)
			}
		}
	})
}

// Callers that come at once wait for one query of the second level.
func TestSharedSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := &calls{Memory: cachetest.NewMemory()}
		behind := &counting{}
		ask(t, cache.New(behind, &cache.Options{Shared: level}), 1)
		synctest.Wait()
		level.Break(func(context.Context) error { time.Sleep(10 * time.Millisecond); return nil })
		c := cache.New(behind, &cache.Options{Shared: level})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { ask(t, c, 1) })
		}
		wg.Wait()
		if s := c.Stats(); s.RemoteHits != 1 || s.Joined != 49 || level.gets.Load() != 2 {
			t.Errorf("%+v, %d reads", s, level.gets.Load())
		}
	})
}

// A caller that gives up says nothing about the level.
func TestSharedCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := &calls{Memory: cachetest.NewMemory()}
		level.Break(cachetest.Hang)
		c := cache.New(&counting{}, &cache.Options{Shared: level})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := query(ctx, c, 1); err == nil {
			t.Error("no error")
		}
		synctest.Wait()
		level.Break(nil)
		ask(t, c, 1)
		if n := level.gets.Load(); n != 2 {
			t.Errorf("%d reads; want 2", n)
		}
		synctest.Wait()
	})
}

// TestMix has an API answer an hour of requests from a cold start, one in a
// second, with the default times to live.
func TestMix(t *testing.T) {
	backend := cachetest.SampleStore(t)
	for _, test := range []struct {
		replicas int
		shared   bool
	}{{1, false}, {4, true}} { // four that share nothing have 69.5 %
		t.Run(fmt.Sprintf("replicas=%d,shared=%t", test.replicas, test.shared), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if rate := askMix(t, backend, test.replicas, test.shared); rate < 0.8 {
					t.Errorf("%.1f %% hits; want 80 %%", 100*rate)
				}
			})
		})
	}
}

func askMix(t *testing.T, backend driver.Scanner, replicas int, shared bool) (rate float64) {
	time.Sleep(24 * 366 * 24 * time.Hour) // bubbles begin in 2000, and a query may not ask for the future
	mix := cachetest.NewMix(t, 1, backend)
	caches := make([]*cache.Cache, replicas)
	level := cachetest.NewMemory()
	for i := range caches {
		caches[i] = cache.New(backend, &cache.Options{ColumnBytes: -1})
		if shared {
			caches[i] = cache.New(backend, &cache.Options{Shared: level, ColumnBytes: -1})
		}
	}
	const perSecond = 1
	whole := 0
	for i := range 3600 * perSecond {
		time.Sleep(time.Second / perSecond)
		ctx, trace := cache.WithTrace(t.Context())
		if err := mix.Ask(ctx, caches[i%replicas]); err != nil {
			t.Fatal(err)
		}
		if trace.Misses() == 0 {
			whole++
		}
	}
	synctest.Wait()
	var sum cache.Stats
	for _, c := range caches {
		s := c.Stats()
		sum.Hits, sum.RemoteHits, sum.Misses = sum.Hits+s.Hits, sum.RemoteHits+s.RemoteHits, sum.Misses+s.Misses
	}
	rate = cachetest.HitRate(sum)
	t.Logf("%.1f %% of queries hit (%d local, %d remote, %d misses), %.1f %% of requests without a miss",
		100*rate, sum.Hits, sum.RemoteHits, sum.Misses, float64(whole)/36/perSecond)
	return rate
}

func BenchmarkMiss(b *testing.B) {
	c := cache.New(&counting{rows: 100}, &cache.Options{TTL: time.Nanosecond})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := query(b.Context(), c, 0); err != nil {
			b.Fatal(err)
		}
	}
}
