package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// sheet is a row of the table sheets.
type sheet struct {
	id     egrid.StageID
	status string
	spec   egrid.SnapshotSpec
}

const (
	staging   = "staging"
	held      = "held"
	published = "published"
)

// find reads a sheet. The error wraps ErrNotFound when there is none.
func find(ctx context.Context, tx *sql.Tx, id egrid.StageID) (sheet, error) {
	s := sheet{id: id}
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

// Stage implements [egrid.Loader].
func (s *Store) Stage(ctx context.Context, spec egrid.SnapshotSpec) (egrid.StageID, error) {
	if err := spec.Check(); err != nil {
		return "", err
	}
	id := spec.ID()
	text, err := json.Marshal(spec)
	if err != nil {
		return "", err
	}
	return id, s.update(ctx, func(tx *sql.Tx) error {
		if err := dropAbandoned(ctx, tx, s.options.StageLifetime); err != nil {
			return err
		}
		_, err := find(ctx, tx, id)
		if !errors.Is(err, egrid.ErrNotFound) {
			return err
		}
		if _, err := tx.ExecContext(ctx, createTable(id, spec.Schema)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO sheets (id, level, year, release, status, spec, touched_at) VALUES (?, ?, ?, ?, 'staging', ?, unixepoch())",
			id, spec.Level, spec.Year, spec.Release, string(text))
		return err
	})
}

// dropAbandoned drops the stages of loads that died. Only SQLite's clock writes
// and compares touched_at.
func dropAbandoned(ctx context.Context, tx *sql.Tx, lifetime time.Duration) error {
	rows, err := tx.QueryContext(ctx, "SELECT id FROM sheets WHERE status = 'staging' AND touched_at < unixepoch() - ?", int64(lifetime.Seconds()))
	if err != nil {
		return err
	}
	defer rows.Close()
	var ids []egrid.StageID
	for rows.Next() {
		var id egrid.StageID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, id := range ids {
		if err := drop(ctx, tx, id); err != nil {
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

// Put implements [egrid.Loader].
func (s *Store) Put(ctx context.Context, id egrid.StageID, c egrid.Chunk) (egrid.Change, error) {
	lossy, err := json.Marshal(c.Lossy)
	if err != nil {
		return egrid.Change{}, err
	}
	findings, err := json.Marshal(c.Findings)
	if err != nil {
		return egrid.Change{}, err
	}
	var change egrid.Change
	err = s.update(ctx, func(tx *sql.Tx) error {
		sh, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if sh.status == published {
			change.Duplicate = true
			return nil
		}
		result, err := tx.ExecContext(ctx, "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			id, c.Index, len(c.Rows), c.Rejected, string(lossy), string(findings))
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
		change.Rows = int64(len(c.Rows))
		return insertRows(ctx, tx, id, sh.spec.Schema, c.Rows)
	})
	if err != nil {
		return egrid.Change{}, err
	}
	return change, nil
}

// parameters is how many values one INSERT binds at most; SQLite allows 32,766.
const parameters = 2000

// insertRows inserts batch by batch, through one prepared statement and
// another for the rows that are left over.
func insertRows(ctx context.Context, tx *sql.Tx, id egrid.StageID, schema *egrid.Schema, rows []egrid.Row) error {
	batch := max(parameters/(schema.Len()+1), 1)
	whole := len(rows) - len(rows)%batch
	if err := insertBatches(ctx, tx, id, schema, rows[:whole], batch); err != nil {
		return err
	}
	return insertBatches(ctx, tx, id, schema, rows[whole:], len(rows)-whole)
}

// insertBatches inserts rows that are a multiple of a batch.
func insertBatches(ctx context.Context, tx *sql.Tx, id egrid.StageID, schema *egrid.Schema, rows []egrid.Row, batch int) error {
	if len(rows) == 0 {
		return nil
	}
	width := schema.Len() + 1
	tuple := "(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	insert, err := tx.PrepareContext(ctx, fmt.Sprint("INSERT INTO ", tableOf(id), " VALUES ", strings.Repeat(tuple+",", batch-1), tuple))
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // the transaction closes it too
	args := make([]any, 0, batch*width)
	for many := range slices.Chunk(rows, batch) {
		args = args[:0]
		for _, row := range many {
			if len(row.Values) != schema.Len() {
				return fmt.Errorf("%w: row %d has %d values where the stage has %d columns", egrid.ErrInvalid, row.Number, len(row.Values), schema.Len())
			}
			args = append(args, row.Number)
			for _, v := range row.Values {
				args = append(args, v.Any())
			}
		}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// Discard implements [egrid.Loader].
func (s *Store) Discard(ctx context.Context, id egrid.StageID) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		sh, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if sh.status == published {
			return fmt.Errorf("%w: no stage %s; it is published", egrid.ErrNotFound, id)
		}
		if err := drop(ctx, tx, id); err != nil {
			return err
		}
		return touchCatalog(ctx, tx)
	})
}

func touchCatalog(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE state SET change = change + 1")
	return err
}

// Publish implements [egrid.Loader].
func (s *Store) Publish(ctx context.Context, id egrid.StageID, r egrid.PublishRequest) (egrid.PublishReport, error) {
	policy, err := egrid.ParsePolicy(string(r.Policy))
	if err != nil {
		return egrid.PublishReport{}, err
	}
	if err := s.index(ctx, id, r); err != nil {
		return egrid.PublishReport{}, err
	}
	var report egrid.PublishReport
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		report, err = s.publish(ctx, tx, id, policy, r)
		return err
	})
	if err != nil {
		return egrid.PublishReport{}, err
	}
	return report, nil
}

// index builds the indexes of a complete stage, in a transaction of its own
// before the switch: it is most of the work, and doing it twice is harmless.
func (s *Store) index(ctx context.Context, id egrid.StageID, r egrid.PublishRequest) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		sh, err := find(ctx, tx, id)
		if err != nil || sh.status == published {
			return err
		}
		if err := complete(ctx, tx, id, sh.status, r); err != nil || r.Rows < indexedRows {
			return err
		}
		for _, statement := range createIndexes(id, sh.spec.Level, sh.spec.Schema) {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return analyze(ctx, tx, id)
	})
}

// analyze tells the query planner about a table, from a sample.
func analyze(ctx context.Context, tx *sql.Tx, id egrid.StageID) error {
	_, err := tx.ExecContext(ctx, "PRAGMA analysis_limit = 1000; ANALYZE "+tableOf(id))
	return err
}

// complete checks that the stage holds what the request says.
func complete(ctx context.Context, tx *sql.Tx, id egrid.StageID, status string, r egrid.PublishRequest) error {
	var chunks int
	var rows int64
	if err := tx.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(rows), 0) FROM chunks WHERE sheet = ?", id).Scan(&chunks, &rows); err != nil {
		return err
	}
	return r.Check(id, status == held, chunks, rows)
}

func (s *Store) publish(ctx context.Context, tx *sql.Tx, id egrid.StageID, policy egrid.Policy, r egrid.PublishRequest) (egrid.PublishReport, error) {
	var none egrid.PublishReport
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return none, err
	}
	sh, err := find(ctx, tx, id)
	if err != nil {
		return none, err
	}
	var live *egrid.Snapshot
	if snap, ok := catalog.Published(sh.spec.Level, sh.spec.Year, sh.spec.Release); ok {
		live = &snap
	}
	if sh.status == published {
		return egrid.PublishReport{Status: egrid.Unchanged, Snapshot: *live}, nil
	}
	if err := complete(ctx, tx, id, sh.status, r); err != nil {
		return none, err
	}
	snap, err := audit(ctx, tx, sh)
	if err != nil {
		return none, err
	}
	status, reason := egrid.Decide(policy, snap, live)
	switch status {
	case egrid.Unchanged:
		return egrid.PublishReport{Status: status, Snapshot: *live}, drop(ctx, tx, id)
	case egrid.Held:
		snap.Status, snap.Reason = status, reason
		return egrid.PublishReport{Status: status, Reason: reason, Snapshot: snap}, record(ctx, tx, snap, held)
	}
	if policy == egrid.PublishMerge && live != nil {
		if snap, err = merge(ctx, tx, *live, snap, sh.spec); err != nil {
			return none, err
		}
	}
	return s.switchTo(ctx, tx, snap, live, catalog.Revision+1)
}

// switchTo makes a snapshot the one that readers see.
func (s *Store) switchTo(ctx context.Context, tx *sql.Tx, snap egrid.Snapshot, live *egrid.Snapshot, revision int64) (egrid.PublishReport, error) {
	snap.Status, snap.Revision = egrid.Published, revision
	report := egrid.PublishReport{Status: egrid.Published, Snapshot: snap}
	if _, err := tx.ExecContext(ctx, "DROP VIEW IF EXISTS "+viewOf(snap)); err != nil {
		return report, err
	}
	if live != nil {
		if err := drop(ctx, tx, live.ID); err != nil {
			return report, err
		}
	}
	if err := record(ctx, tx, snap, published); err != nil {
		return report, err
	}
	for _, statement := range []string{
		createView(snap),
		fmt.Sprintf("UPDATE state SET revision = %d", revision),
		fmt.Sprintf("DELETE FROM chunks WHERE sheet = '%s'", snap.ID), // hexadecimal
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return report, err
		}
	}
	return report, nil
}

// record writes a snapshot into the catalogue.
func record(ctx context.Context, tx *sql.Tx, snap egrid.Snapshot, status string) error {
	text, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE sheets SET status = ?, snapshot = ? WHERE id = ?", status, string(text), snap.ID); err != nil {
		return err
	}
	return touchCatalog(ctx, tx)
}

// audit gathers what the chunks found and checks the table as a whole.
func audit(ctx context.Context, tx *sql.Tx, sh sheet) (egrid.Snapshot, error) {
	snap := egrid.NewSnapshot(sh.id, sh.spec)
	rows, err := tx.QueryContext(ctx, "SELECT rows, rejected, lossy, findings FROM chunks WHERE sheet = ? ORDER BY chunk", sh.id)
	if err != nil {
		return snap, err
	}
	defer rows.Close()
	for rows.Next() {
		var loaded, rejected int64
		var lossyText, findingsText []byte
		if err := rows.Scan(&loaded, &rejected, &lossyText, &findingsText); err != nil {
			return snap, err
		}
		var lossy []egrid.Column
		var findings []egrid.Audit
		if err := errors.Join(json.Unmarshal(lossyText, &lossy), json.Unmarshal(findingsText, &findings)); err != nil {
			return snap, err
		}
		snap.Count(loaded, rejected, lossy, findings)
	}
	if err := rows.Err(); err != nil {
		return snap, err
	}
	count, keys, err := duplicates(ctx, tx, snap)
	if err == nil && count > 0 {
		snap.Audits = append(snap.Audits, egrid.DuplicateIdentifiers(count, keys))
	}
	return snap, err
}

// duplicates counts the identifiers that several rows share, and names some.
func duplicates(ctx context.Context, tx *sql.Tx, snap egrid.Snapshot) (int64, []string, error) {
	id := egrid.Identifier(snap.Level, snap.Schema.Has)
	if id == nil {
		return 0, nil, nil
	}
	terms := make([]string, len(id))
	texts := make([]string, len(id))
	for i, c := range id {
		terms[i] = columnFor(snap.Schema, c)
		texts[i] = "coalesce(" + terms[i] + ", '')"
	}
	columns, text := strings.Join(terms, ", "), strings.Join(texts, " || '/' || ")
	grouped := fmt.Sprintf("FROM %s GROUP BY %s HAVING count(*) > 1", tableOf(snap.ID), columns)
	var count int64
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 "+grouped+")").Scan(&count); err != nil || count == 0 {
		return 0, nil, err
	}
	rows, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT %s %s ORDER BY %s LIMIT 20", columns, grouped, text))
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	var keys []string
	for rows.Next() {
		values, err := scanValues(rows, fieldsOf(snap.Schema, id))
		if err != nil {
			return 0, nil, err
		}
		keys = append(keys, egrid.IdentifierText(values...))
	}
	return count, keys, rows.Err()
}

func fieldsOf(schema *egrid.Schema, columns []egrid.Column) []egrid.Field {
	fields := make([]egrid.Field, len(columns))
	for i, c := range columns {
		fields[i] = schema.Field(schema.Index(c))
	}
	return fields
}
