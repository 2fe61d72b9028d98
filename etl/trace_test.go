package etl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// tracedSink keeps the spans that it was used in.
type tracedSink struct {
	etl.Sink
	mu    sync.Mutex
	spans []trace.Span // of Put and Publish
}

func (s *tracedSink) keep(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans = append(s.spans, trace.FromContext(ctx))
}

func (s *tracedSink) Put(ctx context.Context, spec driver.SnapshotSpec, c driver.Chunk) error {
	s.keep(ctx)
	return s.Sink.Put(ctx, spec, c)
}

func (s *tracedSink) Publish(ctx context.Context, spec driver.SnapshotSpec, r driver.PublishRequest) (driver.PublishReport, error) {
	s.keep(ctx)
	return s.Sink.Publish(ctx, spec, r)
}

// traces returns the distinct trace ids of spans.
func traces(spans []trace.Span) (ids []string) {
	for _, s := range spans {
		if id := s.TraceID.String(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func someSpan(t *testing.T) trace.Span {
	t.Helper()
	s, ok := trace.Parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1")
	if !ok {
		t.Fatal("the span is not valid")
	}
	return s
}

// TestRunIsOfATrace: that of its ctx, or one of its own.
func TestRunIsOfATrace(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators})
	outer := someSpan(t)
	var own []string
	for name, ctx := range map[string]context.Context{"outer": trace.NewContext(t.Context(), outer), "one": t.Context(), "two": t.Context()} {
		sink := &tracedSink{Sink: etl.ToLoader(memstore.New())}
		report, err := etl.New(etl.Local(dir), sink, nil).Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ids := traces(sink.spans)
		if len(sink.spans) < 2 || len(ids) != 1 || ids[0] != report.TraceID || !sink.spans[0].IsValid() {
			t.Errorf("%s: spans %+v, report of %q", name, sink.spans, report.TraceID)
			continue
		}
		if name == "outer" {
			if s := sink.spans[0]; s.TraceID != outer.TraceID || s.ID == outer.ID || s.State != "a=1" {
				t.Errorf("span %+v within %+v", s, outer)
			}
			continue
		}
		own = append(own, ids[0])
	}
	if len(own) != 2 || own[0] == own[1] || slices.Contains(own, outer.TraceID.String()) {
		t.Errorf("traces of their own: %q", own)
	}
}

// TestStagesAreOfOneTrace has each stage in a process of its own, so that only
// JSON goes from one to the next.
func TestStagesAreOfOneTrace(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators})
	through := func(from, to any) {
		t.Helper()
		b, err := json.Marshal(from)
		if err == nil {
			err = json.Unmarshal(b, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	outer := someSpan(t)
	for name, ctx := range map[string]context.Context{"": t.Context(), outer.TraceID.String(): trace.NewContext(t.Context(), outer)} {
		sink := &tracedSink{Sink: etl.ToLoader(memstore.New())}
		p := etl.New(etl.Local(dir), sink, nil)
		var scanned etl.Scanned
		var validated etl.Validated
		var divided etl.Divided
		var streamed etl.Streamed
		answer, err := p.Scan(ctx)
		through(answer, &scanned)
		if err == nil {
			validated, err = p.Validate(t.Context(), scanned)
			through(validated, &validated)
		}
		if err == nil {
			divided, err = p.Divide(t.Context(), validated)
			through(divided, &divided)
		}
		if err == nil {
			streamed, err = p.Stream(t.Context(), divided)
			through(streamed, &streamed)
		}
		if err != nil {
			t.Fatal(err)
		}
		report, err := p.Report(t.Context(), streamed)
		ids := traces(sink.spans)
		if err != nil || len(ids) != 1 || report.TraceID != ids[0] || validated.Report().TraceID != ids[0] || name != "" && ids[0] != name {
			t.Errorf("%v, spans %+v, report of %q; want one of %q", err, sink.spans, report.TraceID, name)
		}
		// What is nonsense is as good as none.
		streamed.Traceparent, streamed.Tracestate = "00-x\r\n", "y\r\n"
		if report, err = p.Report(t.Context(), streamed); err != nil || len(report.TraceID) != 32 || report.TraceID == ids[0] {
			t.Errorf("%v, report of %q", err, report.TraceID)
		}
	}
}

// TestSchedulerTraces: each run has a trace of its own, and Done is called in it.
func TestSchedulerTraces(t *testing.T) {
	t.Parallel()
	source := &shelf{texts: map[string]string{"GEN.csv": generators}, listing: errors.New("bucket is away")}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sink := &tracedSink{Sink: etl.ToLoader(memstore.New())}
	var spans []trace.Span
	etl.NewScheduler(etl.New(source, sink, nil), every(2*time.Millisecond), &etl.SchedulerOptions{Done: func(run context.Context, r etl.Report, err error) {
		spans = append(spans, trace.FromContext(run))
		if err == nil {
			if got := append(traces(sink.spans), r.TraceID); !slices.Equal(got, []string{spans[len(spans)-1].TraceID.String(), r.TraceID}) || got[0] != got[1] {
				t.Errorf("loaded and reported in %q; done in %+v", got, spans[len(spans)-1])
			}
			stop()
		}
		source.change(func() { source.listing = nil })
	}}).Run(ctx)
	if len(spans) < 2 || len(traces(spans)) != len(spans) || slices.ContainsFunc(spans, func(s trace.Span) bool { return !s.IsValid() }) {
		t.Errorf("runs in %+v; want traces of their own", spans)
	}
}

// TestTraceThroughTheQueue loads through a queue into a store that fails at first:
// the chunks, the order, the dead letters, the incidents and the notices that come
// of it are all of one trace, and so is what the error consumer logs. The names of
// messages do not depend on it.
func TestTraceThroughTheQueue(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators})
	store, broker := memstore.New(), memqueue.New(nil)
	var log bytes.Buffer // of one worker, and read when that has ended
	ctx, stop := context.WithCancel(t.Context())
	seen := make(chan queue.Delivery, 100)
	ended := make(chan error, 3)
	consume := func(name string, h queue.Handler) {
		go func() {
			ended <- queue.Consume(ctx, broker, name, func(ctx context.Context, d queue.Delivery) error {
				seen <- d
				return h(ctx, d)
			}, &queue.ConsumeOptions{Workers: 1, Retry: queue.RetryPolicy{MaxAttempts: 2, Base: time.Millisecond}, Observe: func(ctx context.Context, e queue.Event) {
				if e.Outcome != queue.Dead {
					return
				}
				m, err := etl.EncodeIncident(etl.DeadLetterIncident(e))
				if err == nil {
					err = broker.Publish(context.WithoutCancel(ctx), m)
				}
				if err != nil {
					t.Error(err)
				}
			}})
		}()
	}
	whole, chunks := etl.DatabaseHandler(store), 0
	consume(queue.QueueDatabase, func(ctx context.Context, d queue.Delivery) error {
		if d.Message.Key == queue.KeyChunk {
			if chunks++; chunks <= 2 { // all attempts of one life
				return errors.New("the database is away")
			}
		}
		return whole(ctx, d)
	})
	consume(queue.QueueError, etl.ErrorHandler(store, broker, &etl.ErrorOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	told := make(chan bool, 10)
	consume(queue.QueueNotification, func(context.Context, queue.Delivery) error { told <- true; return nil })

	run := trace.Start(t.Context())
	want := trace.FromContext(run).TraceID.String()
	sink := etl.ToQueue(broker, store)
	spec, chunk := specOf(t)
	chunk.Index = 0
	plain, err := etl.EncodeChunk(spec, chunk)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Put(run, spec, chunk); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the chunk was not replayed", func() bool {
		d, err := broker.Depth(ctx, queue.QueueDatabase)
		return err == nil && d == queue.Depth{} && len(seen) >= 4
	})
	if report, err := etl.New(etl.Local(dir), sink, nil).Run(run); err != nil || report.TraceID != want {
		t.Fatalf("report of %q, %v; want %q", report.TraceID, err, want)
	}
	// What cannot be cured is told to people.
	bad := plain
	bad.Body = []byte("x")
	if err := broker.Publish(run, bad); err != nil {
		t.Fatal(err)
	}
	select {
	case <-told:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told")
	}
	stop()
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	broker.Close()
	close(seen)
	kinds := map[string]int{}
	for d := range seen {
		if s, _ := trace.Parse(d.Message.Headers[trace.HeaderParent], d.Message.Headers[trace.HeaderState]); s.TraceID.String() != want {
			t.Errorf("%s of %+v; want the trace %s", d.Message.Key, s, want)
		}
		if d.Message.ID != queue.MessageID(d.Message.Body) {
			t.Errorf("%s is named %s", d.Message.Key, d.Message.ID)
		}
		kinds[d.Queue]++
		kinds[d.Message.Key]++
	}
	if kinds[queue.KeyChunk] < 4 || kinds[queue.KeyPublish] == 0 || kinds[queue.QueueError] != 2 || kinds[queue.QueueNotification] != 1 {
		t.Errorf("messages: %v", kinds)
	}
	if !strings.Contains(log.String(), "dead letter replayed") || !strings.Contains(log.String(), "trace_id="+want) {
		t.Errorf("the error consumer's log:\n%s", &log)
	}
}
