package sqlitestore_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

// TestRunsOfDeadProcess: a run of which nothing is heard any more is told so, in a
// store that another process opens.
func TestRunsOfDeadProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "egrid.db")
	store, err := sqlitestore.Open(t.Context(), path, &sqlitestore.Options{KeepRuns: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"old", "dead", "alive"} {
		if err := store.SaveRun(t.Context(), driver.Run{ID: id, Status: driver.RunUnderWay, Started: time.Now().Add(time.Duration(i) * time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "UPDATE runs SET heard_at = heard_at - 60000000 WHERE id = 'dead'"); err != nil {
		t.Fatal(err)
	}
	if store, err = sqlitestore.Open(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	runs, err := store.SavedRuns(t.Context(), 10)
	if err != nil || len(runs) != 2 || runs[0].Status != driver.RunUnderWay || runs[1].Status != driver.RunInterrupted || runs[1].Ended == nil || runs[1].Error == "" {
		t.Errorf("%+v, %v", runs, err)
	}
}
