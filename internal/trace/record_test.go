package trace_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// recorder keeps spans.
type recorder struct {
	mu    sync.Mutex
	all   bool // every trace is sampled
	spans []trace.Ended
}

func (r *recorder) Sample(trace.TraceID) bool { return r.all }

func (r *recorder) Record(e trace.Ended) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, e)
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	r := &recorder{all: true}
	ctx := trace.WithRecorder(t.Context(), r)
	first := trace.Begin(ctx, trace.Span{}, "first", trace.Server)
	second, end := trace.Step(first, "second", trace.Client, slog.String("a", "b"))
	failure := errors.New("no")
	end(failure)
	end(nil) // once is enough
	trace.Describe(first, "better", slog.Int("n", 1))
	trace.End(first, nil)
	trace.End(trace.NewContext(first, trace.FromContext(second)), nil) // that of somebody else
	if len(r.spans) != 2 {
		t.Fatalf("%+v", r.spans)
	}
	if s := r.spans[0]; s.Name != "second" || s.Kind != trace.Client || !errors.Is(s.Err, failure) || s.Span != trace.FromContext(second) ||
		s.Parent != trace.FromContext(first).ID || len(s.Attrs) != 1 || s.Ended.Before(s.Began) {
		t.Errorf("%+v", s)
	}
	if s := r.spans[1]; s.Name != "better" || s.Parent != (trace.SpanID{}) || s.Span.TraceID != r.spans[0].Span.TraceID || len(s.Attrs) != 1 || s.Err != nil {
		t.Errorf("%+v", s)
	}
}

// TestNobodyRecords: nothing is made for what nobody takes.
func TestNobodyRecords(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	for name, ctx := range map[string]struct{ got, want bool }{
		"no recorder":           {trace.Recorded(trace.Begin(t.Context(), trace.Span{}, "x", trace.Internal)), false},
		"not sampled":           {trace.Recorded(trace.Begin(trace.WithRecorder(t.Context(), r), trace.Span{}, "x", trace.Internal)), false},
		"sampled by its sender": {trace.Recorded(trace.Begin(trace.WithRecorder(t.Context(), r), trace.Span{}.Child(), "x", trace.Internal)), true},
	} {
		if ctx.got != ctx.want {
			t.Errorf("%s: %t", name, ctx.got)
		}
	}
	ctx := trace.Start(t.Context())
	step, end := trace.Step(ctx, "x", trace.Internal)
	end(nil)
	trace.End(ctx, nil)
	trace.Describe(ctx, "x")
	if step != ctx || len(r.spans) != 0 {
		t.Errorf("%+v", r.spans)
	}
	// A span that somebody outside began, as by etl.WithTrace, has steps.
	outside := trace.NewContext(trace.WithRecorder(t.Context(), r), trace.Span{}.Child())
	if _, end := trace.Step(outside, "within", trace.Internal); true {
		end(nil)
	}
	if len(r.spans) != 1 || r.spans[0].Parent != trace.FromContext(outside).ID {
		t.Errorf("%+v", r.spans)
	}
}
