package etl_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// looked counts how often the dead letters of a broker are read.
type looked struct {
	queue.Broker
	looks atomic.Int32
}

func (l *looked) DeadLetters(ctx context.Context, name string) iter.Seq2[queue.DeadLetter, error] {
	l.looks.Add(1)
	return l.Broker.DeadLetters(ctx, name)
}

// othersDeadLetters makes dead letters of another load.
func othersDeadLetters(t *testing.T, b queue.Broker, n int) {
	t.Helper()
	sub, err := b.Subscribe(t.Context(), queue.QueueDatabase, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for i := range n {
		m := queue.Message{Key: queue.KeyChunk, Body: fmt.Append(nil, i), Headers: map[string]string{etl.HeaderStage: "another"}}
		if err := b.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		r, err := sub.Next(t.Context())
		if err == nil {
			err = r.Settle(t.Context(), queue.Verdict{Outcome: queue.Dead, Headers: r.Message.Headers})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A load beside many dead letters of others does not read them.
func TestOthersDeadLettersAreNotRead(t *testing.T) {
	store, broker := memstore.New(), &looked{Broker: memqueue.New(nil)}
	othersDeadLetters(t, broker, 1500)
	consume(t, broker, etl.DatabaseHandler(store))
	dir := folder(t, map[string]string{"GEN.csv": generators})
	report, err := etl.New(etl.Local(dir), etl.ToQueue(broker, store), nil).Run(t.Context())
	if err != nil || report.Status != etl.Published {
		t.Errorf("got %s, %v", report.Status, err)
	}
	if n := broker.looks.Load(); n != 0 {
		t.Errorf("they were read %d times", n)
	}
	if n := deadLetters(t, broker); n != 1500 {
		t.Errorf("%d of them are left", n)
	}
}

// A load finds its own dead letters behind many of others: it is told why they
// died, and goes on when that is mended.
func TestOwnDeadLettersBehindMany(t *testing.T) {
	store := &brokenStore{memstore.New(), errors.New("disk full")}
	broker := &looked{Broker: memqueue.New(nil)}
	othersDeadLetters(t, broker, 1500)
	mended := atomic.Bool{}
	broken, whole := etl.DatabaseHandler(store), etl.DatabaseHandler(store.Store)
	consume(t, broker, func(ctx context.Context, d queue.Delivery) error {
		if mended.Load() {
			return whole(ctx, d)
		}
		return broken(ctx, d)
	})
	pipeline := etl.New(etl.Local(folder(t, map[string]string{"GEN.csv": generators})), etl.ToQueue(broker, store), nil)
	if _, err := pipeline.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("got %v; want what its chunk died of", err)
	}
	if n := broker.looks.Load(); n > 6 {
		t.Errorf("the dead letters were read %d times", n)
	}
	mended.Store(true)
	if report, err := pipeline.Run(t.Context()); err != nil || report.Status != etl.Published {
		t.Errorf("mended: got %s, %v", report.Status, err)
	}
}

// An order finds the chunk dead that another process sent: it is put back, and
// the load goes on.
func TestOwnDeadLetterOfAnotherProcess(t *testing.T) {
	store, broker := memstore.New(), memqueue.New(nil)
	othersDeadLetters(t, broker, 1500)
	died := atomic.Bool{}
	handle := etl.DatabaseHandler(store)
	consume(t, broker, func(ctx context.Context, d queue.Delivery) error {
		if d.Message.Key == queue.KeyChunk && !died.Swap(true) {
			return queue.Permanent(errors.New("the database is away"))
		}
		return handle(ctx, d)
	})
	spec, chunk := specOf(t)
	if err := etl.ToQueue(broker, store).Put(t.Context(), spec, chunk); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the chunk does not die", func() bool { return deadLetters(t, broker) == 1501 })
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	report, err := etl.ToQueue(broker, store).Publish(ctx, spec, driver.PublishRequest{Chunks: 1, Rows: int64(chunk.Rows.Len())})
	if err != nil || report.Snapshot.Rows != int64(chunk.Rows.Len()) {
		t.Errorf("got %+v, %v", report, err)
	}
	eventually(t, "own dead letters are left", func() bool { return deadLetters(t, broker) == 1500 })
}

// An order that was carried out in a database which a backup has replaced since is
// given again: the load does not wait for ever.
func TestLostOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(25 * 365 * 24 * time.Hour) // from 2000, when there are no data of 2023
		store, broker := memstore.New(), memqueue.New(nil)
		handle := etl.DatabaseHandler(store)
		lost := atomic.Bool{}
		consume(t, broker, func(ctx context.Context, d queue.Delivery) error {
			if d.Message.Key == queue.KeyPublish && !lost.Swap(true) {
				return nil
			}
			return handle(ctx, d)
		})
		spec, chunk := specOf(t)
		sink := etl.ToQueue(broker, store)
		if err := sink.Put(t.Context(), spec, chunk); err != nil {
			t.Fatal(err)
		}
		report, err := sink.Publish(t.Context(), spec, driver.PublishRequest{Chunks: 1, Rows: int64(chunk.Rows.Len())})
		if err != nil || report.Snapshot.Rows != int64(chunk.Rows.Len()) {
			t.Errorf("got %+v, %v", report, err)
		}
	})
}
