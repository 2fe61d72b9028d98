package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// DiffQuery names two snapshots of one level.
type DiffQuery struct {
	Level egrid.Level
	Year  int // data year; 0 is the newest in which To is published
	// From and To are releases (v1, rev2, none for the unmarked one) or ids of
	// snapshots that are or were published. An empty To is the newest release.
	From, To string
}

// Diff is what a snapshot has otherwise than another one.
type Diff struct {
	From, To egrid.Snapshot
	driver.Difference
	Changes  []driver.CellChange // every cell that differs, see driver.CompareChanges
	Revision int64
}

var snapshotID = regexp.MustCompile(`^[0-9a-f]{24}$`)

// Diff compares two snapshots row by row, through the identifiers of the rows, as
// the gate does before it publishes. It keeps the cells that differ in memory.
// Errors: [egrid.ErrInvalid], [egrid.ErrNotFound] for what is not published,
// [egrid.ErrStale] for a snapshot that was pruned.
func (db *DB) Diff(ctx context.Context, q DiffQuery) (Diff, error) {
	v, err := db.view(ctx)
	if err != nil {
		return Diff{}, err
	}
	d := Diff{Revision: v.catalog.Revision}
	if q.From == "" {
		return d, fmt.Errorf("%w: nothing says what to compare with: name a release, none for the unmarked one, or the id of a snapshot", egrid.ErrInvalid)
	}
	if d.To, err = v.snapshot(q.Level, q.Year, q.To); err != nil {
		return d, err
	}
	if d.From, err = v.snapshot(q.Level, d.To.Year, q.From); err != nil {
		return d, err
	}
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

// snapshot finds a snapshot by its release or its id.
func (v view) snapshot(level egrid.Level, year int, name string) (egrid.Snapshot, error) {
	if snapshotID.MatchString(name) {
		pinned, err := driver.Pin(v.catalog, egrid.SnapshotID(name))
		if err != nil {
			return egrid.Snapshot{}, err
		}
		s := pinned.Snapshots[0]
		if s.Level != level {
			return s, fmt.Errorf("%w: snapshot %s is of level %s, not %s", egrid.ErrInvalid, name, s.Level, level)
		}
		return s, nil
	}
	found, err := driver.SelectSnapshots(v.catalog, level, year, name)
	if err != nil {
		return egrid.Snapshot{}, err
	}
	if len(found) == 0 {
		return egrid.Snapshot{}, fmt.Errorf("%w: no %s sheet is published", egrid.ErrNotFound, level)
	}
	return found[0], nil
}
