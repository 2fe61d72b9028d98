package pgstore_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/pgstore"
)

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
