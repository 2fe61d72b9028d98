package pgstore

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// cachedCatalog is the decoded catalogue of one state of the database, with
// the places of its snapshots.
type cachedCatalog struct {
	egrid.Catalog
	change int64
	places map[egrid.StageID]layout
}

// Catalog implements [egrid.Querier].
func (s *Store) Catalog(ctx context.Context) (egrid.Catalog, error) {
	if c, ok := s.unchanged(ctx); ok {
		return c, nil
	}
	var catalog egrid.Catalog
	err := s.view(ctx, func(_ pgx.Tx, c *cachedCatalog) error {
		catalog = c.Catalog
		return nil
	})
	return catalog, err
}

// unchanged returns the catalogue that is kept if it still holds, which one
// statement tells. What fails here is for a transaction to find out.
func (s *Store) unchanged(ctx context.Context) (egrid.Catalog, bool) {
	if s.closed.Load() {
		return egrid.Catalog{}, false
	}
	var change int64
	if err := s.read.QueryRow(ctx, "SELECT change FROM "+s.name("state")).Scan(&change); err != nil {
		return egrid.Catalog{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog.Catalog, s.catalog.change == change
}

// readCatalog returns the catalogue as the transaction sees it. Decoding it
// takes longer than most queries, so it is kept for as long as it holds.
func (s *Store) readCatalog(ctx context.Context, tx pgx.Tx) (*cachedCatalog, error) {
	c := cachedCatalog{places: map[egrid.StageID]layout{}}
	if err := tx.QueryRow(ctx, "SELECT revision, change FROM "+s.name("state")).Scan(&c.Revision, &c.change); err != nil {
		return nil, err
	}
	s.mu.Lock()
	cached := s.catalog
	s.mu.Unlock()
	if cached.change == c.change {
		return &cached, nil
	}
	rows, err := tx.Query(ctx, "SELECT number, typed, snapshot FROM "+s.name("sheets")+" WHERE status IN ('published', 'held')")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var typed []string
		var text string
		if err := rows.Scan(&number, &typed, &text); err != nil {
			return nil, err
		}
		var snap egrid.Snapshot
		if err := json.Unmarshal([]byte(text), &snap); err != nil {
			return nil, err
		}
		c.Snapshots = append(c.Snapshots, snap)
		c.places[snap.ID] = layout{table: s.name(tableOf(snap.Level, snap.Year, number)), schema: snap.Schema, typed: typed}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	c.Sort()
	s.mu.Lock()
	if c.change > s.catalog.change {
		s.catalog = c
	}
	s.mu.Unlock()
	return &c, nil
}
