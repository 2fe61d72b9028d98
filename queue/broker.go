package queue

import (
	"context"
	"iter"
	"time"
)

// Broker holds messages between those who publish and those who consume them.
// It is every role at once, for whoever opens one; functions ask for the roles
// that they need. All methods are safe for concurrent use.
type Broker interface {
	Publisher
	Subscriber
	Inspector
	DeadLetterBox

	// Close ends all subscriptions and every call that waits, with ErrClosed;
	// all later calls return ErrClosed too. What becomes of messages that
	// were not settled is the broker's to say. Closing twice is no error.
	Close() error
}

// Publisher takes messages.
type Publisher interface {
	// Publish hands over a message, and returns nil when the broker safely
	// holds it in every queue that it is routed to. While one of these
	// queues is full it waits. After an error the message may be held
	// nevertheless, if the error is not one of ErrInvalid, ErrUnroutable or
	// ErrClosed: publishing the same message again is right, and gives it
	// the same ID. The message is of the trace that ctx belongs to.
	//
	// It returns ErrInvalid for a message that breaks a limit, ErrUnroutable
	// for one that no queue is bound to, ErrClosed, or ctx's error, which comes
	// with a *BlockedError when the broker took no messages meanwhile.
	Publish(ctx context.Context, m Message) error
}

// Subscriber delivers messages. Users call [Consume], which calls this.
type Subscriber interface {
	// Subscribe begins to receive from a queue. At most prefetch deliveries
	// of the subscription are unsettled at any time. The caller closes the
	// subscription. ctx bounds the call alone.
	//
	// It returns ErrUnknownQueue, ErrInvalid for a prefetch below 1,
	// ErrClosed, or ctx's error.
	Subscribe(ctx context.Context, queue string, prefetch int) (Subscription, error)
}

// Subscription is one consumer of a queue. Its methods are safe for concurrent
// use. A broker that lost its connection restores it inside of these methods.
type Subscription interface {
	// Next waits for a message. No message goes to two callers at a time: it
	// comes again when it was settled as Retry, or not settled at all.
	//
	// It returns ErrClosed once the subscription or the broker is closed,
	// ctx's error, or an error that calling again cannot cure.
	Next(ctx context.Context) (Received, error)
	// Close gives all unsettled deliveries back to the queue, to be delivered
	// again at once. Closing twice is no error.
	Close() error
}

// Received is a message that a subscription received and that waits for its
// verdict.
type Received struct {
	// Message is as it was published and normalized, except for the headers
	// when it was settled as Retry before.
	Message Message
	// Redelivered says how many times the message was delivered and not
	// settled, since it was published or last settled as Retry.
	Redelivered int
	// Settle says what becomes of the message, and returns nil when the broker
	// has done so. It takes effect once: later calls return ErrSettled, as
	// does one after the message went back to the queue. After ctx's error,
	// or another that is context.DeadlineExceeded, the delivery is still the
	// caller's, to be settled again. After any other, and when it never is,
	// the message is delivered again.
	Settle func(ctx context.Context, v Verdict) error
}

// Verdict is what becomes of a received message.
type Verdict struct {
	Outcome Outcome
	// Headers take the place of the message's, when it is kept: by Retry and
	// by Dead. The broker does not change them.
	Headers map[string]string
	// Delay is the least time until a message settled as Retry is delivered
	// again. A broker may take longer, as long as messages of a longer delay
	// are ahead.
	Delay time.Duration
}

// Outcome is the kind of a verdict.
type Outcome string

// The outcomes.
const (
	Done  Outcome = "done"  // the broker forgets the message
	Retry Outcome = "retry" // it delivers the message again, later
	Dead  Outcome = "dead"  // it keeps the message as a dead letter

	// Unsettled is in an Event only: there was no verdict, or it did not reach
	// the broker. The message is delivered again.
	Unsettled Outcome = "unsettled"
)

// Inspector shows how much a broker holds, and whether it takes more.
type Inspector interface {
	// Depth counts the messages of a queue. It returns ErrUnknownQueue,
	// ErrClosed, or ctx's error.
	Depth(ctx context.Context, queue string) (Depth, error)
	// Blocked returns nil while the broker takes messages, and a *BlockedError
	// while publishers have to wait for it. It returns ErrClosed or ctx's error
	// when it cannot tell.
	Blocked(ctx context.Context) error
}

// DeadLetterBox is what was given up, and its repair. Beside what they say, the
// methods return ErrUnknownQueue, ErrClosed, or ctx's error.
//
// A broker may show each dead letter to one reader at a time. Then the others
// wait for their turn, for a limited time. A call that did not find all dead
// letters, since others read them, too, did its work on those that it found and
// returns a *PartialError.
type DeadLetterBox interface {
	// DeadLetters yields the dead letters of a queue that there are when the
	// loop begins, oldest first, each as soon as it was read, and leaves them
	// there. It holds few of them in memory. An error ends the sequence. While a
	// caller iterates, the dead letters may be out of sight for others: Replay
	// and Drop come after the loop.
	DeadLetters(ctx context.Context, queue string) iter.Seq2[DeadLetter, error]
	// Replay puts dead letters back into their queue, and only there, as if
	// they had just been published: with no attempt behind them. It waits as
	// Publish does. Every dead letter with one of the ids is replayed; ids of
	// none are passed over, and no ids replay nothing. It returns how many it
	// replayed, also beside an error; none of them is ever lost.
	Replay(ctx context.Context, queue string, ids ...string) (int, error)
	// Drop forgets dead letters, chosen and counted as by Replay.
	Drop(ctx context.Context, queue string, ids ...string) (int, error)
}

// Depth counts the messages of a queue. Those that a consumer has received and
// not settled are in none of the counts.
type Depth struct {
	Ready   int // may be delivered now
	Delayed int // wait for their next attempt
	Dead    int // dead letters
	// Reading says that somebody reads the dead letters at the moment. Dead is
	// without those that the reader holds, then, and says little.
	Reading bool
}
