package store

import (
	"context"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// DiffQuery names two snapshots of one level.
type DiffQuery struct {
	Level egrid.Level
	Year  int // data year; 0 is the newest in which To is published
	// From and To name editions or snapshots, as in [PairQuery]. An empty To is the
	// newest release.
	From, To string
}

// Diff is what a snapshot has otherwise than another one.
type Diff struct {
	From, To egrid.Snapshot
	driver.Difference
	Changes  []driver.CellChange // every cell that differs, see driver.CompareChanges
	Revision int64
}

// Diff compares two snapshots row by row, through the identifiers of the rows, as
// the gate does before it publishes. It keeps the cells that differ in memory.
// Errors: [egrid.ErrInvalid], [egrid.ErrNotFound] for what is not published,
// [egrid.ErrStale] for a snapshot that was pruned.
func (db *DB) Diff(ctx context.Context, q DiffQuery) (Diff, error) {
	v, err := db.view(ctx)
	if err != nil {
		return Diff{}, err
	}
	pair, err := v.pair(PairQuery{Levels: []egrid.Level{q.Level}, Year: q.Year, From: q.From, To: q.To})
	d := Diff{Revision: v.catalog.Revision}
	if err != nil {
		return d, err
	}
	d.From, d.To = pair.From.Snapshots[0], pair.To.Snapshots[0]
	d.Difference, err = driver.Compare(
		driver.Rows{Snapshot: d.From, Batches: driver.ReadSnapshot(ctx, v.scanner, d.From)},
		driver.Rows{Snapshot: d.To, Batches: driver.ReadSnapshot(ctx, v.scanner, d.To)},
		func(c driver.CellChange) error {
			d.Changes = append(d.Changes, c)
			return ctx.Err()
		})
	slices.SortStableFunc(d.Changes, driver.CompareChanges)
	return d, err
}
