// Package queue moves messages, which are bytes with a name, from publishers
// to handlers, and loses none on the way. Backends hold the messages; this
// package holds everything that must not differ between them: workers,
// attempts, retries, panics and shutdown.
//
//	broker := memqueue.New(nil)
//	err := broker.Publish(ctx, queue.Message{Key: queue.KeyChunk, Body: body})
//	err = queue.Consume(ctx, broker, queue.QueueDatabase, handle, nil)
//
// Start with [Message] and [Broker], with [Consume] and [Handler] for a consumer, with
// [Permanent] and [RetryPolicy] for what becomes of errors, and with [DeadLetterBox] for
// messages that were given up.
//
// # Guarantees
//
// Publish returns nil when the broker safely holds the message, and not
// before. A message that no queue is bound to is refused with [ErrUnroutable];
// none is dropped in silence, and a full broker makes publishers wait.
//
// Delivery is at least once. The handler's returned error settles a delivery:
// nil is done, an error marked by [Permanent] makes it a dead letter at once,
// any other error has it delivered again after a growing delay
// ([RetryPolicy]) until it becomes a dead letter, with the reason in its
// headers. A panic is such an error. The acknowledgement comes last: when a
// process ends before its handler returned, the message is delivered again. So
// handlers must do the same work twice without harm; [Message].ID, which is
// the same for the same bytes, helps them.
//
// Order is that of publishing as long as there is one publisher, one worker
// and no failure. A retried message comes after those published meanwhile.
//
// Messages carry the trace that they were published in, by the headers of W3C
// Trace Context: a handler's ctx belongs to it in every attempt
// and after a replay, as do the messages that the handler publishes with that
// ctx. It is no part of a message's ID.
//
// Dead letters stay until they are replayed or dropped ([DeadLetterBox]). A
// broker that takes no messages says why: in the error of Publish, and when it is
// asked ([Inspector]).
//
// Messages do not belong to the broker alone: nobody may change the Body or
// the Headers of one after it was published or delivered.
//
// # Errors
//
// [ErrClosed], [ErrUnroutable], [ErrUnknownQueue], [ErrInvalid], [ErrSettled]
// and [ErrDrain], to be tested by errors.Is; each method says which it
// returns. A handler's panic is a [*PanicError]; [*PartialError] and
// [*BlockedError] say how much was found and why nothing is taken.
//
// # See also
//
// Package memqueue holds messages in the process. Package queuetest is the
// suite that every [Broker] passes.
package queue
