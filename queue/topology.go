package queue

import (
	"fmt"
	"slices"
	"strings"
)

// Topology says which messages go to which queues. It is a plain value: every
// broker is made with one, and brokers made with equal ones route alike.
type Topology struct {
	// Exchange names the topology at a broker that serves several.
	Exchange string
	// Bindings are looked at all: a message goes to every queue that one of
	// them names for its key, and to each queue once.
	Bindings []Binding
}

// Binding sends the messages whose key matches a pattern to a queue.
type Binding struct {
	// Pattern is made of words joined by dots, as keys are. The word * matches
	// any one word, and the word # any number of words, none included.
	Pattern string
	// Queue is the queue's name.
	Queue string
}

// The names of the default topology.
const (
	Exchange = "egrid"

	QueueDatabase     = "egrid.database"     // all writes
	QueueNotification = "egrid.notification" // what people are told
	QueueError        = "egrid.error"        // what went wrong

	KeyChunk   = "database.chunk"   // a chunk of rows to put
	KeyPublish = "database.publish" // a snapshot to publish
)

// DefaultTopology returns the topology of the platform, for the caller to
// alter: database.chunk and database.publish go to egrid.database,
// notification.* to egrid.notification and error.* to egrid.error.
func DefaultTopology() Topology {
	return Topology{
		Exchange: Exchange,
		Bindings: []Binding{
			{KeyChunk, QueueDatabase},
			{KeyPublish, QueueDatabase},
			{"notification.*", QueueNotification},
			{"error.*", QueueError},
		},
	}
}

// RetryQueue returns the name of the place where a broker that needs one keeps
// a queue's messages until their next attempt.
func RetryQueue(queue string) string { return queue + ".retry" }

// DeadQueue returns the name of the place where a broker that needs one keeps
// a queue's dead letters.
func DeadQueue(queue string) string { return queue + ".dead" }

// Queues returns the names of all queues, in the order of the bindings, each
// once.
func (t Topology) Queues() []string {
	var names []string
	for _, b := range t.Bindings {
		if !slices.Contains(names, b.Queue) {
			names = append(names, b.Queue)
		}
	}
	return names
}

// Route returns the queues that a message of this key goes to, in the order of
// the bindings, each once; none when the key is unroutable.
func (t Topology) Route(key string) []string {
	var names []string
	for _, b := range t.Bindings {
		if matches(b.Pattern, key) && !slices.Contains(names, b.Queue) {
			names = append(names, b.Queue)
		}
	}
	return names
}

// Validate returns an error that wraps ErrInvalid when the topology has no
// binding or no exchange name, a pattern or a name that no broker can have, or
// a queue whose name is that of another one's retries or dead letters.
func (t Topology) Validate() error {
	if t.Exchange == "" || len(t.Exchange) > maxName {
		return fmt.Errorf("%w topology: exchange %q", ErrInvalid, t.Exchange)
	}
	if len(t.Bindings) == 0 {
		return fmt.Errorf("%w topology: no bindings", ErrInvalid)
	}
	queues := t.Queues()
	for _, b := range t.Bindings {
		if b.Pattern == "" || len(b.Pattern) > maxName || slices.Contains(strings.Split(b.Pattern, "."), "") {
			return fmt.Errorf("%w topology: pattern %q", ErrInvalid, b.Pattern)
		}
		if b.Queue == "" || len(RetryQueue(b.Queue)) > maxName {
			return fmt.Errorf("%w topology: queue %q", ErrInvalid, b.Queue)
		}
		if slices.Contains(queues, RetryQueue(b.Queue)) || slices.Contains(queues, DeadQueue(b.Queue)) {
			return fmt.Errorf("%w topology: the names %s and %s are taken by queue %s",
				ErrInvalid, RetryQueue(b.Queue), DeadQueue(b.Queue), b.Queue)
		}
	}
	return nil
}

func matches(pattern, key string) bool {
	if !strings.ContainsAny(pattern, "*#") {
		return pattern == key
	}
	return matchWords(strings.Split(pattern, "."), strings.Split(key, "."))
}

// matchWords walks both once: after a mismatch, the last # takes one word more.
func matchWords(pattern, key []string) bool {
	p, k := 0, 0
	hash, taken := -1, 0
	for k < len(key) {
		switch {
		case p < len(pattern) && pattern[p] == "#":
			hash, taken = p, k
			p++
		case p < len(pattern) && (pattern[p] == "*" || pattern[p] == key[k]):
			p++
			k++
		case hash >= 0:
			taken++
			p, k = hash+1, taken
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "#" {
		p++
	}
	return p == len(pattern)
}
