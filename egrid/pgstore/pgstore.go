// Package pgstore keeps eGRID data in PostgreSQL: the store of a deployment
// whose services share one database.
//
//	store, err := pgstore.Open(ctx, "postgres://egrid@db/egrid", nil)
//	defer store.Close()
//	page, err := store.Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Search: "palo verde"})
//
// # Guarantees
//
// A store is safe for concurrent use by any number of processes. Every call
// answers from one revision. Loading by any number of consumers at once,
// retried as often as need be, loads every chunk once: its rows and its line
// in the ledger are one transaction. A commit is durable when the call returns
// if the server is set up so. Memory use does not depend on the size of the
// data. PostgreSQL 14 and later.
//
// For people and their tools there is one table for each level, e.g.
// egrid.plnt, with a commented column for every column of the dictionary. It
// holds every published snapshot, one partition each; the view egrid.snapshots
// lists them. Columns that only a file knows are in the column extra.
//
// # Errors
//
// As the methods of [egrid.Querier] and [driver.Loader] say, and
// [egrid.ErrInvalid] for text that PostgreSQL cannot hold. Open and New return
// [egrid.ErrSchema] for tables that another version made: run [Migrate]. The
// driver's error is kept as the cause; none contains the password.
//
// # See also
//
// Packages memstore and sqlitestore.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Options tune a store. The zero value means the defaults.
type Options struct {
	Schema           string        // PostgreSQL schema of the tables; default egrid
	Migrate          bool          // bring the tables to this version when opening
	ReadURL          string        // server for queries, e.g. a replica, which may lag; default the same
	ReadConnections  int           // queries at once; default 8
	WriteConnections int           // loaders at once; default 4. Indexing a sheet takes up to three of them, if they are idle
	QueryTimeout     time.Duration // the server ends a query after so long; default 30 s. Loads are bounded by their context alone
	StageLifetime    time.Duration // an unfinished load that nobody has touched for so long is dropped; default 24 h
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Schema == "" {
		d.Schema = "egrid"
	}
	if d.ReadConnections <= 0 {
		d.ReadConnections = 8
	}
	if d.WriteConnections <= 0 {
		d.WriteConnections = 4
	}
	if d.QueryTimeout <= 0 {
		d.QueryTimeout = 30 * time.Second
	}
	if d.StageLifetime <= 0 {
		d.StageLifetime = 24 * time.Hour
	}
	return d
}

// Store is an [driver.Store] and an [driver.FailureLog] in a PostgreSQL database.
type Store struct {
	options Options
	server  string // for messages
	role    string // for messages
	write   *pgxpool.Pool
	read    *pgxpool.Pool
	owned   bool
	trigram string // schema of the extension pg_trgm, empty when there is none
	closed  atomic.Bool

	mu      sync.Mutex
	catalog cachedCatalog
}

var _ driver.Store = (*Store)(nil)

// Open connects to the database of a URL or of a keyword/value string, and
// owns the connections. Errors: ErrInvalid for a URL that is none, ErrSchema.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	options := o.withDefaults()
	write, err := dial(ctx, url, options.WriteConnections, nil)
	if err != nil {
		return nil, err
	}
	readURL := options.ReadURL
	if readURL == "" {
		readURL = url
	}
	read, err := dial(ctx, readURL, options.ReadConnections, map[string]string{
		"statement_timeout": fmt.Sprint(options.QueryTimeout.Milliseconds()),
		"jit":               "off",               // compiling takes longer than our queries
		"plan_cache_mode":   "force_custom_plan", // so does a plan that knows no values
	})
	if err != nil {
		write.Close()
		return nil, err
	}
	s, err := open(ctx, write, read, options)
	if err != nil {
		read.Close()
		write.Close()
		return nil, err
	}
	s.owned = true
	return s, nil
}

// New makes a store on a pool that stays the caller's: its settings apply
// instead of QueryTimeout, and Close leaves it open. Errors: ErrSchema.
func New(ctx context.Context, pool *pgxpool.Pool, o *Options) (*Store, error) {
	options := o.withDefaults()
	if options.ReadURL != "" {
		return nil, fmt.Errorf("%w: a store on a borrowed pool has no ReadURL", egrid.ErrInvalid)
	}
	return open(ctx, pool, pool, options)
}

func dial(ctx context.Context, url string, connections int, settings map[string]string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%w: pgstore: %w", egrid.ErrInvalid, err) // which hides the password
	}
	config.MaxConns = int32(min(connections, 1000))
	for name, value := range settings {
		if _, given := config.ConnConfig.RuntimeParams[name]; !given {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "egrid"
	}
	return pgxpool.NewWithConfig(ctx, config)
}

func open(ctx context.Context, write, read *pgxpool.Pool, options Options) (*Store, error) {
	s := &Store{options: options, write: write, read: read}
	s.server, s.role = serverOf(write.Config().ConnConfig), write.Config().ConnConfig.User
	s.catalog.change = -1
	if len(options.Schema) > 63 {
		return nil, fmt.Errorf("%w: schema name %q is longer than 63 bytes", egrid.ErrInvalid, options.Schema)
	}
	if options.Migrate {
		if err := s.migrate(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func serverOf(c *pgx.ConnConfig) string {
	return fmt.Sprintf("%s:%d/%s", c.Host, c.Port, c.Database)
}

// prepare checks the tables' version and looks for the extension.
func (s *Store) prepare(ctx context.Context) error {
	return s.update(ctx, func(tx pgx.Tx) error {
		if err := s.checkSchema(ctx, tx); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'").Scan(&s.trigram)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
}

// Close closes the connections. Later calls return [egrid.ErrClosed].
func (s *Store) Close() error {
	if s.closed.Swap(true) || !s.owned {
		return nil
	}
	s.read.Close()
	s.write.Close()
	return nil
}
