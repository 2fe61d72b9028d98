package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

var _ driver.FailureLog = (*Store)(nil)

// failureSchema adds the failure log to any file of our version: programs that
// do not know the tables leave them alone. Times are microseconds since 1970;
// failure_ids has the latest failures of each kind by their number. Deleting a
// kind clears it.
const failureSchema = `
CREATE TABLE IF NOT EXISTS failures (
	kind TEXT PRIMARY KEY, count INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
	latest_id TEXT NOT NULL, latest_where TEXT NOT NULL, latest_message TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failure_ids (
	kind TEXT NOT NULL REFERENCES failures ON DELETE CASCADE, id TEXT NOT NULL, number INTEGER NOT NULL,
	PRIMARY KEY (kind, id), UNIQUE (kind, number)
) WITHOUT ROWID;
`

const failureColumns = "kind, count, first_at, last_at, latest_id, latest_where, latest_message"

// RecordFailure implements [driver.FailureLog].
func (s *Store) RecordFailure(ctx context.Context, f driver.Failure) (bool, error) {
	f, err := f.Normalize()
	if err != nil {
		return false, err
	}
	added := false
	err = s.update(ctx, func(tx *sql.Tx) error {
		added, err = recordFailure(ctx, tx, f)
		return err
	})
	return added && err == nil, err
}

func recordFailure(ctx context.Context, tx *sql.Tx, f driver.Failure) (bool, error) {
	var known bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM failure_ids WHERE kind = ? AND id = ?)", f.Kind, f.ID).Scan(&known); err != nil || known {
		return false, err
	}
	c, err := scanFailures(tx.QueryRowContext(ctx, "SELECT "+failureColumns+" FROM failures WHERE kind = ?", f.Kind))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	c = c.With(f)
	if _, err := tx.ExecContext(ctx, "INSERT INTO failures ("+failureColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind) DO UPDATE SET count = excluded.count, first_at = excluded.first_at, last_at = excluded.last_at,
			latest_id = excluded.latest_id, latest_where = excluded.latest_where, latest_message = excluded.latest_message`,
		c.Kind, c.Count, c.First.UnixMicro(), c.Last.UnixMicro(), c.Latest.ID, c.Latest.Where, c.Latest.Message); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO failure_ids (kind, id, number) VALUES (?, ?, ?)", f.Kind, f.ID, c.Count); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM failure_ids WHERE kind = ? AND number <= ?", f.Kind, c.Count-driver.RecentFailures)
	return true, err
}

// scanFailures reads the row of a kind.
func scanFailures(row interface{ Scan(...any) error }) (driver.FailureCount, error) {
	var c driver.FailureCount
	var first, last int64
	err := row.Scan(&c.Kind, &c.Count, &first, &last, &c.Latest.ID, &c.Latest.Where, &c.Latest.Message)
	c.First, c.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	c.Latest.Kind, c.Latest.Time = c.Kind, c.Last
	return c, err
}

// Failures implements [driver.FailureLog].
func (s *Store) Failures(ctx context.Context) ([]driver.FailureCount, error) {
	var counts []driver.FailureCount
	err := s.transact(ctx, s.read, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT "+failureColumns+" FROM failures")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scanFailures(rows)
			if err != nil {
				return err
			}
			counts = append(counts, c)
		}
		return rows.Err()
	})
	driver.SortFailures(counts)
	return counts, err
}
