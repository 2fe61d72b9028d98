package middleware_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var answers200 = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func from(h http.Handler, addr, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = addr
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := middleware.RateLimit(answers200, &middleware.RateLimitOptions{Requests: 3, Window: 3 * time.Second, Now: c.now})
	const a, b = "192.0.2.1:1", "192.0.2.2:1"
	for i, step := range []struct {
		wait             time.Duration
		addr             string
		status           int
		remaining, reset string
		retry            string
	}{
		{0, a, 200, "2", "1", ""},
		{0, a, 200, "1", "2", ""},
		{0, a, 200, "0", "3", ""},
		{0, a, 429, "0", "3", "1"},
		{0, "192.0.2.1:9", 429, "0", "3", "1"}, // another port is no other client
		{0, b, 200, "2", "1", ""},
		{500 * time.Millisecond, a, 429, "0", "3", "1"},
		{500 * time.Millisecond, a, 200, "0", "3", ""},
		{0, a, 429, "0", "3", "1"},
		{2 * time.Second, a, 200, "1", "2", ""},
		{time.Hour, a, 200, "2", "1", ""},
	} {
		c.pass(step.wait)
		w := from(h, step.addr, "/plants/top")
		header := w.Header()
		if w.Code != step.status || header.Get("RateLimit-Limit") != "3" || header.Get("RateLimit-Remaining") != step.remaining || header.Get("RateLimit-Reset") != step.reset || header.Get("Retry-After") != step.retry {
			t.Errorf("step %d: %d, %v; want %+v", i, w.Code, header, step)
		}
		if w.Code == 429 {
			checkProblem(t, fmt.Sprint("step ", i), w)
		}
	}
	for range 10 {
		if w := from(h, a, "/healthz"); w.Code != 200 || w.Header().Get("RateLimit-Limit") != "" {
			t.Errorf("a probe: %d %v", w.Code, w.Header())
		}
	}
}

// A client of version 6 has 2^64 addresses, and is one client.
func TestRateLimitOfNetworks(t *testing.T) {
	h := middleware.RateLimit(answers200, &middleware.RateLimitOptions{Requests: 2, Now: newClock().now})
	for _, step := range []struct {
		addr   string
		status int
	}{
		{"[2001:db8:0:1::1]:1", 200}, {"[2001:db8:0:1::2]:1", 200}, {"[2001:db8:0:1:ffff::3]:1", 429}, {"[2001:db8:0:2::1]:1", 200},
		{"[::ffff:192.0.2.1]:1", 200}, {"192.0.2.1:1", 200}, {"192.0.2.1:2", 429}, {"", 200}, {"@", 200}, {"", 429},
	} {
		if w := from(h, step.addr, "/"); w.Code != step.status {
			t.Errorf("%s: %d; want %d", step.addr, w.Code, step.status)
		}
	}
}

// A flood of addresses takes no more memory than the table may have, and makes
// nobody forgotten who has used up what he had.
func TestRateLimitTableIsBounded(t *testing.T) {
	c := newClock()
	h := middleware.RateLimit(answers200, &middleware.RateLimitOptions{Requests: 2, MaxClients: 1000, Now: c.now})
	const greedy, quiet = "192.0.2.1:1", "192.0.2.2:1"
	for range 3 {
		from(h, greedy, "/")
	}
	from(h, quiet, "/")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 100000 {
		from(h, fmt.Sprintf("[2001:db8:%x:%x::1]:1", i>>16, i&0xffff), "/")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("the table grew by %d bytes", grown)
	}
	if w := from(h, greedy, "/"); w.Code != 429 {
		t.Errorf("the greedy client was forgotten: %d", w.Code)
	}
	if w := from(h, quiet, "/"); w.Code != 200 {
		t.Errorf("the quiet client suffers: %d", w.Code)
	}
	// When the flood is over everybody is a client again.
	c.pass(2 * time.Minute)
	for i := range 900 {
		if w := from(h, "198.51.100."+strconv.Itoa(i%256)+":1", "/"); i < 512 && w.Code != 200 {
			t.Fatalf("client %d behind the flood: %d", i, w.Code)
		}
	}
}

func BenchmarkRateLimit(b *testing.B) {
	h := middleware.RateLimit(answers200, &middleware.RateLimitOptions{Requests: 1 << 30})
	r := httptest.NewRequest(http.MethodGet, "/plants/top", nil)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
