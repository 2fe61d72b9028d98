package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
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
	t.Parallel()
	egridtest.RunStore(t, func(t *testing.T) egrid.Store { return open(t) })
}

func TestFailureLog(t *testing.T) {
	t.Parallel()
	egridtest.RunFailureLog(t, func(t *testing.T) egrid.FailureLog { return open(t) })
}

func TestDifferential(t *testing.T) {
	t.Parallel()
	egridtest.RunDifferential(t, func(t *testing.T) egrid.Store { return open(t) })
}

func FuzzQueries(f *testing.F) {
	egridtest.FuzzQueries(f, func(t testing.TB) egrid.Store { return open(t) })
}
