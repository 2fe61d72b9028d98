package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

var _ driver.FailureLog = (*Store)(nil)

const failureColumns = "kind, count, first_at, last_at, latest_id, latest_where, latest_message"

// RecordFailure implements [driver.FailureLog].
func (s *Store) RecordFailure(ctx context.Context, f driver.Failure) (bool, error) {
	f, err := f.Normalize()
	if err != nil {
		return false, err
	}
	added := false
	err = s.update(ctx, func(tx pgx.Tx) error {
		added, err = s.recordFailure(ctx, tx, f)
		return err
	})
	return added && err == nil, err
}

// recordFailure takes the lock on the kind's row, so that recorders of one kind
// take turns.
func (s *Store) recordFailure(ctx context.Context, tx pgx.Tx, f driver.Failure) (bool, error) {
	if _, err := tx.Exec(ctx, "INSERT INTO "+s.name("failures")+" ("+failureColumns+") VALUES ($1, 0, $2, $2, '', '', '') ON CONFLICT DO NOTHING", f.Kind, f.Time); err != nil {
		return false, err
	}
	c, err := scanFailures(tx.QueryRow(ctx, "SELECT "+failureColumns+" FROM "+s.name("failures")+" WHERE kind = $1 FOR UPDATE", f.Kind))
	if err != nil {
		return false, err
	}
	c = c.With(f)
	tag, err := tx.Exec(ctx, "INSERT INTO "+s.name("failure_ids")+" (kind, id, number) VALUES ($1, $2, $3) ON CONFLICT (kind, id) DO NOTHING", f.Kind, f.ID, c.Count)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	if _, err := tx.Exec(ctx, "UPDATE "+s.name("failures")+` SET count = $2, first_at = $3, last_at = $4, latest_id = $5, latest_where = $6, latest_message = $7
		WHERE kind = $1`, c.Kind, c.Count, c.First, c.Last, c.Latest.ID, c.Latest.Where, c.Latest.Message); err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, "DELETE FROM "+s.name("failure_ids")+" WHERE kind = $1 AND number <= $2", f.Kind, c.Count-driver.RecentFailures)
	return true, err
}

// scanFailures reads the row of a kind.
func scanFailures(row pgx.Row) (driver.FailureCount, error) {
	var c driver.FailureCount
	err := row.Scan(&c.Kind, &c.Count, &c.First, &c.Last, &c.Latest.ID, &c.Latest.Where, &c.Latest.Message)
	c.First, c.Last = c.First.UTC(), c.Last.UTC()
	c.Latest.Kind, c.Latest.Time = c.Kind, c.Last
	return c, err
}

// Failures implements [driver.FailureLog].
func (s *Store) Failures(ctx context.Context) ([]driver.FailureCount, error) {
	var counts []driver.FailureCount
	err := s.view(ctx, func(tx pgx.Tx, _ *cachedCatalog) error {
		counts = nil // of an attempt before
		rows, err := tx.Query(ctx, "SELECT "+failureColumns+" FROM "+s.name("failures"))
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
