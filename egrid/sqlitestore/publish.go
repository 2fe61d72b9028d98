package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/sqlstore"
)

// Publish implements [driver.Loader].
func (s *Store) Publish(ctx context.Context, id egrid.StageID, r driver.PublishRequest) (driver.PublishReport, error) {
	policy, err := driver.ParsePolicy(string(r.Policy))
	if err != nil {
		return driver.PublishReport{}, err
	}
	if len(r.With) == 0 { // what is combined is indexed when it is made
		err := s.change(ctx, undurable, func(tx *sql.Tx) error { return s.makeReady(ctx, tx, r.Stages(id)[0]) })
		if err != nil && !errors.Is(err, egrid.ErrNotFound) {
			return driver.PublishReport{}, err
		}
	}
	var report driver.PublishReport
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		report, err = s.publish(ctx, tx, id, policy, r)
		return err
	})
	if err != nil {
		return driver.PublishReport{}, err
	}
	return report, nil
}

// makeReady indexes a complete stage, in a transaction of its own before the
// switch: it is most of the work, and doing it twice is harmless. Content that
// is here already needs no more indexes.
func (s *Store) makeReady(ctx context.Context, tx *sql.Tx, part driver.StagePart) error {
	sh, err := find(ctx, tx, part.ID)
	if err != nil || sh.shown() {
		return err
	}
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return err
	}
	snap, err := summarize(ctx, tx, sh, part)
	if err != nil {
		return err
	}
	if _, here := sqlstore.Shown(catalog.Catalog, snap.ID); here {
		return nil
	}
	return indexTable(ctx, tx, &snap)
}

// indexTable builds the indexes of a table that is worth it, and tells the query
// planner about it, from a sample. SQLite sorts as much at once as its cache holds,
// and then merges: a cache that fits the processor's is the faster.
func indexTable(ctx context.Context, tx *sql.Tx, snap *egrid.Snapshot) error {
	if snap.Rows < indexedRows {
		return nil
	}
	statements := []string{"PRAGMA cache_size = -" + sortCache}
	statements = append(statements, createIndexes(snap.Stage, snap.Level, snap.Schema)...)
	statements = append(statements, "PRAGMA analysis_limit = 1000", "ANALYZE "+tableOf(snap.Stage), "PRAGMA cache_size = -"+writeCache)
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) publish(ctx context.Context, tx *sql.Tx, id egrid.StageID, policy driver.Policy, r driver.PublishRequest) (driver.PublishReport, error) {
	var none driver.PublishReport
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return none, err
	}
	var staged []egrid.Snapshot
	schemas := driver.SchemaSet{}
	for _, part := range r.Stages(id) {
		snap, err := describe(ctx, tx, catalog.Catalog, part, r)
		if err != nil {
			return driver.Settled(catalog.Catalog, id, r, err)
		}
		snap.Schema = schemas.Shared(snap.Schema)
		staged = append(staged, snap)
	}
	report, err := driver.Settle(ctx, shelf{tx, catalog.Catalog}, catalog.Catalog, staged, policy)
	if err != nil || report.Status != egrid.Published {
		return report, err
	}
	shown, err := s.switchTo(ctx, tx, catalog, report.Snapshot)
	shown.Apart = report.Apart
	return shown, err
}

// describe is what a sheet would be as a snapshot. One that was published is a
// snapshot already, and so is one that is held.
func describe(ctx context.Context, tx *sql.Tx, catalog egrid.Catalog, part driver.StagePart, r driver.PublishRequest) (egrid.Snapshot, error) {
	sh, err := find(ctx, tx, part.ID)
	if errors.Is(err, egrid.ErrNotFound) {
		if snap, ok := driver.Stand(catalog, part.ID, r); ok {
			return snap, nil
		}
	}
	if err != nil {
		return egrid.Snapshot{}, err
	}
	known, ok := catalog.Find(string(part.ID))
	switch {
	case sh.status != staging && !ok:
		return known, fmt.Errorf("sqlitestore: stage %s is %s and not in the catalogue", sh.id, sh.status)
	case sh.shown():
		return known, nil
	}
	snap, err := summarize(ctx, tx, sh, part)
	if err != nil {
		return snap, err
	}
	if sh.status == egrid.Held && sh.spec.Source.SHA256 == "" { // it was combined
		return driver.Again(known), nil
	}
	if _, here := sqlstore.Shown(catalog, snap.ID); here {
		return snap, nil
	}
	count, keys, err := duplicates(ctx, tx, &snap)
	if err == nil && count > 0 {
		snap.Audits = append(snap.Audits, driver.DuplicateIdentifiers(snap.Level, snap.Schema.Has, count, keys))
	}
	return snap, err
}

// summarize adds up what the chunks of a complete stage hold.
func summarize(ctx context.Context, tx *sql.Tx, sh *sheet, part driver.StagePart) (egrid.Snapshot, error) {
	snap := driver.NewSnapshot(sh.id, sh.spec)
	tallies, err := talliesOf(ctx, tx, sh.id)
	if err != nil {
		return snap, err
	}
	driver.Describe(&snap, tallies)
	return snap, part.Check(sh.status == egrid.Held, len(tallies), snap.Rows)
}

// shelf is the store within a transaction.
type shelf struct {
	tx      *sql.Tx
	catalog egrid.Catalog
}

// Open implements [driver.Shelf].
func (s shelf) Open(ctx context.Context, snap *egrid.Snapshot) (driver.Sheet, error) {
	_, err := find(ctx, s.tx, snap.Stage)
	if known, ok := driver.Known(s.catalog, snap.Stage); ok && errors.Is(err, egrid.ErrNotFound) {
		snap = &known
	}
	tallies, err := talliesOf(ctx, s.tx, snap.Stage)
	sheet := s.sheet(ctx, snap, nil)
	sheet.Outline = driver.OutlineOf(tallies)
	return sheet, err
}

// sheet reads some columns of a sheet, or all.
func (s shelf) sheet(ctx context.Context, snap *egrid.Snapshot, columns []egrid.Column) driver.Sheet {
	return driver.Sheet{
		Rows: func(after, last int64) iter.Seq2[*egrid.Batch, error] {
			return readSheet(ctx, s.tx, *snap, columns, after, last)
		},
		Some: func(numbers []int64) iter.Seq2[*egrid.Batch, error] {
			return readRows(ctx, s.tx, snap, columns, numbers)
		},
		Only: func(columns []egrid.Column) driver.Sheet { return s.sheet(ctx, snap, columns) },
	}
}

// talliesOf reads what is kept of the chunks of a sheet, in their order.
func talliesOf(ctx context.Context, tx *sql.Tx, id egrid.StageID) ([]driver.Tally, error) {
	texts, err := column(ctx, tx, "SELECT tally FROM chunks WHERE sheet = ? ORDER BY chunk", id)
	if err != nil {
		return nil, err
	}
	tallies := make([]driver.Tally, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &tallies[i]); err != nil {
			return nil, err
		}
	}
	return tallies, nil
}

// Write implements [driver.Shelf]. It makes a table with indexes.
func (s shelf) Write(ctx context.Context, p *driver.Part) error {
	if _, err := find(ctx, s.tx, p.Stage); err == nil {
		return sqlstore.ErrMadeBefore
	}
	spec := driver.SnapshotSpec{Level: p.Level, Year: p.Year, Release: p.Release, Schema: p.Schema}
	if err := create(ctx, s.tx, p.Stage, spec); err != nil {
		return err
	}
	for i, b := range p.Batches {
		if err := insert(ctx, s.tx, p.Stage, b); err != nil {
			return err
		}
		tally, err := json.Marshal(driver.TallyOf(driver.Chunk{Rows: b}))
		if err != nil {
			return err
		}
		if _, err := s.tx.ExecContext(ctx, insertChunk, p.Stage, i, string(tally)); err != nil {
			return err
		}
	}
	return indexTable(ctx, s.tx, &p.Snapshot)
}

// Record implements [driver.Shelf].
func (s shelf) Record(ctx context.Context, snap *egrid.Snapshot) error {
	return record(ctx, s.tx, snap)
}

// Drop implements [driver.Shelf].
func (s shelf) Drop(ctx context.Context, id egrid.StageID) error { return drop(ctx, s.tx, id) }

// switchTo makes a snapshot the one that readers see, and the former one
// superseded.
func (s *Store) switchTo(ctx context.Context, tx *sql.Tx, catalog *cachedCatalog, snap egrid.Snapshot) (driver.PublishReport, error) {
	var none driver.PublishReport
	if live, ok := catalog.Published(snap.Level, snap.Year, snap.Release); ok {
		live.Status = egrid.Superseded
		if err := record(ctx, tx, &live); err != nil {
			return none, err
		}
	}
	if err := tx.QueryRowContext(ctx, "UPDATE state SET revision = revision + 1 RETURNING revision").Scan(&snap.Revision); err != nil {
		return none, err
	}
	snap.Status, snap.Reason, snap.Choices = egrid.Published, "", nil
	if err := record(ctx, tx, &snap); err != nil {
		return none, err
	}
	for _, statement := range []string{
		"DROP VIEW IF EXISTS " + viewOf(snap),
		createView(snap),
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return none, err
		}
	}
	if s.options.Keep > 0 {
		if _, err := s.prune(ctx, tx, driver.PruneRequest{Keep: s.options.Keep}); err != nil {
			return none, err
		}
	}
	return driver.PublishReport{Status: egrid.Published, Snapshot: snap}, nil
}

// duplicates counts the identifiers that several rows share, and names some.
func duplicates(ctx context.Context, tx *sql.Tx, snap *egrid.Snapshot) (int64, []string, error) {
	id := egrid.Identifier(snap.Level, snap.Schema.Has)
	if len(id) == 0 {
		return 0, nil, nil
	}
	terms := make([]string, len(id))
	present := make([]string, len(id))
	for i, c := range id {
		terms[i] = columnFor(snap.Schema, c)
		present[i] = terms[i] + " IS NOT NULL"
	}
	grouped := fmt.Sprintf(" FROM %s WHERE %s GROUP BY %s HAVING count(*) > 1", tableOf(snap.Stage), strings.Join(present, " AND "), strings.Join(terms, ", "))
	var count int64
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1"+grouped+")").Scan(&count); err != nil || count == 0 {
		return 0, nil, err
	}
	keys, err := column(ctx, tx, "SELECT "+strings.Join(terms, " || '/' || ")+" AS key"+grouped+" ORDER BY key LIMIT 20")
	return count, keys, err
}
