package queuetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// quick is a policy for tests of what happens after the retries.
var quick = queue.RetryPolicy{MaxAttempts: 3, Base: time.Millisecond, Factor: 1, Jitter: -1}

var errFailed = errors.New("the database is busy")

// handlerOf makes a handler that needs no ctx.
func handlerOf(handle func(queue.Delivery) error) queue.Handler {
	return func(_ context.Context, d queue.Delivery) error { return handle(d) }
}

func testConsumeDone(f *fixture) {
	before := time.Now()
	f.publish("a", "b", "c")
	deliveries := make(chan queue.Delivery, 3)
	events := make(chan queue.Event, 3)
	c := f.consume(queue.ConsumeOptions{Workers: 2, Observe: func(_ context.Context, e queue.Event) { events <- e }},
		handlerOf(func(d queue.Delivery) error {
			deliveries <- d
			return nil
		}))
	for range 3 {
		d := receive(f, "a delivery", deliveries)
		f.wantMessage(d.Message, f.normal(messageOf(d.Message.ID)))
		if d.Queue != main || d.Attempt != 1 || d.LastError != "" || d.FirstSeen.Before(before) || time.Now().Before(d.FirstSeen) {
			f.Errorf("delivery %+v", d)
		}
		e := receive(f, "an event", events)
		if e.Queue != main || e.Key != queue.KeyChunk || e.Attempt != 1 || e.Outcome != queue.Done || e.Err != nil || e.Elapsed < 0 {
			f.Errorf("event %+v", e)
		}
	}
	c.drain()
	f.wantDepth(main, queue.Depth{})
}

func testConsumeOrder(f *fixture) {
	const n = 60
	ids := make(chan string, n)
	c := f.consume(queue.ConsumeOptions{Workers: 1}, handlerOf(func(d queue.Delivery) error {
		ids <- d.Message.ID
		return nil
	}))
	for i := range n {
		f.publish(fmt.Sprint(i))
	}
	for i := range n {
		if got := receive(f, "a message", ids); got != fmt.Sprint(i) {
			f.Fatalf("message %s is handled; want %d", got, i)
		}
	}
	c.drain()
}

func testConsumeRetries(f *fixture) {
	policy := queue.RetryPolicy{MaxAttempts: 4, Base: 10 * time.Millisecond, Factor: 2, Jitter: -1}
	m := queue.Message{Key: queue.KeyChunk, Body: []byte("Palo Verde"), ContentType: "text/csv", Headers: map[string]string{"mine": "1"}}
	f.must(f.broker.Publish(f.soon(), m))
	type handled struct {
		d        queue.Delivery
		at, done time.Time
	}
	attempts := make(chan handled, 10)
	events := make(chan queue.Event, 10)
	c := f.consume(queue.ConsumeOptions{Workers: 2, Retry: policy, Observe: func(_ context.Context, e queue.Event) { events <- e }},
		handlerOf(func(d queue.Delivery) error {
			attempts <- handled{d, time.Now(), time.Now()}
			return fmt.Errorf("failure %d: %w", d.Attempt, errFailed)
		}))
	var last handled
	for attempt := 1; attempt <= policy.MaxAttempts; attempt++ {
		h := receive(f, "an attempt", attempts)
		e := receive(f, "an event", events)
		f.wantMessage(h.d.Message, f.normal(m))
		wantOutcome, wantError := queue.Retry, ""
		if attempt == policy.MaxAttempts {
			wantOutcome = queue.Dead
		}
		if attempt > 1 {
			wantError = fmt.Sprintf("failure %d: %v", attempt-1, errFailed)
			if d := h.at.Sub(last.done); d < policy.Delay(attempt-1) {
				f.Errorf("attempt %d came after %s; want %s or more", attempt, d, policy.Delay(attempt-1))
			}
			if !h.d.FirstSeen.Equal(last.d.FirstSeen) {
				f.Errorf("attempt %d: first seen %s; want %s", attempt, h.d.FirstSeen, last.d.FirstSeen)
			}
		}
		if h.d.Attempt != attempt || h.d.LastError != wantError {
			f.Errorf("delivery %d: attempt %d, last error %q; want %q", attempt, h.d.Attempt, h.d.LastError, wantError)
		}
		if e.Attempt != attempt || e.Outcome != wantOutcome || !errors.Is(e.Err, errFailed) {
			f.Errorf("event %d: %+v", attempt, e)
		}
		last = h
	}
	c.drain()
	f.wantDepth(main, queue.Depth{Dead: 1})
	letter := f.onlyLetter()
	f.wantMessage(letter.Message, f.normal(m))
	if letter.Attempts != 4 || letter.Reason != "failure 4: "+errFailed.Error() || letter.Stack != "" ||
		!letter.FirstSeen.Equal(last.d.FirstSeen) || letter.Died.Before(last.at) || time.Now().Before(letter.Died) {
		f.Errorf("dead letter %+v", letter)
	}
}

// onlyLetter waits for the one dead letter that there must be in the main
// queue.
func (f *fixture) onlyLetter() queue.DeadLetter {
	f.Helper()
	var letters []queue.DeadLetter
	f.eventually("there is a dead letter", func() bool {
		letters = f.letters(main)
		return len(letters) > 0
	})
	if len(letters) != 1 || letters[0].Queue != main {
		f.Fatalf("dead letters %+v; want one", letters)
	}
	return letters[0]
}

func testConsumeRecovers(f *fixture) {
	f.publish("a")
	done := make(chan int, 1)
	c := f.consume(queue.ConsumeOptions{Workers: 1, Retry: quick}, handlerOf(func(d queue.Delivery) error {
		if d.Attempt < 3 {
			return errFailed
		}
		done <- d.Attempt
		return nil
	}))
	receive(f, "the third attempt", done)
	c.drain()
	f.wantDepth(main, queue.Depth{})
}

func testConsumePermanent(f *fixture) {
	f.publish("a")
	f.consume(queue.ConsumeOptions{}, handlerOf(func(queue.Delivery) error {
		return fmt.Errorf("chunk: %w", queue.Permanent(errFailed))
	}))
	letter := f.onlyLetter()
	if letter.Attempts != 1 || letter.Reason != "chunk: "+errFailed.Error() || letter.FirstSeen.IsZero() || letter.Died.IsZero() {
		f.Errorf("dead letter %+v", letter)
	}
}

// testConsumePanic has one message panic, between others that do not.
func testConsumePanic(f *fixture) {
	f.wantHarmless(func() { explode() }, "panic: boom", "explode")
}

func explode() { panic("boom") }

func testConsumeGoexit(f *fixture) {
	f.wantHarmless(func() { leave() }, (&queue.PanicError{}).Error(), "leave")
}

func leave() { runtime.Goexit() }

// wantHarmless has handlers do harm, at the only worker that there is.
func (f *fixture) wantHarmless(harm func(), reason, function string) {
	f.Helper()
	f.publish("before", "bad", "after")
	good := make(chan string, 10)
	events := make(chan queue.Event, 10)
	c := f.consume(queue.ConsumeOptions{Workers: 1, Retry: quick, Observe: func(_ context.Context, e queue.Event) { events <- e }},
		handlerOf(func(d queue.Delivery) error {
			if d.Message.ID == "bad" {
				harm()
			}
			good <- d.Message.ID
			return nil
		}))
	letter := f.onlyLetter()
	if letter.Message.ID != "bad" || letter.Attempts != quick.MaxAttempts || letter.Reason != reason ||
		!strings.Contains(letter.Stack, function) {
		f.Errorf("dead letter %+v", letter)
	}
	for _, id := range []string{"before", "after"} {
		if got := receive(f, "a message", good); got != id {
			f.Errorf("%s is handled; want %s", got, id)
		}
	}
	c.drain()
	f.wantDepth(main, queue.Depth{Dead: 1})
	for range 2 + quick.MaxAttempts {
		e := receive(f, "an event", events)
		var p *queue.PanicError
		if bad := e.ID == "bad"; errors.As(e.Err, &p) != bad {
			f.Errorf("event %+v", e)
		}
	}
}

// crash delivers the next message and closes without a verdict, as a process
// does that ends.
func (f *fixture) crash(id string) {
	f.Helper()
	sub := f.subscribe(main, 1)
	f.next(sub, id)
	f.must(sub.Close())
}

// testConsumeRedelivered counts failures and deliveries without a verdict.
func testConsumeRedelivered(f *fixture) {
	f.publish("a")
	f.crash("a")
	f.crash("a")
	attempts := make(chan queue.Delivery, 10)
	o := queue.ConsumeOptions{Workers: 1, Retry: queue.RetryPolicy{Base: time.Millisecond, Cap: time.Millisecond}}
	c := f.consume(o, handlerOf(func(d queue.Delivery) error {
		attempts <- d
		if d.Attempt < 5 {
			return errFailed
		}
		return nil
	}))
	for _, want := range []int{3, 4, 5} {
		if got := receive(f, "an attempt", attempts).Attempt; got != want {
			f.Errorf("attempt %d; want %d", got, want)
		}
	}
	c.drain()
	f.wantDepth(main, queue.Depth{})
}

func testConsumePoison(f *fixture) {
	f.publish("a")
	for range quick.MaxAttempts {
		f.crash("a")
	}
	c := f.consume(queue.ConsumeOptions{Workers: 1, Retry: quick}, handlerOf(func(d queue.Delivery) error {
		f.Errorf("message is handled: %+v", d)
		return nil
	}))
	letter := f.onlyLetter()
	if letter.Attempts != quick.MaxAttempts || !strings.Contains(letter.Reason, "without a verdict") || letter.FirstSeen.IsZero() {
		f.Errorf("dead letter %+v", letter)
	}
	f.wantMessage(letter.Message, f.normal(messageOf("a")))
	c.drain()
	f.wantDepth(main, queue.Depth{Dead: 1})
}

// testDrain stops a consumer while its handlers are at work.
func testDrain(f *fixture) {
	f.publish("a", "b", "c", "d")
	started, finish := make(chan string, 4), make(chan struct{})
	c := f.consume(queue.ConsumeOptions{Workers: 2}, func(ctx context.Context, d queue.Delivery) error {
		started <- d.Message.ID
		<-finish
		return ctx.Err()
	})
	ids := []string{receive(f, "the first", started), receive(f, "the second", started)}
	slices.Sort(ids)
	c.stop()
	f.letWait()
	select {
	case <-c.ended:
		f.Error("Consume returned before its handlers")
	default:
	}
	close(finish)
	f.must(c.wait())
	if len(started) != 0 || !slices.Equal(ids, []string{"a", "b"}) {
		f.Errorf("handled %q and %d more; want a and b", ids, len(started))
	}
	f.wantDepth(main, queue.Depth{Ready: 2})
	sub := f.subscribe(main, 2)
	ids = []string{f.any(sub).Message.ID, f.any(sub).Message.ID}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"c", "d"}) {
		f.Errorf("received %q; want c and d", ids)
	}
}

// testDrainTimeout has a handler that goes on until it is cancelled.
func testDrainTimeout(f *fixture) {
	f.publish("a")
	started := make(chan struct{})
	events := make(chan queue.Event, 1)
	o := queue.ConsumeOptions{DrainTimeout: -1, Observe: func(_ context.Context, e queue.Event) { events <- e },
		Retry: queue.RetryPolicy{MaxAttempts: 1}}
	c := f.consume(o, func(ctx context.Context, _ queue.Delivery) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	})
	receive(f, "the handler", started)
	c.stop()
	f.wantError("Consume", c.wait(), queue.ErrDrain)
	if e := receive(f, "an event", events); e.Outcome != queue.Unsettled || e.Attempt != 1 {
		f.Errorf("event %+v", e)
	}
	f.wantDepth(main, queue.Depth{Ready: 1})
	f.wantRedelivered(f.subscribe(main, 1), 1, "a")
}
