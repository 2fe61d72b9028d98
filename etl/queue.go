package etl

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/queue"
)

// ToQueue is the sink that sends chunks through a broker, to consumers that
// handle them with [DatabaseHandler]. Publish waits until q, the store that
// they write to, shows the outcome, or the order or a chunk of the load became
// a dead letter. Those that an earlier run of the same load left behind it puts
// back, for their cause may be mended: at once where there are few dead letters,
// and else when it comes upon them.
//
// It counts dead letters and looks at them only when there are more than before,
// or when a load has waited long: those of other loads may be many.
func ToQueue(b queue.Broker, q egrid.Querier) Sink {
	return &queueSink{broker: b, store: q, watches: map[egrid.StageID]*deadWatch{}}
}

type queueSink struct {
	broker queue.Broker
	store  egrid.Querier

	mu      sync.Mutex
	watches map[egrid.StageID]*deadWatch // from the first chunk of a stage to its outcome
}

func (s *queueSink) querier() egrid.Querier { return s.store }

func (s *queueSink) Put(ctx context.Context, spec egrid.SnapshotSpec, c egrid.Chunk) error {
	m, err := EncodeChunk(spec, c)
	if err != nil {
		return err
	}
	if len(m.Body) > queue.MaxBody {
		return fmt.Errorf("%w: chunk %d takes %d bytes on the queue, at most %d are allowed; load it without one", egrid.ErrInvalid, c.Index, len(m.Body), queue.MaxBody)
	}
	if _, err := s.watch(ctx, spec.ID()); err != nil {
		return err
	}
	return s.broker.Publish(ctx, m)
}

// How often the outcome is looked for.
const (
	pollFirst = 2 * time.Millisecond
	pollMost  = time.Second

	orderGrace = 2 * time.Second // for a chunk that dies behind its order
)

func (s *queueSink) Publish(ctx context.Context, spec egrid.SnapshotSpec, r egrid.PublishRequest) (egrid.PublishReport, error) {
	before, err := s.store.Catalog(ctx)
	if err != nil {
		return egrid.PublishReport{}, err
	}
	id := spec.ID()
	watch, err := s.watch(ctx, id)
	if err != nil {
		return egrid.PublishReport{}, err
	}
	defer s.forget(id)
	if err := watch.begin(ctx); err != nil {
		return egrid.PublishReport{}, err
	}
	if _, live := settled(before, id, egrid.Published); live {
		// Nothing that an order could change: chunks that are on their way
		// are duplicates.
		return outcome(before, before, id, r.Policy)
	}
	order := func() error {
		m, err := encodePublish(publishOrder{spec, r, rand.Text()})
		if err != nil {
			return err
		}
		return s.broker.Publish(ctx, m)
	}
	if err := order(); err != nil {
		return egrid.PublishReport{}, err
	}
	var orderDied time.Time
	for wait := pollFirst; ; wait = min(2*wait, pollMost) {
		select {
		case <-ctx.Done():
			return egrid.PublishReport{}, ctx.Err()
		case <-time.After(wait):
		}
		now, err := s.store.Catalog(ctx)
		if err != nil {
			return egrid.PublishReport{}, err
		}
		report, err := outcome(before, now, id, r.Policy)
		if !errors.Is(err, errPending) {
			return report, err
		}
		letter, revived, err := watch.died(ctx)
		if err == nil && revived {
			err = order()
		}
		switch {
		case err != nil:
			return egrid.PublishReport{}, err
		case letter == nil:
			continue
		case orderDied.IsZero():
			orderDied = time.Now()
		}
		// An order dies of the chunks that are missing. What those died of
		// tells more, and comes soon.
		if letter.Message.Key == queue.KeyChunk || time.Since(orderDied) > orderGrace {
			return egrid.PublishReport{}, fmt.Errorf("message %s (%s) was given up after %d attempts: %s; mend the cause, then load again",
				letter.Message.ID, letter.Message.Key, letter.Attempts, letter.Reason)
		}
	}
}

var errPending = errors.New("no outcome yet")

// outcome reads what became of a stage from the catalogue.
func outcome(before, now egrid.Catalog, id egrid.StageID, policy egrid.Policy) (egrid.PublishReport, error) {
	if snap, ok := settled(now, id, egrid.Published); ok {
		status := egrid.Published
		if _, was := settled(before, id, egrid.Published); was {
			status = egrid.Unchanged
		}
		return egrid.PublishReport{Status: status, Snapshot: snap}, nil
	}
	if snap, ok := settled(now, id, egrid.Held); ok && policy != egrid.PublishReplace && policy != egrid.PublishMerge {
		return egrid.PublishReport{Status: egrid.Held, Reason: snap.Reason, Snapshot: snap}, nil
	}
	return egrid.PublishReport{}, errPending
}

// settled finds the snapshot that a stage became, or was merged into.
func settled(c egrid.Catalog, id egrid.StageID, status egrid.Status) (egrid.Snapshot, bool) {
	i := slices.IndexFunc(c.Snapshots, func(s egrid.Snapshot) bool {
		return s.Status == status && slices.ContainsFunc(s.Sources, func(source egrid.Source) bool { return source.ID == id })
	})
	if i < 0 {
		return egrid.Snapshot{}, false
	}
	return c.Snapshots[i], true
}

// DatabaseHandler handles the messages of [ToQueue]: it puts chunks into the
// store and completes snapshots. Any number of consumers may run it on one
// store; a message that comes twice changes nothing.
//
// A message that can never be handled is a permanent failure; an order that
// comes ahead of its chunks, like a store that is away, is one to retry.
func DatabaseHandler(l egrid.Loader) queue.Handler {
	sink := loaderSink{l}
	return func(ctx context.Context, d queue.Delivery) error {
		switch d.Message.Key {
		case queue.KeyChunk:
			spec, c, err := DecodeChunk(d.Message)
			if err == nil {
				err = sink.Put(ctx, spec, c)
			}
			return permanentIfInvalid(err)
		case queue.KeyPublish:
			order, err := decodePublish(d.Message)
			if err == nil {
				_, err = sink.Publish(ctx, order.Spec, order.Request)
			}
			return permanentIfInvalid(err)
		}
		return queue.Permanent(fmt.Errorf("%w: no handler for messages with the key %s", egrid.ErrInvalid, d.Message.Key))
	}
}

func permanentIfInvalid(err error) error {
	if errors.Is(err, egrid.ErrInvalid) {
		return queue.Permanent(err)
	}
	return err
}
