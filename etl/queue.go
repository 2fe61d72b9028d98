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
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/queue"
)

// ToQueue is the sink that sends chunks through a broker, to consumers that
// handle them with [DatabaseHandler]. Publish waits until s, the store that
// they write to, shows the outcome, or the order or a chunk of the load became
// a dead letter. Those that an earlier run of the same load left behind it puts
// back, for their cause may be mended: at once where there are few dead letters,
// and else when it comes upon them. An order that nothing came of within a minute
// it gives again: the store may have been restored to what it was before.
//
// It counts dead letters and looks at them only when there are more than before,
// or when a load has waited long: those of other loads may be many.
func ToQueue(b queue.Broker, s driver.Scanner) Sink {
	return &queueSink{broker: b, store: s, watches: map[egrid.StageID]*deadWatch{}}
}

type queueSink struct {
	broker queue.Broker
	store  driver.Scanner

	mu      sync.Mutex
	watches map[egrid.StageID]*deadWatch // from the first chunk of a stage to its outcome
}

func (s *queueSink) db() *store.DB { return store.New(s.store) }

func (s *queueSink) Put(ctx context.Context, spec driver.SnapshotSpec, c driver.Chunk) error {
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

func (s *queueSink) Publish(ctx context.Context, spec driver.SnapshotSpec, r driver.PublishRequest) (driver.PublishReport, error) {
	before, err := s.store.Catalog(ctx)
	if err != nil {
		return driver.PublishReport{}, err
	}
	id := spec.ID()
	watch, err := s.watchAll(ctx, r.Stages(id))
	if err != nil {
		return driver.PublishReport{}, err
	}
	defer s.forget(watch.ids)
	if err := watch.begin(ctx); err != nil {
		return driver.PublishReport{}, err
	}
	order := func() error {
		m, err := encodePublish(publishOrder{spec, r, rand.Text()})
		if err != nil {
			return err
		}
		return s.broker.Publish(ctx, m)
	}
	if live, ok := settled(before, id, egrid.Published, r); ok {
		// Nothing that an order could change: chunks that are on their way are
		// duplicates. Of several stages the chunks are to be dropped.
		if len(r.With) > 0 {
			err = order()
		}
		return driver.PublishReport{Status: egrid.Unchanged, Snapshot: live, Apart: apartOf(egrid.Catalog{}, before, id, r)}, err
	}
	if err := order(); err != nil {
		return driver.PublishReport{}, err
	}
	var orderDied time.Time
	for wait := pollFirst; ; wait = min(2*wait, pollMost) {
		select {
		case <-ctx.Done():
			return driver.PublishReport{}, ctx.Err()
		case <-time.After(wait):
		}
		now, err := s.store.Catalog(ctx)
		if err != nil {
			return driver.PublishReport{}, err
		}
		report, err := outcomeOf(before, now, id, r)
		if !errors.Is(err, errPending) {
			return report, err
		}
		letter, again, err := watch.died(ctx)
		if err == nil && again {
			err = order()
		}
		switch {
		case err != nil:
			return driver.PublishReport{}, err
		case letter == nil:
			continue
		case orderDied.IsZero():
			orderDied = time.Now()
		}
		// An order dies of the chunks that are missing. What those died of
		// tells more, and comes soon.
		if letter.Message.Key == queue.KeyChunk || time.Since(orderDied) > orderGrace {
			return driver.PublishReport{}, fmt.Errorf("message %s (%s) was given up after %d attempts: %s; mend the cause, then load again",
				letter.Message.ID, letter.Message.Key, letter.Attempts, letter.Reason)
		}
	}
}

var errPending = errors.New("no outcome yet")

// outcomeOf reads what became of a request from the catalogue.
func outcomeOf(before, now egrid.Catalog, id egrid.StageID, r driver.PublishRequest) (driver.PublishReport, error) {
	if snap, ok := settled(now, id, egrid.Published, r); ok {
		status := egrid.Published
		if was, ok := before.Published(snap.Level, snap.Year, snap.Release); ok && was.ID == snap.ID {
			status = egrid.Unchanged
		}
		return driver.PublishReport{Status: status, Snapshot: snap, Apart: apartOf(before, now, id, r)}, nil
	}
	apart := apartOf(before, now, id, r)
	if snap, ok := heldSince(before, now, r.Result(id)); ok {
		return driver.PublishReport{Status: egrid.Held, Reason: snap.Reason, Snapshot: snap, Apart: apart}, nil
	}
	if len(apart) < len(r.Stages(id)) {
		return driver.PublishReport{}, errPending
	}
	return driver.PublishReport{Status: egrid.Held, Reason: apart[0].Reason, Snapshot: apart[0].Snapshot, Apart: apart}, nil
}

// apartOf finds the stages of a request of several that were held apart, or that
// are published by themselves.
func apartOf(before, now egrid.Catalog, id egrid.StageID, r driver.PublishRequest) (apart []driver.PublishReport) {
	if len(r.With) == 0 {
		return nil
	}
	for _, part := range r.Stages(id) {
		if snap, ok := heldSince(before, now, part.ID); ok {
			apart = append(apart, driver.PublishReport{Status: egrid.Held, Reason: snap.Reason, Snapshot: snap})
		} else if snap, ok := settled(now, part.ID, egrid.Published, driver.PublishRequest{}); ok && !snap.Is(r.Result(id)) {
			apart = append(apart, driver.PublishReport{Status: egrid.Unchanged, Snapshot: snap})
		}
	}
	return apart
}

// heldSince finds a load that was held since an earlier state of the catalogue. One
// that was published before is not held but superseded.
func heldSince(before, now egrid.Catalog, id egrid.StageID) (egrid.Snapshot, bool) {
	of := func(c egrid.Catalog) egrid.Snapshot {
		i := slices.IndexFunc(c.Snapshots, func(s egrid.Snapshot) bool { return s.Stage == id })
		if i >= 0 {
			return c.Snapshots[i]
		}
		known, _ := driver.Known(c, id)
		return known
	}
	held := of(now)
	return held, held.Status != egrid.Published && !held.DecidedAt.IsZero() && !held.DecidedAt.Equal(of(before).DecidedAt)
}

// settled finds the snapshot that has the content of what a request decides on
// or, where that was to be merged, that has it among others.
func settled(c egrid.Catalog, id egrid.StageID, status egrid.Status, r driver.PublishRequest) (egrid.Snapshot, bool) {
	result, parts := r.Result(id), r.Stages(id)
	i := slices.IndexFunc(c.Snapshots, func(s egrid.Snapshot) bool {
		return s.Status == status && (s.Is(result) || r.Policy == driver.PublishMerge &&
			!slices.ContainsFunc(parts, func(p driver.StagePart) bool { return !s.Has(p.ID) }))
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
func DatabaseHandler(l driver.Loader) queue.Handler {
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
