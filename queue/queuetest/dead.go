package queuetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// bury publishes messages and makes dead letters of them, as if they had
// failed three times.
func (f *fixture) bury(bodies ...string) {
	f.Helper()
	sub := f.subscribe(main, 1)
	for _, body := range bodies {
		f.publish(body)
		r := f.next(sub, body)
		f.settle(r, f.dead(r.Message))
	}
	f.must(sub.Close())
}

// dead returns the verdict on a message that failed three times, each later
// than the one before.
func (f *fixture) dead(m queue.Message) queue.Verdict {
	f.died++
	died := time.Date(2024, 3, 1, 0, 0, f.died, 0, time.UTC)
	h := map[string]string{queue.HeaderAttempts: "3", queue.HeaderError: "failed", queue.HeaderStack: "stack",
		queue.HeaderFirstSeen: "2024-02-29T00:00:00Z", queue.HeaderDied: died.Format(time.RFC3339Nano)}
	maps.Copy(h, m.Headers)
	return queue.Verdict{Outcome: queue.Dead, Headers: h}
}

// lettersError lists dead letters that cannot be listed, and returns why.
func (f *fixture) lettersError(ctx context.Context, name string) error {
	f.Helper()
	var last error
	for letter, err := range f.broker.DeadLetters(ctx, name) {
		if err == nil {
			f.Errorf("dead letter %+v; want an error", letter)
			return nil
		}
		if last != nil {
			f.Errorf("error %v after error %v", err, last)
		}
		last = err
	}
	return last
}

// wantLetters checks which dead letters there are. Their order is that of
// dying.
func (f *fixture) wantLetters(ids ...string) {
	f.Helper()
	f.wantDepth(main, queue.Depth{Ready: f.ready(main), Dead: len(ids)})
	var got []string
	for _, letter := range f.letters(main) {
		got = append(got, letter.Message.ID)
		f.wantMessage(letter.Message, f.normal(messageOf(letter.Message.ID)))
	}
	if !slices.Equal(got, ids) {
		f.Errorf("dead letters %q; want %q", got, ids)
	}
}

func (f *fixture) ready(name string) int {
	f.Helper()
	depth, err := f.broker.Depth(f.soon(), name)
	f.must(err)
	return depth.Ready
}

func (f *fixture) wantCount(what string, got int, err error, want int) {
	f.Helper()
	if err != nil || got != want {
		f.Errorf("%s: got %d and error %v; want %d", what, got, err, want)
	}
}

func testDeadLetters(f *fixture) {
	if letters := f.letters(main); letters != nil {
		f.Errorf("an empty queue has dead letters: %+v", letters)
	}
	f.bury("a", "b", "c")
	for range 2 { // listing leaves them there
		f.wantLetters("a", "b", "c")
	}
	for letter, err := range f.broker.DeadLetters(f.soon(), main) { // as does a loop that ends early
		f.must(err)
		if letter.Message.ID != "a" || letter.Attempts != 3 || letter.Reason != "failed" || letter.Stack != "stack" {
			f.Errorf("dead letter %+v", letter)
		}
		break
	}
	f.wantLetters("a", "b", "c")
	if letters := f.letters(queue.QueueError); letters != nil {
		f.Errorf("another queue has dead letters: %+v", letters)
	}
	f.wantNone(f.subscribe(main, 1))

	// A ctx may end in the middle.
	ctx, cancel := context.WithCancel(f.soon())
	defer cancel()
	var last error
	for _, last = range f.broker.DeadLetters(ctx, main) {
		cancel()
	}
	f.wantError("listing", last, context.Canceled)
	f.wantLetters("a", "b", "c")
}

// testManyDeadLetters looks at more of them than a broker reads at once, and
// stops at several places: they stay, in their order.
func testManyDeadLetters(f *fixture) {
	n := f.features.Messages / 4
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprint(i))
	}
	f.bury(ids...)
	f.wantLetters(ids...)
	for _, stop := range []int{1, 64, 65, n / 2, n} {
		seen := 0
		for letter, err := range f.broker.DeadLetters(f.soon(), main) {
			if f.must(err); letter.Message.ID != ids[seen] {
				f.Fatalf("dead letter %d is %q", seen, letter.Message.ID)
			}
			if seen++; seen == stop {
				break
			}
		}
		f.wantDepth(main, queue.Depth{Dead: n})
	}
	ctx, cancel := context.WithCancel(f.soon())
	defer cancel()
	seen := 0
	for _, err := range f.broker.DeadLetters(ctx, main) {
		if seen++; seen == n/2 {
			cancel()
		}
		if seen > n/2 {
			f.wantError("listing", err, context.Canceled)
		}
	}
	f.wantLetters(ids...)

	var odd, even []string
	for i, id := range ids {
		if i%2 == 0 {
			even = append(even, id)
		} else {
			odd = append(odd, id)
		}
	}
	dropped, err := f.broker.Drop(f.soon(), main, odd...)
	f.wantCount("drop", dropped, err, len(odd))
	f.wantLetters(even...)
	replayed, err := f.broker.Replay(f.soon(), main, even...)
	f.wantCount("replay", replayed, err, len(even))
	f.wantDepth(main, queue.Depth{Ready: len(even)})
}

// testReaders has several readers of dead letters at once. Each sees all of them,
// or learns that it did not.
func testReaders(f *fixture) {
	ids := []string{"a", "b", "c", "d", "e"}
	f.bury(ids...)
	read := func(during func()) error {
		var seen []string
		for letter, err := range f.broker.DeadLetters(f.soon(), main) {
			var partial *queue.PartialError
			if errors.As(err, &partial) && partial.Queue == main && partial.Seen == len(seen) && len(seen) < len(ids) {
				return nil
			}
			if err != nil {
				return err
			}
			if seen = append(seen, letter.Message.ID); len(seen) == 2 {
				during()
			}
		}
		if !slices.Equal(seen, ids) {
			return fmt.Errorf("a reader saw %q, and no error; want %q", seen, ids)
		}
		return nil
	}
	started, goOn := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 3)
	go func() { ended <- read(func() { close(started); <-goOn }) }()
	receive(f, "the first reader", started)
	for range cap(ended) - 1 {
		go func() { ended <- read(func() {}) }()
	}
	f.letWait()
	close(goOn)
	for range cap(ended) {
		f.must(receive(f, "the end of a reader", ended))
	}
	f.wantLetters(ids...)
}

func testReplay(f *fixture) {
	f.bury("a", "b", "c", "d")
	n, err := f.broker.Replay(f.soon(), main)
	f.wantCount("replay of nothing", n, err, 0)
	n, err = f.broker.Replay(f.soon(), main, "unknown", "")
	f.wantCount("replay of unknown", n, err, 0)
	n, err = f.broker.Replay(f.soon(), queue.QueueError, "a")
	f.wantCount("replay in another queue", n, err, 0)
	f.wantLetters("a", "b", "c", "d")
	n, err = f.broker.Replay(f.soon(), main, "c", "unknown", "b", "c")
	f.wantCount("replay", n, err, 2)
	f.wantLetters("a", "d")
	f.wantDepth(main, queue.Depth{Ready: 2, Dead: 2})
	n, err = f.broker.Replay(f.soon(), main, "b", "c")
	f.wantCount("replay again", n, err, 0)

	// It is as if they had just been published.
	deliveries := make(chan queue.Delivery, 2)
	c := f.consume(queue.ConsumeOptions{Workers: 1, Retry: quick}, handlerOf(func(d queue.Delivery) error {
		deliveries <- d
		return nil
	}))
	for range 2 {
		d := receive(f, "a delivery", deliveries)
		f.wantMessage(d.Message, f.normal(messageOf(d.Message.ID)))
		if d.Attempt != 1 || d.LastError != "" || d.FirstSeen.Year() == 2024 {
			f.Errorf("delivery %+v; want a first one", d)
		}
	}
	c.drain()
	f.wantDepth(main, queue.Depth{Dead: 2})
}

// testReplayToOneQueue replays a message whose key is that of two queues.
func testReplayToOneQueue(f *fixture) {
	f.publish("a")
	sub := f.subscribe(main, 1)
	r := f.next(sub, "a")
	f.settle(r, f.dead(r.Message))
	f.must(sub.Close()) // a broker may send it ahead what is replayed
	f.wantDepth(main, queue.Depth{Dead: 1})
	f.wantDepth("audit", queue.Depth{Ready: 1})
	n, err := f.broker.Replay(f.soon(), main, "a")
	f.wantCount("replay", n, err, 1)
	f.wantDepth(main, queue.Depth{Ready: 1})
	f.wantDepth("audit", queue.Depth{Ready: 1})
}

func testDrop(f *fixture) {
	f.bury("a", "b", "c", "d")
	n, err := f.broker.Drop(f.soon(), main)
	f.wantCount("drop of nothing", n, err, 0)
	n, err = f.broker.Drop(f.soon(), queue.QueueError, "a")
	f.wantCount("drop in another queue", n, err, 0)
	n, err = f.broker.Drop(f.soon(), main, "d", "unknown", "b", "d")
	f.wantCount("drop", n, err, 2)
	f.wantLetters("a", "c")
	n, err = f.broker.Drop(f.soon(), main, "d", "b")
	f.wantCount("drop again", n, err, 0)
	n, err = f.broker.Drop(f.soon(), main, "a", "c")
	f.wantCount("drop of the rest", n, err, 2)
	f.wantDepth(main, queue.Depth{})
}

// testSameID has the same message die several times.
func testSameID(f *fixture) {
	f.bury("a", "b", "a", "a")
	f.wantLetters("a", "b", "a", "a")
	n, err := f.broker.Replay(f.soon(), main, "a")
	f.wantCount("replay", n, err, 3)
	f.wantDepth(main, queue.Depth{Ready: 3, Dead: 1})
}
