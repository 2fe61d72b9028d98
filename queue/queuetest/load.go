package queuetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// Load says how hard Stress works a broker. The zero value of every field means
// its default.
type Load struct {
	Messages   int // published altogether; default 1,000
	Publishers int // that share them; default 4
	Consumers  int // calls of Consume; default 2
	Workers    int // of each consumer; default 4
	// FailEvery is one in how many messages fails at its first attempt; default
	// none does.
	FailEvery int
	// ComeAndGo has all consumers but one end and begin again all the time.
	ComeAndGo bool
	// Timeout is how long it may take; default 1 minute.
	Timeout time.Duration
}

// Stress moves many messages through [queue.QueueDatabase], on many goroutines
// at once. The broker has the default topology and is empty, before and, when
// nothing is wrong, after. Every message must be handled once, and once more
// after its failure. Run calls it with moderate loads.
func Stress(t *testing.T, b queue.Broker, l Load) {
	t.Helper()
	setDefault(&l.Messages, 1000)
	setDefault(&l.Publishers, 4)
	setDefault(&l.Consumers, 2)
	setDefault(&l.Workers, 4)
	setDefault(&l.Timeout, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), l.Timeout)
	defer cancel()

	s := &stress{T: t, l: l, attempts: make([]int, l.Messages), done: make(chan struct{})}
	consume, stop := context.WithCancel(ctx)
	defer stop()
	var consumers sync.WaitGroup
	for i := range l.Consumers {
		consumers.Go(func() { s.consume(consume, b, l.ComeAndGo && i > 0) })
	}
	var publishers sync.WaitGroup
	for p := range l.Publishers {
		publishers.Go(func() {
			for i := p; i < l.Messages; i += l.Publishers {
				if err := b.Publish(ctx, messageOf(fmt.Sprint(i))); err != nil {
					t.Errorf("publish %d: %v", i, err)
					return
				}
			}
		})
	}
	publishers.Wait()
	select {
	case <-s.done:
	case <-ctx.Done():
		t.Errorf("not all of %d messages are done after %s", l.Messages, l.Timeout)
	}
	stop()
	consumers.Wait()
	for i, n := range s.attempts {
		want := 1
		if s.fails(i) {
			want = 2
		}
		if n != want {
			t.Errorf("message %d was handled %d times; want %d", i, n, want)
		}
	}
	if depth, err := b.Depth(ctx, main); err != nil || depth != (queue.Depth{}) {
		t.Errorf("in the end: depth %+v, error %v", depth, err)
	}
}

func setDefault[T int | time.Duration](x *T, value T) {
	if *x == 0 {
		*x = value
	}
}

// stress is one call of Stress.
type stress struct {
	*testing.T
	l    Load
	done chan struct{} // closed when every message is done

	mu       sync.Mutex
	attempts []int // of each message
	finished int
}

func (s *stress) fails(i int) bool { return s.l.FailEvery > 0 && i%s.l.FailEvery == 0 }

// consume consumes until ctx is done, if need be in many short terms.
func (s *stress) consume(ctx context.Context, b queue.Broker, comeAndGo bool) {
	for ctx.Err() == nil {
		term, end := context.WithCancel(ctx)
		o := &queue.ConsumeOptions{Workers: s.l.Workers, Retry: queue.RetryPolicy{Base: time.Millisecond}}
		var mu sync.Mutex
		left := 25
		err := queue.Consume(term, b, main, handlerOf(func(d queue.Delivery) error {
			mu.Lock()
			if left--; left <= 0 && comeAndGo {
				end()
			}
			mu.Unlock()
			return s.handle(d)
		}), o)
		end()
		if err != nil {
			s.Errorf("consume: %v", err)
			return
		}
	}
}

func (s *stress) handle(d queue.Delivery) error {
	var i int
	if _, err := fmt.Sscan(string(d.Message.Body), &i); err != nil || i < 0 || i >= s.l.Messages || d.Message.ID != string(d.Message.Body) {
		s.Errorf("message %q with body %.20q", d.Message.ID, d.Message.Body)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[i]++
	// A broker that sends ahead may count what a consumer left unread.
	if n := s.attempts[i]; d.Attempt < n || d.Attempt > n && !s.l.ComeAndGo {
		s.Errorf("message %d: attempt %d; want %d", i, d.Attempt, n)
	}
	if s.fails(i) && s.attempts[i] == 1 {
		return errFailed
	}
	if s.finished++; s.finished == s.l.Messages {
		close(s.done)
	}
	return nil
}

func testConcurrent(f *fixture) {
	Stress(f.T, f.broker, Load{Messages: f.features.Messages})
}

func testConcurrentFailures(f *fixture) {
	Stress(f.T, f.broker, Load{Messages: f.features.Messages, FailEvery: 3})
}

func testConsumersComeAndGo(f *fixture) {
	Stress(f.T, f.broker, Load{Messages: f.features.Messages, Consumers: 4, FailEvery: 7, ComeAndGo: true})
}
