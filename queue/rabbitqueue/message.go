package rabbitqueue

import (
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// maxTable is how long headers may be on the wire, so that they fit into a
// frame of 128 KiB together with the other properties, which have less than
// 2 KiB. storySpace is what they may grow by when the message fails.
const (
	maxTable   = 126 << 10
	storySpace = 12 << 10
)

// own marks the names of headers that would mean something to the server.
const own = "x-egrid-own-"

// serverHeader reports whether the server reads or writes a header.
func serverHeader(name string) bool {
	switch name {
	case "CC", "BCC", "x-death", "x-delivery-count", "x-acquired-count", "x-opt-delivery-failed":
		return true
	}
	return strings.HasPrefix(name, "x-first-death-") || strings.HasPrefix(name, "x-last-death-")
}

// newPublishing returns a message as it is sent. space is what its headers
// must leave free.
func newPublishing(m queue.Message, space int) (amqp.Publishing, error) {
	table := make(amqp.Table, len(m.Headers))
	size := space
	for name, value := range m.Headers {
		switch {
		case strings.HasPrefix(name, own):
			return amqp.Publishing{}, fmt.Errorf("%w message: header %.40s: the prefix %s is taken", queue.ErrInvalid, name, own)
		case serverHeader(name):
			name = own + name
		}
		if len(name) > 255 {
			return amqp.Publishing{}, fmt.Errorf("%w message: header %.40s is too long", queue.ErrInvalid, name)
		}
		table[name] = value
		size += 1 + len(name) + 1 + 4 + len(value)
	}
	if size > maxTable {
		return amqp.Publishing{}, fmt.Errorf("%w message: headers are too long for a frame", queue.ErrInvalid)
	}
	return amqp.Publishing{
		Headers:         table,
		MessageId:       m.ID,
		Type:            m.Key, // the routing key is that of the last hop
		ContentType:     m.ContentType,
		ContentEncoding: m.ContentEncoding,
		DeliveryMode:    amqp.Persistent,
		Body:            m.Body,
	}, nil
}

// message returns a delivery as it was published.
func (b *Broker) message(d *amqp.Delivery) queue.Message {
	m := queue.Message{
		ID: d.MessageId, Key: d.RoutingKey, Body: d.Body,
		ContentType: d.ContentType, ContentEncoding: d.ContentEncoding,
		Headers: make(map[string]string, len(d.Headers)),
	}
	if d.Exchange == "" && d.Type != "" {
		m.Key = d.Type
	}
	if m.ID == "" { // from somebody else
		m.ID = queue.MessageID(m.Body)
	}
	for name, value := range d.Headers {
		if serverHeader(name) {
			continue
		}
		name = strings.TrimPrefix(name, own)
		switch v := value.(type) {
		case string:
			m.Headers[name] = v
		case []byte:
			m.Headers[name] = string(v)
		case bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64, int, float32, float64:
			m.Headers[name] = fmt.Sprint(v) // from somebody else
		}
	}
	return m
}

// redelivered returns how often a message came back to its queue.
func redelivered(d *amqp.Delivery) int {
	if n, ok := d.Headers["x-delivery-count"].(int64); ok {
		return int(n)
	}
	if d.Redelivered {
		return 1
	}
	return 0
}

// letter returns a dead letter. One that the server made gets the story that
// it lacks.
func (b *Broker) letter(name string, d *amqp.Delivery) queue.DeadLetter {
	l := queue.NewDeadLetter(name, b.message(d))
	reason, at := death(name, d.Headers)
	if !l.Died.IsZero() || reason == "" {
		return l
	}
	l.Died = at
	text := "the server gave it up: " + reason
	if reason == "delivery_limit" {
		l.Attempts += b.o.DeliveryLimit + 1
		text = fmt.Sprintf("delivered %d times, at last without a verdict; the server gave it up", l.Attempts)
	}
	if l.Reason != "" {
		text += "; before that: " + l.Reason
	}
	l.Reason = text
	return l
}

// death finds in the server's header why a message left a queue.
func death(name string, headers amqp.Table) (reason string, at time.Time) {
	deaths, _ := headers["x-death"].([]any)
	for _, entry := range deaths {
		t, _ := entry.(amqp.Table)
		if t["queue"] == name {
			reason, _ = t["reason"].(string)
			at, _ = t["time"].(time.Time)
			return reason, at
		}
	}
	return "", time.Time{}
}
