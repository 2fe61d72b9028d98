package queuetest

import (
	"context"

	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
)

// testTrace follows a trace from the ctx of Publish into every attempt, through
// death and replay, and on into what the handler publishes.
func testTrace(f *fixture) {
	parent, state := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
	sent, ok := trace.Parse(parent, state)
	if !ok {
		f.Fatal("the sender's span is not valid")
	}
	m := queue.Message{Key: queue.KeyChunk, Body: []byte("body"), Headers: map[string]string{"mine": "1"}}
	f.must(f.broker.Publish(trace.NewContext(f.soon(), sent), m))
	want := f.normal(m) // with the id of a message without a trace
	want.Headers[trace.HeaderParent], want.Headers[trace.HeaderState] = parent, state

	seen := map[trace.SpanID]bool{sent.ID: true}
	type handled struct {
		span trace.Span
		d    queue.Delivery
	}
	attempts := make(chan handled, 10)
	told := make(chan trace.Span, 10)
	fail := func(ctx context.Context, d queue.Delivery) error {
		attempts <- handled{trace.FromContext(ctx), d}
		return errFailed
	}
	life := func(times int, handle queue.Handler) {
		c := f.consume(queue.ConsumeOptions{Workers: 1, Retry: quick, Observe: func(ctx context.Context, _ queue.Event) { told <- trace.FromContext(ctx) }}, handle)
		for attempt := 1; attempt <= times; attempt++ {
			h, observed := receive(f, "an attempt", attempts), receive(f, "an event", told)
			f.wantMessage(h.d.Message, want)
			if h.d.Attempt != attempt || h.span.TraceID != sent.TraceID || h.span.State != state || !h.span.Sampled || seen[h.span.ID] || observed != h.span {
				f.Errorf("attempt %d (want %d) is handled in the span %+v, told of as %+v; want a new one within %+v", h.d.Attempt, attempt, h.span, observed, sent)
			}
			seen[h.span.ID] = true
		}
		c.drain()
	}
	for range 2 {
		life(quick.MaxAttempts, fail)
		f.wantMessage(f.onlyLetter().Message, want)
		n, err := f.broker.Replay(f.soon(), main, want.ID)
		f.wantCount("replay", n, err, 1)
	}
	var inside trace.Span
	life(1, func(ctx context.Context, d queue.Delivery) error {
		inside = trace.FromContext(ctx)
		attempts <- handled{inside, d}
		return f.broker.Publish(ctx, queue.Message{Key: "error.more", Body: []byte("derived")})
	})
	sub := f.subscribe(queue.QueueError, 1)
	r := f.any(sub)
	f.settle(r, queue.Verdict{Outcome: queue.Done})
	if got, _ := trace.Parse(r.Message.Headers[trace.HeaderParent], r.Message.Headers[trace.HeaderState]); got != inside {
		f.Errorf("what the handler published is of the span %+v; want %+v", got, inside)
	}
}

// testWithoutTrace publishes what is of no trace, or of one that is not valid:
// each delivery begins one of its own.
func testWithoutTrace(f *fixture) {
	f.publish("none")
	odd := messageOf("odd")
	odd.Headers = map[string]string{trace.HeaderParent: "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01\r\n", trace.HeaderState: "a=1"}
	// What a message says itself is left as it is.
	f.must(f.broker.Publish(trace.Start(f.soon()), odd))
	spans := make(chan trace.Span, 2)
	c := f.consume(queue.ConsumeOptions{Workers: 1}, func(ctx context.Context, d queue.Delivery) error {
		if d.Message.ID == odd.ID {
			f.wantMessage(d.Message, f.normal(odd))
		} else {
			f.wantMessage(d.Message, f.normal(messageOf("none")))
		}
		spans <- trace.FromContext(ctx)
		return nil
	})
	first, second := receive(f, "a delivery", spans), receive(f, "a delivery", spans)
	if !first.IsValid() || !second.IsValid() || first.TraceID == second.TraceID || first.State+second.State != "" {
		f.Errorf("handled in the spans %+v and %+v; want two new traces", first, second)
	}
	c.drain()
}
