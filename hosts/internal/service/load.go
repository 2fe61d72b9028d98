package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// retries are for failures within one process, such as a database that another
// process is writing to: it makes no sense to wait for minutes.
var retries = queue.RetryPolicy{MaxAttempts: 6, Base: 20 * time.Millisecond, Cap: 2 * time.Second}

// WithSink runs f with a sink that sends chunks through the broker, and a
// consumer at the other end that writes them into the store. With a broker in
// the process it returns when the store has everything that f sent, or with the
// reason why not; any other broker keeps what is left for other consumers.
func WithSink(ctx context.Context, store driver.Store, b queue.Broker, log *slog.Logger, f func(context.Context, etl.Sink) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sent := &sentMessages{Broker: b, open: map[string]int{}}
	consumed := make(chan error, 1)
	go func() {
		defer stop() // nobody is left to take what f sends
		// One worker: a store in the process has one writer.
		consumed <- queue.Consume(ctx, b, queue.QueueDatabase, etl.DatabaseHandler(store),
			&queue.ConsumeOptions{Workers: 1, Retry: retries, Logger: log, Observe: func(_ context.Context, e queue.Event) { sent.settle(e) }})
	}()
	err := f(ctx, etl.ToQueue(sent, store))
	if _, inProcess := b.(*memqueue.Broker); err == nil && inProcess {
		err = sent.wait(ctx)
	}
	stop()
	return errors.Join(err, <-consumed)
}

// sentMessages is a broker that knows what became of the messages it took.
// Others may use the same queue.
type sentMessages struct {
	queue.Broker
	unsettled sync.WaitGroup

	mu     sync.Mutex
	open   map[string]int // messages of an id
	failed error          // of the first dead letter
}

func (s *sentMessages) Publish(ctx context.Context, m queue.Message) error {
	if m.ID == "" {
		m.ID = queue.MessageID(m.Body)
	}
	s.unsettled.Add(1)
	s.mu.Lock()
	s.open[m.ID]++
	s.mu.Unlock()
	err := s.Broker.Publish(ctx, m)
	if err != nil {
		s.close(m.ID, nil)
	}
	return err
}

func (s *sentMessages) settle(e queue.Event) {
	switch e.Outcome {
	case queue.Dead:
		s.close(e.ID, e.Err)
	case queue.Done:
		s.close(e.ID, nil)
	}
}

func (s *sentMessages) close(id string, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] == 0 {
		return // somebody else's
	}
	if s.open[id]--; s.open[id] == 0 {
		delete(s.open, id)
	}
	if s.failed == nil {
		s.failed = failure
	}
	s.unsettled.Done()
}

// wait returns when every message is done, or with what one of them died of.
func (s *sentMessages) wait(ctx context.Context) error {
	idle := make(chan struct{})
	go func() { s.unsettled.Wait(); close(idle) }()
	select {
	case <-idle:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Load takes a source through all stages into the store, by way of the broker.
func Load(ctx context.Context, store driver.Store, b queue.Broker, source etl.Source, o *etl.Options) (etl.Report, error) {
	var report etl.Report
	var log *slog.Logger
	if o != nil {
		log = o.Logger
	}
	err := WithSink(ctx, store, b, log, func(ctx context.Context, sink etl.Sink) (err error) {
		report, err = etl.New(source, sink, o).Run(ctx)
		return err
	})
	return report, err
}
