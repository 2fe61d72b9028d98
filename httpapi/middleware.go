package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

type requestIDKey struct{}

// RequestID returns the id of the request that a context belongs to; empty
// outside of [RequestIDs].
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// RequestIDs gives every request an id: that of its header X-Request-ID when
// it is sane (letters, digits, and - _ . up to 64 of them), else a random one.
// The answer has it in the same header. A request that has an id already keeps
// it, so the middleware may be applied twice.
func RequestIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if RequestID(r.Context()) != "" {
			next.ServeHTTP(w, r)
			return
		}
		id := r.Header.Get("X-Request-Id")
		if !saneID(id) {
			id = rand.Text()
		}
		w.Header()["X-Request-Id"] = []string{id}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

func saneID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// Recover turns a panic into a 500 without detail, and logs it with the
// request id. When the answer has begun already, and for
// [http.ErrAbortHandler], it breaks the connection.
func Recover(next http.Handler, log *slog.Logger) http.Handler {
	if log != nil {
		log = trace.Logger(log)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		track := &tracker{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			if log != nil {
				log.ErrorContext(r.Context(), "panic in a request", "request_id", RequestID(r.Context()),
					"method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			if track.status != 0 {
				panic(http.ErrAbortHandler)
			}
			writeProblem(w, problemOf(r, errPanic))
		}()
		next.ServeHTTP(track, r)
	})
}

var errPanic = fmt.Errorf("panic")

// AccessLog logs every request at level Info, one line behind its end; those of
// probes and metrics, which come every few seconds, at level Debug.
func AccessLog(next http.Handler, log *slog.Logger) http.Handler { return Observe(next, log, nil) }

type exchangeKey struct{}

// exchange is what inner handlers tell the observer.
type exchange struct {
	route   string
	cached  bool
	subject string
}

// exchangeOf returns nil when nobody observes.
func exchangeOf(ctx context.Context) *exchange {
	e, _ := ctx.Value(exchangeKey{}).(*exchange)
	return e
}

func noteRoute(r *http.Request, path string) {
	if e := exchangeOf(r.Context()); e != nil {
		e.route = path
	}
}

func noteSubject(r *http.Request, subject string) {
	if e := exchangeOf(r.Context()); e != nil {
		e.subject = subject
	}
}

// Observe logs like [AccessLog] and tells of every request: for services beside
// the API, which does both itself. The route is that of the API's document, or
// the path of the pattern by which an [http.ServeMux] chose the handler. A nil
// log or function is left out.
func Observe(next http.Handler, log *slog.Logger, tell func(Observation)) http.Handler {
	if log != nil {
		log = trace.Logger(log)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		level := slog.LevelInfo
		if isProbe(r.URL.Path) {
			level = slog.LevelDebug
		}
		logs := log != nil && log.Enabled(r.Context(), level)
		if !logs && tell == nil {
			next.ServeHTTP(w, r)
			return
		}
		e := &exchange{}
		track := &tracker{ResponseWriter: w}
		begin := time.Now()
		finished := false
		defer func() {
			o := Observation{Route: e.route, Method: r.Method, Status: track.status, Bytes: track.bytes, Duration: time.Since(begin), Cached: e.cached}
			if o.Status == 0 && finished {
				o.Status = http.StatusOK // net/http writes it behind the handler
			}
			if tell != nil {
				tell(o)
			}
			if logs {
				remote := r.RemoteAddr
				if addr := ClientAddr(r); addr.IsValid() {
					remote = addr.String()
				}
				log.LogAttrs(r.Context(), level, "request",
					slog.String("request_id", RequestID(r.Context())), slog.String("method", r.Method), slog.String("route", o.Route), slog.String("path", r.URL.Path),
					slog.String("query", loggable(r.URL.RawQuery)), slog.Int("status", o.Status), slog.Int64("bytes", o.Bytes),
					slog.Duration("duration", o.Duration), slog.String("remote", remote), slog.String("subject", e.subject), slog.Bool("cached", o.Cached), slog.Bool("aborted", !finished))
			}
		}()
		inner := r.WithContext(context.WithValue(r.Context(), exchangeKey{}, e))
		next.ServeHTTP(track, inner)
		if e.route == "" && inner.Pattern != r.Pattern {
			e.route = inner.Pattern[strings.IndexByte(inner.Pattern, ' ')+1:] // without the method
		}
		finished = true
	})
}

func isProbe(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics"
}

// tracker remembers what was answered.
type tracker struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (t *tracker) WriteHeader(status int) {
	if t.status == 0 && status >= 200 {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracker) Write(b []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	n, err := t.ResponseWriter.Write(b)
	t.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach the connection.
func (t *tracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// LimitBody refuses request bodies of more than n bytes: with 413 when the
// request says so in advance, else by an error where the body is read.
func LimitBody(next http.Handler, n int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > n {
			w.Header().Set("Connection", "close")
			writeProblem(w, problem(r, http.StatusRequestEntityTooLarge, fmt.Sprintf("a request body has at most %d bytes", n)))
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, n)
		}
		next.ServeHTTP(w, r)
	})
}

// SecurityHeaders sets what an API without pages of its own needs: no sniffing
// of content types, no frames, no scripts, and no address told to where links
// lead.
func SecurityHeaders(next http.Handler) http.Handler {
	nosniff, csp, referrer := []string{"nosniff"}, []string{"default-src 'none'; frame-ancestors 'none'"}, []string{"no-referrer"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = nosniff
		h["Content-Security-Policy"] = csp
		h["Referrer-Policy"] = referrer
		next.ServeHTTP(w, r)
	})
}

type headKey struct{}

// isHead reports that nobody will read the body.
func isHead(r *http.Request) bool { return r.Context().Value(headKey{}) != nil }

// answerHead answers HEAD like GET, without the body.
func answerHead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		get := r.WithContext(context.WithValue(r.Context(), headKey{}, true))
		get.Method = http.MethodGet
		next.ServeHTTP(bodiless{w}, get)
	})
}

type bodiless struct{ http.ResponseWriter }

func (bodiless) Write(b []byte) (int, error) { return len(b), nil }

func (b bodiless) Unwrap() http.ResponseWriter { return b.ResponseWriter }
