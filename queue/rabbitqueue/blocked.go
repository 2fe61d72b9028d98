package rabbitqueue

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/egrid-analytics/egrid-go/queue"
)

// Blocked implements part of [queue.Inspector]. The server tells only those who
// publish that it takes no messages, so it is sent one that no queue gets.
func (b *Broker) Blocked(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- b.send(ctx, "", "", amqp.Publishing{}) }()
	for {
		_, _, changed := b.publishing.state()
		if blocked := b.blocked(); blocked != nil {
			return blocked
		}
		select {
		case err := <-answered:
			if errors.Is(err, queue.ErrUnroutable) {
				return nil
			}
			return err
		case <-changed:
		}
	}
}

// blocked returns a *queue.BlockedError while the server is known to take no
// messages, or a queue to be full; else nil.
func (b *Broker) blocked() error {
	_, reason, _ := b.publishing.state()
	full := b.full.queues()
	if reason == "" && len(full) == 0 {
		return nil
	}
	e := &queue.BlockedError{}
	var details []string
	if reason != "" {
		details = append(details, reason)
		if strings.Contains(reason, "memory") {
			e.Reasons = append(e.Reasons, queue.BlockedByMemory)
		}
		if strings.Contains(reason, "disk") {
			e.Reasons = append(e.Reasons, queue.BlockedByDisk)
		}
		if e.Reasons == nil {
			e.Reasons = append(e.Reasons, queue.BlockedByOther)
		}
	}
	if len(full) > 0 {
		details = append(details, "full: "+strings.Join(full, ", "))
		e.Reasons = append(e.Reasons, queue.BlockedByQueue)
	}
	e.Detail = strings.Join(details, "; ")
	return e
}

// refusalMemory is how long a queue counts as full that nobody publishes to.
const refusalMemory = time.Minute

// refusals are the queues that refused the last message for them.
type refusals struct {
	mu sync.Mutex
	at map[string]time.Time
}

// note takes down how a message for some queues ended. Which of them refused it,
// the server does not say.
func (r *refusals) note(names []string, err error) {
	refused := errors.Is(err, errRefused)
	if err != nil && !refused {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if !refused {
			delete(r.at, name)
			continue
		}
		if r.at == nil {
			r.at = map[string]time.Time{}
		}
		r.at[name] = time.Now()
	}
}

// queues returns their names, sorted.
func (r *refusals) queues() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.at, func(_ string, at time.Time) bool { return time.Since(at) > refusalMemory })
	return slices.Sorted(maps.Keys(r.at))
}
