package pgstore_test

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
)

// TestMigrateAddsFailures brings up tables that were made before there was a
// log.
func TestMigrateAddsFailures(t *testing.T) {
	schema, server := newSchema(t), serverURL(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "a", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, server, fmt.Sprintf("DROP TABLE %[1]s.failure_ids, %[1]s.failures; DELETE FROM %[1]s.migrations WHERE version >= 2", schema))
	if _, err := pgstore.Open(t.Context(), server, &pgstore.Options{Schema: schema}); !errors.Is(err, egrid.ErrSchema) {
		t.Fatalf("got %v; want ErrSchema", err)
	}
	if err := pgstore.Migrate(t.Context(), server, &pgstore.Options{Schema: schema}); err != nil {
		t.Fatal(err)
	}
	store = openIn(t, schema)
	checkWhole(t, store)
	for i, want := range []bool{true, false} {
		if added, err := store.RecordFailure(t.Context(), driver.Failure{ID: "1", Kind: "x"}); err != nil || added != want {
			t.Errorf("%d: new %t, %v; want %t", i, added, err, want)
		}
	}
}

// TestFailuresOfProcesses records the same failures through several stores at
// once, as replicas of an error consumer do.
func TestFailuresOfProcesses(t *testing.T) {
	const processes, failures = 4, 50
	schema := newSchema(t)
	stores := make([]*pgstore.Store, processes)
	for i := range stores {
		stores[i] = openIn(t, schema)
	}
	var group sync.WaitGroup
	for p, store := range stores {
		group.Go(func() {
			for i := range failures {
				id := fmt.Sprint((i + p*failures/processes) % failures)
				if _, err := store.RecordFailure(t.Context(), driver.Failure{ID: id, Kind: "x"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	counts, err := stores[0].Failures(t.Context())
	if err != nil || len(counts) != 1 || counts[0].Count != failures {
		t.Errorf("got %+v, %v; want %d", counts, err, failures)
	}
	// Deleting the kind, as a person would, clears it.
	execute(t, serverURL(t), "DELETE FROM "+schema+".failures")
	if added, err := stores[1].RecordFailure(t.Context(), driver.Failure{ID: "7", Kind: "x"}); err != nil || !added {
		t.Errorf("new %t, %v; want a new one", added, err)
	}
}
