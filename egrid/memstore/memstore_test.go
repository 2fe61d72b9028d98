package memstore_test

import (
	"fmt"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
)

func TestStore(t *testing.T) {
	egridtest.RunStore(t, func(*testing.T) driver.Store { return memstore.New().Driver() })
}

func TestFailureLog(t *testing.T) {
	egridtest.RunFailureLog(t, func(*testing.T) driver.FailureLog { return memstore.New() })
}

func TestRunLog(t *testing.T) {
	egridtest.RunRunLog(t, func(*testing.T) egridtest.RunLog { return memstore.New() })
}

func TestRunsKept(t *testing.T) {
	store := memstore.New()
	const more = 3
	for i := range driver.KeepRuns + more {
		if err := store.SaveRun(t.Context(), driver.Run{ID: fmt.Sprintf("%05d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := store.SavedRuns(t.Context(), 2*driver.KeepRuns)
	if err != nil || len(runs) != driver.KeepRuns || runs[len(runs)-1].ID != fmt.Sprintf("%05d", more) {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}
