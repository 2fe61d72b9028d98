package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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
	if err := s.change(ctx, undurable, func(tx *sql.Tx) error { return s.makeReady(ctx, tx, id, r) }); err != nil {
		return driver.PublishReport{}, err
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
func (s *Store) makeReady(ctx context.Context, tx *sql.Tx, id egrid.StageID, r driver.PublishRequest) error {
	sh, err := find(ctx, tx, id)
	if err != nil || sh.shown() {
		return err
	}
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return err
	}
	snap, err := summarize(ctx, tx, sh, r)
	if err != nil {
		return err
	}
	if _, here := sqlstore.Shown(catalog.Catalog, snap.ID); here {
		return nil
	}
	return indexTable(ctx, tx, &snap)
}

// indexTable builds the indexes of a table that is worth it, and tells the query
// planner about it, from a sample. Sorting takes more memory than the rest of the
// work, and is the faster for it.
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
	sh, err := find(ctx, tx, id)
	if err != nil {
		return none, err
	}
	staged, err := describe(ctx, tx, catalog.Catalog, sh, r)
	if err != nil {
		return none, err
	}
	var live *egrid.Snapshot
	if snap, ok := catalog.Published(staged.Level, staged.Year, staged.Release); ok {
		live = &snap
	}
	status, reason := driver.Decide(policy, staged, live)
	switch {
	case status == egrid.Unchanged:
		return confirm(ctx, tx, sh, staged, live)
	case status == egrid.Held:
		return hold(ctx, tx, sh, staged, reason)
	case policy == driver.PublishMerge && live != nil:
		return s.merge(ctx, tx, catalog, sh, live, staged)
	}
	if old, ok := sqlstore.Superseded(catalog.Catalog, staged.ID); ok && old.Stage != sh.id {
		driver.Confirm(&old, staged.Sources[0])
		if err := release(ctx, tx, sh); err != nil {
			return none, err
		}
		staged = old
	}
	return s.switchTo(ctx, tx, staged, live)
}

// describe is what a sheet would be as a snapshot. A sheet that was published is
// one already.
func describe(ctx context.Context, tx *sql.Tx, catalog egrid.Catalog, sh *sheet, r driver.PublishRequest) (egrid.Snapshot, error) {
	if sh.shown() {
		snap, ok := sqlstore.Staged(catalog, sh.id)
		if !ok {
			return snap, fmt.Errorf("sqlitestore: stage %s is %s and not in the catalogue", sh.id, sh.status)
		}
		return snap, nil
	}
	snap, err := summarize(ctx, tx, sh, r)
	if err != nil {
		return snap, err
	}
	if _, here := sqlstore.Shown(catalog, snap.ID); here {
		return snap, nil
	}
	count, keys, err := duplicates(ctx, tx, &snap)
	if err == nil && count > 0 {
		snap.Audits = append(snap.Audits, driver.DuplicateIdentifiers(count, keys))
	}
	return snap, err
}

// summarize adds up what the chunks of a complete stage hold.
func summarize(ctx context.Context, tx *sql.Tx, sh *sheet, r driver.PublishRequest) (egrid.Snapshot, error) {
	snap := driver.NewSnapshot(sh.id, sh.spec)
	texts, err := column(ctx, tx, "SELECT tally FROM chunks WHERE sheet = ? ORDER BY chunk", sh.id)
	if err != nil {
		return snap, err
	}
	tallies := make([]driver.Tally, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &tallies[i]); err != nil {
			return snap, err
		}
	}
	driver.Describe(&snap, tallies)
	return snap, r.Check(sh.id, sh.status == egrid.Held, len(tallies), snap.Rows)
}

// confirm says of the published snapshot that a load has the same content, and
// drops the load.
func confirm(ctx context.Context, tx *sql.Tx, sh *sheet, staged egrid.Snapshot, live *egrid.Snapshot) (driver.PublishReport, error) {
	if !sh.shown() {
		driver.Confirm(live, staged.Sources[0])
		if err := errors.Join(drop(ctx, tx, sh.id), record(ctx, tx, live)); err != nil {
			return driver.PublishReport{}, err
		}
	}
	return driver.PublishReport{Status: egrid.Unchanged, Snapshot: *live}, nil
}

// hold keeps a load back. One that was published before stays superseded.
func hold(ctx context.Context, tx *sql.Tx, sh *sheet, staged egrid.Snapshot, reason string) (driver.PublishReport, error) {
	report := driver.PublishReport{Status: egrid.Held, Reason: reason, Snapshot: staged}
	if sh.shown() {
		return report, nil
	}
	report.Snapshot.Status, report.Snapshot.Reason = egrid.Held, reason
	return report, record(ctx, tx, &report.Snapshot)
}

// merge publishes what updating the published rows by the staged ones makes. It
// reads both into memory.
func (s *Store) merge(ctx context.Context, tx *sql.Tx, catalog *cachedCatalog, sh *sheet, live *egrid.Snapshot, staged egrid.Snapshot) (driver.PublishReport, error) {
	var none driver.PublishReport
	old, err := collect(readSheet(ctx, tx, *live))
	if err != nil {
		return none, err
	}
	added, err := collect(readSheet(ctx, tx, staged))
	if err != nil {
		return none, err
	}
	merged, rows, err := driver.Merge(*live, staged, old, added)
	if err != nil {
		return none, err
	}
	if err := release(ctx, tx, sh); err != nil {
		return none, err
	}
	if merged.ID == live.ID {
		sqlstore.AddSources(live, staged.Sources)
		return driver.PublishReport{Status: egrid.Unchanged, Snapshot: *live}, record(ctx, tx, live)
	}
	if before, ok := sqlstore.Superseded(catalog.Catalog, merged.ID); ok {
		sqlstore.AddSources(&before, merged.Sources)
		return s.switchTo(ctx, tx, before, live)
	}
	if err := fill(ctx, tx, sh.spec, &merged, rows); err != nil {
		return none, err
	}
	return s.switchTo(ctx, tx, merged, live)
}

// fill makes the indexed table of a merged snapshot.
func fill(ctx context.Context, tx *sql.Tx, spec driver.SnapshotSpec, merged *egrid.Snapshot, rows []*egrid.Batch) error {
	if _, err := find(ctx, tx, merged.Stage); err == nil {
		return fmt.Errorf("%w: the two were merged before, with another outcome; prune superseded snapshots and publish again", egrid.ErrConflict)
	}
	spec.Schema = merged.Schema
	if err := create(ctx, tx, merged.Stage, spec); err != nil {
		return err
	}
	for _, b := range rows {
		if err := insert(ctx, tx, merged.Stage, b); err != nil {
			return err
		}
	}
	return indexTable(ctx, tx, merged)
}

// release drops a load that is not needed any more. One that was published stays.
func release(ctx context.Context, tx *sql.Tx, sh *sheet) error {
	if sh.shown() {
		return nil
	}
	return drop(ctx, tx, sh.id)
}

// switchTo makes a snapshot the one that readers see, and the former one
// superseded.
func (s *Store) switchTo(ctx context.Context, tx *sql.Tx, snap egrid.Snapshot, live *egrid.Snapshot) (driver.PublishReport, error) {
	var none driver.PublishReport
	if live != nil {
		live.Status = egrid.Superseded
		if err := record(ctx, tx, live); err != nil {
			return none, err
		}
	}
	if err := tx.QueryRowContext(ctx, "UPDATE state SET revision = revision + 1 RETURNING revision").Scan(&snap.Revision); err != nil {
		return none, err
	}
	snap.Status, snap.Reason = egrid.Published, ""
	if err := record(ctx, tx, &snap); err != nil {
		return none, err
	}
	for _, statement := range []string{
		"DROP VIEW IF EXISTS " + viewOf(snap),
		createView(snap),
		fmt.Sprintf("DELETE FROM chunks WHERE sheet = '%s'", snap.Stage), // hexadecimal
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
	id := driver.Identifier(snap.Level, snap.Schema.Has)
	if id == nil {
		return 0, nil, nil
	}
	terms := make([]string, len(id))
	texts := make([]string, len(id))
	for i, c := range id {
		terms[i] = columnFor(snap.Schema, c)
		texts[i] = "coalesce(" + terms[i] + ", '')"
	}
	grouped := fmt.Sprintf(" FROM %s GROUP BY %s HAVING count(*) > 1", tableOf(snap.Stage), strings.Join(terms, ", "))
	var count int64
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1"+grouped+")").Scan(&count); err != nil || count == 0 {
		return 0, nil, err
	}
	keys, err := column(ctx, tx, "SELECT "+strings.Join(texts, " || '/' || ")+" AS key"+grouped+" ORDER BY key LIMIT 20")
	return count, keys, err
}
