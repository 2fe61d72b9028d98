package sqlitestore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// schemaVersion is the file format, kept in the file's user_version.
const schemaVersion = 2

// Sheets holds one row for each stage and snapshot. The state's token is another
// random text after every change of the catalogue, so that readers know when to
// read it again, even when the file was restored from a backup in between. Times
// are microseconds since 1970, but touched_at, which is seconds.
const schema = `
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, token TEXT NOT NULL);
CREATE TABLE sheets (
	id TEXT PRIMARY KEY, level TEXT NOT NULL, year INTEGER NOT NULL, release TEXT NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('staging', 'held', 'published', 'superseded')),
	spec TEXT NOT NULL, snapshot TEXT, touched_at INTEGER NOT NULL, superseded_at INTEGER
);
CREATE UNIQUE INDEX sheets_published ON sheets (level, year, release) WHERE status = 'published';
CREATE TABLE chunks (sheet TEXT NOT NULL, chunk INTEGER NOT NULL, tally TEXT NOT NULL, PRIMARY KEY (sheet, chunk)) WITHOUT ROWID;
CREATE TABLE pruned (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE);
`

// prepareInTurn prepares the file when others are done with it. SQLite waits for
// them by itself, save in one case: of several that give a new file its
// write-ahead log, all but one are refused at once.
func (s *Store) prepareInTurn(ctx context.Context) error {
	deadline := time.Now().Add(s.options.BusyTimeout)
	for {
		err := s.prepare(ctx)
		var cause *sqlite.Error
		if !errors.As(err, &cause) || cause.Code() != sqlite3.SQLITE_BUSY || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// prepare checks the file's version and makes the tables that are missing: all
// of them in a new file, those of this version in an older one, and in any file
// those that a program may do without.
func (s *Store) prepare(ctx context.Context) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		var version, tables int
		if err := tx.QueryRowContext(ctx, "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version").Scan(&version, &tables); err != nil {
			return err
		}
		var err error
		switch {
		case version == schemaVersion:
		case version == 1:
			err = s.migrate(ctx, tx)
		case version == 0 && tables == 0:
			_, err = tx.ExecContext(ctx, schema+"INSERT INTO state VALUES (1, 0, ?)", rand.Text())
		case version > schemaVersion:
			return fmt.Errorf("%w: %s has version %d, made by a newer program; this one knows %d: update it, or load into a new file",
				egrid.ErrSchema, s.path, version, schemaVersion)
		default:
			return fmt.Errorf("%w: %s is another program's database; name another file", egrid.ErrSchema, s.path)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, failureSchema+runSchema+fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion))
		return err
	})
}

// migrate brings a file of version 1 up to date. Its tables of rows stay as they
// are.
func (s *Store) migrate(ctx context.Context, tx *sql.Tx) error {
	steps := []string{
		"DROP INDEX sheets_published; ALTER TABLE state RENAME TO old_state; ALTER TABLE sheets RENAME TO old_sheets; ALTER TABLE chunks RENAME TO old_chunks;",
		schema,
		"INSERT INTO state SELECT one, revision, '" + rand.Text() + `' FROM old_state;
		INSERT INTO sheets SELECT id, level, year, release, status, spec, snapshot, touched_at, NULL FROM old_sheets;
		INSERT INTO chunks SELECT sheet, chunk, json_object('rows', rows, 'rejected', rejected, 'lossy', json(lossy), 'findings', json(findings)) FROM old_chunks;
		DROP TABLE old_state; DROP TABLE old_sheets; DROP TABLE old_chunks;`,
	}
	for _, step := range steps {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	sheets, err := column(ctx, tx, "SELECT id FROM sheets")
	if err != nil {
		return err
	}
	for _, id := range sheets {
		if err := s.identify(ctx, tx, egrid.StageID(id)); err != nil {
			return err
		}
	}
	return nil
}

// identify gives a snapshot the id of its content, and a stage's chunks a digest.
func (s *Store) identify(ctx context.Context, tx *sql.Tx, id egrid.StageID) error {
	sh, err := find(ctx, tx, id)
	if err != nil {
		return err
	}
	var digest driver.Digest
	for b, err := range readSheet(ctx, tx, driver.NewSnapshot(id, sh.spec), nil, 0, 0) {
		if err != nil {
			return err
		}
		digest = digest.Plus(driver.DigestOf(b))
	}
	if sh.status != staging {
		var text string
		if err := tx.QueryRowContext(ctx, "SELECT snapshot FROM sheets WHERE id = ?", id).Scan(&text); err != nil {
			return err
		}
		var snap egrid.Snapshot
		if err := json.Unmarshal([]byte(text), &snap); err != nil {
			return err
		}
		snap.Stage, snap.ID = id, driver.IdentityOf(&snap, digest)
		if err := record(ctx, tx, &snap); err != nil {
			return err
		}
	}
	// Digests add up, so that of the whole sheet may stand with any chunk.
	text, err := json.Marshal(digest)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE chunks SET tally = json_set(tally, '$.digest', json(?), '$.order', ?) WHERE sheet = ? AND chunk = (SELECT min(chunk) FROM chunks WHERE sheet = ?)",
		string(text), driver.Order(sh.spec.Schema), id, id)
	return err
}

// column reads a result of one column.
func column(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}
