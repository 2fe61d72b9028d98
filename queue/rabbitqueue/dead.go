package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// Dead letters are read by consuming, in windows: a channel of its own has as
// many of them on the way as one window holds, and keeps them until the reading
// is over. So a program holds the bodies of one window, the server sends without
// being asked for each, and closing the channels in their order gives back what
// was read in its order, as does the end of the process.
const (
	firstWindow = 64       // dead letters, before it is known how long they are
	mostWindow  = 2000     // dead letters
	windowBytes = 16 << 20 // of bodies, on average
	windows     = 500      // from then on a window grows with what was read: a connection has 2,047 channels

	turnPause = 20 * time.Millisecond  // between looks whether it is this reader's turn
	quiet     = 250 * time.Millisecond // without a dead letter, before others are thought to have the rest
)

// fate is what becomes of a dead letter that was looked at.
type fate int

const (
	stays fate = iota
	goes
	staysLast // and so do all others, unseen
)

// reading is one pass over the dead letters of a queue.
type reading struct {
	b     *Broker
	conn  connection
	name  string    // of the queue
	asks  channel   // for questions
	held  []channel // those of the windows, in order
	total int       // dead letters when it began
	seen  int
	bytes int // of the bodies seen
	ahead int // that the last window has room for

	others bool // somebody holds some who does not wait for turns
}

// walk looks at the dead letters of a queue that there are now, oldest first,
// and gives back those that stay. What it has looked at is out of sight for
// others meanwhile. It returns a *queue.PartialError when others had some.
func (b *Broker) walk(ctx context.Context, name string, look func(*amqp.Delivery) (fate, error)) error {
	if err := b.known(ctx, name); err != nil {
		return err
	}
	conn, err := b.consuming.get(ctx)
	if err != nil {
		return err
	}
	r := &reading{b: b, conn: conn, name: name}
	release, err := r.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.giveBack(ctx)
	err = r.read(ctx, look)
	if err == nil && r.others {
		return &queue.PartialError{Queue: name, Seen: r.seen}
	}
	if errors.Is(err, errNothing) {
		r.others = true
		return &queue.PartialError{Queue: name, Seen: r.seen, Total: r.total}
	}
	if err != nil && r.seen < r.total {
		r.takeRest(ctx)
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// The ends of a reading that are no failures: nothing more comes, although not
// all were seen; look wants no more.
var (
	errNothing = errors.New("no more dead letters")
	errEnough  = errors.New("enough dead letters")
)

// read looks at one window after another.
func (r *reading) read(ctx context.Context, look func(*amqp.Delivery) (fate, error)) error {
	for r.seen < r.total {
		if err := r.window(ctx, look); err != nil {
			return err
		}
	}
	return nil
}

// takeRest takes those that nobody wants to see, for what goes back goes behind
// those that stayed, where these were taken before. It gives up after a while:
// their order is not worth more.
func (r *reading) takeRest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	r.seen += min(r.ahead, r.total-r.seen) // on their way already
	_ = r.read(ctx, func(*amqp.Delivery) (fate, error) { return stays, nil })
}

// turn waits until no other reader of this package is at work, so that each
// finds all of them: in this process, and at the server by a queue that belongs
// to one connection. The server deletes it when the connection ends.
func (r *reading) turn(ctx context.Context) (release func(), err error) {
	patient, cancel := context.WithTimeout(ctx, r.b.turnTimeout)
	defer cancel()
	local := r.b.reading[r.name]
	select {
	case local <- struct{}{}:
	case <-patient.Done():
		return nil, r.notMyTurn(ctx)
	case <-r.b.done:
		return nil, queue.ErrClosed
	}
	for locked := false; ; {
		r.asks, err = hold(patient, r.b, r.lock, r.unlock)
		if err == nil {
			return func() { r.unlock(r.asks); <-local }, nil
		}
		var refused *amqp.Error
		if errors.As(err, &refused) && refused.Code == amqp.ResourceLocked {
			locked = true
			if pause(patient, turnPause) {
				continue
			}
		}
		<-local
		if locked && patient.Err() != nil {
			return nil, r.notMyTurn(ctx)
		}
		return nil, err
	}
}

// notMyTurn is the error of one who waited in vain: ctx's, when it has ended.
func (r *reading) notMyTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return &queue.PartialError{Queue: r.name}
}

func (r *reading) lock() (channel, error) {
	ch, err := r.conn.Channel()
	if err != nil {
		return nil, err
	}
	_, err = ch.QueueDeclare(turnQueue(r.name), false, false, true, false, amqp.Table{"x-queue-type": "classic"})
	return ch, err
}

// unlock lets the next reader in. When it fails, the connection is broken, and
// the lock gone with it.
func (r *reading) unlock(ch channel) {
	r.within(func() {
		if ch.IsClosed() { // a question failed
			var err error
			if ch, err = r.conn.Channel(); err != nil {
				return
			}
		}
		_, _ = ch.QueueDelete(turnQueue(r.name), false, false, false)
		_ = ch.Close()
	})
}

// within runs what the server may never answer, and waits for a while.
func (r *reading) within(call func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		call()
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-r.b.done: // the connection ends, too
	}
}

// hold gets something that must be let go. When ctx ends first, it is let go as
// soon as it is there.
func hold[T any](ctx context.Context, b *Broker, get func() (T, error), letGo func(T)) (T, error) {
	got := make(chan T, 1)
	err := b.await(ctx, func() error {
		defer close(got)
		v, err := get()
		if err == nil {
			got <- v
		}
		return err
	})
	if err == nil {
		return <-got, nil
	}
	if errors.Is(err, errLeft) {
		go func() {
			if v, ok := <-got; ok {
				letGo(v)
			}
		}()
	}
	var none T
	return none, err
}

// ask returns the state of the queue of dead letters.
func (r *reading) ask(ctx context.Context) (amqp.Queue, error) {
	return hold(ctx, r.b, func() (amqp.Queue, error) {
		return r.asks.QueueDeclarePassive(queue.DeadQueue(r.name), true, false, false, false, nil)
	}, func(amqp.Queue) {})
}

// begin counts. It finds out whether there are others, too: the server takes a
// moment to give back what a reader had who has just ended, or was killed.
func (r *reading) begin(ctx context.Context) error {
	for until := time.Now().Add(time.Second); ; {
		q, err := r.ask(ctx)
		if err != nil {
			return err
		}
		r.total, r.others = q.Messages, q.Consumers > 0
		if !r.others || time.Now().After(until) || !pause(ctx, turnPause) {
			return nil
		}
	}
}

// consumed is a channel of dead letters.
type consumed struct {
	ch      channel
	letters <-chan amqp.Delivery
}

// consume begins to take as many dead letters as a window has.
func (r *reading) consume(size int) (consumed, error) {
	ch, err := r.conn.Channel()
	if err != nil {
		return consumed{}, err
	}
	if err = ch.Qos(size, 0, false); err == nil {
		var letters <-chan amqp.Delivery
		if letters, err = ch.Consume(queue.DeadQueue(r.name), consumerTag, false, false, false, false, nil); err == nil {
			return consumed{ch, letters}, nil
		}
	}
	_ = ch.Close()
	return consumed{}, err
}

// size returns how many dead letters the next window has.
func (r *reading) size() int {
	if r.seen == 0 {
		return firstWindow
	}
	fit := windowBytes / (r.bytes/r.seen + 1)
	return max(min(fit, mostWindow), firstWindow, min(r.seen/windows, maxPrefetch))
}

// window looks at the dead letters of one window.
func (r *reading) window(ctx context.Context, look func(*amqp.Delivery) (fate, error)) error {
	size := r.size()
	w, err := hold(ctx, r.b, func() (consumed, error) { return r.consume(size) }, func(w consumed) { _ = w.ch.Close() })
	if err != nil {
		return err
	}
	r.held = append(r.held, w.ch)
	r.ahead = size
	gone := &acks{ch: w.ch, most: size / 2}
	err = r.lookAt(ctx, w.letters, gone, look)
	if ackErr := gone.flush(); ackErr != nil {
		return ackErr
	}
	return err
}

func (r *reading) lookAt(ctx context.Context, letters <-chan amqp.Delivery, gone *acks, look func(*amqp.Delivery) (fate, error)) error {
	for r.ahead > 0 && r.seen < r.total {
		d, err := r.next(ctx, letters)
		if err != nil {
			return err
		}
		r.seen++
		r.ahead--
		r.bytes += len(d.Body)
		f, err := look(&d)
		switch {
		case err != nil:
			return err
		case f == goes:
			r.ahead++
			err = gone.add(d.DeliveryTag)
		case f == staysLast:
			return errEnough
		default:
			err = gone.stay()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// acks are the dead letters of a window that go. The server is told of many at
// once, as long as none before them stays.
type acks struct {
	ch      channel
	most    int // at once, less than the window has
	last    uint64
	pending int
	mixed   bool // one has stayed
}

func (a *acks) add(tag uint64) error {
	a.last = tag
	if a.pending++; a.pending < a.most && !a.mixed {
		return nil
	}
	return a.flush()
}

func (a *acks) stay() error {
	err := a.flush()
	a.mixed = true
	return err
}

func (a *acks) flush() error {
	if a.pending == 0 {
		return nil
	}
	a.pending = 0
	if err := a.ch.Ack(a.last, !a.mixed); err != nil {
		return fmt.Errorf("%w: %w", errReading, err)
	}
	return nil
}

var errReading = errors.New("the connection was lost; dead letters not yet settled are in their queue again")

// next waits for a dead letter. When none comes, and the queue has none twice,
// others have the rest.
func (r *reading) next(ctx context.Context, letters <-chan amqp.Delivery) (amqp.Delivery, error) {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for empty := 0; ; {
		if err := r.b.alive(ctx); err != nil {
			return amqp.Delivery{}, err
		}
		select {
		case d, ok := <-letters:
			if !ok {
				return d, errReading
			}
			return d, nil
		case <-ctx.Done():
		case <-r.b.done:
		case <-timer.C:
			q, err := r.ask(ctx)
			if err != nil {
				return amqp.Delivery{}, err
			}
			if q.Messages > 0 {
				empty = 0
			} else if empty++; empty == 2 {
				return amqp.Delivery{}, errNothing
			}
			timer.Reset(quiet)
		}
	}
}

// giveBack puts back what was read, one window after the other so that it goes
// back in its order: closing a channel returns before the queue knows of it. The
// last window may have room, and must not get again what the others give back.
func (r *reading) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if n := len(r.held); n > 0 {
		r.within(func() { _ = r.held[n-1].Cancel(consumerTag, false) })
	}
	for _, ch := range r.held {
		before, err := r.ask(ctx)
		r.within(func() { _ = ch.Close() }) // fails when the connection is lost, which gives back all
		for err == nil && !r.others {
			var now amqp.Queue
			if now, err = r.ask(ctx); now.Consumers == 0 || now.Consumers < before.Consumers || !pause(ctx, time.Millisecond) {
				break
			}
		}
	}
}

// DeadLetters implements part of [queue.DeadLetterBox]. It yields those that there
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

// Replay implements part of [queue.DeadLetterBox].
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

// Drop implements part of [queue.DeadLetterBox].
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
