package sqlitestore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// cachedCatalog is the decoded catalogue of one state of the file, with the
// places of its snapshots. token identifies the state.
type cachedCatalog struct {
	egrid.Catalog
	token  string
	places map[egrid.SnapshotID]place
	since  map[egrid.SnapshotID]time.Time // when it was superseded
}

// Catalog implements [driver.Scanner].
func (s *Store) Catalog(ctx context.Context) (egrid.Catalog, error) {
	var catalog egrid.Catalog
	err := s.view(ctx, func(tx *sql.Tx) error {
		c, err := s.readCatalog(ctx, tx)
		if err == nil {
			catalog = c.Catalog
		}
		return err
	})
	return catalog, err
}

// readCatalog returns the catalogue as the transaction sees it. Decoding it
// takes longer than most queries, so the latest is kept for as long as it holds.
func (s *Store) readCatalog(ctx context.Context, tx *sql.Tx) (*cachedCatalog, error) {
	c := &cachedCatalog{places: map[egrid.SnapshotID]place{}, since: map[egrid.SnapshotID]time.Time{}}
	if err := tx.QueryRowContext(ctx, "SELECT revision, token FROM state").Scan(&c.Revision, &c.token); err != nil {
		return nil, err
	}
	if kept := s.catalog.Load(); kept != nil && kept.token == c.token {
		return kept, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT snapshot, superseded_at FROM sheets WHERE status <> 'staging' ORDER BY status = 'held'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var since sql.NullInt64
		if err := rows.Scan(&text, &since); err != nil {
			return nil, err
		}
		var snap egrid.Snapshot
		if err := json.Unmarshal([]byte(text), &snap); err != nil {
			return nil, err
		}
		c.Snapshots = append(c.Snapshots, snap)
		if _, met := c.places[snap.ID]; !met { // a held load may have the content of another one
			c.places[snap.ID] = placeOf(&snap)
		}
		if since.Valid {
			c.since[snap.ID] = time.UnixMicro(since.Int64)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	pruned, err := column(ctx, tx, "SELECT id FROM pruned")
	if err != nil {
		return nil, err
	}
	for _, id := range pruned {
		c.Pruned = append(c.Pruned, egrid.SnapshotID(id))
	}
	driver.Seal(&c.Catalog)
	s.catalog.Store(c)
	return c, nil
}

// record writes a snapshot into the catalogue.
func record(ctx context.Context, tx *sql.Tx, snap *egrid.Snapshot) error {
	text, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	var since any
	if snap.Status == egrid.Superseded {
		since = time.Now().UnixMicro()
	}
	if _, err := tx.ExecContext(ctx, "UPDATE sheets SET status = ?1, snapshot = ?2, superseded_at = iif(?3 IS NULL, NULL, coalesce(superseded_at, ?3)) WHERE id = ?4", snap.Status, string(text), since, snap.Stage); err != nil {
		return err
	}
	if snap.Status != egrid.Held {
		if _, err := tx.ExecContext(ctx, "DELETE FROM pruned WHERE id = ?", snap.ID); err != nil {
			return err
		}
	}
	return touchCatalog(ctx, tx)
}

// touchCatalog marks that the catalogue changed.
func touchCatalog(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE state SET token = ?", rand.Text())
	return err
}
