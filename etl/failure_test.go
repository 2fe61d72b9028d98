package etl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// repair runs the three consumers on one broker; the first of them fails with
// what cause says. It returns the notices that people get.
func repair(t *testing.T, log driver.FailureLog, b queue.Broker, cause func(d queue.Delivery) error) <-chan etl.Notice {
	t.Helper()
	notices := make(chan etl.Notice, 10)
	report := func(_ context.Context, e queue.Event) {
		if e.Outcome != queue.Dead {
			return
		}
		m, err := etl.EncodeIncident(etl.DeadLetterIncident(e))
		if err == nil {
			err = b.Publish(t.Context(), m)
		}
		if err != nil {
			t.Error(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	run := func(name string, workers int, h queue.Handler) {
		go func() {
			ended <- queue.Consume(ctx, b, name, h, &queue.ConsumeOptions{Workers: workers, Retry: queue.RetryPolicy{MaxAttempts: 2, Base: time.Millisecond}, Observe: report})
		}()
	}
	run(queue.QueueDatabase, 1, func(_ context.Context, d queue.Delivery) error { return cause(d) })
	run(queue.QueueError, 4, etl.ErrorHandler(log, b, nil))
	run(queue.QueueNotification, 1, func(_ context.Context, d queue.Delivery) error {
		n, err := etl.DecodeNotice(d.Message)
		if err == nil {
			notices <- n
		}
		return err
	})
	t.Cleanup(func() {
		stop()
		for range 3 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		b.Close()
	})
	return notices
}

func receive(t *testing.T, notices <-chan etl.Notice) etl.Notice {
	t.Helper()
	select {
	case n := <-notices:
		return n
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told")
		panic("unreachable")
	}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func chunkMessage(t *testing.T) queue.Message {
	t.Helper()
	m, err := etl.EncodeChunk(specOf(t))
	if err != nil {
		t.Fatal(err)
	}
	m.ID = queue.MessageID(m.Body)
	return m
}

func deadLetters(t *testing.T, b queue.Broker) int {
	t.Helper()
	d, err := b.Depth(t.Context(), queue.QueueDatabase)
	if err != nil {
		t.Fatal(err)
	}
	return d.Dead
}

// A message that dies of something that passes is tried once more by itself,
// and nobody is bothered.
func TestCurableDeadLetter(t *testing.T) {
	t.Parallel()
	store, broker := memstore.New(), memqueue.New(nil)
	deliveries, done := 0, make(chan int, 1)
	notices := repair(t, store, broker, func(queue.Delivery) error {
		if deliveries++; deliveries <= 2 { // all attempts of one life
			return errors.New("the database is away")
		}
		done <- deliveries
		return nil
	})
	if err := broker.Publish(t.Context(), chunkMessage(t)); err != nil {
		t.Fatal(err)
	}
	select {
	case n := <-done:
		if n != 3 {
			t.Errorf("handled by delivery %d", n)
		}
	case n := <-notices:
		t.Fatalf("people were told: %+v", n)
	case <-time.After(10 * time.Second):
		t.Fatal("never handled")
	}
	counts, err := store.Failures(t.Context())
	if err != nil || len(counts) != 1 || counts[0].Kind != etl.FailureHandler || counts[0].Count != 1 {
		t.Errorf("got %+v, %v", counts, err)
	}
}

// hidden is a broker whose dead letters are out of sight for a while, as while
// another program lists them.
type hidden struct {
	queue.Broker
	looks atomic.Int32
}

func (h *hidden) Replay(ctx context.Context, name string, ids ...string) (int, error) {
	if h.looks.Add(1) < 3 {
		return 0, nil
	}
	return h.Broker.Replay(ctx, name, ids...)
}

// A dead letter that is out of sight is looked for again.
func TestDeadLetterOutOfSight(t *testing.T) {
	t.Parallel()
	log, broker := memstore.New(), &hidden{Broker: memqueue.New(nil)}
	defer broker.Close()
	m := chunkMessage(t)
	if err := broker.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the database is away")
	consumed, stop := context.WithCancel(t.Context())
	died := func(_ context.Context, e queue.Event) { stop() }
	if err := queue.Consume(consumed, broker, queue.QueueDatabase, func(context.Context, queue.Delivery) error { return cause },
		&queue.ConsumeOptions{Retry: queue.RetryPolicy{MaxAttempts: 1}, Observe: died}); err != nil {
		t.Fatal(err)
	}
	incident, err := etl.EncodeIncident(etl.DeadLetterIncident(queue.Event{Queue: queue.QueueDatabase, ID: m.ID, Key: m.Key, Outcome: queue.Dead, Err: cause}))
	if err != nil {
		t.Fatal(err)
	}
	handle := etl.ErrorHandler(log, broker, nil)
	for attempt := 1; ; attempt++ {
		err := handle(t.Context(), queue.Delivery{Message: incident, Queue: queue.QueueError, Attempt: attempt})
		if attempt < 3 && !errors.Is(err, egrid.ErrNotFound) || attempt == 3 && err != nil {
			t.Fatalf("attempt %d: %v", attempt, err)
		}
		if attempt == 3 {
			break
		}
	}
	depth, err := broker.Depth(t.Context(), queue.QueueDatabase)
	if err != nil || depth != (queue.Depth{Ready: 1}) {
		t.Errorf("the queue holds %+v, %v; want the message again", depth, err)
	}
}

// A message that nothing cures stays a dead letter, and people are told, once
// for many.
func TestIncurableDeadLetters(t *testing.T) {
	t.Parallel()
	store, broker := memstore.New(), memqueue.New(nil)
	handle := etl.DatabaseHandler(store)
	notices := repair(t, store, broker, func(d queue.Delivery) error { return handle(t.Context(), d) })
	for i := range 5 {
		if err := broker.Publish(t.Context(), queue.Message{Key: queue.KeyChunk, Body: fmt.Append(nil, "poison ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	n := receive(t, notices)
	if n.Kind != etl.NoticeFailure || !strings.Contains(n.Title, "invalid message") || !strings.Contains(n.Text, "egrid dead-letters replay egrid.database ") {
		t.Errorf("got %+v", n)
	}
	eventually(t, "five failures are not recorded", func() bool {
		counts, err := store.Failures(t.Context())
		return err == nil && len(counts) == 1 && counts[0].Kind == etl.FailureInvalidMessage && counts[0].Count == 5
	})
	if n := deadLetters(t, broker); n != 5 {
		t.Errorf("%d dead letters; want 5", n)
	}
	select {
	case n := <-notices:
		t.Errorf("people were told again: %+v", n)
	case <-time.After(20 * time.Millisecond):
	}
}

// A message that dies again after it was replayed stays where it is.
func TestDeadLetterThatDiesAgain(t *testing.T) {
	t.Parallel()
	store, broker := memstore.New(), memqueue.New(nil)
	notices := repair(t, store, broker, func(queue.Delivery) error { return errors.New("disk full") })
	m := chunkMessage(t)
	if err := broker.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if n := receive(t, notices); !strings.Contains(n.Text, "disk full") || !strings.Contains(n.Text, m.ID) {
		t.Errorf("got %+v", n)
	}
	if n := deadLetters(t, broker); n != 1 {
		t.Errorf("%d dead letters; want 1", n)
	}
}

func TestIncidentsOfRuns(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators, "notes.csv": "not,egrid\n1,2\n", "damaged.zip": "PK\x03\x04 cut off"})
	report, _ := run(t, etl.Local(dir), nil)
	incidents := etl.ObjectIncidents(report)
	if len(incidents) != 1 || incidents[0].Kind != etl.FailureObject || !strings.Contains(incidents[0].Where, "damaged.zip") || incidents[0].Curable {
		t.Errorf("got %+v", incidents)
	}
	again, _ := run(t, etl.Local(dir), nil)
	if other := etl.ObjectIncidents(again); other[0].ID != incidents[0].ID {
		t.Errorf("the same content failed as %q and as %q", incidents[0].ID, other[0].ID)
	}
	for _, test := range []struct {
		err  error
		kind string
	}{
		{fmt.Errorf("publish: %w", egrid.ErrIncomplete), etl.FailureIncompleteLoad},
		{fmt.Errorf("scan: %w", context.DeadlineExceeded), etl.FailureTimeout},
		{queue.Permanent(egrid.ErrInvalid), etl.FailureInvalidMessage},
		{egrid.ErrSchema, etl.FailureSchema},
		{&queue.PanicError{Value: 1}, etl.FailurePanic},
		{errors.New("no bucket"), etl.FailureRun},
	} {
		in := etl.RunIncident(etl.Report{}, test.err)
		m, err := etl.EncodeIncident(in)
		if err != nil || m.Key != "error."+test.kind {
			t.Errorf("%v: key %q, %v; want the kind %s", test.err, m.Key, err, test.kind)
		}
		if got, err := etl.DecodeIncident(m); err != nil || got.ID != in.ID || got.Message != in.Message || got.Curable != in.Curable {
			t.Errorf("got %+v, %v; want %+v", got, err, in)
		}
	}
	for name, m := range map[string]queue.Message{
		"type":  {Body: []byte(`{"id":"a","kind":"b"}`), ContentType: "text/plain"},
		"JSON":  {Body: []byte(`{`), ContentType: "application/vnd.egrid.incident+json"},
		"empty": {Body: []byte(`{}`), ContentType: "application/vnd.egrid.incident+json"},
	} {
		if _, err := etl.DecodeIncident(m); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
