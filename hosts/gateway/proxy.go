package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// pool is a service behind the gateway that runs at several addresses.
type pool struct {
	name    string
	targets []*target
	next    atomic.Uint32
	wait    time.Duration // how long a request waits for one that is ready
	waiting atomic.Int32  // requests that do
	http.RoundTripper
}

type target struct {
	url  *url.URL
	down atomic.Bool
}

func newPool(name string, addresses []string, timeout, wait time.Duration) (*pool, error) {
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		ResponseHeaderTimeout: timeout,
		MaxIdleConnsPerHost:   100,
		IdleConnTimeout:       time.Minute, // below what the services allow
		DisableCompression:    true,        // answers pass as they are
	}
	p := &pool{name: name, wait: wait, RoundTripper: transport}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" {
			return nil, fmt.Errorf("%w: address %q of the %s is not http://HOST:PORT", egrid.ErrInvalid, address, name)
		}
		p.targets = append(p.targets, &target{url: u})
	}
	if len(p.targets) == 0 {
		return nil, fmt.Errorf("%w: the %s has no address", egrid.ErrInvalid, name)
	}
	return p, nil
}

// errNoneReady is why a request was not tried.
var errNoneReady = errors.New("none is ready")

const (
	// mostWaiting is how many requests may wait at once: more are refused.
	mostWaiting = 1000
	// pause is how often a request that waits is tried, and services of which none is
	// ready are asked.
	pause = 200 * time.Millisecond
)

// RoundTrip sends a request to the services that are ready. A request that none of
// them has seen waits for one, as when a service is replaced.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := p.send(r)
	if !unsent(err) || p.wait <= 0 {
		return answer, err
	}
	if p.waiting.Add(1) > mostWaiting {
		p.waiting.Add(-1)
		return nil, err
	}
	defer p.waiting.Add(-1)
	over := time.NewTimer(p.wait)
	defer over.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for unsent(err) {
		select {
		case <-r.Context().Done():
			return nil, err
		case <-over.C:
			return nil, err
		case <-tick.C:
			answer, err = p.send(r)
		}
	}
	return answer, err
}

// unsent reports whether nobody has seen a request that failed.
func unsent(err error) bool {
	var unreachable *net.OpError
	return errors.Is(err, errNoneReady) || errors.As(err, &unreachable) && unreachable.Op == "dial"
}

// send tries the services that are ready one after the other until one answers. Only
// what has no body is tried twice.
func (p *pool) send(r *http.Request) (*http.Response, error) {
	err := errNoneReady
	first := p.next.Add(1)
	for i := range p.targets {
		t := p.targets[(int(first)+i)%len(p.targets)]
		if t.down.Load() {
			continue
		}
		to := r.Clone(r.Context())
		to.URL.Scheme, to.URL.Host = t.url.Scheme, t.url.Host
		var answer *http.Response
		if answer, err = p.RoundTripper.RoundTrip(to); err == nil || r.Context().Err() != nil {
			return answer, err
		}
		if unsent(err) {
			t.down.Store(true) // until it is asked again
		}
		if r.Body != nil && r.Body != http.NoBody || r.Method != http.MethodGet && r.Method != http.MethodHead {
			break
		}
	}
	return nil, fmt.Errorf("%s: %w", p.name, err)
}

// probe asks every address now and then whether it is ready, until ctx ends, and more
// often while requests wait.
func (p *pool) probe(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(min(every, pause))
	defer tick.Stop()
	for {
		p.probeOnce(ctx)
		began := time.Now()
		for patient := true; patient; patient = time.Since(began) < every && (p.waiting.Load() == 0 || p.anyReady()) {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

func (p *pool) probeOnce(ctx context.Context) {
	for _, t := range p.targets {
		t.down.Store(!p.ready(ctx, t))
	}
}

func (p *pool) ready(ctx context.Context, t *target) bool {
	ctx, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url.JoinPath("readyz").String(), nil)
	if err != nil {
		return false
	}
	answer, err := p.RoundTripper.RoundTrip(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)) // so that the connection can be used again
	return answer.StatusCode == http.StatusOK
}

// check is whether any address is ready.
func (p *pool) check() httpapi.ReadinessCheck {
	return httpapi.ReadinessCheck{Name: p.name, Check: func(context.Context) error {
		if p.anyReady() {
			return nil
		}
		return errNoneReady
	}}
}

func (p *pool) anyReady() bool {
	return slices.ContainsFunc(p.targets, func(t *target) bool { return !t.down.Load() })
}

func newProxy(p *pool, log *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Transport: p,
		ErrorLog:  slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", p.name // the pool knows better
			r.SetXForwarded()
			if addr := middleware.ClientAddr(r.In); addr.IsValid() {
				r.Out.Header.Set("X-Forwarded-For", addr.String()) // not that of a proxy in front of us
			}
			r.Out.Header.Set("X-Request-Id", middleware.RequestID(r.In.Context()))
			trace.FromContext(r.In.Context()).SetHeader(r.Out.Header)
		},
		ModifyResponse: func(answer *http.Response) error {
			answer.Header.Del("X-Request-Id") // the gateway has set the same
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				panic(http.ErrAbortHandler) // nobody waits any more
			}
			log.WarnContext(r.Context(), "no answer", "request_id", middleware.RequestID(r.Context()), "error", err)
			if errors.Is(err, errNoneReady) {
				refuse(w, r, http.StatusServiceUnavailable, 5*time.Second, "the "+p.name+" is not ready; try again")
				return
			}
			refuse(w, r, http.StatusBadGateway, 0, "the "+p.name+" did not answer")
		},
	}
}

// refuse answers with a problem as the API does (RFC 9457).
func refuse(w http.ResponseWriter, r *http.Request, status int, wait time.Duration, detail string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail, "instance": r.URL.Path,
	})
}
