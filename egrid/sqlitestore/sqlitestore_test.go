package sqlitestore_test

import (
	"path/filepath"
	"testing"

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
