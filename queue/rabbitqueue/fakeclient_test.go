package rabbitqueue

import (
	"context"
	"maps"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

type fakeConn struct {
	f         *Fake
	over      bool
	channels  map[*fakeChannel]bool
	closings  []chan *amqp.Error
	blockings []chan amqp.Blocking
}

func (c *fakeConn) Channel() (channel, error) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	if c.over {
		return nil, amqp.ErrClosed
	}
	ch := &fakeChannel{f: c.f, c: c, out: map[uint64]taken{}, events: make(chan func(), 1<<14)}
	go func() { // as the library does, in order and one at a time
		for event := range ch.events {
			event()
		}
	}()
	c.channels[ch] = true
	return ch, nil
}

func (c *fakeConn) NotifyClose(l chan *amqp.Error) chan *amqp.Error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	if c.over {
		close(l)
		return l
	}
	c.closings = append(c.closings, l)
	return l
}

func (c *fakeConn) NotifyBlocked(l chan amqp.Blocking) chan amqp.Blocking {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.blockings = append(c.blockings, l)
	return l
}

func (c *fakeConn) Close(time.Duration) error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.shut(nil)
	return nil
}

func (c *fakeConn) shut(reason *amqp.Error) {
	if c.over {
		return
	}
	c.over = true
	delete(c.f.conns, c)
	maps.DeleteFunc(c.f.queues, func(_ string, q *fakeQueue) bool { return q.owner == c })
	for ch := range c.channels {
		ch.shut(reason)
	}
	for _, l := range c.closings {
		if reason != nil {
			l <- reason
		}
		close(l)
	}
}

type taken struct {
	q        *fakeQueue
	m        *fakeMessage
	consumed bool // counts for the prefetch
}

type fakeChannel struct {
	f          *Fake
	c          *fakeConn
	over       bool
	last       uint64 // delivery tag
	published  uint64
	prefetch   int
	held       int
	consumes   *fakeQueue
	deliveries chan amqp.Delivery
	out        map[uint64]taken
	events     chan func()
	confirms   chan amqp.Confirmation
	returns    chan amqp.Return
	closings   []chan *amqp.Error
}

// take takes the first message of a queue.
func (ch *fakeChannel) take(q *fakeQueue) amqp.Delivery {
	m := q.ready[0]
	q.ready = q.ready[1:]
	ch.last++
	ch.out[ch.last] = taken{q, m, ch.consumes == q}
	headers := maps.Clone(m.p.Headers)
	if m.count > 0 {
		headers["x-delivery-count"] = int64(m.count)
	}
	return amqp.Delivery{Headers: headers, ContentType: m.p.ContentType, ContentEncoding: m.p.ContentEncoding,
		MessageId: m.p.MessageId, Type: m.p.Type, Body: m.p.Body, DeliveryTag: ch.last, Redelivered: m.count > 0,
		Exchange: m.exchange, RoutingKey: m.key}
}

func (ch *fakeChannel) shut(reason *amqp.Error) {
	if ch.over {
		return
	}
	ch.over = true
	delete(ch.c.channels, ch)
	ch.endConsumer()
	ch.giveBack(slices.Sorted(maps.Keys(ch.out)))
	for _, l := range ch.closings {
		if reason != nil {
			l <- reason
		}
		close(l)
	}
	ch.events <- func() {
		if ch.confirms != nil {
			close(ch.confirms)
		}
		if ch.returns != nil {
			close(ch.returns)
		}
	}
	close(ch.events)
}

func (ch *fakeChannel) endConsumer() {
	if q := ch.consumes; q != nil {
		q.consumers = slices.DeleteFunc(q.consumers, func(c *fakeChannel) bool { return c == ch })
		close(ch.deliveries)
		ch.consumes = nil
	}
}

func (ch *fakeChannel) giveBack(tags []uint64) {
	for _, tag := range tags {
		t := ch.out[tag]
		delete(ch.out, tag)
		if t.consumed {
			ch.held--
		}
		ch.f.back(t.q, t.m)
	}
	for _, q := range ch.f.queues { // when all are back in their order
		ch.f.deliver(q)
	}
}

// do makes a call, which closes the channel when it fails.
func (ch *fakeChannel) do(call func() *amqp.Error) error {
	ch.f.mu.Lock()
	defer ch.f.mu.Unlock()
	if ch.over {
		return amqp.ErrClosed
	}
	if err := call(); err != nil {
		ch.shut(err)
		return err
	}
	return nil
}

func (ch *fakeChannel) ExchangeDeclare(name, _ string, _, _, _, _ bool, _ amqp.Table) error {
	return ch.do(func() *amqp.Error {
		ch.f.bindings.Exchange = name
		return nil
	})
}

func (ch *fakeChannel) QueueDeclare(name string, _, _, exclusive, _ bool, args amqp.Table) (amqp.Queue, error) {
	return amqp.Queue{}, ch.do(func() *amqp.Error {
		if q := ch.f.queues[name]; q != nil {
			if q.owner != nil && q.owner != ch.c {
				return &amqp.Error{Code: amqp.ResourceLocked}
			}
			return nil
		}
		limit, _ := args["x-delivery-limit"].(int64)
		deadTo, _ := args["x-dead-letter-routing-key"].(string)
		q := &fakeQueue{name: name, limit: int(limit), deadTo: deadTo}
		if exclusive {
			q.owner = ch.c
		}
		ch.f.queues[name] = q
		return nil
	})
}

func (ch *fakeChannel) QueueDelete(name string, _, _, _ bool) (int, error) {
	return 0, ch.do(func() *amqp.Error {
		delete(ch.f.queues, name)
		return nil
	})
}

func (ch *fakeChannel) QueueDeclarePassive(name string, _, _, _, _ bool, _ amqp.Table) (q amqp.Queue, err error) {
	err = ch.do(func() *amqp.Error {
		if ch.f.queues[name] == nil {
			return &amqp.Error{Code: amqp.NotFound}
		}
		q.Messages = len(ch.f.queues[name].ready)
		q.Consumers = len(ch.f.queues[name].consumers)
		return nil
	})
	return q, err
}

func (ch *fakeChannel) QueueBind(name, key, _ string, _ bool, _ amqp.Table) error {
	return ch.do(func() *amqp.Error {
		b := queue.Binding{Pattern: key, Queue: name}
		if !slices.Contains(ch.f.bindings.Bindings, b) {
			ch.f.bindings.Bindings = append(ch.f.bindings.Bindings, b)
		}
		return nil
	})
}

func (ch *fakeChannel) Confirm(bool) error { return ch.do(func() *amqp.Error { return nil }) }

func (ch *fakeChannel) NotifyPublish(l chan amqp.Confirmation) chan amqp.Confirmation {
	ch.f.mu.Lock()
	defer ch.f.mu.Unlock()
	if ch.over {
		close(l)
		return l
	}
	ch.confirms = l
	return l
}

func (ch *fakeChannel) NotifyReturn(l chan amqp.Return) chan amqp.Return {
	ch.f.mu.Lock()
	defer ch.f.mu.Unlock()
	if ch.over {
		close(l)
		return l
	}
	ch.returns = l
	return l
}

func (ch *fakeChannel) NotifyClose(l chan *amqp.Error) chan *amqp.Error {
	ch.f.mu.Lock()
	defer ch.f.mu.Unlock()
	if ch.over {
		close(l)
		return l
	}
	ch.closings = append(ch.closings, l)
	return l
}

func (ch *fakeChannel) PublishWithContext(_ context.Context, exchange, key string, _, _ bool, p amqp.Publishing) error {
	return ch.do(func() *amqp.Error {
		if ch.f.blocked {
			return nil // it is not read, nor confirmed
		}
		ch.published++
		number, refused := ch.published, ch.f.full[key]
		routed := refused || ch.f.route(exchange, key, p)
		ch.events <- func() {
			if !routed {
				ch.returns <- amqp.Return{CorrelationId: p.CorrelationId, RoutingKey: key, ReplyCode: amqp.NoRoute}
			}
			ch.confirms <- amqp.Confirmation{DeliveryTag: number, Ack: !refused}
		}
		return nil
	})
}

func (ch *fakeChannel) Qos(count, _ int, _ bool) error {
	return ch.do(func() *amqp.Error {
		ch.prefetch = count
		return nil
	})
}

func (ch *fakeChannel) Consume(name, _ string, _, _, _, _ bool, _ amqp.Table) (<-chan amqp.Delivery, error) {
	err := ch.do(func() *amqp.Error {
		q := ch.f.queues[name]
		if q == nil {
			return &amqp.Error{Code: amqp.NotFound}
		}
		ch.consumes, ch.deliveries = q, make(chan amqp.Delivery, ch.prefetch)
		q.consumers = append(q.consumers, ch)
		ch.f.deliver(q)
		return nil
	})
	return ch.deliveries, err
}

func (ch *fakeChannel) Cancel(string, bool) error {
	return ch.do(func() *amqp.Error {
		ch.endConsumer()
		return nil
	})
}

// settle finds the deliveries that a call is about.
func (ch *fakeChannel) settle(tag uint64, multiple bool, end func(tags []uint64)) error {
	return ch.do(func() *amqp.Error {
		tags := []uint64{tag}
		if multiple {
			tags = slices.DeleteFunc(slices.Sorted(maps.Keys(ch.out)), func(t uint64) bool { return t > tag })
		} else if _, ok := ch.out[tag]; !ok {
			return &amqp.Error{Code: amqp.PreconditionFailed, Reason: "unknown delivery tag"}
		}
		end(tags)
		return nil
	})
}

func (ch *fakeChannel) Ack(tag uint64, multiple bool) error {
	return ch.settle(tag, multiple, func(tags []uint64) {
		for _, tag := range tags {
			t := ch.out[tag]
			delete(ch.out, tag)
			if t.consumed {
				ch.held--
			}
			ch.f.deliver(t.q)
		}
	})
}

func (ch *fakeChannel) Nack(tag uint64, multiple, _ bool) error {
	return ch.settle(tag, multiple, ch.giveBack)
}

func (ch *fakeChannel) Reject(tag uint64, _ bool) error { return ch.settle(tag, false, ch.giveBack) }

func (ch *fakeChannel) IsClosed() bool {
	ch.f.mu.Lock()
	defer ch.f.mu.Unlock()
	return ch.over
}

func (ch *fakeChannel) Close() error {
	ch.f.mu.Lock()
	defer ch.f.mu.Unlock()
	ch.shut(nil)
	return nil
}
