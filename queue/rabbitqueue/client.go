package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
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
	Close() error
}

// channel is what is used of *amqp.Channel.
type channel interface {
	ExchangeDeclare(name, kind string, durable, autoDelete, internal, noWait bool, args amqp.Table) error
	QueueDeclare(name string, durable, autoDelete, exclusive, noWait bool, args amqp.Table) (amqp.Queue, error)
	QueueDeclarePassive(name string, durable, autoDelete, exclusive, noWait bool, args amqp.Table) (amqp.Queue, error)
	QueueBind(name, key, exchange string, noWait bool, args amqp.Table) error

	Confirm(noWait bool) error
	NotifyPublish(chan amqp.Confirmation) chan amqp.Confirmation
	NotifyReturn(chan amqp.Return) chan amqp.Return
	NotifyClose(chan *amqp.Error) chan *amqp.Error
	PublishWithContext(ctx context.Context, exchange, key string, mandatory, immediate bool, m amqp.Publishing) error

	Qos(count, size int, global bool) error
	Consume(queue, consumer string, autoAck, exclusive, noLocal, noWait bool, args amqp.Table) (<-chan amqp.Delivery, error)
	Cancel(consumer string, noWait bool) error
	Get(queue string, autoAck bool) (amqp.Delivery, bool, error)
	Ack(tag uint64, multiple bool) error
	Nack(tag uint64, multiple, requeue bool) error
	Reject(tag uint64, requeue bool) error
	IsClosed() bool
	Close() error
}

// server is the connection to a real one.
type server struct{ *amqp.Connection }

func (s server) Channel() (channel, error) { return s.Connection.Channel() }

// Close gives a server that does not answer little time.
func (s server) Close() error { return s.CloseDeadline(time.Now().Add(closeTimeout)) }

const (
	dialTimeout  = 15 * time.Second
	closeTimeout = 5 * time.Second
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
		var bad *url.Error
		if errors.As(err, &bad) {
			err = fmt.Errorf("%w URL: %w", queue.ErrInvalid, bad.Err) // without the password in it
		}
		return nil, errors.Join(err, ctx.Err())
	}
	return server{conn}, nil
}
