package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
)

func open(t testing.TB) *sqlitestore.Store {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "egrid ?%#.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestStore(t *testing.T) {
	egridtest.RunStore(t, func(t *testing.T) driver.Store { return open(t) })
}

func TestFailureLog(t *testing.T) {
	egridtest.RunFailureLog(t, func(t *testing.T) driver.FailureLog { return open(t) })
}

func TestDifferential(t *testing.T) {
	egridtest.RunDifferential(t, func(t *testing.T) driver.Store { return open(t) })
}

func FuzzQueries(f *testing.F) {
	egridtest.FuzzQueries(f, func(t testing.TB) driver.Store { return open(t) })
}
