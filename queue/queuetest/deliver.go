package queuetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

func testPrefetch(f *fixture) {
	f.publish("a", "b", "c", "d")
	sub := f.subscribe(main, 2)
	a, b := f.next(sub, "a"), f.next(sub, "b")
	f.wantNone(sub)
	f.wantDepth(main, queue.Depth{Ready: 2})
	waiting := make(chan queue.Received, 1)
	go func() {
		r, err := sub.Next(f.soon())
		if err != nil {
			f.Error(err)
		}
		waiting <- r
	}()
	f.letWait()
	f.settle(b, queue.Verdict{Outcome: queue.Done})
	c := receive(f, "what the verdict makes room for", waiting)
	f.wantNone(sub)
	// Another subscription has deliveries of its own.
	f.settle(f.next(f.subscribe(main, 1), "d"), queue.Verdict{Outcome: queue.Done})
	f.settle(a, queue.Verdict{Outcome: queue.Done})
	f.settle(c, queue.Verdict{Outcome: queue.Done})
	f.wantNone(sub)
	f.wantDepth(main, queue.Depth{})
}

// testPrefetchOfSeveralCallers has more callers of Next than the subscription
// may have deliveries.
func testPrefetchOfSeveralCallers(f *fixture) {
	const prefetch, callers, messages = 3, 8, 60
	sub := f.subscribe(main, prefetch)
	ctx, stop := context.WithCancel(f.soon())
	defer stop()
	var mu sync.Mutex
	seen := map[string]int{}
	var held atomic.Int64
	var working sync.WaitGroup
	for range callers {
		working.Go(func() {
			for {
				r, err := sub.Next(ctx)
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						f.Error(err)
					}
					return
				}
				if n := held.Add(1); n > prefetch {
					f.Errorf("%d deliveries are unsettled; want at most %d", n, prefetch)
				}
				mu.Lock()
				seen[r.Message.ID]++
				mu.Unlock()
				held.Add(-1)
				if err := r.Settle(ctx, queue.Verdict{Outcome: queue.Done}); err != nil {
					f.Error(err)
				}
				mu.Lock()
				if len(seen) == messages {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	for i := range messages {
		f.publish(fmt.Sprint(i))
	}
	working.Wait()
	for id, n := range seen {
		if n != 1 {
			f.Errorf("message %s was delivered %d times", id, n)
		}
	}
	if len(seen) != messages {
		f.Errorf("%d messages; want %d", len(seen), messages)
	}
}

func testOrder(f *fixture) {
	sub := f.subscribe(main, 1)
	for i := range 40 { // some before and some after they are asked for
		f.publish(fmt.Sprint(2*i), fmt.Sprint(2*i+1))
		f.settle(f.next(sub, fmt.Sprint(i)), queue.Verdict{Outcome: queue.Done})
	}
	for i := range 40 {
		f.settle(f.next(sub, fmt.Sprint(40+i)), queue.Verdict{Outcome: queue.Done})
	}
}

// wantRedelivered receives messages that were given back.
func (f *fixture) wantRedelivered(sub queue.Subscription, times int, ids ...string) []queue.Received {
	f.Helper()
	var received []queue.Received
	var got []string
	for range ids {
		r := f.any(sub)
		received = append(received, r)
		got = append(got, r.Message.ID)
		f.wantMessage(r.Message, f.normal(messageOf(r.Message.ID)))
		if r.Redelivered != times {
			f.Errorf("message %s: redelivered %d times; want %d", r.Message.ID, r.Redelivered, times)
		}
	}
	if f.features.Reorders {
		slices.Sort(got)
	}
	if !slices.Equal(got, ids) {
		f.Errorf("received %q; want %q", got, ids)
	}
	return received
}

func testGivenBack(f *fixture) {
	f.publish("a", "b", "c")
	var old []queue.Received
	for times := range 3 {
		sub := f.subscribe(main, 10)
		for _, r := range old {
			f.wantError("settling what was given back", r.Settle(f.soon(), queue.Verdict{Outcome: queue.Done}), queue.ErrSettled)
		}
		old = f.wantRedelivered(sub, times, "a", "b", "c")
		f.wantDepth(main, queue.Depth{})
		f.must(sub.Close())
		f.wantDepth(main, queue.Depth{Ready: 3})
	}
	sub := f.subscribe(main, 10)
	received := f.wantRedelivered(sub, 3, "a", "b", "c")
	f.publish("d")
	f.settle(received[1], queue.Verdict{Outcome: queue.Done}) // it does not come back
	f.must(sub.Close())
	want := []string{received[0].Message.ID, received[2].Message.ID, "d"}
	sub = f.subscribe(main, 10)
	var got []string
	for range want {
		got = append(got, f.any(sub).Message.ID)
	}
	f.wantNone(sub)
	if f.features.Reorders {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		f.Errorf("received %q; want %q", got, want)
	}
}

// testGivenBackToWaiting closes a subscription while another one waits.
func testGivenBackToWaiting(f *fixture) {
	f.publish("a")
	sub, other := f.subscribe(main, 1), f.subscribe(main, 1)
	f.next(sub, "a")
	type result struct {
		r   queue.Received
		err error
	}
	got := make(chan result, 1)
	go func() {
		r, err := other.Next(f.soon())
		got <- result{r, err}
	}()
	f.letWait()
	f.must(sub.Close())
	g := receive(f, "the message", got)
	f.must(g.err)
	if g.r.Message.ID != "a" || g.r.Redelivered != 1 {
		f.Errorf("received %q, redelivered %d times; want a, once", g.r.Message.ID, g.r.Redelivered)
	}
}

func testCloseSubscription(f *fixture) {
	sub := f.subscribe(main, 1)
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() {
			_, err := sub.Next(f.soon())
			ended <- err
		}()
	}
	f.letWait()
	f.must(sub.Close())
	for range cap(ended) {
		f.wantError("waiting Next", receive(f, "the end of Next", ended), queue.ErrClosed)
	}
	f.must(sub.Close())
	f.publish("a")
	_, err := sub.Next(f.soon())
	f.wantError("Next", err, queue.ErrClosed)
	f.wantDepth(main, queue.Depth{Ready: 1})
}

func testSettleOnce(f *fixture) {
	sub := f.subscribe(main, 10)
	outcomes := []queue.Outcome{queue.Done, queue.Dead, queue.Retry}
	for _, first := range outcomes {
		f.publish(string(first))
		r := f.next(sub, string(first))
		f.settle(r, queue.Verdict{Outcome: first, Headers: r.Message.Headers, Delay: time.Hour})
		for _, then := range outcomes {
			err := r.Settle(f.soon(), queue.Verdict{Outcome: then, Headers: r.Message.Headers})
			f.wantError(fmt.Sprintf("%s after %s", then, first), err, queue.ErrSettled)
		}
	}
	f.wantNone(sub)
	f.wantDepth(main, queue.Depth{Delayed: 1, Dead: 1})
}

// testSettleAtOnce settles on several goroutines.
func testSettleAtOnce(f *fixture) {
	sub := f.subscribe(main, 1)
	for i := range 20 {
		id := fmt.Sprint(i)
		f.publish(id)
		r := f.next(sub, id)
		var settled atomic.Int64
		var settling sync.WaitGroup
		ctx := f.soon()
		for range 4 {
			settling.Go(func() {
				switch err := r.Settle(ctx, queue.Verdict{Outcome: queue.Done}); {
				case err == nil:
					settled.Add(1)
				case !errors.Is(err, queue.ErrSettled):
					f.Errorf("got %v; want ErrSettled", err)
				}
			})
		}
		settling.Wait()
		if n := settled.Load(); n != 1 {
			f.Errorf("%d calls settled the delivery; want 1", n)
		}
	}
	f.wantDepth(main, queue.Depth{})
}

func testRetry(f *fixture) {
	m := queue.Message{ID: "a", Key: queue.KeyPublish, Body: []byte("body"), ContentType: "text/csv", ContentEncoding: "gzip",
		Headers: map[string]string{"mine": "1"}}
	f.must(f.broker.Publish(f.soon(), m))
	f.publish("b")
	sub := f.subscribe(main, 1)
	headers := map[string]string{queue.HeaderAttempts: "1", queue.HeaderError: "\xff", "other": "2"}
	f.settle(f.next(sub, "a"), queue.Verdict{Outcome: queue.Retry, Headers: headers})
	f.settle(f.next(sub, "b"), queue.Verdict{Outcome: queue.Done}) // it comes after those published meanwhile
	r := f.next(sub, "a")
	m.Headers = maps.Clone(headers)
	f.wantMessage(r.Message, m)
	if r.Redelivered != 0 {
		f.Errorf("redelivered %d times; want 0 after a retry", r.Redelivered)
	}
	f.settle(r, queue.Verdict{Outcome: queue.Done})
	f.wantNone(sub)
	f.wantDepth(main, queue.Depth{})
}

func testRetryLater(f *fixture) {
	const delay = 150 * time.Millisecond
	f.publish("a")
	sub := f.subscribe(main, 1)
	r := f.next(sub, "a")
	start := time.Now()
	f.settle(r, queue.Verdict{Outcome: queue.Retry, Headers: r.Message.Headers, Delay: delay})
	f.publish("b") // not held up, although the prefetch is 1
	f.settle(f.next(sub, "b"), queue.Verdict{Outcome: queue.Done})
	f.must(sub.Close()) // nor bound to the subscription
	f.next(f.subscribe(main, 1), "a")
	if d := time.Since(start); d < delay {
		f.Errorf("delivered again after %s; want %s or more", d, delay)
	}
	f.wantDepth(main, queue.Depth{})
}

// testRetryCountsAnew gives a message back before and after a retry.
func testRetryCountsAnew(f *fixture) {
	f.publish("a")
	for range 2 {
		for times := range 2 {
			sub := f.subscribe(main, 1)
			r := f.wantRedelivered(sub, times, "a")[0]
			if times == 1 { // later, so that this subscription is not sent it again
				f.settle(r, queue.Verdict{Outcome: queue.Retry, Headers: r.Message.Headers, Delay: 10 * moment})
			}
			f.must(sub.Close())
		}
	}
}

func testDead(f *fixture) {
	m := queue.Message{ID: "a", Key: queue.KeyChunk, Body: []byte("body"), ContentType: "text/csv", ContentEncoding: "gzip",
		Headers: map[string]string{"mine": "1"}}
	f.must(f.broker.Publish(f.soon(), m))
	sub := f.subscribe(main, 1)
	r := f.next(sub, "a")
	headers := maps.Clone(r.Message.Headers)
	maps.Copy(headers, map[string]string{
		queue.HeaderAttempts: "7", queue.HeaderError: "no such plant", queue.HeaderStack: "a stack",
		queue.HeaderFirstSeen: "2024-02-29T01:02:03.000000004Z", queue.HeaderDied: "2024-03-01T00:00:00Z",
	})
	f.settle(r, queue.Verdict{Outcome: queue.Dead, Headers: headers})
	f.wantNone(sub)
	f.wantDepth(main, queue.Depth{Dead: 1})
	letters := f.letters(main)
	if len(letters) != 1 {
		f.Fatalf("%d dead letters", len(letters))
	}
	f.wantMessage(letters[0].Message, f.normal(m))
	letter := letters[0]
	if letter.Queue != main || letter.Attempts != 7 || letter.Reason != "no such plant" || letter.Stack != "a stack" ||
		!letter.FirstSeen.Equal(time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC)) ||
		!letter.Died.Equal(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)) {
		f.Errorf("dead letter %+v", letter)
	}
}
