package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
)

// retries are for failures within one process, such as a database that another
// process is writing to: it makes no sense to wait for minutes.
var retries = queue.RetryPolicy{MaxAttempts: 6, Base: 20 * time.Millisecond, Cap: 2 * time.Second}

// WithSink runs f with a sink that sends chunks through the broker, and a
// consumer at the other end that writes them into the store. It returns when
// the store has everything that f sent, or with the reason why not.
func WithSink(ctx context.Context, store egrid.Store, b queue.Broker, log *slog.Logger, f func(context.Context, etl.Sink) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sent := &sentMessages{Broker: b}
	consumed := make(chan error, 1)
	go func() {
		defer stop() // nobody is left to take what f sends
		// One worker: a store in the process has one writer.
		consumed <- queue.Consume(ctx, b, queue.QueueDatabase, etl.DatabaseHandler(store),
			&queue.ConsumeOptions{Workers: 1, Retry: retries, Logger: log, Observe: sent.settle})
	}()
	err := f(ctx, etl.ToQueue(sent, store))
	if err == nil {
		err = sent.wait(ctx)
	}
	stop()
	return errors.Join(err, <-consumed)
}

// sentMessages is a broker that knows what became of the messages it took.
type sentMessages struct {
	queue.Broker
	open sync.WaitGroup

	mu     sync.Mutex
	failed error // of the first dead letter
}

func (s *sentMessages) Publish(ctx context.Context, m queue.Message) error {
	s.open.Add(1)
	err := s.Broker.Publish(ctx, m)
	if err != nil {
		s.open.Done()
	}
	return err
}

func (s *sentMessages) settle(e queue.Event) {
	switch e.Outcome {
	case queue.Dead:
		s.mu.Lock()
		if s.failed == nil {
			s.failed = e.Err
		}
		s.mu.Unlock()
		s.open.Done()
	case queue.Done:
		s.open.Done()
	}
}

// wait returns when every message is done, or with what one of them died of.
func (s *sentMessages) wait(ctx context.Context) error {
	idle := make(chan struct{})
	go func() { s.open.Wait(); close(idle) }()
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
func Load(ctx context.Context, store egrid.Store, b queue.Broker, source etl.Source, o *etl.Options) (etl.Report, error) {
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
