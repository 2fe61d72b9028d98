package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Message is what is published and delivered: a body with a name.
type Message struct {
	// ID names the message for those who must not do its work twice. It is
	// the same for the same bytes; empty is filled with MessageID(Body). At
	// most 255 bytes.
	ID string
	// Key is the routing key, by which the topology finds the queues:
	// non-empty words, joined by dots. At most 255 bytes.
	Key string
	// Body is at most MaxBody bytes long. Nil and empty are the same.
	Body []byte
	// ContentType is the media type of the body before it was encoded, and
	// ContentEncoding how it was encoded, as "gzip". Each may be empty, and is
	// at most 255 bytes long.
	ContentType, ContentEncoding string
	// Headers are the message's own. A name has 1 to 255 bytes; a value is any
	// bytes; all of them together have at most MaxHeaders bytes. HeaderVersion
	// is filled when it is missing, and counts; names that the package writes
	// itself (HeaderAttempts and its like) are refused. traceparent and
	// tracestate are filled from Publish's ctx, when both are missing and there
	// is room.
	Headers map[string]string
}

// The limits of a message, which are those of a RabbitMQ server in its default
// configuration. All brokers keep them, so that what one takes, all take.
const (
	MaxBody    = 16 << 20 // bytes of a body
	MaxHeaders = 64 << 10 // bytes of all header names and values

	maxName = 255 // bytes of an id, a key, a media type or a header name
)

// HeaderVersion is the header with the version of the message's form. A
// publisher that changes what its bodies mean gives another one than Version.
const (
	HeaderVersion = "x-egrid-version"
	Version       = "1"
)

// The headers by which a message that failed carries its story from one
// delivery to the next. Brokers store and return them like all others; a
// handler does not see them, but finds their content in its Delivery.
const (
	HeaderAttempts  = "x-egrid-attempts"   // deliveries so far, decimal
	HeaderFirstSeen = "x-egrid-first-seen" // when first delivered, RFC 3339
	HeaderError     = "x-egrid-error"      // why the last attempt failed
	HeaderStack     = "x-egrid-stack"      // of the last attempt's panic
	HeaderDied      = "x-egrid-died"       // when it became a dead letter, RFC 3339
)

func storyHeader(name string) bool {
	switch name {
	case HeaderAttempts, HeaderFirstSeen, HeaderError, HeaderStack, HeaderDied:
		return true
	}
	return false
}

// MessageID returns the id of a message with this body: its SHA-256 in
// hexadecimal.
func MessageID(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Normalize returns the message as a broker must hold it: with an ID, a
// version, the span that ctx belongs to, and headers of its own. The error wraps
// ErrInvalid and says which limit the message breaks. Brokers call it first in
// Publish, with its ctx.
func (m Message) Normalize(ctx context.Context) (Message, error) {
	if err := validKey(m.Key); err != nil {
		return Message{}, err
	}
	for _, field := range []struct{ name, value string }{
		{"id", m.ID}, {"content type", m.ContentType}, {"content encoding", m.ContentEncoding},
	} {
		if len(field.value) > maxName {
			return Message{}, fmt.Errorf("%w message: %s of %d bytes, at most %d are allowed", ErrInvalid, field.name, len(field.value), maxName)
		}
	}
	if len(m.Body) > MaxBody {
		return Message{}, fmt.Errorf("%w message: body of %d bytes, at most %d are allowed", ErrInvalid, len(m.Body), MaxBody)
	}
	headers := make(map[string]string, len(m.Headers)+3)
	headers[HeaderVersion] = Version
	maps.Copy(headers, m.Headers)
	m.Headers = headers
	size := 0 // with the version, so that what was delivered may be published again
	for name, value := range m.Headers {
		if name == "" || len(name) > maxName {
			return Message{}, fmt.Errorf("%w message: header name of %d bytes, 1 to %d are allowed", ErrInvalid, len(name), maxName)
		}
		if storyHeader(name) {
			return Message{}, fmt.Errorf("%w message: header %s is written by the queue alone", ErrInvalid, name)
		}
		size += len(name) + len(value)
	}
	if size > MaxHeaders {
		return Message{}, fmt.Errorf("%w message: headers of %d bytes, at most %d are allowed", ErrInvalid, size, MaxHeaders)
	}
	setSpan(m.Headers, trace.FromContext(ctx), MaxHeaders-size)
	if m.ID == "" {
		m.ID = MessageID(m.Body)
	}
	return m, nil
}

// setSpan says in the headers which span a message was published in, unless they
// do so already. Room is how many bytes they may grow by.
func setSpan(headers map[string]string, s trace.Span, room int) {
	_, hasParent := headers[trace.HeaderParent]
	_, hasState := headers[trace.HeaderState]
	parent, state := s.Headers()
	if room -= len(trace.HeaderParent) + len(parent); parent == "" || hasParent || hasState || room < 0 {
		return
	}
	headers[trace.HeaderParent] = parent
	if state != "" && len(trace.HeaderState)+len(state) <= room {
		headers[trace.HeaderState] = state
	}
}

// senderOf is the span that a message was published in; the zero Span when it has none.
func senderOf(m Message) trace.Span {
	sender, _ := trace.Parse(m.Headers[trace.HeaderParent], m.Headers[trace.HeaderState])
	return sender
}

func validKey(key string) error {
	if len(key) > maxName {
		return fmt.Errorf("%w key: %d bytes, at most %d are allowed", ErrInvalid, len(key), maxName)
	}
	for word := range strings.SplitSeq(key, ".") {
		if word == "" || strings.ContainsAny(word, "*#") {
			return fmt.Errorf("%w key %q: want words without * and #, joined by dots", ErrInvalid, key)
		}
	}
	return nil
}
