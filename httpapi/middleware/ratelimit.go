package middleware

import (
	"fmt"
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// RateLimitOptions says how many requests a client may make. The zero value of
// every field means its default.
type RateLimitOptions struct {
	// Requests is how many requests a client that was quiet may make at once.
	// Default 600.
	Requests int
	// Window is the time in which a client that used them up has all of them
	// again; they come back one by one. Default 1 minute.
	Window time.Duration
	// MaxClients bounds the clients that are counted apart. Default 65,536, of
	// about 50 bytes each.
	MaxClients int
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// RateLimit answers 429 to clients that ask too often, and tells every client by
// RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset where it stands. A
// client is who [IdentityOf] names, else its address, of version 6 its network of
// 64 bits: see [TrustProxies] for services behind a proxy. Probes and metrics
// are not counted. Nil options are the defaults.
//
// The table of clients is bounded. Only those are forgotten that have all their
// requests again, so nobody can be made to forget by a flood of others: while it
// is full, clients that are not in it share some of the counters.
func RateLimit(next http.Handler, o *RateLimitOptions) http.Handler {
	l := newLimiter(o)
	limit := []string{strconv.Itoa(l.requests)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IsProbe(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		v := l.take(l.key(r))
		h := w.Header()
		h["Ratelimit-Limit"] = limit
		h["Ratelimit-Remaining"] = []string{strconv.Itoa(v.remaining)}
		h["Ratelimit-Reset"] = []string{seconds(v.full)}
		if v.wait > 0 {
			h.Set("Retry-After", seconds(v.wait))
			wire.NewProblem(r, http.StatusTooManyRequests, fmt.Sprintf("more than %d requests in %v; try again in %s seconds", l.requests, l.window, seconds(v.wait))).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// seconds rounds up, so that who waits that long has waited long enough.
func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// sharedCounters is how many counters those share who are not in a full table.
const sharedCounters = 1024

// limiter counts requests. Each client has a token bucket, kept as the time at
// which the bucket is full again. The clients are in two generations: those seen
// since the last turn, and those seen in the window before it. A turn comes at
// most once in a window, so who is dropped has a full bucket.
type limiter struct {
	requests int
	window   time.Duration
	each     time.Duration // in which one token comes back
	max      int
	now      func() time.Time
	seed     maphash.Seed // secret, so that nobody can choose whose counter to hit

	mu     sync.Mutex
	young  map[uint64]time.Time
	old    map[uint64]time.Time
	turn   time.Time
	shared [sharedCounters]time.Time
}

func newLimiter(o *RateLimitOptions) *limiter {
	if o == nil {
		o = &RateLimitOptions{}
	}
	l := &limiter{requests: o.Requests, window: o.Window, max: o.MaxClients, now: o.Now, seed: maphash.MakeSeed(), young: map[uint64]time.Time{}}
	if l.requests <= 0 {
		l.requests = 600
	}
	if l.window <= 0 {
		l.window = time.Minute
	}
	if l.max <= 0 {
		l.max = 1 << 16
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.each = max(1, l.window/time.Duration(l.requests))
	return l
}

// key names the client.
func (l *limiter) key(r *http.Request) uint64 {
	type client struct {
		subject string
		network netip.Prefix
	}
	if subject := IdentityOf(r.Context()).Subject; subject != "" {
		return maphash.Comparable(l.seed, client{subject: subject})
	}
	return maphash.Comparable(l.seed, client{network: network(ClientAddr(r))})
}

// network is what one client has: an address of version 4, and of version 6 a
// network of 64 bits, which everybody has at the least.
func network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // the zero prefix where there is no address
	return p
}

// verdict is what became of a request.
type verdict struct {
	wait      time.Duration // until it may come again; 0 when it may be answered
	remaining int           // requests that may follow at once
	full      time.Duration // until the bucket is full again
}

func (l *limiter) take(key uint64) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.turnOver(now)
	full, keep := l.find(key)
	if full.Before(now) {
		full = now
	}
	spent := full.Sub(now) + l.each
	if wait := spent - l.window; wait > 0 {
		keep(full)
		return verdict{wait: wait, full: spent - l.each}
	}
	keep(full.Add(l.each))
	return verdict{remaining: int((l.window - spent) / l.each), full: spent}
}

// turnOver drops the clients that nobody has seen for a window.
func (l *limiter) turnOver(now time.Time) {
	since := now.Sub(l.turn)
	if since < l.window {
		return
	}
	l.old = l.young
	if since >= 2*l.window {
		l.old = nil
	}
	l.young, l.turn = map[uint64]time.Time{}, now
}

// find returns when a client's bucket is full, and what keeps a new time.
func (l *limiter) find(key uint64) (time.Time, func(time.Time)) {
	keep := func(t time.Time) { l.young[key] = t }
	if full, ok := l.young[key]; ok {
		return full, keep
	}
	if full, ok := l.old[key]; ok {
		delete(l.old, key)
		return full, keep
	}
	if len(l.young)+len(l.old) < l.max {
		return time.Time{}, keep
	}
	slot := &l.shared[key%sharedCounters]
	return *slot, func(t time.Time) { *slot = t }
}
