package queue

import (
	"errors"
	"fmt"
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
