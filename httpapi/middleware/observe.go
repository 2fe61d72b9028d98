package middleware

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

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

// SetRoute tells [Observe] by which route a request is answered.
func SetRoute(r *http.Request, path string) {
	if e := exchangeOf(r.Context()); e != nil {
		e.route = path
	}
}

// SetCached tells [Observe] that the answer was kept.
func SetCached(r *http.Request) {
	if e := exchangeOf(r.Context()); e != nil {
		e.cached = true
	}
}

func setSubject(r *http.Request, subject string) {
	if e := exchangeOf(r.Context()); e != nil {
		e.subject = subject
	}
}

// Observation is what metrics need to know of a request.
type Observation struct {
	Route    string // as in the OpenAPI document, e.g. /plants/{id}; empty when none matched
	Method   string
	Status   int
	Bytes    int64
	Duration time.Duration
	Cached   bool // answered from the encoded answers kept
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
		if IsProbe(r.URL.Path) {
			level = slog.LevelDebug
		}
		logs := log != nil && log.Enabled(r.Context(), level)
		if !logs && tell == nil && !trace.Recorded(r.Context()) {
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
			trace.Describe(r.Context(), strings.TrimSpace(r.Method+" "+o.Route), slog.String("http.request.method", r.Method), slog.String("http.route", o.Route),
				slog.String("url.path", r.URL.Path), slog.Int("http.response.status_code", o.Status))
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

// IsProbe reports whether a path is one that is asked for every few seconds by
// those who watch a service.
func IsProbe(path string) bool {
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
