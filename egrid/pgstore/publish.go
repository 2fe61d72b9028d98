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

// complete checks that the stage holds what the request says.
func (s *Store) complete(ctx context.Context, tx pgx.Tx, sh *sheet, r driver.PublishRequest) error {
	var chunks int
	var rows int64
	if err := tx.QueryRow(ctx, "SELECT count(*), coalesce(sum(rows), 0)::bigint FROM "+s.name("chunks")+" WHERE sheet = $1", sh.number).Scan(&chunks, &rows); err != nil {
		return err
	}
	return r.Check(sh.id, sh.status == held, chunks, rows)
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
	var live *egrid.Snapshot
	if snap, ok := catalog.Published(sh.spec.Level, sh.spec.Year, sh.spec.Release); ok {
		live = &snap
	}
	if sh.status == published {
		return driver.PublishReport{Status: egrid.Unchanged, Snapshot: *live}, nil
	}
	if err := s.complete(ctx, tx, sh, r); err != nil {
		return none, err
	}
	if sh.number != ready.number {
		return none, fmt.Errorf("%w: stage %s was discarded and loaded again meanwhile; publish it again", egrid.ErrIncomplete, id)
	}
	snap, err := s.summarize(ctx, tx, sh)
	if err != nil {
		return none, err
	}
	snap.Audits = append(snap.Audits, ready.audits...)
	status, reason := driver.Decide(policy, snap, live)
	switch status {
	case egrid.Unchanged:
		if err := s.drop(ctx, tx, sh); err != nil {
			return none, err
		}
		return driver.PublishReport{Status: status, Snapshot: *live}, s.touchCatalog(ctx, tx)
	case egrid.Held:
		snap.Status, snap.Reason = status, reason
		return driver.PublishReport{Status: status, Reason: reason, Snapshot: snap}, s.record(ctx, tx, &snap, held)
	}
	if policy == driver.PublishMerge && live != nil {
		if sh, err = s.merge(ctx, tx, live, &snap, sh); err != nil {
			return none, err
		}
	}
	return s.switchTo(ctx, tx, sh, &snap, live, catalog.Revision+1)
}

// switchTo makes a snapshot the one that readers see.
func (s *Store) switchTo(ctx context.Context, tx pgx.Tx, sh *sheet, snap, live *egrid.Snapshot, revision int64) (driver.PublishReport, error) {
	snap.Status, snap.Revision = egrid.Published, revision
	report := driver.PublishReport{Status: egrid.Published, Snapshot: *snap}
	if live != nil {
		old, err := s.find(ctx, tx, live.ID, forSettle)
		if err != nil {
			return report, err
		}
		if err := s.detach(ctx, tx, old); err != nil {
			return report, err
		}
		if err := s.drop(ctx, tx, old); err != nil {
			return report, err
		}
	}
	if err := s.record(ctx, tx, snap, published); err != nil {
		return report, err
	}
	for _, statement := range []string{
		fmt.Sprint("ALTER TABLE ", s.name(parentOf(snap.Level)), " ATTACH PARTITION ", sh.layout.table, " FOR VALUES IN (", sh.number, ")"),
		fmt.Sprint("UPDATE ", s.name("state"), " SET revision = ", revision),
		fmt.Sprint("DELETE FROM ", s.name("chunks"), " WHERE sheet = ", sh.number),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return report, err
		}
	}
	return report, nil
}

// How long a publisher makes readers wait behind it while it waits for those
// that came before, and how often it tries.
const (
	switchWait     = time.Second
	switchAttempts = 60
)

// detach takes a table out of its level's, which needs both for a moment.
// Whoever asks later queues behind the asking publisher, so it asks for a
// short time, again and again.
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
func (s *Store) record(ctx context.Context, tx pgx.Tx, snap *egrid.Snapshot, status string) error {
	text, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE "+s.name("sheets")+" SET status = $1, snapshot = $2 WHERE id = $3", status, string(text), string(snap.ID)); err != nil {
		return err
	}
	return s.touchCatalog(ctx, tx)
}

// summarize gathers what the chunks found.
func (s *Store) summarize(ctx context.Context, tx pgx.Tx, sh *sheet) (egrid.Snapshot, error) {
	snap := driver.NewSnapshot(sh.id, sh.spec)
	rows, err := tx.Query(ctx, "SELECT rows, rejected, lossy, findings FROM "+s.name("chunks")+" WHERE sheet = $1 ORDER BY chunk", sh.number)
	if err != nil {
		return snap, err
	}
	defer rows.Close()
	for rows.Next() {
		var loaded, rejected int64
		var lossyText, findingsText string
		if err := rows.Scan(&loaded, &rejected, &lossyText, &findingsText); err != nil {
			return snap, err
		}
		var lossy []egrid.Column
		var findings []egrid.Audit
		if err := errors.Join(json.Unmarshal([]byte(lossyText), &lossy), json.Unmarshal([]byte(findingsText), &findings)); err != nil {
			return snap, err
		}
		snap.Count(loaded, rejected, lossy, findings)
	}
	return snap, rows.Err()
}

// duplicates audits the table as a whole: it counts the identifiers that
// several rows share, and names some.
func (s *Store) duplicates(ctx context.Context, tx pgx.Tx, sh *sheet) ([]egrid.Audit, error) {
	id := driver.Identifier(sh.spec.Level, sh.spec.Schema.Has)
	if id == nil {
		return nil, nil
	}
	var b binder
	values := make([]string, len(id))
	texts := make([]string, len(id))
	for i, c := range id {
		values[i] = fmt.Sprintf("%s AS k%d", sh.layout.value("", c, egrid.Text, &b), i)
		texts[i] = fmt.Sprintf("coalesce(k%d, '')", i)
	}
	text := strings.Join(texts, " || '/' || ")
	grouped := fmt.Sprint("SELECT ", text, " AS key FROM (SELECT ", strings.Join(values, ", "), " FROM ", sh.layout.table, ") t GROUP BY ", strings.Join(texts, ", "), " HAVING count(*) > 1")
	rows, err := tx.Query(ctx, fmt.Sprint(`SELECT key, count(*) OVER () FROM (`, grouped, `) d ORDER BY key COLLATE "C" LIMIT 20`), b.args...)
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
