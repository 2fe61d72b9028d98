package rabbitqueue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/queuetest"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

func openFake(t *testing.T, f *rabbitqueue.Fake, o rabbitqueue.Options) *rabbitqueue.Broker {
	t.Helper()
	b, err := f.Open(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// TestBroker runs the suite where there is no server.
func TestBroker(t *testing.T) {
	var f *rabbitqueue.Fake
	queuetest.Run(t, func(t *testing.T, o queuetest.BrokerOptions) queue.Broker {
		f = rabbitqueue.NewFake()
		return openFake(t, f, rabbitqueue.Options{Topology: o.Topology})
	}, &queuetest.Features{
		Unbounded: true, Reorders: true,
		Block: func(_ *testing.T, active bool) { f.Block(active) },
		Restart: func(*testing.T) {
			f.Cut(true)
			time.AfterFunc(100*time.Millisecond, f.Up)
		},
	})
}

// TestCutFake cuts the connections again and again.
func TestCutFake(t *testing.T) {
	f := rabbitqueue.NewFake()
	b := openFake(t, f, rabbitqueue.Options{})
	l := newLoad(t, b, queue.QueueDatabase, 8)
	for range 30 {
		l.moves(t, 50)
		f.Cut(false)
	}
	l.wantAll(t, b)
}

// TestBlocked has the server block publishers.
func TestBlocked(t *testing.T) {
	f := rabbitqueue.NewFake()
	b := openFake(t, f, rabbitqueue.Options{PublishTimeout: 100 * time.Millisecond})
	patient := openFake(t, f, rabbitqueue.Options{PublishTimeout: -1})
	f.Block(true)
	m := queue.Message{ID: "a", Key: queue.KeyChunk}
	if err := b.Publish(soon(t), m); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("blocked: got error %v; want the timeout's", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- patient.Publish(ctx, m) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
	if err := patient.Close(); err != nil {
		t.Error(err)
	}
	f.Cut(false) // what was sent while blocked has no confirm
	f.Block(false)
	eventually(t, "publishing works again", func() bool { return b.Publish(soon(t), m) == nil })
}

// TestBlockedRetries blocks publishers while handlers fail: each failure has to
// be published. Then all of them are handled, each by its one place in the
// prefetch.
func TestBlockedRetries(t *testing.T) {
	f := rabbitqueue.NewFake()
	b := openFake(t, f, rabbitqueue.Options{PublishTimeout: 50 * time.Millisecond})
	for i := range 20 {
		if err := b.Publish(soon(t), queue.Message{ID: fmt.Sprint(i), Key: queue.KeyChunk}); err != nil {
			t.Fatal(err)
		}
	}
	f.Block(true)
	eventually(t, "the block is noticed", func() bool {
		return errors.Is(b.Publish(soon(t), queue.Message{Key: "error.x"}), context.DeadlineExceeded)
	})
	ctx, stop := context.WithCancel(soon(t))
	defer stop()
	log := &lines{more: make(chan string, 100)}
	done := make(chan int, 100) // attempts
	consumed := make(chan error, 1)
	go func() {
		consumed <- queue.Consume(ctx, b, queue.QueueDatabase, func(_ context.Context, d queue.Delivery) error {
			if d.Attempt == 1 {
				return errors.New("once")
			}
			done <- d.Attempt
			return nil
		}, &queue.ConsumeOptions{Workers: 4, Retry: queue.RetryPolicy{Base: time.Millisecond},
			Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	}()
	for range 8 { // twice what is under way
		if line := receive(t, log.more); !strings.Contains(line, "broker does not settle") {
			t.Errorf("logged %s", line)
		}
	}
	f.Block(false)
	for range 20 {
		if attempt := receive(t, done); attempt != 2 {
			t.Errorf("done by attempt %d; want 2", attempt)
		}
	}
	stop()
	if err := <-consumed; err != nil {
		t.Error(err)
	}
}

// lines is a writer that hands over what is written, as long as there is room.
type lines struct{ more chan string }

func (l *lines) Write(b []byte) (int, error) {
	select {
	case l.more <- string(b):
	default:
	}
	return len(b), nil
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-soon(t).Done():
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// TestRetriesDeleted has a message that cannot be moved to where it should go:
// it comes again, and leaves its place in the prefetch.
func TestRetriesDeleted(t *testing.T) {
	f := rabbitqueue.NewFake()
	b := openFake(t, f, rabbitqueue.Options{})
	f.Delete(queue.RetryQueue(queue.QueueDatabase))
	for _, id := range []string{"a", "b"} {
		if err := b.Publish(soon(t), queue.Message{ID: id, Key: queue.KeyChunk}); err != nil {
			t.Fatal(err)
		}
	}
	sub, err := b.Subscribe(soon(t), queue.QueueDatabase, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		r, err := sub.Next(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.Message.ID != "a" || r.Redelivered != i {
			t.Errorf("received %s, redelivered %d; want a, %d", r.Message.ID, r.Redelivered, i)
		}
		if err := r.Settle(soon(t), queue.Verdict{Outcome: queue.Retry, Delay: time.Second}); !errors.Is(err, queue.ErrUnroutable) {
			t.Errorf("got error %v; want ErrUnroutable", err)
		}
		if err := r.Settle(soon(t), queue.Verdict{Outcome: queue.Done}); !errors.Is(err, queue.ErrSettled) {
			t.Errorf("got error %v; want ErrSettled", err)
		}
	}
}
