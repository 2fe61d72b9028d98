package rabbitqueue

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// Fake is as much of a server as the package needs: what it does not do, the
// tests on a real one show. Its topology is the one that brokers declare.
type Fake struct {
	mu       sync.Mutex
	bindings queue.Topology
	queues   map[string]*fakeQueue
	conns    map[*fakeConn]bool
	last     uint64 // number given to a message
	down     bool
	blocked  bool
	full     map[string]bool // routing keys whose messages are refused
}

type fakeQueue struct {
	name      string
	limit     int       // of deliveries
	deadTo    string    // the queue for what expires, or is over the limit
	owner     *fakeConn // of an exclusive queue
	ready     []*fakeMessage
	consumers []*fakeChannel
}

type fakeMessage struct {
	p             amqp.Publishing
	exchange, key string
	number        uint64 // its place in the queue, which it gets back
	count         int    // how often it came back
}

// NewFake returns a server without any queue.
func NewFake() *Fake {
	return &Fake{queues: map[string]*fakeQueue{}, conns: map[*fakeConn]bool{}, full: map[string]bool{}}
}

// Open opens a broker on the fake.
func (f *Fake) Open(ctx context.Context, o *Options) (*Broker, error) {
	return open(ctx, f.dial, *o)
}

func (f *Fake) dial(context.Context, string) (connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, amqp.ErrClosed
	}
	c := &fakeConn{f: f, channels: map[*fakeChannel]bool{}}
	f.conns[c] = true
	return c, nil
}

// Cut breaks all connections. While down there are no new ones.
func (f *Fake) Cut(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
	for c := range f.conns {
		c.shut(&amqp.Error{Code: amqp.ConnectionForced, Reason: "cut"})
	}
}

// Up allows connections again.
func (f *Fake) Up() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = false
}

// Fill has the server refuse messages of a routing key, as when a queue is full,
// or no longer.
func (f *Fake) Fill(key string, full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full[key] = full
}

// Hold has somebody else consume messages of a queue, and keep them.
func (f *Fake) Hold(name string, n int) (release func(), err error) {
	conn, err := f.dial(context.Background(), "")
	if err != nil {
		return nil, err
	}
	ch, err := conn.Channel()
	if err == nil {
		err = ch.Qos(n, 0, false)
	}
	if err == nil {
		_, err = ch.Consume(name, "", false, false, false, false, nil)
	}
	return func() { _ = conn.Close(0) }, err
}

// SetTurnTimeout says how long readers of dead letters wait for each other.
func (b *Broker) SetTurnTimeout(d time.Duration) { b.turnTimeout = d }

// ParseServers is for the tests of addresses.
var ParseServers = parseServers

// OpenServers opens a broker by addresses that dial answers for.
func (f *Fake) OpenServers(ctx context.Context, addresses []string, up func(address string) error, o *Options) (*Broker, error) {
	nodes := &servers{addresses: addresses, dial: func(ctx context.Context, address, name string) (connection, error) {
		if err := up(address); err != nil {
			return nil, err
		}
		return f.dial(ctx, name)
	}}
	return open(ctx, nodes.connect, *o)
}

// Block has the server block publishers, or no longer.
func (f *Fake) Block(active bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blocked = active
	for c := range f.conns {
		for _, l := range c.blockings {
			l <- amqp.Blocking{Active: active, Reason: "low on memory"}
		}
	}
}

// Delete removes a queue without consumers.
func (f *Fake) Delete(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.queues, name)
}

// route puts a message into the queues that it is routed to. It reports
// whether there are any.
func (f *Fake) route(exchange, key string, p amqp.Publishing) bool {
	names := []string{key}
	if exchange != "" {
		names = f.bindings.Route(key)
	}
	found := false
	for _, name := range names {
		q := f.queues[name]
		if q == nil {
			continue
		}
		found = true
		f.put(q, exchange, key, p)
	}
	return found
}

func (f *Fake) put(q *fakeQueue, exchange, key string, p amqp.Publishing) {
	f.last++
	m := &fakeMessage{p: p, exchange: exchange, key: key, number: f.last}
	q.ready = append(q.ready, m)
	if ms, err := strconv.Atoi(p.Expiration); err == nil {
		m.p.Expiration = ""
		time.AfterFunc(time.Duration(ms)*time.Millisecond, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			if i := slices.Index(q.ready, m); i >= 0 {
				q.ready = slices.Delete(q.ready, i, i+1)
				f.bury(q, m, "expired")
			}
		})
	}
	f.deliver(q)
}

// bury hands a message over, with a note of where it was.
func (f *Fake) bury(q *fakeQueue, m *fakeMessage, reason string) {
	if f.queues[q.deadTo] == nil {
		return
	}
	p := m.p
	p.Headers = maps.Clone(p.Headers)
	p.Headers["x-death"] = []any{amqp.Table{"queue": q.name, "reason": reason, "time": time.Now()}}
	p.Headers["x-first-death-queue"] = q.name
	f.put(f.queues[q.deadTo], "", q.deadTo, p)
}

// back puts messages back to where they were.
func (f *Fake) back(q *fakeQueue, m *fakeMessage) {
	again := *m
	again.count++
	if q.limit > 0 && again.count > q.limit {
		f.bury(q, &again, "delivery_limit")
		return
	}
	at, _ := slices.BinarySearchFunc(q.ready, again.number, func(m *fakeMessage, n uint64) int { return cmp.Compare(m.number, n) })
	q.ready = slices.Insert(q.ready, at, &again)
}

// deliver sends ahead what consumers have room for, in turn.
func (f *Fake) deliver(q *fakeQueue) {
	for tries := len(q.consumers); tries > 0 && len(q.ready) > 0; tries-- {
		ch := q.consumers[0]
		q.consumers = append(q.consumers[1:], ch)
		if ch.held >= ch.prefetch {
			continue
		}
		tries = len(q.consumers) + 1
		ch.held++
		ch.deliveries <- ch.take(q)
	}
}
