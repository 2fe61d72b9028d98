package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// backend is a service behind the gateway.
type backend struct {
	*httptest.Server
	requests atomic.Int64
	unready  atomic.Bool
}

func newBackend(t *testing.T, h http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			if b.unready.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return
		}
		b.requests.Add(1)
		h(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
	_ = json.NewEncoder(w).Encode(map[string]string{
		"uri": r.RequestURI, "id": r.Header.Get("X-Request-Id"), "for": r.Header.Get("X-Forwarded-For"), "method": r.Method,
		"traceparent": strings.Join(r.Header.Values("traceparent"), " "), "tracestate": r.Header.Get("tracestate"),
	})
}

// front is a gateway before some backends, and its pool.
func front(t *testing.T, timeout time.Duration, backends ...*backend) (string, *pool) {
	t.Helper()
	var urls []string
	for _, b := range backends {
		urls = append(urls, b.URL)
	}
	p, err := newPool("api", urls, timeout, 0)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	process := &service.Process{Context: t.Context(), Log: log, Metrics: telemetry.New()}
	server := httptest.NewServer(process.Observe(newProxy(p, log)))
	t.Cleanup(server.Close)
	return server.URL, p
}

// reply is an answer that was read to its end.
type reply struct {
	status          int
	header, trailer http.Header
	body            string
}

func get(t *testing.T, url string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, answer.Trailer, string(body)}
}

func TestRequestsPassAsTheyAre(t *testing.T) {
	t.Parallel()
	url, _ := front(t, time.Minute, newBackend(t, echo))
	const path = "/plants/TX~A%2FB%20%25?q=a%20b&columns=x,y"
	answer := get(t, url+path, "X-Forwarded-For", "6.6.6.6", "X-Request-Id", "mine")
	var got map[string]string
	if err := json.Unmarshal([]byte(answer.body), &got); err != nil {
		t.Fatal(err)
	}
	if got["uri"] != path || got["for"] != "127.0.0.1" || got["id"] != "mine" {
		t.Errorf("behind the gateway: %v", got)
	}
	if ids := answer.header.Values("X-Request-Id"); len(ids) != 1 || ids[0] != "mine" {
		t.Errorf("the answer's ids: %q", ids)
	}
}

// TestTracePassesThrough: the gateway is a span between the client and the
// service.
func TestTracePassesThrough(t *testing.T) {
	t.Parallel()
	url, _ := front(t, time.Minute, newBackend(t, echo))
	const id, client = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for name, test := range map[string]struct{ parent, state, want string }{
		"valid":   {"00-" + id + "-" + client + "-00", "a=1", "a=1"},
		"invalid": {"00-" + id + "-" + client + "-0", "a=1", ""},
	} {
		var got map[string]string
		if err := json.Unmarshal([]byte(get(t, url+"/", "traceparent", test.parent, "tracestate", test.state).body), &got); err != nil {
			t.Fatal(err)
		}
		s, ok := trace.Parse(got["traceparent"], got["tracestate"])
		if !ok || (s.TraceID.String() == id) != (name == "valid") || s.ID.String() == client || s.State != test.want || s.Sampled == (name == "valid") {
			t.Errorf("%s: behind the gateway it is %+v by %v", name, s, got)
		}
	}
}

func TestRequestsGoRound(t *testing.T) {
	t.Parallel()
	a, b, c := newBackend(t, echo), newBackend(t, echo), newBackend(t, echo)
	url, p := front(t, time.Minute, a, b, c)
	all := func() {
		t.Helper()
		for range 30 {
			if answer := get(t, url+"/"); answer.status != http.StatusOK {
				t.Fatalf("%d: %s", answer.status, answer.body)
			}
		}
	}
	all()
	for _, b := range []*backend{a, b, c} {
		if n := b.requests.Load(); n != 10 {
			t.Errorf("%d requests of 30", n)
		}
	}
	a.Close() // nobody knows yet: the next request finds out, and goes on
	all()
	b.unready.Store(true)
	probing(t, p)
	before := b.requests.Load()
	all()
	if b.requests.Load() != before {
		t.Error("a request went to a service that is not ready")
	}
	c.unready.Store(true)
	probing(t, p)
	answer := get(t, url+"/")
	if answer.status != http.StatusServiceUnavailable || answer.header.Get("Retry-After") != "5" || !strings.Contains(answer.body, "the api is not ready") || answer.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("with none ready: %+v", answer)
	}
	if err := p.check().Check(t.Context()); err == nil {
		t.Error("the gateway calls itself ready")
	}
	b.unready.Store(false)
	probing(t, p)
	all()
	if err := p.check().Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// probing asks every service once.
func probing(t *testing.T, p *pool) {
	t.Helper()
	p.probeOnce(t.Context())
}

func TestAnswersThatFail(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-release
		case "/breaks":
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<16))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/counted":
			w.Header().Set("Trailer", "X-Row-Count")
			_, _ = io.WriteString(w, "a\n1\n")
			w.Header().Set("X-Row-Count", "1")
		case "/drops":
			panic(http.ErrAbortHandler)
		}
	})
	defer close(release)
	url, _ := front(t, 50*time.Millisecond, b)
	if answer := get(t, url+"/slow"); answer.status != http.StatusBadGateway || !strings.Contains(answer.body, "did not answer") {
		t.Errorf("a slow service: %+v", answer)
	}
	if answer := get(t, url+"/drops"); answer.status != http.StatusBadGateway {
		t.Errorf("a service that hangs up: %+v", answer)
	}
	if answer := get(t, url+"/counted"); answer.trailer.Get("X-Row-Count") != "1" {
		t.Errorf("the trailer got lost: %+v", answer)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/breaks", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err == nil {
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, answer.Body)
	}
	if err == nil {
		t.Error("an answer that broke off behind the gateway ended politely in front of it")
	}
}

// A request that nobody has seen waits for a service that is ready: whatever it is, and
// as long as it may.
func TestRequestsWait(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, echo)
			b.unready.Store(true)
			url, p := front(t, time.Minute, b)
			probing(t, p)
			p.wait = time.Minute
			go p.probe(t.Context(), time.Hour)
			go func() {
				for p.waiting.Load() == 0 && t.Context().Err() == nil {
					time.Sleep(time.Millisecond)
				}
				b.unready.Store(false)
			}()
			r, err := http.NewRequestWithContext(t.Context(), method, url+"/runs", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if n := b.requests.Load(); n != 1 || answer.StatusCode != http.StatusOK {
				t.Errorf("%d requests, %s", n, answer.Status)
			}
		})
	}
	t.Run("in vain", func(t *testing.T) {
		t.Parallel()
		b := newBackend(t, echo)
		url, p := front(t, time.Minute, b)
		b.Close() // which the request finds out
		p.wait = time.Millisecond
		if answer := get(t, url+"/"); answer.status != http.StatusServiceUnavailable && answer.status != http.StatusBadGateway {
			t.Errorf("%+v", answer)
		}
		if p.waiting.Load() != 0 {
			t.Error("it waits for ever")
		}
	})
	t.Run("too many", func(t *testing.T) {
		t.Parallel()
		b := newBackend(t, echo)
		b.unready.Store(true)
		url, p := front(t, time.Minute, b)
		probing(t, p)
		p.wait = time.Hour
		p.waiting.Store(mostWaiting)
		if answer := get(t, url+"/"); answer.status != http.StatusServiceUnavailable {
			t.Errorf("%+v", answer)
		}
	})
}

// What may have had an effect is not done twice.
func TestPostsAreNotRepeated(t *testing.T) {
	t.Parallel()
	drop := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	a, b := newBackend(t, drop), newBackend(t, drop)
	url, _ := front(t, time.Minute, a, b)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/runs", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n := a.requests.Load() + b.requests.Load(); n != 1 || answer.StatusCode != http.StatusBadGateway {
		t.Errorf("%d requests, %s", n, answer.Status)
	}
}

// What is behind the gateway learns the client's address: not what the client
// says, unless a proxy says it that is trusted, and never the proxies in between.
func TestForwardedFor(t *testing.T) {
	t.Parallel()
	b := newBackend(t, echo)
	p, err := newPool("api", []string{b.URL}, time.Minute, 0)
	if err != nil {
		t.Fatal(err)
	}
	proxy := newProxy(p, slog.New(slog.DiscardHandler))
	for _, test := range []struct {
		trusted []string
		header  []string
		want    string
	}{
		{nil, []string{"X-Forwarded-For", "198.51.100.7"}, "127.0.0.1"},
		{[]string{"127.0.0.1"}, []string{"X-Forwarded-For", "9.9.9.9, 198.51.100.7"}, "198.51.100.7"},
		{[]string{"127.0.0.0/8"}, []string{"Forwarded", "for=198.51.100.7"}, "198.51.100.7"},
		{[]string{"10.0.0.0/8"}, []string{"X-Forwarded-For", "198.51.100.7"}, "127.0.0.1"},
	} {
		clients := service.Clients{TrustedProxies: test.trusted}
		proxies, err := clients.Proxies()
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(middleware.TrustProxies(proxy, proxies))
		var seen map[string]string
		if err := json.Unmarshal([]byte(get(t, server.URL+"/", test.header...).body), &seen); err != nil || seen["for"] != test.want {
			t.Errorf("trusting %v, with %v: %v, %v", test.trusted, test.header, seen, err)
		}
		server.Close()
	}
}

func TestAddressesThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:3000", "ftp://a", "http://", "http://a/path", "%"} {
		if _, err := newPool("api", []string{address}, 0, 0); err == nil || !strings.Contains(err.Error(), "http://HOST:PORT") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := newPool("api", nil, 0, 0); err == nil {
		t.Error("no address at all is accepted")
	}
}
