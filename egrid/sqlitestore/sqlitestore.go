// Package sqlitestore keeps eGRID data in one SQLite file: the store that a
// program embeds, with no server beside it and no cgo.
//
//	file, err := sqlitestore.Open(ctx, "egrid.db", nil)
//	defer file.Close()
//	page, err := store.New(file).Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Search: "palo verde"})
//
// Start with [Open]; a [Store] is what package store asks, and etl.ToLoader fills.
//
// # Guarantees
//
// A store is safe for concurrent use, and one file may be open in several
// processes: readers never wait, writers take turns. What Publish, Discard,
// Restore, Prune and RecordFailure did is on the disk when they return. Chunks
// that were put outlive the process at once, and a loss of power from then on;
// in any case the published snapshots stay as they were, and loading the same
// content again goes on where the load stopped. Memory use does not depend on the
// size of the data, except that a merge reads both snapshots.
//
// Every snapshot is a table of its own with exactly the columns of its sheet.
// For people who open the file with another tool there is a view for each
// published snapshot, e.g. gen_2023 or st_2018_v2, with our column names.
//
// # Versions
//
// Open brings a file of an earlier version up to date, in one transaction that
// reads every row once. Programs of that version do not open it any more.
//
// # Errors
//
// As the methods of [driver.Scanner], [driver.Loader] and [driver.History] say.
// Open returns [egrid.ErrSchema] for a file that a newer version or another
// program wrote, and [egrid.ErrInvalid] for a file that is no SQLite database.
//
// # See also
//
// Packages store, memstore and pgstore.
package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/lead"
)

// Options tune a store. The zero value means the defaults.
type Options struct {
	ReadConnections int           // readers at once; default 4
	BusyTimeout     time.Duration // how long a writer waits for another process's; default 30 s
	StageLifetime   time.Duration // an unfinished load that nobody has touched for so long is dropped; default 24 h, -1 never
	Keep            int           // superseded snapshots that publishing keeps of each level, year and release; default 10, -1 all
	KeepRuns        int           // runs that the log keeps; default 1,000, -1 all
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.ReadConnections <= 0 {
		d.ReadConnections = 4
	}
	if d.BusyTimeout <= 0 {
		d.BusyTimeout = 30 * time.Second
	}
	if d.StageLifetime == 0 {
		d.StageLifetime = 24 * time.Hour
	}
	if d.Keep == 0 {
		d.Keep = 10
	}
	if d.KeepRuns == 0 {
		d.KeepRuns = driver.KeepRuns
	}
	return d
}

// Store keeps data in a SQLite file.
type Store struct {
	path    string
	options Options
	write   *sql.DB // one connection
	read    *sql.DB
	closed  atomic.Bool
	catalog atomic.Pointer[cachedCatalog] // the latest that was read; nil before
	leaders lead.Leaders
}

// Driver returns the store's roles.
func (s *Store) Driver() driver.Store {
	return driver.Store{Scanner: s, Loader: s, History: s, FailureLog: s, RunLog: s, Schedules: s, Closer: s}
}

// Open opens the file, making it and its folder if need be.
func Open(ctx context.Context, path string, o *Options) (*Store, error) {
	s := &Store{path: path, options: o.withDefaults()}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	var err error
	if s.write, err = s.open("rwc", "immediate", writeCache, 1); err != nil {
		return nil, err
	}
	if err := s.prepareInTurn(ctx); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if s.read, err = s.open("ro", "deferred", readCache, s.options.ReadConnections); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	return s, nil
}

// checkpointPages is how far the write-ahead log grows (to 32 MiB) before it is
// copied into the file. A load writes whole tables, so SQLite's 4 MiB would
// make it sync the file after every chunk or two.
const checkpointPages = "8000"

// Memory for pages of the file, in KiB for each connection.
const (
	readCache  = "8000"
	writeCache = "16000"
	sortCache  = "1000" // while indexes are built
)

// open makes a pool. The settings go into the DSN, so that every connection
// has them; the busy timeout comes first, so that the others can wait.
func (s *Store) open(mode, lock, cacheKiB string, connections int) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_txlock": {lock}}
	for _, pragma := range []string{
		fmt.Sprintf("busy_timeout(%d)", s.options.BusyTimeout.Milliseconds()),
		"journal_mode(WAL)", "wal_autocheckpoint(" + checkpointPages + ")", "foreign_keys(1)", "temp_store(FILE)", "cache_size(-" + cacheKiB + ")",
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

// How safe a commit is when it returns. In any case it is atomic and outlives
// the process.
const (
	durable   = "FULL"   // it outlives a loss of power, as do all before it
	undurable = "NORMAL" // it may be lost with the power, as may all behind it
)

// update runs f in a write transaction and returns when it is on the disk.
func (s *Store) update(ctx context.Context, f func(*sql.Tx) error) error {
	return s.change(ctx, durable, f)
}

// change runs f in a write transaction.
func (s *Store) change(ctx context.Context, safe string, f func(*sql.Tx) error) error {
	if s.closed.Load() {
		return egrid.ErrClosed
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return s.translate(err)
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = "+safe); err != nil {
		return s.translate(err)
	}
	ctx, end := sqlStep(ctx, "BEGIN IMMEDIATE")
	err = s.transact(ctx, conn, f)
	end(err)
	return err
}

// view runs f in a read transaction.
func (s *Store) view(ctx context.Context, f func(*sql.Tx) error) error {
	return s.transact(ctx, s.read, f)
}

// beginner is a connection or a pool.
type beginner interface {
	BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error)
}

func (s *Store) transact(ctx context.Context, db beginner, f func(*sql.Tx) error) error {
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
