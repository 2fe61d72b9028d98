package etl

import (
	"context"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// WithTrace returns a ctx of the trace that headers of W3C Trace Context name:
// for programs that have a tracer of their own, whose spans a run is to belong
// to. Headers that are not valid name none; then the run begins a trace.
func WithTrace(ctx context.Context, traceparent, tracestate string) context.Context {
	if sender, ok := trace.Parse(traceparent, tracestate); ok {
		return trace.NewContext(ctx, sender)
	}
	return ctx
}
