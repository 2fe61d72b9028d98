// Package rabbitqueue is a [queue.Broker] on RabbitMQ 3.10 or later: for a
// platform of several processes, whose messages outlive each of them.
//
//	broker, err := rabbitqueue.Open(ctx, "amqp://guest:guest@localhost/", nil)
//	defer broker.Close()
//	err = queue.Consume(ctx, broker, queue.QueueDatabase, handle, nil)
//
// Start with [Open], of one address or several.
//
// # Guarantees
//
// Everything that package queue promises, apart from a bound: a queue holds
// what the server has room for, and a server that is short of memory or disk
// makes publishers wait. Messages are persistent and queues are quorum queues,
// so that nothing is lost while a majority of the server's nodes has its disks,
// killed or stopped. Each hop of a message, from a queue to its retries and back
// or to its dead letters, is confirmed before the message leaves where it was; a
// failure in between makes two of it, never none.
//
// One thing must be left alone: a queue that somebody deletes and makes again
// within two seconds may be down when the server crashes right after. Its
// messages are on disk and can be brought back, and none is confirmed meanwhile.
// The broker, when it finds its topology deleted, waits so long before it
// declares it anew.
//
// Publish returns when the server has confirmed. Calls at the same time share
// few channels and wait for their confirms together, so many publishers cost
// little more than one. While the server is away or blocks publishers, Publish
// waits, up to Options.PublishTimeout, and its error says why in vain: by a
// *queue.BlockedError when the server is short of memory or disk, or a queue is
// full that refuses more (overflow reject-publish). Blocked asks the server by a
// message that goes nowhere. That a queue is full, it knows from the last message
// for it, for a minute.
//
// Broken connections are made again, with growing delays, and subscriptions go
// on; deliveries that were unsettled come again, and settling them returns
// queue.ErrSettled. A verdict of Done is sent but not confirmed, for the
// protocol has no confirm of it: when the connection breaks at that moment, the
// message comes again although Settle returned nil.
//
// Beside each queue there are its dead letters (queue.DeadQueue), and its
// retries in three queues by their delay: up to 10 seconds
// (queue.RetryQueue), up to 1 minute (the same and ".1m") and longer (the same
// and ".long"). A retry comes no sooner than its delay, and waits for those of
// the same queue that are ahead, so no longer than the longest of them. Delays
// end after 49 days.
//
// The server sends messages ahead: a subscription that has room for a message
// may hold it although nobody calls Next. Closing the subscription gives it
// back. Servers before 4.3 count this in Received.Redelivered, as a delivery
// without a verdict; later ones do not.
//
// The server makes a dead letter of what comes back more often than
// Options.DeliveryLimit, which matters only when processes keep dying: Consume
// looks at its own, lower limit first.
//
// Dead letters are read by consuming, some 16 MiB of them at a time (64 at first), and are out
// of sight until the loop ends, when they go back in their order, as they do
// when the program is killed. Other readers through this package, in whatever
// process, wait up to 10 seconds for their turn. A call that others kept from
// some of them, as a consumer of the queue queue.DeadQueue by another program,
// says so by a *queue.PartialError.
//
// Open declares exchange and queues, and leaves them as they are when they are
// there. The server refuses this when they were made with other options, as by
// another DeliveryLimit. Bindings that a topology no longer has stay until
// somebody removes them.
//
// A Broker is safe for concurrent use.
//
// # Errors
//
// Those of package queue, and ctx's. A header that makes the message longer
// than a frame of the protocol, or whose name begins with "x-egrid-own-", is
// queue.ErrInvalid. Anything else is the server's, an *amqp.Error.
//
// # See also
//
// Package queue says what a broker is; package memqueue is the one without a
// server; package queuetest holds both to it.
package rabbitqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// Options adjusts a broker. The zero value of every field means its default.
type Options struct {
	// Topology says which keys go to which queues; default
	// queue.DefaultTopology(). Names of queues have at most 244 bytes.
	Topology queue.Topology
	// PublishTimeout is how long a publisher waits for the server, beside what
	// its ctx allows; default 1 minute, negative is without limit.
	PublishTimeout time.Duration
	// Channels is how many channels the publishers share; default 4.
	Channels int
	// DeliveryLimit is how often a message may come back to its queue without
	// a verdict before the server makes a dead letter of it; default 50.
	// Queues that exist keep theirs, and Open fails when it is another one.
	DeliveryLimit int
	// Name is what the server shows of the connections; default "egrid".
	Name string
	// Logger is told of lost connections (warning) and of new ones
	// (information); default none.
	Logger *slog.Logger
}

// Broker holds messages in a RabbitMQ server. Make one with Open, and close it.
type Broker struct {
	o    Options
	log  *slog.Logger
	dial dialer

	// Two connections, because the server stops reading from one that
	// publishes when it is short of memory.
	publishing, consuming *link
	jobs                  chan *job
	idle                  channels
	full                  refusals
	reading               map[string]chan struct{} // by queue: has room for the one who reads its dead letters
	turnTimeout           time.Duration            // how long others wait for their turn

	done     <-chan struct{} // closed by Close
	end      func()
	working  sync.WaitGroup
	mu       sync.Mutex     // held to end, and to begin a subscription
	attended sync.WaitGroup // subscriptions
}

var _ queue.Broker = (*Broker)(nil)

// Open connects to a server and declares the topology. url is as
// amqp://user:password@host:port/vhost, or amqps. A cluster has several hosts,
// as amqp://user:password@a:5672,b:5672/vhost: a connection that is made, or made
// again, goes to the host that answered last, and else to the others in turn. ctx
// bounds the call alone.
//
// It returns queue.ErrInvalid for a URL that cannot be read or a topology that no
// server can have, the errors of the connections, or ctx's. None of them quotes
// the user or the password.
func Open(ctx context.Context, url string, o *Options) (*Broker, error) {
	var options Options
	if o != nil {
		options = *o
	}
	addresses, err := parseServers(url)
	if err != nil {
		return nil, err
	}
	nodes := &servers{addresses: addresses, dial: dialServer}
	return open(ctx, nodes.connect, options)
}

func open(ctx context.Context, dial dialer, o Options) (*Broker, error) {
	b := &Broker{o: o, dial: dial, jobs: make(chan *job), reading: map[string]chan struct{}{}, turnTimeout: 10 * time.Second}
	if err := b.complete(); err != nil {
		return nil, err
	}
	for _, name := range b.o.Topology.Queues() {
		b.reading[name] = make(chan struct{}, 1)
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	b.done, b.end = life.Done(), end
	b.publishing = newLink(b, "publishing", b.declare)
	b.consuming = newLink(b, "consuming", nil)
	links := []*link{b.publishing, b.consuming}
	var conns []connection
	for _, l := range links {
		conn, err := l.connect(ctx)
		if err != nil {
			end()
			for _, c := range conns {
				_ = c.Close(closeTimeout)
			}
			return nil, fmt.Errorf("open broker: %w", err)
		}
		conns = append(conns, conn)
	}
	for i, l := range links {
		b.working.Go(func() { l.keep(life, conns[i]) })
	}
	for range b.o.Channels {
		b.working.Go(func() { b.serve(life) })
	}
	return b, nil
}

func (b *Broker) complete() error {
	if b.o.Topology.Exchange == "" && b.o.Topology.Bindings == nil {
		b.o.Topology = queue.DefaultTopology()
	}
	b.o.Topology.Bindings = slices.Clone(b.o.Topology.Bindings)
	if err := b.o.Topology.Validate(); err != nil {
		return err
	}
	if err := validNames(b.o.Topology); err != nil {
		return err
	}
	if b.o.PublishTimeout == 0 {
		b.o.PublishTimeout = time.Minute
	}
	if b.o.Channels <= 0 {
		b.o.Channels = 4
	}
	if b.o.DeliveryLimit <= 0 {
		b.o.DeliveryLimit = 50
	}
	if b.o.Name == "" {
		b.o.Name = "egrid"
	}
	b.log = b.o.Logger
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Close implements part of [queue.Broker]. Messages that were not settled are
// delivered again, by another broker. A publisher whose confirm has not come
// gets ErrClosed, and the server may have its message.
func (b *Broker) Close() error {
	b.mu.Lock()
	b.end()
	b.mu.Unlock()
	b.attended.Wait()
	b.working.Wait()
	return nil
}

// alive returns the error of a call that may not be made any more.
func (b *Broker) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.isDone() {
		return queue.ErrClosed
	}
	return nil
}

func (b *Broker) isDone() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// known checks the name of a queue, for a call that may still be made.
func (b *Broker) known(ctx context.Context, name string) error {
	if err := b.alive(ctx); err != nil {
		return err
	}
	if !slices.Contains(b.o.Topology.Queues(), name) {
		return fmt.Errorf("%w: %s", queue.ErrUnknownQueue, name)
	}
	return nil
}

// await runs a call of the client library, which knows no ctx. When ctx ends
// first the call is left behind: its channel must not be used again.
func (b *Broker) await(ctx context.Context, call func() error) error {
	if err := b.alive(ctx); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- call() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return errors.Join(errLeft, ctx.Err())
	case <-b.done:
		return errors.Join(errLeft, queue.ErrClosed)
	}
}

// errLeft marks a call that was left behind.
var errLeft = errors.New("the server did not answer in time")

// pause waits before another try, and reports whether to make it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
