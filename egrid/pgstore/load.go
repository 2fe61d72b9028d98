package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// sheet is a row of the table sheets.
type sheet struct {
	id     egrid.StageID
	number int64
	status egrid.Status
	spec   driver.SnapshotSpec
	layout layout
}

func (sh *sheet) table() string { return tableOf(sh.spec.Level, sh.spec.Year, sh.number) }

// staging is the status of a sheet that is no snapshot yet; the others are
// those of snapshots.
const staging egrid.Status = "staging"

// settled reports whether the sheet is a snapshot, held or not.
func (sh *sheet) settled() bool { return sh.status != staging }

// shown reports whether the sheet is or was published: it has all of its
// indexes, and no chunks any more.
func (sh *sheet) shown() bool {
	return sh.status == egrid.Published || sh.status == egrid.Superseded
}

// How find keeps a sheet from others. A Put goes with other Puts, but not with
// what settles the stage.
const (
	forPut    = "FOR KEY SHARE"
	forSettle = "FOR UPDATE"
)

// find reads and locks a sheet. The error wraps ErrNotFound when there is none.
func (s *Store) find(ctx context.Context, tx pgx.Tx, id egrid.StageID, lock string) (*sheet, error) {
	sh := &sheet{id: id}
	var spec string
	err := tx.QueryRow(ctx, "SELECT number, status, typed, spec FROM "+s.name("sheets")+" WHERE id = $1 "+lock, string(id)).
		Scan(&sh.number, &sh.status, &sh.layout.typed, &spec)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, id)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(spec), &sh.spec); err != nil {
		return nil, err
	}
	sh.layout.schema, sh.layout.year = sh.spec.Schema, sh.spec.Year
	sh.layout.table = s.name(sh.table())
	return sh, nil
}

// Stage implements [driver.Loader].
func (s *Store) Stage(ctx context.Context, spec driver.SnapshotSpec) (egrid.StageID, error) {
	if err := spec.Check(); err != nil {
		return "", err
	}
	for _, c := range spec.Schema.Columns() {
		if !storable(string(c)) {
			return "", fmt.Errorf("%w: the column name %q is no text that PostgreSQL can hold", egrid.ErrInvalid, c)
		}
	}
	id := spec.ID()
	return id, s.update(ctx, func(tx pgx.Tx) error {
		if err := s.stateFirst(ctx, tx); err != nil {
			return err
		}
		if err := s.dropAbandoned(ctx, tx); err != nil {
			return err
		}
		if err := s.sweep(ctx, tx); err != nil {
			return err
		}
		sh, err := s.create(ctx, tx, id, spec)
		if err != nil || sh == nil {
			return err
		}
		// Behind the insertion, which waits for whoever is just settling the stage.
		known, err := s.needsNoStage(ctx, tx, id)
		if err != nil || !known {
			return err
		}
		return s.drop(ctx, tx, sh)
	})
}

func (s *Store) needsNoStage(ctx context.Context, tx pgx.Tx, id egrid.StageID) (bool, error) {
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return false, err
	}
	return driver.NeedsNoStage(catalog.Catalog, id), nil
}

// create makes a sheet and its table, unindexed and no partition yet. It
// returns nil when there is such a sheet; whoever makes it first is waited for.
func (s *Store) create(ctx context.Context, tx pgx.Tx, id egrid.StageID, spec driver.SnapshotSpec) (*sheet, error) {
	text, err := json.Marshal(spec)
	typed := typedColumns(spec.Level, spec.Schema)
	if err != nil {
		return nil, err
	}
	sh := &sheet{id: id, status: staging, spec: spec, layout: layout{year: spec.Year, schema: spec.Schema, typed: typed}}
	err = tx.QueryRow(ctx, "INSERT INTO "+s.name("sheets")+" (id, level, data_year, release, status, typed, spec) VALUES ($1, $2, $3, $4, 'staging', $5, $6) ON CONFLICT (id) DO NOTHING RETURNING number",
		string(id), string(spec.Level), spec.Year, spec.Release, typed, string(text)).Scan(&sh.number)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sh.layout.table = s.name(sh.table())
	// The checks let PostgreSQL attach the table without reading it, and skip
	// it in queries for other years.
	_, err = tx.Exec(ctx, fmt.Sprint("CREATE TABLE ", sh.layout.table, " (LIKE ", s.name(parentOf(spec.Level)), ", CHECK (snapshot = ", sh.number, "), CHECK (data_year = ", spec.Year, "))"))
	return sh, err
}

// dropAbandoned drops the stages of loads that died. The server's clock alone
// says how old they are: it wrote their times, and clients' clocks differ.
func (s *Store) dropAbandoned(ctx context.Context, tx pgx.Tx) error {
	if s.options.StageLifetime < 0 {
		return nil
	}
	const before = "now() - $1::bigint * interval '1 microsecond'"
	rows, err := tx.Query(ctx, "SELECT id FROM "+s.name("sheets")+" s WHERE status = 'staging' AND touched_at < "+before+" AND NOT EXISTS (SELECT 1 FROM "+
		s.name("chunks")+" c WHERE c.sheet = s.number AND c.put_at >= "+before+") FOR UPDATE SKIP LOCKED", s.options.StageLifetime.Microseconds())
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, id := range ids {
		sh, err := s.find(ctx, tx, egrid.StageID(id), forSettle)
		if err != nil {
			return err
		}
		if err := s.drop(ctx, tx, sh); err != nil {
			return err
		}
	}
	return nil
}

// drop removes a sheet, its chunks and its table.
func (s *Store) drop(ctx context.Context, tx pgx.Tx, sh *sheet) error {
	for _, statement := range []string{"DELETE FROM " + s.name("chunks") + " WHERE sheet = $1", "DELETE FROM " + s.name("sheets") + " WHERE number = $1"} {
		if _, err := tx.Exec(ctx, statement, sh.number); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+sh.layout.table)
	return err
}

// insertChunk keeps the tally of a chunk, once.
func (s *Store) insertChunk() string {
	return "INSERT INTO " + s.name("chunks") + " (sheet, chunk, rows, tally) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
}

// Put implements [driver.Loader].
func (s *Store) Put(ctx context.Context, id egrid.StageID, c driver.Chunk) (driver.Change, error) {
	if err := checkTexts(c.Rows); err != nil {
		return driver.Change{}, err
	}
	tally, err := json.Marshal(driver.TallyOf(c))
	if err != nil {
		return driver.Change{}, err
	}
	var change driver.Change
	err = s.update(ctx, func(tx pgx.Tx) error {
		change = driver.Change{}
		sh, err := s.find(ctx, tx, id, forPut)
		if errors.Is(err, egrid.ErrNotFound) {
			known, readErr := s.needsNoStage(ctx, tx, id)
			if change.Duplicate = known; known || readErr != nil {
				return readErr
			}
		}
		if err != nil {
			return err
		}
		if sh.settled() {
			change.Duplicate = true
			return nil
		}
		if err := c.Check(&sh.spec); err != nil {
			return err
		}
		// Of two that put the same chunk at once, the second waits here.
		tag, err := tx.Exec(ctx, s.insertChunk(), sh.number, c.Index, c.Rows.Len(), string(tally))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			change.Duplicate = true
			return nil
		}
		change.Rows = int64(c.Rows.Len())
		return s.copyRows(ctx, tx, sh, c.Rows)
	})
	if err != nil {
		return driver.Change{}, err
	}
	return change, nil
}

// Discard implements [driver.Loader].
func (s *Store) Discard(ctx context.Context, id egrid.StageID) error {
	return s.update(ctx, func(tx pgx.Tx) error {
		if err := s.lock(ctx, tx, 0); err != nil {
			return err
		}
		if err := s.stateFirst(ctx, tx); err != nil {
			return err
		}
		sh, err := s.find(ctx, tx, id, forSettle)
		if err != nil {
			return err
		}
		if sh.shown() {
			return fmt.Errorf("%w: no stage %s; it is %s", egrid.ErrNotFound, id, sh.status)
		}
		if err := s.drop(ctx, tx, sh); err != nil {
			return err
		}
		return s.touchCatalog(ctx, tx)
	})
}
