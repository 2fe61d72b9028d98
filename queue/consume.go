package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// ConsumeOptions adjusts Consume. The zero value of every field means its
// default.
type ConsumeOptions struct {
	// Workers is how many handlers run at a time, and how many messages are
	// taken from the broker ahead of their verdicts; default GOMAXPROCS.
	Workers int
	// Retry says when and how often a failed message is delivered again.
	Retry RetryPolicy
	// DrainTimeout is how long handlers may go on after Consume's ctx is done;
	// default 30 seconds, negative is not at all.
	DrainTimeout time.Duration
	// Observe is called once for each delivery, after it was settled, on the
	// worker's goroutine: for metrics. It must not panic. ctx has the values of
	// the handler's, so that what is sent with it belongs to the same trace, and
	// may have ended. Default none.
	Observe func(ctx context.Context, e Event)
	// Logger is told of retries and of what stops Consume (warning), dead
	// letters (error), start and end (information); default none. Records about
	// a delivery have trace_id and span_id. Bodies are not logged.
	Logger *slog.Logger
}

// Event is one delivery that came to its end.
type Event struct {
	Queue   string
	ID, Key string // of the message
	Attempt int
	Outcome Outcome
	Elapsed time.Duration // how long the handler ran
	Err     error         // why the outcome is not Done
}

// The times that are nobody's to choose: how long a cancelled handler has to
// return before it is left behind, how long a broker may take to settle, and
// when it is asked again after that.
const (
	cancelGrace   = time.Second
	settleTimeout = 30 * time.Second
	settlePause   = 100 * time.Millisecond
)

// Consume hands the messages of a queue to a handler, on several goroutines,
// until ctx is done. Then it takes no more, waits for the handlers at work, and
// returns nil when all of their messages are settled.
//
// Handlers that still run after DrainTimeout have their ctx cancelled and one
// second more to return. A cancelled handler's ordinary error is no failure of
// the message: the message goes back to the queue, and is delivered again at
// once, elsewhere or later. Consume then returns an error that wraps ErrDrain. A handler
// that does not return even so is left behind, and what it returns in the end
// has no effect.
//
// A panic or runtime.Goexit in the handler is an error of the message, a
// [*PanicError], and harms no other. A message that is delivered more often
// than RetryPolicy.MaxAttempts allows, because processes keep ending before
// they settle it, becomes a dead letter without being handled.
//
// A broker that takes no verdict for a while, as one that is full, is asked
// again. The worker waits for it, and no message is handled twice for that.
//
// Before it takes messages it returns ErrUnknownQueue, ErrInvalid for options
// that make no sense, or the broker's error; afterwards ErrClosed or the error
// that ended the subscription, when the handlers at work are done with as
// above. Consume may be called several times at once, for the same queue too.
func Consume(ctx context.Context, s Subscriber, queue string, handle Handler, o *ConsumeOptions) error {
	c := &consumer{queue: queue, handle: handle}
	if o != nil {
		c.o = *o
	}
	if err := c.complete(); err != nil {
		return err
	}
	sub, err := s.Subscribe(ctx, queue, c.o.Workers)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil
		}
		return fmt.Errorf("subscribe to queue %s: %w", queue, err)
	}
	c.log.InfoContext(ctx, "consuming", "workers", c.o.Workers)
	err = c.run(ctx, sub)
	// Closing gives back what handlers left behind, so it comes before the
	// return that lets the process end.
	if closeErr := sub.Close(); closeErr != nil && !errors.Is(err, ErrClosed) {
		err = errors.Join(err, fmt.Errorf("close subscription to queue %s: %w", queue, closeErr))
	}
	if err != nil {
		c.log.WarnContext(ctx, "consuming ended", "error", err)
		return err
	}
	c.log.InfoContext(ctx, "consuming ended")
	return nil
}

// consumer is one call of Consume.
type consumer struct {
	queue  string
	handle Handler
	o      ConsumeOptions
	log    *slog.Logger

	working  sync.WaitGroup
	atWork   atomic.Int64 // deliveries under way
	givenUp  atomic.Int64 // deliveries that ended unsettled during the drain
	draining atomic.Bool
}

func (c *consumer) complete() error {
	if c.handle == nil {
		return fmt.Errorf("%w handler: nil", ErrInvalid)
	}
	if c.o.Workers == 0 {
		c.o.Workers = runtime.GOMAXPROCS(0)
	}
	if c.o.Workers < 0 {
		return fmt.Errorf("%w number of workers: %d", ErrInvalid, c.o.Workers)
	}
	if err := c.o.Retry.validate(); err != nil {
		return err
	}
	c.o.Retry = c.o.Retry.withDefaults()
	if c.o.DrainTimeout == 0 {
		c.o.DrainTimeout = 30 * time.Second
	}
	c.log = trace.Logger(c.o.Logger).With("queue", c.queue)
	return nil
}

// run takes messages until ctx is done or the subscription fails, and drains.
func (c *consumer) run(ctx context.Context, sub Subscription) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()

	free := make(chan struct{}, c.o.Workers)
	var failure error
	for ctx.Err() == nil {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		// One goroutine for each message, so that a handler which ends its
		// goroutine takes no worker with it.
		r, err := sub.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				failure = fmt.Errorf("receive from queue %s: %w", c.queue, err)
			}
			break
		}
		c.atWork.Add(1)
		c.working.Go(func() {
			defer func() {
				c.atWork.Add(-1)
				<-free
			}()
			c.deliver(work, r)
		})
	}
	return errors.Join(failure, c.drain(cancel))
}

// drain waits for the handlers at work, and cancels them when they take too
// long.
func (c *consumer) drain(cancel context.CancelFunc) error {
	c.draining.Store(true)
	finished := make(chan struct{})
	go func() {
		c.working.Wait()
		close(finished)
	}()
	if !within(c.o.DrainTimeout, finished) {
		cancel()
		within(cancelGrace, finished)
	}
	if n := c.atWork.Load() + c.givenUp.Load(); n > 0 {
		return fmt.Errorf("%w: %d messages of queue %s are delivered again", ErrDrain, n, c.queue)
	}
	return nil
}

// within waits for done, but no longer than d.
func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// deliver takes one message through the handler to its verdict.
func (c *consumer) deliver(work context.Context, r Received) {
	work = trace.Begin(work, senderOf(r.Message), "process "+c.queue, trace.Consumer)
	start := time.Now()
	past := storyOf(r.Message)
	if past.firstSeen.IsZero() {
		past.firstSeen = start
	}
	d := Delivery{
		Message:   withoutStory(r.Message),
		Queue:     c.queue,
		Attempt:   past.attempts + r.Redelivered + 1,
		FirstSeen: past.firstSeen,
		LastError: past.reason,
	}
	var f failure
	returned := false
	// Deferred, because the handler may end this goroutine.
	defer func() {
		if !returned {
			p := &PanicError{Value: recover(), Stack: debug.Stack()}
			f = failure{err: p, text: p.Error(), stack: string(p.Stack)}
		}
		c.settle(work, r, d, f, time.Since(start))
	}()
	if d.Attempt > c.o.Retry.MaxAttempts {
		d.Attempt--
		f = exhausted(d, r.Redelivered)
	} else {
		f = failureOf(c.handle(work, d))
	}
	returned = true
}

// failure is what a handler's error means. It is read where a panic is caught,
// since the methods of an error may panic, too.
type failure struct {
	err       error // nil is success
	permanent bool
	text      string
	stack     string
}

func failureOf(err error) failure {
	if err == nil {
		return failure{}
	}
	f := failure{err: err, permanent: IsPermanent(err), text: err.Error()}
	var p *PanicError
	if errors.As(err, &p) {
		f.stack = string(p.Stack)
	}
	return f
}

// exhausted is the failure of a message that came once too often.
func exhausted(d Delivery, redelivered int) failure {
	text := fmt.Sprintf("delivered %d times, at last %d times without a verdict", d.Attempt, redelivered)
	if d.LastError != "" {
		text += "; before that: " + d.LastError
	}
	return failureOf(Permanent(errors.New(text)))
}

// settle decides what becomes of the message, and has the broker do so.
func (c *consumer) settle(work context.Context, r Received, d Delivery, f failure, elapsed time.Duration) {
	e := Event{Queue: c.queue, ID: d.Message.ID, Key: d.Message.Key, Attempt: d.Attempt, Elapsed: elapsed, Err: f.err}
	v := Verdict{Outcome: Done}
	switch {
	case f.err == nil:
	case f.permanent || d.Attempt >= c.o.Retry.MaxAttempts && work.Err() == nil:
		v = Verdict{Outcome: Dead, Headers: storyAfter(r.Message, d, f, time.Now())}
	case work.Err() != nil:
		v.Outcome = Unsettled // closing the subscription gives it back
	default:
		v = Verdict{Outcome: Retry, Headers: storyAfter(r.Message, d, f, time.Time{}), Delay: c.o.Retry.Delay(d.Attempt)}
	}
	e.Outcome = v.Outcome
	if v.Outcome != Unsettled {
		if err := c.insist(work, r, v); err != nil {
			e.Outcome = Unsettled
			e.Err = errors.Join(f.err, fmt.Errorf("settle as %s: %w", v.Outcome, err))
		}
	}
	if e.Outcome == Unsettled && c.draining.Load() {
		c.givenUp.Add(1)
	}
	c.tell(work, e, v, f)
	trace.Describe(work, "", slog.String("messaging.destination.name", e.Queue), slog.String("messaging.rabbitmq.destination.routing_key", e.Key),
		slog.String("messaging.message.id", e.ID), slog.Int("egrid.attempt", e.Attempt), slog.String("egrid.outcome", string(e.Outcome)))
	trace.End(work, e.Err)
	if c.o.Observe != nil {
		c.o.Observe(work, e)
	}
}

// insist has the broker settle. One that takes too long, as one that takes no
// messages for a while, is asked again until the drain is over: the message
// stays with this worker, and holds its place among those taken ahead.
func (c *consumer) insist(work context.Context, r Received, v Verdict) error {
	for {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(work), settleTimeout)
		err := r.Settle(ctx, v)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		c.log.WarnContext(work, "broker does not settle", "outcome", v.Outcome, "error", err)
		if within(settlePause, work.Done()) {
			return err
		}
	}
}

// tell logs what a person may want to know of.
func (c *consumer) tell(ctx context.Context, e Event, v Verdict, f failure) {
	level, text := slog.LevelDebug, "message done"
	var more []slog.Attr
	switch e.Outcome {
	case Retry:
		level, text = slog.LevelWarn, "message failed, will be retried"
		more = append(more, slog.Duration("delay", v.Delay))
	case Dead:
		level, text = slog.LevelError, "message is a dead letter"
	case Unsettled:
		level, text = slog.LevelWarn, "message unsettled, will be delivered again"
	}
	if !c.log.Enabled(ctx, level) {
		return
	}
	if f.stack != "" {
		more = append(more, slog.String("stack", f.stack))
	}
	if e.Err != nil {
		more = append(more, slog.Any("error", e.Err))
	}
	c.log.LogAttrs(ctx, level, text, append([]slog.Attr{
		slog.String("id", e.ID), slog.String("key", e.Key),
		slog.Int("attempt", e.Attempt), slog.Duration("elapsed", e.Elapsed),
	}, more...)...)
}
