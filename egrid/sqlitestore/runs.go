package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

var (
	_ driver.RunLog    = (*Store)(nil)
	_ driver.Schedules = (*Store)(nil)
)

// runSchema adds the log of runs and the schedules to any file of our version,
// as failureSchema does. Times are microseconds since 1970. The column run is
// the whole; the others are for order, and for people.
const runSchema = `
CREATE TABLE IF NOT EXISTS runs (
	id TEXT PRIMARY KEY, status TEXT NOT NULL, started_by TEXT NOT NULL, host TEXT NOT NULL, trace_id TEXT NOT NULL,
	started_at INTEGER NOT NULL, ended_at INTEGER, heard_at INTEGER NOT NULL,
	rows_read INTEGER NOT NULL, rows_loaded INTEGER NOT NULL, rows_rejected INTEGER NOT NULL, chunks INTEGER NOT NULL, failures INTEGER NOT NULL,
	run TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_started ON runs (started_at DESC, id DESC);
CREATE TABLE IF NOT EXISTS schedules (name TEXT PRIMARY KEY, due_at INTEGER, asked INTEGER NOT NULL, answered INTEGER NOT NULL) WITHOUT ROWID;
`

// SaveRun implements [driver.RunLog].
func (s *Store) SaveRun(ctx context.Context, r driver.Run) error {
	if r.ID == "" {
		return fmt.Errorf("%w: the run has no id", egrid.ErrInvalid)
	}
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%w: run %s: %w", egrid.ErrInvalid, r.ID, err)
	}
	var ended *int64
	if r.Ended != nil {
		ended = new(r.Ended.UnixMicro())
	}
	return s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO runs (id, status, started_by, host, trace_id, started_at, ended_at, heard_at,
			rows_read, rows_loaded, rows_rejected, chunks, failures, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Status, r.Trigger, r.Host, r.TraceID, r.Started.UnixMicro(), ended, time.Now().UnixMicro(),
			r.Read, r.Loaded, r.Rejected, r.Chunks, r.Failures, string(doc)); err != nil || s.options.KeepRuns < 0 {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE id IN (SELECT id FROM runs ORDER BY started_at DESC, id DESC LIMIT -1 OFFSET ?)", s.options.KeepRuns)
		return err
	})
}

// SavedRun implements [driver.RunLog].
func (s *Store) SavedRun(ctx context.Context, id string) (driver.Run, error) {
	var r driver.Run
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		r, err = scanRun(tx.QueryRowContext(ctx, "SELECT run, heard_at FROM runs WHERE id = ?", id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return r, fmt.Errorf("%w: no run %q, or none that is kept", egrid.ErrNotFound, id)
	}
	return r, err
}

// SavedRuns implements [driver.RunLog].
func (s *Store) SavedRuns(ctx context.Context, limit int) ([]driver.Run, error) {
	runs := []driver.Run{}
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT run, heard_at FROM runs ORDER BY started_at DESC, id DESC LIMIT ?", max(limit, 0))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanRun(rows)
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return rows.Err()
	})
	return runs, err
}

func scanRun(row interface{ Scan(...any) error }) (driver.Run, error) {
	var r driver.Run
	var doc string
	var heard int64
	if err := row.Scan(&doc, &heard); err != nil {
		return r, err
	}
	err := json.Unmarshal([]byte(doc), &r)
	at := time.UnixMicro(heard)
	return r.Heard(at, time.Since(at)), err
}

// Schedule implements [driver.Schedules].
func (s *Store) Schedule(ctx context.Context, name string) (driver.ScheduleState, error) {
	var state driver.ScheduleState
	err := s.view(ctx, func(tx *sql.Tx) error {
		var due sql.NullInt64
		err := tx.QueryRowContext(ctx, "SELECT due_at, asked, answered FROM schedules WHERE name = ?", name).Scan(&due, &state.Asked, &state.Answered)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if due.Valid {
			state.Due = time.UnixMicro(due.Int64).UTC()
		}
		return err
	})
	return state, err
}

// AskRun implements [driver.Schedules].
func (s *Store) AskRun(ctx context.Context, name string) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO schedules (name, asked, answered) VALUES (?, 1, 0) ON CONFLICT (name) DO UPDATE SET asked = asked + 1", name)
		return err
	})
}

// Attend implements [driver.Schedules].
func (s *Store) Attend(ctx context.Context, name string, to driver.ScheduleState) error {
	var due *int64
	if !to.Due.IsZero() {
		due = new(to.Due.UnixMicro())
	}
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO schedules (name, due_at, asked, answered) VALUES (?, ?, 0, ?) ON CONFLICT (name) DO UPDATE SET
			due_at = coalesce(max(due_at, excluded.due_at), due_at, excluded.due_at), answered = max(answered, excluded.answered)`, name, due, to.Answered)
		return err
	})
}

// Lead implements [driver.Schedules] among the users of this Store: of several
// processes on one file, each leads.
func (s *Store) Lead(ctx context.Context, name string) (context.Context, func(), error) {
	if s.closed.Load() {
		return nil, nil, egrid.ErrClosed
	}
	return s.leaders.Lead(ctx, name)
}
