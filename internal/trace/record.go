package trace

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Recorder takes spans when they have ended, as an exporter to a collector does. Its methods
// are safe for concurrent use, and wait for nobody.
type Recorder interface {
	// Sample tells whether the spans of a new trace are recorded.
	Sample(TraceID) bool
	Record(Ended)
}

// Kind is what a span is to those on its other side.
type Kind int

// The kinds of spans.
const (
	Internal Kind = iota // nobody is on the other side
	Server               // answers a request
	Client               // asks somebody, as a database
	Consumer             // handles a message
)

// Ended is a span that has ended.
type Ended struct {
	Span         Span
	Parent       SpanID // zero for the first of a trace
	Name         string
	Kind         Kind
	Began, Ended time.Time
	Attrs        []slog.Attr
	Err          error // nil when the work was done
}

type recorderKey struct{}

// WithRecorder returns a ctx whose spans, and those of the contexts made of it, are recorded.
func WithRecorder(ctx context.Context, r Recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

func recorderOf(ctx context.Context) Recorder {
	r, _ := ctx.Value(recorderKey{}).(Recorder)
	return r
}

// current is the span that a ctx belongs to.
type current struct {
	Span
	recording *recording // nil where nobody records
}

// recording is what will be told of a span.
type recording struct {
	by Recorder

	mu    sync.Mutex
	ended bool
	span  Ended
}

// Begin returns a ctx of a new span behind a sender's, the first of a new trace when that is
// not valid. Who begins a span ends it by [End].
func Begin(ctx context.Context, sender Span, name string, kind Kind) context.Context {
	c := current{Span: sender.Child()}
	if r := recorderOf(ctx); r != nil {
		if !sender.IsValid() {
			sender.ID = SpanID{}
			c.Sampled = r.Sample(c.TraceID)
		}
		if c.Sampled {
			c.recording = &recording{by: r, span: Ended{Span: c.Span, Parent: sender.ID, Name: name, Kind: kind, Began: time.Now()}}
		}
	}
	return context.WithValue(ctx, contextKey{}, c)
}

// Step begins a span within that of ctx which only those who record ask for: where nobody
// does, ctx is returned as it is. The function ends it.
func Step(ctx context.Context, name string, kind Kind, attrs ...slog.Attr) (context.Context, func(error)) {
	within := FromContext(ctx)
	if !within.Sampled || recorderOf(ctx) == nil {
		return ctx, func(error) {}
	}
	step := Begin(ctx, within, name, kind)
	Describe(step, "", attrs...)
	return step, func(err error) { End(step, err) }
}

// Recorded reports whether the span that ctx belongs to will be recorded.
func Recorded(ctx context.Context) bool {
	c, ok := ctx.Value(contextKey{}).(current)
	return ok && c.recording != nil
}

// Describe tells more of the span that ctx belongs to: a better name, unless it is empty,
// and attributes in place of those told before.
func Describe(ctx context.Context, name string, attrs ...slog.Attr) {
	c, ok := ctx.Value(contextKey{}).(current)
	if !ok || c.recording == nil {
		return
	}
	c.recording.mu.Lock()
	defer c.recording.mu.Unlock()
	if name != "" {
		c.recording.span.Name = name
	}
	c.recording.span.Attrs = attrs
}

// End ends the span that ctx belongs to. It is recorded once.
func End(ctx context.Context, err error) {
	c, ok := ctx.Value(contextKey{}).(current)
	if !ok || c.recording == nil {
		return
	}
	r := c.recording
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	r.span.Ended, r.span.Err = time.Now(), err
	r.by.Record(r.span)
}
