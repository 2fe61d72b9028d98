package rabbitqueue

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// The delays between tries to connect again.
const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = 5 * time.Second
)

// backoff returns the delay after a number of failures, with jitter so that
// the processes of a platform do not all come back at once.
func backoff(failures int) time.Duration {
	d := min(firstDelay<<min(failures, 10), lastDelay)
	return d/2 + rand.N(d/2+1) //nolint:gosec // not a secret
}

// link is a connection that is made again whenever it breaks.
type link struct {
	b     *Broker
	name  string
	setUp func(channel) error // nil is nothing to do

	mu      sync.Mutex
	conn    connection // nil while there is none
	blocked string     // why the server takes no messages; empty while it does
	changed chan struct{}
}

func newLink(b *Broker, name string, setUp func(channel) error) *link {
	return &link{b: b, name: name, setUp: setUp, changed: make(chan struct{})}
}

// connect dials once, and prepares the server.
func (l *link) connect(ctx context.Context) (connection, error) {
	conn, err := l.b.dial(ctx, l.b.o.Name+" "+l.name)
	if err != nil {
		return nil, err
	}
	if l.setUp == nil {
		return conn, nil
	}
	if err := l.b.use(ctx, conn, l.setUp); err != nil {
		_ = conn.Close(closeTimeout)
		return nil, err
	}
	return conn, nil
}

// use does something in a channel of its own.
func (b *Broker) use(ctx context.Context, conn connection, do func(channel) error) error {
	return b.await(ctx, func() error {
		ch, err := conn.Channel()
		if err != nil {
			return err
		}
		if err := do(ch); err != nil {
			return err
		}
		return ch.Close()
	})
}

// unlearning is how long a server may take to write down that a queue is gone.
// If it crashes before that, and a new queue has the same name, it looks for
// the old one, and the new one is down. It takes about a second; the names of
// queues that it does not remember, it writes at once.
const unlearning = 2 * time.Second

// restore declares the topology anew when a channel ended because a part of it
// is missing: somebody has deleted it.
func (b *Broker) restore(ctx context.Context, conn connection, reason error) {
	var missing *amqp.Error
	if !errors.As(reason, &missing) || missing.Code != amqp.NotFound {
		return
	}
	if !pause(ctx, unlearning) {
		return
	}
	b.log.WarnContext(ctx, "declaring the topology anew", "error", reason)
	if err := b.use(ctx, conn, b.declare); err != nil {
		b.log.WarnContext(ctx, "cannot declare the topology", "error", err)
	}
}

// keep watches over a connection, and the ones that follow it, until ctx ends.
func (l *link) keep(ctx context.Context, conn connection) {
	for conn != nil {
		l.watch(ctx, conn)
		conn = l.reconnect(ctx)
	}
}

// watch returns when the connection is gone.
func (l *link) watch(ctx context.Context, conn connection) {
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	blocked := conn.NotifyBlocked(make(chan amqp.Blocking, 8))
	l.set(conn, "")
	for {
		select {
		case b, ok := <-blocked:
			if !ok {
				blocked = nil
				continue
			}
			reason := ""
			if b.Active {
				reason = cmp.Or(b.Reason, "blocked")
				l.b.log.WarnContext(ctx, "server blocks publishers", "reason", reason)
			} else {
				l.b.log.InfoContext(ctx, "server takes messages again")
			}
			l.set(conn, reason)
		case err := <-closed:
			l.set(nil, "")
			if ctx.Err() == nil {
				l.b.log.WarnContext(ctx, "connection lost", "connection", l.name, "error", err)
			}
			return
		case <-ctx.Done():
			l.b.letEnd() // subscriptions give back what they have
			patience := closeTimeout
			if _, blocked, _ := l.state(); blocked != "" {
				patience = closeBlocked
			}
			l.set(nil, "")
			_ = conn.Close(patience)
			return
		}
	}
}

// letEnd waits for the subscriptions, unless the server does not answer.
func (b *Broker) letEnd() {
	ended := make(chan struct{})
	go func() {
		b.attended.Wait()
		close(ended)
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

// reconnect tries until it succeeds, or ctx ends, when it returns nil.
func (l *link) reconnect(ctx context.Context) connection {
	for failures := 0; pause(ctx, backoff(failures)); failures++ {
		conn, err := l.connect(ctx)
		if err == nil {
			l.b.log.InfoContext(ctx, "connected again", "connection", l.name)
			return conn
		}
		if ctx.Err() == nil {
			l.b.log.WarnContext(ctx, "cannot connect", "connection", l.name, "error", err)
		}
	}
	return nil
}

func (l *link) set(conn connection, blocked string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.blocked = conn, blocked
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *link) state() (conn connection, blocked string, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn, l.blocked, l.changed
}

// get waits for a connection.
func (l *link) get(ctx context.Context) (connection, error) {
	for {
		if err := l.b.alive(ctx); err != nil {
			return nil, err
		}
		conn, _, changed := l.state()
		if conn != nil {
			return conn, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.b.done:
			return nil, queue.ErrClosed
		}
	}
}
