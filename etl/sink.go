package etl

import (
	"context"
	"errors"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Sink takes decoded chunks and completes snapshots. Its methods are safe for
// concurrent use.
type Sink interface {
	// Put takes a chunk of a snapshot. The same chunk twice is once.
	Put(ctx context.Context, spec driver.SnapshotSpec, c driver.Chunk) error
	// Publish audits a complete snapshot and makes it the answer, or holds it.
	Publish(ctx context.Context, spec driver.SnapshotSpec, r driver.PublishRequest) (driver.PublishReport, error)
}

// answeringSink is a sink whose store can be asked what was published. db
// returns nil where it cannot.
type answeringSink interface{ db() *store.DB }

// ToLoader is the sink that writes into a store.
func ToLoader(l driver.Loader) Sink { return loaderSink{l} }

type loaderSink struct{ driver.Loader }

func (s loaderSink) Put(ctx context.Context, spec driver.SnapshotSpec, c driver.Chunk) error {
	_, err := s.Loader.Put(ctx, spec.ID(), c)
	if errors.Is(err, egrid.ErrNotFound) { // the first chunk opens the stage
		if _, err := s.Stage(ctx, spec); err != nil {
			return err
		}
		_, err = s.Loader.Put(ctx, spec.ID(), c)
	}
	return err
}

func (s loaderSink) db() *store.DB {
	if scanner, ok := s.Loader.(driver.Scanner); ok {
		return store.New(scanner)
	}
	return nil
}

func (s loaderSink) Publish(ctx context.Context, spec driver.SnapshotSpec, r driver.PublishRequest) (driver.PublishReport, error) {
	return s.Loader.Publish(ctx, spec.ID(), r)
}
