package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// dialer makes a connection, which the server shows under this name.
type dialer func(ctx context.Context, name string) (connection, error)

// connection is what is used of *amqp.Connection.
type connection interface {
	Channel() (channel, error)
	NotifyClose(chan *amqp.Error) chan *amqp.Error
	NotifyBlocked(chan amqp.Blocking) chan amqp.Blocking
	// Close gives a server that does not answer so long.
	Close(patience time.Duration) error
}

// channel is what is used of *amqp.Channel.
type channel interface {
	ExchangeDeclare(name, kind string, durable, autoDelete, internal, noWait bool, args amqp.Table) error
	QueueDeclare(name string, durable, autoDelete, exclusive, noWait bool, args amqp.Table) (amqp.Queue, error)
	QueueDeclarePassive(name string, durable, autoDelete, exclusive, noWait bool, args amqp.Table) (amqp.Queue, error)
	QueueDelete(name string, ifUnused, ifEmpty, noWait bool) (int, error)
	QueueBind(name, key, exchange string, noWait bool, args amqp.Table) error

	Confirm(noWait bool) error
	NotifyPublish(chan amqp.Confirmation) chan amqp.Confirmation
	NotifyReturn(chan amqp.Return) chan amqp.Return
	NotifyClose(chan *amqp.Error) chan *amqp.Error
	PublishWithContext(ctx context.Context, exchange, key string, mandatory, immediate bool, m amqp.Publishing) error

	Qos(count, size int, global bool) error
	Consume(queue, consumer string, autoAck, exclusive, noLocal, noWait bool, args amqp.Table) (<-chan amqp.Delivery, error)
	Cancel(consumer string, noWait bool) error
	Ack(tag uint64, multiple bool) error
	Nack(tag uint64, multiple, requeue bool) error
	Reject(tag uint64, requeue bool) error
	IsClosed() bool
	Close() error
}

// server is the connection to a real one.
type server struct{ *amqp.Connection }

func (s server) Channel() (channel, error) { return s.Connection.Channel() }

func (s server) Close(patience time.Duration) error {
	return s.CloseDeadline(time.Now().Add(patience))
}

const (
	dialTimeout  = 15 * time.Second
	closeTimeout = 5 * time.Second
	closeBlocked = 100 * time.Millisecond // a server that blocks a connection reads no farewell either
	heartbeat    = 10 * time.Second
)

func dialServer(ctx context.Context, address, name string) (connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	stop := func() bool { return true }
	config := amqp.Config{
		Heartbeat:  heartbeat,
		Properties: amqp.Table{"connection_name": name, "product": "egrid-go"},
		Dial: func(network, host string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, network, host)
			if err != nil {
				return nil, err
			}
			// The library takes the deadline away when the connection is open.
			_ = conn.SetDeadline(time.Now().Add(dialTimeout))
			stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
			return conn, nil
		},
	}
	conn, err := amqp.DialConfig(address, config)
	if !stop() && err == nil {
		_ = conn.Close()
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, ctx.Err())
	}
	return server{conn}, nil
}

// servers are the addresses of the nodes of one broker.
type servers struct {
	addresses []string
	dial      func(ctx context.Context, address, name string) (connection, error)

	mu      sync.Mutex
	current int // the one to try first: that which answered last
}

// connect tries the servers in turn, each once.
func (s *servers) connect(ctx context.Context, name string) (connection, error) {
	s.mu.Lock()
	first := s.current
	s.mu.Unlock()
	var errs []error
	for i := range s.addresses {
		n := (first + i) % len(s.addresses)
		conn, err := s.dial(ctx, s.addresses[n], name)
		if err == nil {
			s.mu.Lock()
			s.current = n
			s.mu.Unlock()
			return conn, nil
		}
		if errs = append(errs, fmt.Errorf("%s: %w", hostOf(s.addresses[n]), err)); ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// hostOf returns what may be printed of an address.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	return u.Host
}

// parseServers reads an address with one or more hosts, separated by commas. The
// error wraps queue.ErrInvalid, and quotes nothing: what was meant as a password
// may be anywhere.
func parseServers(address string) ([]string, error) {
	bad := func(reason string) ([]string, error) {
		return nil, fmt.Errorf("%w URL: %s; want amqp://USER:PASSWORD@HOST:PORT,HOST:PORT/VHOST, or amqps, with / ? # @ %% in names and password written as %%2F %%3F %%23 %%40 %%25", queue.ErrInvalid, reason)
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || scheme != "amqp" && scheme != "amqps" {
		return bad("it does not begin with amqp:// or amqps://")
	}
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	at := strings.LastIndex(authority, "@") + 1
	if strings.Contains(path, "@") {
		return bad("there is an @ behind the host")
	}
	var addresses []string
	for host := range strings.SplitSeq(authority[at:], ",") {
		one := scheme + "://" + authority[:at] + host + path
		if _, err := amqp.ParseURI(one); err != nil || host == "" && strings.Contains(authority, ",") {
			return bad("it cannot be read")
		}
		addresses = append(addresses, one)
	}
	return addresses, nil
}
