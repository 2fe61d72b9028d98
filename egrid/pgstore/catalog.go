package pgstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// cachedCatalog is the decoded catalogue of one state of the database, with
// the places of its snapshots. token identifies the state: every change of the
// catalogue writes a new random one. A counter would come again, with other
// content, when the database is restored from a backup.
type cachedCatalog struct {
	egrid.Catalog
	token  string
	places map[egrid.SnapshotID]*layout
	since  map[egrid.SnapshotID]time.Time // when it was superseded
}

// Catalog implements [driver.Scanner].
func (s *Store) Catalog(ctx context.Context) (egrid.Catalog, error) {
	var catalog egrid.Catalog
	err := s.answer(ctx, func(ctx context.Context) error {
		if c := s.unchanged(ctx); c != nil {
			catalog = c.Catalog
			return nil
		}
		return s.transactReading(ctx, func(_ pgx.Tx, c *cachedCatalog) error {
			catalog = c.Catalog
			return nil
		})
	})
	return catalog, err
}

// unchanged returns the catalogue that is kept if it still holds, which one
// statement tells, and else nil. A statement that fails is left to the transaction
// that follows, which reports it.
func (s *Store) unchanged(ctx context.Context) *cachedCatalog {
	var token string
	if err := s.read.QueryRow(ctx, "SELECT token FROM "+s.name("state")).Scan(&token); err != nil {
		return nil
	}
	if c := s.catalog.Load(); c != nil && c.token == token {
		return c
	}
	return nil
}

// readCatalog returns the catalogue as the transaction sees it. Decoding it
// takes longer than most queries, so the latest is kept for as long as it holds.
func (s *Store) readCatalog(ctx context.Context, tx pgx.Tx) (*cachedCatalog, error) {
	c := &cachedCatalog{places: map[egrid.SnapshotID]*layout{}, since: map[egrid.SnapshotID]time.Time{}}
	if err := tx.QueryRow(ctx, "SELECT revision, token FROM "+s.name("state")).Scan(&c.Revision, &c.token); err != nil {
		return nil, err
	}
	if kept := s.catalog.Load(); kept != nil && kept.token == c.token {
		return kept, nil
	}
	rows, err := tx.Query(ctx, "SELECT number, typed, snapshot, superseded_at FROM "+s.name("sheets")+" WHERE status <> 'staging' ORDER BY status = 'held'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var typed []string
		var text string
		var since *time.Time
		if err := rows.Scan(&number, &typed, &text, &since); err != nil {
			return nil, err
		}
		var snap egrid.Snapshot
		if err := json.Unmarshal([]byte(text), &snap); err != nil {
			return nil, err
		}
		c.Snapshots = append(c.Snapshots, snap)
		if c.places[snap.ID] == nil { // a held load may have the content of another one
			c.places[snap.ID] = &layout{table: s.name(tableOf(snap.Level, snap.Year, number)), year: snap.Year, schema: snap.Schema, typed: typed}
		}
		if since != nil {
			c.since[snap.ID] = *since
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	pruned, err := tx.Query(ctx, "SELECT id FROM "+s.name("pruned"))
	if err != nil {
		return nil, err
	}
	if c.Pruned, err = pgx.CollectRows(pruned, pgx.RowTo[egrid.SnapshotID]); err != nil {
		return nil, err
	}
	driver.Seal(&c.Catalog)
	// A transaction that sees what others commit may have read two states.
	var still bool
	if err := tx.QueryRow(ctx, "SELECT token = $1 FROM "+s.name("state"), c.token).Scan(&still); err != nil {
		return nil, err
	}
	if still {
		s.catalog.Store(c)
	}
	return c, nil
}

// stateFirst takes the table state ahead of the others, as every transaction does
// that uses it. So whoever locks them all in this order, to restore a backup, waits
// for none that waits in turn.
func (s *Store) stateFirst(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "LOCK TABLE "+s.name("state")+" IN ACCESS SHARE MODE")
	return err
}

// touchCatalog marks that the catalogue changed.
func (s *Store) touchCatalog(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE "+s.name("state")+" SET token = $1", rand.Text())
	return err
}
