package sqlstore

import (
	"fmt"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Tombstones is how many ids of pruned snapshots a store keeps.
const Tombstones = 1000

// ErrMadeBefore is the error of making a sheet that there is. It wraps
// [egrid.ErrConflict].
var ErrMadeBefore = fmt.Errorf("%w: the same loads were merged before, with another outcome; prune superseded snapshots and publish again", egrid.ErrConflict)

// Shown returns the published or superseded snapshot of that content.
func Shown(c egrid.Catalog, id egrid.SnapshotID) (egrid.Snapshot, bool) {
	return find(c, func(s *egrid.Snapshot) bool { return s.ID == id && s.Status != egrid.Held })
}

func find(c egrid.Catalog, match func(*egrid.Snapshot) bool) (egrid.Snapshot, bool) {
	for i := range c.Snapshots {
		if match(&c.Snapshots[i]) {
			return c.Snapshots[i], true
		}
	}
	return egrid.Snapshot{}, false
}

// Check returns [egrid.ErrStale] for a snapshot that was pruned, and
// [egrid.ErrNotFound] for one that this copy of the database never had: a replica
// that lags, or a backup that was restored.
func Check(c egrid.Catalog, snapshots []egrid.Snapshot) error {
	for i := range snapshots {
		want := &snapshots[i]
		if _, ok := find(c, func(s *egrid.Snapshot) bool { return s.ID == want.ID }); !ok {
			reason, what := egrid.ErrNotFound, "is not in this database, or not yet"
			if slices.Contains(c.Pruned, want.ID) {
				reason, what = egrid.ErrStale, "was pruned"
			}
			return fmt.Errorf("%w: snapshot %s of %s %d %s; ask for what is published now", reason, want.ID, want.Level, want.Year, what)
		}
	}
	return nil
}
