package sqlitestore_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

// TestAbandonedByOneClock has a program whose clock is days ahead make a stage:
// it must not take the stages of others for abandoned.
func TestAbandonedByOneClock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clock.db")
	stage := func(t *testing.T, n int) egrid.StageID {
		t.Helper()
		store, err := sqlitestore.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		spec, _ := round("clock", n)
		id, err := store.Stage(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	old, fresh := stage(t, 1), stage(t, 2)
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(began.Add(48 * time.Hour))) // costs nothing: the clock of the bubble moves
		stage(t, 3)
	})
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE sheets SET touched_at = touched_at - 2 * 86400 WHERE id = ?", old); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	stage(t, 4)
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Discard(t.Context(), fresh); err != nil {
		t.Errorf("a fresh stage: %v; the clock of another program must not count", err)
	}
	if err := store.Discard(t.Context(), old); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("a stage of two days ago: got %v; want ErrNotFound", err)
	}
}
