package pgstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

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
	ready, err := s.makeReady(ctx, id, r)
	if err != nil {
		return driver.PublishReport{}, err
	}
	var report driver.PublishReport
	err = s.update(ctx, func(tx pgx.Tx) (err error) {
		report, err = s.publish(ctx, tx, id, policy, r, ready)
		return err
	})
	if err != nil {
		return driver.PublishReport{}, err
	}
	return report, nil
}

func (s *Store) publish(ctx context.Context, tx pgx.Tx, id egrid.StageID, policy driver.Policy, r driver.PublishRequest, ready readiness) (driver.PublishReport, error) {
	var none driver.PublishReport
	if err := s.lock(ctx, tx, 0); err != nil { // publishers take turns
		return none, err
	}
	catalog, err := s.readCatalog(ctx, tx)
	if err != nil {
		return none, err
	}
	sh, err := s.find(ctx, tx, id, forSettle)
	if err != nil {
		return none, err
	}
	staged, err := s.describe(ctx, tx, catalog, sh, r, ready)
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
		return s.confirm(ctx, tx, sh, &staged, live)
	case status == egrid.Held:
		return s.hold(ctx, tx, sh, &staged, reason)
	case policy == driver.PublishMerge && live != nil:
		return s.merge(ctx, tx, catalog, sh, live, &staged)
	}
	if old, ok := sqlstore.Superseded(catalog.Catalog, staged.ID); ok && old.Stage != sh.id {
		driver.Confirm(&old, staged.Sources[0])
		if sh, err = s.instead(ctx, tx, sh, old.Stage); err != nil {
			return none, err
		}
		staged = old
	}
	return s.switchTo(ctx, tx, sh, &staged, live)
}

// describe is what a sheet would be as a snapshot. A sheet that was published
// is one already.
func (s *Store) describe(ctx context.Context, tx pgx.Tx, catalog *cachedCatalog, sh *sheet, r driver.PublishRequest, ready readiness) (egrid.Snapshot, error) {
	if sh.shown() {
		snap, ok := sqlstore.Staged(catalog.Catalog, sh.id)
		if !ok {
			return snap, fmt.Errorf("pgstore: stage %s is %s and not in the catalogue", sh.id, sh.status)
		}
		return snap, nil
	}
	snap, err := s.summarize(ctx, tx, sh, r)
	if err != nil {
		return snap, err
	}
	if _, here := sqlstore.Shown(catalog.Catalog, snap.ID); here {
		return snap, nil
	}
	if ready.number != sh.number { // loaded again, or its equal was pruned, since makeReady
		if ready, err = s.prepare(ctx, tx, sh, snap.Rows); err != nil {
			return snap, err
		}
	}
	snap.Audits = append(snap.Audits, ready.audits...)
	return snap, nil
}

// confirm says of the published snapshot that a load has the same content, and
// drops the load.
func (s *Store) confirm(ctx context.Context, tx pgx.Tx, sh *sheet, staged, live *egrid.Snapshot) (driver.PublishReport, error) {
	report := driver.PublishReport{Status: egrid.Unchanged, Snapshot: *live}
	if sh.shown() {
		return report, nil
	}
	driver.Confirm(live, staged.Sources[0])
	report.Snapshot = *live
	if err := s.drop(ctx, tx, sh); err != nil {
		return report, err
	}
	return report, s.record(ctx, tx, live)
}

// hold keeps a load back. One that was published before stays superseded.
func (s *Store) hold(ctx context.Context, tx pgx.Tx, sh *sheet, staged *egrid.Snapshot, reason string) (driver.PublishReport, error) {
	staged.Status, staged.Reason = egrid.Held, reason
	report := driver.PublishReport{Status: egrid.Held, Reason: reason, Snapshot: *staged}
	if sh.shown() {
		return report, nil
	}
	return report, s.record(ctx, tx, staged)
}

// merge publishes what updating the published rows by the staged ones makes. It
// reads both into memory.
func (s *Store) merge(ctx context.Context, tx pgx.Tx, catalog *cachedCatalog, sh *sheet, live, staged *egrid.Snapshot) (driver.PublishReport, error) {
	var none driver.PublishReport
	old, err := readSheet(ctx, tx, live, catalog.places[live.ID])
	if err != nil {
		return none, err
	}
	added, err := readSheet(ctx, tx, staged, &sh.layout)
	if err != nil {
		return none, err
	}
	merged, rows, err := driver.Merge(*live, *staged, old, added)
	if err != nil {
		return none, err
	}
	if merged.ID == live.ID {
		sqlstore.AddSources(live, staged.Sources)
		if err := s.release(ctx, tx, sh); err != nil {
			return none, err
		}
		return driver.PublishReport{Status: egrid.Unchanged, Snapshot: *live}, s.record(ctx, tx, live)
	}
	if before, ok := sqlstore.Superseded(catalog.Catalog, merged.ID); ok {
		sqlstore.AddSources(&before, merged.Sources)
		target, err := s.instead(ctx, tx, sh, before.Stage)
		if err != nil {
			return none, err
		}
		return s.switchTo(ctx, tx, target, &before, live)
	}
	target, err := s.fill(ctx, tx, sh.spec, &merged, rows)
	if err != nil {
		return none, err
	}
	if err := s.release(ctx, tx, sh); err != nil {
		return none, err
	}
	return s.switchTo(ctx, tx, target, &merged, live)
}

// fill makes the indexed table of a merged snapshot.
func (s *Store) fill(ctx context.Context, tx pgx.Tx, spec driver.SnapshotSpec, merged *egrid.Snapshot, rows []*egrid.Batch) (*sheet, error) {
	spec.Schema = merged.Schema
	sh, err := s.create(ctx, tx, merged.Stage, spec)
	if err != nil {
		return nil, err
	}
	if sh == nil {
		return nil, fmt.Errorf("%w: the two were merged before, with another outcome; prune superseded snapshots and publish again", egrid.ErrConflict)
	}
	for _, b := range rows {
		if err := s.copyRows(ctx, tx, sh, b); err != nil {
			return nil, err
		}
	}
	return sh, s.indexTable(ctx, tx, sh, merged.Rows)
}

// instead drops a load in favour of the snapshot that another one made.
func (s *Store) instead(ctx context.Context, tx pgx.Tx, sh *sheet, stage egrid.StageID) (*sheet, error) {
	if err := s.release(ctx, tx, sh); err != nil {
		return nil, err
	}
	return s.find(ctx, tx, stage, forSettle)
}

// release drops a load that is not needed any more. One that was published stays.
func (s *Store) release(ctx context.Context, tx pgx.Tx, sh *sheet) error {
	if sh.shown() {
		return nil
	}
	return s.drop(ctx, tx, sh)
}

// switchTo makes a snapshot the one that readers see, and the former one
// superseded.
func (s *Store) switchTo(ctx context.Context, tx pgx.Tx, sh *sheet, snap, live *egrid.Snapshot) (driver.PublishReport, error) {
	var none driver.PublishReport
	if live != nil {
		old, err := s.find(ctx, tx, live.Stage, forSettle)
		if err != nil {
			return none, err
		}
		if err := s.detach(ctx, tx, old); err != nil {
			return none, err
		}
		live.Status = egrid.Superseded
		if err := s.record(ctx, tx, live); err != nil {
			return none, err
		}
	}
	if err := tx.QueryRow(ctx, "UPDATE "+s.name("state")+" SET revision = revision + 1 RETURNING revision").Scan(&snap.Revision); err != nil {
		return none, err
	}
	snap.Status, snap.Reason = egrid.Published, ""
	if err := s.record(ctx, tx, snap); err != nil {
		return none, err
	}
	for _, statement := range []string{
		fmt.Sprint("ALTER TABLE ", s.name(parentOf(snap.Level)), " ATTACH PARTITION ", sh.layout.table, " FOR VALUES IN (", sh.number, ")"),
		fmt.Sprint("DELETE FROM ", s.name("chunks"), " WHERE sheet = ", sh.number),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return none, err
		}
	}
	if s.options.Keep > 0 {
		if _, err := s.prune(ctx, tx, driver.PruneRequest{Keep: s.options.Keep}); err != nil {
			return none, err
		}
	}
	return driver.PublishReport{Status: egrid.Published, Snapshot: *snap}, nil
}

// A publisher waits so long for the locks of a level's table, and tries so
// often. Queries of the table wait behind it meanwhile.
const (
	switchWait     = time.Second
	switchAttempts = 60
)

// detach takes a table out of its level's. PostgreSQL locks both for it, and
// queries of them wait behind the pending lock: so a short timeout, and retries.
func (s *Store) detach(ctx context.Context, tx pgx.Tx, old *sheet) error {
	for attempt := 1; ; attempt++ {
		err := s.tryDetach(ctx, tx, old)
		switch {
		case codeOf(err) != lockNotAvailable || !pause(ctx, min(attempt, 7)):
			return err
		case attempt == switchAttempts:
			return fmt.Errorf("%s is being read for longer than a publisher waits; end that query and publish again: %w", s.name(parentOf(old.spec.Level)), err)
		}
	}
}

// tryDetach works in a savepoint: its locks go when it fails.
func (s *Store) tryDetach(ctx context.Context, tx pgx.Tx, old *sheet) error {
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprint("SET LOCAL lock_timeout = ", switchWait.Milliseconds()),
		fmt.Sprint("ALTER TABLE ", s.name(parentOf(old.spec.Level)), " DETACH PARTITION ", old.layout.table),
		"SET LOCAL lock_timeout = DEFAULT",
	} {
		if _, err = savepoint.Exec(ctx, statement); err != nil {
			break
		}
	}
	return finish(ctx, savepoint, err)
}

// record writes a snapshot into the catalogue.
func (s *Store) record(ctx context.Context, tx pgx.Tx, snap *egrid.Snapshot) error {
	text, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE "+s.name("sheets")+" SET status = $1, snapshot = $2, superseded_at = CASE WHEN $1 = 'superseded' THEN now() END WHERE id = $3",
		string(snap.Status), string(text), string(snap.Stage)); err != nil {
		return err
	}
	if snap.Status != egrid.Held {
		if _, err := tx.Exec(ctx, "DELETE FROM "+s.name("pruned")+" WHERE id = $1", string(snap.ID)); err != nil {
			return err
		}
	}
	return s.touchCatalog(ctx, tx)
}

// summarize adds up what the chunks of a complete stage hold.
func (s *Store) summarize(ctx context.Context, tx pgx.Tx, sh *sheet, r driver.PublishRequest) (egrid.Snapshot, error) {
	snap := driver.NewSnapshot(sh.id, sh.spec)
	rows, err := tx.Query(ctx, "SELECT tally FROM "+s.name("chunks")+" WHERE sheet = $1 ORDER BY chunk", sh.number)
	if err != nil {
		return snap, err
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
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

// duplicates audits the table as a whole: it counts the identifiers that
// several rows share, and names some.
func (s *Store) duplicates(ctx context.Context, tx pgx.Tx, sh *sheet) ([]egrid.Audit, error) {
	id := driver.Identifier(sh.spec.Level, sh.spec.Schema.Has)
	if id == nil {
		return nil, nil
	}
	var args []any
	bind := func(s string) string {
		args = append(args, s)
		return dialect.Mark(len(args), egrid.Text)
	}
	values := make([]string, len(id))
	texts := make([]string, len(id))
	for i, c := range id {
		values[i] = fmt.Sprintf("%s AS k%d", sh.layout.Value(c, egrid.Text, bind), i)
		texts[i] = fmt.Sprintf("coalesce(k%d, '')", i)
	}
	text := strings.Join(texts, " || '/' || ")
	grouped := fmt.Sprint("SELECT ", text, " AS key FROM (SELECT ", strings.Join(values, ", "), " FROM ", sh.layout.table, ") t GROUP BY ", strings.Join(texts, ", "), " HAVING count(*) > 1")
	rows, err := tx.Query(ctx, fmt.Sprint(`SELECT key, count(*) OVER () FROM (`, grouped, `) d ORDER BY key COLLATE "C" LIMIT 20`), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var count int64
	var keys []string
	for rows.Next() {
		var key string
		if err := rows.Scan(&key, &count); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil || count == 0 {
		return nil, err
	}
	return []egrid.Audit{driver.DuplicateIdentifiers(count, keys)}, nil
}
