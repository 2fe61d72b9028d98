package queue

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Handler does the work of a message. What it returns settles the delivery:
// nil is done, an error marked by [Permanent] is a dead letter at once, any
// other error is a retry. ctx is not the one that ends Consume: it is
// cancelled when the time to drain has passed. It belongs to a span of its own
// in the trace that the message was published in.
type Handler func(ctx context.Context, d Delivery) error

// Delivery is a message on its way through a handler.
type Delivery struct {
	// Message is as it was published. The handler must not change its Body.
	Message Message
	// Queue is where the message was delivered from.
	Queue string
	// Attempt counts the deliveries of the message, this one included. Those
	// that ended without a verdict, as by a crash, count too.
	Attempt int
	// FirstSeen is when the message was first delivered. A first delivery that
	// ended without a verdict leaves no trace.
	FirstSeen time.Time
	// LastError says why the last attempt failed; empty when none has.
	LastError string
}

// DeadLetter is a message that its handler gave up, or that was given up
// because its handler kept failing.
type DeadLetter struct {
	// Message is as it was published.
	Message Message
	// Queue is where the message was delivered from, and is replayed to.
	Queue string
	// Attempts is how many times the message was delivered.
	Attempts int
	// FirstSeen is when it was first delivered, and Died when it became a dead
	// letter.
	FirstSeen, Died time.Time
	// Reason says why the last attempt failed. It is cut after 2 KiB.
	Reason string
	// Stack is that of the last attempt's panic; empty when there was none. It
	// is cut after 8 KiB.
	Stack string
}

// NewDeadLetter reads a message that a verdict of Dead made a dead letter of
// this queue. What the headers do not tell is left zero. Its Message is what a
// replay publishes. It is for brokers.
func NewDeadLetter(queue string, m Message) DeadLetter {
	s := storyOf(m)
	return DeadLetter{Message: withoutStory(m), Queue: queue, Attempts: s.attempts,
		FirstSeen: s.firstSeen, Died: s.died, Reason: s.reason, Stack: s.stack}
}

// story is what the headers tell of a message's attempts.
type story struct {
	attempts        int
	firstSeen, died time.Time
	reason, stack   string
}

// The limits of what a message keeps of an error, so that it stays within
// those of a message's headers.
const (
	maxReason = 2 << 10
	maxStack  = 8 << 10
)

// storyOf reads leniently: a header that says nothing sensible is as good as
// none, and no reason to lose a message.
func storyOf(m Message) story {
	s := story{reason: m.Headers[HeaderError], stack: m.Headers[HeaderStack]}
	if n, err := strconv.Atoi(m.Headers[HeaderAttempts]); err == nil && n > 0 {
		s.attempts = n
	}
	if t, err := time.Parse(time.RFC3339Nano, m.Headers[HeaderFirstSeen]); err == nil {
		s.firstSeen = t
	}
	if t, err := time.Parse(time.RFC3339Nano, m.Headers[HeaderDied]); err == nil {
		s.died = t
	}
	return s
}

// storyAfter returns the headers of a received message after delivery d, which
// failed. died is zero when the message is to be retried.
func storyAfter(m Message, d Delivery, f failure, died time.Time) map[string]string {
	h := withoutStory(m).Headers // not those of d: a handler may have changed them
	h[HeaderAttempts] = strconv.Itoa(d.Attempt)
	h[HeaderFirstSeen] = d.FirstSeen.UTC().Format(time.RFC3339Nano)
	h[HeaderError] = clip(f.text, maxReason)
	if f.stack != "" {
		h[HeaderStack] = clip(f.stack, maxStack)
	}
	if !died.IsZero() {
		h[HeaderDied] = died.UTC().Format(time.RFC3339Nano)
	}
	return h
}

// withoutStory returns m with headers of its own, and without a story.
func withoutStory(m Message) Message {
	headers := make(map[string]string, len(m.Headers))
	maps.Copy(headers, m.Headers)
	maps.DeleteFunc(headers, func(name, _ string) bool { return storyHeader(name) })
	m.Headers = headers
	return m
}

// clip makes s valid UTF-8 of at most limit bytes.
func clip(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	// A rune that the cut halves goes altogether.
	return strings.ToValidUTF8(s[:limit-len("...")], "") + "..."
}
