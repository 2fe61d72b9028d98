package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

var errBusy = errors.New("database is busy")

// failing is a handler that fails.
func failing(context.Context, queue.Delivery) error { return errBusy }

// bench is a broker, a consumer of its database queue, and what it did.
type bench struct {
	*testing.T
	broker *memqueue.Broker
	stop   context.CancelFunc
	ended  chan struct{}
	err    error // of Consume, read after ended is closed

	mu     sync.Mutex
	events []queue.Event
}

// inBubble runs a test on a broker, with a clock that stands still while
// anybody is at work.
func inBubble(t *testing.T, test func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, broker: memqueue.New(nil)}
		defer b.broker.Close()
		test(b)
	})
}

func (b *bench) publish(bodies ...string) {
	b.Helper()
	for _, body := range bodies {
		m := queue.Message{ID: body, Key: queue.KeyChunk, Body: []byte(body)}
		if err := b.broker.Publish(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}

func (b *bench) consume(o queue.ConsumeOptions, handle queue.Handler) {
	ctx, stop := context.WithCancel(b.Context())
	b.stop, b.ended = stop, make(chan struct{})
	o.Observe = func(_ context.Context, e queue.Event) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.events = append(b.events, e)
	}
	go func() {
		defer close(b.ended)
		b.err = queue.Consume(ctx, b.broker, queue.QueueDatabase, handle, &o)
	}()
}

// drain stops the consumer and returns how long it took, and its error.
func (b *bench) drain() (time.Duration, error) {
	synctest.Wait()
	start := time.Now()
	b.stop()
	<-b.ended
	return time.Since(start), b.err
}

func (b *bench) wantDepth(want queue.Depth) {
	b.Helper()
	got, err := b.broker.Depth(b.Context(), queue.QueueDatabase)
	if err != nil || got != want {
		b.Errorf("depth %+v, error %v; want %+v", got, err, want)
	}
}

func (b *bench) wantOutcomes(want ...queue.Outcome) []queue.Event {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var got []queue.Outcome
	for _, e := range b.events {
		got = append(got, e.Outcome)
	}
	if !slices.Equal(got, want) {
		b.Fatalf("outcomes %q; want %q", got, want)
	}
	return slices.Clone(b.events)
}

func TestConsumeInvalid(t *testing.T) {
	t.Parallel()
	broker := memqueue.New(nil)
	defer broker.Close()
	for name, test := range map[string]struct {
		handle queue.Handler
		queue  string
		o      *queue.ConsumeOptions
		want   error
	}{
		"no handler":       {nil, queue.QueueDatabase, nil, queue.ErrInvalid},
		"negative workers": {done, queue.QueueDatabase, &queue.ConsumeOptions{Workers: -1}, queue.ErrInvalid},
		"policy":           {done, queue.QueueDatabase, &queue.ConsumeOptions{Retry: queue.RetryPolicy{MaxAttempts: -3}}, queue.ErrInvalid},
		"unknown queue":    {done, "nowhere", nil, queue.ErrUnknownQueue},
	} {
		if err := queue.Consume(t.Context(), broker, test.queue, test.handle, test.o); !errors.Is(err, test.want) {
			t.Errorf("%s: got error %v; want %v", name, err, test.want)
		}
	}
}

// TestConsumeSchedule follows a message through the default policy, without
// its jitter.
func TestConsumeSchedule(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.publish("a")
		start := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		b.consume(queue.ConsumeOptions{Retry: queue.RetryPolicy{Jitter: -1}}, func(_ context.Context, d queue.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(start))
			if !d.FirstSeen.Equal(start) {
				b.Errorf("first seen %s; want %s", d.FirstSeen, start)
			}
			time.Sleep(time.Millisecond) // the handler's work, in the bubble's time
			return errBusy
		})
		time.Sleep(time.Hour)
		if took, err := b.drain(); took != 0 || err != nil {
			b.Errorf("drain took %s, error %v", took, err)
		}
		var want []time.Duration
		next := time.Duration(0)
		for _, seconds := range []int{0, 1, 3, 9, 27, 81, 243, 300} {
			next += time.Duration(seconds) * time.Second
			want = append(want, next)
			next += time.Millisecond
		}
		if !slices.Equal(at, want) {
			b.Errorf("attempts at %v; want %v", at, want)
		}
		b.wantDepth(queue.Depth{Dead: 1})
		retry := queue.Retry
		for i, e := range b.wantOutcomes(retry, retry, retry, retry, retry, retry, retry, queue.Dead) {
			if e.Queue != queue.QueueDatabase || e.ID != "a" || e.Key != queue.KeyChunk || e.Attempt != i+1 ||
				e.Elapsed != time.Millisecond || !errors.Is(e.Err, errBusy) {
				b.Errorf("event %d: %+v", i, e)
			}
		}
		for letter, err := range b.broker.DeadLetters(b.Context(), queue.QueueDatabase) {
			if err != nil || letter.Attempts != 8 || !letter.FirstSeen.Equal(start) || !letter.Died.Equal(start.Add(next)) {
				b.Errorf("dead letter %+v, error %v; died at %s", letter, err, letter.Died.Sub(start))
			}
		}
	})
}

// TestConsumeWorkers counts how many handlers run at a time.
func TestConsumeWorkers(t *testing.T) {
	for _, workers := range []int{0, 1, 3, 50} {
		inBubble(t, func(b *bench) {
			want := workers
			if want == 0 {
				want = runtime.GOMAXPROCS(0)
			}
			for i := range 100 {
				b.publish(fmt.Sprint(i))
			}
			var now, most atomic.Int64
			start := time.Now()
			b.consume(queue.ConsumeOptions{Workers: workers}, func(context.Context, queue.Delivery) error {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					continue
				}
				time.Sleep(time.Second)
				now.Add(-1)
				return nil
			})
			synctest.Wait()
			b.wantDepth(queue.Depth{Ready: 100 - want}) // no more are taken ahead
			time.Sleep(time.Duration((99+want)/want) * time.Second)
			b.wantDepth(queue.Depth{})
			if took, err := b.drain(); took != 0 || err != nil {
				b.Errorf("drain took %s, error %v", took, err)
			}
			if got := most.Load(); got != int64(want) {
				b.Errorf("%d handlers ran at a time; want %d; all took %s", got, want, time.Since(start))
			}
		})
	}
}

// TestConsumeDrain stops a consumer whose only handler takes its time.
func TestConsumeDrain(t *testing.T) {
	const second = time.Second
	cancelled := func(ctx context.Context, err error) error {
		<-ctx.Done()
		return err
	}
	for name, test := range map[string]struct {
		timeout time.Duration
		handle  func(context.Context) error
		took    time.Duration
		want    error
		outcome queue.Outcome
		depth   queue.Depth
	}{
		"in time":           {0, func(ctx context.Context) error { time.Sleep(29 * second); return ctx.Err() }, 29 * second, nil, queue.Done, queue.Depth{}},
		"fails in time":     {0, func(context.Context) error { time.Sleep(29 * second); return errBusy }, 29 * second, nil, queue.Retry, queue.Depth{Delayed: 1}},
		"cancelled":         {0, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 30 * second, queue.ErrDrain, queue.Unsettled, queue.Depth{Ready: 1}},
		"own timeout":       {5 * second, func(ctx context.Context) error { return cancelled(ctx, errBusy) }, 5 * second, queue.ErrDrain, queue.Unsettled, queue.Depth{Ready: 1}},
		"no time":           {-1, func(ctx context.Context) error { return cancelled(ctx, errBusy) }, 0, queue.ErrDrain, queue.Unsettled, queue.Depth{Ready: 1}},
		"done all the same": {second, func(ctx context.Context) error { return cancelled(ctx, nil) }, second, nil, queue.Done, queue.Depth{}},
		"permanent all the same": {second, func(ctx context.Context) error { return cancelled(ctx, queue.Permanent(errBusy)) },
			second, nil, queue.Dead, queue.Depth{Dead: 1}},
		"panics": {second, func(ctx context.Context) error { panic(cancelled(ctx, errBusy)) }, second, queue.ErrDrain, queue.Unsettled, queue.Depth{Ready: 1}},
		"needs the grace": {second, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(second / 2)
			return nil
		}, 3 * second / 2, nil, queue.Done, queue.Depth{}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.publish("a")
				// One attempt is allowed, but a cancelled one is no failure.
				policy := queue.RetryPolicy{MaxAttempts: 1}
				if test.outcome == queue.Retry {
					policy.MaxAttempts = 2
				}
				o := queue.ConsumeOptions{DrainTimeout: test.timeout, Retry: policy}
				b.consume(o, func(ctx context.Context, _ queue.Delivery) error { return test.handle(ctx) })
				took, err := b.drain()
				if took != test.took || !errors.Is(err, test.want) || test.want == nil && err != nil {
					b.Errorf("took %s, error %v; want %s, %v", took, err, test.took, test.want)
				}
				b.wantOutcomes(test.outcome)
				b.wantDepth(test.depth)
			})
		})
	}
}

// TestConsumeLeavesBehind has a handler that does not return when it is
// cancelled, and returns when another consumer is at its message.
func TestConsumeLeavesBehind(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.publish("a", "b")
		release := make(chan struct{})
		handle := func(_ context.Context, d queue.Delivery) error {
			if d.Message.ID == "a" {
				<-release
			}
			return nil
		}
		b.consume(queue.ConsumeOptions{Workers: 2, DrainTimeout: 5 * time.Second}, handle)
		took, err := b.drain()
		if took != 6*time.Second || !errors.Is(err, queue.ErrDrain) || !strings.Contains(err.Error(), "1 messages") {
			b.Errorf("took %s, error %v", took, err)
		}
		b.wantDepth(queue.Depth{Ready: 1})

		attempts := make(chan int, 1)
		b.consume(queue.ConsumeOptions{}, func(_ context.Context, d queue.Delivery) error {
			attempts <- d.Attempt
			close(release)
			time.Sleep(time.Second) // the one left behind returns, and nobody listens
			return queue.Permanent(errBusy)
		})
		if got := <-attempts; got != 2 {
			b.Errorf("attempt %d; want 2", got)
		}
		if _, err := b.drain(); err != nil {
			b.Error(err)
		}
		b.wantDepth(queue.Depth{Dead: 1})
		events := b.wantOutcomes(queue.Done, queue.Unsettled, queue.Dead)
		if !errors.Is(events[1].Err, queue.ErrSettled) || events[1].ID != "a" {
			b.Errorf("event of the one left behind: %+v", events[1])
		}
	})
}

// TestConsumeEndsGoroutines relies on the bubble, which fails when goroutines
// are left.
func TestConsumeEndsGoroutines(t *testing.T) {
	inBubble(t, func(b *bench) {
		for i := range 20 {
			b.publish(fmt.Sprint(i))
		}
		b.consume(queue.ConsumeOptions{Workers: 3}, func(_ context.Context, d queue.Delivery) error {
			switch len(d.Message.ID) + d.Attempt {
			case 2:
				return errBusy
			case 3:
				runtime.Goexit()
			case 4:
				panic("boom")
			}
			return nil
		})
		synctest.Wait()
		if _, err := b.drain(); err != nil {
			b.Error(err)
		}
	})
}

// fake is a subscriber, and a subscription, that does as it is told.
type fake struct {
	subscribeError, nextError, settleError, closeError error

	prefetch int
	messages []queue.Message
	verdicts []queue.Verdict
	deadline time.Duration // of Settle's ctx
	closed   int
	slow     int // calls of Settle that last until their ctx ends
}

func (f *fake) Subscribe(_ context.Context, _ string, prefetch int) (queue.Subscription, error) {
	f.prefetch = prefetch
	if f.subscribeError != nil {
		return nil, f.subscribeError
	}
	return f, nil
}

func (f *fake) Next(ctx context.Context) (queue.Received, error) {
	if len(f.messages) == 0 {
		if f.nextError == nil {
			<-ctx.Done()
			return queue.Received{}, ctx.Err()
		}
		return queue.Received{}, f.nextError
	}
	m := f.messages[0]
	f.messages = f.messages[1:]
	return queue.Received{Message: m, Settle: func(ctx context.Context, v queue.Verdict) error {
		f.verdicts = append(f.verdicts, v)
		deadline, _ := ctx.Deadline()
		f.deadline = time.Until(deadline)
		if f.slow > 0 {
			f.slow--
			<-ctx.Done()
		}
		return errors.Join(f.settleError, ctx.Err())
	}}, nil
}

func (f *fake) Close() error {
	f.closed++
	return f.closeError
}

var errBroken = errors.New("connection is broken")

func TestConsumeBrokenSubscriber(t *testing.T) {
	for name, test := range map[string]struct {
		fake   *fake
		want   []error
		closed int
	}{
		"subscribe": {&fake{subscribeError: errBroken}, []error{errBroken}, 0},
		"next":      {&fake{nextError: errBroken}, []error{errBroken}, 1},
		"closed":    {&fake{nextError: fmt.Errorf("subscription: %w", queue.ErrClosed), closeError: errBroken}, []error{queue.ErrClosed}, 1},
		"both":      {&fake{nextError: errBroken, closeError: errBusy}, []error{errBroken, errBusy}, 1},
	} {
		err := queue.Consume(t.Context(), test.fake, "q", done, &queue.ConsumeOptions{Workers: 7})
		for _, want := range test.want {
			if !errors.Is(err, want) {
				t.Errorf("%s: got error %v; want %v", name, err, want)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "queue q") {
			t.Errorf("%s: error %v does not name the queue", name, err)
		}
		if errors.Is(err, queue.ErrClosed) && errors.Is(err, errBroken) {
			t.Errorf("%s: error %v tells of closing what was closed", name, err)
		}
		if test.fake.closed != test.closed || test.fake.prefetch != 7 {
			t.Errorf("%s: closed %d times, prefetch %d; want %d and 7", name, test.fake.closed, test.fake.prefetch, test.closed)
		}
	}
	// A subscription that ends takes nothing from the handlers at work.
	synctest.Test(t, func(t *testing.T) {
		f := &fake{messages: []queue.Message{{ID: "a", Key: "k"}}, nextError: errBroken}
		start := time.Now()
		err := queue.Consume(t.Context(), f, "q", func(ctx context.Context, _ queue.Delivery) error {
			time.Sleep(10 * time.Second)
			return ctx.Err()
		}, nil)
		if !errors.Is(err, errBroken) || errors.Is(err, queue.ErrDrain) || time.Since(start) != 10*time.Second {
			t.Errorf("after %s: error %v", time.Since(start), err)
		}
		if len(f.verdicts) != 1 || f.verdicts[0].Outcome != queue.Done || f.deadline != 30*time.Second {
			t.Errorf("verdicts %+v within %s", f.verdicts, f.deadline)
		}
	})
	// A handler that was cancelled may have done its work, and its verdict counts.
	synctest.Test(t, func(t *testing.T) {
		f := &fake{messages: []queue.Message{{ID: "a", Key: "k"}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := queue.Consume(ctx, f, "q", func(ctx context.Context, _ queue.Delivery) error {
			<-ctx.Done()
			return nil
		}, &queue.ConsumeOptions{DrainTimeout: time.Second})
		if err != nil || len(f.verdicts) != 1 || f.verdicts[0].Outcome != queue.Done {
			t.Errorf("error %v, verdicts %+v", err, f.verdicts)
		}
	})
	// Closing may fail after a drain, too.
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{messages: []queue.Message{{ID: "a", Key: "k"}}, closeError: errBroken}
	err := queue.Consume(ctx, f, "q", func(context.Context, queue.Delivery) error { cancel(); return nil }, nil)
	if !errors.Is(err, errBroken) {
		t.Errorf("got error %v; want that of Close", err)
	}
}

// TestConsumeSettleFails tells of messages whose verdict did not arrive.
func TestConsumeSettleFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handle queue.Handler
		want   []error
		text   string
	}{
		"done":  {done, []error{errBroken}, "settle as done"},
		"retry": {failing, []error{errBroken, errBusy}, "settle as retry"},
		"dead":  {func(context.Context, queue.Delivery) error { return queue.Permanent(errBusy) }, []error{errBroken, errBusy}, "settle as dead"},
	} {
		f := &fake{messages: []queue.Message{{ID: "a", Key: "k"}}, settleError: errBroken}
		ctx, cancel := context.WithCancel(t.Context())
		var events []queue.Event
		o := &queue.ConsumeOptions{Workers: 1, Observe: func(_ context.Context, e queue.Event) { events = append(events, e); cancel() }}
		if err := queue.Consume(ctx, f, "q", test.handle, o); err != nil && !errors.Is(err, queue.ErrDrain) {
			t.Errorf("%s: %v", name, err)
		}
		if len(events) != 1 || events[0].Outcome != queue.Unsettled || !strings.Contains(events[0].Err.Error(), test.text) {
			t.Fatalf("%s: events %+v", name, events)
		}
		for _, want := range test.want {
			if !errors.Is(events[0].Err, want) {
				t.Errorf("%s: event's error %v; want %v", name, events[0].Err, want)
			}
		}
	}
}

// TestConsumeSettlesAgain has a broker that takes no verdicts for a while.
func TestConsumeSettlesAgain(t *testing.T) {
	for name, test := range map[string]struct {
		slow     int // calls of Settle
		took     time.Duration
		want     error
		outcome  queue.Outcome
		verdicts int
	}{
		"for a minute": {2, 2 * (30*time.Second + 100*time.Millisecond), nil, queue.Retry, 3},
		// Two minutes, a second to drain and one to return; the call under way
		// ends later.
		"for good": {1000, 2*time.Minute + 2*time.Second, queue.ErrDrain, queue.Unsettled, 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{messages: []queue.Message{{ID: "a", Key: "k"}}, slow: test.slow}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				events := make(chan queue.Event, 2)
				start := time.Now()
				err := queue.Consume(ctx, f, "q", failing, &queue.ConsumeOptions{Workers: 1, DrainTimeout: time.Second,
					Observe: func(_ context.Context, e queue.Event) { events <- e; cancel() }})
				if took := time.Since(start); !errors.Is(err, test.want) || took != test.took {
					t.Errorf("after %s: error %v; want %v after %s", took, err, test.want, test.took)
				}
				if e := <-events; e.Outcome != test.outcome || len(events) > 0 || len(f.verdicts) != test.verdicts {
					t.Errorf("outcome %s, %d verdicts; want %s, %d", e.Outcome, len(f.verdicts), test.outcome, test.verdicts)
				}
			})
		})
	}
}

// logTo returns a logger without times, and with the first word of a stack and
// the lengths of ids.
func logTo(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey:
			return slog.Attr{}
		case "stack":
			word, _, _ := strings.Cut(a.Value.String(), " ")
			return slog.String("stack", word)
		case trace.LogTraceID, trace.LogSpanID:
			return slog.Int(a.Key, len(a.Value.String()))
		}
		return a
	}}))
}

func TestConsumeLogs(t *testing.T) {
	inBubble(t, func(b *bench) {
		var text strings.Builder
		b.publish("good", "busy", "bad", "boom")
		o := queue.ConsumeOptions{Workers: 1, DrainTimeout: -1, Logger: logTo(&text, slog.LevelDebug),
			Retry: queue.RetryPolicy{MaxAttempts: 2, Base: time.Second, Jitter: -1}}
		b.consume(o, func(ctx context.Context, d queue.Delivery) error {
			switch d.Message.ID {
			case "busy":
				time.Sleep(time.Millisecond)
				return errBusy
			case "bad":
				return queue.Permanent(errors.New("no chunk"))
			case "boom":
				time.Sleep(2 * time.Millisecond)
				panic("boom")
			case "slow":
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		time.Sleep(time.Minute)
		b.publish("slow")
		if _, err := b.drain(); !errors.Is(err, queue.ErrDrain) {
			b.Error(err)
		}
		message := func(level, text, id string, attempt int, elapsed string) string {
			return fmt.Sprintf("level=%s msg=%q queue=egrid.database id=%s key=database.chunk attempt=%d elapsed=%s",
				level, text, id, attempt, elapsed)
		}
		const span = " trace_id=32 span_id=16"
		const failed, dead = "message failed, will be retried", "message is a dead letter"
		want := []string{
			"level=INFO msg=consuming queue=egrid.database workers=1",
			`level=DEBUG msg="message done" queue=egrid.database id=good key=database.chunk attempt=1 elapsed=0s` + span,
			message("WARN", failed, "busy", 1, "1ms") + ` delay=1s error="database is busy"` + span,
			message("ERROR", dead, "bad", 1, "0s") + ` error="no chunk"` + span,
			message("WARN", failed, "boom", 1, "2ms") + ` delay=1s stack=goroutine error="panic: boom"` + span,
			message("ERROR", dead, "busy", 2, "1ms") + ` error="database is busy"` + span,
			message("ERROR", dead, "boom", 2, "2ms") + ` stack=goroutine error="panic: boom"` + span,
			message("WARN", "message unsettled, will be delivered again", "slow", 1, "0s") + ` error="context canceled"` + span,
			`level=WARN msg="consuming ended" queue=egrid.database error="` + queue.ErrDrain.Error() + `: 1 messages of queue egrid.database are delivered again"`,
		}
		if got := strings.Split(strings.TrimSpace(text.String()), "\n"); !slices.Equal(got, want) {
			b.Errorf("got\n%s\nwant\n%s", text.String(), strings.Join(want, "\n"))
		}
	})
}

// TestConsumeLogsNoBodies also has the logger off for what is of no interest.
func TestConsumeLogsNoBodies(t *testing.T) {
	inBubble(t, func(b *bench) {
		var text strings.Builder
		logger := logTo(&text, slog.LevelInfo)
		m := queue.Message{ID: "a", Key: queue.KeyChunk, Body: []byte("secret body"), Headers: map[string]string{"h": "secret header"}}
		if err := b.broker.Publish(b.Context(), m); err != nil {
			b.Fatal(err)
		}
		b.consume(queue.ConsumeOptions{Logger: logger}, func(_ context.Context, d queue.Delivery) error {
			if d.Attempt == 1 {
				return errBusy
			}
			return nil
		})
		time.Sleep(time.Minute)
		if _, err := b.drain(); err != nil {
			b.Error(err)
		}
		if got := text.String(); strings.Contains(got, "secret") || strings.Contains(got, "message done") || strings.Count(got, "\n") != 3 {
			b.Errorf("log:\n%s", got)
		}
	})
}
