package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// sheet is a row of the table sheets.
type sheet struct {
	id     egrid.StageID
	status egrid.Status
	spec   driver.SnapshotSpec
}

// staging is the status of a sheet that is no snapshot yet; the others are those
// of snapshots.
const staging egrid.Status = "staging"

// shown reports whether the sheet is or was published.
func (sh *sheet) shown() bool { return sh.status == egrid.Published || sh.status == egrid.Superseded }

// find reads a sheet. The error wraps ErrNotFound when there is none.
func find(ctx context.Context, tx *sql.Tx, id egrid.StageID) (*sheet, error) {
	s := &sheet{id: id}
	var spec string
	err := tx.QueryRowContext(ctx, "SELECT status, spec FROM sheets WHERE id = ?", id).Scan(&s.status, &spec)
	if errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, id)
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(spec), &s.spec)
}

// Stage implements [driver.Loader].
func (s *Store) Stage(ctx context.Context, spec driver.SnapshotSpec) (egrid.StageID, error) {
	if err := spec.Check(); err != nil {
		return "", err
	}
	id := spec.ID()
	return id, s.change(ctx, undurable, func(tx *sql.Tx) error {
		if err := s.dropAbandoned(ctx, tx); err != nil {
			return err
		}
		_, err := find(ctx, tx, id)
		if !errors.Is(err, egrid.ErrNotFound) {
			return err
		}
		catalog, err := s.readCatalog(ctx, tx)
		if err != nil || driver.NeedsNoStage(catalog.Catalog, id) {
			return err
		}
		return create(ctx, tx, id, spec)
	})
}

// create makes a sheet and its table.
func create(ctx context.Context, tx *sql.Tx, id egrid.StageID, spec driver.SnapshotSpec) error {
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, createTable(id, spec.Schema)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO sheets (id, level, year, release, status, spec, touched_at) VALUES (?, ?, ?, ?, 'staging', ?, unixepoch())",
		id, spec.Level, spec.Year, spec.Release, string(text))
	return err
}

// dropAbandoned drops the stages of loads that died. Only SQLite's clock writes
// and compares touched_at.
func (s *Store) dropAbandoned(ctx context.Context, tx *sql.Tx) error {
	if s.options.StageLifetime < 0 {
		return nil
	}
	ids, err := column(ctx, tx, "SELECT id FROM sheets WHERE status = 'staging' AND touched_at < unixepoch() - ?", int64(s.options.StageLifetime.Seconds()))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := drop(ctx, tx, egrid.StageID(id)); err != nil {
			return err
		}
	}
	return nil
}

// drop removes a sheet, its chunks and its table.
func drop(ctx context.Context, tx *sql.Tx, id egrid.StageID) error {
	for _, statement := range []string{"DELETE FROM sheets WHERE id = ?", "DELETE FROM chunks WHERE sheet = ?"} {
		if _, err := tx.ExecContext(ctx, statement, id); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS "+tableOf(id))
	return err
}

// insertChunk keeps the tally of a chunk, once.
const insertChunk = "INSERT INTO chunks VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

// Put implements [driver.Loader].
func (s *Store) Put(ctx context.Context, id egrid.StageID, c driver.Chunk) (driver.Change, error) {
	tally, err := json.Marshal(driver.TallyOf(c))
	if err != nil {
		return driver.Change{}, err
	}
	var change driver.Change
	err = s.change(ctx, undurable, func(tx *sql.Tx) error {
		sh, err := find(ctx, tx, id)
		if errors.Is(err, egrid.ErrNotFound) {
			catalog, readErr := s.readCatalog(ctx, tx)
			if readErr != nil {
				return readErr
			}
			if change.Duplicate = driver.NeedsNoStage(catalog.Catalog, id); change.Duplicate {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if sh.status != staging {
			change.Duplicate = true
			return nil
		}
		if err := c.Check(&sh.spec); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, insertChunk, id, c.Index, string(tally))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			change.Duplicate = true
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE sheets SET touched_at = unixepoch() WHERE id = ?", id); err != nil {
			return err
		}
		change.Rows = int64(c.Rows.Len())
		return insert(ctx, tx, id, c.Rows)
	})
	if err != nil {
		return driver.Change{}, err
	}
	return change, nil
}

// Discard implements [driver.Loader].
func (s *Store) Discard(ctx context.Context, id egrid.StageID) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		sh, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if sh.shown() {
			return fmt.Errorf("%w: no stage %s; it is %s", egrid.ErrNotFound, id, sh.status)
		}
		if err := drop(ctx, tx, id); err != nil {
			return err
		}
		return touchCatalog(ctx, tx)
	})
}
