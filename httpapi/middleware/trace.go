package middleware

import (
	"context"
	"net/http"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// TraceID returns the id of the trace that the request of a context belongs to,
// 32 hexadecimal digits; empty outside of [Traces].
func TraceID(ctx context.Context) string {
	if s := trace.FromContext(ctx); s.IsValid() {
		return s.TraceID.String()
	}
	return ""
}

// Traces makes every request a span of a trace (W3C Trace Context): the one that its
// headers traceparent and tracestate name, or a new one when they name none or are
// not valid. Its context belongs to the span, by which logs have trace_id and
// span_id. A request that is of a span already keeps it, so the middleware may be
// applied twice.
//
// Whoever can reach the API chooses the trace: it is for finding, and proves
// nothing.
func Traces(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if trace.FromContext(ctx).IsValid() {
			next.ServeHTTP(w, r)
			return
		}
		sender, _ := trace.FromHeader(r.Header)
		if IsProbe(r.URL.Path) { // which nobody wants to see on a time line
			ctx = trace.NewContext(ctx, sender.Child())
		} else {
			ctx = trace.Begin(ctx, sender, r.Method, trace.Server)
			defer trace.End(ctx, nil) // a panic as well: Observe has told of the status
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
