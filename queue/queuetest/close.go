package queuetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/egrid-analytics/egrid-go/queue"
)

// wantAll makes every call of a broker that may wait, and checks its error.
func (f *fixture) wantAll(ctx context.Context, sub queue.Subscription, want error) {
	f.Helper()
	f.wantError("Publish", f.broker.Publish(ctx, messageOf("x")), want)
	_, err := f.broker.Subscribe(ctx, main, 1)
	f.wantError("Subscribe", err, want)
	_, err = sub.Next(ctx)
	f.wantError("Next", err, want)
	_, err = f.broker.Depth(ctx, main)
	f.wantError("Depth", err, want)
	f.wantError("Blocked", f.broker.Blocked(ctx), want)
	_, err = f.broker.Replay(ctx, main, "a")
	f.wantError("Replay", err, want)
	_, err = f.broker.Drop(ctx, main, "a")
	f.wantError("Drop", err, want)
	f.wantError("DeadLetters", f.lettersError(ctx, main), want)
}

func testCancelledContext(f *fixture) {
	f.bury("a")
	f.publish("b")
	sub := f.subscribe(main, 1)
	cancelled, cancel := context.WithCancel(f.soon())
	cancel()
	f.wantAll(cancelled, sub, context.Canceled)
	// For Consume it is no error.
	f.must(queue.Consume(cancelled, f.broker, main, handlerOf(func(queue.Delivery) error { return nil }), nil))
	// The subscription goes on, nothing was published or replayed, and ctx of
	// Subscribe bounded that call alone.
	f.settle(f.next(sub, "b"), queue.Verdict{Outcome: queue.Done})
	f.must(sub.Close())
	f.wantDepth(main, queue.Depth{Dead: 1})
	ctx, cancel := context.WithCancel(f.soon())
	sub, err := f.broker.Subscribe(ctx, main, 1)
	f.must(err)
	cancel()
	f.publish("c")
	f.settle(f.next(sub, "c"), queue.Verdict{Outcome: queue.Done})
	f.must(sub.Close())

	// What a cancelled Settle did may be unclear, but the message is not lost.
	f.publish("d")
	sub = f.subscribe(main, 1)
	r := f.next(sub, "d")
	if err := r.Settle(cancelled, queue.Verdict{Outcome: queue.Done}); err == nil {
		f.wantError("Settle", r.Settle(f.soon(), queue.Verdict{Outcome: queue.Done}), queue.ErrSettled)
	} else {
		f.must(sub.Close())
		f.settle(f.next(f.subscribe(main, 1), "d"), queue.Verdict{Outcome: queue.Done})
	}
	f.wantDepth(main, queue.Depth{Dead: 1})
}

// testNextCancelled ends calls of Next just when messages come: the first is
// either received or still there, before the second.
func testNextCancelled(f *fixture) {
	sub := f.subscribe(main, 1)
	for i := range 200 {
		ids := []string{fmt.Sprint(i, " first"), fmt.Sprint(i, " second")}
		ctx, cancel := context.WithCancel(f.soon())
		received := make(chan queue.Received, 1)
		go func() {
			defer close(received)
			r, err := sub.Next(ctx)
			if err == nil {
				received <- r
			} else if !errors.Is(err, context.Canceled) {
				f.Error(err)
			}
		}()
		if i%2 == 0 {
			runtime.Gosched() // Next begins first
		}
		f.publish(ids[0])
		if i%4 < 2 {
			cancel()
		}
		f.publish(ids[1])
		cancel()
		var got []string
		for r := range received {
			got = append(got, r.Message.ID)
			f.settle(r, queue.Verdict{Outcome: queue.Done})
		}
		for len(got) < 2 {
			r := f.any(sub)
			got = append(got, r.Message.ID)
			f.settle(r, queue.Verdict{Outcome: queue.Done})
		}
		if f.features.Reorders {
			slices.Sort(got)
		}
		if !slices.Equal(got, ids) {
			f.Fatalf("received %q; want %q", got, ids)
		}
	}
	f.wantDepth(main, queue.Depth{})
}

func testClose(f *fixture) {
	sub, idle := f.subscribe(main, 1), f.subscribe(queue.QueueError, 1)
	f.publish("a")
	r := f.next(sub, "a")
	ended := make(chan error, 2)
	for _, s := range []queue.Subscription{sub, idle} { // one has its prefetch, one has no messages
		go func() {
			_, err := s.Next(f.soon())
			ended <- err
		}()
	}
	f.letWait()
	f.must(f.broker.Close())
	for range 2 {
		f.wantError("waiting Next", receive(f, "the end of Next", ended), queue.ErrClosed)
	}
	f.must(f.broker.Close())
	f.wantAll(f.soon(), sub, queue.ErrClosed)
	if err := r.Settle(f.soon(), queue.Verdict{Outcome: queue.Done}); !errors.Is(err, queue.ErrClosed) && !errors.Is(err, queue.ErrSettled) {
		f.Errorf("Settle: got error %v; want ErrClosed or ErrSettled", err)
	}
	err := queue.Consume(f.soon(), f.broker, main, handlerOf(func(queue.Delivery) error { return nil }), nil)
	f.wantError("Consume", err, queue.ErrClosed)
	_ = sub.Close() // it must only return
}

// testCloseEndsConsume closes the broker under a consumer with a handler at
// work.
func testCloseEndsConsume(f *fixture) {
	f.publish("a")
	started, finish := make(chan struct{}), make(chan struct{})
	c := f.consume(queue.ConsumeOptions{Workers: 2}, handlerOf(func(queue.Delivery) error {
		close(started)
		<-finish
		return nil
	}))
	receive(f, "the handler", started)
	f.must(f.broker.Close())
	close(finish)
	f.wantError("Consume", c.wait(), queue.ErrClosed)
}

// fill publishes until the queue is full, and returns the ids of the messages
// that it surely has, and of one that it may have.
func (f *fixture) fill() (ids []string, last string) {
	f.Helper()
	for i := range 100 {
		id := fmt.Sprint("fill", i)
		if i < f.max {
			f.publish(id)
			ids = append(ids, id)
			continue
		}
		ctx, cancel := context.WithTimeout(f.soon(), moment)
		err := f.broker.Publish(ctx, messageOf(id))
		cancel()
		if err != nil {
			f.wantError("Publish to a full queue", err, context.DeadlineExceeded)
			f.wantBlocked("Publish to a full queue", err)
			return ids, id
		}
		ids = append(ids, id)
	}
	f.Fatalf("a queue for %d messages took 100", f.max)
	return nil, ""
}

// testFull has publishers wait until a consumer makes room.
func testFull(f *fixture) {
	ids, unsure := f.fill()
	const more = 5
	published := make(chan error, more)
	for i := range more {
		go func() { published <- f.broker.Publish(f.soon(), messageOf(fmt.Sprint("more", i))) }()
	}
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	for i := range more {
		missing[fmt.Sprint("more", i)] = true
	}
	sub := f.subscribe(main, 1)
	for len(missing) > 0 {
		r := f.any(sub)
		if !missing[r.Message.ID] && r.Message.ID != unsure {
			f.Errorf("received %q; want one of %v", r.Message.ID, missing)
		}
		delete(missing, r.Message.ID)
		f.settle(r, queue.Verdict{Outcome: queue.Done})
	}
	for range more {
		f.must(receive(f, "the end of Publish", published))
	}
	// Other queues were not full.
	f.must(f.broker.Publish(f.soon(), queue.Message{Key: "error.load"}))
}

func testFullCancelled(f *fixture) {
	f.bury("a")
	f.fill()
	ctx, cancel := context.WithCancel(f.soon())
	defer cancel()
	ended := make(chan error, 3)
	for range 2 {
		go func() { ended <- f.broker.Publish(ctx, messageOf("late")) }()
	}
	go func() {
		n, err := f.broker.Replay(ctx, main, "a")
		if n != 0 {
			f.Errorf("%d dead letters were replayed", n)
		}
		ended <- err
	}()
	f.letWait()
	cancel()
	for range cap(ended) {
		f.wantError("waiting", receive(f, "the end", ended), context.Canceled)
	}
	if letters := f.letters(main); len(letters) != 1 || letters[0].Attempts != 3 {
		f.Errorf("dead letters %+v; want that of before", letters)
	}
}

func testFullClosed(f *fixture) {
	f.fill()
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() { ended <- f.broker.Publish(f.soon(), messageOf("late")) }()
	}
	f.letWait()
	f.must(f.broker.Close())
	for range cap(ended) {
		f.wantError("waiting Publish", receive(f, "the end of Publish", ended), queue.ErrClosed)
	}
}
