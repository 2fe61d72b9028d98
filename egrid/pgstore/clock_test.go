package pgstore_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// TestAbandonedByOneClock has a client whose clock is days ahead make a stage: it
// must not take the stages of others for abandoned.
func TestAbandonedByOneClock(t *testing.T) {
	schema := newSchema(t)
	stage := func(t *testing.T, n int) egrid.StageID {
		t.Helper()
		store := openIn(t, schema)
		spec, _ := round("clock", n)
		id, err := store.Stage(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		store.Close()
		return id
	}
	fresh := stage(t, 1)
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(began.Add(48 * time.Hour))) // costs nothing: the clock of the bubble moves
		stage(t, 2)
	})
	if err := openIn(t, schema).Discard(t.Context(), fresh); err != nil {
		t.Errorf("a fresh stage: %v; the clock of another client must not count", err)
	}
}
