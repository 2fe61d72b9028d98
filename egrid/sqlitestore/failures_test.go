package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

// TestFailuresInOlderFile opens a file that was made before there was a log.
func TestFailuresInOlderFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "egrid.db")
	openFile := func() *sqlitestore.Store {
		t.Helper()
		store, err := sqlitestore.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	store := openFile()
	if _, err := load(t.Context(), store, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "DROP TABLE failure_ids; DROP TABLE failures; DROP TABLE runs; DROP TABLE schedules"); err != nil {
		t.Fatal(err)
	}

	store = openFile()
	checkWhole(t, store)
	for i, want := range []bool{true, false} {
		if added, err := store.RecordFailure(t.Context(), driver.Failure{ID: "1", Kind: "x"}); err != nil || added != want {
			t.Errorf("%d: new %t, %v; want %t", i, added, err, want)
		}
	}
	if err := store.SaveRun(t.Context(), driver.Run{ID: "r", Started: time.Now()}); err != nil {
		t.Error(err)
	}
	// Programs that know no log still open the file.
	var version int
	if err := db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version); err != nil || version != 2 {
		t.Errorf("the file's version is %d, %v; want 2", version, err)
	}
}

// TestFailuresOfProcesses records through two handles of one file, as two
// processes do, and opens it again.
func TestFailuresOfProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "egrid.db")
	var group sync.WaitGroup
	for range 2 {
		store, err := sqlitestore.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer func() { _ = store.Close() }()
			for i := range 20 {
				if _, err := store.RecordFailure(t.Context(), driver.Failure{ID: fmt.Sprint(i), Kind: "x"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if added, err := store.RecordFailure(t.Context(), driver.Failure{ID: "7", Kind: "x"}); err != nil || added {
		t.Errorf("new %t, %v; want an old one", added, err)
	}
	counts, err := store.Failures(t.Context())
	if err != nil || len(counts) != 1 || counts[0].Count != 20 {
		t.Errorf("got %+v, %v; want 20", counts, err)
	}
}

// TestClearFailures deletes a kind as a person would.
func TestClearFailures(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "egrid.db")
	store, err := sqlitestore.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	for range 2 {
		if added, err := store.RecordFailure(t.Context(), driver.Failure{ID: "1", Kind: "x"}); err != nil || !added {
			t.Errorf("new %t, %v; want a new one", added, err)
		}
		db, err := sql.Open("sqlite", path+"?_pragma=foreign_keys(1)")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "DELETE FROM failures"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
