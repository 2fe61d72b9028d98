package memqueue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
	"github.com/egrid-analytics/egrid-go/queue/queuetest"
)

func open(_ *testing.T, o queuetest.BrokerOptions) queue.Broker {
	return memqueue.New(&memqueue.Options{Topology: o.Topology, MaxMessages: o.MaxMessages})
}

func TestBroker(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, open, nil)
}

// TestBrokerAsAnother runs the parts of the suite that are for brokers behind
// a connection: this one keeps their promises easily.
func TestBrokerAsAnother(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, open, &queuetest.Features{
		Unbounded: true, Reorders: true, Restart: func(*testing.T) {}, Patience: time.Minute, Messages: 100,
	})
}

// TestBrokerTight runs the load on queues that are full nearly all the time.
func TestBrokerTight(t *testing.T) {
	t.Parallel()
	for _, limit := range []memqueue.Options{{MaxMessages: 1}, {MaxMessages: 5}, {MaxBytes: 1}, {MaxBytes: 20}} {
		t.Run(fmt.Sprintf("%d messages, %d bytes", limit.MaxMessages, limit.MaxBytes), func(t *testing.T) {
			t.Parallel()
			broker := memqueue.New(&limit)
			defer broker.Close()
			queuetest.Stress(t, broker, queuetest.Load{Messages: 400, Publishers: 8, Consumers: 3, FailEvery: 10, ComeAndGo: true})
		})
	}
}

// bench is a broker in a bubble, where the clock stands still while anybody is
// at work.
type bench struct {
	*testing.T
	*memqueue.Broker
}

func inBubble(t *testing.T, o *memqueue.Options, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t, memqueue.New(o)}
		defer b.Close()
		test(b)
	})
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func messageOf(key, id string, size int) queue.Message {
	return queue.Message{ID: id, Key: key, Body: make([]byte, size)}
}

// publish publishes messages that must not wait.
func (b *bench) publish(ids ...string) {
	b.Helper()
	for _, id := range ids {
		b.must(b.publishing(b.Context(), messageOf(queue.KeyChunk, id, 1)).wantEnd(b))
	}
}

// call is a call under way.
type call struct {
	ended chan struct{}
	err   error // read after ended is closed
}

// publishing begins to publish, and returns when that succeeds, fails or waits.
func (b *bench) publishing(ctx context.Context, m queue.Message) *call {
	c := &call{ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		c.err = b.Publish(ctx, m)
	}()
	synctest.Wait()
	return c
}

func (c *call) waits() bool {
	synctest.Wait()
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

func (c *call) wantEnd(b *bench) error {
	b.Helper()
	if c.waits() {
		b.Fatal("a call waits that must not")
	}
	return c.err
}

// wantWaiting checks which calls wait.
func (b *bench) wantWaiting(calls []*call, want ...int) {
	b.Helper()
	got := []int{}
	for i, c := range calls {
		if c.waits() {
			got = append(got, i)
		}
	}
	if !slices.Equal(got, want) {
		b.Errorf("calls %v wait; want %v", got, want)
	}
}

func (b *bench) subscribe(name string, prefetch int) queue.Subscription {
	b.Helper()
	sub, err := b.Subscribe(b.Context(), name, prefetch)
	b.must(err)
	return sub
}

// next receives a message that must be there.
func (b *bench) next(sub queue.Subscription, id string) queue.Received {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Nanosecond)
	defer cancel()
	r, err := sub.Next(ctx)
	b.must(err)
	if r.Message.ID != id {
		b.Fatalf("received %s; want %s", r.Message.ID, id)
	}
	return r
}

func (b *bench) settle(r queue.Received, v queue.Verdict) {
	b.Helper()
	b.must(r.Settle(b.Context(), v))
}

func (b *bench) wantDepth(name string, want queue.Depth) {
	b.Helper()
	if got, err := b.Depth(b.Context(), name); err != nil || got != want {
		b.Errorf("depth of %s: %+v, error %v; want %+v", name, got, err, want)
	}
}

func (b *bench) wantLetters(ids ...string) {
	b.Helper()
	b.wantPart(len(ids), ids...)
}

// wantPart checks which dead letters are in sight, of how many.
func (b *bench) wantPart(total int, ids ...string) {
	b.Helper()
	var got []string
	known := len(ids)
	for letter, err := range b.DeadLetters(b.Context(), queue.QueueDatabase) {
		var partial *queue.PartialError
		if errors.As(err, &partial) && partial.Seen == len(ids) && total > len(ids) {
			known = partial.Total
			continue
		}
		b.must(err)
		got = append(got, letter.Message.ID)
	}
	if !slices.Equal(got, ids) || known != total {
		b.Errorf("dead letters %q of %d; want %q of %d", got, known, ids, total)
	}
}

func (b *bench) bury(ids ...string) {
	b.Helper()
	sub := b.subscribe(queue.QueueDatabase, 1)
	for _, id := range ids {
		b.publish(id)
		b.settle(b.next(sub, id), queue.Verdict{Outcome: queue.Dead})
	}
}

var ok = queue.Verdict{Outcome: queue.Done}

func TestNew(t *testing.T) {
	t.Parallel()
	for name, topology := range map[string]queue.Topology{
		"no exchange": {Bindings: []queue.Binding{{Pattern: "a", Queue: "a"}}},
		"no bindings": {Exchange: "test", Bindings: []queue.Binding{}},
		"pattern":     {Exchange: "test", Bindings: []queue.Binding{{Pattern: "a..b", Queue: "a"}}},
	} {
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, queue.ErrInvalid) {
					t.Errorf("%s: panic with %v; want ErrInvalid", name, err)
				}
			}()
			memqueue.New(&memqueue.Options{Topology: topology})
			t.Errorf("%s: no panic", name)
		}()
	}
	// The broker keeps the topology that it was made with.
	topology := queue.DefaultTopology()
	broker := memqueue.New(&memqueue.Options{Topology: topology})
	defer broker.Close()
	topology.Bindings[0] = queue.Binding{Pattern: "#", Queue: "other"}
	if err := broker.Publish(t.Context(), messageOf("other", "a", 1)); !errors.Is(err, queue.ErrUnroutable) {
		t.Errorf("got error %v; want ErrUnroutable", err)
	}
	if err := broker.Publish(t.Context(), messageOf(queue.KeyChunk, "a", 1)); err != nil {
		t.Error(err)
	}
}

func TestDefaultBounds(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		for i := range 1024 {
			b.must(b.Publish(b.Context(), messageOf(queue.KeyChunk, fmt.Sprint(i), 0)))
		}
		ctx, cancel := context.WithCancel(b.Context())
		c := b.publishing(ctx, messageOf(queue.KeyChunk, "more", 0))
		b.wantWaiting([]*call{c}, 0)
		cancel()
		if err := c.wantEnd(b); !errors.Is(err, context.Canceled) {
			b.Errorf("got error %v", err)
		}
	})
	inBubble(t, nil, func(b *bench) {
		m := messageOf(queue.KeyChunk, "16 MiB", queue.MaxBody)
		for range 4 {
			b.must(b.Publish(b.Context(), m))
		}
		c := b.publishing(b.Context(), messageOf(queue.KeyChunk, "more", 1))
		b.wantWaiting([]*call{c}, 0)
		b.must(b.Close())
		if err := c.wantEnd(b); !errors.Is(err, queue.ErrClosed) {
			b.Errorf("got error %v", err)
		}
	})
}

// TestPublishersWaitInOrder makes room for one at a time.
func TestPublishersWaitInOrder(t *testing.T) {
	inBubble(t, &memqueue.Options{MaxMessages: 2}, func(b *bench) {
		b.publish("a", "b")
		var calls []*call
		for i := range 5 {
			calls = append(calls, b.publishing(b.Context(), messageOf(queue.KeyChunk, fmt.Sprint(i), 1)))
		}
		b.wantWaiting(calls, 0, 1, 2, 3, 4)
		sub := b.subscribe(queue.QueueDatabase, 10)
		a, second := b.next(sub, "a"), b.next(sub, "b")
		b.wantWaiting(calls, 0, 1, 2, 3, 4) // what is received keeps its place
		b.settle(a, ok)
		b.wantWaiting(calls, 1, 2, 3, 4)
		// So does what waits for its next attempt.
		b.settle(second, queue.Verdict{Outcome: queue.Retry, Delay: time.Minute})
		b.wantWaiting(calls, 1, 2, 3, 4)
		b.settle(b.next(sub, "0"), queue.Verdict{Outcome: queue.Dead}) // dead letters do not
		b.wantWaiting(calls, 2, 3, 4)
		time.Sleep(time.Minute)
		one := b.next(sub, "1")
		b.settle(b.next(sub, "b"), ok)
		b.wantWaiting(calls, 3, 4)
		b.must(sub.Close()) // what is given back keeps its place, too
		b.wantWaiting(calls, 3, 4)
		if err := one.Settle(b.Context(), ok); !errors.Is(err, queue.ErrSettled) {
			b.Errorf("got error %v; want ErrSettled", err)
		}
		sub = b.subscribe(queue.QueueDatabase, 1)
		for i := range 4 {
			b.settle(b.next(sub, fmt.Sprint(i+1)), ok)
			b.wantWaiting(calls, []int{3, 4}[min(i+1, 2):]...)
		}
		b.wantDepth(queue.QueueDatabase, queue.Depth{Dead: 1})
	})
}

// TestBytes looks at bodies of different lengths: nobody overtakes one who
// waits for much room.
func TestBytes(t *testing.T) {
	inBubble(t, &memqueue.Options{MaxBytes: 10}, func(b *bench) {
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		key := queue.KeyChunk
		calls := []*call{
			b.publishing(ctx, messageOf(key, "larger than all", 50)), // an empty queue takes it
			b.publishing(ctx, messageOf(key, "six", 6)),
			b.publishing(ctx, messageOf(key, "five", 5)),
			b.publishing(ctx, messageOf(key, "four", 4)),
			b.publishing(ctx, messageOf(key, "empty", 0)),
			b.publishing(b.Context(), messageOf("error.load", "elsewhere", 10)), // other queues are not concerned
		}
		b.wantWaiting(calls, 1, 2, 3, 4)
		sub := b.subscribe(queue.QueueDatabase, 10)
		b.settle(b.next(sub, "larger than all"), ok)
		b.wantWaiting(calls, 2, 3, 4) // four would fit
		b.settle(b.next(sub, "six"), queue.Verdict{Outcome: queue.Dead})
		b.wantWaiting(calls)
		b.settle(b.next(sub, "five"), ok)
		b.settle(b.next(sub, "four"), ok)
		b.settle(b.next(sub, "empty"), ok)
	})
	// The one who gives up lets those behind him pass.
	inBubble(t, &memqueue.Options{MaxBytes: 10}, func(b *bench) {
		ctx, cancel := context.WithCancel(b.Context())
		b.publish("one")
		calls := []*call{
			b.publishing(ctx, messageOf(queue.KeyChunk, "ten", 10)),
			b.publishing(b.Context(), messageOf(queue.KeyChunk, "five", 5)),
		}
		b.wantWaiting(calls, 0, 1)
		cancel()
		b.wantWaiting(calls)
		if !errors.Is(calls[0].err, context.Canceled) || calls[1].err != nil {
			b.Errorf("errors %v and %v", calls[0].err, calls[1].err)
		}
		b.wantDepth(queue.QueueDatabase, queue.Depth{Ready: 2})
	})
}

// TestSeveralQueuesAtOnce has a message for two queues, of which one is full.
func TestSeveralQueuesAtOnce(t *testing.T) {
	topology := queue.Topology{Exchange: "test", Bindings: []queue.Binding{
		{Pattern: "left", Queue: "left"}, {Pattern: "right", Queue: "right"}, {Pattern: "other", Queue: "other"},
		{Pattern: "both", Queue: "left"}, {Pattern: "both", Queue: "right"},
	}}
	inBubble(t, &memqueue.Options{Topology: topology, MaxMessages: 1}, func(b *bench) {
		ctx, cancel := context.WithCancel(b.Context())
		b.must(b.Publish(b.Context(), messageOf("right", "r", 1)))
		calls := []*call{b.publishing(ctx, messageOf("both", "both", 1))}
		b.wantDepth("left", queue.Depth{})
		// There is room in left, but somebody waits for it.
		calls = append(calls, b.publishing(b.Context(), messageOf("left", "l", 1)))
		b.must(b.publishing(b.Context(), messageOf("other", "o", 1)).wantEnd(b))
		b.wantWaiting(calls, 0, 1)
		cancel()
		b.wantWaiting(calls)
		b.wantDepth("left", queue.Depth{Ready: 1})
		b.wantDepth("right", queue.Depth{Ready: 1})

		left, right := b.subscribe("left", 1), b.subscribe("right", 1)
		calls = []*call{b.publishing(b.Context(), messageOf("both", "both", 1)), b.publishing(b.Context(), messageOf("right", "r2", 1))}
		b.settle(b.next(right, "r"), ok)
		b.wantWaiting(calls, 0, 1)
		b.settle(b.next(left, "l"), ok)
		b.wantWaiting(calls, 1)
		b.settle(b.next(left, "both"), ok)
		b.settle(b.next(right, "both"), ok)
		b.wantWaiting(calls)
		b.settle(b.next(right, "r2"), ok)
	})
}

// TestTimers checks that a retry comes at its time, whatever else is waiting.
func TestTimers(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		sub := b.subscribe(queue.QueueDatabase, 10)
		delays := map[string]time.Duration{"never": time.Hour, "late": 30 * time.Second, "soon": time.Second, "now": 0, "past": -time.Second}
		start := time.Now()
		for _, id := range []string{"never", "late", "soon", "now", "past"} {
			b.publish(id)
			b.settle(b.next(sub, id), queue.Verdict{Outcome: queue.Retry, Delay: delays[id]})
			if delays[id] <= 0 {
				b.settle(b.next(sub, id), ok)
			}
		}
		b.wantDepth(queue.QueueDatabase, queue.Depth{Delayed: 3})
		for _, id := range []string{"soon", "late"} {
			r, err := sub.Next(b.Context())
			b.must(err)
			if r.Message.ID != id || time.Since(start) != delays[id] {
				b.Errorf("received %s after %s; want %s after %s", r.Message.ID, time.Since(start), id, delays[id])
			}
		}
		b.wantDepth(queue.QueueDatabase, queue.Depth{Delayed: 1})
		b.must(b.Close())
		time.Sleep(2 * time.Hour) // the timer was stopped, or finds nothing to do
	})
}

// TestGivenBackInOrder gives back a retried message beside one that was
// published while it was delayed.
func TestGivenBackInOrder(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.publish("a")
		sub := b.subscribe(queue.QueueDatabase, 10)
		b.settle(b.next(sub, "a"), queue.Verdict{Outcome: queue.Retry, Delay: time.Minute})
		b.publish("b")
		time.Sleep(time.Minute)
		synctest.Wait()
		b.publish("c")
		for range 3 {
			for _, id := range []string{"b", "a", "c"} {
				b.next(sub, id)
			}
			b.must(sub.Close())
			sub = b.subscribe(queue.QueueDatabase, 10)
		}
	})
}

// TestReplayWaits replays more than there is room for, and gives up.
func TestReplayWaits(t *testing.T) {
	inBubble(t, &memqueue.Options{MaxMessages: 2}, func(b *bench) {
		b.bury("a", "b", "c", "d")
		b.publish("x")
		ctx, cancel := context.WithCancel(b.Context())
		replayed, late := make(chan int), b.publishing(b.Context(), messageOf(queue.KeyChunk, "y", 1))
		b.must(late.wantEnd(b))
		sub := b.subscribe(queue.QueueDatabase, 1)
		go func() {
			n, err := b.Replay(ctx, queue.QueueDatabase, "b", "c", "d")
			if !errors.Is(err, context.Canceled) {
				b.Errorf("got error %v; want %v", err, context.Canceled)
			}
			replayed <- n
		}()
		synctest.Wait()
		b.settle(b.next(sub, "x"), ok) // makes room for b
		synctest.Wait()
		cancel()
		if n := <-replayed; n != 1 {
			b.Errorf("%d were replayed; want 1", n)
		}
		b.wantLetters("a", "c", "d") // oldest first, as before
		b.wantDepth(queue.QueueDatabase, queue.Depth{Ready: 2, Dead: 3})
		b.settle(b.next(sub, "y"), ok)
		b.settle(b.next(sub, "b"), ok)
		b.bury("e")
		b.wantLetters("a", "c", "d", "e")
	})
}

func TestMaxDeadLetters(t *testing.T) {
	var text strings.Builder
	o := &memqueue.Options{MaxDeadLetters: 2, Logger: slog.New(slog.NewTextHandler(&text, nil))}
	inBubble(t, o, func(b *bench) {
		b.bury("a", "b")
		if text.String() != "" {
			b.Errorf("log: %s", text.String())
		}
		b.bury("c", "d")
		b.wantLetters("c", "d")
		n, err := b.Drop(b.Context(), queue.QueueDatabase, "a", "c")
		b.must(err)
		if n != 1 {
			b.Errorf("%d were dropped; want 1", n)
		}
		b.bury("e")
		b.wantLetters("d", "e")
		// Other queues have a limit of their own.
		b.must(b.Publish(b.Context(), messageOf("error.load", "x", 1)))
		b.settle(b.next(b.subscribe(queue.QueueError, 1), "x"), queue.Verdict{Outcome: queue.Dead})
		b.wantLetters("d", "e")
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=ERROR") || !strings.Contains(lines[0], "id=a") ||
			!strings.Contains(lines[1], "id=b") || !strings.Contains(lines[1], "queue=egrid.database") {
			b.Errorf("log:\n%s", text.String())
		}
	})
}

// TestMaxDeadLettersAfterReplay has dead letters come back from a replay that
// did not get through, while others died.
func TestMaxDeadLettersAfterReplay(t *testing.T) {
	inBubble(t, &memqueue.Options{MaxBytes: 10, MaxDeadLetters: 2}, func(b *bench) {
		sub := b.subscribe(queue.QueueDatabase, 10)
		dead := queue.Verdict{Outcome: queue.Dead}
		for _, id := range []string{"a", "b"} {
			b.must(b.Publish(b.Context(), messageOf(queue.KeyChunk, id, 10)))
			b.settle(b.next(sub, id), dead)
		}
		b.publish("c", "d", "e")
		ctx, cancel := context.WithCancel(b.Context())
		replayed := make(chan error)
		go func() {
			_, err := b.Replay(ctx, queue.QueueDatabase, "a", "b")
			replayed <- err
		}()
		synctest.Wait()
		b.wantPart(2)
		b.settle(b.next(sub, "c"), dead)
		b.settle(b.next(sub, "d"), dead)
		b.wantPart(4, "c", "d")
		b.wantDepth(queue.QueueDatabase, queue.Depth{Ready: 1, Dead: 2, Reading: true})
		cancel()
		if err := <-replayed; !errors.Is(err, context.Canceled) {
			b.Errorf("got error %v", err)
		}
		b.wantLetters("a", "b", "c", "d") // a replay loses none
		b.settle(b.next(sub, "e"), dead)
		b.wantLetters("d", "e")
	})
}

func TestSettleAsNothing(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.publish("a")
		r := b.next(b.subscribe(queue.QueueDatabase, 1), "a")
		for _, outcome := range []queue.Outcome{"", queue.Unsettled, "other"} {
			if err := r.Settle(b.Context(), queue.Verdict{Outcome: outcome}); !errors.Is(err, queue.ErrInvalid) {
				b.Errorf("outcome %q: got error %v; want ErrInvalid", outcome, err)
			}
		}
		b.settle(r, ok) // it is still to be settled
		b.wantDepth(queue.QueueDatabase, queue.Depth{})
	})
}

// TestWaitingInOrder has callers of Next wait before there is anything, some
// of them for more than they may have.
func TestWaitingInOrder(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		first, second := b.subscribe(queue.QueueDatabase, 1), b.subscribe(queue.QueueDatabase, 2)
		var mu sync.Mutex
		var got []string
		for i, sub := range []queue.Subscription{first, first, second, second, second} {
			go func() {
				r, err := sub.Next(b.Context())
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					got = append(got, fmt.Sprintf("%d closed", i))
					return
				}
				got = append(got, fmt.Sprintf("%d %s", i, r.Message.ID))
			}()
			synctest.Wait()
		}
		for _, id := range []string{"a", "b", "c", "d"} {
			b.publish(id)
		}
		b.wantDepth(queue.QueueDatabase, queue.Depth{Ready: 1})
		b.must(first.Close()) // gives back a, and there is nobody who may have it
		synctest.Wait()
		b.wantDepth(queue.QueueDatabase, queue.Depth{Ready: 2})
		b.must(b.Close())
		synctest.Wait()
		if want := []string{"0 a", "2 b", "3 c", "1 closed", "4 closed"}; !slices.Equal(got, want) {
			b.Errorf("got %q; want %q", got, want)
		}
	})
}

// endingContext ends at the moment when somebody begins to wait for its end,
// after something else has happened.
type endingContext struct {
	context.Context
	before func()
	ended  chan struct{}
}

func (c *endingContext) Done() <-chan struct{} {
	c.before()
	close(c.ended)
	return c.ended
}

func (c *endingContext) Err() error {
	select {
	case <-c.ended:
		return context.Canceled
	default:
		return nil
	}
}

// TestNextCancelledInOrder cancels Next when it has been handed a message: it
// returns that or puts it back to its place.
func TestNextCancelledInOrder(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		sub := b.subscribe(queue.QueueDatabase, 1)
		cancelled := 0
		for range 50 {
			ctx := &endingContext{b.Context(), func() { b.publish("a", "b") }, make(chan struct{})}
			r, err := sub.Next(ctx)
			if err != nil {
				cancelled++
				r = b.next(sub, "a")
			}
			if r.Message.ID != "a" || r.Redelivered != 0 {
				b.Errorf("received %s, redelivered %d times; want a", r.Message.ID, r.Redelivered)
			}
			b.settle(r, ok)
			b.settle(b.next(sub, "b"), ok)
		}
		if cancelled == 0 || cancelled == 50 {
			b.Errorf("%d of 50 calls were cancelled; want some", cancelled)
		}
	})
}

// TestNoGoroutines leaves a broker and all that it held behind: the bubble
// fails when a goroutine is left, too.
func TestNoGoroutines(t *testing.T) {
	inBubble(t, &memqueue.Options{MaxMessages: 3}, func(b *bench) {
		b.bury("dead")
		b.publish("a", "b")
		sub := b.subscribe(queue.QueueDatabase, 2)
		b.settle(b.next(sub, "a"), queue.Verdict{Outcome: queue.Retry, Delay: time.Hour})
		b.next(sub, "b")
		b.publish("c")
		ended := make(chan error)
		calls := []func() error{
			func() error { return b.Publish(b.Context(), messageOf(queue.KeyChunk, "d", 1)) },
			func() error { _, err := b.Replay(b.Context(), queue.QueueDatabase, "dead"); return err },
			func() error { _, err := b.subscribe(queue.QueueError, 1).Next(b.Context()); return err },
			func() error {
				return queue.Consume(b.Context(), b.Broker, queue.QueueError, func(context.Context, queue.Delivery) error { return nil }, nil)
			},
		}
		for _, c := range calls {
			go func() { ended <- c() }()
		}
		synctest.Wait()
		b.must(b.Close())
		for range calls {
			if err := <-ended; !errors.Is(err, queue.ErrClosed) {
				b.Errorf("got error %v; want ErrClosed", err)
			}
		}
	})
}
