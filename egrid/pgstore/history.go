package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/sqlstore"
)

// Restore implements [driver.History].
func (s *Store) Restore(ctx context.Context, id egrid.SnapshotID) (egrid.Snapshot, error) {
	var restored egrid.Snapshot
	err := s.update(ctx, func(tx pgx.Tx) error {
		if err := s.lock(ctx, tx, 0); err != nil {
			return err
		}
		catalog, err := s.readCatalog(ctx, tx)
		if err != nil {
			return err
		}
		snap, ok := sqlstore.Shown(catalog.Catalog, id)
		switch {
		case !ok:
			return fmt.Errorf("%w: no snapshot %s was published here, or it was pruned", egrid.ErrNotFound, id)
		case snap.Status == egrid.Published:
			restored = snap
			return nil
		}
		report, err := s.switchTo(ctx, tx, catalog, snap)
		restored = report.Snapshot
		return err
	})
	return restored, err
}

// Prune implements [driver.History]. The rows of a pruned snapshot leave the
// disk once nobody reads them; new readers do not find it.
func (s *Store) Prune(ctx context.Context, r driver.PruneRequest) ([]egrid.Snapshot, error) {
	var pruned []egrid.Snapshot
	err := s.update(ctx, func(tx pgx.Tx) (err error) {
		if err = s.lock(ctx, tx, 0); err == nil {
			pruned, err = s.prune(ctx, tx, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return pruned, nil
}

func (s *Store) prune(ctx context.Context, tx pgx.Tx, r driver.PruneRequest) ([]egrid.Snapshot, error) {
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return nil, err
	}
	var now time.Time // by the clock that superseded_at is written by
	if err := tx.QueryRow(ctx, "SELECT now()").Scan(&now); err != nil {
		return nil, err
	}
	expired := driver.Expired(catalog.Catalog, r, now, func(snap egrid.Snapshot) time.Time { return catalog.since[snap.ID] })
	if len(expired) == 0 {
		return nil, s.sweep(ctx, tx)
	}
	for i := range expired {
		snap := &expired[i]
		sh, err := s.find(ctx, tx, snap.Stage, forSettle)
		if err != nil {
			return nil, err
		}
		for _, statement := range []string{
			fmt.Sprint("INSERT INTO ", s.name("dropped_tables"), " (name) VALUES ('", sh.table(), "')"),
			fmt.Sprint("DELETE FROM ", s.name("sheets"), " WHERE number = ", sh.number),
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return nil, err
			}
		}
		if _, err := tx.Exec(ctx, "INSERT INTO "+s.name("pruned")+" (id) VALUES ($1)", string(snap.ID)); err != nil {
			return nil, err
		}
	}
	if _, err := tx.Exec(ctx, fmt.Sprint("DELETE FROM ", s.name("pruned"), " WHERE number NOT IN (SELECT number FROM ", s.name("pruned"), " ORDER BY number DESC LIMIT ", sqlstore.Tombstones, ")")); err != nil {
		return nil, err
	}
	if err := s.touchCatalog(ctx, tx); err != nil {
		return nil, err
	}
	return expired, s.sweep(ctx, tx)
}

// sweep drops the tables of pruned snapshots that nobody is reading; the others
// are left to a later call. It waits for no lock.
func (s *Store) sweep(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "SELECT name FROM "+s.name("dropped_tables")+" FOR UPDATE SKIP LOCKED")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.dropUnread(ctx, tx, name); err != nil && codeOf(err) != lockNotAvailable {
			return err
		}
	}
	return nil
}

// dropUnread works in a savepoint: the transaction goes on when it fails.
func (s *Store) dropUnread(ctx context.Context, tx pgx.Tx, name string) error {
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprint("LOCK TABLE ", s.name(name), " IN ACCESS EXCLUSIVE MODE NOWAIT"),
		fmt.Sprint("DROP TABLE ", s.name(name)),
		fmt.Sprint("DELETE FROM ", s.name("dropped_tables"), " WHERE name = '", name, "'"),
	} {
		if _, err = savepoint.Exec(ctx, statement); err != nil {
			break
		}
	}
	return finish(ctx, savepoint, err)
}
