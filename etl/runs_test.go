package etl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
	etl.NewScheduler(p, once{}, &etl.SchedulerOptions{Done: func(_ context.Context, r etl.Report, err error) {
		if err != nil {
			t.Error(err)
		}
		ids = append(ids, r.RunID)
	}}).Run(t.Context())
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
	report, err := etl.New(etl.Local(folder(t, map[string]string{"GEN.csv": strings.Replace(generators, "400", "many", 1)})), etl.ToLoader(store), &etl.Options{Runs: runs}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run, err := runs.Run(t.Context(), report.RunID)
	if err != nil || run.Rejected != 1 || len(run.Loads) == 0 || len(run.Loads[0].Rejects) != 1 {
		t.Fatalf("%+v, %v; want one load with one kind of reject", run, err)
	}
	if got, want := run.Loads[0].Rejects[0], report.Files[0].Sheets[0].Rejects[0]; got != driver.RunReject(want) || got.Value != "many" || got.Count != 1 {
		t.Errorf("rejected %+v; want %+v", got, want)
	}
	if run, err := runs.Run(t.Context(), ids[0]); err != nil || run.Trigger != driver.BySchedule || run.Due == nil || run.Host == "" || run.Chunks != 2 {
		t.Errorf("the oldest, which the log has: %+v, %v", run, err)
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

// Without a log in the store, runs are remembered as long as they are few.
func TestRunsWithoutLog(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	defer store.Close()
	backend := store.Driver()
	backend.RunLog = nil
	runs := etl.NewRuns(backend, &etl.RunsOptions{Keep: 3})
	defer runs.Close()
	p := etl.New(etl.Local(folder(t, map[string]string{"GEN.csv": generators})), etl.ToLoader(store), &etl.Options{Runs: runs})
	var ids []string
	for range 5 {
		report, err := p.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, report.RunID)
	}
	list, err := runs.Runs(t.Context())
	if err != nil || len(list) != 3 || list[0].ID != ids[4] {
		t.Errorf("%+v, %v; want the last three of %q", list, err, ids)
	}
	if _, err := runs.Run(t.Context(), ids[0]); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("the oldest: %v", err)
	}
	if saved, err := store.SavedRuns(t.Context(), 10); err != nil || len(saved) != 0 {
		t.Errorf("saved %+v, %v", saved, err)
	}
}

// Another process sees the runs of this one, the stages one by one are a run too,
// and so is what failed early.
func TestRunsOfProcesses(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	defer store.Close()
	here, there := etl.NewRuns(store.Driver(), &etl.RunsOptions{Host: "here"}), etl.NewRuns(store.Driver(), &etl.RunsOptions{Host: "there"})
	defer here.Close()
	defer there.Close()
	source := etl.Local(folder(t, map[string]string{"GEN.csv": generators}))
	ctx := t.Context()
	p := etl.New(source, etl.ToLoader(store), &etl.Options{Runs: here})
	scanned, err := p.Scan(ctx)
	if err != nil {
		t.Fatal(err)
	}
	validated, err := p.Validate(ctx, scanned)
	if err != nil {
		t.Fatal(err)
	}
	divided, err := p.Divide(ctx, validated)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := p.Stream(ctx, divided)
	if err != nil {
		t.Fatal(err)
	}
	report, err := p.Report(ctx, streamed)
	if err != nil {
		t.Fatal(err)
	}
	run, err := there.Run(ctx, report.RunID)
	if err != nil || run.Trigger != driver.ByStages || run.Host != "here" || run.Status != driver.RunPublished || run.TraceID != report.TraceID || run.Loaded != 4 || run.Ended == nil {
		t.Errorf("the stages: %+v, %v", run, err)
	}
	if _, err := etl.New(etl.Local(t.TempDir()), etl.ToLoader(store), &etl.Options{Runs: here}).Run(ctx); err == nil {
		t.Error("a run of nothing succeeded")
	}
	held, err := etl.New(etl.Local(folder(t, map[string]string{"SRL23.csv": "SUBRGN,SRNGENAN\nNYCW,5\n"})), etl.ToLoader(store), &etl.Options{Runs: here, Publish: driver.PublishHold}).Run(ctx)
	if err != nil || held.Status != etl.Held {
		t.Fatalf("%+v, %v", held, err)
	}
	list, err := there.Runs(ctx)
	if err != nil || len(list) != 3 || list[1].Status != driver.RunFailed || !strings.Contains(list[1].Error, "nothing to load") {
		t.Fatalf("%+v, %v", list, err)
	}
	// What one decides, the other one knows.
	if run, err := there.PublishRun(ctx, held.RunID, ""); err != nil || run.Status != driver.RunPublished || run.Host != "here" {
		t.Errorf("published there: %+v, %v", run, err)
	}
	if run, err := here.Run(ctx, held.RunID); err != nil || run.Status != driver.RunPublished || run.Loaded != 1 {
		t.Errorf("known here: %+v, %v", run, err)
	}
	if _, err := here.DiscardRun(ctx, held.RunID); !errors.Is(err, egrid.ErrConflict) {
		t.Errorf("discarded here: %v", err)
	}
}

// A run whose process died, or goes on elsewhere, is followed by what the log has.
func TestFollowRunOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		runs := etl.NewRuns(store.Driver(), nil)
		started := driver.Run{ID: "r1", Status: driver.RunUnderWay, Host: "elsewhere", Started: time.Now(), Loads: []driver.RunLoad{}}
		save := func(r driver.Run) {
			if err := store.SaveRun(t.Context(), r); err != nil {
				t.Error(err)
			}
		}
		save(started)
		go func() {
			time.Sleep(3 * time.Second)
			under := started
			under.Progress = &driver.RunProgress{Stage: "stream", Object: "a", Rows: 5, Total: 10}
			save(under)
		}()
		var seen []string
		for run, err := range runs.FollowRun(t.Context(), "r1") {
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, fmt.Sprint(run.Status, " ", run.Progress != nil))
			if run.Status != driver.RunUnderWay && (run.Ended == nil || !strings.Contains(run.Error, "elsewhere")) {
				t.Errorf("%+v", run)
			}
		}
		if want := "[running false running true interrupted false]"; fmt.Sprint(seen) != want || time.Since(started.Started) < driver.RunSilence {
			t.Errorf("%v after %v; want %s", seen, time.Since(started.Started), want)
		}
	})
}

// A log that cannot be written stops no run.
func TestRunLogAway(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	defer store.Close()
	backend := store.Driver()
	backend.RunLog = awayLog{}
	runs := etl.NewRuns(backend, nil)
	defer runs.Close()
	report, err := etl.New(etl.Local(folder(t, map[string]string{"GEN.csv": generators})), etl.ToLoader(store), &etl.Options{Runs: runs}).Run(t.Context())
	if err != nil || report.Status != etl.Published {
		t.Fatalf("%+v, %v", report, err)
	}
	if run, err := runs.Run(t.Context(), report.RunID); err != nil || run.Status != driver.RunPublished {
		t.Errorf("%+v, %v", run, err)
	}
}

type awayLog struct{ driver.RunLog }

func (awayLog) SaveRun(context.Context, driver.Run) error { return errors.New("away") }
func (awayLog) SavedRun(context.Context, string) (driver.Run, error) {
	return driver.Run{}, errors.New("away")
}

// A run that holds files which contradict each other is not published as a whole:
// the last would take the place of the first. It can be discarded.
func TestDecideOnContradiction(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	defer store.Close()
	runs := etl.NewRuns(store.Driver(), nil)
	defer runs.Close()
	dir := folder(t, map[string]string{"a.csv": generators, "b.csv": strings.Replace(generators, "400", "401", 1)})
	report, err := etl.New(etl.Local(dir), etl.ToLoader(store), &etl.Options{Runs: runs}).Run(t.Context())
	if err != nil || report.Status != etl.Held {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, policy := range []driver.Policy{driver.PublishReplace, driver.PublishMerge} {
		if _, err := runs.PublishRun(t.Context(), report.RunID, policy); !errors.Is(err, egrid.ErrConflict) || !strings.Contains(err.Error(), "contradict each other") {
			t.Errorf("%s: %v; want ErrConflict", policy, err)
		}
	}
	run, err := runs.DiscardRun(t.Context(), report.RunID)
	if err != nil || run.Status != driver.RunPublished { // of the data year that is the same in both
		t.Errorf("%+v, %v", run, err)
	}
	for _, l := range run.Loads {
		if l.Year == 2023 && l.Status != driver.RunDiscarded {
			t.Errorf("%+v", l)
		}
	}
	c, err := store.Catalog(t.Context())
	if err != nil || len(c.Snapshots) != 1 {
		t.Errorf("%+v, %v", c.Snapshots, err)
	}
}

// Files that were combined and are held are one decision.
func TestDecideOnCombination(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	defer store.Close()
	runs := etl.NewRuns(store.Driver(), nil)
	defer runs.Close()
	dir := folder(t, map[string]string{"a.csv": "YEAR,SUBRGN,SRNGENAN\n2023,CAMX,5\n", "b.csv": "YEAR,SUBRGN,SRNGENAN\n2023,NYLI,6\n"})
	for _, discard := range []bool{true, false} {
		report, err := etl.New(etl.Local(dir), etl.ToLoader(store), &etl.Options{Runs: runs, Publish: driver.PublishHold}).Run(t.Context())
		if err != nil || report.Status != etl.Held || report.RowsLoaded != 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		decide, want := func(ctx context.Context, id string) (driver.Run, error) { return runs.PublishRun(ctx, id, "") }, driver.RunPublished
		if discard {
			decide, want = runs.DiscardRun, driver.RunDiscarded
		}
		run, err := decide(t.Context(), report.RunID)
		if err != nil || run.Status != want || len(run.Loads) != 2 || run.Loads[0].Status != want || run.Loads[1].Status != want {
			t.Errorf("discard %t: %+v, %v", discard, run, err)
		}
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
