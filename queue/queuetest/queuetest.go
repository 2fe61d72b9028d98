// Package queuetest is the conformance suite that every [queue.Broker] passes.
// It holds a broker to what package queue promises, through the interface and
// through [queue.Consume].
//
//	func TestBroker(t *testing.T) {
//		queuetest.Run(t, func(_ *testing.T, o queuetest.BrokerOptions) queue.Broker {
//			return memqueue.New(&memqueue.Options{Topology: o.Topology, MaxMessages: o.MaxMessages})
//		}, nil)
//	}
//
// # Guarantees
//
// A broker that passes moves messages unchanged, with the trace that they belong
// to, loses none, delivers in order
// where order is promised, settles once, and lets go of every call that waits
// when it is closed or the call's ctx ends. The suite waits for what must
// happen, and never for a fixed time; it looks only for a moment whether
// something happens that must not. It needs the standard library only.
//
// # Errors
//
// The suite reports through testing.T. What a broker cannot do ([Features]) is
// left out, and logged.
//
// # See also
//
// Package queue, whose comments are what is tested here. Package memqueue,
// which passes without any exception.
package queuetest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// BrokerOptions is what a test asks of the broker that it is given.
type BrokerOptions struct {
	// Topology is valid, and often the default one.
	Topology queue.Topology
	// MaxMessages is how many messages a queue holds before publishers wait; 0
	// is the broker's default.
	MaxMessages int
}

// Features says in what a broker differs from one that does everything. The
// zero value of every field, like nil Features, is such a broker.
type Features struct {
	// Unbounded says that the broker pays no heed to MaxMessages.
	Unbounded bool
	// Reorders says that messages given back to a queue may come again in
	// another order, and after those published later.
	Reorders bool
	// Restart, when it is set, breaks the connection of all brokers and
	// subscriptions that are open, and returns when a new one can be made.
	Restart func(t *testing.T)
	// Block, when it is set, has the broker take no messages, or take them again:
	// for a broker that may be blocked by something else than full queues.
	Block func(t *testing.T, active bool)
	// Patience is how long a test waits for what must happen; default 20
	// seconds.
	Patience time.Duration
	// Messages is how many messages the tests of concurrency move; default
	// 1,000.
	Messages int
}

// Run runs the conformance suite. open makes an empty broker, which the suite
// closes; nothing that an earlier test left may be in its queues. Nil features
// are those of a broker that does everything.
func Run(t *testing.T, open func(t *testing.T, o BrokerOptions) queue.Broker, features *Features) {
	f := Features{}
	if features != nil {
		f = *features
	}
	if f.Patience == 0 {
		f.Patience = 20 * time.Second
	}
	if f.Messages == 0 {
		f.Messages = 1000
	}
	const few = 3
	usual := BrokerOptions{Topology: queue.DefaultTopology()}
	bounded := BrokerOptions{Topology: queue.DefaultTopology(), MaxMessages: few}
	tests := []struct {
		name    string
		options BrokerOptions
		run     func(*fixture)
	}{
		{"Fields", usual, testFields},
		{"Limits", usual, testLimits},
		{"Refused", usual, testRefused},
		{"Routing", BrokerOptions{Topology: manyPatterns}, testRouting},
		{"DefaultTopology", usual, testDefaultTopology},
		{"SeveralQueues", BrokerOptions{Topology: twoQueues}, testSeveralQueues},
		{"MessageIsNotChanged", usual, testMessageIsNotChanged},
		{"UnknownQueue", usual, testUnknownQueue},

		{"Prefetch", usual, testPrefetch},
		{"PrefetchOfSeveralCallers", usual, testPrefetchOfSeveralCallers},
		{"Order", usual, testOrder},
		{"GivenBack", usual, testGivenBack},
		{"GivenBackToWaiting", usual, testGivenBackToWaiting},
		{"CloseSubscription", usual, testCloseSubscription},
		{"SettleOnce", usual, testSettleOnce},
		{"SettleAtOnce", usual, testSettleAtOnce},
		{"Retry", usual, testRetry},
		{"RetryLater", usual, testRetryLater},
		{"RetryCountsAnew", usual, testRetryCountsAnew},
		{"Dead", usual, testDead},

		{"ConsumeDone", usual, testConsumeDone},
		{"ConsumeOrder", usual, testConsumeOrder},
		{"ConsumeRetries", usual, testConsumeRetries},
		{"ConsumeRecovers", usual, testConsumeRecovers},
		{"ConsumePermanent", usual, testConsumePermanent},
		{"ConsumePanic", usual, testConsumePanic},
		{"ConsumeGoexit", usual, testConsumeGoexit},
		{"ConsumeRedelivered", usual, testConsumeRedelivered},
		{"ConsumePoison", usual, testConsumePoison},
		{"Trace", usual, testTrace},
		{"WithoutTrace", usual, testWithoutTrace},
		{"Drain", usual, testDrain},
		{"DrainTimeout", usual, testDrainTimeout},

		{"DeadLetters", usual, testDeadLetters},
		{"ManyDeadLetters", usual, testManyDeadLetters},
		{"Readers", usual, testReaders},
		{"Replay", usual, testReplay},
		{"ReplayToOneQueue", BrokerOptions{Topology: twoQueues}, testReplayToOneQueue},
		{"Drop", usual, testDrop},
		{"SameID", usual, testSameID},

		{"CancelledContext", usual, testCancelledContext},
		{"NextCancelled", usual, testNextCancelled},
		{"Close", usual, testClose},
		{"CloseEndsConsume", usual, testCloseEndsConsume},
		{"Full", bounded, testFull},
		{"FullCancelled", bounded, testFullCancelled},
		{"FullClosed", bounded, testFullClosed},
		{"FullBlocked", bounded, testFullBlocked},
		{"Blocked", usual, testBlocked},

		{"Concurrent", usual, testConcurrent},
		{"ConcurrentFailures", usual, testConcurrentFailures},
		{"ConsumersComeAndGo", usual, testConsumersComeAndGo},
		{"Restart", usual, testRestart},
	}
	for _, test := range tests {
		// Left out, not skipped: a skip is something to mend.
		if test.options.MaxMessages > 0 && f.Unbounded {
			t.Logf("without %s: the broker's queues have no bound", test.name)
			continue
		}
		if test.name == "Restart" && f.Restart == nil {
			t.Logf("without %s: the broker has no connection that could break", test.name)
			continue
		}
		if test.name == "Blocked" && f.Block == nil {
			t.Logf("without %s: nothing but full queues blocks the broker", test.name)
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			x := &fixture{T: t, broker: open(t, test.options), features: f, max: test.options.MaxMessages}
			t.Cleanup(func() { _ = x.broker.Close() })
			test.run(x)
		})
	}
}

// fixture is a broker under test.
type fixture struct {
	*testing.T
	broker   queue.Broker
	features Features
	max      int // messages that a queue holds
	died     int // dead letters made so far
}

// moment is how long a test looks whether something happens that must not.
const moment = 20 * time.Millisecond

// main is the queue that most tests use.
const main = queue.QueueDatabase

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) wantError(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: got error %v; want %v", what, err, want)
	}
}

// soon returns a ctx for calls that must not take long.
func (f *fixture) soon() context.Context {
	ctx, cancel := context.WithTimeout(f.Context(), f.features.Patience)
	f.Cleanup(cancel)
	return ctx
}

// letWait gives other goroutines the time to begin to wait. When one is late,
// its test is easier to pass, and still right.
func (f *fixture) letWait() {
	select {
	case <-time.After(moment):
	case <-f.Context().Done():
	}
}

// eventually waits until ok reports true.
func (f *fixture) eventually(what string, ok func() bool) {
	f.Helper()
	ctx := f.soon()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			f.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

// receive waits for something that another goroutine sends.
func receive[T any](f *fixture, what string, from <-chan T) T {
	f.Helper()
	select {
	case x := <-from:
		return x
	case <-f.soon().Done():
		f.Fatalf("never came: %s", what)
		panic("unreachable")
	}
}

// publish publishes messages to the main queue, whose ids are their bodies.
func (f *fixture) publish(bodies ...string) {
	f.Helper()
	for _, body := range bodies {
		f.must(f.broker.Publish(f.soon(), messageOf(body)))
	}
}

func messageOf(body string) queue.Message {
	return queue.Message{ID: body, Key: queue.KeyChunk, Body: []byte(body)}
}

func (f *fixture) subscribe(name string, prefetch int) queue.Subscription {
	f.Helper()
	sub, err := f.broker.Subscribe(f.soon(), name, prefetch)
	f.must(err)
	f.Cleanup(func() { _ = sub.Close() })
	return sub
}

// next receives a message, which must have this id.
func (f *fixture) next(sub queue.Subscription, id string) queue.Received {
	f.Helper()
	r := f.any(sub)
	if r.Message.ID != id {
		f.Fatalf("received %q; want %q", r.Message.ID, id)
	}
	return r
}

func (f *fixture) any(sub queue.Subscription) queue.Received {
	f.Helper()
	r, err := sub.Next(f.soon())
	f.must(err)
	return r
}

// settle settles a delivery, for the first time.
func (f *fixture) settle(r queue.Received, v queue.Verdict) {
	f.Helper()
	f.must(r.Settle(f.soon(), v))
}

// wantNone looks whether a subscription receives what it must not.
func (f *fixture) wantNone(sub queue.Subscription) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), moment)
	defer cancel()
	r, err := sub.Next(ctx)
	if err == nil {
		f.Fatalf("received %q; want nothing", r.Message.ID)
	}
	f.wantError("next", err, context.DeadlineExceeded)
}

func (f *fixture) wantMessage(got, want queue.Message) {
	f.Helper()
	if got.ID != want.ID || got.Key != want.Key || got.ContentType != want.ContentType ||
		got.ContentEncoding != want.ContentEncoding || !maps.Equal(got.Headers, want.Headers) {
		got.Body, want.Body = nil, nil
		f.Errorf("message: got %.999q; want %.999q", []any{got}, []any{want})
	}
	if !bytes.Equal(got.Body, want.Body) {
		f.Errorf("body of message %q: got %d bytes, %.40q; want %d bytes, %.40q",
			want.ID, len(got.Body), got.Body, len(want.Body), want.Body)
	}
}

// normal returns a message as a broker must hold it.
func (f *fixture) normal(m queue.Message) queue.Message {
	f.Helper()
	m, err := m.Normalize(f.Context())
	f.must(err)
	return m
}

// wantDepth waits until a queue has this depth.
func (f *fixture) wantDepth(name string, want queue.Depth) {
	f.Helper()
	ctx := f.soon()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		got, err := f.broker.Depth(f.soon(), name)
		f.must(err)
		if got == want {
			return
		}
		select {
		case <-ctx.Done():
			f.Fatalf("depth of %s: got %+v; want %+v", name, got, want)
		case <-tick.C:
		}
	}
}

// letters lists the dead letters of a queue.
func (f *fixture) letters(name string) []queue.DeadLetter {
	f.Helper()
	var letters []queue.DeadLetter
	for letter, err := range f.broker.DeadLetters(f.soon(), name) {
		f.must(err)
		letters = append(letters, letter)
	}
	return letters
}

// consuming is a call of Consume under way.
type consuming struct {
	f     *fixture
	stop  context.CancelFunc
	ended chan struct{}
	err   error // read after ended is closed
}

// consume starts a consumer of the main queue, which ends with the test.
func (f *fixture) consume(o queue.ConsumeOptions, handle queue.Handler) *consuming {
	ctx, stop := context.WithCancel(f.Context())
	c := &consuming{f: f, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		c.err = queue.Consume(ctx, f.broker, main, handle, &o)
	}()
	f.Cleanup(func() {
		stop()
		<-c.ended
	})
	return c
}

// wait waits for the end of Consume, and returns its error.
func (c *consuming) wait() error {
	c.f.Helper()
	receive(c.f, "the end of Consume", c.ended)
	return c.err
}

// drain stops the consumer, which must succeed.
func (c *consuming) drain() {
	c.f.Helper()
	c.stop()
	c.f.must(c.wait())
}
