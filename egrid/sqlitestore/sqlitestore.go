// Package sqlitestore keeps eGRID data in one SQLite file: the store that a
// program embeds, with no server beside it and no cgo.
//
//	store, err := sqlitestore.Open(ctx, "egrid.db", nil)
//	defer store.Close()
//	page, err := store.Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Search: "palo verde"})
//
// # Guarantees
//
// A store is safe for concurrent use, and one file may be open in several
// processes: readers never wait, writers take turns. Every call answers from
// one revision. A commit is durable when the call returns; a process killed at
// any moment leaves the published snapshots as they were, and loading the same
// content again goes on where the killed load stopped. Memory use does not
// depend on the size of the data.
//
// Every snapshot is a table of its own with exactly the columns of its sheet.
// For people who open the file with another tool there is a view for each
// published snapshot, e.g. gen_2023 or st_2018_v2, with our column names.
//
// # Errors
//
// As the methods of [egrid.Querier] and [driver.Loader] say. Open returns
// [egrid.ErrSchema] for a file that another version wrote, and
// [egrid.ErrInvalid] for a file that is no SQLite database.
//
// # See also
//
// Packages memstore and pgstore.
package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Options tune a store. The zero value means the defaults.
type Options struct {
	ReadConnections int           // readers at once; default 4
	BusyTimeout     time.Duration // how long a writer waits for another process's; default 30 s
	StageLifetime   time.Duration // an unfinished load that nobody has touched for so long is dropped; default 24 h
}

// Store is an [driver.Store] and an [driver.FailureLog] in a SQLite file.
type Store struct {
	path    string
	options Options
	write   *sql.DB // one connection
	read    *sql.DB
	closed  atomic.Bool

	mu      sync.Mutex
	catalog cachedCatalog
}

// cachedCatalog is the decoded catalogue of one state of the file.
type cachedCatalog struct {
	egrid.Catalog
	change int64
}

var _ driver.Store = (*Store)(nil)

// schemaVersion is the file format, kept in the file's user_version.
const schemaVersion = 1

// Sheets holds one row for each stage and snapshot; change grows with every
// change of the catalogue, so that readers know when to read it again.
const schema = `
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, change INTEGER NOT NULL);
INSERT INTO state VALUES (1, 0, 0);
CREATE TABLE sheets (
	id TEXT PRIMARY KEY, level TEXT NOT NULL, year INTEGER NOT NULL, release TEXT NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('staging', 'held', 'published')),
	spec TEXT NOT NULL, snapshot TEXT, touched_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX sheets_published ON sheets (level, year, release) WHERE status = 'published';
CREATE TABLE chunks (
	sheet TEXT NOT NULL, chunk INTEGER NOT NULL, rows INTEGER NOT NULL, rejected INTEGER NOT NULL,
	lossy TEXT NOT NULL, findings TEXT NOT NULL, PRIMARY KEY (sheet, chunk)
) WITHOUT ROWID;
`

// Open opens the file, making it and its folder if need be.
func Open(ctx context.Context, path string, o *Options) (*Store, error) {
	s := &Store{path: path}
	if o != nil {
		s.options = *o
	}
	if s.options.ReadConnections <= 0 {
		s.options.ReadConnections = 4
	}
	if s.options.BusyTimeout <= 0 {
		s.options.BusyTimeout = 30 * time.Second
	}
	if s.options.StageLifetime <= 0 {
		s.options.StageLifetime = 24 * time.Hour
	}
	s.catalog.change = -1
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	var err error
	if s.write, err = s.open("rwc", "immediate", "16000", 1); err != nil {
		return nil, err
	}
	if err := s.prepareInTurn(ctx); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if s.read, err = s.open("ro", "deferred", "8000", s.options.ReadConnections); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	return s, nil
}

// checkpointPages is how far the write-ahead log grows (to 32 MiB) before it is
// copied into the file. A load writes whole tables, so SQLite's 4 MiB would
// make it sync the file after every chunk or two.
const checkpointPages = "8000"

// open makes a pool. The settings go into the DSN, so that every connection
// has them; the busy timeout comes first, so that the others can wait.
func (s *Store) open(mode, lock, cacheKiB string, connections int) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_txlock": {lock}}
	for _, pragma := range []string{
		fmt.Sprintf("busy_timeout(%d)", s.options.BusyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(" + checkpointPages + ")", "foreign_keys(1)", "temp_store(FILE)", "cache_size(-" + cacheKiB + ")",
	} {
		q.Add("_pragma", pragma)
	}
	path := (&url.URL{Path: filepath.ToSlash(s.path)}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+path+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: %s: %w", s.path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

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
// of them in a new file, and in any file those that a program may do without.
func (s *Store) prepare(ctx context.Context) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		var version, tables int
		if err := tx.QueryRowContext(ctx, "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version").Scan(&version, &tables); err != nil {
			return err
		}
		switch {
		case version == schemaVersion:
			_, err := tx.ExecContext(ctx, failureSchema)
			return err
		case version != 0 || tables > 0:
			return fmt.Errorf("%w: %s has version %d where this program needs %d; open it with the program that wrote it, or load into a new file",
				egrid.ErrSchema, s.path, version, schemaVersion)
		}
		_, err := tx.ExecContext(ctx, schema+failureSchema+fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion))
		return err
	})
}

// Close closes the file. Later calls return [egrid.ErrClosed].
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// Backup writes a consistent copy of the store to a new file while it is in
// use. The file appears under its name only when it is complete.
func (s *Store) Backup(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%w: %s exists already", egrid.ErrInvalid, path)
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := s.write.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return s.translate(err)
	}
	return os.Rename(part, path)
}

// update runs f in a write transaction.
func (s *Store) update(ctx context.Context, f func(*sql.Tx) error) error {
	return s.transact(ctx, s.write, f)
}

// view runs f in a read transaction, with the catalogue that belongs to it.
func (s *Store) view(ctx context.Context, f func(*sql.Tx, egrid.Catalog) error) error {
	return s.transact(ctx, s.read, func(tx *sql.Tx) error {
		catalog, err := s.readCatalog(ctx, tx)
		if err != nil {
			return err
		}
		return f(tx, catalog)
	})
}

func (s *Store) transact(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	if s.closed.Load() {
		return egrid.ErrClosed
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return s.translate(err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error tells more
		return s.translate(err)
	}
	return s.translate(tx.Commit())
}

// translate puts SQLite's errors into our words, keeping the cause.
func (s *Store) translate(err error) error {
	var cause *sqlite.Error
	if !errors.As(err, &cause) {
		if s.closed.Load() && err != nil {
			return egrid.ErrClosed
		}
		return err
	}
	switch cause.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %s is not a SQLite database; name another file: %w", egrid.ErrInvalid, s.path, err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("sqlitestore: %s is damaged; load into a new file or restore a backup: %w", s.path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("sqlitestore: no space left for %s; nothing was changed: %w", s.path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("sqlitestore: %s cannot be written; check the permissions of the file and its folder: %w", s.path, err)
	}
	return fmt.Errorf("sqlitestore: %s: %w", s.path, err)
}

// Catalog implements [egrid.Querier].
func (s *Store) Catalog(ctx context.Context) (egrid.Catalog, error) {
	var catalog egrid.Catalog
	err := s.view(ctx, func(_ *sql.Tx, c egrid.Catalog) error {
		catalog = c
		return nil
	})
	return catalog, err
}

// readCatalog returns the catalogue as the transaction sees it. Decoding it
// takes longer than most queries, so it is kept for as long as it holds.
func (s *Store) readCatalog(ctx context.Context, tx *sql.Tx) (egrid.Catalog, error) {
	var c cachedCatalog
	if err := tx.QueryRowContext(ctx, "SELECT revision, change FROM state").Scan(&c.Revision, &c.change); err != nil {
		return c.Catalog, err
	}
	s.mu.Lock()
	cached := s.catalog
	s.mu.Unlock()
	if cached.change == c.change {
		return cached.Catalog, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT snapshot FROM sheets WHERE status IN ('published', 'held')")
	if err != nil {
		return c.Catalog, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return c.Catalog, err
		}
		var snap egrid.Snapshot
		if err := json.Unmarshal([]byte(text), &snap); err != nil {
			return c.Catalog, err
		}
		c.Snapshots = append(c.Snapshots, snap)
	}
	if err := rows.Err(); err != nil {
		return c.Catalog, err
	}
	c.Sort()
	s.mu.Lock()
	if c.change > s.catalog.change {
		s.catalog = c
	}
	s.mu.Unlock()
	return c.Catalog, nil
}
