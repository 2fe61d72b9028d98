package service

import (
	"context"
	"errors"
	"log/slog"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
)

// WithSink runs f with a sink into the store. Without a broker chunks are written
// directly. With one they go through it, to a consumer that runs here as long as
// f does; what is left then is for other consumers.
func WithSink(ctx context.Context, store driver.Store, b queue.Broker, log *slog.Logger, f func(context.Context, etl.Sink) error) error {
	if b == nil {
		return f(ctx, etl.ToLoader(store))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	consumed := make(chan error, 1)
	go func() {
		defer stop() // nobody is left to take what f sends
		consumed <- queue.Consume(ctx, b, queue.QueueDatabase, etl.DatabaseHandler(store), &queue.ConsumeOptions{Logger: log})
	}()
	err := f(ctx, etl.ToQueue(b, store))
	stop()
	return errors.Join(err, <-consumed)
}

// Load takes a source through all stages into the store, by way of the broker if there is
// one.
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
