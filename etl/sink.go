package etl

import (
	"context"
	"errors"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Sink takes decoded chunks and completes snapshots. Its methods are safe for
// concurrent use.
type Sink interface {
	// Put takes a chunk of a snapshot. The same chunk twice is once.
	Put(ctx context.Context, spec egrid.SnapshotSpec, c egrid.Chunk) error
	// Publish audits a complete snapshot and makes it the answer, or holds it.
	Publish(ctx context.Context, spec egrid.SnapshotSpec, r egrid.PublishRequest) (egrid.PublishReport, error)
}

// answeringSink is a sink whose store can be asked what was published. querier
// returns nil where it cannot.
type answeringSink interface{ querier() egrid.Querier }

// ToLoader is the sink that writes into a store.
func ToLoader(l egrid.Loader) Sink { return loaderSink{l} }

type loaderSink struct{ egrid.Loader }

func (s loaderSink) Put(ctx context.Context, spec egrid.SnapshotSpec, c egrid.Chunk) error {
	_, err := s.Loader.Put(ctx, spec.ID(), c)
	if errors.Is(err, egrid.ErrNotFound) { // the first chunk opens the stage
		if _, err := s.Stage(ctx, spec); err != nil {
			return err
		}
		_, err = s.Loader.Put(ctx, spec.ID(), c)
	}
	return err
}

func (s loaderSink) querier() egrid.Querier {
	q, _ := s.Loader.(egrid.Querier)
	return q
}

func (s loaderSink) Publish(ctx context.Context, spec egrid.SnapshotSpec, r egrid.PublishRequest) (egrid.PublishReport, error) {
	return s.Loader.Publish(ctx, spec.ID(), r)
}
