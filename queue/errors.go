package queue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The errors that callers decide by. They come wrapped, with what they are
// about.
var (
	// ErrClosed says that the broker or the subscription was closed.
	ErrClosed = errors.New("queue: closed")
	// ErrUnroutable says that no queue is bound to the message's key. The
	// broker did not take the message.
	ErrUnroutable = errors.New("queue: no queue is bound to the key")
	// ErrUnknownQueue says that the topology has no queue of this name.
	ErrUnknownQueue = errors.New("queue: unknown queue")
	// ErrInvalid says that an argument can never be accepted.
	ErrInvalid = errors.New("queue: invalid")
	// ErrSettled says that the delivery is not this subscription's to settle:
	// it was settled before, or went back to the queue.
	ErrSettled = errors.New("queue: delivery already settled or given back")
	// ErrDrain says that Consume ended before all of its handlers had. Their
	// messages are delivered again.
	ErrDrain = errors.New("queue: handlers did not finish in time")
)

// Permanent marks err as one that no retry can cure: a handler that returns it
// has its message made a dead letter at once. The mark survives wrapping, and
// errors.Is and errors.As see through it. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err, or an error it wraps, was marked by
// [Permanent].
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// PartialError says that a call of a [DeadLetterBox] did not find all dead
// letters, because others were reading them at the same time.
type PartialError struct {
	Queue string
	Seen  int // dead letters that the call found
	// Total is how many there are, or 0 where the broker cannot tell because
	// the others were first.
	Total int
}

// Error says how many of how many were found, and what to do.
func (e *PartialError) Error() string {
	found := fmt.Sprintf("%d of %d", e.Seen, e.Total)
	if e.Total <= e.Seen {
		found = fmt.Sprintf("%d and not all", e.Seen)
	}
	return fmt.Sprintf("queue: found %s of the dead letters of %s: others are looking at the rest; try again when they have ended", found, e.Queue)
}

// BlockReason is why a broker takes no messages.
type BlockReason string

// The reasons.
const (
	BlockedByMemory BlockReason = "memory"     // the server is short of memory
	BlockedByDisk   BlockReason = "disk"       // the server is short of disk space
	BlockedByQueue  BlockReason = "queue_full" // a queue holds as much as it may
	BlockedByOther  BlockReason = "other"      // Detail says what it is
)

// BlockReasons returns all reasons.
func BlockReasons() []BlockReason {
	return []BlockReason{BlockedByMemory, BlockedByDisk, BlockedByQueue, BlockedByOther}
}

// BlockedError says why a broker takes no messages.
type BlockedError struct {
	Reasons []BlockReason // at least one
	Detail  string        // in the broker's words, or the names of the full queues
}

// Error says why, and what mends it.
func (e *BlockedError) Error() string {
	var remedies []string
	for _, r := range e.Reasons {
		remedies = append(remedies, map[BlockReason]string{
			BlockedByMemory: "give the server more memory, or let consumers empty its queues",
			BlockedByDisk:   "free disk space on the server",
			BlockedByQueue:  "start consumers of the queue, or raise its limit",
			BlockedByOther:  "see the server's log",
		}[r])
	}
	return fmt.Sprintf("queue: the broker takes no messages (%s): %s", e.Detail, strings.Join(remedies, "; "))
}

// Has reports whether this is one of the reasons.
func (e *BlockedError) Has(r BlockReason) bool { return slices.Contains(e.Reasons, r) }

// PanicError is the error that a panic in a handler is turned into. It is
// retried like any other error: what a panic was caused by is not known.
type PanicError struct {
	Value any    // what panic was called with; nil when the handler called runtime.Goexit
	Stack []byte // of the handler's goroutine
}

// Error says what the handler panicked with, without the stack.
func (e *PanicError) Error() string {
	if e.Value == nil {
		return "handler ended its goroutine without returning"
	}
	return fmt.Sprintf("panic: %v", e.Value)
}
