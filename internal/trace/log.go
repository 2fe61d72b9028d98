package trace

import (
	"context"
	"log/slog"
)

// The names of the attributes that [Handler] adds.
const (
	LogTraceID = "trace_id"
	LogSpanID  = "span_id"
)

// Handler returns a handler that adds trace_id and span_id to records that are
// logged with a ctx of a span, as by slog.InfoContext, and gives them to h. In a
// group of the logger they are part of the group. A handler that does so already
// is returned as it is.
func Handler(h slog.Handler) slog.Handler {
	if _, ok := h.(handler); ok {
		return h
	}
	return handler{h}
}

// Logger returns l with [Handler]. For nil it returns a logger that drops
// everything.
func Logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	if _, ok := l.Handler().(handler); ok {
		return l
	}
	return slog.New(Handler(l.Handler()))
}

type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if s := FromContext(ctx); s.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String(LogTraceID, s.TraceID.String()), slog.String(LogSpanID, s.ID.String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
