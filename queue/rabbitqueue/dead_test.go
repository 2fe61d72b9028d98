package rabbitqueue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

// deadServer is a server with dead letters, a fake or a real one.
type deadServer struct {
	open func(t *testing.T) *rabbitqueue.Broker
	hold func(t *testing.T, n int) (release func()) // has somebody else consume dead letters
	cut  func()                                     // breaks the connections
}

// onServers runs a test on a fake, and on the real server where there is one.
func onServers(t *testing.T, run func(*testing.T, deadServer)) {
	t.Helper()
	dead := queue.DeadQueue(queue.QueueDatabase)
	t.Run("fake", func(t *testing.T) {
		f := rabbitqueue.NewFake()
		run(t, deadServer{
			open: func(t *testing.T) *rabbitqueue.Broker { return openFake(t, f, rabbitqueue.Options{}) },
			hold: func(t *testing.T, n int) func() {
				release, err := f.Hold(dead, n)
				if err != nil {
					t.Fatal(err)
				}
				return release
			},
			cut: func() { f.Cut(false) },
		})
	})
	t.Run("server", func(t *testing.T) {
		url := serverURL(t)
		wipe(t, url, queue.DefaultTopology())
		t.Cleanup(func() { wipe(t, url, queue.DefaultTopology()) })
		p := newProxy(t, url)
		run(t, deadServer{
			open: func(t *testing.T) *rabbitqueue.Broker { return openAt(t, p.url, rabbitqueue.Options{}) },
			hold: func(t *testing.T, n int) func() { return consumeRaw(t, url, dead, n) },
			cut:  func() { p.cut(false) },
		})
	})
}

// consumeRaw consumes as a program that knows nothing of this package, and
// returns when it has n messages.
func consumeRaw(t *testing.T, url, name string, n int) (release func()) {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err == nil {
		err = ch.Qos(n, 0, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	deliveries, err := ch.Consume(name, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		receive(t, deliveries)
	}
	return func() { _ = conn.Close() }
}

// bury makes n dead letters, with the ids "0", "1" and so on.
func bury(t *testing.T, b *rabbitqueue.Broker, n int) (ids []string) {
	t.Helper()
	for i := range n {
		ids = append(ids, fmt.Sprint(i))
		if err := b.Publish(soon(t), queue.Message{ID: ids[i], Key: queue.KeyChunk}); err != nil {
			t.Fatal(err)
		}
	}
	sub, err := b.Subscribe(soon(t), queue.QueueDatabase, 16)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for range n {
		r, err := sub.Next(soon(t))
		if err == nil {
			err = r.Settle(soon(t), queue.Verdict{Outcome: queue.Dead, Headers: r.Message.Headers})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// list lists dead letters, and calls during after the first.
func list(ctx context.Context, b queue.DeadLetterBox, during func()) (ids []string, err error) {
	for letter, err := range b.DeadLetters(ctx, queue.QueueDatabase) {
		if err != nil {
			return ids, err
		}
		if ids = append(ids, letter.Message.ID); len(ids) == 1 && during != nil {
			during()
		}
	}
	return ids, nil
}

func wantPartial(t *testing.T, what string, err error, seen, total int) {
	t.Helper()
	var partial *queue.PartialError
	if !errors.As(err, &partial) || *partial != (queue.PartialError{Queue: queue.QueueDatabase, Seen: seen, Total: total}) {
		t.Errorf("%s: got error %v; want that %d of %d were found", what, err, seen, total)
	}
}

// TestOthersHold has a program that waits for no turn take a part of the dead
// letters: before they are read, and meanwhile.
func TestOthersHold(t *testing.T) {
	onServers(t, func(t *testing.T, s deadServer) {
		b := s.open(t)
		ids := bury(t, b, 100)
		release := s.hold(t, 3)
		seen, err := list(soon(t), b, nil)
		wantPartial(t, "they were first", err, 97, 0)
		if !slices.Equal(seen, ids[3:]) {
			t.Errorf("saw %q", seen)
		}
		if d, err := b.Depth(soon(t), queue.QueueDatabase); err != nil || d != (queue.Depth{Dead: 97, Reading: true}) {
			t.Errorf("depth: %+v, %v", d, err)
		}
		release()
		seen, err = list(soon(t), b, func() { release = s.hold(t, 5) })
		wantPartial(t, "they came meanwhile", err, 95, 100)
		if len(seen) != 95 {
			t.Errorf("saw %q", seen)
		}
		n, err := b.Drop(soon(t), queue.QueueDatabase, ids...)
		wantPartial(t, "drop", err, 95, 0)
		if n != 95 {
			t.Errorf("dropped %d", n)
		}
		release()
		eventually(t, "the others give back theirs", func() bool {
			d, err := b.Depth(soon(t), queue.QueueDatabase)
			return err == nil && d == (queue.Depth{Dead: 5})
		})
		if n, err := b.Replay(soon(t), queue.QueueDatabase, ids...); n != 5 || err != nil {
			t.Errorf("replayed %d, error %v", n, err)
		}
	})
}

// TestTurns has readers wait in vain, in the same program and in another one.
func TestTurns(t *testing.T) {
	onServers(t, func(t *testing.T, s deadServer) {
		a, b := s.open(t), s.open(t)
		ids := bury(t, a, 3)
		seen, err := list(soon(t), a, func() {
			for name, other := range map[string]*rabbitqueue.Broker{"the same": a, "another": b} {
				other.SetTurnTimeout(50 * time.Millisecond)
				seen, err := list(soon(t), other, nil)
				wantPartial(t, name, err, 0, 0)
				if len(seen) > 0 {
					t.Errorf("%s program saw %q", name, seen)
				}
				n, err := other.Replay(soon(t), queue.QueueDatabase, ids...)
				wantPartial(t, name, err, 0, 0)
				if n != 0 {
					t.Errorf("%s program replayed %d", name, n)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				if _, err := list(ctx, other, nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s program: got error %v; want ctx's", name, err)
				}
				cancel()
			}
		})
		if err != nil || !slices.Equal(seen, ids) {
			t.Errorf("the first saw %q, error %v", seen, err)
		}
		for _, broker := range []*rabbitqueue.Broker{a, b} {
			if seen, err := list(soon(t), broker, nil); err != nil || !slices.Equal(seen, ids) {
				t.Errorf("afterwards: saw %q, error %v", seen, err)
			}
		}
	})
}

// TestReaderLost breaks the connection of a reader, as when it is killed. The
// server may give back what it had in another order.
func TestReaderLost(t *testing.T) {
	onServers(t, func(t *testing.T, s deadServer) {
		b := s.open(t)
		ids := bury(t, b, 100)
		slices.Sort(ids)
		seen, err := list(soon(t), b, s.cut)
		var partial *queue.PartialError
		if err == nil || errors.As(err, &partial) {
			t.Errorf("saw %d, error %v; want that of the connection", len(seen), err)
		}
		eventually(t, "all are back", func() bool {
			seen, err := list(soon(t), b, nil)
			slices.Sort(seen)
			return err == nil && slices.Equal(seen, ids)
		})
		// A broker that is closed while it reads gives back what it has.
		other := s.open(t)
		if _, err := list(soon(t), other, func() { _ = other.Close() }); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("closed: got error %v", err)
		}
		seen, err = list(soon(t), b, nil)
		if slices.Sort(seen); err != nil || !slices.Equal(seen, ids) {
			t.Errorf("afterwards: saw %q, error %v", seen, err)
		}
	})
}

// TestQueueFull has the server refuse messages.
func TestQueueFull(t *testing.T) {
	f := rabbitqueue.NewFake()
	b := openFake(t, f, rabbitqueue.Options{PublishTimeout: 50 * time.Millisecond})
	f.Fill(queue.KeyChunk, true)
	m := queue.Message{ID: "a", Key: queue.KeyChunk}
	for what, err := range map[string]error{"publish": b.Publish(soon(t), m), "blocked": b.Blocked(soon(t))} {
		var blocked *queue.BlockedError
		if !errors.As(err, &blocked) || !slices.Equal(blocked.Reasons, []queue.BlockReason{queue.BlockedByQueue}) || blocked.Detail != "full: "+queue.QueueDatabase {
			t.Errorf("%s: got error %v; want that the queue is full", what, err)
		}
	}
	f.Fill(queue.KeyChunk, false)
	if err := b.Publish(soon(t), m); err != nil {
		t.Error(err)
	}
	if err := b.Blocked(soon(t)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
