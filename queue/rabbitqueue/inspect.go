package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// channels are those that wait for the next call. The one used last goes
// first: the server does what comes through one channel in order, so a call
// finds what the call before has put back.
type channels struct {
	mu   sync.Mutex
	free []inspector
}

// inspector is a channel for looking at queues.
type inspector struct {
	conn connection
	ch   channel
}

const maxIdle = 4

// inspector returns a channel, which the caller gives back or closes.
func (b *Broker) inspector(ctx context.Context) (inspector, error) {
	conn, err := b.consuming.get(ctx)
	if err != nil {
		return inspector{}, err
	}
	b.idle.mu.Lock()
	for n := len(b.idle.free); n > 0; n = len(b.idle.free) {
		i := b.idle.free[n-1]
		b.idle.free = b.idle.free[:n-1]
		if i.conn == conn && !i.ch.IsClosed() {
			b.idle.mu.Unlock()
			return i, nil
		}
	}
	b.idle.mu.Unlock()
	ch, err := conn.Channel()
	return inspector{conn, ch}, err
}

// release gives back a channel that is as it was.
func (b *Broker) release(i inspector) {
	b.idle.mu.Lock()
	if len(b.idle.free) < maxIdle && !i.ch.IsClosed() {
		b.idle.free = append(b.idle.free, i)
		b.idle.mu.Unlock()
		return
	}
	b.idle.mu.Unlock()
	_ = i.ch.Close()
}

// Depth implements part of [queue.Inspector]. The counts are taken one after
// another, so a message that moves meanwhile may be missed or counted twice.
func (b *Broker) Depth(ctx context.Context, name string) (queue.Depth, error) {
	if err := b.known(ctx, name); err != nil {
		return queue.Depth{}, err
	}
	for tries := 0; ; tries++ {
		depth, err := b.depth(ctx, name)
		if err == nil || tries > 0 || !errors.Is(err, amqp.ErrClosed) {
			return depth, err
		}
		pause(ctx, firstDelay) // the connection broke, and get may not know yet
	}
}

func (b *Broker) depth(ctx context.Context, name string) (queue.Depth, error) {
	var depth queue.Depth
	err := b.await(ctx, func() error {
		i, err := b.inspector(ctx)
		if err != nil {
			return err
		}
		defer b.release(i)
		var d queue.Depth
		if d.Ready, err = count(i.ch, name); err != nil {
			return err
		}
		for _, retry := range retryQueues(name) {
			n, err := count(i.ch, retry)
			if err != nil {
				return err
			}
			d.Delayed += n
		}
		dead, err := i.ch.QueueDeclarePassive(queue.DeadQueue(name), true, false, false, false, nil)
		if err != nil {
			return err
		}
		d.Dead, d.Reading = dead.Messages, dead.Consumers > 0
		depth = d
		return nil
	})
	if err != nil {
		return queue.Depth{}, fmt.Errorf("depth of queue %s: %w", name, err)
	}
	return depth, nil
}

func count(ch channel, name string) (int, error) {
	q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
	return q.Messages, err
}
