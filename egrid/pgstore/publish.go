package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
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
	var ready readiness
	if len(r.With) == 0 { // what is combined is indexed when it is made
		ready, err = s.makeReady(ctx, r.Stages(id)[0])
		if err != nil && !errors.Is(err, egrid.ErrNotFound) {
			return driver.PublishReport{}, err
		}
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
	shelf := &shelf{s, tx, catalog, map[egrid.StageID]*sheet{}}
	var staged []egrid.Snapshot
	schemas := driver.SchemaSet{}
	for _, part := range r.Stages(id) {
		snap, err := shelf.describe(ctx, part, r, ready)
		if err != nil {
			return driver.Settled(catalog.Catalog, id, r, err)
		}
		snap.Schema = schemas.Shared(snap.Schema)
		staged = append(staged, snap)
	}
	report, err := driver.Settle(ctx, shelf, catalog.Catalog, staged, policy)
	if err != nil || report.Status != egrid.Published {
		return report, err
	}
	shown, err := s.switchTo(ctx, tx, catalog, report.Snapshot)
	shown.Apart = report.Apart
	return shown, err
}

// shelf is the store within a transaction.
type shelf struct {
	*Store
	tx      pgx.Tx
	catalog *cachedCatalog
	sheets  map[egrid.StageID]*sheet // that were found and locked
}

func (s *shelf) find(ctx context.Context, id egrid.StageID) (*sheet, error) {
	if sh := s.sheets[id]; sh != nil {
		return sh, nil
	}
	sh, err := s.Store.find(ctx, s.tx, id, forSettle)
	if err == nil {
		s.sheets[id] = sh
	}
	return sh, err
}

// describe is what a sheet would be as a snapshot. One that was published is a
// snapshot already, and so is one that is held.
func (s *shelf) describe(ctx context.Context, part driver.StagePart, r driver.PublishRequest, ready readiness) (egrid.Snapshot, error) {
	sh, err := s.find(ctx, part.ID)
	if errors.Is(err, egrid.ErrNotFound) {
		if snap, ok := driver.Stand(s.catalog.Catalog, part.ID, r); ok {
			return snap, nil
		}
	}
	if err != nil {
		return egrid.Snapshot{}, err
	}
	known, ok := s.catalog.Find(string(part.ID))
	switch {
	case sh.settled() && !ok:
		return known, fmt.Errorf("pgstore: stage %s is %s and not in the catalogue", sh.id, sh.status)
	case sh.shown():
		return known, nil
	}
	snap, err := s.summarize(ctx, s.tx, sh, part)
	if err != nil {
		return snap, err
	}
	if sh.status == egrid.Held && sh.spec.Source.SHA256 == "" { // it was combined
		return driver.Again(known), nil
	}
	if _, here := sqlstore.Shown(s.catalog.Catalog, snap.ID); here {
		return snap, nil
	}
	if ready.number != sh.number { // loaded again, one of several, or its equal was pruned since makeReady
		if ready, err = s.prepare(ctx, s.tx, sh, snap.Rows); err != nil {
			return snap, err
		}
	}
	snap.Audits = append(snap.Audits, ready.audits...)
	return snap, nil
}

// Open implements [driver.Shelf].
func (s *shelf) Open(ctx context.Context, snap *egrid.Snapshot) (driver.Sheet, error) {
	sh, err := s.find(ctx, snap.Stage)
	if known, ok := driver.Known(s.catalog.Catalog, snap.Stage); ok && errors.Is(err, egrid.ErrNotFound) {
		snap = &known
		sh, err = s.find(ctx, snap.Stage)
	}
	if err != nil {
		return driver.Sheet{}, err
	}
	tallies, err := s.tallies(ctx, s.tx, sh)
	opened := s.sheet(ctx, snap, &sh.layout, nil)
	opened.Outline = driver.OutlineOf(tallies)
	return opened, err
}

// sheet reads some columns of a sheet, or all.
func (s *shelf) sheet(ctx context.Context, snap *egrid.Snapshot, place *layout, columns []egrid.Column) driver.Sheet {
	return driver.Sheet{
		Rows: func(after, last int64) iter.Seq2[*egrid.Batch, error] {
			return readSheet(ctx, s.tx, *snap, place, columns, after, last)
		},
		Some: func(numbers []int64) iter.Seq2[*egrid.Batch, error] {
			return readRows(ctx, s.tx, snap, place, columns, numbers)
		},
		Only: func(columns []egrid.Column) driver.Sheet { return s.sheet(ctx, snap, place, columns) },
	}
}

// Write implements [driver.Shelf]. It makes a table with indexes.
func (s *shelf) Write(ctx context.Context, p *driver.Part) error {
	sh, err := s.create(ctx, s.tx, p.Stage, driver.SnapshotSpec{Level: p.Level, Year: p.Year, Release: p.Release, Schema: p.Schema})
	if err != nil {
		return err
	}
	if sh == nil {
		return sqlstore.ErrMadeBefore
	}
	s.sheets[p.Stage] = sh
	for i, b := range p.Batches {
		if err := s.copyRows(ctx, s.tx, sh, b); err != nil {
			return err
		}
		tally, err := json.Marshal(driver.TallyOf(driver.Chunk{Rows: b}))
		if err != nil {
			return err
		}
		if _, err := s.tx.Exec(ctx, s.insertChunk(), sh.number, i, b.Len(), string(tally)); err != nil {
			return err
		}
	}
	return s.indexTable(ctx, s.tx, sh, p.Rows)
}

// Record implements [driver.Shelf].
func (s *shelf) Record(ctx context.Context, snap *egrid.Snapshot) error {
	return s.record(ctx, s.tx, snap)
}

// Drop implements [driver.Shelf].
func (s *shelf) Drop(ctx context.Context, id egrid.StageID) error {
	sh, err := s.find(ctx, id)
	if errors.Is(err, egrid.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	delete(s.sheets, id)
	return s.drop(ctx, s.tx, sh)
}

// switchTo makes a snapshot the one that readers see, and the former one
// superseded.
func (s *Store) switchTo(ctx context.Context, tx pgx.Tx, catalog *cachedCatalog, snap egrid.Snapshot) (driver.PublishReport, error) {
	var none driver.PublishReport
	sh, err := s.find(ctx, tx, snap.Stage, forSettle)
	if err != nil {
		return none, err
	}
	if live, ok := catalog.Published(snap.Level, snap.Year, snap.Release); ok {
		old, err := s.find(ctx, tx, live.Stage, forSettle)
		if err != nil {
			return none, err
		}
		if err := s.detach(ctx, tx, old); err != nil {
			return none, err
		}
		live.Status = egrid.Superseded
		if err := s.record(ctx, tx, &live); err != nil {
			return none, err
		}
	}
	if err := tx.QueryRow(ctx, "UPDATE "+s.name("state")+" SET revision = revision + 1 RETURNING revision").Scan(&snap.Revision); err != nil {
		return none, err
	}
	snap.Status, snap.Reason, snap.Choices = egrid.Published, "", nil
	if err := s.record(ctx, tx, &snap); err != nil {
		return none, err
	}
	if _, err := tx.Exec(ctx, fmt.Sprint("ALTER TABLE ", s.name(parentOf(snap.Level)), " ATTACH PARTITION ", sh.layout.table, " FOR VALUES IN (", sh.number, ")")); err != nil {
		return none, err
	}
	if s.options.Keep > 0 {
		if _, err := s.prune(ctx, tx, driver.PruneRequest{Keep: s.options.Keep}); err != nil {
			return none, err
		}
	}
	return driver.PublishReport{Status: egrid.Published, Snapshot: snap}, nil
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
	if _, err := tx.Exec(ctx, "UPDATE "+s.name("sheets")+" SET status = $1, snapshot = $2, superseded_at = CASE WHEN $1 = 'superseded' THEN coalesce(superseded_at, now()) END WHERE id = $3",
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
func (s *Store) summarize(ctx context.Context, tx pgx.Tx, sh *sheet, part driver.StagePart) (egrid.Snapshot, error) {
	snap := driver.NewSnapshot(sh.id, sh.spec)
	tallies, err := s.tallies(ctx, tx, sh)
	if err != nil {
		return snap, err
	}
	driver.Describe(&snap, tallies)
	return snap, part.Check(sh.status == egrid.Held, len(tallies), snap.Rows)
}

// tallies reads what is kept of the chunks of a sheet, in their order.
func (s *Store) tallies(ctx context.Context, tx pgx.Tx, sh *sheet) ([]driver.Tally, error) {
	rows, err := tx.Query(ctx, "SELECT tally FROM "+s.name("chunks")+" WHERE sheet = $1 ORDER BY chunk", sh.number)
	if err != nil {
		return nil, err
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
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

// duplicates audits the table as a whole: it counts the identifiers that
// several rows share, and names some.
func (s *Store) duplicates(ctx context.Context, tx pgx.Tx, sh *sheet) ([]egrid.Audit, error) {
	id := egrid.Identifier(sh.spec.Level, sh.spec.Schema.Has)
	if len(id) == 0 {
		return nil, nil
	}
	var args []any
	bind := func(s string) string {
		args = append(args, s)
		return dialect.Mark(len(args), egrid.Text)
	}
	values := make([]string, len(id))
	terms, present := make([]string, len(id)), make([]string, len(id))
	for i, c := range id {
		values[i] = fmt.Sprintf("%s AS k%d", sh.layout.Value(c, egrid.Text, bind), i)
		terms[i] = fmt.Sprint("k", i)
		present[i] = terms[i] + " IS NOT NULL"
	}
	grouped := fmt.Sprint("SELECT ", strings.Join(terms, " || '/' || "), " AS key FROM (SELECT ", strings.Join(values, ", "), " FROM ", sh.layout.table, ") t WHERE ",
		strings.Join(present, " AND "), " GROUP BY ", strings.Join(terms, ", "), " HAVING count(*) > 1")
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
	return []egrid.Audit{driver.DuplicateIdentifiers(sh.spec.Level, sh.spec.Schema.Has, count, keys)}, nil
}
