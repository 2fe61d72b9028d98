package etl

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/queue"
)

const (
	fewLetters  = 1000            // dead letters that are looked at without need
	fewTimeout  = 2 * time.Second // however long they are
	longSilence = time.Minute     // without an outcome, before a look without need; each further one takes twice as long
	lookRest    = 10              // times as long as a look took, before the next
)

// deadWatch finds the dead letters of stages that are published together. It counts before it looks: a
// look reads those of all loads, and hides them from others meanwhile. One
// goroutine uses it.
type deadWatch struct {
	broker queue.Broker
	ids    []egrid.StageID

	count   int               // dead letters that are accounted for
	revived bool              // what an earlier run left was put back
	found   *queue.DeadLetter // of this stage, since then: a chunk rather than an order
	next    time.Time         // no look before
	silent  time.Time         // a look even if there are not more
	silence time.Duration
}

// watch returns the watch of a stage. It begins with the stage's first chunk, so
// that no death is missed.
func (s *queueSink) watch(ctx context.Context, id egrid.StageID) (*deadWatch, error) {
	s.mu.Lock()
	w := s.watches[id]
	s.mu.Unlock()
	if w != nil {
		return w, nil
	}
	depth, err := s.broker.Depth(ctx, queue.QueueDatabase)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watches[id] == nil {
		s.watches[id] = &deadWatch{broker: s.broker, ids: []egrid.StageID{id}, count: depth.Dead}
	}
	return s.watches[id], nil
}

// watchAll returns one watch of several stages.
func (s *queueSink) watchAll(ctx context.Context, parts []driver.StagePart) (*deadWatch, error) {
	all := &deadWatch{broker: s.broker}
	for i, part := range parts {
		w, err := s.watch(ctx, part.ID)
		if err != nil {
			return nil, err
		}
		if all.ids = append(all.ids, part.ID); i == 0 || w.count < all.count {
			all.count = w.count
		}
	}
	return all, nil
}

func (s *queueSink) forget(ids []egrid.StageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.watches, id)
	}
}

// begin puts back what an earlier run of the load left, if there are so few dead
// letters that looking costs nothing. Others may keep it from that: then it is
// done when it turns out to be needed.
func (w *deadWatch) begin(ctx context.Context) error {
	w.silence, w.silent = longSilence, time.Now().Add(longSilence)
	depth, err := w.broker.Depth(ctx, queue.QueueDatabase)
	switch {
	case err != nil:
		return err
	case depth.Reading || depth.Dead > fewLetters:
		return nil
	case depth.Dead == 0:
		w.count, w.revived = 0, true
		return nil
	}
	soon, cancel := context.WithTimeout(ctx, fewTimeout)
	defer cancel()
	own, err := w.look(soon)
	var n int
	if err == nil {
		n, err = w.revive(ctx, own)
	}
	var partial *queue.PartialError
	switch {
	case errors.As(err, &partial), ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return nil
	case err != nil:
		return err
	}
	w.count, w.revived = depth.Dead-n, true
	return nil
}

// own are the dead letters of a stage.
type own struct {
	letter         *queue.DeadLetter // a chunk rather than an order; nil when there is none
	chunks, orders []string
}

// look reads the dead letters, and keeps those of the stage. Beside an error it
// returns those that it saw.
func (w *deadWatch) look(ctx context.Context) (own, error) {
	var o own
	for letter, err := range w.broker.DeadLetters(ctx, queue.QueueDatabase) {
		if err != nil {
			return o, err
		}
		m := letter.Message
		if !slices.Contains(w.ids, egrid.StageID(m.Headers[HeaderStage])) {
			continue
		}
		if m.Key == queue.KeyChunk {
			o.chunks = append(o.chunks, m.ID)
		} else {
			o.orders = append(o.orders, m.ID)
		}
		if o.letter == nil || m.Key == queue.KeyChunk {
			o.letter = &letter
		}
	}
	return o, nil
}

// revive puts back chunks, and forgets orders: a new one follows, if need be. It
// returns how many dead letters are gone.
func (w *deadWatch) revive(ctx context.Context, o own) (int, error) {
	if o.letter == nil {
		return 0, nil // looking once more would keep them from others
	}
	replayed, replayErr := w.broker.Replay(ctx, queue.QueueDatabase, o.chunks...)
	dropped, dropErr := w.broker.Drop(ctx, queue.QueueDatabase, o.orders...)
	return replayed + dropped, errors.Join(replayErr, dropErr)
}

// died returns a message of the stage that was given up, a chunk rather than an
// order; nil when there is none. What may be an earlier run's is put back
// instead, once: then again is true, and the order has to be given again. So it has
// when nothing came of it for long, and nothing died: it was carried out in a
// database that has been replaced by a backup since.
func (w *deadWatch) died(ctx context.Context) (letter *queue.DeadLetter, again bool, err error) {
	depth, err := w.broker.Depth(ctx, queue.QueueDatabase)
	if err != nil {
		return nil, false, err
	}
	now := time.Now()
	more := depth.Dead > w.count && !depth.Reading
	if !more && !depth.Reading {
		w.count = depth.Dead
	}
	long := now.After(w.silent)
	if !more && !long || now.Before(w.next) {
		return w.found, false, nil
	}
	own, err := w.look(ctx)
	w.next = time.Now().Add(lookRest * time.Since(now))
	if long {
		w.silence *= 2
		w.silent = time.Now().Add(w.silence)
	}
	var partial *queue.PartialError
	whole := !errors.As(err, &partial)
	if err != nil && whole {
		return nil, false, err
	}
	if own.letter != nil && !w.revived {
		w.revived = true
		n, err := w.revive(ctx, own)
		w.count = depth.Dead - n
		if errors.As(err, &partial) {
			err = nil // they are found again, as this run's
		}
		return nil, err == nil, err
	}
	if own.letter != nil {
		w.found = own.letter
	}
	if whole {
		w.count = depth.Dead
	}
	return w.found, long && w.found == nil, nil
}
