package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// SQLSTATE codes that we tell apart.
const (
	undefinedTable     = "42P01"
	undefinedSchema    = "3F000"
	noPrivilege        = "42501"
	diskFull           = "53100"
	queryCanceled      = "57014"
	adminShutdown      = "57P01"
	crashShutdown      = "57P02"
	cannotConnectNow   = "57P03"
	serializationError = "40001"
	deadlock           = "40P01"
	lockNotAvailable   = "55P03"
	internalError      = "XX000"
	badByteSequence    = "22021"
	badUnicode         = "22P05"
)

func codeOf(err error) string {
	var cause *pgconn.PgError
	if errors.As(err, &cause) {
		return cause.Code
	}
	return ""
}

// onLine is an error whose text is on one line.
type onLine struct {
	error
	text string
}

func (e onLine) Error() string { return e.text }
func (e onLine) Unwrap() error { return e.error }

// oneLine has each fault of several attempts once: the driver has a line for each,
// with TLS and without, and most often they are the same.
func oneLine(err error) error {
	var faults []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(faults, line) {
			faults = append(faults, line)
		}
	}
	return onLine{err, strings.TrimSpace(strings.Join(faults[:min(1, len(faults))], "") + " " + strings.Join(faults[min(1, len(faults)):], "; "))}
}

// translate puts errors of one of the two servers into our words, keeping the cause.
func (s *Store) translate(pool *pgxpool.Pool, err error) error {
	if err == nil {
		return nil
	}
	server, role := serverOf(pool.Config().ConnConfig), pool.Config().ConnConfig.User
	if s.closed.Load() {
		return fmt.Errorf("%w: pgstore: %w", egrid.ErrClosed, err)
	}
	switch codeOf(err) {
	case "":
		var connect *pgconn.ConnectError
		switch {
		case errors.As(err, &connect) && errors.Is(err, context.Canceled):
			return fmt.Errorf("pgstore: cannot connect to %s: %w", server, oneLine(err))
		case errors.As(err, &connect):
			return fmt.Errorf("%w: pgstore: cannot connect to %s: %w", egrid.ErrUnavailable, server, oneLine(err))
		case cut(err):
			return fmt.Errorf("%w: pgstore: the connection to %s was cut: %w", egrid.ErrUnavailable, server, err)
		}
		return err
	case adminShutdown, crashShutdown, cannotConnectNow:
		return fmt.Errorf("%w: pgstore: %s stops or starts: %w", egrid.ErrUnavailable, server, err)
	case undefinedSchema:
		return fmt.Errorf("%w: %s has no schema %q; run egrid migrate: %w", egrid.ErrSchema, server, s.options.Schema, err)
	case noPrivilege:
		return fmt.Errorf("pgstore: %s: the role %s may not do this; as the owner of the tables, %s: %w", server, quote(role), s.grants(role), err)
	case diskFull:
		return fmt.Errorf("pgstore: no space left on %s; what was loaded before is whole: free some space, or give the server more, and do it again: %w", server, err)
	case queryCanceled:
		return fmt.Errorf("%w: pgstore: %s ended the statement, which took too long or was cancelled: %w", context.DeadlineExceeded, server, err)
	case badByteSequence, badUnicode:
		return fmt.Errorf("%w: PostgreSQL cannot hold the text: %w", egrid.ErrInvalid, err)
	}
	return fmt.Errorf("pgstore: %s: %w", server, err)
}

// grants says what a role has to be given. Publishing adds partitions and drops
// them, which only their owner may do.
func (s *Store) grants(role string) string {
	role, schema := quote(role), quote(s.options.Schema)
	return fmt.Sprint("GRANT your own role TO ", role, " if it loads; if it only reads, GRANT USAGE ON SCHEMA ", schema, " TO ", role,
		", GRANT SELECT ON ALL TABLES IN SCHEMA ", schema, " TO ", role, " and ALTER DEFAULT PRIVILEGES IN SCHEMA ", schema, " GRANT SELECT ON TABLES TO ", role)
}

// attempts is how often a transaction is tried that others got in the way of.
const attempts = 5

// worthRetry reports whether a transaction that changed nothing may succeed
// when it is run again.
func worthRetry(err error) bool {
	switch codeOf(err) {
	case serializationError, deadlock:
		return true
	}
	return pgconn.SafeToRetry(err)
}

// worthReadingAgain adds what only a reader can meet: the snapshot that it was
// about to read has been replaced and dropped, a restore has made the tables anew,
// or the connection was cut.
func worthReadingAgain(err error) bool {
	if errors.Is(err, pgx.ErrNoRows) { // the row of the table state is newer than the transaction
		return true
	}
	switch code := codeOf(err); code {
	case undefinedTable, adminShutdown, crashShutdown, cannotConnectNow:
		return true
	case internalError:
		return strings.Contains(err.Error(), "could not open relation")
	case "":
		return cut(err)
	}
	return false
}

// cut reports whether a connection ended under a statement.
func cut(err error) bool {
	var network net.Error
	return errors.As(err, &network) && !network.Timeout() || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// update runs f in a write transaction, again where that may help.
func (s *Store) update(ctx context.Context, f func(pgx.Tx) error) error {
	if s.closed.Load() {
		return egrid.ErrClosed
	}
	var err error
	for attempt := range attempts {
		err = transact(ctx, s.write, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, f)
		if err == nil || !worthRetry(err) || !pause(ctx, attempt) {
			break
		}
	}
	return s.translate(s.write, err)
}

// answer asks the server for queries. One that should have ended the query and says
// nothing, as behind a network that is cut, is given up.
func (s *Store) answer(ctx context.Context, ask func(context.Context) error) error {
	if s.closed.Load() {
		return egrid.ErrClosed
	}
	limit := s.options.QueryTimeout + queryGrace
	if !s.owned || s.options.QueryTimeout < 0 {
		return s.translate(s.read, ask(ctx))
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := ask(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: pgstore: %s says nothing for %s: %w", egrid.ErrUnavailable, serverOf(s.read.Config().ConnConfig), limit, err)
	}
	return s.translate(s.read, err)
}

// view runs f in a read transaction, with the catalogue that belongs to it.
func (s *Store) view(ctx context.Context, f func(pgx.Tx, *cachedCatalog) error) error {
	return s.answer(ctx, func(ctx context.Context) error { return s.transactReading(ctx, f) })
}

// transactReading is view, with the errors of PostgreSQL.
func (s *Store) transactReading(ctx context.Context, f func(pgx.Tx, *cachedCatalog) error) error {
	for attempt := 0; ; attempt++ {
		err := transact(ctx, s.read, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			catalog, err := s.readCatalog(ctx, tx)
			if err != nil {
				return err
			}
			return f(tx, catalog)
		})
		if err == nil || attempt == attempts-1 || !worthRetry(err) && !worthReadingAgain(err) || !pause(ctx, attempt) {
			return err
		}
	}
}

// beginner is a pool or a connection of it.
type beginner interface {
	BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
}

// transact runs f in a transaction. Its error is f's: pgx.BeginTxFunc would
// report that a cut connection cannot roll back.
func transact(ctx context.Context, conn beginner, o pgx.TxOptions, f func(pgx.Tx) error) error {
	tx, err := conn.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	return finish(ctx, tx, f(tx))
}

// finish commits, or rolls back after an error.
func finish(ctx context.Context, tx pgx.Tx, err error) error {
	if err == nil {
		return tx.Commit(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = tx.Rollback(ctx) // the first error tells more
	return err
}

// pause waits before another attempt; it is false when the caller gave up.
func pause(ctx context.Context, attempt int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(5<<attempt) * time.Millisecond):
		return true
	}
}
