package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

const (
	consumerTag = "egrid"
	maxPrefetch = 1<<16 - 1 // the protocol has two bytes for it, and 0 is no limit
)

// subscription is one consumer of a queue, through one session after another.
type subscription struct {
	b        *Broker
	name     string
	prefetch int
	ready    chan *delivery // has room for prefetch
	end      func()
	closed   <-chan struct{} // closed by Close, and by that of the broker
	ended    chan struct{}   // closed when the last session has ended
	failure  error           // read after ended is closed
}

// session is a subscription's channel. What it delivered goes back to the
// queue when it ends.
type session struct {
	ch channel

	mu        sync.Mutex
	over      bool
	unsettled map[uint64]*delivery
}

// delivery is a message that the server has sent.
type delivery struct {
	session  *session
	d        amqp.Delivery
	seen     bool          // by a caller of Next; the session's mutex guards it
	settling chan struct{} // has room for the one who settles
}

// Subscribe implements [queue.Subscriber].
func (b *Broker) Subscribe(ctx context.Context, name string, prefetch int) (queue.Subscription, error) {
	if prefetch < 1 {
		return nil, fmt.Errorf("%w prefetch: %d", queue.ErrInvalid, prefetch)
	}
	if err := b.known(ctx, name); err != nil {
		return nil, err
	}
	prefetch = min(prefetch, maxPrefetch)
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	s := &subscription{b: b, name: name, prefetch: prefetch, ready: make(chan *delivery, prefetch),
		end: end, closed: life.Done(), ended: make(chan struct{})}
	started := make(chan struct{})
	if !b.attend(func() { s.run(life, started) }) {
		end()
		return nil, queue.ErrClosed
	}
	select {
	case <-started:
		return s, nil
	case <-s.ended:
		end()
		return nil, s.failure
	case <-ctx.Done():
		end()
		return nil, ctx.Err()
	}
}

// attend runs a subscription, which ends before the connections do.
func (b *Broker) attend(run func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isDone() {
		return false
	}
	b.attended.Go(run)
	return true
}

// run receives until ctx or the broker ends, or an error comes that does not
// go away.
func (s *subscription) run(ctx context.Context, started chan struct{}) {
	defer s.end()
	defer close(s.ended) // first, so that Next finds the reason
	go func() {
		select {
		case <-s.b.done:
			s.end()
		case <-ctx.Done():
		}
	}()
	s.failure = queue.ErrClosed
	for failures := 0; ; failures++ {
		conn, err := s.b.consuming.get(ctx)
		if err != nil {
			return
		}
		err = s.receive(ctx, conn, func() {
			failures = 0
			if started != nil {
				close(started)
				started = nil
			}
		})
		if ctx.Err() != nil {
			return
		}
		s.b.log.WarnContext(ctx, "subscription interrupted", "queue", s.name, "error", err)
		var refused *amqp.Error
		if errors.As(err, &refused) && refused.Code == amqp.AccessRefused {
			s.failure = fmt.Errorf("consume from queue %s: %w", s.name, err)
			return
		}
		s.b.restore(ctx, conn, err)
		if !pause(ctx, backoff(failures)) {
			return
		}
	}
}

// receive takes what the server sends, through a channel of its own.
func (s *subscription) receive(ctx context.Context, conn connection, begun func()) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	defer ch.Close() //nolint:errcheck // closed already, or with its connection
	lost := ch.NotifyClose(make(chan *amqp.Error, 1))
	if err := ch.Qos(s.prefetch, 0, false); err != nil {
		return err
	}
	deliveries, err := ch.Consume(s.name, consumerTag, false, false, false, false, nil)
	if err != nil {
		return err
	}
	begun()
	x := &session{ch: ch, unsettled: map[uint64]*delivery{}}
	for {
		select {
		case d, ok := <-deliveries:
			if !ok {
				x.giveBack() // the server ended the consumer, or the channel
				s.forget()
				select {
				case err := <-lost:
					if err != nil {
						return err
					}
				default:
				}
				return errLost
			}
			entry := &delivery{session: x, d: d, settling: make(chan struct{}, 1)}
			x.mu.Lock()
			x.unsettled[d.DeliveryTag] = entry
			x.mu.Unlock()
			select {
			case s.ready <- entry:
			case <-ctx.Done():
			}
		case <-ctx.Done():
			_ = ch.Cancel(consumerTag, false)
			for d := range deliveries { // that were on their way
				x.mu.Lock()
				x.unsettled[d.DeliveryTag] = &delivery{session: x, d: d}
				x.mu.Unlock()
			}
			x.giveBack()
			s.forget()
			return ctx.Err()
		}
	}
}

// forget drops what nobody has asked for: the queue has it again.
func (s *subscription) forget() {
	for {
		select {
		case <-s.ready:
		default:
			return
		}
	}
}

// giveBack ends the session. It tells the server which messages nobody has
// seen.
func (x *session) giveBack() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
	for _, tag := range slices.Sorted(maps.Keys(x.unsettled)) {
		var err error
		if x.unsettled[tag].seen {
			err = x.ch.Reject(tag, true)
		} else {
			err = x.ch.Nack(tag, false, true)
		}
		if err != nil {
			return // closing the channel gives them back, too
		}
	}
}

// take marks a delivery as seen, and reports whether it still is one.
func (x *session) take(e *delivery) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e.seen = true
	return !x.over
}

// Next implements part of [queue.Subscription].
func (s *subscription) Next(ctx context.Context) (queue.Received, error) {
	for {
		if err := ctx.Err(); err != nil {
			return queue.Received{}, err
		}
		select {
		case <-s.closed:
			return queue.Received{}, s.reason()
		default:
		}
		select {
		case e := <-s.ready:
			if !e.session.take(e) {
				continue
			}
			return queue.Received{
				Message:     s.b.message(&e.d),
				Redelivered: redelivered(&e.d),
				Settle:      func(ctx context.Context, v queue.Verdict) error { return s.settle(ctx, e, v) },
			}, nil
		case <-ctx.Done():
		case <-s.closed:
		}
	}
}

// reason says why the subscription is over.
func (s *subscription) reason() error {
	select {
	case <-s.ended:
		return s.failure
	default:
		return queue.ErrClosed
	}
}

func (s *subscription) settle(ctx context.Context, e *delivery, v queue.Verdict) error {
	if err := s.b.alive(ctx); err != nil {
		return err
	}
	select {
	case e.settling <- struct{}{}:
		defer func() { <-e.settling }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if !e.session.has(e) {
		return queue.ErrSettled
	}
	var err error
	switch v.Outcome {
	case queue.Done:
	case queue.Retry:
		to, delay := s.name, ""
		if v.Delay > 0 {
			to, delay = retryQueue(s.name, v.Delay), expiration(v.Delay)
		}
		err = s.moveOrReturn(ctx, e, v, to, delay)
	case queue.Dead:
		err = s.moveOrReturn(ctx, e, v, queue.DeadQueue(s.name), "")
	default:
		err = fmt.Errorf("%w outcome %q", queue.ErrInvalid, v.Outcome)
	}
	if err != nil {
		return err
	}
	return e.session.ack(e)
}

// moveOrReturn moves the message, or gives it back when trying again would not
// help.
func (s *subscription) moveOrReturn(ctx context.Context, e *delivery, v queue.Verdict, to, delay string) error {
	err := s.move(ctx, e, v, to, delay)
	switch {
	case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, queue.ErrClosed):
	default:
		e.session.reject(e)
	}
	return err
}

// move puts a copy of the message into another queue.
func (s *subscription) move(ctx context.Context, e *delivery, v queue.Verdict, to, delay string) error {
	m := s.b.message(&e.d)
	m.Headers = v.Headers
	p, err := newPublishing(m, 0)
	if err != nil {
		return err
	}
	p.Expiration = delay
	if err := s.b.send(ctx, "", to, p); err != nil {
		return fmt.Errorf("move message to queue %s: %w", to, err)
	}
	return nil
}

// has reports whether a delivery may still be settled.
func (x *session) has(e *delivery) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.over && x.unsettled[e.d.DeliveryTag] == e
}

func (x *session) ack(e *delivery) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.unsettled[e.d.DeliveryTag] != e {
		return queue.ErrSettled
	}
	delete(x.unsettled, e.d.DeliveryTag)
	if err := x.ch.Ack(e.d.DeliveryTag, false); err != nil {
		return fmt.Errorf("%w: %w", queue.ErrSettled, err) // the connection broke
	}
	return nil
}

// reject gives a delivery back to the queue.
func (x *session) reject(e *delivery) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.unsettled[e.d.DeliveryTag] != e {
		return
	}
	delete(x.unsettled, e.d.DeliveryTag)
	_ = x.ch.Reject(e.d.DeliveryTag, true) // fails when the channel is closed, which gives it back
}

// Close implements part of [queue.Subscription].
func (s *subscription) Close() error {
	s.end()
	<-s.ended
	return nil
}
