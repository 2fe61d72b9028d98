// Package pgstore keeps eGRID data in PostgreSQL: the store of a deployment
// whose services share one database.
//
//	s, err := pgstore.Open(ctx, "postgres://egrid@db/egrid", nil)
//	defer s.Close()
//	page, err := store.New(s).Rows(ctx, egrid.RowQuery{Level: egrid.PLNT, Search: "palo verde"})
//
// Start with [Migrate] before the first use and after an update, and with [Open], or with [New]
// over a pool of your own.
//
// # Guarantees
//
// A store is safe for concurrent use by any number of processes. Loading by any
// number of consumers at once, retried as often as need be, loads every chunk
// once: its rows and its line in the ledger are one transaction. A commit is
// durable when the call returns if the server is set up so. PostgreSQL 14 and
// later.
//
// A scan of rows uses the same memory for any number of rows, and holds no
// connection, no transaction and no lock while its caller works on a batch, so
// a slow reader keeps nobody from publishing. Groups, and merging, read their
// rows into memory first.
//
// A running store notices that its database was restored from a backup, or that
// another server took over. A replica that lags answers from what it has;
// [Store.Lag] says how old that is. A URL may name several servers, which are tried
// in turn: postgres://a,b/egrid?target_session_attrs=read-write.
//
// For people and their tools there is one table for each level, e.g.
// egrid.plnt, with a commented column for every column of the dictionary. It
// holds every published snapshot, one partition each; the view egrid.snapshots
// lists them. Columns that only a file knows are in the column extra. Superseded
// snapshots are tables beside it.
//
// # Errors
//
// As the methods of [driver.Scanner], [driver.Loader] and [driver.History] say, and
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
	"fmt"
	"slices"
	"strings"
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
	QueryTimeout     time.Duration // the server ends a query after so long, and one that it says nothing to is given up 5 s later; default 30 s, -1 never. Loads are bounded by their context alone
	StageLifetime    time.Duration // an unfinished load that nobody has touched for so long is dropped; default 24 h, -1 never
	Keep             int           // superseded snapshots that publishing keeps of each level, year and release; default 10, -1 all
	KeepRuns         int           // runs that the log keeps; default 1,000, -1 all
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
	if d.QueryTimeout == 0 {
		d.QueryTimeout = 30 * time.Second
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

// Store keeps data in a PostgreSQL database.
type Store struct {
	options Options
	server  string // for messages
	write   *pgxpool.Pool
	read    *pgxpool.Pool
	owned   bool
	closed  atomic.Bool
	catalog atomic.Pointer[cachedCatalog] // the latest that was read; nil before
	inStep  atomic.Pointer[time.Time]     // when Lag found both servers alike; nil before
}

// Driver returns the store's roles.
func (s *Store) Driver() driver.Store {
	return driver.Store{Scanner: s, Loader: s, History: s, FailureLog: s, RunLog: s, Schedules: s, Closer: s}
}

// Open connects to the database of a URL or of a keyword/value string, and
// owns the connections. One that is silent for 20 seconds is given up: on Linux
// always, elsewhere where nothing was sent meanwhile. A server has 10 seconds to let a
// connection in, and 2 to answer on one that was idle, unless connect_timeout and
// pool_ping_timeout of the URL say otherwise. Errors: ErrInvalid for a URL that is none, ErrSchema.
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
		"statement_timeout": fmt.Sprint(max(options.QueryTimeout, 0).Milliseconds()),
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
	config.ConnConfig.Tracer = tracer{}
	config.ConnConfig.DialFunc = dialer()
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.PingTimeout == 0 {
		config.PingTimeout = pingTimeout
	}
	return pgxpool.NewWithConfig(ctx, config)
}

func open(ctx context.Context, write, read *pgxpool.Pool, options Options) (*Store, error) {
	s := &Store{options: options, write: write, read: read}
	s.server = serverOf(write.Config().ConnConfig)
	if len(options.Schema) > 63 {
		return nil, fmt.Errorf("%w: schema name %q is longer than 63 bytes", egrid.ErrInvalid, options.Schema)
	}
	if options.Migrate {
		if err := s.migrate(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.update(ctx, func(tx pgx.Tx) error { return s.checkSchema(ctx, tx) }); err != nil {
		return nil, err
	}
	return s, nil
}

// serverOf names the servers that are tried in turn.
func serverOf(c *pgx.ConnConfig) string {
	servers := []string{fmt.Sprintf("%s:%d", c.Host, c.Port)}
	for _, f := range c.Fallbacks { // also the same once more, without TLS
		if server := fmt.Sprintf("%s:%d", f.Host, f.Port); !slices.Contains(servers, server) {
			servers = append(servers, server)
		}
	}
	return strings.Join(servers, ",") + "/" + c.Database
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
