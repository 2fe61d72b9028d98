package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// job is a message on its way to the server.
type job struct {
	exchange, key string
	p             amqp.Publishing
	result        chan error // has room for one
}

// The results of a job that another try may cure.
var (
	errLost    = errors.New("connection lost before the confirm")
	errRefused = errors.New("the server refused the message")
)

// Publish implements [queue.Publisher].
func (b *Broker) Publish(ctx context.Context, m queue.Message) error {
	m, err := m.Normalize(ctx)
	if err != nil {
		return err
	}
	if len(b.o.Topology.Route(m.Key)) == 0 {
		return fmt.Errorf("%w: %s", queue.ErrUnroutable, m.Key)
	}
	p, err := newPublishing(m, storySpace)
	if err != nil {
		return err
	}
	if err := b.send(ctx, b.o.Topology.Exchange, m.Key, p); err != nil {
		return fmt.Errorf("publish %s: %w", m.Key, err)
	}
	return nil
}

// send returns when the server has confirmed a message.
func (b *Broker) send(ctx context.Context, exchange, key string, p amqp.Publishing) error {
	if b.o.PublishTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.o.PublishTimeout)
		defer cancel()
	}
	var last error
	for failures := 0; ; failures++ {
		if err := b.alive(ctx); err != nil {
			return b.inVain(err, last)
		}
		j := &job{exchange: exchange, key: key, p: p, result: make(chan error, 1)}
		select {
		case b.jobs <- j:
		case <-ctx.Done():
			return b.inVain(ctx.Err(), last)
		case <-b.done:
			return queue.ErrClosed
		}
		select {
		case last = <-j.result:
		case <-ctx.Done():
			return b.inVain(ctx.Err(), last)
		case <-b.done:
			return queue.ErrClosed
		}
		b.full.note(b.targets(exchange, key), last)
		if !errors.Is(last, errLost) && !errors.Is(last, errRefused) {
			return last
		}
		if !pause(ctx, backoff(min(failures, 3))) {
			return b.inVain(ctx.Err(), last)
		}
	}
}

// targets returns the queues that a message is meant for.
func (b *Broker) targets(exchange, key string) []string {
	if exchange == "" {
		return []string{key}
	}
	return b.o.Topology.Route(key)
}

// inVain adds what went wrong before the time was over.
func (b *Broker) inVain(err, last error) error {
	if blocked := b.blocked(); blocked != nil {
		last = blocked
	}
	if last == nil {
		return err
	}
	return fmt.Errorf("%w, after: %w", err, last)
}

// serve gives jobs to the server through one channel after another, until ctx
// ends.
func (b *Broker) serve(ctx context.Context) {
	for failures := 0; ; failures++ {
		conn, err := b.publishing.get(ctx)
		if err != nil {
			return
		}
		sent, err := b.serveOn(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		b.restore(ctx, conn, err)
		if sent > 0 {
			failures = 0
		}
		if !pause(ctx, backoff(min(failures, 3))) {
			return
		}
	}
}

// outlet is a channel in confirm mode.
type outlet struct {
	mu      sync.Mutex
	pending map[uint64]*job // by the channel's number of the message
	failure error           // set when there will be no confirms any more
	ended   chan struct{}   // closed then
}

// serveOn returns when the channel is closed, and how many jobs it has taken.
func (b *Broker) serveOn(ctx context.Context, conn connection) (sent int, err error) {
	ch, err := conn.Channel()
	if err != nil {
		return 0, err
	}
	defer ch.Close() //nolint:errcheck // closed already, or with its connection
	if err := ch.Confirm(false); err != nil {
		return 0, err
	}
	o := &outlet{pending: map[uint64]*job{}, ended: make(chan struct{})}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	// Without room, so that a return is read before the confirm that follows.
	returns := ch.NotifyReturn(make(chan amqp.Return))
	confirms := ch.NotifyPublish(make(chan amqp.Confirmation))
	go o.read(confirms, returns, closed)

	for {
		jobs := b.jobs
		current, blocked, changed := b.publishing.state()
		if blocked != "" {
			jobs = nil
		}
		if current != conn {
			return sent, errLost
		}
		select {
		case j := <-jobs:
			sent++
			number := uint64(sent) // counts from 1, as the protocol does
			j.p.CorrelationId = strconv.FormatUint(number, 10)
			o.add(number, j)
			// Not with ctx: half a message would be worse than a late one.
			if err := ch.PublishWithContext(context.WithoutCancel(ctx), j.exchange, j.key, true, false, j.p); err != nil {
				o.settle(number, errLost)
				return sent, err
			}
		case <-changed:
		case <-o.ended:
			return sent, o.failure
		case <-ctx.Done():
			return sent, ctx.Err()
		}
	}
}

func (o *outlet) add(number uint64, j *job) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failure != nil {
		j.result <- o.failure
		return
	}
	o.pending[number] = j
}

// settle tells a job's result, the first one that there is.
func (o *outlet) settle(number uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if j, ok := o.pending[number]; ok {
		delete(o.pending, number)
		j.result <- err
	}
}

// read hands out what the server says, until the channel is closed.
func (o *outlet) read(confirms <-chan amqp.Confirmation, returns <-chan amqp.Return, closed <-chan *amqp.Error) {
	for confirms != nil || returns != nil {
		select {
		case r, ok := <-returns:
			if !ok {
				returns = nil
				continue
			}
			if number, err := strconv.ParseUint(r.CorrelationId, 10, 64); err == nil {
				o.settle(number, fmt.Errorf("%w: %s %s", queue.ErrUnroutable, r.RoutingKey, r.ReplyText))
			}
		case c, ok := <-confirms:
			if !ok {
				confirms = nil
				continue
			}
			if c.Ack {
				o.settle(c.DeliveryTag, nil)
			} else {
				o.settle(c.DeliveryTag, errRefused)
			}
		}
	}
	o.fail(<-closed)
}

// fail ends all jobs that wait for a confirm.
func (o *outlet) fail(reason *amqp.Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failure = errLost
	switch {
	case reason == nil:
	case reason.Code == amqp.AccessRefused || reason.Code == amqp.PreconditionFailed || reason.Code == amqp.ContentTooLarge:
		o.failure = reason // the same would happen again
	default:
		o.failure = fmt.Errorf("%w: %w", errLost, reason)
	}
	for number, j := range o.pending {
		delete(o.pending, number)
		j.result <- o.failure
	}
	close(o.ended)
}
