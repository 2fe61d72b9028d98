package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

var (
	_ driver.RunLog    = (*Store)(nil)
	_ driver.Schedules = (*Store)(nil)
)

// SaveRun implements [driver.RunLog].
func (s *Store) SaveRun(ctx context.Context, r driver.Run) error {
	if r.ID == "" {
		return fmt.Errorf("%w: the run has no id", egrid.ErrInvalid)
	}
	doc, err := json.Marshal(r) // which has no NUL and is valid UTF-8, whatever the run has
	if err != nil {
		return fmt.Errorf("%w: run %s: %w", egrid.ErrInvalid, r.ID, err)
	}
	return s.update(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO "+s.name("runs")+` (id, status, started_by, host, trace_id, started_at, ended_at, heard_at,
			rows_read, rows_loaded, rows_rejected, chunks, failures, run) VALUES ($1, $2, $3, $4, $5, $6, $7, now(), $8, $9, $10, $11, $12, $13)
			ON CONFLICT (id) DO UPDATE SET status = excluded.status, started_by = excluded.started_by, host = excluded.host, trace_id = excluded.trace_id,
			started_at = excluded.started_at, ended_at = excluded.ended_at, heard_at = excluded.heard_at, rows_read = excluded.rows_read,
			rows_loaded = excluded.rows_loaded, rows_rejected = excluded.rows_rejected, chunks = excluded.chunks, failures = excluded.failures, run = excluded.run`,
			r.ID, string(r.Status), string(r.Trigger), r.Host, r.TraceID, r.Started, r.Ended, r.Read, r.Loaded, r.Rejected, r.Chunks, r.Failures, string(doc)); err != nil || s.options.KeepRuns < 0 {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM "+s.name("runs")+" WHERE id IN (SELECT id FROM "+s.name("runs")+" ORDER BY started_at DESC, id DESC OFFSET $1)", s.options.KeepRuns)
		return err
	})
}

// The log is read where it is written: by a replica that lags, a run that goes
// on would look as if it had died.
func (s *Store) look(ctx context.Context, f func(pgx.Tx) error) error {
	if s.closed.Load() {
		return egrid.ErrClosed
	}
	var err error
	for attempt := range attempts {
		err = transact(ctx, s.write, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadOnly}, f)
		if err == nil || !worthRetry(err) && !worthReadingAgain(err) || !pause(ctx, attempt) {
			break
		}
	}
	return s.translate(s.write, err)
}

const runColumns = "run, heard_at, extract(epoch FROM clock_timestamp() - heard_at)::float8"

func scanRun(row pgx.CollectableRow) (driver.Run, error) {
	var r driver.Run
	var doc string
	var heard time.Time
	var silence float64 // seconds, by the server's clock
	if err := row.Scan(&doc, &heard, &silence); err != nil {
		return r, err
	}
	err := json.Unmarshal([]byte(doc), &r)
	return r.Heard(heard, time.Duration(silence*float64(time.Second))), err
}

// SavedRun implements [driver.RunLog].
func (s *Store) SavedRun(ctx context.Context, id string) (driver.Run, error) {
	var runs []driver.Run
	if !strings.Contains(id, "\x00") {
		err := s.look(ctx, func(tx pgx.Tx) (err error) {
			runs, err = collectRuns(ctx, tx, "SELECT "+runColumns+" FROM "+s.name("runs")+" WHERE id = $1", strings.ToValidUTF8(id, "\uFFFD"))
			return err
		})
		if err != nil {
			return driver.Run{}, err
		}
	}
	if len(runs) == 0 {
		return driver.Run{}, fmt.Errorf("%w: no run %q, or none that is kept", egrid.ErrNotFound, id)
	}
	return runs[0], nil
}

// SavedRuns implements [driver.RunLog].
func (s *Store) SavedRuns(ctx context.Context, limit int) ([]driver.Run, error) {
	var runs []driver.Run
	err := s.look(ctx, func(tx pgx.Tx) (err error) {
		runs, err = collectRuns(ctx, tx, "SELECT "+runColumns+" FROM "+s.name("runs")+" ORDER BY started_at DESC, id DESC LIMIT $1", max(limit, 0))
		return err
	})
	return runs, err
}

func collectRuns(ctx context.Context, tx pgx.Tx, query string, arg any) ([]driver.Run, error) {
	rows, err := tx.Query(ctx, query, arg)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRun)
}

// Schedule implements [driver.Schedules].
func (s *Store) Schedule(ctx context.Context, name string) (driver.ScheduleState, error) {
	var state driver.ScheduleState
	err := s.look(ctx, func(tx pgx.Tx) error {
		var due *time.Time
		err := tx.QueryRow(ctx, "SELECT due_at, asked, answered FROM "+s.name("schedules")+" WHERE name = $1", name).Scan(&due, &state.Asked, &state.Answered)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if due != nil {
			state.Due = due.UTC()
		}
		return err
	})
	return state, err
}

// AskRun implements [driver.Schedules].
func (s *Store) AskRun(ctx context.Context, name string) error {
	return s.update(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO "+s.name("schedules")+" AS s (name, asked) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET asked = s.asked + 1", name)
		return err
	})
}

// Attend implements [driver.Schedules].
func (s *Store) Attend(ctx context.Context, name string, to driver.ScheduleState) error {
	var due *time.Time
	if !to.Due.IsZero() {
		due = &to.Due
	}
	return s.update(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO "+s.name("schedules")+` AS s (name, due_at, answered) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET
			due_at = greatest(s.due_at, excluded.due_at), answered = greatest(s.answered, excluded.answered)`, name, due, to.Answered)
		return err
	})
}
