package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

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
		if d.Dead, err = count(i.ch, queue.DeadQueue(name)); err != nil {
			return err
		}
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

// fate is what becomes of a dead letter that was looked at.
type fate int

const (
	stays fate = iota
	goes
	staysLast // and so do all others, unseen
)

// walk looks at the dead letters of a queue that there are now, oldest first.
// It takes out of the queue all of them, to put back those that stay in their
// order.
func (b *Broker) walk(ctx context.Context, name string, look func(*amqp.Delivery) (fate, error)) (err error) {
	if err := b.known(ctx, name); err != nil {
		return err
	}
	i, err := b.inspector(ctx)
	if err != nil {
		return err
	}
	dead := queue.DeadQueue(name)
	var kept uint64 // the last one that stays
	keeping, left := 0, 0
	defer func() {
		if errors.Is(err, errLeft) {
			go func() { _ = i.ch.Close() }() // which puts back all
			return
		}
		// Those not looked at go behind the others if they are not taken, too.
		for ; left > 0 && kept > 0; left-- {
			d, ok, getErr := i.ch.Get(dead, false)
			if getErr != nil || !ok {
				break
			}
			kept = d.DeliveryTag
			keeping++
		}
		if kept > 0 {
			err = errors.Join(err, i.ch.Nack(kept, true, true))
			awaitBack(ctx, i.ch, dead, keeping)
		}
		b.release(i)
	}()
	err = b.await(ctx, func() error {
		n, err := count(i.ch, dead)
		left = n
		return err
	})
	for err == nil && left > 0 {
		var d amqp.Delivery
		ok := false
		err = b.await(ctx, func() error {
			got, has, err := i.ch.Get(dead, false)
			d, ok = got, has
			return err
		})
		if err != nil || !ok {
			break
		}
		left--
		var f fate
		f, err = look(&d)
		if f == goes {
			err = errors.Join(err, i.ch.Ack(d.DeliveryTag, false))
			continue
		}
		kept = d.DeliveryTag
		keeping++
		if f == staysLast {
			break
		}
	}
	return err
}

// awaitBack waits for a moment until the server counts what was put back, so
// that the next call finds it. Others may take it at once.
func awaitBack(ctx context.Context, ch channel, name string, n int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	for {
		if got, err := count(ch, name); err != nil || got >= n || !pause(ctx, time.Millisecond) {
			return
		}
	}
}

// DeadLetters implements part of [queue.Inspector]. It yields those that there
// were when the loop began.
func (b *Broker) DeadLetters(ctx context.Context, name string) iter.Seq2[queue.DeadLetter, error] {
	return func(yield func(queue.DeadLetter, error) bool) {
		more := true
		err := b.walk(ctx, name, func(d *amqp.Delivery) (fate, error) {
			if more = yield(b.letter(name, d), nil); !more {
				return staysLast, nil
			}
			return stays, nil
		})
		if err != nil && more {
			yield(queue.DeadLetter{}, err)
		}
	}
}

// Replay implements part of [queue.Inspector].
func (b *Broker) Replay(ctx context.Context, name string, ids ...string) (int, error) {
	n, err := b.pick(ctx, name, ids, func(d *amqp.Delivery) error {
		p, err := newPublishing(queue.NewDeadLetter(name, b.message(d)).Message, 0)
		if err != nil {
			return err
		}
		return b.send(ctx, "", name, p)
	})
	if err != nil {
		return n, fmt.Errorf("replay to queue %s: %w", name, err)
	}
	return n, nil
}

// Drop implements part of [queue.Inspector].
func (b *Broker) Drop(ctx context.Context, name string, ids ...string) (int, error) {
	n, err := b.pick(ctx, name, ids, func(*amqp.Delivery) error { return nil })
	if err != nil {
		return n, fmt.Errorf("drop from queue %s: %w", name, err)
	}
	return n, nil
}

// pick removes the dead letters with one of the ids, each when act has
// succeeded, and counts them.
func (b *Broker) pick(ctx context.Context, name string, ids []string, act func(*amqp.Delivery) error) (int, error) {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	n := 0
	err := b.walk(ctx, name, func(d *amqp.Delivery) (fate, error) {
		if !wanted[b.message(d).ID] {
			return stays, nil
		}
		if err := act(d); err != nil {
			return staysLast, err
		}
		n++
		return goes, nil
	})
	return n, err
}
