// Package memqueue is a [queue.Broker] that holds its messages in the process:
// for programs that are the whole platform in one, for tests, and for trying
// things out.
//
//	broker := memqueue.New(nil)
//	defer broker.Close()
//	err := queue.Consume(ctx, broker, queue.QueueDatabase, handle, nil)
//
// Start with [New].
//
// # Guarantees
//
// Everything that package queue promises, in the order in which messages were
// published. Messages live as long as the process and the broker do; Close
// forgets them.
//
// Each queue is bounded, by messages and by bytes. A publisher to a full queue
// waits, first come first served, and a message for several queues enters all
// of them at once. What a consumer has received, and what waits for its next
// attempt, keeps its place until it is done or dead. So a handler that
// publishes to the queue it consumes can come to wait for itself: give Publish
// a ctx that ends.
//
// A retry comes at its time, whatever else is waiting. Dead letters have
// no bound unless Options sets one.
//
// A Broker starts no goroutines, apart from those of timers as they fire. It
// is safe for concurrent use. Bodies are kept, not copied.
//
// # Errors
//
// Those of package queue, and ctx's.
//
// # See also
//
// Package queue says what a broker is; package queuetest holds this one to it.
package memqueue

import (
	"container/list"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/queue"
)

// Options adjusts a broker. The zero value of every field means its default.
type Options struct {
	// Topology says which keys go to which queues; default
	// queue.DefaultTopology(). It must be valid.
	Topology queue.Topology
	// MaxMessages is how many messages each queue holds, dead letters not
	// counted; default 1,024.
	MaxMessages int
	// MaxBytes is how long the bodies of a queue's messages are together, dead
	// letters not counted; default 64 MiB. An empty queue takes any message.
	MaxBytes int64
	// MaxDeadLetters is how many dead letters each queue keeps; default all.
	// Beyond it the oldest is dropped, and the Logger is told.
	MaxDeadLetters int
	// Logger is told of dropped dead letters (error); default none.
	Logger *slog.Logger
}

// Broker holds messages in memory. Make one with New.
type Broker struct {
	o   Options
	log *slog.Logger

	mu         sync.Mutex
	closed     bool
	last       uint64 // number given to an item
	lines      map[string]*line
	publishers list.List // of *entry: messages that wait for room, in order
}

var _ queue.Broker = (*Broker)(nil)

// line is one queue.
type line struct {
	name    string
	held    int   // messages with a place: ready, delayed or received
	bytes   int64 // length of their bodies
	ready   list.List
	waiting list.List // of *wait: callers of Next, in order
	delayed map[*item]*time.Timer
	dead    list.List // of *item, oldest first

	replays int // calls of Replay under way
	away    int // dead letters that they hold
}

// item is a message with a place in a line, or a dead letter.
type item struct {
	message     queue.Message
	number      uint64 // in order of becoming ready for the first time, or of dying
	redelivered int
}

// entry is a message that waits for room in all of its lines.
type entry struct {
	message  queue.Message
	lines    []*line
	admitted chan struct{} // closed when it has got its places, or the broker was closed
	err      error         // read after admitted is closed
}

// New returns an empty broker. It panics when the topology is invalid, which
// is a mistake in the program.
func New(o *Options) *Broker {
	b := &Broker{lines: map[string]*line{}}
	if o != nil {
		b.o = *o
	}
	if b.o.Topology.Exchange == "" && b.o.Topology.Bindings == nil {
		b.o.Topology = queue.DefaultTopology()
	}
	if err := b.o.Topology.Validate(); err != nil {
		panic(err)
	}
	b.o.Topology.Bindings = slices.Clone(b.o.Topology.Bindings)
	if b.o.MaxMessages <= 0 {
		b.o.MaxMessages = 1024
	}
	if b.o.MaxBytes <= 0 {
		b.o.MaxBytes = 64 << 20
	}
	b.log = b.o.Logger
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	for _, name := range b.o.Topology.Queues() {
		b.lines[name] = &line{name: name, delayed: map[*item]*time.Timer{}}
	}
	return b
}

// Publish implements [queue.Publisher].
func (b *Broker) Publish(ctx context.Context, m queue.Message) error {
	m, err := m.Normalize(ctx)
	if err != nil {
		return err
	}
	names := b.o.Topology.Route(m.Key)
	if len(names) == 0 {
		return fmt.Errorf("%w: %s", queue.ErrUnroutable, m.Key)
	}
	lines := make([]*line, len(names))
	for i, name := range names {
		lines[i] = b.lines[name]
	}
	if err := b.enter(ctx, m, lines); err != nil {
		return fmt.Errorf("publish %s: %w", m.Key, err)
	}
	return nil
}

// enter gives the message a place in all of the lines, when there is room.
func (b *Broker) enter(ctx context.Context, m queue.Message, lines []*line) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return queue.ErrClosed
	}
	if b.publishers.Len() == 0 && b.room(m, lines) {
		b.put(m, lines)
		b.mu.Unlock()
		return nil
	}
	e := &entry{message: m, lines: lines, admitted: make(chan struct{})}
	element := b.publishers.PushBack(e)
	b.admit()
	b.mu.Unlock()

	select {
	case <-e.admitted:
		return e.err
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-e.admitted: // meanwhile
		return e.err
	default:
	}
	full := b.full(lines)
	b.publishers.Remove(element)
	b.admit() // those behind it may fit
	return fmt.Errorf("%w: %w", ctx.Err(), full)
}

// full says that publishers wait for room in these lines.
func (b *Broker) full(lines []*line) error {
	var names []string
	for _, l := range lines {
		names = append(names, l.name)
	}
	slices.Sort(names)
	return &queue.BlockedError{Reasons: []queue.BlockReason{queue.BlockedByQueue}, Detail: "full: " + strings.Join(slices.Compact(names), ", ")}
}

// room reports whether every line can take the message.
func (b *Broker) room(m queue.Message, lines []*line) bool {
	for _, l := range lines {
		if l.held >= b.o.MaxMessages || l.held > 0 && l.bytes+int64(len(m.Body)) > b.o.MaxBytes {
			return false
		}
	}
	return true
}

func (b *Broker) put(m queue.Message, lines []*line) {
	for _, l := range lines {
		l.held++
		l.bytes += int64(len(m.Body))
		l.makeReady(b, &item{message: m})
		l.dispatch()
	}
}

// makeReady puts an item behind all that are ready.
func (l *line) makeReady(b *Broker, it *item) {
	b.last++
	it.number = b.last
	l.ready.PushBack(it)
}

// admit lets in the waiting publishers for whom there is room. Nobody enters a
// line that someone waits for in front of him.
func (b *Broker) admit() {
	var full []*line
	for element := b.publishers.Front(); element != nil; {
		e, next := element.Value.(*entry), element.Next()
		behind := slices.ContainsFunc(e.lines, func(l *line) bool { return slices.Contains(full, l) })
		if !behind && b.room(e.message, e.lines) {
			b.publishers.Remove(element)
			b.put(e.message, e.lines)
			close(e.admitted)
		} else {
			full = append(full, e.lines...)
		}
		element = next
	}
}

// Depth implements part of [queue.Inspector].
func (b *Broker) Depth(ctx context.Context, name string) (queue.Depth, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.line(ctx, name)
	if err != nil {
		return queue.Depth{}, err
	}
	return queue.Depth{Ready: l.ready.Len(), Delayed: len(l.delayed), Dead: l.dead.Len(), Reading: l.replays > 0}, nil
}

// Blocked implements part of [queue.Inspector]. The broker takes no messages
// while a publisher waits for room.
func (b *Broker) Blocked(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return queue.ErrClosed
	}
	var lines []*line
	for element := b.publishers.Front(); element != nil; element = element.Next() {
		lines = append(lines, element.Value.(*entry).lines...)
	}
	if len(lines) == 0 {
		return nil
	}
	return b.full(lines)
}

// line finds a queue for a call that may still be made.
func (b *Broker) line(ctx context.Context, name string) (*line, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.closed {
		return nil, queue.ErrClosed
	}
	l, ok := b.lines[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", queue.ErrUnknownQueue, name)
	}
	return l, nil
}

// DeadLetters implements part of [queue.DeadLetterBox]. It hides none of them
// from others; those that Replay has in its hands are out of sight.
func (b *Broker) DeadLetters(ctx context.Context, name string) iter.Seq2[queue.DeadLetter, error] {
	return func(yield func(queue.DeadLetter, error) bool) {
		b.mu.Lock()
		l, err := b.line(ctx, name)
		if err != nil {
			b.mu.Unlock()
			yield(queue.DeadLetter{}, err)
			return
		}
		messages := make([]queue.Message, 0, l.dead.Len())
		for e := l.dead.Front(); e != nil; e = e.Next() {
			messages = append(messages, e.Value.(*item).message)
		}
		partial := l.partial(len(messages))
		b.mu.Unlock()
		for _, m := range messages {
			if err := ctx.Err(); err != nil {
				yield(queue.DeadLetter{}, err)
				return
			}
			if !yield(queue.NewDeadLetter(name, m), nil) {
				return
			}
		}
		if partial != nil {
			yield(queue.DeadLetter{}, partial)
		}
	}
}

// partial is the error of a call that found so many dead letters; nil when they
// are all.
func (l *line) partial(seen int) error {
	if l.away == 0 {
		return nil
	}
	return &queue.PartialError{Queue: l.name, Seen: seen, Total: seen + l.away}
}

// Replay implements part of [queue.DeadLetterBox].
func (b *Broker) Replay(ctx context.Context, name string, ids ...string) (int, error) {
	b.mu.Lock()
	l, err := b.line(ctx, name)
	if err != nil {
		b.mu.Unlock()
		return 0, err
	}
	partial := l.partial(l.dead.Len())
	letters := l.takeDead(ids)
	l.replays++
	l.away += len(letters)
	b.mu.Unlock()
	n := 0
	for n < len(letters) && err == nil {
		if err = b.enter(ctx, queue.NewDeadLetter(name, letters[n].message).Message, []*line{l}); err == nil {
			n++
			b.mu.Lock()
			l.away--
			b.mu.Unlock()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l.replays--
	l.away -= len(letters) - n
	l.putBack(letters[n:])
	if err != nil {
		return n, fmt.Errorf("replay to queue %s: %w", name, err)
	}
	return n, partial
}

// Drop implements part of [queue.DeadLetterBox].
func (b *Broker) Drop(ctx context.Context, name string, ids ...string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.line(ctx, name)
	if err != nil {
		return 0, err
	}
	partial := l.partial(l.dead.Len())
	return len(l.takeDead(ids)), partial
}

// takeDead takes out the dead letters with one of the ids, oldest first.
func (l *line) takeDead(ids []string) []*item {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	var taken []*item
	for element := l.dead.Front(); element != nil; {
		next := element.Next()
		if it := element.Value.(*item); wanted[it.message.ID] {
			taken = append(taken, it)
			l.dead.Remove(element)
		}
		element = next
	}
	return taken
}

// putBack puts dead letters back to where takeDead took them out.
func (l *line) putBack(letters []*item) {
	element := l.dead.Front()
	for _, it := range letters {
		for element != nil && element.Value.(*item).number < it.number {
			element = element.Next()
		}
		if element == nil {
			l.dead.PushBack(it)
		} else {
			l.dead.InsertBefore(it, element)
		}
	}
}

// Close implements part of [queue.Broker]. It forgets all messages, dead
// letters included: drain the consumers first.
func (b *Broker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	for element := b.publishers.Front(); element != nil; element = element.Next() {
		e := element.Value.(*entry)
		e.err = queue.ErrClosed
		close(e.admitted)
	}
	b.publishers.Init()
	for _, l := range b.lines {
		for _, timer := range l.delayed {
			timer.Stop()
		}
		clear(l.delayed)
		for element := l.waiting.Front(); element != nil; element = l.waiting.Front() {
			close(l.waiting.Remove(element).(*wait).got)
		}
		l.ready.Init()
		l.dead.Init()
	}
	return nil
}
