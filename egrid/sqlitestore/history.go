package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/sqlstore"
)

// Restore implements [driver.History].
func (s *Store) Restore(ctx context.Context, id egrid.SnapshotID) (egrid.Snapshot, error) {
	var restored egrid.Snapshot
	err := s.update(ctx, func(tx *sql.Tx) error {
		catalog, err := s.readCatalog(ctx, tx)
		if err != nil {
			return err
		}
		snap, ok := sqlstore.Shown(catalog.Catalog, id)
		if !ok {
			return fmt.Errorf("%w: no snapshot %s was published here, or it was pruned", egrid.ErrNotFound, id)
		}
		if snap.Status == egrid.Published {
			restored = snap
			return nil
		}
		report, err := s.switchTo(ctx, tx, catalog, snap)
		restored = report.Snapshot
		return err
	})
	return restored, err
}

// Prune implements [driver.History]. Pages of the file that it frees are used
// again by the next load.
func (s *Store) Prune(ctx context.Context, r driver.PruneRequest) ([]egrid.Snapshot, error) {
	var pruned []egrid.Snapshot
	err := s.update(ctx, func(tx *sql.Tx) (err error) {
		pruned, err = s.prune(ctx, tx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pruned, nil
}

func (s *Store) prune(ctx context.Context, tx *sql.Tx, r driver.PruneRequest) ([]egrid.Snapshot, error) {
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return nil, err
	}
	expired := driver.Expired(catalog.Catalog, r, time.Now(), func(snap egrid.Snapshot) time.Time { return catalog.since[snap.ID] })
	if len(expired) == 0 {
		return nil, nil
	}
	for _, snap := range expired {
		if err := drop(ctx, tx, snap.Stage); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO pruned (id) VALUES (?)", snap.ID); err != nil {
			return nil, err
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM pruned WHERE number NOT IN (SELECT number FROM pruned ORDER BY number DESC LIMIT ?)", sqlstore.Tombstones); err != nil {
		return nil, err
	}
	return expired, touchCatalog(ctx, tx)
}
