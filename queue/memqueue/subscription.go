package memqueue

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// subscription is one consumer of a line. The broker's mutex guards it.
type subscription struct {
	b         *Broker
	line      *line
	prefetch  int
	closed    bool
	unsettled map[*item]bool
}

// wait is a call of Next that waits.
type wait struct {
	s   *subscription
	got chan *item // closed when nothing comes any more; has room for one
}

// Subscribe implements [queue.Subscriber].
func (b *Broker) Subscribe(ctx context.Context, name string, prefetch int) (queue.Subscription, error) {
	if prefetch < 1 {
		return nil, fmt.Errorf("%w prefetch: %d", queue.ErrInvalid, prefetch)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.line(ctx, name)
	if err != nil {
		return nil, err
	}
	return &subscription{b: b, line: l, prefetch: prefetch, unsettled: map[*item]bool{}}, nil
}

// Next implements part of [queue.Subscription].
func (s *subscription) Next(ctx context.Context) (queue.Received, error) {
	if err := ctx.Err(); err != nil {
		return queue.Received{}, err
	}
	s.b.mu.Lock()
	if s.b.closed || s.closed {
		s.b.mu.Unlock()
		return queue.Received{}, queue.ErrClosed
	}
	w := &wait{s: s, got: make(chan *item, 1)}
	element := s.line.waiting.PushBack(w)
	s.line.dispatch()
	s.b.mu.Unlock()

	select {
	case it := <-w.got:
		return s.received(it)
	case <-ctx.Done():
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.line.waiting.Remove(element)
	select {
	case it := <-w.got: // meanwhile, and nobody has seen it
		if it != nil && s.unsettled[it] && !s.b.closed {
			delete(s.unsettled, it)
			s.line.ready.PushFront(it)
			s.line.dispatch()
		}
	default:
	}
	return queue.Received{}, ctx.Err()
}

// received makes what the caller sees of an item, which is nil when the
// subscription was closed.
func (s *subscription) received(it *item) (queue.Received, error) {
	if it == nil {
		return queue.Received{}, queue.ErrClosed
	}
	return queue.Received{
		Message:     it.message,
		Redelivered: it.redelivered,
		Settle:      func(_ context.Context, v queue.Verdict) error { return s.settle(it, v) },
	}, nil
}

// dispatch hands ready messages to those who wait for them and may have one
// more. Every change that could make this possible ends with it.
func (l *line) dispatch() {
	for element := l.waiting.Front(); element != nil && l.ready.Len() > 0; {
		w, next := element.Value.(*wait), element.Next()
		if len(w.s.unsettled) < w.s.prefetch {
			it := l.ready.Remove(l.ready.Front()).(*item)
			w.s.unsettled[it] = true
			w.got <- it
			l.waiting.Remove(element)
		}
		element = next
	}
}

func (s *subscription) settle(it *item, v queue.Verdict) error {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.b.closed {
		return queue.ErrClosed
	}
	if !s.unsettled[it] {
		return queue.ErrSettled
	}
	l := s.line
	switch v.Outcome {
	case queue.Done:
		s.b.leave(l, it)
	case queue.Retry:
		again := &item{message: it.message}
		again.message.Headers = v.Headers
		l.delay(s.b, again, v.Delay)
	case queue.Dead:
		s.b.leave(l, it)
		m := it.message
		m.Headers = v.Headers
		s.b.bury(l, m)
	default:
		return fmt.Errorf("%w outcome %q", queue.ErrInvalid, v.Outcome)
	}
	delete(s.unsettled, it)
	l.dispatch()
	s.b.admit()
	return nil
}

// leave frees the place of an item.
func (b *Broker) leave(l *line, it *item) {
	l.held--
	l.bytes -= int64(len(it.message.Body))
}

// delay makes the item ready when the time has passed.
func (l *line) delay(b *Broker, it *item, d time.Duration) {
	if d <= 0 {
		l.makeReady(b, it)
		return
	}
	l.delayed[it] = time.AfterFunc(d, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if _, ok := l.delayed[it]; !ok {
			return // the broker was closed
		}
		delete(l.delayed, it)
		l.makeReady(b, it)
		l.dispatch()
	})
}

// bury keeps a dead letter.
func (b *Broker) bury(l *line, m queue.Message) {
	b.last++
	l.dead.PushBack(&item{message: m, number: b.last})
	for b.o.MaxDeadLetters > 0 && l.dead.Len() > b.o.MaxDeadLetters {
		oldest := l.dead.Remove(l.dead.Front()).(*item).message
		letter := queue.NewDeadLetter(l.name, oldest)
		b.log.Error("dead letter dropped, there are too many", "queue", l.name,
			"id", oldest.ID, "key", oldest.Key, "reason", letter.Reason)
	}
}

// Close implements part of [queue.Subscription].
func (s *subscription) Close() error {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.closed || s.b.closed {
		return nil
	}
	s.closed = true
	l := s.line
	for element := l.waiting.Front(); element != nil; {
		w, next := element.Value.(*wait), element.Next()
		if w.s == s {
			close(w.got)
			l.waiting.Remove(element)
		}
		element = next
	}
	back := slices.SortedFunc(maps.Keys(s.unsettled), func(a, b *item) int {
		return cmp.Compare(b.number, a.number)
	})
	clear(s.unsettled)
	for _, it := range back {
		// A new item, because callers may still read the old one, or settle it.
		l.ready.PushFront(&item{message: it.message, number: it.number, redelivered: it.redelivered + 1})
	}
	l.dispatch()
	return nil
}
