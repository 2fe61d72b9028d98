package etl_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
)

// Runs that nobody asked for are remembered too, under the ids of their reports.
func TestRunsOfPipelines(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	defer store.Close()
	runs := etl.NewRuns(store.Driver(), &etl.RunsOptions{Keep: 3})
	defer runs.Close()
	dir := folder(t, map[string]string{"GEN.csv": generators, "notes.csv": "a,b\n1,2\n"})
	told := 0
	p := etl.New(etl.Local(dir), etl.ToLoader(store), &etl.Options{Runs: runs, Progress: func(etl.Progress) { told++ }})
	var ids []string
	p.Watch(t.Context(), once{}, func(_ context.Context, r etl.Report, err error) {
		if err != nil {
			t.Error(err)
		}
		ids = append(ids, r.RunID)
	})
	for range 4 {
		report, err := p.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, report.RunID)
	}
	if told == 0 {
		t.Error("the options' own Progress is not called")
	}
	list, err := runs.Runs(t.Context())
	if err != nil || len(list) != 3 {
		t.Fatalf("%d runs, %v", len(list), err)
	}
	for i := range list {
		if want := ids[len(ids)-1-i]; list[i].ID != want || list[i].Status != driver.RunUnchanged || list[i].Read != 4 || len(list[i].Loads) != 3 {
			t.Errorf("run %d: %+v; want %s", i, list[i], want)
		}
	}
	if _, err := runs.Run(t.Context(), ids[0]); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("the oldest: %v", err)
	}
	if _, err := runs.StartRun(t.Context(), driver.RunRequest{}); !errors.Is(err, egrid.ErrConflict) {
		t.Errorf("starting one without a source: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Run(gone); err == nil {
		t.Error("a run of an ended context succeeded")
	}
}

func ExampleRuns() {
	store := memstore.New()
	defer store.Close()
	source := etl.Local("testdata/none")
	runs := etl.NewRuns(store.Driver(), &etl.RunsOptions{Load: func(ctx context.Context, o etl.Options) (etl.Report, error) {
		return etl.New(source, etl.ToLoader(store), &o).Run(ctx)
	}})
	defer runs.Close()
	ctx := context.Background()
	run, err := runs.StartRun(ctx, driver.RunRequest{Publish: driver.PublishAuto})
	if err != nil {
		fmt.Println(err)
		return
	}
	for run, err = range runs.FollowRun(ctx, run.ID) {
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(run.Status)
	// Output: failed
}
