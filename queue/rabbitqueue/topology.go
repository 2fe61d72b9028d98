package rabbitqueue

import (
	"fmt"
	"math"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// rungs are the queues of retries, by the longest delay in each.
var rungs = [...]struct {
	suffix  string
	longest time.Duration
}{
	{"", 10 * time.Second},
	{".1m", time.Minute},
	{".long", math.MaxInt64},
}

const (
	maxQueueName = 255 - len(".retry.long")
	maxDelay     = 49 * 24 * time.Hour // the server counts milliseconds in 32 bits
	noLimit      = 1 << 30             // of deliveries: 3.10 knows no -1, 4.0 has 20 as its default
)

// retryQueues returns the names of all queues with a queue's retries.
func retryQueues(name string) []string {
	names := make([]string, len(rungs))
	for i, r := range rungs {
		names[i] = queue.RetryQueue(name) + r.suffix
	}
	return names
}

// retryQueue returns the queue in which a message waits that long.
func retryQueue(name string, d time.Duration) string {
	for _, r := range rungs {
		if d <= r.longest {
			return queue.RetryQueue(name) + r.suffix
		}
	}
	panic("unreachable")
}

// turnQueue returns the name of the queue that the one has who reads a queue's
// dead letters. It never has a message.
func turnQueue(name string) string { return queue.DeadQueue(name) + ".turn" }

// expiration returns a delay as the server wants it: no less.
func expiration(d time.Duration) string {
	d = min(d, maxDelay)
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}

func validNames(t queue.Topology) error {
	taken := map[string]string{}
	for _, name := range t.Queues() {
		if len(name) > maxQueueName {
			return fmt.Errorf("%w topology: queue %q has more than %d bytes", queue.ErrInvalid, name, maxQueueName)
		}
		for _, n := range append(retryQueues(name), name, queue.DeadQueue(name), turnQueue(name)) {
			if other, ok := taken[n]; ok {
				return fmt.Errorf("%w topology: the name %s is taken by queue %s", queue.ErrInvalid, n, other)
			}
			taken[n] = name
		}
	}
	return nil
}

// declare makes what the topology needs and the server does not have.
func (b *Broker) declare(ch channel) error {
	t := b.o.Topology
	if err := ch.ExchangeDeclare(t.Exchange, amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
		return fmt.Errorf("declare exchange %s: %w", t.Exchange, err)
	}
	for _, name := range t.Queues() {
		// Dead letters first: what dies must have somewhere to go.
		dead := queue.DeadQueue(name)
		err := declareQueue(ch, dead, amqp.Table{"x-delivery-limit": int64(noLimit)})
		if err != nil {
			return err
		}
		args := deadLetterTo(dead)
		args["x-delivery-limit"] = int64(b.o.DeliveryLimit)
		if err := declareQueue(ch, name, args); err != nil {
			return err
		}
		for _, retry := range retryQueues(name) {
			args := deadLetterTo(name)
			args["x-delivery-limit"] = int64(noLimit)
			if err := declareQueue(ch, retry, args); err != nil {
				return err
			}
		}
	}
	for _, binding := range t.Bindings {
		if err := ch.QueueBind(binding.Queue, binding.Pattern, t.Exchange, false, nil); err != nil {
			return fmt.Errorf("bind %s to queue %s: %w", binding.Pattern, binding.Queue, err)
		}
	}
	return nil
}

// deadLetterTo has a queue hand over what it is done with, and keep it until
// the other one has confirmed.
func deadLetterTo(name string) amqp.Table {
	return amqp.Table{
		"x-dead-letter-exchange":    "",
		"x-dead-letter-routing-key": name,
		"x-dead-letter-strategy":    "at-least-once",
		"x-overflow":                "reject-publish", // which this strategy asks for
	}
}

func declareQueue(ch channel, name string, args amqp.Table) error {
	args["x-queue-type"] = "quorum"
	if _, err := ch.QueueDeclare(name, true, false, false, false, args); err != nil {
		return fmt.Errorf("declare queue %s: %w", name, err)
	}
	return nil
}
